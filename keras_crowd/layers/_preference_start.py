"""Start of a crowd layer of preferences, from Bradley and Terry's model of the answers alone."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from ..aggregation import Comparisons, fitted_pairs
from ..annotations import Annotations, without_grades

_PARAMETERS = ("reliability", "position", "tie", "random")  # as `fitted_pairs` has them


class PreferenceStart(NamedTuple):
    """Means and variances of annotators' parameters, and their deviations `(annotators,)`, by name."""

    means: dict[str, float]
    variances: dict[str, float]
    deviations: dict[str, np.ndarray]


def preference_start(
    annotations: Annotations, own: Collection[str], random_answers: bool
) -> PreferenceStart:
    """Fits the parameters that annotators have of their own; grades count as which item is better.

    Args:
        annotations: `Annotations` of preferences.
        own: Names of the annotators' parameters.
        random_answers: Boolean. Whether annotators answer at random at times.
    """
    flags = ("reliability" in own, "position" in own, "tie" in own, random_answers)
    found, _ = fitted_pairs(Comparisons.of(without_grades(annotations)), flags)
    place = {name: i for i, name in enumerate(_PARAMETERS)}
    fitted = [name for name in own if name in place]
    return PreferenceStart(
        {name: float(found.mean[i]) for name, i in place.items()},
        {name: float(found.variance[place[name]]) for name in fitted},
        {name: found.raters[:, place[name]] - found.mean[place[name]] for name in fitted},
    )
