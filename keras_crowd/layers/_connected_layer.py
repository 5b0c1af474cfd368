"""Base of the crowd layers of classes: a connection and its parameters, and confusions read out of them and set."""

import functools
from typing import Any

import numpy as np
from keras import ops as kops

from .._typing import Initializer, Shape, Tensor
from ._class_arguments import checked_confusion
from ._crowd_layer import CrowdLayer
from ._feature_mean import FeatureMean
from ._read_confusions import read_confusions
from ._shapes import number_of_classes
from .connections import ClassConnection, ItemConnection, Parameter


class ConnectedLayer(CrowdLayer):
    """A crowd layer with a `ClassConnection`, and parameters that annotators have and share. Abstract.

    Args:
        num_annotators: Integer. Number of annotators, R.
        connection: From classes to answers.
        **kwargs: As for `CrowdLayer`.
    """

    def __init__(self, num_annotators: int, connection: ClassConnection, **kwargs: Any) -> None:
        super().__init__(num_annotators, **kwargs)
        self.connection = connection
        self.takes_features = connection.takes_features
        self._num_classes: int | None = None

    def add_connection(self, predictions_shape: Shape) -> None:
        """Adds the parameters of the connection; in `build_annotators`."""
        width = self._num_classes = number_of_classes(predictions_shape)
        parameters = self.connection.parameters(width)
        shared = self.connection.shared_parameters(width)
        if isinstance(self.connection, ItemConnection) and self.num_features is not None:
            shared = {**shared, **self.connection.feature_parameters(width, self.num_features)}
            self.feature_mean = FeatureMean(self.num_features, name="features", dtype=self.dtype_policy)
        for name, parameter in parameters.items():
            self.add_parameter(name, parameter.shape, self.start(name, parameter))
        self._shared = {
            name: self.add_weight(shape=parameter.shape, initializer=parameter.initializer, name=name)
            for name, parameter in shared.items()
        }
        self._has_matrices = any(len(parameter.shape) == 2 for parameter in parameters.values())

    def start(self, name: str, parameter: Parameter) -> Initializer:
        """Initializer of a parameter that every annotator has."""
        return parameter.initializer

    @property
    def conn_type(self) -> str:
        """Name of the connection."""
        return self.connection.name

    @property
    def permutable(self) -> bool:
        """Whether the connection can put its true classes in another order."""
        return self.connection.permutable

    @property
    def has_confusions(self) -> bool:
        """Whether the connection is a confusion matrix per annotator."""
        return self.connection.is_confusion

    @property
    def num_classes(self) -> int:
        """Number of classes, known once the layer is built."""
        if self._num_classes is None:
            raise ValueError(f"Layer {self.name!r} must be built (called once) before it has classes.")
        return self._num_classes

    @property
    def kernel(self) -> Any:
        """The variable of `W`, `w` or `s`, a row per annotator; `None` where there is none."""
        return self.annotators["kernel"] if "kernel" in self.annotators.names() else None

    @property
    def bias(self) -> Any:
        """The variable of `b`, a row per annotator; `None` where there is none."""
        return self.annotators["bias"] if "bias" in self.annotators.names() else None

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        return (predictions_shape[-1],)

    def confusion(self, features: Tensor | None = None) -> np.ndarray:
        """Returns what each annotator answers to each class, as the layer has learned it.

        Args:
            features: For an `ItemConnection`: features of items, `(items, num_features)`, over which the confusions
                are averaged. Defaults to `None`, the mean of the features in training.

        Returns:
            NumPy `(num_annotators, true, answer)`; each row `[r, k, :]` is a distribution and sums to 1.
        """
        read = functools.partial(
            read_confusions, self.connection, self.annotators, self.num_classes, **self._common(False)
        )
        if not self.takes_features:
            return read()
        items = self.feature_mean.rows(features)
        return np.mean([read(features=item) for item in items], axis=0)

    def set_confusion(self, confusion: np.ndarray) -> None:
        """Makes `confusion()` this, for connections that can have any confusion: `"MW"` and `"CM"`.

        Args:
            confusion: `(num_annotators, true, answer)`, positive, rows summing to 1.

        Example:

        >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=3, conn_type="CM")
        >>> crowd.build((None, 4))
        >>> crowd.set_confusion(keras_crowd.warm_start.from_accuracy(0.8, num_classes=4, num_annotators=3))
        >>> bool(abs(crowd.confusion()[0, 1, 1] - 0.8) < 1e-6)
        True
        """
        confusion = checked_confusion(confusion, self.num_annotators, self.num_classes)
        parameters = self.connection.from_confusion(confusion)
        if parameters is None:
            raise ValueError(
                '`conn_type` must be "MW" or "CM", to take any confusion. '
                f"Received: conn_type={self.conn_type!r}"
            )
        self._assign(parameters)

    def log_confusion(self, annotators: Tensor | None = None, training: bool = False) -> Tensor:
        """`log A_rkl` of all annotators `(R, K, K)`, or of the slots `(batch, slots, K, K)`; for `"CM"`."""
        if not self.connection.is_confusion:
            raise ValueError(f'`conn_type` must be "CM". Received: conn_type={self.conn_type!r}')
        if self.annotators.lazy(training):
            raise ValueError(
                "`max_batch_slots` is for models compiled with a crowd loss. "
                f"Received: max_batch_slots={self.max_batch_slots}"
            )
        return self.connection.log_confusion(**self.rows(annotators, training), **self._common(training))

    def item_logits(
        self, f: Tensor, annotators: Tensor | None, training: bool, mask: Tensor | None, features: Tensor
    ) -> Tensor:
        """Logits of an `ItemConnection`; in training its penalty is added to the losses."""
        parameters = {**self.rows(annotators, training), **self._common(training)}
        parameters["features"] = kops.stop_gradient(kops.convert_to_tensor(features))
        if training and isinstance(self.connection, ItemConnection):
            self.feature_mean.see(parameters["features"], mask)
            real = None if annotators is None else annotators >= 0
            penalty = self.connection.penalty(f, real, **parameters)
            if penalty is not None:
                self.add_loss(penalty)
        return self.connection.logits(f, **parameters)

    def permute_classes(self, order: np.ndarray) -> None:
        if not self.permutable:
            super().permute_classes(order)
        parameters = {**self.annotators.of_all(), **self._common(False)}
        arrays = {name: kops.convert_to_numpy(parameter) for name, parameter in parameters.items()}
        self._assign(self.connection.permuted(order, **arrays))
        for penalty in self.penalties.values():
            penalty.permute_classes(order)

    def _common(self, training: bool) -> dict[str, Tensor]:
        """The parameters that all annotators share."""
        return {name: self.held(variable, training) for name, variable in self._shared.items()}

    def _assign(self, parameters: dict[str, Any]) -> None:
        for name, values in parameters.items():
            if name in self._shared:
                self._shared[name].assign(values)
            else:
                self.annotators.assign(name, values)
