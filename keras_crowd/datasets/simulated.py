"""Answers of simulated annotators to real or simulated items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._arguments import class_codes, confusions, whole_number
from ..annotations import Annotations
from ._budget import Budget
from ._seeded import generator

_CHUNK = 2**22  # numbers held at once while answers are drawn


def simulate_answers(
    labels: npt.ArrayLike,
    confusion: npt.ArrayLike,
    *,
    probability: float | None = None,
    answers_per_item: int | None = None,
    answers_per_annotator: int | None = None,
    seed: int | None = None,
) -> Annotations:
    """Draws answers from the annotators' confusions.

    Annotator `r` answers item `i` with class `l` with probability `confusion[r, labels[i], l]`. At most
    one of `probability`, `answers_per_item` and `answers_per_annotator` limits who answers what; with
    none, everybody answers everything. Time and memory follow the number of answers.

    Args:
        labels: True class of each item, integers `(items,)`.
        confusion: `(annotators, true, answer)`; rows sum to 1. From `hammer_spammer`,
            `pairwise_flipper`, `class_wise`, `diagonally_dominant`, or as estimated from real answers.
        probability: Float. Each annotator answers each item with this probability. Defaults to `None`.
        answers_per_item: Integer. So many distinct annotators, drawn at random, answer each item. Defaults to `None`.
        answers_per_annotator: Integer. Each annotator answers so many distinct items, drawn at random. Defaults to
            `None`.
        seed: Integer. Seed of who answers which item, and of the answers. Defaults to `None`.

    Returns:
        `Annotations` with items `0, 1, ...`, in the order of `labels`, annotators `0, 1, ...` and classes `0, 1, ...`.
        With `probability` or `answers_per_annotator`, an item may have no answer.

    Raises:
        ValueError: When a label is out of range, the confusion is not one, more than one budget is given,
            or the budget cannot be met.

    Example:

    >>> labels = np.array([0, 1, 2, 0, 1])
    >>> confusion = np.stack([np.eye(3), np.full((3, 3), 1 / 3)])  # one who knows, one who does not
    >>> simulate_answers(labels, confusion, seed=0).dense()
    array([[0, 0],
           [1, 2],
           [2, 2],
           [0, 0],
           [1, 0]], dtype=int32)
    """
    confusion = confusions("confusion", confusion)
    num_annotators, num_classes, _ = confusion.shape
    labels = class_codes("labels", labels, num_classes)
    rng = generator(seed, "simulate_answers")
    budget = Budget(probability, answers_per_item, answers_per_annotator)
    item, annotator = budget.draw(len(labels), num_annotators, rng)
    answers = _draw_answers(confusion, annotator, labels[item], rng)
    return _annotations(item, annotator, answers, (len(labels), num_annotators, num_classes))


def machine_annotators(
    x: npt.ArrayLike,
    labels: npt.ArrayLike,
    num_annotators: int,
    *,
    train_size: int | Sequence[int] = 100,
    classifiers: Sequence[Any] | None = None,
    probability: float | None = None,
    answers_per_item: int | None = None,
    answers_per_annotator: int | None = None,
    seed: int | None = None,
) -> Annotations:
    """Labels items by weak classifiers, each trained on a few items of its own. Needs scikit-learn.

    Their errors depend on the features, as people's do, so no confusion matrix holds for all items alike. An annotator
    is right more often on the items it was trained on than on others, and never gives a class that was not among
    them.

    Args:
        x: Features of the items, `(items, ...)`; flattened for the classifiers.
        labels: True class of each item, integers `(items,)`.
        num_annotators: Integer. Number of annotators.
        train_size: Number of items, drawn at random and of at least two classes, that each annotator is trained on: one
            number, or one for each annotator. Defaults to 100.
        classifiers: scikit-learn classifiers, cloned; annotator `r` is the `r`-th of them, in turn.
            Defaults to nearest neighbor, logistic regression, decision tree and naive Bayes.
        probability: Float. Each annotator answers each item with this probability. Defaults to `None`.
        answers_per_item: Integer. So many distinct annotators, drawn at random, answer each item. Defaults to `None`.
        answers_per_annotator: Integer. Each annotator answers so many distinct items, drawn at random. Defaults to
            `None`.
        seed: Integer. Seed of everything random, including classifiers with `random_state=None`. Defaults to `None`.

    Returns:
        `Annotations` with items `0, 1, ...`, in the order of `x`, annotators `0, 1, ...` and classes
        `0, 1, ...` up to the highest label.

    Raises:
        ImportError: When scikit-learn is not installed.
        ValueError: When `x` and `labels` disagree, there is only one class, a training size is out of
            range, more than one budget is given, or the budget cannot be met.

    Example:

    >>> from sklearn.datasets import load_digits
    >>> x, labels = load_digits(return_X_y=True)
    >>> annotations = machine_annotators(x / 16, labels, num_annotators=5, answers_per_item=3, seed=0)
    >>> annotations.dense().shape, len(annotations)
    ((1797, 5), 5391)

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023, section 5.
    """
    labels = class_codes("labels", labels)
    x = _features(x, labels)
    whole_number("num_annotators", num_annotators, 1)
    sizes = _train_sizes(train_size, num_annotators, len(labels))
    rng = generator(seed, "machine_annotators")
    machines = _machines(classifiers, num_annotators, rng)
    budget = Budget(probability, answers_per_item, answers_per_annotator)
    item, annotator = budget.draw(len(labels), num_annotators, rng)
    answers = np.empty(len(item), np.int32)
    for mine, size, machine in zip(_by_annotator(annotator, num_annotators), sizes, machines, strict=True):
        seen = _training_items(labels, size, rng)
        if len(mine):
            answers[mine] = machine.fit(x[seen], labels[seen]).predict(x[item[mine]])
    return _annotations(item, annotator, answers, (len(labels), num_annotators, int(labels.max()) + 1))


def _annotations(
    item: np.ndarray, annotator: np.ndarray, answers: np.ndarray, sizes: tuple[int, int, int]
) -> Annotations:
    items, annotators, classes = map(np.arange, sizes)
    return Annotations(item, annotator, answers, items=items, annotators=annotators, classes=classes)


def _draw_answers(
    confusion: np.ndarray, annotator: np.ndarray, true: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The inverse of the rows' cumulative distributions at uniform numbers, some answers at a time."""
    answers = np.empty(len(true), np.int32)
    step = max(_CHUNK // confusion.shape[2], 1)
    for start in range(0, len(true), step):
        part = slice(start, start + step)
        cumulative = confusion[annotator[part], true[part]].cumsum(axis=1)
        # Divided by its last entry, it ends in exactly 1, and no answer of probability 0 is drawn.
        cumulative /= cumulative[:, -1:]
        answers[part] = (rng.random((len(cumulative), 1)) >= cumulative).sum(axis=1)
    return answers


def _features(x: npt.ArrayLike, labels: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim < 2 or len(x) != len(labels):
        raise ValueError(
            "`x` must have shape (items, ...) and as many rows as `labels`. "
            f"Received: x of shape {x.shape}, {len(labels)} labels"
        )
    if np.all(labels == labels[0]):
        raise ValueError(f"`labels` must have at least two classes. Received: only class {labels[0]}")
    return x.reshape(len(x), -1)


def _train_sizes(train_size: int | Sequence[int], num_annotators: int, num_items: int) -> list[int]:
    sizes = [train_size] * num_annotators if np.ndim(train_size) == 0 else list(train_size)  # type: ignore
    if len(sizes) != num_annotators:
        raise ValueError(
            f"`train_size` must be one integer or one for each of the {num_annotators} annotators. "
            f"Received: {len(sizes)}"
        )
    return [whole_number("train_size", size, 2, num_items) for size in sizes]


def _training_items(labels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Distinct items, drawn at random; where all are of one class, the first is swapped for another's."""
    items = rng.choice(len(labels), size, replace=False)
    if np.all(labels[items] == labels[items[0]]):
        items[0] = rng.choice(np.flatnonzero(labels != labels[items[0]]))
    return items


def _by_annotator(annotator: np.ndarray, num_annotators: int) -> list[np.ndarray]:
    """The positions of each annotator's answers."""
    ends = np.cumsum(np.bincount(annotator, minlength=num_annotators))
    return np.split(np.argsort(annotator, kind="stable"), ends[:-1])


def _machines(
    classifiers: Sequence[Any] | None, num_annotators: int, rng: np.random.Generator
) -> Iterator[Any]:
    """Untrained classifiers, one per annotator."""
    try:
        from sklearn.base import clone
    except ImportError as error:
        raise ImportError("`machine_annotators` needs scikit-learn: pip install scikit-learn") from error
    pool = _default_classifiers() if classifiers is None else list(classifiers)
    if not pool:
        raise ValueError("`classifiers` must hold at least one classifier. Received: none")
    return (_seeded(clone(pool[r % len(pool)]), rng) for r in range(num_annotators))


def _default_classifiers() -> list[Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    return [
        KNeighborsClassifier(n_neighbors=1),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        DecisionTreeClassifier(),
        GaussianNB(),
    ]


def _seeded(classifier: Any, rng: np.random.Generator) -> Any:
    unset = [
        name
        for name, value in classifier.get_params().items()
        if name.split("__")[-1] == "random_state" and value is None
    ]
    return classifier.set_params(**{name: int(rng.integers(2**31)) for name in unset})


def __dir__() -> list[str]:
    return ["simulate_answers", "machine_annotators"]
