"""`HiddenCRF`: a sequence tagger with a CRF over the truth that no annotator shows."""

import functools
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import flag
from .._registration import register
from .._typing import Features, Tensor, Tensors
from ..layers import CrowdLayer, LinearChainCRF
from ._answer_evidence import AnswerEvidence, Expectation, is_soft
from ._chain_model import ChainModel, weigh_tokens
from ._likelihood_model import check_confusions, listed, weights_of
from ._slots import annotators_of, features_of
from ._strip import match_inputs
from ._tagger import Tagger


@register
class HiddenCRF(ChainModel):
    """A tagger with a CRF over the hidden truth, trained on the answers of a crowd.

    The true tags `z` of a sequence follow a CRF given its features `x`, and annotator `r` answers `y_tr` at
    token `t` with probability `A_r[z_t, y_tr]`. The joint probability of all answers is maximized, the
    truth summed out by two forward passes along the chain:

        log p(y | x) = log sum_z p(z | x) prod_rt A_r[z_t, y_tr]
                     = log Z(e + sum_r log A_r[:, y_r]) - log Z(e),    e the emissions

    The loss is minus its sum over the sequences, over the number of answers to tokens. Compile the model with
    an optimizer and without a loss. It needs a start that names the classes: train the encoder as
    `CRFTagger` on the majority vote first, or start `crowd` from `warm_start` confusions, or both.

    This assumes that errors at different tokens are independent. But an annotator who overlooks an entity overlooks
    each of its tokens, and what misleads one annotator misleads others. An `answer_weight` below 1 counts every answer
    as that part of an answer, `A_r[z_t, y_tr]^w`, so that features and neighbors have more influence.

    A soft answer, a distribution `y_rt` over the classes, counts as `prod_l A_r[z_t, l] ^ y_rtl`, as in
    `aggregation.dawid_skene`.

    Padding is what the Keras mask of the encoder says, and also all tokens after the last one that has an
    answer. Other tokens without answers are summed out.

    Args:
        encoder: A built Sequential or functional model from features to scores (no softmax) `(batch, time,
            classes)`.
        crowd: A `keras_crowd.layers.CrowdsSequenceLabeling` of `conn_type="CM"`.
        crf: A `keras_crowd.layers.LinearChainCRF`. Defaults to one without rules.
        answer_weight: `w`, how much of an independent observation an answer is, in (0, 1]; in training and in all that
            infers the truth from answers. Defaults to 1.0.
        annotator_weights: How many independent annotators each one counts for, positive, `(annotators,)`, as in
            `aggregation.dawid_skene`: `A_r[z_t, y_tr] ^ (w w_r)`. Defaults to `None`, 1 each.
        slots: Boolean. Whether `fit` gets answers in slots, with the annotators of the slots as last input. Defaults to
            `False`.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: Those of `encoder`; with `slots=True`, `(features, annotators)` or `(*features, annotators)`,
            annotators `(batch, slots)`; for an encoder that takes a dict, the dict with the key
            `"annotators"` added. In `fit`, `y` are answers `(batch, time, annotators or slots)`, `-1` or `NaN` for
            missing; or soft answers `(batch, time, annotators or slots, classes)`, rows of zeros or `NaN` for missing.
            `sample_weight` is `(batch,)`, or `(batch, time)` to weigh the answers to each token.

    Example:

    >>> encoder = keras.Sequential([keras.Input((None, 8)), keras.layers.Dense(3)])
    >>> crowd = keras_crowd.layers.CrowdsSequenceLabeling(5, "CM", initial_accuracy=0.7)
    >>> model = keras_crowd.models.HiddenCRF(encoder, crowd)
    >>> model.compile("adam")
    >>> x, answers = np.zeros((4, 6, 8), "float32"), np.zeros((4, 6, 5), "int32")
    >>> history = model.fit(x, answers, verbose=0)
    >>> model.tagger().predict(x, verbose=0).shape  # tags of new sequences
    (4, 6)
    >>> model.truth_tagger().predict([x, answers], verbose=0).shape  # tags given the answers as well
    (4, 6)
    >>> crowd.confusion().shape
    (5, 3, 3)

    Reference:
        F. Rodrigues, F. Pereira, B. Ribeiro, "Sequence labeling with multiple annotators", Machine Learning 95,
        2014; Z. Chen, H. Sun, H. Zhang, Z. Zhang, "Neural-Hidden-CRF: a robust weakly-supervised sequence
        labeler", KDD 2023.
    """

    def __init__(
        self,
        encoder: keras.Model,
        crowd: CrowdLayer,
        crf: LinearChainCRF | None = None,
        *,
        answer_weight: float = 1.0,
        annotator_weights: npt.ArrayLike | None = None,
        slots: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(encoder, crf, **kwargs)
        check_confusions(crowd)
        if crowd.classifier_regularizer not in (None, "auto"):  # which is none for tokens
            raise ValueError(
                "`crowd` must have no `classifier_regularizer`: the chain has no class probabilities of "
                f"single tokens. Received: {type(crowd.classifier_regularizer).__name__}"
            )
        if not isinstance(answer_weight, int | float) or not 0 < answer_weight <= 1:
            raise ValueError(
                f"`answer_weight` must be a number in (0, 1]. Received: answer_weight={answer_weight!r}"
            )
        self.answer_weight = answer_weight
        self.slots = slots
        self.crowd = crowd
        if not crowd.built:
            crowd.build((None, None, self.num_classes))
        self.evidence = AnswerEvidence(
            crowd, answer_weight, annotator_weights, dtype=crowd.dtype_policy, name="answer_evidence"
        )
        self.annotator_weights = self.evidence.annotator_weights

    def features(self, inputs: Tensors) -> Any:
        return features_of(inputs, self.slots)

    def annotators(self, inputs: Tensors) -> Any:
        """Returns the ids of the slots' annotators among the inputs of the model, or `None`."""
        return annotators_of(inputs, self.slots)

    def likelihood_loss(
        self, x: Features, y: Tensor, y_pred: Tensors, sample_weight: Tensor | None, training: bool
    ) -> Tensor:
        annotators = self.annotators(x)
        evidence = self.evidence(y, annotators, training=training)
        soft = is_soft(y)
        observed = ops.is_answered(ops.answers_of_somebody(y, annotators, soft), soft)
        evidence, weight = weigh_tokens(evidence, sample_weight)
        mask = _until_last(y_pred["mask"], observed)
        values = self.crf.log_likelihood(y_pred["emissions"], evidence, mask)
        answered = kops.logical_and(kops.expand_dims(mask, -1), observed)
        count = ops.weighted_count(answered, weights_of(self.annotator_weights, annotators))
        loss = self._mean_loss(values, count, weight)
        return loss + (self.crowd.confusion_penalty() if training else 0.0)

    def answer_log_likelihood(
        self, x: Features, answers: npt.ArrayLike, batch_size: int = 256
    ) -> np.ndarray:
        """Computes `log p(y | x)` of the answers to each sequence, `(items,)`.

        The value for all answers minus that for the kept answers says how well held-out answers are predicted from the
        features and the kept answers. Compare such values only at the same `answer_weight`.
        """
        return self.expectation(x, answers, batch_size)[1]

    def expectation(
        self, x: Features, answers: npt.ArrayLike, batch_size: int = 256
    ) -> tuple[np.ndarray, np.ndarray]:
        """Takes the E-step: `p(z_t = k | x, y)` of the tokens up to the last answer, and `answer_log_likelihood`.

        Returns:
            `(items, time, K)`, zeros at padding and after the last answer; and `(items,)`.
        """
        return self._read(x, answers, batch_size, until_last_answer=True)

    def posterior(self, x: Features, answers: npt.ArrayLike, batch_size: int = 256) -> np.ndarray:
        """Computes `p(z_t = k | x, y)` from features and answers together, `(items, time, K)`; zeros at padding."""
        return self._read(x, answers, batch_size, until_last_answer=False)[0]

    def truth_tagger(self, soft: bool = False) -> Any:
        """Returns a functional model from features *and answers* to the most probable tags.

        Args:
            soft: Boolean. Whether the answers are soft, with the classes as last axis. Defaults to `False`.

        Returns:
            A `keras.Model` that shares the weights. Its inputs are those of the encoder, then the answers
            `(batch, time, annotators or slots)`, soft ones with the classes last, then with slots the annotators; a
            list. `predict` gives int32 tags `(batch, time)`, `-1` at padding. Under JAX, `export` it for known
            lengths (`input_signature`): JAX takes the lengths of two inputs for different ones.
        """
        emissions, evidence, mask, given = self._observed(flag("soft", soft))
        tags = self.crf(emissions + evidence, mask=mask)
        return Tagger([*self.encoder.inputs, *given], tags, name="truth_tagger")

    def _observed(self, soft: bool) -> tuple[Any, Any, Any, list[Any]]:
        """Emissions, evidence and mask as symbols, and those of the answers (and annotators) below."""
        width = None if self.slots else self.crowd.num_annotators
        shape = (None, width, self.num_classes) if soft else (None, width)
        given = [keras.Input(shape, dtype="float32", name="answers")]  # with NaN for missing as well
        if self.slots:
            given.append(keras.Input((None,), dtype="int32", name="annotators"))
        emissions = self.encoder.outputs[0]
        return emissions, self.evidence(*given), self.real_tokens(emissions), given

    @functools.cached_property  # and no attribute that Keras would track and save
    def _readers(self) -> dict[tuple[bool, bool], Any]:
        """Compiled once each."""
        return {}

    def _reader(self, soft: bool, until_last_answer: bool) -> Any:
        """A model like `truth_tagger` that gives what `Expectation` gives."""
        reader = self._readers.get((soft, until_last_answer))
        if reader is None:
            emissions, evidence, mask, given = self._observed(soft)
            mask = _until_last(mask, ops.is_answered(given[0], soft)) if until_last_answer else mask
            outputs = Expectation(self.crf, name="expectation")(emissions, evidence, mask)
            reader = keras.Model([*self.encoder.inputs, *given], outputs)
            self._readers[soft, until_last_answer] = reader
        return reader

    def _read(
        self, x: Features, answers: npt.ArrayLike, batch_size: int, until_last_answer: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        answers = np.asarray(answers)
        annotators = [self.annotators(x)] if self.slots else []
        features = match_inputs(self.encoder, self.features(x))
        reader = self._reader(is_soft(answers), until_last_answer)
        return tuple(reader.predict([*features, answers, *annotators], batch_size=batch_size, verbose=0))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self._config_of("crowd"),
            "answer_weight": self.answer_weight,
            "annotator_weights": listed(self.annotator_weights),
            "slots": self.slots,
        }


def _until_last(mask: Tensor, observed: Tensor) -> Tensor:
    """Real tokens with an answer at them or after them, `(batch, time)`; `observed` as the answers."""
    answered = kops.cast(kops.any(observed, axis=-1), "int32")
    return kops.logical_and(mask, kops.flip(kops.cumsum(kops.flip(answered, axis=1), axis=1), axis=1) > 0)
