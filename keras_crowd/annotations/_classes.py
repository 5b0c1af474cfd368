"""Whether answers are classes: one each, and few of them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np

_MANY = 20  # classes
_SHARE = 0.2  # of the answers, if all classes were given equally often
_SEPARATORS = "|;,"


def check_classes(name: str, values: Iterable[Any], num_answers: int, source: str = "") -> None:
    """Refuses answers that hold several, warns of what looks so, and of so many classes that they are hardly classes.

    Not for classes that the user has given as `classes=`.

    Args:
        name: String. What the answers are called: an argument, or a column of a file.
        values: The different answers.
        num_answers: Integer. How many answers there are.
        source: String. The file, for messages. Defaults to `""`.

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
    sep, joined = joined_labels(values)
    if joined:
        warnings.warn(
            f"{where}: {len(joined):,} of {len(values):,} classes look like several labels with {sep!r} between them, "
            f"such as {_shown(joined[0])}, and each is taken for a class of its own. If they are sets of labels, read "
            f"them by `sets=True, label_sep={sep!r}`; if they are classes, say so by `classes=`.",
            stacklevel=4,
        )
    elif len(values) >= _MANY and len(values) > _SHARE * num_answers:
        warnings.warn(
            f"{where}: {len(values):,} classes in {num_answers:,} answers, which looks like free text, ids or numbers. "
            f"If they are classes, say so by `classes=`; numbers are read by `ratings=True`. Received: "
            f"{', '.join(map(_shown, values[:3]))}, ...",
            stacklevel=4,
        )


def warn_of_joined_labels(name: str, labels: list[Hashable]) -> None:
    """Warns of labels of sets that look like several."""
    sep, joined = joined_labels(labels)
    if joined:
        warnings.warn(
            f"`{name}`: {len(joined):,} of {len(labels):,} labels look like several labels with {sep!r} "
            f"between them, such as {joined[0]!r}, and each is taken for one label. Split them by "
            f"`label_sep={sep!r}`; if they are single labels, say so by `classes=`.",
            stacklevel=6,
        )


def joined_labels(values: Iterable[Any]) -> tuple[str, list[str]]:
    """The texts that join labels by a separator, and which one it is; nothing where names only hold that character.

    Those are joined whose parts all are classes by themselves as well. Bars and semicolons are rare in names: there it
    is enough that each part is in several texts.

    Args:
        values: The different answers.
    """
    texts = [value for value in values if isinstance(value, str)]
    for sep in _SEPARATORS:
        parts = {text: [part.strip() for part in text.split(sep)] for text in texts}
        counts = Counter(part for split in parts.values() for part in set(split))
        alone = {split[0] for split in parts.values() if len(split) == 1}
        known = alone if sep == "," else alone | {part for part, count in counts.items() if count > 1}
        joined = [
            text
            for text, split in parts.items()
            if len(split) > 1 and all(split) and len(set(split)) == len(split) and known.issuperset(split)
        ]
        if joined:
            return sep, joined
    return "", []


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
