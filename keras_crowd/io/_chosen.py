"""The answer in what a form of crowd HTML elements gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._arguments import shown
from ._text import expect, follow


def fields(form: Any, before: str = "") -> list[str]:
    """Returns what may be a `field` of such a form: the keys to each value, joined by dots."""
    if isinstance(form, list):
        form = form[0] if form else {}
    found: list[str] = []
    for key, value in form.items() if isinstance(form, dict) else ():
        buttons = isinstance(value, dict) and all(type(pressed) is bool for pressed in value.values())
        inner = isinstance(value, dict) and not buttons
        found += fields(value, f"{before}{key}.") if inner else [before + key]
    return found


def chosen(form: Any, field: str, place: str, sets: bool = False) -> Any:
    """Returns what stands under `field` in a form, or in a list of one form.

    Radio buttons, an object of true and false, give the key of the one that is true, or `None`. Of `sets` of labels
    boxes and lists are given as they are.
    """
    if isinstance(form, list):
        if len(form) != 1:
            raise ValueError(f"{place}: expected one form. Received: {len(form)}")
        form = form[0]
    value = follow(expect(dict, form, place), field, place)
    if isinstance(value, dict):
        if not value or any(type(pressed) is not bool for pressed in value.values()):
            raise ValueError(
                f"{place}: expected an answer under {field!r}. Received: the keys {shown(list(value))}"
            )
        return dict(value) if sets else pressed(value, place)
    if isinstance(value, list) and not sets:
        raise ValueError(
            f"{place}: expected one answer under {field!r}, which is one class, not several (`sets=True` reads sets "
            f"of labels). Received: {shown(list(value))}"
        )
    return value


def pressed(buttons: Mapping[str, bool], place: str) -> str | None:
    """The one radio button that is pressed, or `None`."""
    found = [name for name, state in buttons.items() if state]
    if len(found) > 1:
        raise ValueError(
            f"{place}: expected one class, one of {shown(list(buttons))} (a box that may be ticked beside others is "
            f"read by itself, by its own name, or all of them by `sets=True`). Received: {shown(found)}"
        )
    return found[0] if found else None
