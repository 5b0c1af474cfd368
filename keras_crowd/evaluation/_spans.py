"""Tags against tags, by whole spans."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..annotations import Answers


class SpanScores(NamedTuple):
    """Result of `span_scores`: micro-averages over all spans, from 0 to 1.

    Attributes:
        precision: Share of the predicted spans that are right.
        recall: Share of the true spans that were found.
        f1: Their harmonic mean.

    Example:

    >>> keras_crowd.evaluation.span_scores([[1, 0, 1]], [[1, 0, 0]], ["O", "B-PER"]).recall
    0.5
    """

    precision: float
    recall: float
    f1: float


def span_scores(true: npt.ArrayLike, predicted: npt.ArrayLike, labels: Sequence[str]) -> SpanScores:
    """Computes precision, recall and F1 of spans: a span is right if its class, beginning and end are.

    Args:
        true: True tags, integers `(sentences, time)`, negative at padding and where unknown.
        predicted: Predicted tags, of the same shape; only those at tokens with a true tag count.
        labels: Names of the classes in the BIO scheme, in the order of their codes.

    Returns:
        `SpanScores(precision, recall, f1)`, as CoNLL's script has them: an `I-x` without a beginning
        begins a span.

    Raises:
        ValueError: When shapes disagree, a tag has no label, or a label is not of the BIO scheme.
        ImportError: Without nervaluate (`pip install nervaluate`).

    Example:

    >>> labels = ["O", "B-PER", "I-PER"]
    >>> keras_crowd.evaluation.span_scores([[1, 2, 0, 1], [0, 0, -1, -1]], [[1, 2, 0, 0], [0, 0, 0, 0]], labels)
    SpanScores(precision=1.0, recall=0.5, f1=0.6666666666666666)

    Reference:
        E. Tjong Kim Sang, F. De Meulder, "Introduction to the CoNLL-2003 shared task", CoNLL 2003.
    """
    true, predicted = np.asarray(true), np.asarray(predicted)
    if isinstance(labels, str):
        raise ValueError(f"`labels` must be a sequence of names. Received: the text {labels!r}")
    if strangers := [name for name in labels if not re.fullmatch("O|[BI]-.+", name)]:
        raise ValueError(
            f"`labels` must be 'O', 'B-...' and 'I-...', the BIO scheme. Received: {strangers[:3]}"
        )
    if true.ndim != 2 or predicted.shape != true.shape:
        raise ValueError(
            "`true` and `predicted` must have the same shape (sentences, time). "
            f"Received: shapes {true.shape} and {predicted.shape}"
        )
    known = true >= 0
    given = predicted[known]
    if given.size and not (given.min() >= 0 and max(given.max(), true.max()) < len(labels)):
        raise ValueError(
            f"Tags must be codes of the {len(labels)} `labels` wherever `true` has one. "
            f"Received: codes {given.min()} to {max(given.max(), true.max())}"
        )
    names = np.array(labels, object)
    pairs = [(names[y[k]].tolist(), names[z[k]].tolist()) for y, z, k in _rows(true, predicted, known)]
    return _scores([y for y, _ in pairs], [z for _, z in pairs], {name[2:] for name in labels} - {""})


def annotator_span_scores(
    annotators: npt.ArrayLike,
    answers: Answers,
    tags: npt.ArrayLike,
    labels: Sequence[str],
    num_annotators: int,
) -> np.ndarray:
    """Computes precision, recall and F1 of each annotator's spans against tags: inferred ones, or gold.

    Args:
        annotators: Annotator of each slot, `(sentences, slots)`, negative for an empty slot.
        answers: Answers, `(sentences, time, slots)`, negative for missing.
        tags: The tags to compare with, `(sentences, time)`: those of `HiddenCRF.truth_tagger` estimate how good
            annotators are without gold tags.
        labels: Names of the classes in the BIO scheme.
        num_annotators: Integer. Number of annotators.

    Returns:
        float64 `(num_annotators, 3)`: precision, recall, F1; `NaN` for an annotator without answers.

    Example:

    >>> annotators, answers = [[0, 1]], [[[1, 0], [0, 0]]]
    >>> keras_crowd.evaluation.annotator_span_scores(annotators, answers, [[1, 0]], ["O", "B-PER"], 2)
    array([[1., 1., 1.],
           [0., 0., 0.]])
    """
    annotators, answers, tags = np.asarray(annotators), np.asarray(answers), np.asarray(tags)
    if answers.shape != (*tags.shape, annotators.shape[-1]) or len(annotators) != len(answers):
        raise ValueError(
            "`answers` must have shape (sentences, time, slots), `tags` (sentences, time) and `annotators` "
            f"(sentences, slots). Received: shapes {answers.shape}, {tags.shape} and {annotators.shape}"
        )
    found = np.full((num_annotators, 3), np.nan)
    for r in range(num_annotators):
        row, slot = np.nonzero(annotators == r)
        if len(row):
            own = answers[row, :, slot]
            found[r] = span_scores(np.where(own >= 0, tags[row], -1), own, labels)
    return found


def _rows(*tables: np.ndarray) -> zip:
    return zip(*tables, strict=True)


def _scores(true: list[list[str]], predicted: list[list[str]], classes: set[str]) -> SpanScores:
    try:
        from nervaluate import Evaluator
    except ImportError as error:
        raise ImportError("Scores of spans need nervaluate: `pip install nervaluate`") from error
    if not true:
        return SpanScores(0.0, 0.0, 0.0)
    found = Evaluator(true, predicted, tags=sorted(classes), loader="list").evaluate()["overall"]["strict"]
    return SpanScores(float(found.precision), float(found.recall), float(found.f1))
