"""Amazon Mechanical Turk: the results of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from ..annotations import Annotations
from ..annotations._rules import Rules, refuse_others
from ._arguments import texts
from ._chosen import chosen, fields
from ._rows import RowBuilder, assemble, refuse
from ._text import FILE, parsed_json, read_table

_STATUS = ("Submitted", "Approved", "Rejected")


def read_mturk(
    path: FILE,
    item: str,
    answer: str,
    *,
    field: str | None = None,
    status: str | Sequence[str] = ("Submitted", "Approved"),
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads the batch results of Amazon Mechanical Turk, a CSV file with one row an assignment.

    Rows may lack the last two columns, `Approve` and `Reject`, which are for whoever reviews them.

    Args:
        path: The file.
        item: Name of the column that tells items apart, as in `"Input.image_url"` or `"HITId"`.
        answer: Name of the column of answers, as in `"Answer.category.label"`, or `"Answer.taskAnswers"`.
        field: For a column of JSON, as `"Answer.taskAnswers"` is: the keys to the answer, joined by dots, as in
            `"category.label"`. Radio buttons, `{"cat": true, "dog": false}`, are read as the one that is true.
        status: The assignments to read, some of `"Submitted"`, `"Approved"` and `"Rejected"`.
        encoding: That of the file.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `duplicates=` and `unknown=`, as for
            `read_long`.

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
    status = texts("status", status, _STATUS)
    columns = (item, "WorkerId", answer, "AssignmentStatus")
    builder = RowBuilder(path, columns[:3], lambda line, _: f"line {line}", text=True, missing=("",))
    table = read_table(path, columns, encoding=encoding, may_end=("Approve", "Reject"))
    next(table)  # the header
    for line, (item_id, worker, value, state) in table:
        if state not in _STATUS:
            refuse(str(path), f"line {line}", columns[3], f"one of {', '.join(_STATUS)}", state)
        if state in status:
            builder.add(item_id, worker, _answer(value, field, path, line, answer), line)
    return assemble(builder.rows(), **rules)


def _answer(value: str, field: str | None, path: FILE, line: int, column: str) -> Any:
    place = f"{path}, line {line}, {column!r}"
    if field is None:
        _refuse_json(value, place)
    if field is None or not value:
        return value
    found = chosen(parsed_json(value, place), field, place)
    return None if found is None else str(found)


def _refuse_json(value: str, place: str) -> None:
    """Raises where an answer is a whole form: all of them would be classes."""
    if value[:1] in ("[", "{"):
        try:
            form = parsed_json(value, place)
        except ValueError:  # text that begins like it
            return
        raise ValueError(
            f"{place}: expected an answer, or `field=` for one in JSON. "
            f"Received: JSON with the fields {fields(form)[:12]}"
        )
