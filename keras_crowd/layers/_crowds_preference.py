"""`CrowdsPreference`: from the scores of two items to which of them each annotator prefers."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import flag, number, whole_number
from .._registration import register
from .._typing import Config, DType, Shape, Tensor
from ..annotations import Annotations, Preferences, as_preferences, of_annotators
from ._annotator_weights import answer_counts, answer_weights
from ._built import check_built
from ._crowd_layer import CrowdLayer
from ._population import Population
from ._preference_models import (
    CumulativeLogits,
    Davidson,
    PreferenceConnType,
    checked_conn_type,
    own_parameters,
    parameters_of,
)
from ._preference_start import preference_start

_RANDOM_ODDS = float(np.log(0.05 / 0.95))  # where rates of random answers start


@register
class CrowdsPreference(CrowdLayer):
    """Predicts which of two items each annotator prefers, from the scores that a model gives to both.

    Annotator `r`, shown an item of score `s_a` first and one of `s_b` second, answers "first", "second" or, with
    `ties=True`, "tie" with the logits

        u_r / 2,  -u_r / 2,  log nu_r,      u_r = beta_r (s_a - s_b) + p_r

    so that without ties the log odds are `u_r` (Bradley and Terry), and ties are Davidson's. `beta_r` is the
    reliability: 1 typical, 0 answers at random, negative turns answers round. `p_r` is the bias to the position shown
    first. With `grades=g` above 1, an answer says how much better an item is, from `-g` (the first by far) to `g` (the
    second by far), 0 for a tie with `ties=True`, by cumulative logits with thresholds symmetric about 0:

        P(answer <= l) = sigmoid(u_r + t_rl),      t_rl = w_r t_l

    where the width `w_r` is larger for an annotator who keeps to the middle. With `random_answers=True` an annotator
    answers so with probability `1 - e_r`, and otherwise gives one of the answers at random.

    | `conn_type` | each annotator has | when |
    |---|---|---|
    | `"full"` | `beta_r` and `p_r` | the order shown is known |
    | `"reliability"` | `beta_r` | it is not, as of chosen and rejected |
    | `"position"` | `p_r` | annotators alike in care |
    | `"common"` | neither, and one `nu` (or `w = 1`) and `e` for all | the baseline: who answered does not matter |

    A factor of all scores can be moved into all `beta_r`. By convention, weighted by each annotator's share of all
    answers, the mean of `beta_r` is 1. Annotators are drawn to the typical one by normal priors (of the logs of `nu_r`
    and `w_r`, and the log odds of `e_r`), whose standard deviations `adapt` estimates (but that of `w_r`), once
    `answers_per_annotator` says how many answers stand against them (`adapt` does).

    Train on 0 (first), 1 (second), 2 (tie) and -1 (no answer), or on the codes of grades in their order from `-g` on,
    as `Annotations.from_preferences` gives them, with `keras_crowd.losses.MaskedCrowdCrossEntropy`;
    `keras_crowd.models.preference_model` puts the layer on a scorer. The layer computes in the variable dtype of its
    policy.

    Args:
        num_annotators: Integer. Number of annotators, R.
        conn_type: String. In what annotators differ, as above. Defaults to `"full"`.
        ties: Boolean. Whether a tie can be answered. Defaults to `False`.
        grades: Integer. The largest grade, 1 where an answer only says which item is better. Defaults to 1.
        random_answers: Boolean. Whether annotators answer at random at times. With a reliability of their own the two
            can hardly be told apart, so `conn_type="position"` is the one to combine it with. Defaults to `False`.
        spread: Float, positive. Standard deviation of the priors, until `adapt` estimates them. Defaults to 0.5.
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
        Logits of the answers, `(batch, num_annotators or slots, 2 * grades + 1 if ties else 2 * grades)`.

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
        ranking aggregation in a crowdsourced setting", WSDM 2013 (random answers: their `eta_r` is `1 - e_r / 2`);
        P. McCullagh, "Regression models for ordinal data", Journal of the Royal Statistical Society B 42, 1980; below
        a network as in F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018.
    """

    num_predictions = 2

    def __init__(
        self,
        num_annotators: int,
        conn_type: PreferenceConnType = "full",
        *,
        ties: bool = False,
        grades: int = 1,
        random_answers: bool = False,
        spread: float = 0.5,
        answers_per_annotator: npt.ArrayLike | None = None,
        max_batch_slots: int | None = None,
        dtype: DType = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_annotators, max_batch_slots=max_batch_slots, dtype=dtype, **kwargs)
        self.conn_type = checked_conn_type(conn_type)
        self.ties = flag("ties", ties)
        self.grades = whole_number("grades", grades, high=10)
        self.random_answers = flag("random_answers", random_answers)
        self._model = Davidson(self.ties) if self.grades == 1 else CumulativeLogits(self.grades, self.ties)
        self._names = parameters_of(self._model, self.random_answers)
        self._own = own_parameters(self.conn_type, self._names)
        self.spread = number("spread", spread, above=0)
        self.answers_per_annotator = answer_counts(answers_per_annotator, self.num_annotators)

    @property
    def answer_kind(self) -> Preferences:
        return Preferences(self._model.num_choices)

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
        for name in self._own:
            self.add_parameter(name, (), "zeros")
        weights = answer_weights(self.answers_per_annotator, self.num_annotators, "float32")
        self.annotators.add_fixed("shares", weights)
        common = {"tie": 0.0, "random": _RANDOM_ODDS} | (
            {"position": 0.0} if "position" in self._own else {}
        )
        means = {name: common[name] for name in self._names if name in common}
        self.population = Population(
            self._names, means, self.spread, name="population", dtype=self.dtype_policy
        )
        self.log_gaps = None
        if self.grades > 1:
            start = keras.initializers.Constant(self._model.start())
            self.log_gaps = self.add_weight(
                shape=(self._model.num_gaps,), initializer=start, name="log_gaps"
            )

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
        if training and rows and self.answers_per_annotator is not None:
            self._add_prior(rows, shift, annotators)
        zeros = kops.zeros(self.num_annotators) if annotators is None else kops.zeros_like(annotators)
        terms = self._terms(rows, shift, kops.cast(zeros, self.compute_dtype), training)
        odds = terms["reliability"] * predictions + terms["position"]
        logits = self._model.logits(odds, terms.get(self._model.parameter or ""), self._gaps(training))
        return ops.with_random_answers(logits, terms["random"]) if self.random_answers else logits

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        return (self._model.num_choices,)

    def adapt(self, answers: Annotations) -> None:  # type: ignore[override]
        """Starts from the annotators that `aggregation.bradley_terry` estimates, and from how far they differ.

        Args:
            answers: `Annotations` of preferences, as `Annotations.from_preferences` reads them.

        Raises:
            ValueError: When the answers are of another kind or number of annotators, or have ties where the layer
                has none.
        """
        annotations = of_annotators(as_preferences(answers), self.num_annotators)
        if annotations.num_classes != self._model.num_choices:
            raise ValueError(
                f"`answers` must be preferences with ties={self.ties} and grades={self.grades}, as the layer has "
                f"(`Annotations.from_preferences` says so by `ties=` and `grades=`). Received: {annotations!r}"
            )
        if not self.built:
            self.build((None, 1), (None, 1))
        counts = annotations.answers_per_annotator()
        if self.answers_per_annotator is None:
            self.answers_per_annotator = answer_counts(counts, self.num_annotators)
        self.annotators["shares"].assign(answer_weights(counts.tolist(), self.num_annotators, "float32"))
        if self.log_gaps is not None:
            self.log_gaps.assign(self._model.start(annotations.soft().answers.sum(axis=0) + 0.5))
        found = preference_start(annotations, self._own, self.random_answers)
        self.population.assign(found.means, found.variances)
        for name, deviations in found.deviations.items():
            self.annotators.assign(name, deviations)

    def reliability(self) -> np.ndarray:
        """Returns how strongly each annotator's answers follow the scores, `beta_r`, `(num_annotators,)`."""
        return self._as_numpy("reliability")

    def position_bias(self) -> np.ndarray:
        """Returns the log odds of the item shown first between equally good items, `p_r`, `(num_annotators,)`."""
        return self._as_numpy("position")

    def tie_rate(self) -> np.ndarray:
        """Returns the probability that equally good items tie where the answer is not random, `(num_annotators,)`."""
        if not self.ties:
            raise ValueError("Rates of ties need `ties=True`. Received: ties=False")
        if self.grades > 1:
            return np.tanh(0.5 * self.thresholds()[:, self.grades])
        nu = np.exp(self._as_numpy("tie"))
        return nu / (2 + nu)

    def random_rate(self) -> np.ndarray:
        """Returns the probability of a random answer, `e_r`, `(num_annotators,)`."""
        if not self.random_answers:
            raise ValueError("Rates of random answers need `random_answers=True`. Received: False")
        return 1 / (1 + np.exp(-self._as_numpy("random")))

    def thresholds(self) -> np.ndarray:
        """Returns the thresholds of the grades in log odds, `t_rl`, `(num_annotators, number of grades - 1)`."""
        if self.grades == 1:
            raise ValueError("Thresholds need `grades` of at least 2. Received: grades=1")
        width = self._as_numpy("width")
        return kops.convert_to_numpy(ops.symmetric_thresholds(self._gaps(False), width, not self.ties))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "conn_type": self.conn_type,
            "ties": self.ties,
            "grades": self.grades,
            "random_answers": self.random_answers,
            "spread": self.spread,
            "answers_per_annotator": self.answers_per_annotator,
        }

    def _shift(self, training: bool) -> Tensor | float:
        """Returns what is added to every reliability: 1, less their mean over all answers."""
        if "reliability" not in self._own:
            return 1.0
        weights = kops.cast(self.annotators["shares"], self.compute_dtype)
        shift = 1.0 - ops.long_dot(weights[:, 0], self.annotators.of_all()["reliability"])
        return kops.stop_gradient(shift) if self.annotators.lazy(training) else self.held(shift, training)

    def _gaps(self, training: bool) -> Tensor | None:
        gaps = self.log_gaps
        return None if gaps is None else self.held(kops.cast(gaps, self.compute_dtype), training)

    def _terms(
        self, rows: dict[str, Tensor], shift: Tensor | float, zeros: Tensor, training: bool
    ) -> dict[str, Tensor]:
        """The parameters of the annotators of the rows, population and deviation together."""
        found = {
            name: rows.get(name, zeros) + self.held(self.population.mean(name), training)
            for name in self._names
        }
        return {**found, "reliability": found["reliability"] + shift}

    def _add_prior(self, rows: dict[str, Tensor], shift: Tensor | float, annotators: Tensor | None) -> None:
        """Adds the prior of all annotators over the number of answers; or, of the slots of a batch, its expectation."""
        lazy = annotators is not None and self.annotators.lazy(True)
        rows = dict(rows if lazy else self.rows(None, True))
        if "reliability" in rows:
            rows["reliability"] = rows["reliability"] + shift - 1.0
        ids, counts = annotators if lazy else None, self.answers_per_annotator or []
        self.add_loss(self.population.penalty(rows, counts, ids))

    def _as_numpy(self, name: str) -> np.ndarray:
        check_built(self, "annotators")
        zeros = kops.zeros(self.num_annotators, dtype=self.compute_dtype)
        terms = self._terms(self.annotators.of_all(), self._shift(False), zeros, False)
        return kops.convert_to_numpy(terms[name])
