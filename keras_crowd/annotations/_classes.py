"""Whether answers are classes: one each, and few of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

_MANY = 20  # classes
_SHARE = 0.2  # of the answers, if all classes were given equally often


def check_classes(name: str, values: Iterable[Any], num_answers: int, source: str = "") -> None:
    """Refuses answers that hold several, and warns of so many classes that answers are hardly classes.

    Not for classes that the user has given as `classes=`.

    Args:
        name: What the answers are called: an argument, or a column of a file.
        values: The different answers.
        num_answers: How many answers there are.
        source: The file, for messages.

    Raises:
        ValueError: When an answer is a list, dict or set, the text of one, or several lines.
    """
    values = list(values)
    where = f"{source}: {name!r}" if source else f"`{name}`"
    several = [value for value in values if is_several(value)]
    if several:
        raise ValueError(
            f"{where} must be one class each; lists, boxes and free text are none (make each a class of its own by "
            f"`classes=`, choose one part of it first, or read them as sets of labels by `sets=True`). "
            f"Received: {len(several):,} different answers of {len(values):,} that hold several, {_shown(several[0])}"
        )
    if len(values) >= _MANY and len(values) > _SHARE * num_answers:
        warnings.warn(
            f"{where}: {len(values):,} classes in {num_answers:,} answers, which looks like free text, ids or numbers. "
            f"If they are classes, say so by `classes=`; numbers are read by `ratings=True`. Received: "
            f"{', '.join(map(_shown, values[:3]))}, ...",
            stacklevel=4,
        )


def is_several(value: object) -> bool:
    """Whether an answer is a list, dict or set, or a text that is one by its form."""
    if not isinstance(value, str):
        return isinstance(value, list | dict | set | frozenset | np.ndarray)
    text = value.strip()
    if "\n" in text or "\r" in text:
        return True
    if text[:1] + text[-1:] not in ("[]", "{}") or len(text) < 2:
        return False
    inner = text[1:-1].strip()
    quoted = inner.lstrip("uUbB")[:1] in ("'", '"')
    return not inner or quoted or inner[0] in "[{(" or "," in inner or _is_number(inner)


def _is_number(text: str) -> bool:
    return len(text) < 40 and text.lstrip("+-").replace(".", "", 1).isdigit()


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
