"""Ranks over data sets: Friedman's test, Nemenyi's critical difference, Wilcoxon's tests with Holm's correction.

J. Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 7, 2006. The tests are those of SciPy
and statsmodels; each data set counts once, by the mean of its seeds.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests


class Ranks(NamedTuple):
    """`mean` and `p_of_best` `(methods,)`; NaN for the best itself, and where there is nothing to test."""

    mean: np.ndarray
    critical_difference: float
    friedman: float
    p_of_best: np.ndarray


def critical_difference(num_methods, num_data, alpha=0.05):
    """How far two mean ranks must be apart: `q sqrt(k (k + 1) / 6 N)`, `q` of the studentized range over root 2."""
    q = stats.studentized_range.ppf(1 - alpha, num_methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(num_methods * (num_methods + 1) / (6 * num_data)))


def p_of_best(values, best):
    """Probability of such differences to the best method if there were none, after Holm."""
    p = np.full(values.shape[1], np.nan)
    others = [i for i in range(values.shape[1]) if i != best and np.any(values[:, i] != values[:, best])]
    if others:
        tests = [stats.wilcoxon(values[:, best], values[:, i]).pvalue for i in others]
        p[others] = multipletests(tests, method="holm")[1]
    return p


def ranks(values):
    """Ranks values `(data sets, methods)`, where higher is better; a rank of 1 is the best."""
    num_data, num_methods = values.shape
    mean = stats.rankdata(-values, axis=1).mean(axis=0)
    several = num_data > 1 and num_methods > 2
    return Ranks(
        mean,
        critical_difference(num_methods, num_data),
        float(stats.friedmanchisquare(*values.T).pvalue) if several else np.nan,
        p_of_best(values, int(mean.argmin())),
    )
