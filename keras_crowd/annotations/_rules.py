"""What readers of tables may be told, beside where to look."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal, TypedDict

Duplicates = Literal["error", "first", "last", "majority"]
Unknown = Literal["error", "drop"]


class Rules(TypedDict, total=False):
    """Vocabularies, and what to do about answers that do not fit."""

    items: Sequence[Hashable] | None
    annotators: Sequence[Hashable] | None
    classes: Sequence[Hashable] | int | None
    ratings: bool
    duplicates: Duplicates
    unknown: Unknown


def refuse_others(
    reader: Callable[..., Any], rules: Mapping[str, Any], further: Callable[..., Any] | None = None
) -> None:
    """Raises where `**rules` of a reader hold a name that neither `Rules` nor a `further` function know."""
    more = [] if further is None else inspect.signature(further).parameters
    others = [name for name in rules if name not in Rules.__annotations__ and name not in more]
    if others:
        own = [name for name, p in inspect.signature(reader).parameters.items() if p.kind != p.VAR_KEYWORD]
        known = dict.fromkeys(name for name in (*own, *Rules.__annotations__) if name != "cls")
        raise TypeError(
            f"`{reader.__name__}` takes {', '.join(known)}"
            f"{'' if further is None else f' and what `{further.__name__}` takes'}. "
            f"Received: {', '.join(f'{name}={rules[name]!r}' for name in others)}"
        )
