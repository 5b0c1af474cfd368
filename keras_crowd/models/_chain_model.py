"""Base of the models with a chain over the classes."""

from typing import Any

import keras
from keras import ops as kops

from .._registration import register
from .._typing import Tensor, Tensors
from ..layers import LinearChainCRF
from ._likelihood_model import LikelihoodModel
from ._tagger import Tagger


@register
class _RealTokens(keras.layers.Layer):
    """The Keras mask of the emissions as a tensor `(batch, time)`; all tokens where there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        return kops.ones_like(emissions[..., 0], dtype="bool") if mask is None else mask

    def compute_output_spec(self, emissions: Tensor, mask: Tensor | None = None) -> Tensor:
        return keras.KerasTensor(emissions.shape[:-1], dtype="bool")

    def compute_mask(self, inputs: Tensors, previous_mask: Tensor) -> None:
        return None


class ChainModel(LikelihoodModel):
    """An encoder of tokens, a chain over their classes, and a likelihood to be maximized. Abstract."""

    def __init__(self, encoder: keras.Model, crf: LinearChainCRF | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(encoder, keras.Model) or not getattr(encoder, "outputs", None):
            raise ValueError(
                "`encoder` must be a built Sequential or functional model. "
                f"Received: {type(encoder).__name__}"
            )
        if len(encoder.outputs) != 1 or len(encoder.outputs[0].shape) != 3:
            raise ValueError(
                "`encoder` must have one output, scores of shape (batch, time, classes). "
                f"Received: shapes {[tuple(output.shape) for output in encoder.outputs]}"
            )
        if crf is not None and not (hasattr(crf, "log_likelihood") and hasattr(crf, "marginals")):
            raise ValueError(
                "`crf` must be a `LinearChainCRF`, or a layer with its `log_likelihood` and `marginals`. "
                f"Received: {type(crf).__name__}"
            )
        self.encoder = encoder
        self.crf = crf or LinearChainCRF()
        self.real_tokens = _RealTokens(name="real_tokens")
        if not self.crf.built:
            self.crf.build(encoder.outputs[0].shape)
        self.built = True  # every part is

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return int(self.encoder.outputs[0].shape[-1])

    def features(self, inputs: Tensors) -> Tensors:
        """Returns the inputs of the encoder among those of the model."""
        return inputs

    def call(self, inputs: Tensors, training: bool = False) -> dict[str, Any]:
        emissions = self.encoder(self.features(inputs), training=training)
        return {"emissions": emissions, "mask": self.real_tokens(emissions)}

    def tagger(self) -> Any:
        """The trained tagger, a plain functional model from the encoder's inputs to tags by Viterbi.

        Returns:
            A `keras.Model` that shares the weights: `predict` gives int32 tags `(batch, time)`, `-1` at
            padding; `export` keeps Viterbi within the SavedModel, and refuses formats that do not.
        """
        sequential = isinstance(self.encoder, keras.Sequential)  # one never called has no `input`
        inputs = self.encoder.inputs[0] if sequential else self.encoder.input
        return Tagger(inputs, self.crf(self.encoder.outputs[0]), name="tagger")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._config_of("encoder", "crf")}


def weigh_tokens(evidence: Tensor, sample_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Evidence `(batch, time, K)`, times the weights if they are of tokens; and the weights if of sequences."""
    if sample_weight is None or len(sample_weight.shape) == 1:
        return evidence, sample_weight
    if len(sample_weight.shape) != 2:
        raise ValueError(
            "`sample_weight` must have shape (batch,) or (batch, time). "
            f"Received: shape {tuple(sample_weight.shape)}"
        )
    return evidence * kops.cast(kops.expand_dims(sample_weight, -1), evidence.dtype), None
