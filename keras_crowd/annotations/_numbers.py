"""Texts that are numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII).fullmatch


def float_beside_words(texts: Sequence[str]) -> tuple[str, list[bool]] | None:
    """Of texts that are ratings but for some: one of those, with a point or an exponent, and which are no numbers.

    `None` where there are none of either kind: whole numbers and words are names of classes.
    """
    words = [NUMBER(text) is None for text in texts]
    floats = [t for t, word in zip(texts, words, strict=True) if not (word or t.lstrip("+-").isdigit())]
    return (floats[0], words) if floats and any(words) else None
