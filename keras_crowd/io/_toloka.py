"""Toloka: the results of a pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from ..annotations import Annotations, Rules, is_of_sets, refuse_others
from ._assignments import Assignments
from ._headers import column_positions, refuse_column
from ._names import item_names, texts
from ._opened import FILE
from ._row_builder import RowBuilder
from ._rows import assemble
from ._text import read_table

_WORKER, _STATE, _GOLDEN = "ASSIGNMENT:worker_id", "ASSIGNMENT:status", "GOLDEN:"
_STATUS = ("ACTIVE", "SUBMITTED", "APPROVED", "REJECTED", "SKIPPED", "EXPIRED")
_READ = ("SUBMITTED", "APPROVED")


def read_toloka(
    path: FILE,
    item: str | Sequence[str],
    answer: str,
    *,
    status: str | Sequence[str] = _READ,
    control_tasks: bool = True,
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads the results of a pool of Toloka, a TSV file with one row per task and worker.

    Tables of crowd-kit, `task, worker, label`, are read by `read_long(path, "task", "worker", "label")`.

    Args:
        path: The file.
        item: Name of the column of item ids, as in `"INPUT:image"`. Tasks that show several things, side by side, have
            a column for each: a list of names, as for `read_long`.
        answer: Name of the column of answers, as in `"OUTPUT:result"`. With `sets=True` an answer is a set of labels: a
            list, or an object of boxes, in JSON; or a text that `label_sep=` splits. Toloka leaves boxes that are not
            ticked out, so `judged` is `"all"` unless something else is said.
        status: The assignments to read. Those that were rejected, or not finished, are left out. Files without the
            column `ASSIGNMENT:status` are read whole.
        control_tasks: Boolean. Whether to read tasks whose answer was known (`GOLDEN:` is filled in) as well. Defaults
            to `True`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

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
    status, ids = texts("status", status, _STATUS), item_names(item)
    if is_of_sets(rules):
        rules = {"judged": "all", **rules}
    table = read_table(path, None, sep="\t", encoding=encoding)
    _, header = next(table)
    for name, kind in (*((name, "INPUT:") for name in ids), (answer, "OUTPUT:"), (_WORKER, "")):
        if header.count(name) != 1:
            refuse_column(f"{path}, header", name, header, kind)
    *where, said, worker = column_positions(path, header, [*ids, answer, _WORKER])
    assignments = Assignments.of(path, header, _STATE, _STATUS, status, _READ)
    golden = [i for i, name in enumerate(header) if name.startswith(_GOLDEN)]
    names = (ids[0] if len(ids) == 1 else ids, _WORKER, answer)
    told: dict[str, Any] = {"rules": {**rules, "whole": True}, "missing": ("",)}
    builder = RowBuilder(path, names, lambda line, _: f"line {line}", text=True, **told)
    for line, row in table:
        is_control = any(row[i] for i in golden)
        if assignments.reads(row, line) and (control_tasks or not is_control):
            item_id = row[where[0]] if len(ids) == 1 else tuple(row[i] for i in where)
            builder.add(item_id, row[worker], row[said], line)
    return assemble(builder.rows(), **rules)
