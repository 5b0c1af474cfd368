"""Quantiles of Student's distribution."""

from __future__ import annotations

import math
from statistics import NormalDist


def student_quantile(p: float, degrees: int) -> float:
    """Returns a quantile of Student's distribution: exact for 1 and 2 degrees of freedom, Hill's expansion for more.

    Reference:
        G. W. Hill, "Algorithm 396: Student's t-quantiles", Communications of the ACM 13, 1970.
    """
    if degrees == 1:
        return math.tan(math.pi * (p - 0.5))
    if degrees == 2:
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    z = NormalDist().inv_cdf(p)
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + g1 / degrees + g2 / degrees**2 + g3 / degrees**3 + g4 / degrees**4
