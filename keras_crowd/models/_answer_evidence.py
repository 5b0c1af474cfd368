"""Layers of a `HiddenCRF`: the evidence of the answers, and what follows from it."""

from typing import Any

import keras
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import Tensor, Tensors
from ..layers import CrowdLayer, LinearChainCRF
from ._likelihood_model import checked_weights, listed, weights_of


@register
class AnswerEvidence(keras.layers.Layer):
    """`w sum_r w_r log A_r[k, y_tr]`, `(batch, time, K)`, from answers and annotators."""

    def __init__(
        self,
        crowd: CrowdLayer,
        weight: float = 1.0,
        annotator_weights: npt.ArrayLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.crowd = crowd
        self.weight = weight
        self.annotator_weights = checked_weights(annotator_weights, crowd)

    def call(self, answers: Tensor, annotators: Tensor | None = None, training: bool = False) -> Any:
        weights = weights_of(self.annotator_weights, annotators)
        log_confusion = ops.weighted_log_confusion(self.crowd.log_confusion(annotators, training), weights)
        width, num_classes = log_confusion.shape[-3], log_confusion.shape[-1]
        shape = (None, None, width, num_classes)
        ops.check_answer_shape(answers.shape, shape)
        answers = ops.answers_of_somebody(answers, annotators, is_soft(answers))
        targets = ops.answer_distributions(answers, shape)
        return self.weight * ops.answer_evidence(kops.cast(targets, log_confusion.dtype), log_confusion)

    def compute_output_spec(
        self, answers: Tensor, annotators: Tensor | None = None, training: bool = False
    ) -> Any:
        return keras.KerasTensor((*answers.shape[:2], self.crowd.num_classes), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        crowd = keras.saving.serialize_keras_object(self.crowd)
        given = {"weight": self.weight, "annotator_weights": listed(self.annotator_weights)}
        return {**super().get_config(), "crowd": crowd, **given}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**{**config, "crowd": keras.saving.deserialize_keras_object(config["crowd"])})


@register
class Expectation(keras.layers.Layer):
    """`p(z_t = k | x, y)` and `log p(y | x)`, from emissions, evidence of the answers and a mask."""

    def __init__(self, crf: LinearChainCRF, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crf = crf
        self.supports_masking = True

    def call(self, emissions: Tensor, evidence: Tensor, mask: Tensor) -> tuple[Any, Any]:
        marginals = self.crf.marginals(emissions + evidence, mask)
        return marginals, self.crf.log_likelihood(emissions, evidence, mask)

    def compute_output_spec(self, emissions: Tensor, evidence: Tensor, mask: Tensor) -> Any:
        dtype = self.crf.compute_dtype
        return keras.KerasTensor(emissions.shape, dtype), keras.KerasTensor(emissions.shape[:1], dtype)

    def compute_mask(self, inputs: Tensors, previous_mask: Tensor) -> tuple[None, None]:
        return None, None


def is_soft(answers: Tensor) -> bool:
    """Whether answers to tokens have the classes as last axis."""
    return len(answers.shape) == 4
