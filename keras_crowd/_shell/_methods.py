"""Labels from answers alone: the methods for each kind of answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import aggregation
from ..annotations import Annotations
from ._errors import UsageError

Table = dict[str, np.ndarray]


class Found(NamedTuple):
    """Estimates for the items, as `io.write_labels` takes them (scores: a table), and a table of the annotators."""

    estimates: Any
    annotators: Table


Method = Callable[[Annotations, np.ndarray | None], Found]


def _without_gold(method: Callable[[Annotations], np.ndarray]) -> Method:
    def run(annotations: Annotations, gold: np.ndarray | None) -> Found:
        if gold is not None:
            raise UsageError("--gold is for methods that learn from it, and this one does not.")
        estimates = method(annotations)
        return Found(estimates, aggregation.annotator_table(annotations, estimates))

    return run


def _dawid_skene(confusion: Any) -> Method:
    def run(annotations: Annotations, gold: np.ndarray | None) -> Found:
        found = aggregation.dawid_skene(annotations, confusion=confusion, gold=gold)
        people = aggregation.annotator_table(annotations, found.posterior, found.confusion)
        return Found(found.posterior, people)

    return run


def _others(method: Callable[..., aggregation.EBCC | aggregation.GLAD | aggregation.MACE]) -> Method:
    def run(annotations: Annotations, gold: np.ndarray | None) -> Found:
        found = method(annotations, gold=gold)
        people = aggregation.annotator_table(annotations, found.posterior, found.confusion)
        return Found(found.posterior, people)

    return run


def _sets(annotations: Annotations, gold: np.ndarray | None) -> Found:
    found = aggregation.dawid_skene_labels(annotations, gold=gold)
    return Found(found.posterior, aggregation.annotator_table(annotations, found.posterior))


def _raykar(annotations: Annotations, gold: np.ndarray | None) -> Found:
    found = aggregation.raykar(annotations, gold=gold)
    people = aggregation.annotator_table(annotations, found.truth)
    return Found(found.truth, people | {"scale": found.scale, "precision": found.precision})


def _bradley_terry(position_bias: bool) -> Method:
    def run(annotations: Annotations, gold: np.ndarray | None) -> Found:
        found = aggregation.bradley_terry(annotations, position_bias=position_bias)
        scores = {"item": found.items, "score": found.scores, "standard_error": found.standard_error}
        return Found(scores | {"group": found.groups}, found.annotator_table(annotations))

    return run


def _shares(annotations: Annotations) -> np.ndarray:
    return aggregation.majority_vote(annotations, soft=True)


# The first of each kind is the default.
METHODS: dict[str, dict[str, Method]] = {
    "classes": {
        "dawid-skene": _dawid_skene("hierarchical"),
        "majority-vote": _without_gold(_shares),
        "dawid-skene-full": _dawid_skene("full"),
        "dawid-skene-class-wise": _dawid_skene("class_wise"),
        "dawid-skene-one-coin": _dawid_skene("one_coin"),
        "ebcc": _others(aggregation.ebcc),
        "glad": _others(aggregation.glad),
        "mace": _others(aggregation.mace),
    },
    "ratings": {
        "raykar": _raykar,
        "mean": _without_gold(aggregation.mean_rating),
        "median": _without_gold(aggregation.median_rating),
    },
    "sets of labels": {
        "dawid-skene": _sets,
        "majority-vote": _without_gold(aggregation.label_shares),
    },
    "preferences": {
        "bradley-terry": _bradley_terry(position_bias=True),
        "bradley-terry-unordered": _bradley_terry(position_bias=False),
    },
}


def method_named(name: str | None, kind: str, order_unknown: bool) -> Method:
    """Returns a method for answers of some kind.

    Args:
        name: String, as users write it. Defaults to `None`: the first for this kind.
        kind: String. Name of the kind of answers.
        order_unknown: Boolean. Whether the answers are preferences in an order that nobody saw.
    """
    methods = METHODS.get(kind)
    if methods is None:
        raise UsageError(f"There are methods for {', '.join(METHODS)}. Received: answers that are {kind}")
    if name is None and order_unknown:
        name = "bradley-terry-unordered"
    if name is None:
        return next(iter(methods.values()))
    if name not in methods:
        raise UsageError(f"--method must be one of {', '.join(methods)} for {kind}. Received: {name}")
    return methods[name]
