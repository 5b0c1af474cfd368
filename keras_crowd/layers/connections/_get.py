"""Makes connections from their names and configs, and configs from connections."""

from typing import Any, Literal, TypeAlias, TypeVar

import keras

from ..._typing import Config
from ._affine import Bias, BiasScale, Scale, ScaleBias
from ._coins import ClassWise, OneCoin
from ._common_confusions import CommonConfusions
from ._confusion_matrix import ConfusionMatrix
from ._connection import ClassConnection, Connection, RatingConnection
from ._item_confusions import AnnotatorEmbeddings, ItemConfusions
from ._matrix_weights import MatrixWeights
from ._prototypes import Prototypes
from ._sparse_outliers import SparseOutliers
from ._vector_weights import ScalarWeight, VectorBias, VectorWeights, VectorWeightsBias

ItemConnType: TypeAlias = Literal["CoNAL", "item", "MaDL", "COINNet"]
ClassConnType: TypeAlias = (
    Literal["MW", "VW", "VB", "VW+B", "SW", "CM", "one_coin", "class_wise", "prototypes"]
    | ItemConnType
    | ClassConnection
)
RatingConnType: TypeAlias = Literal["S", "B", "S+B", "B+S"] | RatingConnection

_NAMED: dict[type[Connection], tuple[type[Connection], ...]] = {
    ClassConnection: (
        MatrixWeights,
        VectorWeights,
        VectorBias,
        VectorWeightsBias,
        ScalarWeight,
        ConfusionMatrix,
        OneCoin,
        ClassWise,
        Prototypes,
        CommonConfusions,
        ItemConfusions,
        AnnotatorEmbeddings,
        SparseOutliers,
    ),
    RatingConnection: (Scale, Bias, ScaleBias, BiasScale),
}
_Kind = TypeVar("_Kind", bound=Connection)


def get(identifier: str | Config | Connection, kind: type[_Kind]) -> _Kind:
    """Returns the connection that a name, a config or an instance stands for.

    Args:
        identifier: A connection, the name of one (`"MW"`), or what `serialize` gave.
        kind: `ClassConnection` or `RatingConnection`, what is expected.

    Raises:
        ValueError: When it is nothing of the kind.

    Example:

    >>> connections = keras_crowd.layers.connections
    >>> connections.get("MW", connections.ClassConnection).name
    'MW'
    """
    named = {cls.name: cls for cls in _NAMED[kind]}
    if isinstance(identifier, str) and identifier in named:
        identifier = named[identifier]()
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    if not isinstance(identifier, kind):
        raise ValueError(
            f"`conn_type` must be one of {', '.join(map(repr, named))}, or an instance of "
            f"`keras_crowd.layers.connections.{kind.__name__}`. Received: conn_type={identifier!r}"
        )
    return identifier


def serialize(connection: Connection) -> Any:
    """Returns the name of one of the package's connections as it is by default, the config of any other.

    Example:

    >>> keras_crowd.layers.connections.serialize(keras_crowd.layers.connections.MatrixWeights())
    'MW'
    """
    cls = type(connection)
    if any(cls in named for named in _NAMED.values()) and connection.get_config() == cls().get_config():
        return connection.name
    return keras.saving.serialize_keras_object(connection)
