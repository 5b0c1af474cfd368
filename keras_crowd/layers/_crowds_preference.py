"""`CrowdsPreference`: from the scores of two items to which of them each annotator prefers."""

from typing import Any, Literal, get_args

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import flag, number
from .._registration import register
from .._typing import Config, DType, Shape, Tensor
from ..aggregation import Comparisons, fitted_pairs
from ..annotations import Annotations, Preferences, as_preferences, of_annotators
from ._annotator_weights import answer_counts, answer_weights
from ._crowd_layer import CrowdLayer

PreferenceConnType = Literal["full", "reliability", "position", "common"]
_OWN = {
    "full": (True, True),
    "reliability": (True, False),
    "position": (False, True),
    "common": (False, False),
}
_NAMES = ("reliability", "position", "tie")


@register
class CrowdsPreference(CrowdLayer):
    """Predicts which of two items each annotator prefers, from the scores that a model gives to both.

    Annotator `r`, shown an item of score `s_a` first and one of `s_b` second, answers "first", "second" or, with
    `ties=True`, "tie" with the logits

        u,  -u,  log nu_r,      u = (beta_r (s_a - s_b) + p_r) / 2

    so that without ties the log odds are `beta_r (s_a - s_b) + p_r` (Bradley and Terry), and ties are Davidson's.
    `beta_r` is the reliability: 1 typical, 0 answers at random, negative turns answers round. `p_r` is the bias to the
    position shown first.

    | `conn_type` | each annotator has | when |
    |---|---|---|
    | `"full"` | `beta_r` and `p_r` | the order shown is known |
    | `"reliability"` | `beta_r` | it is not, as of chosen and rejected |
    | `"position"` | `p_r` | annotators alike in care |
    | `"common"` | neither, and one `nu` for all | the baseline: who answered does not matter |

    A factor of all scores is one of all `beta_r`. The convention: weighted by each annotator's share of all answers,
    the mean of `beta_r` is 1. Annotators are drawn to the typical one by a normal prior, whose standard deviations
    `adapt` estimates, once `answers_per_annotator` says how many answers stand against it (`adapt` does).

    Train on 0 (first), 1 (second), 2 (tie) and -1 (no answer) with `keras_crowd.losses.MaskedCrowdCrossEntropy`;
    `keras_crowd.models.preference_model` puts the layer on a scorer. The layer computes in the variable dtype of its
    policy.

    Args:
        num_annotators: Integer. Number of annotators, R.
        conn_type: String. In what annotators differ, as above. Defaults to `"full"`.
        ties: Boolean. Whether a tie can be answered. Defaults to `False`.
        spread: Float, positive. Standard deviation of the priors of `beta_r`, `p_r` and `log nu_r`, until `adapt`
            estimates them. Defaults to 0.5.
        answers_per_annotator: How many answers each gave, as `annotations.answers_per_annotator()`. Defaults to
            `None`: all weigh alike, and there is no prior.
        max_batch_slots: Integer. The most slots that a training batch has, as for `CrowdsClassification`. Defaults
            to `None`.
        dtype: Dtype policy of the layer. Defaults to the variable dtype of the global policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        first, second: Scores of the items shown first and second, `(batch, 1)` each, as from `Dense(1)`.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot, where the logits
            are -1e30 and answers are left out. Without it the answers of all annotators are predicted.

    Output shape:
        Logits of the answers, `(batch, num_annotators or slots, 3 if ties else 2)`.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsPreference(num_annotators=5, ties=True)
    >>> tuple(crowd(np.array([[2.0], [0.0]]), np.array([[1.0], [3.0]])).shape)
    (2, 5, 3)
    >>> crowd.reliability()
    array([1., 1., 1., 1., 1.], dtype=float32)

    Reference:
        R. A. Bradley, M. E. Terry, "Rank analysis of incomplete block designs", Biometrika 39, 1952; R. R. Davidson,
        "On extending the Bradley-Terry model to accommodate ties in paired comparison experiments", Journal of the
        American Statistical Association 65, 1970; X. Chen, P. N. Bennett, K. Collins-Thompson, E. Horvitz, "Pairwise
        ranking aggregation in a crowdsourced setting", WSDM 2013 (annotators of different reliability); below a
        network as in F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018.
    """

    num_predictions = 2

    def __init__(
        self,
        num_annotators: int,
        conn_type: PreferenceConnType = "full",
        *,
        ties: bool = False,
        spread: float = 0.5,
        answers_per_annotator: npt.ArrayLike | None = None,
        max_batch_slots: int | None = None,
        dtype: DType = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_annotators, max_batch_slots=max_batch_slots, dtype=dtype, **kwargs)
        if not isinstance(conn_type, str) or conn_type not in _OWN:
            raise ValueError(
                f"`conn_type` must be one of {', '.join(map(repr, get_args(PreferenceConnType)))}. "
                f"Received: conn_type={conn_type!r}"
            )
        self.conn_type = conn_type
        self.ties = flag("ties", ties)
        self.spread = number("spread", spread, above=0)
        self.answers_per_annotator = answer_counts(answers_per_annotator, self.num_annotators)

    @property
    def answer_kind(self) -> Preferences:
        return Preferences(self._num_choices())

    def build(  # type: ignore[override]
        self, first_shape: Shape, second_shape: Shape, annotators_shape: Shape | None = None
    ) -> None:
        for name, shape in (("first", first_shape), ("second", second_shape)):
            if len(shape) != 2 or shape[-1] != 1:
                raise ValueError(
                    f"`{name}` must have shape (batch, 1), as from `Dense(1)`. Received: shape {tuple(shape)}"
                )
        super().build(first_shape, annotators_shape)

    def build_annotators(self, predictions_shape: Shape) -> None:
        for name in self._own():
            self.add_parameter(name, (), "zeros")
        self.annotators.add_fixed("shares", self._weights())
        precision = keras.initializers.Constant(self.spread**-2)
        self.precision = self.add_weight(
            shape=(len(_NAMES),), initializer=precision, trainable=False, name="precision"
        )
        self.common: dict[str, keras.Variable] = {}
        for name, wanted in (("position", _OWN[self.conn_type][1]), ("tie", self.ties)):
            if wanted:
                self.common[name] = self.add_weight(shape=(), initializer="zeros", name=f"common_{name}")

    def call(  # type: ignore[override]
        self, first: Tensor, second: Tensor, annotators: Tensor | None = None, training: bool = False
    ) -> Tensor:
        return super().call(kops.subtract(first, second), annotators, training=training)

    def compute_output_shape(  # type: ignore[override]
        self, first_shape: Shape, second_shape: Shape, annotators_shape: Shape | None = None
    ) -> tuple:
        return super().compute_output_shape(first_shape, annotators_shape)

    def predict_answers(
        self, predictions: Tensor, annotators: Tensor | None, training: bool, mask: Tensor | None
    ) -> Tensor:
        rows = self.rows(annotators, training)
        shift = self._shift(training)
        if training and self.answers_per_annotator is not None:
            self._add_prior(rows, shift, annotators)
        zeros = kops.zeros(self.num_annotators) if annotators is None else kops.zeros_like(annotators)
        zeros = kops.cast(zeros, self.compute_dtype)
        return ops.preference_logits(predictions, *self._terms(rows, shift, zeros, training))

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        return (self._num_choices(),)

    def adapt(self, answers: Annotations) -> None:  # type: ignore[override]
        """Starts from what `aggregation.bradley_terry` tells of the annotators, and of how far they differ.

        Args:
            answers: `Annotations` of preferences, as `Annotations.from_preferences` reads them.

        Raises:
            ValueError: When the answers are of another kind or number of annotators, or have ties where the layer
                has none.
        """
        annotations = of_annotators(as_preferences(answers), self.num_annotators)
        if annotations.num_classes != self._num_choices():
            raise ValueError(
                f"`answers` must be preferences {'with' if self.ties else 'without'} ties, as the layer has "
                f"ties={self.ties} (`Annotations.from_preferences(ties=)` says it). Received: {annotations!r}"
            )
        if not self.built:
            self.build((None, 1), (None, 1))
        counts = annotations.answers_per_annotator()
        if self.answers_per_annotator is None:
            self.answers_per_annotator = answer_counts(counts, self.num_annotators)
        self.annotators["shares"].assign(answer_weights(counts.tolist(), self.num_annotators, "float32"))
        own = self._own()
        found, _ = fitted_pairs(
            Comparisons.of(annotations), (own[0:1] == ["reliability"], "position" in own, "tie" in own)
        )
        center = found.mean * [1.0, "position" in own, 1.0]
        for name, common in self.common.items():
            common.assign(center[_NAMES.index(name)])
        for name in own:
            i = _NAMES.index(name)
            self.annotators.assign(name, found.raters[:, i] - center[i])
        self.precision.assign(1 / found.variance)

    def reliability(self) -> np.ndarray:
        """Returns how much a difference of scores tells with each annotator, `beta_r`, `(num_annotators,)`."""
        return self._as_numpy(0)

    def position_bias(self) -> np.ndarray:
        """Returns the log odds of the item shown first among items alike, `p_r`, `(num_annotators,)`."""
        return self._as_numpy(1)

    def tie_rate(self) -> np.ndarray:
        """Returns the probability of a tie between items alike, `nu_r / (2 + nu_r)`, `(num_annotators,)`."""
        if not self.ties:
            raise ValueError("Rates of ties need `ties=True`. Received: ties=False")
        nu = np.exp(self._as_numpy(2))
        return nu / (2 + nu)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "conn_type": self.conn_type,
            "ties": self.ties,
            "spread": self.spread,
            "answers_per_annotator": self.answers_per_annotator,
        }

    def _num_choices(self) -> int:
        return 3 if self.ties else 2

    def _own(self) -> list[str]:
        """Returns what annotators have of their own."""
        reliability, position = _OWN[self.conn_type]
        wanted = (reliability, position, self.ties and self.conn_type != "common")
        return [name for name, own in zip(_NAMES, wanted, strict=True) if own]

    def _weights(self) -> np.ndarray:
        return answer_weights(self.answers_per_annotator, self.num_annotators, "float32")

    def _shift(self, training: bool) -> Tensor | float:
        """Returns what is added to every reliability: 1, less their mean over all answers."""
        if "reliability" not in self._own():
            return 1.0
        weights = kops.cast(self.annotators["shares"], self.compute_dtype)
        shift = 1.0 - kops.sum(weights[:, 0] * self.annotators.of_all()["reliability"])
        return kops.stop_gradient(shift) if self.annotators.lazy(training) else self.held(shift, training)

    def _terms(
        self, rows: dict[str, Tensor], shift: Tensor | float, zeros: Tensor, training: bool
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Reliability, position and log of nu, of the annotators of the rows."""
        common = {
            name: self.held(kops.cast(variable, self.compute_dtype), training)
            for name, variable in self.common.items()
        }
        of = {name: rows.get(name, zeros) + common.get(name, 0.0) for name in _NAMES}
        return of["reliability"] + shift, of["position"], of["tie"] if self.ties else None

    def _add_prior(self, rows: dict[str, Tensor], shift: Tensor | float, annotators: Tensor | None) -> None:
        """Adds the prior of all annotators over the number of answers; or, of the slots of a batch, its expectation."""
        counts = np.array(self.answers_per_annotator)
        shares: Tensor | float = 1.0
        total: Tensor | float = float(counts.sum())
        if annotators is not None and self.annotators.lazy(True):
            table = kops.convert_to_tensor(np.maximum(counts, 1), dtype=self.compute_dtype)
            answered = kops.cast(annotators >= 0, self.compute_dtype)
            shares = answered / kops.take(table, kops.clip(annotators, 0, self.num_annotators - 1))
            total = kops.maximum(kops.sum(answered), 1.0)
        else:
            rows = self.rows(None, True)
        for name, row in rows.items():
            deviation = row + shift - 1.0 if name == "reliability" else row
            precision = kops.cast(self.precision[_NAMES.index(name)], self.compute_dtype)
            self.add_loss(ops.normal_penalty(deviation, precision, shares) / total)

    def _as_numpy(self, which: int) -> np.ndarray:
        if not self.built:
            raise ValueError(f"Layer {self.name!r} must be built (called once) before it has annotators.")
        zeros = kops.zeros(self.num_annotators, dtype=self.compute_dtype)
        found = self._terms(self.annotators.of_all(), self._shift(False), zeros, False)[which]
        return kops.convert_to_numpy(found)
