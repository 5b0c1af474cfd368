"""The arguments of a report, whatever form they were handed over in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from .._typing import Features
from ..aggregation import AnswerSums, dawid_skene, gold_classes, posterior
from ..annotations import Annotations, by_ids, rows_by_id

_NEVER = 1e-12
_LEAST_PRIOR = 1e-4  # a classifier trained on the answers is no proof against them


@runtime_checkable
class HasConfusion(Protocol):
    """A crowd layer, or an `EMTrainer`: what knows a confusion matrix per annotator."""

    def confusion(self) -> np.ndarray: ...


@dataclass(frozen=True)
class Given:
    """Answers of classes, and all that was handed over with them.

    Attributes:
        annotations: The answers, hard ones.
        learned: Confusions that were given, `(annotators, true, answer)`, or `None`.
        posterior: Class probabilities of the items that were given, or follow from what was, or `None`.
        item_prior: Class probabilities before the answers, `(items, classes)`, or `None`.
        gold: Class codes, `-1` where unknown, `(items,)`.
        times: When each answer was given, in seconds, `(answers,)`, or `None`.
        costs: What each answer cost, `(answers,)`, or `None`.
    """

    annotations: Annotations
    learned: np.ndarray | None
    posterior: np.ndarray | None
    item_prior: np.ndarray | None
    gold: np.ndarray
    times: np.ndarray | None
    costs: np.ndarray | None

    @property
    def classes(self) -> np.ndarray:
        """Ids of the classes, `(classes,)`."""
        return np.asarray(self.annotations.classes)

    @property
    def has_gold(self) -> bool:
        """Whether a gold label is known of any item."""
        return bool(np.any(self.gold >= 0))

    def start(self) -> np.ndarray:
        """Class probabilities to begin drawing from, `(items, classes)`."""
        return dawid_skene(self.annotations).posterior if self.posterior is None else self.posterior

    def of_items(self, kept: np.ndarray) -> Given:
        """The same of some items, a boolean mask."""
        answers = kept[self.annotations.item_index]
        per_item = {name: getattr(self, name) for name in ("posterior", "item_prior", "gold")}
        per_answer = {name: getattr(self, name) for name in ("times", "costs")}
        some: dict[str, Any] = {
            **{name: None if value is None else value[kept] for name, value in per_item.items()},
            **{name: None if value is None else value[answers] for name, value in per_answer.items()},
        }
        who = _answering(self.annotations, kept)
        learned = None if self.learned is None else self.learned[who]
        return Given(annotations=of_some_items(self.annotations, kept), learned=learned, **some)


def given_classes(
    annotations: Annotations,
    crowd: Any,
    classifier: Any,
    x: Features | None,
    probabilities: npt.ArrayLike | None,
    gold: npt.ArrayLike | None,
    times: Annotations | npt.ArrayLike | None,
    costs: npt.ArrayLike | None,
) -> Given:
    """Reads the arguments of `crowd_report` for answers of classes."""
    learned, found = _of_crowd(crowd, annotations)
    prior = _predictions(annotations, crowd, classifier, x, probabilities)
    if found is None and (prior is not None or learned is not None):
        f = np.full(_shape(annotations), 1 / annotations.num_classes) if prior is None else prior
        known = dawid_skene(annotations).confusion if learned is None else learned
        found = posterior(annotations, f, known)
    elif found is not None and prior is None:
        prior = _prior_of(found, learned, annotations)
    return Given(
        annotations,
        learned,
        found,
        None if prior is None else np.maximum(prior, _LEAST_PRIOR),
        gold_classes(gold, annotations),
        times_of_answers(times, annotations),
        costs_of_answers(costs, annotations),
    )


def of_some_items(annotations: Annotations, kept: np.ndarray) -> Annotations:
    """The answers to some items, a boolean mask, and the annotators who gave them."""
    return annotations.select(items=kept, annotators=_answering(annotations, kept))  # type: ignore[arg-type]


def _answering(annotations: Annotations, kept: np.ndarray) -> np.ndarray:
    answered = annotations.annotator_index[kept[annotations.item_index]]
    return np.bincount(answered, minlength=annotations.num_annotators) > 0


def times_of_answers(
    times: Annotations | npt.ArrayLike | None, annotations: Annotations
) -> np.ndarray | None:
    """Seconds of each answer, `(answers,)`, NaN where unknown."""
    if times is None:
        return None
    if isinstance(times, Annotations):
        return _matched(times, annotations)
    values = np.asarray(times)
    if values.dtype.kind == "M":
        values = values.astype("datetime64[ns]").astype(np.int64) / 1e9
    if values.shape == (annotations.num_items, annotations.num_annotators):
        values = values[annotations.item_index, annotations.annotator_index]
    if values.shape != (len(annotations),) or values.dtype.kind not in "iuf":
        raise ValueError(
            "`times` must be seconds: `Annotations` of numbers with the same ids, an array (items, annotators), or one "
            f"number for each of the {len(annotations)} answers, sorted by item and annotator. "
            f"Received: shape {np.shape(times)}, dtype {np.asarray(times).dtype}"
        )
    return values.astype(float)


def costs_of_answers(costs: npt.ArrayLike | None, annotations: Annotations) -> np.ndarray | None:
    """The cost of each answer, `(answers,)`, from one for all, for each annotator, or for each answer."""
    if costs is None:
        return None
    values = np.asarray(costs, float)
    if values.shape == (annotations.num_annotators,):
        values = values[annotations.annotator_index]
    if values.shape not in ((), (len(annotations),)) or not np.all(np.isfinite(values) & (values >= 0)):
        raise ValueError(
            "`costs` must be numbers, none negative: one for all answers, one for each of the "
            f"{annotations.num_annotators} annotators, or one for each of the {len(annotations)} answers. "
            f"Received: shape {values.shape}"
        )
    return np.broadcast_to(values, (len(annotations),))


def _matched(times: Annotations, annotations: Annotations) -> np.ndarray:
    """Times by the ids of item and annotator."""
    ids = zip(times.items[times.item_index], times.annotators[times.annotator_index], strict=True)
    known = dict(zip(ids, times.answers.tolist(), strict=True))
    pairs = zip(
        annotations.items[annotations.item_index],
        annotations.annotators[annotations.annotator_index],
        strict=True,
    )
    return np.array([known.get(pair, np.nan) for pair in pairs], float)


def _of_crowd(crowd: Any, annotations: Annotations) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Confusions and posterior of a crowd layer, a `CrowdFit` or an `EMTrainer`."""
    if crowd is None:
        return None, None
    layer = crowd if isinstance(crowd, HasConfusion) else getattr(crowd, "crowd", None)
    if not isinstance(layer, HasConfusion):
        raise ValueError(
            "`crowd` must be a crowd layer, a `CrowdFit` or an `EMTrainer`: something with `confusion()`. "
            f"Received: {type(crowd).__name__}"
        )
    learned = np.asarray(layer.confusion(), float)
    shape = (annotations.num_annotators, annotations.num_classes, annotations.num_classes)
    if learned.shape != shape:
        raise ValueError(
            f"`crowd` must have confusions of shape {shape}, as the answers. Received: shape {learned.shape}"
        )
    found = getattr(crowd, "posterior", None)
    found = found() if callable(found) else found
    return learned, None if found is None else np.asarray(found, float).reshape(_shape(annotations))


def predicted_values(
    annotations: Annotations,
    crowd: Any,
    classifier: Any,
    x: Features | None,
    probabilities: npt.ArrayLike | None,
) -> np.ndarray | None:
    """Returns the given `probabilities`, or predicts them from `x`, in the order of the items."""
    if probabilities is None:
        classifier = getattr(crowd, "classifier", None) if classifier is None else classifier
        if x is None or classifier is None:
            return None
        probabilities = classifier.predict(rows_by_id("x", x, annotations), verbose=0)
    return np.asarray(by_ids("probabilities", probabilities, annotations), float)


def _predictions(annotations: Annotations, *given: Any) -> np.ndarray | None:
    values = predicted_values(annotations, *given)
    if values is None:
        return None
    if values.shape == (annotations.num_items, 1):
        values = np.concatenate([1 - values, values], axis=1)
    if values.size != np.prod(_shape(annotations)) or not np.all(values >= 0):
        raise ValueError(
            f"`probabilities` must be class probabilities of shape {_shape(annotations)}. "
            f"Received: shape {values.shape}"
        )
    return values.reshape(_shape(annotations))


def _prior_of(found: np.ndarray, learned: np.ndarray | None, annotations: Annotations) -> np.ndarray | None:
    """Takes the answers out of a posterior: what is left is what the classifier said."""
    if learned is None:
        return None
    told = AnswerSums(annotations).log_likelihood(np.log(np.maximum(learned, _NEVER)))
    log_prior = np.log(np.maximum(found, _NEVER)) - told
    prior = np.exp(log_prior - log_prior.max(axis=1, keepdims=True))
    return prior / prior.sum(axis=1, keepdims=True)


def _shape(annotations: Annotations) -> tuple[int, int]:
    return annotations.num_items, annotations.num_classes
