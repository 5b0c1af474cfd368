"""Connections: how the answer of an annotator depends on the truth, one object per formula.

A crowd layer takes the name of a connection or an instance as `conn_type`, as Keras takes activations.
"""

from ._affine import Bias as Bias
from ._affine import BiasScale as BiasScale
from ._affine import Scale as Scale
from ._affine import ScaleBias as ScaleBias
from ._coins import ClassWise as ClassWise
from ._coins import OneCoin as OneCoin
from ._common_confusions import CommonConfusions as CommonConfusions
from ._confusion_matrix import ConfusionMatrix as ConfusionMatrix
from ._connection import ClassConnection as ClassConnection
from ._connection import Connection as Connection
from ._connection import ItemConnection as ItemConnection
from ._connection import Parameter as Parameter
from ._connection import RatingConnection as RatingConnection
from ._get import ClassConnType as ClassConnType
from ._get import ItemConnType as ItemConnType
from ._get import RatingConnType as RatingConnType
from ._get import get as get
from ._get import serialize as serialize
from ._item_confusions import AnnotatorEmbeddings as AnnotatorEmbeddings
from ._item_confusions import ItemConfusions as ItemConfusions
from ._matrix_weights import MatrixWeights as MatrixWeights
from ._prototypes import Prototypes as Prototypes
from ._sparse_outliers import SparseOutliers as SparseOutliers
from ._vector_weights import ScalarWeight as ScalarWeight
from ._vector_weights import VectorBias as VectorBias
from ._vector_weights import VectorWeights as VectorWeights
from ._vector_weights import VectorWeightsBias as VectorWeightsBias


def __dir__() -> list[str]:
    return [name for name in globals() if not name.startswith("_") and not name.endswith("ConnType")]
