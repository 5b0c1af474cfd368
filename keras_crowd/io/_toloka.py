"""Toloka: the results of a pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from ..annotations import Annotations
from ..annotations._rules import Rules, refuse_others
from ._arguments import texts
from ._rows import RowBuilder, assemble, refuse
from ._text import FILE, read_table

_WORKER, _STATE, _GOLDEN = "ASSIGNMENT:worker_id", "ASSIGNMENT:status", "GOLDEN:"
_STATUS = ("ACTIVE", "SUBMITTED", "APPROVED", "REJECTED", "SKIPPED", "EXPIRED")


def read_toloka(
    path: FILE,
    item: str,
    answer: str,
    *,
    status: str | Sequence[str] = ("SUBMITTED", "APPROVED"),
    control_tasks: bool = True,
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads the results of a pool of Toloka, a TSV file with one row a task and worker.

    Tables of crowd-kit, `task, worker, label`, are read by `read_long(path, "task", "worker", "label")`.

    Args:
        path: The file.
        item: Name of the column that tells items apart, as in `"INPUT:image"`.
        answer: Name of the column of answers, as in `"OUTPUT:result"`.
        status: The assignments to read. Those that were rejected, or not finished, are left out.
        control_tasks: Whether to read tasks whose answer was known (`GOLDEN:` is filled in) as well.
        encoding: That of the file.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `duplicates=` and `unknown=`, as for
            `read_long`.

    Returns:
        `Annotations`; annotators are those of `ASSIGNMENT:worker_id`.

    Raises:
        ValueError: When the file is malformed; the message names line and column.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "pool.tsv"
    >>> size = file.write_text("INPUT:text\\tOUTPUT:result\\tASSIGNMENT:worker_id\\tASSIGNMENT:status\\n"
    ...                        "hello\\tgood\\tw1\\tAPPROVED\\n")
    >>> keras_crowd.io.read_toloka(file, "INPUT:text", "OUTPUT:result").classes.tolist()
    ['good']

    Reference:
        Toloka documentation, "Receiving responses", fields in the file with responses: `INPUT:`, `OUTPUT:`,
        `GOLDEN:`, `ASSIGNMENT:worker_id`, `ASSIGNMENT:status`.
    """
    refuse_others(read_toloka, rules)
    status = texts("status", status, _STATUS)
    builder = RowBuilder(
        path, (item, _WORKER, answer), lambda line, _: f"line {line}", text=True, missing=("",)
    )
    table = read_table(path, None, sep="\t", encoding=encoding)
    _, header = next(table)
    missing = [name for name in (item, _WORKER, answer, _STATE) if name not in header]
    if missing:
        raise ValueError(f"{path}, header: expected a column {missing[0]!r}. Received: {header[:12]}")
    golden = [i for i, name in enumerate(header) if name.startswith(_GOLDEN)]
    for line, row in table:
        record = dict(zip(header, row, strict=True))
        if record[_STATE] not in _STATUS:
            refuse(str(path), f"line {line}", _STATE, f"one of {', '.join(_STATUS)}", record[_STATE])
        is_control = any(row[i] for i in golden)
        if record[_STATE] in status and (control_tasks or not is_control):
            builder.add(record[item], record[_WORKER], record[answer], line)
    return assemble(builder.rows(), **rules)
