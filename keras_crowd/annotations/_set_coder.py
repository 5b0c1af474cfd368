"""Sets of labels as they stand in a column, each as the code of a row of 1, 0 and -1. All readers share it."""

from __future__ import annotations

import json
from array import array
from collections.abc import Hashable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

import numpy as np

from .._arguments import shown
from ._classes import is_several, warn_of_joined_labels
from ._factors import encode
from ._ids import MISSING, column, id_array, named_classes
from ._numbers import INTEGER
from ._rules import Empty, Judged, Unknown

_STATES = {
    1: ("true", "1", "1.0", "yes", "on"),
    0: ("false", "0", "0.0", "no", "off"),
    MISSING: ("-1", "-1.0"),
}
_STATE_OF = {word: state for state, words in _STATES.items() for word in words}
Form = Literal["label", "set", "nothing"]


class UnfitError(Exception):
    """Says what was expected of a cell."""


class Ticks(NamedTuple):
    """Reads a cell: what it says of the labels that it names, and `rest` for the others."""

    states: tuple[tuple[Hashable, int], ...]
    rest: int
    form: Form


class SetCoder:
    """Reads cells: a set of labels each, or one label of a set whose other labels stand in other rows.

    A cell is a collection of labels; an object that says true or false of each label; a text of labels between
    separators, or of JSON; one label; or blank.

    Args:
        name: String. What the column is called, for messages.
        classes: Ids of all labels. Defaults to `None`, those seen.
        unknown: What to do with labels that are not among them. Defaults to `"error"`.
        label_sep: String. What stands between the labels of one cell. Defaults to `None`: a text is one label.
        empty: What a blank means. Defaults to `None`: it is refused.
        judged: Which labels the annotators were shown, as for `from_coo`. Defaults to `None`.
        text: Boolean. Whether the file can hold nothing but text, so that "7" may be an integer. Defaults to `False`.
        missing: Texts that mean "did not answer". Defaults to `()`.
        whole: Boolean. Whether each cell must be a whole set. Defaults to `False`.
        json_keys: Boolean. Whether objects come from JSON, whose keys are text whatever they were. Defaults to `False`.
    """

    def __init__(
        self,
        name: str,
        *,
        classes: Sequence[Hashable] | int | None = None,
        unknown: Unknown = "error",
        label_sep: str | None = None,
        empty: Empty | None = None,
        judged: Judged | None = None,
        text: bool = False,
        missing: Sequence[str] = (),
        whole: bool = False,
        json_keys: bool = False,
    ) -> None:
        self.name, self.text = name, text
        self.judged = judged if isinstance(judged, Mapping) else None
        self._rest = judged
        self._sep, self._empty, self._drop = label_sep, empty, unknown == "drop"
        named = named_classes(classes)
        self.classes = None if named is None else id_array("classes", named)
        self._json_keys = json_keys
        self._known = None if self.classes is None else set(self.classes.tolist())
        self._missing = frozenset(missing) - {""}
        self._form: Form | None = "set" if whole else None
        self._codes = array("i")
        self._code_of: dict[Ticks, int] = {}
        self._label_of: dict[Hashable, Hashable] = {}
        self._state_of: dict[Hashable, int] = {}
        self._last: tuple[Any, int] = (None, MISSING)  # `problem` is asked before `add`
        self._read_texts: dict[str, int] = {}

    @property
    def joins(self) -> bool:
        """Whether the cells are single labels, and the rows of an annotator about an item together are the set."""
        return self._form == "label"

    def problem(self, value: Any) -> str | None:
        """Says what `add` expects and `value` is not."""
        try:
            self._last = value, self._code(value)
        except UnfitError as error:
            return str(error)
        return None

    def add(self, value: Any) -> None:
        """Appends one cell."""
        last, code = self._last
        self._codes.append(code if last is value and value is not None else self._code(value))

    def codes(self) -> np.ndarray:
        """The row of `table` of each cell, -1 where there is no answer."""
        return np.array(self._codes, np.int32)

    def __len__(self) -> int:
        return len(self._code_of)

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """The ids of the labels, and the different rows of 1, 0 and -1."""
        labels, position = self._vocabulary()
        rows = np.empty((len(self._code_of), len(labels)), np.int8)
        for row, ticks in zip(rows, self._code_of, strict=True):
            row[:] = ticks.rest
            for label, state in ticks.states:
                row[position[label]] = state
        return labels, rows

    def repeated(
        self, item: np.ndarray, annotator: np.ndarray, codes: np.ndarray
    ) -> tuple[int, int] | None:
        """Two rows of an annotator about an item that name one label twice, or nothing and a label; `None` if none."""
        blank = [ticks.form == "nothing" for ticks in self._code_of]
        dropped = [ticks.form == "label" and not ticks.states for ticks in self._code_of]
        said: dict[tuple[int, int], dict[int, int]] = {}
        triples = zip(item.tolist(), annotator.tolist(), codes.tolist(), strict=True)
        for row, (what, who, code) in enumerate(triples):
            before = said.setdefault((what, who), {})
            if before and not dropped[code]:
                again = (
                    code if code in before else next((i for i in before if blank[i] or blank[code]), None)
                )
                if again is not None:
                    return before[again], row
            if not dropped[code]:
                before[code] = row
        return None

    def _vocabulary(self) -> tuple[np.ndarray, dict[Hashable, int]]:
        seen = dict.fromkeys(label for ticks in self._code_of for label, _ in ticks.states)
        if self.classes is not None:
            return self.classes, {label: i for i, label in enumerate(self.classes.tolist())}
        shown_labels = [label for labels in (self.judged or {}).values() for label in labels]
        found = list(seen)
        if self.text and found and all(isinstance(one, str) and INTEGER(one) for one in found):
            found = [int(str(one)) for one in found]
        if not found and not shown_labels:
            raise ValueError(
                "`classes` must be given where nobody ticked any label. Received: classes=None, empty sets alone"
            )
        if self.joins:
            warn_of_joined_labels(self.name, found)
        ids, codes = encode(self.name, column(self.name, [*found, *shown_labels]), "classes", None)
        return ids, dict(zip(seen, codes.tolist(), strict=False))

    def _code(self, value: Any) -> int:
        if type(value) is str and value in self._read_texts:
            return self._read_texts[value]
        ticks = self._ticks(value)
        if ticks is None or (ticks.rest == MISSING and all(state == MISSING for _, state in ticks.states)):
            return MISSING
        if ticks.form != "nothing":
            if self._form not in (None, ticks.form):
                wanted = "a list, tuple or set of labels" if self._form == "set" else "one label"
                raise UnfitError(f"{wanted}, as before")
            self._form = ticks.form
        code = self._code_of.setdefault(ticks, len(self._code_of))
        if type(value) is str:
            self._read_texts[value] = code
        return code

    def _ticks(self, value: Any) -> Ticks | None:
        """Reads a cell; `None` where it is no answer."""
        if isinstance(value, str) and value in self._missing:
            return None
        if _is_blank(value):
            return Ticks((), 0, "nothing") if self._of_blank() == 0 else None
        value = self._parsed(value)
        if isinstance(value, Mapping):
            self.text = self.text or self._json_keys
            states = {self._label(label): self._state(state) for label, state in value.items()}
            return self._whole(states, len(value), 0 if self._rest == "all" else MISSING)
        if isinstance(value, list | tuple | set | frozenset):
            if self._rest == "listed":
                raise UnfitError("true or false for each label that was shown (`judged='listed'`)")
            return self._whole(dict.fromkeys(map(self._label, value), 1), len(value), 0)
        if self._form == "set":
            raise UnfitError("a list, tuple or set of labels (`label_sep=` splits texts), not one class")
        label = self._label(value)
        return Ticks(() if label is None else ((label, 1),), 0, "label")

    def _whole(self, states: dict[Hashable, int], size: int, rest: int) -> Ticks:
        if len(states) < size and not self._drop:
            raise UnfitError("each label once")
        states.pop(None, None)  # the unknown ones
        return Ticks(tuple(states.items()), rest, "set")

    def _parsed(self, value: Any) -> Any:
        """Splits a text of several labels; lists an array."""
        if isinstance(value, np.ndarray) and value.ndim == 1:
            return value.tolist()
        if not isinstance(value, str):
            return value.item() if isinstance(value, np.generic) else value
        text = value.strip()
        if text[:1] + text[-1:] in ("[]", "{}") and is_several(text):
            try:
                value = json.loads(text, object_pairs_hook=_pairs)
            except ValueError as error:
                raise UnfitError('labels in JSON, as ["cat", "dog"], or between `label_sep=`') from error
            self.text = self.text or isinstance(value, dict)  # whose keys are text, whatever they were
            return value
        if self._sep is None:
            return value
        labels = [label.strip() for label in value.split(self._sep)]
        if "" in labels:
            raise UnfitError(f"a label on both sides of each {self._sep!r}")
        return labels

    def _label(self, label: Any) -> Hashable:
        """The id of a label; `None` for an unknown one that is dropped."""
        try:
            return self._label_of[label]
        except (KeyError, TypeError):
            found = self._new_label(label)
        self._label_of[label] = found
        return found

    def _new_label(self, label: Any) -> Hashable:
        label = label.item() if isinstance(label, np.generic) else label
        if (
            isinstance(label, float) and label.is_integer()
        ):  # pandas makes floats of integers beside a blank
            label = int(label)
        if isinstance(label, list | dict | set) or _is_blank(label) or not isinstance(label, Hashable):
            raise UnfitError("ids of labels, none missing")
        if self._known is None or label in self._known:
            return label
        if self.text and isinstance(label, str) and INTEGER(label) and int(label) in self._known:
            return int(label)
        if self._drop:
            return None
        raise UnfitError(f"labels among `classes`, {self._near(label)}, or `unknown='drop'`")

    def _near(self, label: Hashable) -> str:
        """Labels that are written like this one, or else the first ones."""
        known = [] if self.classes is None else self.classes.tolist()
        near = get_close_matches(str(label), [str(one) for one in known])
        listed = [one for text in near for one in known if str(one) == text] or known[:5]
        return ", ".join(map(repr, listed)) + ", ..." * (len(listed) < len(known))

    def _state(self, state: Any) -> int:
        """1, 0 or -1 of what is said of one label."""
        if type(state) in (bool, int, str) and state in self._state_of:
            return self._state_of[state]
        found = self._new_state(state)
        if type(state) in (bool, int, str):
            self._state_of[state] = found
        return found

    def _new_state(self, state: Any) -> int:
        if _is_blank(state) or state in self._missing:
            return MISSING if not _is_blank(state) else self._of_blank()
        found = _STATE_OF.get(str(state).strip().casefold())
        if found is None:
            raise UnfitError(f"true or false (1 or 0, -1 for not shown) for each label, not {shown(state)}")
        return found

    def _of_blank(self) -> int:
        if self._empty is None:
            raise UnfitError(
                "an answer, or to be told by `empty='nothing'` that a blank means that nothing was ticked, "
                "by `empty='missing'` that it means no answer"
            )
        return 0 if self._empty == "nothing" else MISSING


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnfitError("each label once")
    return found


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return (
        value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)
    )
