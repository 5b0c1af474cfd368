"""The arguments of a report of answers that are not classes, whatever form they were handed over in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .._typing import Features
from ..annotations import Annotations, LabelSets, Preferences, rows_by_id
from ._given import costs_of_answers, predicted_values, times_of_answers

_LEAST_PRIOR = 1e-4  # a classifier trained on the answers is no proof against them


@dataclass(frozen=True)
class Beside:
    """Values that were handed over beside the answers.

    Attributes:
        learned: What a crowd layer knows of the annotators by name, `(annotators, ...)` each.
        predictions: Of a model, per item: ratings `(items,)`, or probabilities of labels `(items, labels)`; or `None`.
        gold: As it was given, for all items, or `None`.
        times: When each answer was given, in seconds, `(answers,)`, or `None`.
        costs: What each answer cost, `(answers,)`, or `None`.
    """

    learned: dict[str, np.ndarray]
    predictions: np.ndarray | None
    gold: np.ndarray | None
    times: np.ndarray | None
    costs: np.ndarray | None

    def of_items(self, kept: np.ndarray, annotations: Annotations) -> Beside:
        """The same of some items, a boolean mask, and of who answered them."""
        answers = kept[annotations.item_index]
        who = np.bincount(annotations.annotator_index[answers], minlength=annotations.num_annotators) > 0
        per_item = {name: getattr(self, name) for name in ("predictions", "gold")}
        per_answer = {name: getattr(self, name) for name in ("times", "costs")}
        some: dict[str, Any] = {
            **{name: None if value is None else value[kept] for name, value in per_item.items()},
            **{name: None if value is None else value[answers] for name, value in per_answer.items()},
        }
        return replace(self, learned={name: of[who] for name, of in self.learned.items()}, **some)


def beside(
    annotations: Annotations,
    *,
    crowd: Any,
    classifier: Any,
    x: Features | None,
    probabilities: npt.ArrayLike | None,
    gold: npt.ArrayLike | None,
    times: Annotations | npt.ArrayLike | None,
    costs: npt.ArrayLike | None,
) -> Beside:
    """Reads the arguments of `crowd_report` for answers that are not classes."""
    if isinstance(annotations.kind, Preferences):
        _refuse(annotations, classifier=classifier, x=x, probabilities=probabilities)
    if isinstance(annotations.kind, Preferences | LabelSets):
        _refuse(annotations, costs=costs)
    return Beside(
        _learned(crowd, annotations),
        _predictions(annotations, crowd, classifier, x, probabilities),
        None if gold is None else np.asarray(rows_by_id("gold", gold, annotations)),
        times_of_answers(times, annotations),
        costs_of_answers(costs, annotations),
    )


def _learned(crowd: Any, annotations: Annotations) -> dict[str, np.ndarray]:
    if crowd is None:
        return {}
    names, shape = ("scale", "bias"), (annotations.num_annotators,)
    if isinstance(annotations.kind, Preferences):
        names = ("reliability", "position_bias")
    if isinstance(annotations.kind, LabelSets):
        names, shape = ("sensitivity", "specificity"), (*shape, annotations.num_classes)  # type: ignore[assignment]
    layer = crowd if hasattr(crowd, names[0]) else getattr(crowd, "crowd", None)
    if not all(callable(getattr(layer, name, None)) for name in names):
        raise ValueError(
            f"`crowd` must be a crowd layer for {annotations.kind.name}: something with `{names[0]}()` and "
            f"`{names[1]}()`. Received: {type(crowd).__name__}"
        )
    found = {name: np.asarray(getattr(layer, name)(), float) for name in names}
    for name, values in found.items():
        if values.shape != shape:
            raise ValueError(
                f"`crowd` must have a `{name}()` of shape {shape}, as the answers. Received: shape {values.shape}"
            )
    return found


def _predictions(annotations: Annotations, *given: Any) -> np.ndarray | None:
    values = predicted_values(annotations, *given)
    if values is None:
        return None
    sets = isinstance(annotations.kind, LabelSets)
    shape = (annotations.num_items, annotations.num_classes) if sets else (annotations.num_items,)
    what = "probabilities of labels" if sets else "predicted ratings"
    if (
        values.size != np.prod(shape)
        or len(values) != len(annotations.items)
        or not np.isfinite(values).all()
    ):
        raise ValueError(f"`probabilities` must be {what} of shape {shape}. Received: shape {values.shape}")
    if sets and not np.all((values >= 0) & (values <= 1)):
        raise ValueError(
            f"`probabilities` must be between 0 and 1. Received: {values.min()} to {values.max()}"
        )
    values = values.reshape(shape)
    return np.clip(values, _LEAST_PRIOR, 1 - _LEAST_PRIOR) if sets else values


def _refuse(annotations: Annotations, **given: Any) -> None:
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"`{name}` must be None for {annotations.kind.name}. Received: {type(value).__name__}"
            )
