"""The annotators' common distribution: where each one's accuracy comes from, and how far classes differ from it."""

from __future__ import annotations

import numpy as np

ACCURACIES = np.linspace(0.01, 0.99, 50)
_ABOVE_LEAST = np.linspace(0.03, 0.97, 19)[:, None]
_SIZES = np.geomspace(1, 200, 18)[None, :]
STRENGTHS = 2.0 ** np.arange(11)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260)
_SHIFT = 8


def log_gamma(x: np.ndarray) -> np.ndarray:
    """Stirling's series of the logarithm of the gamma function, for positive numbers."""
    shifted = x + _SHIFT
    below = np.ones_like(shifted)
    for step in range(_SHIFT):
        below = below * (x + step)
    series = sum(c / shifted ** (2 * i + 1) for i, c in enumerate(_STIRLING))
    return (shifted - 0.5) * np.log(shifted) - shifted + 0.5 * np.log(2 * np.pi) + series - np.log(below)


def betas(least_mean: float) -> tuple[np.ndarray, np.ndarray]:
    """The beta distributions that annotators' accuracies may have, on a grid, of means above the least one."""
    means = least_mean + (1 - least_mean) * _ABOVE_LEAST
    return means * _SIZES, (1 - means) * _SIZES


def draw_beta(accuracy: np.ndarray, least_mean: float, rng: np.random.Generator) -> tuple[float, float]:
    """Draws the beta distribution of the annotators' accuracies, of which these are known."""
    a, b = betas(least_mean)
    log_beta = log_gamma(a) + log_gamma(b) - log_gamma(a + b)
    found = (a - 1) * np.log(accuracy).sum() + (b - 1) * np.log1p(-accuracy).sum()
    cell = pick((found - len(accuracy) * log_beta).reshape(1, -1), rng)[0]
    return float(a.flat[cell]), float(b.flat[cell])


def pick(log_weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws a column of each row with probabilities in proportion to `exp(log_weights)`."""
    cumulative = np.exp(log_weights - log_weights.max(axis=1, keepdims=True)).cumsum(axis=1)
    drawn = rng.random((len(log_weights), 1)) * cumulative[:, -1:]
    return np.minimum((cumulative <= drawn).sum(axis=1), log_weights.shape[1] - 1)


class RowLikelihood:
    """Probability of the annotators' counts `n_rkl`, their confusions integrated out.

    Row `k` of annotator `r` is Dirichlet-distributed with the parameters `s C_rkl`, `C_rkk = a_r` and errors even.
    """

    def __init__(self, counts: np.ndarray) -> None:
        self.shape = counts.shape
        cells = np.flatnonzero(counts)
        annotator, true, answer = np.unravel_index(cells, counts.shape)
        self._right = true == answer
        self._values, self._value = np.unique(counts.reshape(-1)[cells], return_inverse=True)
        self._annotators, self._starts = np.unique(annotator, return_index=True)
        self._of_cells = annotator
        self._rows = counts.sum(axis=2)

    def at_all(self, s: float) -> np.ndarray:
        """The log-likelihood of each annotator at each of `ACCURACIES`, `(annotators, accuracies)`."""
        right, wrong = self._tables(s, ACCURACIES)
        cells = np.where(self._right[:, None], right[self._value], wrong[self._value])
        found = np.zeros((self.shape[0], len(ACCURACIES)))
        if len(cells):
            found[self._annotators] = np.add.reduceat(cells, self._starts, axis=0)
        return found

    def at(self, s: float, accuracy: np.ndarray) -> float:
        """The log-likelihood of all counts at one accuracy per annotator, and this strength."""
        place = np.rint((accuracy - ACCURACIES[0]) / (ACCURACIES[1] - ACCURACIES[0])).astype(int)
        right, wrong = self._tables(s, ACCURACIES)
        column = place[self._of_cells]
        cells = np.where(self._right, right[self._value, column], wrong[self._value, column])
        return float(cells.sum() - np.sum(log_gamma(self._rows + s) - log_gamma(np.array(s))))

    def _tables(self, s: float, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log rising factorials of the different counts, of right and of wrong answers."""
        wrong = (1 - accuracy) / max(self.shape[2] - 1, 1)
        values = self._values[:, None]
        right, wrong = (log_gamma(values + s * c) - log_gamma(s * c) for c in (accuracy, wrong))
        return right, wrong
