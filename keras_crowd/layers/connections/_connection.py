"""`Connection`: how the answer of an annotator depends on the truth."""

from typing import Any, NamedTuple

import numpy as np

from ... import ops
from ..._typing import Config, Initializer, Tensor
from ...initializers import CrowdIdentity

_KNOWN = 0.4  # of the answers, at the start; settled by benchmarks/zoo.py on the tasks for choosing


class Parameter(NamedTuple):
    """A parameter that every annotator has.

    Attributes:
        shape: Tuple of integers. Shape of one annotator's array, `()` for a number.
        initializer: Initializer of the arrays of all annotators, `(num_annotators, *shape)`.

    Example:

    >>> parameter = keras_crowd.layers.connections.Parameter((10,), "zeros")
    """

    shape: tuple[int, ...]
    initializer: Initializer


def accurate_start(num_classes: int) -> CrowdIdentity:
    """The start of a kernel by which every annotator knows four of ten answers and guesses the others."""
    return CrowdIdentity(ops.identity_scale(_KNOWN + (1.0 - _KNOWN) / num_classes, num_classes))


class Connection:
    """Maps the truth, as the model predicts it, to the answer of each annotator. Abstract.

    A connection is the formula of a paper without its variables: it says which parameters each annotator has, and
    computes the answers from them. `keras_crowd.layers.CrowdsClassification(conn_type=...)` takes a connection where it
    takes the name of one. To write your own, define `parameters` and `logits`, and register the class with
    `keras.saving.register_keras_serializable`, so that models with it can be loaded.

    Example:

    >>> class OneCoin(keras_crowd.layers.connections.ClassConnection):
    ...     def parameters(self, num_classes):
    ...         return {"skill": keras_crowd.layers.connections.Parameter((1,), "ones")}
    ...     def logits(self, f, skill):
    ...         return keras.ops.expand_dims(f, -2) * keras.ops.softplus(skill)
    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type=OneCoin())
    >>> tuple(crowd(np.array([[0.9, 0.1]], "float32")).shape)
    (1, 3, 2)
    """

    name: str = "connection"
    """The name of the connection in errors. Defaults to the name of the class."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            cls.name = cls.__name__

    def parameters(self, width: int) -> dict[str, Parameter]:
        """Returns the parameters of an annotator by name.

        Args:
            width: Integer. Number of classes, K; or of targets, T, below `CrowdsRegression`.
        """
        raise NotImplementedError

    def shared_parameters(self, width: int) -> dict[str, Parameter]:
        """Returns the parameters that all annotators share, by name, of the shapes given. Defaults to none.

        Args:
            width: Integer. Number of classes, K.
        """
        return {}

    def get_config(self) -> Config:
        """Returns the arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> "Connection":
        """Returns the connection that `config` describes."""
        return cls(**config)


class ClassConnection(Connection):
    """Maps class probabilities to the logits of each annotator's answer. Abstract.

    With the parameters of all annotators, leading axis `(R, ...)`, the result is that of all annotators; with those of
    the slots of each item, `(batch, slots, ...)`, that of the slots.

    Example:

    >>> connection = keras_crowd.layers.connections.MatrixWeights()
    >>> isinstance(connection, keras_crowd.layers.connections.ClassConnection), connection.permutable
    (True, True)
    """

    is_confusion = False
    """Whether the logits are log-probabilities of a mixture of the rows of a confusion matrix."""

    permutable = False
    """Whether the true classes of the parameters can be put in another order."""

    takes_features = False
    """Whether the logits depend on features of the item, as those of an `ItemConnection`."""

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        """Logits of the answers, `(batch, ..., annotators or slots, K)`.

        Args:
            f: Class probabilities, `(batch, ..., K)`.
            **parameters: The parameters by name, `(R, *shape)` or `(batch, slots, *shape)`, and those that all
                annotators share, of their own shape; below an `ItemConnection` `features` as well.
        """
        raise NotImplementedError

    def slot_logits(self, f: Tensor, annotators: Tensor, **parameters: Tensor) -> Tensor:
        """Logits of the slots from the parameters of all annotators, where there are fewer annotators than slots.

        Args:
            f: Class probabilities, `(batch, ..., K)`.
            annotators: Annotator of each slot, `(batch, slots)`.
            **parameters: The parameters of all annotators by name, `(R, *shape)`, and those that they share.
        """
        shared = self.shared_parameters(f.shape[-1])
        rows = {
            name: value if name in shared else ops.annotator_rows(value, annotators)
            for name, value in parameters.items()
        }
        return self.logits(f, **rows)

    def log_confusion(self, **parameters: Tensor) -> Tensor:
        """Returns `log A_rkl`, `(..., true, answer)`, where `is_confusion`."""
        raise NotImplementedError

    def from_confusion(self, confusion: np.ndarray) -> dict[str, Any] | None:
        """Returns the parameters that give exactly these confusions; `None` where not all confusions can be given.

        Args:
            confusion: `(R, true, answer)`, positive, rows summing to 1.
        """
        return None

    def closest_to(self, confusion: np.ndarray) -> dict[str, Any]:
        """Returns the parameters that give the closest confusions, for items whose class is certain.

        Defaults to those of `from_confusion`.

        Args:
            confusion: `(R, true, answer)`, positive, rows summing to 1.

        Raises:
            ValueError: When the connection does not define it.
        """
        parameters = self.from_confusion(confusion)
        if parameters is None:
            raise ValueError(
                f"`conn_type` must define `closest_to`, to adapt to answers. Received: conn_type={self.name!r}"
            )
        return parameters

    def permuted(self, order: np.ndarray, **parameters: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the parameters with true class `order[k]` in the place of class `k`, where `permutable`."""
        raise NotImplementedError


class ItemConnection(ClassConnection):
    """Maps class probabilities and features of the item to the logits of each annotator's answer. Abstract.

    It is for annotators whose errors depend on the item beyond its class. Define `logits`, which also receives
    `features` `(batch, ..., num_features)`; `parameters`; and `feature_parameters`, the shared parameters that apply to
    the features. `keras_crowd.crowd_model` says where the features come from. No gradient flows back into them.

    Example:

    >>> class Difficult(keras_crowd.layers.connections.ItemConnection):
    ...     def parameters(self, num_classes):
    ...         return {"skill": keras_crowd.layers.connections.Parameter((1,), "ones")}
    ...     def feature_parameters(self, num_classes, num_features):
    ...         return {"ease": keras_crowd.layers.connections.Parameter((num_features, 1), "zeros")}
    ...     def logits(self, f, features, skill, ease):
    ...         ease = keras.ops.exp(keras.ops.expand_dims(features @ ease, -2))
    ...         return ease * skill * keras.ops.expand_dims(f, -2)
    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type=Difficult())
    >>> tuple(crowd(np.array([[0.9, 0.1]]), features=np.ones((1, 7))).shape)
    (1, 3, 2)
    """

    takes_features = True

    def feature_parameters(self, width: int, num_features: int) -> dict[str, Parameter]:
        """Returns the shared parameters that apply to the features, by name. Defaults to none.

        Args:
            width: Integer. Number of classes, K.
            num_features: Integer. Number of features of an item.
        """
        return {}

    def penalty(self, f: Tensor, real: Tensor | None, **parameters: Tensor) -> Tensor | None:
        """Returns what the connection adds to the loss in training, a scalar. Defaults to `None`, nothing.

        Args:
            f: Class probabilities, `(batch, ..., K)`.
            real: Which slots have an annotator, booleans `(batch, slots)`; `None` where all annotators are predicted.
            **parameters: The parameters and the features, as for `logits`.
        """
        return None


class RatingConnection(Connection):
    """Maps predicted numbers to the number that each annotator is expected to give. Abstract.

    Example:

    >>> connection = keras_crowd.layers.connections.BiasScale()
    >>> list(connection.parameters(1))
    ['scale', 'bias']
    """

    def of_lines(self, scale: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the parameters of annotators who answer `scale x + bias`; what the connection lacks is 1 or 0.

        Args:
            scale: `(R, T)`.
            bias: `(R, T)`.
        """
        given = {"scale": scale, "bias": bias}
        return {name: given[name] for name in self.parameters(scale.shape[-1])}

    def shifts(self, weights: Tensor, **parameters: Tensor) -> dict[str, Tensor]:
        """Returns what to add to the parameters of all annotators so that the mean answer is the prediction.

        Args:
            weights: Each annotator's share of all answers, `(R, 1)`.
            **parameters: The parameters of all annotators by name, `(R, T)`.

        Returns:
            `(1, T)` by name; nothing where a parameter stays as it is.
        """
        return {}

    def answers(self, x: Tensor, **parameters: Tensor) -> Tensor:
        """Returns the expected answers, `(batch, annotators or slots, T)`.

        Args:
            x: Predicted numbers, `(batch, T)`.
            **parameters: The parameters by name, `(R, T)` or `(batch, slots, T)`.
        """
        raise NotImplementedError
