"""Amazon Mechanical Turk: the results of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from .._arguments import shown
from ..annotations import Annotations, Rules, is_of_sets, refuse_others
from ._assignments import Assignments
from ._chosen import chosen, fields, pressed
from ._headers import column_positions, refuse_column
from ._names import item_names, texts
from ._opened import FILE
from ._row_builder import RowBuilder
from ._rows import assemble
from ._text import parsed_json, read_table

_WORKER, _STATE = "WorkerId", "AssignmentStatus"
_STATUS = ("Submitted", "Approved", "Rejected")
_READ = ("Submitted", "Approved")
_PRESSED = {"true": True, "false": False, "": False}


def read_mturk(
    path: FILE,
    item: str | Sequence[str],
    answer: str,
    *,
    field: str | None = None,
    status: str | Sequence[str] = _READ,
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads the batch results of Amazon Mechanical Turk, a CSV file with one row per assignment.

    Rows may lack the last two columns, `Approve` and `Reject`, which a requester fills in.

    Args:
        path: The file.
        item: Name of the column of item ids, as in `"Input.image_url"` or `"HITId"`; or a list of names, as for
            `read_long`.
        answer: Name of the column of answers, as in `"Answer.category.label"`, or `"Answer.taskAnswers"`. Radio buttons
            in columns of their own, `"Answer.kind.cat"` and `"Answer.kind.dog"` with true and false, are read by the
            name that they share, `"Answer.kind"`.
        field: String. For a column of JSON, as `"Answer.taskAnswers"` is: the keys to the answer, joined by dots, as in
            `"category.label"`. Radio buttons, `{"cat": true, "dog": false}`, are read as the one that is true. With
            `sets=True` an answer is a set of labels: boxes in columns of their own, `"Answer.kind.cat"` and
            `"Answer.kind.dog"` with true and false; a text such as "cat|dog" (other separators by `label_sep=`); or in
            JSON an object of true and false, or a list. Defaults to `None`.
        status: The assignments to read, some of `"Submitted"`, `"Approved"` and `"Rejected"`. Files without
            the column `AssignmentStatus` are read whole.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`; annotators are those of `WorkerId`.

    Raises:
        ValueError: When the file is malformed; the message names line and column.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "batch.csv"
    >>> size = file.write_text("HITId,WorkerId,AssignmentStatus,Answer.kind\\nH1,W1,Approved,cat\\n")
    >>> keras_crowd.io.read_mturk(file, "HITId", "Answer.kind").annotators.tolist()
    ['W1']

    Reference:
        Amazon Mechanical Turk documentation, "Assignment": `HITId`, `WorkerId`, `AssignmentStatus`; crowd HTML
        elements. Columns of the file: these, `Input.` and `Answer.` with names of the template, `Approve`, `Reject`.
    """
    refuse_others(read_mturk, rules)
    status, ids = texts("status", status, _STATUS), item_names(item)
    sets = is_of_sets(rules)
    if sets:
        rules = {"label_sep": "|", **rules}
    table = read_table(path, None, encoding=encoding, may_end=("Approve", "Reject"))
    _, header = next(table)
    *where, worker = _item_and_worker(path, header, ids)
    assignments = Assignments.of(path, header, _STATE, _STATUS, status, _READ)
    answers = _answer_columns(path, header, answer, field)
    names = (ids[0] if len(ids) == 1 else ids, _WORKER, answer)
    told: dict[str, Any] = {"rules": {**rules, "whole": True}, "missing": ("",)}
    builder = RowBuilder(path, names, lambda line, _: f"line {line}", text=True, **told)
    for line, row in table:
        if assignments.reads(row, line):
            item_id = row[where[0]] if len(ids) == 1 else tuple(row[i] for i in where)
            read = _set_answer if sets else _answer
            place = f"{path}, line {line}, {answer!r}"
            said = read([row[i] for i in answers.values()], answers, field, place)
            builder.add(item_id, row[worker], said, line)
    return assemble(builder.rows(), **rules)


def _item_and_worker(path: FILE, header: list[str], ids: Sequence[str]) -> list[int]:
    for name in ids:
        if header.count(name) != 1:
            refuse_column(f"{path}, header", name, header, "Input.")
    return column_positions(path, header, [*ids, _WORKER])


def _answer_columns(path: FILE, header: list[str], answer: str, field: str | None) -> dict[str, int]:
    """Finds the answer: in a column of that name, or in one for each radio button, by the button's name."""
    before = f"{answer}."
    if header.count(answer) == 1:
        return {"": header.index(answer)}
    buttons = {name.removeprefix(before): i for i, name in enumerate(header) if name.startswith(before)}
    if len(buttons) < 2 or field is not None or answer in header:
        refuse_column(f"{path}, header", answer, header, "Answer.")
    return buttons


def _answer(values: list[str], columns: dict[str, int], field: str | None, place: str) -> Any:
    if list(columns) != [""]:
        return pressed(_buttons(dict(zip(columns, values, strict=True)), place), place)
    value = values[0]
    if field is None:
        _refuse_json(value, place)
    if field is None or not value:
        return value
    found = chosen(parsed_json(value, place), field, place)
    return None if found is None else str(found)


def _set_answer(values: list[str], columns: dict[str, int], field: str | None, place: str) -> Any:
    if list(columns) != [""]:
        return dict(zip(columns, values, strict=True))
    if field is None:
        _refuse_json(values[0], place)
    if field is None or not values[0]:
        return values[0]
    return chosen(parsed_json(values[0], place), field, place, sets=True)


def _buttons(values: dict[str, str], place: str) -> dict[str, bool]:
    """Returns the radio button that was pressed, of those with columns of their own."""
    for name, value in values.items():
        if value.lower() not in _PRESSED:
            raise ValueError(
                f"{place}: expected true or false in the column of each radio button, or the whole name of one "
                f"column. Received: {value!r} in the column that ends in {'.' + name!r}"
            )
    return {name: _PRESSED[value.lower()] for name, value in values.items()}


def _refuse_json(value: str, place: str) -> None:
    """Raises where an answer is a whole form: all of them would be classes."""
    if value[:1] in ("[", "{"):
        try:
            form = parsed_json(value, place)
        except ValueError:  # text that begins like it
            return
        raise ValueError(
            f"{place}: expected an answer, or `field=` for one in JSON. "
            f"Received: JSON with the fields {shown(fields(form))}"
        )
