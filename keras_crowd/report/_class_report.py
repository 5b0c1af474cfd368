"""A report of answers of classes."""

from __future__ import annotations

import numpy as np

from ..aggregation import draw_crowd
from . import _class_sections as sections
from . import _class_tables as tables_of
from ._blocks import Section
from ._calibration import gold_section
from ._given import Given
from ._over_time import time_section
from ._report import CrowdReport
from ._request import Request
from ._summary import as_figures, class_rows

_ASSUMPTION = (
    "All of this is estimated from the answers: each annotator is assumed to err independently of the others, given "
    "the true class. Mistakes that most annotators share cannot be seen in the answers. Gold labels of a hundred "
    "items drawn at random tell the accuracy of the labels without that assumption."
)


def class_report(
    given: Given,
    request: Request,
) -> CrowdReport:
    """Makes tables and sections."""
    drawn = draw_crowd(
        given.annotations, given.start(), given.item_prior, draws=request.draws, seed=request.seed
    )
    posterior = drawn.posterior if given.posterior is None else given.posterior
    tables = {
        "annotators": tables_of.annotators(given, drawn, posterior),
        "recall": tables_of.recall(given, drawn, posterior),
        "items": tables_of.items(given, drawn, posterior),
        "answers": tables_of.answers(given, posterior),
        "classes": tables_of.classes(given, drawn),
        "pairs": tables_of.pairs(given, drawn, posterior),
    }
    if request.level in ("ordinal", "interval"):
        tables_of.add_grades(tables["annotators"], given, posterior)
    rows = class_rows(given, drawn, posterior, request.level, tables["items"]["status"])
    parts: list[Section | None] = [
        Section("overview", "Overview", [as_figures(rows), _ASSUMPTION]),
        sections.annotator_section(tables),
        sections.confusion_section(given, drawn, tables),
        sections.together_section(tables),
        sections.item_section(given, tables, request.viewer),
        sections.answer_section(given, tables, request.viewer),
        sections.class_section(tables),
    ]
    if given.times is not None:
        right = tables["answers"]["probability"].to_numpy()
        parts += [
            time_section(
                tables["annotators"],
                given.annotations.annotator_index,
                given.times,
                right,
                "probability of a right answer",
            )
        ]
    if np.any((given.gold >= 0) & (given.annotations.answers_per_item() > 0)):
        parts.append(gold_section(given, posterior, "calibrated_confidence" in tables["items"]))
    return request.report(rows, tables, parts)
