"""Choice of items and annotators for a budget."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import confusions, number, positive, shown, whole_number
from ..aggregation import (
    DawidSkene,
    answers_and_probabilities,
    dawid_skene,
    one_coin_confusion,
    posterior,
)
from ..annotations import Annotations, Answers, as_annotations
from ._gain import Criterion, Gain
from ._greedy import Greedy
from ._sharpened import sharpened

_SHORT_LIST = 128
_SAMPLE = 256


def next_questions(
    answers: Answers,
    budget: float,
    *,
    costs: npt.ArrayLike = 1.0,
    probabilities: npt.ArrayLike | None = None,
    out_of_sample: bool = False,
    confusion: npt.ArrayLike | None = None,
    start: DawidSkene | None = None,
    available: npt.ArrayLike | None = None,
    most_per_annotator: int | None = None,
    criterion: Criterion = "mixed",
    min_gain: float = 0.001,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Chooses which items to ask about next, and whom: `pandas.DataFrame(next_questions(annotations, 500))`.

    Questions are chosen one after another, each with the highest expected gain per cost, given the answers so far and
    the possible answers to the questions before it. No annotator is asked twice about an item, or about an item that he
    or she has answered. Items without an answer take part: their prior is the classifier's prediction, or without a
    classifier the share of each class. Ask, add the answers (`Annotations.concat`), and call again: small batches save
    more.

    Without `confusion`, Dawid-Skene's method estimates the annotators from the answers. An annotator without an answer
    counts as an average one.

    Args:
        answers: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft answers, floats
            `(items, annotators, classes)` with zeros.
        budget: Positive number. The most that all questions may cost.
        costs: Cost of an answer: a positive number, or one for each annotator, `(annotators,)`. Defaults to 1, so that
            the budget is a number of answers.
        probabilities: A classifier's prediction, `(items, classes)`, rows sum to 1; or that of class 1 of two,
            `(items, 1)`. Defaults to `None`, the answers alone.
        out_of_sample: Boolean. Whether each item was predicted by a classifier that had not been trained on its
            answers, as in cross-validation. Then the predictions are raised to the power that makes the answers most
            probable, since a regularized classifier is often right more surely than it says. Leave it at `False` for
            predictions of training items: a classifier that knows the answers by heart would be trusted far too much.
            Defaults to `False`, which takes the predictions as they are.
        confusion: `(annotators, true, answer)`, from a crowd layer's `.confusion()`. Defaults to `None`, that of
            `dawid_skene`.
        start: An earlier `DawidSkene` result, from which `dawid_skene` goes on. Defaults to `None`.
        available: Booleans. Which annotators may be asked, `(annotators,)`, or who may be asked about which item,
            `(items, annotators)`. Defaults to `None`: everybody about everything.
        most_per_annotator: Integer. The most questions for each annotator. Defaults to `None`, no limit: the
            annotators that tell most get all questions.
        criterion: What a question should bring, as in `expected_gain`. Defaults to `"mixed"`.
        min_gain: Float, at least 0. The least expected gain of a question, whatever it costs, in the unit of the
            criterion: with 0.001, a thousand questions would bring about one more right label. The rest of the budget
            is then kept. Defaults to 0.001; with 0, all questions that bring anything are asked while the budget lasts.
        seed: Integer. Decides between questions that are equally good. Defaults to 0.

    Returns:
        The columns `"item"` and `"annotator"` (ids), `"gain"` (expected, in addition to the questions above it) and
        `"cost"`, each `(questions,)`, the first question first. Questions that bring less than `min_gain` are left out,
        so there may be fewer than the budget allows, or none. Without any, these annotators can hardly make the labels
        surer.

    Raises:
        ValueError: When shapes disagree, the budget or a cost is not positive, `min_gain` is negative, or the criterion
            is unknown.

    Example:

    >>> annotations = keras_crowd.Annotations.from_coo(
    ...     ["a", "a", "b", "b", "c", "c"], ["ann", "bob", "ann", "bob", "ann", "bob"], [0, 0, 1, 1, 0, 1],
    ...     items=["a", "b", "c", "d"], annotators=["ann", "bob", "eve"])
    >>> table = next_questions(annotations, budget=2)
    >>> table["item"].tolist()
    ['d', 'c']
    """
    annotations = as_annotations(answers)
    rng = np.random.default_rng(whole_number("seed", seed, low=0))
    budget = number("budget", budget, above=0)
    min_gain = number("min_gain", min_gain, at_least=0)
    prices = np.broadcast_to(
        positive("costs", costs, (annotations.num_annotators,), "(annotators,)"),
        annotations.num_annotators,
    )
    q, matrices = _state(annotations, probabilities, confusion, start, out_of_sample)
    open_to = _open(annotations, available)
    left = np.full(annotations.num_annotators, np.inf)
    if most_per_annotator is not None:
        left[:] = whole_number("most_per_annotator", most_per_annotator)
    kept = _short_list(Gain(matrices, criterion), q, prices, open_to, left, budget, rng)
    answered = _positions(annotations, kept)
    greedy = Greedy(
        Gain(matrices[kept], criterion),
        q,
        prices[kept],
        open_to[..., kept],
        answered,
        left[kept],
        rng,
        min_gain,
    )
    items, columns, gains = greedy.spend(budget)
    return {
        "item": np.asarray(annotations.items)[items],
        "annotator": np.asarray(annotations.annotators)[kept[columns]],
        "gain": gains,
        "cost": prices[kept[columns]],
    }


def _state(
    annotations: Annotations,
    probabilities: npt.ArrayLike | None,
    confusion: npt.ArrayLike | None,
    start: DawidSkene | None,
    out_of_sample: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Knowledge of the items and of the annotators, `(items, classes)` and `(annotators, true, answer)`."""
    if out_of_sample and probabilities is None:
        raise ValueError("`out_of_sample=True` needs `probabilities`. Received: probabilities=None")
    num_classes = annotations.num_classes
    shape = (annotations.num_annotators, num_classes, num_classes)
    prior = np.full(num_classes, 1 / num_classes)
    if confusion is not None:
        matrices = confusions("confusion", confusion, shape)
    elif len(annotations) == 0:  # half-way between one who guesses and one who knows
        matrices = one_coin_confusion(np.full(shape[0], 0.5 + 0.5 / num_classes), num_classes)
    else:
        found = dawid_skene(annotations, start=start)
        matrices, prior = found.confusion, found.class_prior
        if probabilities is None:
            return found.posterior, matrices
    if probabilities is None:
        probabilities = np.broadcast_to(prior, (annotations.num_items, num_classes))
    annotations, given = answers_and_probabilities(annotations, probabilities)
    if out_of_sample:
        given = sharpened(annotations, given, matrices)
    return posterior(annotations, given, matrices), matrices


def _open(annotations: Annotations, available: npt.ArrayLike | None) -> np.ndarray:
    """Booleans `(annotators,)` or `(items, annotators)`."""
    size = annotations.num_annotators
    if available is None:
        return np.ones(size, bool)
    mask = np.asarray(available)
    if mask.dtype != bool or mask.shape not in ((size,), (annotations.num_items, size)):
        raise ValueError(
            f"`available` must be booleans of shape ({size},) or ({annotations.num_items}, {size}). "
            f"Received: available={shown(available)} of shape {mask.shape}"
        )
    return mask


def _short_list(
    gain: Gain,
    q: np.ndarray,
    prices: np.ndarray,
    open_to: np.ndarray,
    left: np.ndarray,
    budget: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """The annotators to choose from, in random order: in large crowds those who tell most of some items per cost."""
    shuffled = rng.permutation(np.flatnonzero(open_to.reshape(-1, len(prices)).any(axis=0)))
    most = _SHORT_LIST + 2 * int(min(budget / prices.min() / left.min(), len(prices)))
    if open_to.ndim == 2 or len(shuffled) <= most:
        return shuffled
    some = q[rng.permutation(len(q))[:_SAMPLE]]
    total = np.zeros(len(prices))
    for rows in gain.blocks(len(some)):
        total += gain(some[rows]).sum(axis=0)
    return shuffled[np.argsort(-(total / prices)[shuffled], kind="stable")[:most]]


def _positions(annotations: Annotations, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The item and the position in `kept` of each answer by these annotators, items in order."""
    column = np.full(annotations.num_annotators, -1)
    column[kept] = np.arange(len(kept))
    found = column[annotations.annotator_index]
    return annotations.item_index[found >= 0], found[found >= 0]
