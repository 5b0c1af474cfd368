"""Checks of what readers and writers are told."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ._opened import FILE


def texts(name: str, values: str | Sequence[str], known: Sequence[str] = ()) -> tuple[str, ...]:
    """Some texts; one may be given by itself.

    Args:
        name: String. What the argument is called.
        values: What was given.
        known: Those there are, if not any. Defaults to `()`.
    """
    found = (values,) if isinstance(values, str) else tuple(values)
    for text in found:
        if not isinstance(text, str) or (known and text not in known):
            wanted = f"some of {', '.join(known)}" if known else "text, or a sequence of texts"
            raise ValueError(f"`{name}` must be {wanted}. Received: {name}={values!r}")
    return found


def item_names(item: str | Sequence[str]) -> tuple[str, ...]:
    """Names of the columns of item ids, one or several."""
    names = texts("item", item)
    if not names:
        raise ValueError(f"`item` must name a column, or several. Received: item={item!r}")
    refuse_same_names(*names)
    return names


def refuse_same_names(*names: str) -> None:
    """Raises where two columns of a table to write would have one name."""
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ValueError(f"Columns must have different names. Received: {twice[0]!r} twice")


def refuse_same_file(path: FILE, source: FILE, source_name: str) -> None:
    """Raises where a file would be written in place of the one that it is made of."""
    if os.path.exists(path) and os.path.samefile(path, source):
        raise ValueError(
            f"`path` must be another file than `{source_name}`, which would be lost. Received: {str(path)!r}"
        )
