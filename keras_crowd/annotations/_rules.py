"""Rules that readers of tables take, beside where to look."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, Literal, TypedDict, get_args

Duplicates = Literal["error", "first", "last", "majority"]
Unknown = Literal["error", "drop"]
Empty = Literal["nothing", "missing"]
Judged = Literal["all", "listed"] | Mapping[Hashable, Collection[Hashable]]


class Rules(TypedDict, total=False):
    """Vocabularies, and what to do about answers that do not fit."""

    items: Sequence[Hashable] | None
    annotators: Sequence[Hashable] | None
    classes: Sequence[Hashable] | int | None
    ratings: bool
    sets: bool
    label_sep: str | None
    empty: Empty | None
    judged: Judged | None
    duplicates: Duplicates
    unknown: Unknown


def is_of_sets(rules: Mapping[str, Any]) -> bool:
    """Whether answers are to be read as sets of labels.

    Raises:
        ValueError: When rules for sets come without `sets=True`, have other values, or come with those of ratings.
    """
    found = {name: rules[name] for name in ("label_sep", "empty", "judged") if rules.get(name) is not None}
    received = ", ".join(f"{name}={value!r}" for name, value in found.items())
    if not rules.get("sets"):
        if found:
            raise ValueError(
                f"`{next(iter(found))}` is for sets of labels (`sets=True`). Received: {received}"
            )
        return False
    if rules.get("ratings"):
        raise ValueError("`ratings=True` is for numbers, `sets=True` for sets of labels: give one of them.")
    empty, judged, sep = (found.get(name) for name in ("empty", "judged", "label_sep"))
    if empty not in (None, *get_args(Empty)):
        raise ValueError(f"`empty` must be 'nothing' or 'missing'. Received: {received}")
    if not isinstance(judged, Mapping) and judged not in (None, "all", "listed"):
        raise ValueError(
            f"`judged` must be 'all', 'listed' or a dict of items and labels. Received: {received}"
        )
    if sep is not None and not (isinstance(sep, str) and sep):
        raise ValueError(f"`label_sep` must be the text between labels. Received: {received}")
    return True


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
