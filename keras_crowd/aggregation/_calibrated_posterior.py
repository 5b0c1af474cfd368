"""Honest confidence from a few gold labels: how many items mislead the annotators together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import distributions
from .._repr import one_line
from ..annotations import rows_like

_PRIOR = 3.0  # Beta(1, 3): a quarter of the items, worth four of them
_GRID = (np.arange(1000) + 0.5) / 1000


class CalibratedPosterior(NamedTuple):
    """Posterior with honest confidence, and the share of items that mislead.

    Attributes:
        posterior: Probability of each class, float64 `(items, classes)`; of an item with gold, 1 for its class.
        misled: Share of the items whose answers say nothing of their class, from 0 to 1, though they seem to.

    Example:

    >>> q = np.tile([[0.99, 0.01], [0.02, 0.98]], (20, 1))
    >>> gold = np.where(np.arange(40) < 20, np.arange(40) % 2, -1)
    >>> gold[:2] = [1, 0]  # wrong in two of twenty
    >>> round(keras_crowd.aggregation.calibrated_posterior(q, gold).misled, 2)
    0.2
    """

    posterior: np.ndarray
    misled: float

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each item, int32 `(items,)`."""
        return self.posterior.argmax(axis=1).astype(np.int32)


def calibrated_posterior(posterior: npt.ArrayLike, gold: npt.ArrayLike) -> CalibratedPosterior:
    """Makes the confidence of labels honest by a few gold labels.

    Annotators who err together make a posterior `q` too sure, whatever model it comes from. With `p_k` its mean over
    the items, each item is taken to mislead them with probability `e`:

        q'_ik = (1 - e) q_ik + e p_k,   e ~ Beta(1, 3)

    where `e` is averaged over what the gold labels say of it. So the confidence is bounded by how often the labels are
    right where they seem sure, and hardly any label changes. It takes one number, which 20 gold labels tell.

    The posterior must not have seen the gold labels. Where they were needed to estimate the annotators (`found`), take
    `posterior(answers, np.tile(found.class_prior, (items, 1)), found.confusion)`.

    Args:
        posterior: Probabilities of the classes, `(items, classes)`, without help of the gold labels.
        gold: True classes of some items drawn at random, integers `(items,)`, `-1` where unknown. A series is matched
            to a data frame `posterior` by its index.

    Returns:
        `CalibratedPosterior(posterior, misled)`.

    Raises:
        ValueError: When shapes disagree, rows are not distributions, no gold label is known, or the posterior is
            certain of all gold labels, and of no other item.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> truth, misleads = rng.integers(3, size=300), rng.random(300) < 0.2
    >>> answers = np.tile(np.where(misleads, rng.integers(3, size=300), truth)[:, None], 5)  # all say the same
    >>> q = keras_crowd.aggregation.dawid_skene(answers).posterior
    >>> gold = np.where(np.arange(300) < 50, truth, -1)
    >>> found = keras_crowd.aggregation.calibrated_posterior(q, gold)
    >>> [round(float(of[50:].max(axis=1).mean()), 2) for of in (q, found.posterior)]
    [1.0, 0.84]
    """
    known_classes = np.asarray(rows_like("gold", gold, "posterior", posterior))
    q = _of_classes(posterior)
    known = _known(known_classes, q)
    given = np.flatnonzero(known)
    classes = known_classes[given].astype(int)
    shares = q.mean(axis=0)
    misled = _mean_misled(q[given, classes], shares[classes])
    mixed = (1 - misled) * q + misled * shares
    mixed[given] = np.eye(q.shape[1])[classes]
    return CalibratedPosterior(mixed, misled)


def _of_classes(posterior: npt.ArrayLike) -> np.ndarray:
    if np.ndim(posterior) != 2 or not np.size(posterior):
        raise ValueError(
            f"`posterior` must have shape (items, classes). Received: shape {np.shape(posterior)}"
        )
    return distributions("posterior", posterior)


def _mean_misled(of_gold: np.ndarray, by_chance: np.ndarray) -> float:
    """Mean of `e` given the probabilities of the gold classes by the posterior and by chance, on a grid."""
    likelihoods = (1 - _GRID) * of_gold[:, None] + _GRID * by_chance[:, None]
    log = np.log(likelihoods).sum(axis=0) + (_PRIOR - 1) * np.log(1 - _GRID)
    weights = np.exp(log - log.max())
    return float(weights @ _GRID / weights.sum())


def _known(gold: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Booleans `(items,)`: of which items the class is known; refuses a posterior that was told."""
    if gold.shape != q.shape[:1] or gold.dtype.kind not in "iu" or np.any(gold >= q.shape[1]):
        raise ValueError(
            f"`gold` must be class codes 0 to {q.shape[1] - 1} of shape {q.shape[:1]}, -1 where unknown. "
            f"Received: shape {gold.shape}, dtype {gold.dtype}"
        )
    known = gold >= 0
    if not known.any():
        raise ValueError("`gold` must have at least one known class. Received: none")
    certain = q.max(axis=1) == 1
    if np.all(q[known, gold[known]] == 1) and known.sum() > 1 and not certain[~known].any():
        raise ValueError(
            "`posterior` must not have seen the gold labels (see `calibrated_posterior`). "
            f"Received: probability 1 for all {known.sum()} gold labels, and for no class of another item"
        )
    return known
