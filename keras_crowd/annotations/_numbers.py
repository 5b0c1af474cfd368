"""Texts that are numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

INTEGER = re.compile(r"0|-?[1-9][0-9]{0,639}").fullmatch  # Python may be told to refuse more digits
# Possessive: digits are never given back, so that time is linear in the length of the text.
NUMBER = re.compile(r"[+-]?+(\d++(\.\d*+)?+|\.\d++)([eE][+-]?+\d++)?+", re.ASCII).fullmatch


def float_beside_words(texts: Sequence[str]) -> tuple[str, list[bool]] | None:
    """Returns, of texts most of which are ratings, one with a point or an exponent, and those that are no numbers.

    `None` where there are none of either kind: whole numbers and words are names of classes.
    """
    words = [NUMBER(text) is None for text in texts]
    floats = [t for t, word in zip(texts, words, strict=True) if not (word or t.lstrip("+-").isdigit())]
    return (floats[0][:80], words) if floats and any(words) else None


def as_rating(value: object) -> float | None:
    """The number that an answer is, or that its text says; `None` where it is none."""
    if isinstance(value, str):
        return float(value) if NUMBER(value) else None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def as_ratings_column(name: str, values: np.ndarray) -> np.ndarray:
    """Answers, none missing, as floats.

    Raises:
        ValueError: When one of them is no number.
    """
    if values.dtype.kind in "iuf":
        return values.astype(float)
    numbers = [None if isinstance(value, str) else as_rating(value) for value in values.tolist()]
    if None in numbers:
        raise ValueError(
            f"`{name}` must be numbers (`ratings=True`). Received: {values.tolist()[numbers.index(None)]!r}"
        )
    return np.array(numbers, float)


def refuse_classes_of_ratings(classes: object) -> None:
    """Raises where answers that are to be ratings are given classes."""
    if classes is not None:
        raise ValueError(
            "`ratings=True` is for numbers, `classes=` for answers that are classes: give one of them. "
            f"Received: ratings=True, classes={classes!r}"
        )
