"""Confusions of simulated annotators: `(annotators, true, answer)`, rows sum to 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._arguments import number, whole_number
from ._seeded import fraction, generator


def hammer_spammer(
    num_annotators: int,
    num_classes: int,
    hammer_fraction: float = 0.5,
    accuracy: float = 1.0,
    seed: int | None = None,
) -> np.ndarray:
    """Makes confusions of annotators who either know the classes well or answer at random.

    A hammer is right with probability `accuracy`, with errors spread evenly over the other classes. A spammer gives
    each answer with probability `1 / num_classes`, whatever the item.

    Args:
        num_annotators: Integer. Number of annotators.
        num_classes: Integer. Number of classes.
        hammer_fraction: Float. Share of hammers: exactly `round(hammer_fraction * num_annotators)` of them. Defaults to
            0.5.
        accuracy: Float. How often a hammer is right. Defaults to 1.0.
        seed: Integer. Seed of the draw of hammers. Defaults to `None`.

    Returns:
        float64 `(annotators, true, answer)`; rows sum to 1.

    Example:

    >>> hammer_spammer(num_annotators=4, num_classes=2, hammer_fraction=0.25, seed=0).max(axis=(1, 2))
    array([1. , 0.5, 0.5, 0.5])

    Reference:
        D. Karger, S. Oh, D. Shah, "Iterative learning for reliable crowdsourcing systems", NIPS 2011.
    """
    _check_sizes(num_annotators, num_classes)
    num_hammers = round(fraction("hammer_fraction", hammer_fraction) * num_annotators)
    hammers = generator(seed, "hammer_spammer").permutation(num_annotators) < num_hammers
    diagonal = np.where(hammers, fraction("accuracy", accuracy), 1 / num_classes)
    return _even_errors(np.repeat(diagonal[:, None], num_classes, axis=1))


def pairwise_flipper(
    num_annotators: int,
    num_classes: int,
    flip_probability: npt.ArrayLike = 0.3,
) -> np.ndarray:
    """Makes confusions of annotators who take a class for its successor.

    Class `k` is answered as `(k + 1) % num_classes` with probability `flip_probability`, and correctly otherwise.

    Args:
        num_annotators: Integer. Number of annotators.
        num_classes: Integer. Number of classes.
        flip_probability: A number between 0 and 1, or one for each annotator, `(num_annotators,)`. Defaults to 0.3.

    Returns:
        float64 `(annotators, true, answer)`; rows sum to 1.

    Example:

    >>> pairwise_flipper(num_annotators=1, num_classes=3, flip_probability=0.25)[0]
    array([[0.75, 0.25, 0.  ],
           [0.  , 0.75, 0.25],
           [0.25, 0.  , 0.75]])

    Reference:
        B. Han et al., "Co-teaching: robust training of deep neural networks with extremely noisy labels",
        NeurIPS 2018 ("pair flipping").
    """
    _check_sizes(num_annotators, num_classes)
    flip = np.asarray(flip_probability, float)
    if flip.shape not in ((), (num_annotators,)) or not np.all((flip >= 0) & (flip <= 1)):
        raise ValueError(
            "`flip_probability` must be a number between 0 and 1, or one for each of the "
            f"{num_annotators} annotators. Received: flip_probability={flip_probability!r}"
        )
    flip = np.broadcast_to(flip, num_annotators)[:, None, None]
    right = np.eye(num_classes)
    return (1 - flip) * right + flip * np.roll(right, 1, axis=1)


def class_wise(
    num_annotators: int,
    num_classes: int,
    expert_classes: int | None = None,
    expert_accuracy: float = 0.95,
    other_accuracy: float | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """Draws confusions of annotators each of whom is an expert for some classes only.

    Args:
        num_annotators: Integer. Number of annotators.
        num_classes: Integer. Number of classes.
        expert_classes: Integer. Number of classes, drawn at random, for which each annotator is an expert. Defaults to
            half of them, rounded up.
        expert_accuracy: Float. How often an annotator is right on the classes of its expertise. Defaults to 0.95.
        other_accuracy: Float. How often an annotator is right on the other classes. Defaults to chance, `1 /
            num_classes`. Errors spread evenly over the other classes.
        seed: Integer. Seed of the draw of expertise. Defaults to `None`.

    Returns:
        float64 `(annotators, true, answer)`; rows sum to 1.

    Example:

    >>> confusion = class_wise(num_annotators=2, num_classes=4, expert_classes=1, seed=0)
    >>> np.diagonal(confusion, axis1=1, axis2=2)
    array([[0.25, 0.25, 0.95, 0.25],
           [0.25, 0.95, 0.25, 0.25]])
    """
    _check_sizes(num_annotators, num_classes)
    if expert_classes is None:
        expert_classes = (num_classes + 1) // 2
    whole_number("expert_classes", expert_classes, 0, num_classes)
    other = 1 / num_classes if other_accuracy is None else fraction("other_accuracy", other_accuracy)
    shuffled = generator(seed, "class_wise").random((num_annotators, num_classes)).argsort(axis=1)
    return _even_errors(
        np.where(shuffled < expert_classes, fraction("expert_accuracy", expert_accuracy), other)
    )


def diagonally_dominant(
    num_annotators: int,
    num_classes: int,
    accuracy: tuple[float, float] = (0.6, 0.9),
    concentration: float = 1.0,
    seed: int | None = None,
) -> np.ndarray:
    """Draws confusions of annotators who answer the true class more often than any other.

    For each annotator and class: `A_rkk ~ Uniform(low, high)`, and the errors share the rest as
    `Dirichlet(concentration)`. Where one error came out above `A_rkk`, the errors of that row are drawn
    towards their mean, just far enough for `A_rkk` to stay the row's largest entry.

    Args:
        num_annotators: Integer. Number of annotators.
        num_classes: Integer. Number of classes.
        accuracy: `(low, high)`, with `1 / num_classes < low <= high <= 1`. Defaults to `(0.6, 0.9)`.
        concentration: Positive. If it is small, an annotator takes a class for one certain other class; if it is large,
            errors spread evenly. Defaults to 1.0.
        seed: Integer. Seed of the confusions. Defaults to `None`.

    Returns:
        float64 `(annotators, true, answer)`; rows sum to 1, `[r, k, k]` is the largest of its row.

    Example:

    >>> confusion = diagonally_dominant(num_annotators=5, num_classes=3, seed=0)
    >>> confusion[0].argmax(axis=1)
    array([0, 1, 2])
    """
    _check_sizes(num_annotators, num_classes)
    low, high = _accuracy_range(accuracy, num_classes)
    number("concentration", concentration, above=0)
    rng = generator(seed, "diagonally_dominant")
    diagonal = rng.uniform(low, high, (num_annotators, num_classes))
    shares = rng.dirichlet(np.full(num_classes - 1, concentration), diagonal.shape)
    return _with_errors(diagonal, _below_diagonal(diagonal[..., None], shares))


def _check_sizes(num_annotators: int, num_classes: int) -> None:
    whole_number("num_annotators", num_annotators, 1)
    whole_number("num_classes", num_classes, 2)


def _accuracy_range(accuracy: tuple[float, float], num_classes: int) -> tuple[float, float]:
    if np.shape(accuracy) != (2,) or not 1 / num_classes < accuracy[0] <= accuracy[1] <= 1:
        raise ValueError(
            f"`accuracy` must be (low, high) with 1/{num_classes} < low <= high <= 1. "
            f"Received: accuracy={accuracy!r}"
        )
    return accuracy


def _even_errors(diagonal: np.ndarray) -> np.ndarray:
    num_others = diagonal.shape[1] - 1
    return _with_errors(diagonal, np.full((*diagonal.shape, num_others), 1 / num_others))


def _with_errors(diagonal: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Confusions from `A_rkk` `(annotators, true)` and the other answers' shares of `1 - A_rkk`."""
    num_annotators, num_classes = diagonal.shape
    right = np.eye(num_classes, dtype=bool)
    confusion = np.empty((num_annotators, num_classes, num_classes))
    confusion[:, right] = diagonal
    confusion[:, ~right] = ((1 - diagonal[..., None]) * shares).reshape(num_annotators, -1)
    return confusion


def _below_diagonal(diagonal: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Shares of the errors, mixed with even ones where `(1 - A_rkk) * share >= A_rkk` for some share."""
    even = 1 / shares.shape[-1]
    largest = shares.max(axis=-1, keepdims=True)
    too_large = (1 - diagonal) * largest >= diagonal
    # Where too_large, A_rkk < 1 and largest > even: A_rkk > 1 / num_classes, so even errors stay below it.
    limit = diagonal / np.where(too_large, 1 - diagonal, 1)
    keep = 0.999 * (limit - even) / np.where(too_large, largest - even, 1)
    return np.where(too_large, even + keep * (shares - even), shares)
