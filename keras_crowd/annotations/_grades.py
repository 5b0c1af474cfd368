"""Plain preferences from graded ones."""

from __future__ import annotations

import numpy as np

from ._coerce import as_preferences
from ._container import Annotations
from ._grade_codes import class_names
from ._preferences import Preferences


def without_grades(answers: Annotations) -> Annotations:
    """Returns preferences that only say which item is better, or that none is, for what does not know grades.

    Args:
        answers: `Annotations` of preferences. Those without grades are returned as they are.

    Returns:
        `Annotations` of preferences with the same items, annotators and order of answers; the answers are 0 (first),
        1 (second) and, where there were ties, 2 (tie). Probabilities of soft answers are added up.

    Raises:
        ValueError: When the answers are no preferences.

    Example:

    >>> answers = keras_crowd.Annotations.from_preferences(
    ...     ["x", "x"], ["y", "z"], ["ann", "ann"], [-3, 0], grades=3)
    >>> keras_crowd.annotations.without_grades(answers).ids().tolist()
    ['first', 'tie']
    """
    given = as_preferences(answers)
    kind = given.kind
    if not isinstance(kind, Preferences) or kind.grades == 1:
        return given
    sides = [np.s_[: kind.grades], np.s_[-kind.grades :], np.s_[kind.grades : -kind.grades]][
        : 2 + kind.ties
    ]
    if kind.soft:
        found = np.stack([given.answers[:, side].sum(axis=1) for side in sides], axis=1)
    else:
        code = np.empty(given.num_classes, int)
        for side, columns in enumerate(sides):
            code[columns] = side
        found = code[given.answers]
    return Annotations(
        given.item_index,
        given.annotator_index,
        found,
        items=given.items,
        annotators=given.annotators,
        classes=class_names(len(sides)),
        kind=Preferences(len(sides), kind.soft),
    )
