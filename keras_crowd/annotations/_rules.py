"""What readers of tables may be told, beside where to look."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, TypedDict

Duplicates = Literal["error", "first", "last", "majority"]
Unknown = Literal["error", "drop"]


class Rules(TypedDict, total=False):
    """Vocabularies, and what to do about answers that do not fit."""

    items: Sequence[Hashable] | None
    annotators: Sequence[Hashable] | None
    classes: Sequence[Hashable] | int | None
    duplicates: Duplicates
    unknown: Unknown
