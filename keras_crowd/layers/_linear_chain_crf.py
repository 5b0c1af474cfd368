"""`LinearChainCRF`: tags of a sequence that fit each other."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import DType, Shape, Tensor
from ._policy import wide_enough


@register
class LinearChainCRF(keras.layers.Layer):
    """A conditional random field over a chain: scores of classes in, the best sequence of classes out.

    With emissions `e` of a sequence, a chain of classes `z` has the probability

        p(z) = exp(start[z_1] + sum_t e[t, z_t] + sum_t>1 transition[z_t-1, z_t] + end[z_T]) / Z

    Called, the layer gives the most probable chain (Viterbi), also within an exported model. That has no
    gradient: train with `keras_crowd.models.CRFTagger` on one tag per token, or with
    `keras_crowd.models.HiddenCRF` on the answers of a crowd; both use `log_likelihood`.

    A mask, given or a Keras mask, says which tokens are real; padding may stand anywhere. The layer computes
    in the variable dtype of its policy: float32 under a global mixed precision policy.

    Args:
        labels: Names of the classes in the BIO scheme (`"O"`, `"B-PER"`, `"I-PER"`, ...). With them, `I-x`
            comes after nothing but `B-x` or `I-x`: other chains have (nearly) no probability. Do not give
            them where training tags break that rule. Defaults to no rules.
        dtype: Dtype policy of the layer. Defaults to the variable dtype of the global policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        emissions: Scores of the classes, any real numbers, `(batch, time, classes)`; a `Dense` without
            activation.
        mask: Which tokens are real, bools `(batch, time)`. Defaults to the Keras mask.

    Input shape:
        `(batch, time, classes)`.

    Output shape:
        `(batch, time)`: int32 class codes, `-1` at padding.

    Example:

    >>> crf = keras_crowd.layers.LinearChainCRF(labels=["O", "B-PER", "I-PER"])
    >>> emissions = np.array([[[1.0, 0.9, 0.0], [0.0, 0.0, 2.0]]], "float32")
    >>> keras.ops.convert_to_numpy(crf(emissions))
    array([[1, 2]], dtype=int32)

    Reference:
        J. Lafferty, A. McCallum, F. Pereira, "Conditional random fields: probabilistic models for
        segmenting and labeling sequence data", ICML 2001.
    """

    def __init__(self, labels: Sequence[str] | None = None, *, dtype: DType = None, **kwargs: Any) -> None:
        super().__init__(dtype=wide_enough(dtype), **kwargs)
        if labels is not None:
            _check_labels(labels)
        self.labels = None if labels is None else list(labels)
        self.supports_masking = True

    def build(self, emissions_shape: Shape) -> None:
        num_classes = emissions_shape[-1]
        if len(emissions_shape) != 3 or num_classes is None or num_classes < 2:
            raise ValueError(
                "`emissions` must have shape (batch, time, classes) with at least 2 classes. "
                f"Received: shape {tuple(emissions_shape)}"
            )
        if self.labels is not None and len(self.labels) != num_classes:
            raise ValueError(
                f"`labels` must be the names of {num_classes} classes. Received: {len(self.labels)} labels"
            )
        self.transitions = self.add_weight(
            shape=(num_classes, num_classes), initializer="zeros", name="transitions"
        )
        self.start = self.add_weight(shape=(num_classes,), initializer="zeros", name="start")
        self.end = self.add_weight(shape=(num_classes,), initializer="zeros", name="end")

    def call(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        return ops.viterbi(emissions, self._potentials(), mask)

    def log_likelihood(self, emissions: Tensor, evidence: Tensor, mask: Tensor | None = None) -> Tensor:
        """Computes the log probability of what is observed of the chain, `log sum_z p(z) prod_t exp(evidence[t, z_t])`.

        Args:
            emissions: Scores of the classes, `(batch, time, classes)`.
            evidence: Log-probability of what is observed at a token given its class, `(batch, time,
                classes)`: zeros where nothing is.
            mask: Which tokens are real, `(batch, time)`. Defaults to `None`.

        Returns:
            `(batch,)`; 0 where no token is real.
        """
        return ops.chain_log_likelihood(self._scores(emissions), evidence, self._potentials(), mask)

    def marginals(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the probability of each class at each token, `(batch, time, classes)`; zeros at padding."""
        return ops.chain_marginals(self._scores(emissions), self._potentials(), mask)

    def compute_output_shape(self, emissions_shape: Shape) -> tuple:
        return tuple(emissions_shape[:-1])

    def compute_output_spec(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        return keras.KerasTensor(self.compute_output_shape(emissions.shape), dtype="int32")

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor) -> None:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "labels": self.labels}

    def _scores(self, emissions: Tensor) -> Tensor:
        return kops.cast(emissions, self.compute_dtype)

    def _potentials(self) -> ops.ChainPotentials:
        transitions, start = kops.convert_to_tensor(self.transitions), kops.convert_to_tensor(self.start)
        if self.labels is not None:
            follows, first = (1.0 - kops.cast(a, transitions.dtype) for a in ops.bio_rules(self.labels))
            transitions, start = transitions + ops.FORBIDDEN * follows, start + ops.FORBIDDEN * first
        parts = (transitions, start, kops.convert_to_tensor(self.end))
        return ops.ChainPotentials(*(kops.cast(part, self.compute_dtype) for part in parts))


def _check_labels(labels: Sequence[str]) -> None:
    names = [labels] if isinstance(labels, str) else list(labels)
    wrong = [name for name in names if name != "O" and str(name)[:2] not in ("B-", "I-")]
    if isinstance(labels, str) or wrong or len({*names}) != len(names):
        raise ValueError(
            '`labels` must be different names in the BIO scheme: "O", or beginning with "B-" or "I-". '
            f"Received: labels={labels!r}"
        )
