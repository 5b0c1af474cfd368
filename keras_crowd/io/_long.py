"""Tables with one row per answer: CSV, TSV, JSON Lines, Parquet."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Unpack

from ..annotations import Annotations, Rules, are_sets, is_of_sets, refuse_others, ticks_columns
from ._columns import joined
from ._names import item_names, refuse_same_names, texts
from ._parquet import keeps_dictionary, parquet_columns
from ._records import records_of
from ._row_builder import RowBuilder, Rows
from ._rows import assemble
from ._set_cells import set_columns
from ._sets import of_ticks, refuse_sets, with_ticks
from ._soft import read_soft, soft_columns, soft_names
from ._tables import (
    MISSING_TEXTS,
    TEXT_FORMATS,
    checked_names,
    format_of,
    item_columns,
    separator,
    write_table,
)
from ._text import FILE


def read_long(
    path: FILE,
    item: str | Sequence[str] = "item",
    annotator: str = "annotator",
    answer: str = "answer",
    *,
    probabilities: str | Sequence[str] | None = None,
    ticks: Sequence[str] | Mapping[str, Hashable] | None = None,
    missing: str | Sequence[str] = MISSING_TEXTS,
    sep: str | None = None,
    names: Sequence[str] | None = None,
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads a table with one row per answer, in the format of the file's ending.

    `.csv`, `.tsv` and `.txt` have a header, or no header and `names=`; `.jsonl` (or `.ndjson`) has one object per line;
    `.parquet` is read in chunks (needs `pip install 'keras_crowd[io]'`). All but Parquet may be compressed, as
    `.csv.gz`.

    Text formats hold only text. A column in which every id is an integer in its common form ("7", not "007") becomes
    integers, unless `items=`, `annotators=` or `classes=` has text. Answers that are all numbers, floats among them,
    are ratings, unless `classes=` is given; floats beside anything else (1.5 and "n/a") are refused: `missing=` or
    `classes=` says what they are.

    A column of answers that Parquet has as a categorical of texts (of pandas, or an ordered dictionary of Arrow)
    gives `classes` its categories, in their order and those nobody gave among them, as `from_dataframe` does.
    Parquet keeps no such order of numbers: they need `classes=`.

    Args:
        path: The file.
        item: Name of the column of item ids. Where several columns tell items apart, a list of their names: ids are
            then tuples. Defaults to `"item"`.
        annotator, answer: Names of the columns.
        probabilities: Names of columns that hold soft answers, in place of `answer`: one for each class, whose names
            are the ids of the classes unless `classes=` gives others, in the same order; or one column of JSON objects,
            `{"cat": 0.7, "dog": 0.3}`, among which may stand hard answers. Blanks in all of a row, or zeros, mean "did
            not answer". Defaults to `None`.
        ticks: Names of columns of true and false (1 and 0, -1 for not shown), in place of `answer`, one for each label
            of sets of labels; or a dict of the names and the labels that they are about. The labels are `classes`, in
            the order of the columns, unless `classes=` is given. Defaults to `None`.
        missing: Answers in a text format that mean "did not answer", one or several. The default are those of
            `Annotations.from_csv`; a class of such a name needs `missing=""`.
        sep: String. Separator of the fields of a text table. Defaults to a comma in `.csv` and a tab in the others.
        names: Names of all columns, from left to right, of a text table without a header. Defaults to `None`: the
            first line has them.
        encoding: String. Encoding of a text format. Defaults to `"utf-8"`.
        items: Ids of all items, **in the order of the rows of your features**; those that nobody answered
            may be among them. Defaults to the ids seen, sorted.
        annotators: Ids of all annotators, likewise.
        classes: Ids of all classes, in the order of the classifier's outputs; a number `K` means
            `0, ..., K - 1`. Defaults likewise.
        ratings: Whether the answers are ratings even if they are whole numbers, so that 4 in one file and 4.5 in the
            next are of one kind. Defaults to `False`: whole numbers are classes.
        sets: Whether the answers are sets of labels, of which an annotator ticks several. A field is then a list of
            labels (in text formats JSON, `["cat", "dog"]`); an object that says true or false of labels; a text of
            labels between `label_sep`; or one label, and the rows of an annotator about an item together are the set.
            Defaults to `False`.
        label_sep: Separator of the labels in a text, such as `";"`. Defaults to `None`: a text is one label.
        empty: What a blank means in sets: `"nothing"`, the annotator ticked nothing; or `"missing"`, the annotator did
            not answer. Defaults to `None`: a blank is refused. `[]` always means that nothing was ticked.
        judged: Which labels the annotators were shown; of others nothing is known (-1). `"all"`; `"listed"`, those of
            which an object says something; or a dict of item ids and the labels shown of each. Defaults to `"listed"`
            for objects and to `"all"` for anything else.
        duplicates: What to do when an annotator answered an item more than once: `"error"`; keep the
            `"first"` or the `"last"` of the file; or the answer given most often, `"majority"`. Where rows of one
            label are joined to a set, only the same label twice is an error.
        unknown: What to do with answers that are not among `classes`: `"error"`, or `"drop"` them.

    Returns:
        `Annotations`.

    Raises:
        ValueError: When the file is malformed, an id is missing or unknown, or answers are repeated; the
            message names file, line and column.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answers.csv"
    >>> size = file.write_text("task,worker,label\\n1,ann,cat\\n1,bob,dog\\n2,ann,cat\\n")
    >>> keras_crowd.io.read_long(file, "task", "worker", "label").dense()
    array([[ 0,  1],
           [ 0, -1]], dtype=int32)
    """
    refuse_others(read_long, rules)
    ids = item_names(item)
    columns = (*ids, annotator, answer)
    missing = texts("missing", missing)
    format_ = format_of(path)
    sep, names = separator(format_, sep), checked_names(format_, names)
    records = functools.partial(records_of, path, format_, sep=sep, names=names, encoding=encoding)
    noun = "row" if format_ == "parquet" else "line"
    form: dict[str, Any] = {"text_ids": format_ in TEXT_FORMATS, "noun": noun}
    if probabilities is not None:
        refuse_sets(rules, ticks)
        soft = soft_names(probabilities)
        collect = functools.partial(_collect, path, (*ids, annotator, ", ".join(soft)), text=False, **form)
        return read_soft(path, records((*ids, annotator, *soft)), soft, collect, noun, missing, **rules)
    if ticks is not None:
        labels = ticks_columns(ticks)
        rules = of_ticks(rules, labels)
        table = with_ticks(records((*ids, annotator, *labels)), labels)
        rows = _collect(
            path, (*ids, annotator, "ticks"), table, text=False, missing=missing, rules=rules, **form
        )
        return assemble(rows, **rules)
    match format_:
        case "parquet" if is_of_sets(rules):
            rows = _collect(path, columns, records(columns), text=False, noun=noun, rules=rules)
        case "parquet":
            *found, who, said = parquet_columns(path, columns)
            what = found[0] if len(ids) == 1 else joined(", ".join(ids), found)
            categories = said.values.tolist() if keeps_dictionary(path, answer) else None
            rows = Rows(str(path), what, who, said, lambda row: f"row {row + 1}", classes=categories)
        case "jsonl":
            rows = _collect(path, columns, records(columns), text=False, rules=rules)
        case _:
            rows = _collect(path, columns, records(columns), text=True, missing=missing, rules=rules)
    return assemble(rows, **rules)


def write_long(
    path: FILE,
    annotations: Annotations,
    item: str | Sequence[str] = "item",
    annotator: str = "annotator",
    answer: str = "answer",
    *,
    probabilities: Sequence[str] | None = None,
    ticks: Sequence[str] | Mapping[str, Hashable] | None = None,
    label_sep: str | None = None,
    encoding: str = "utf-8",
    escape_formulas: bool = False,
) -> None:
    """Writes one row per answer, sorted by item and annotator, in the format of the file's ending.

    `read_long` gives the same annotations back, once it is told the `items=`, `annotators=` and `classes=` that a table
    of answers does not know (their order, and which of them have no answer).

    Args:
        path: The file, `.csv`, `.tsv`, `.txt`, `.jsonl` or `.parquet`; all but the last may be compressed, as
            `.csv.gz`.
        annotations: What to write.
        item: Name of the column of item ids; of ids that are tuples, a list of names, one for each part. Defaults to
            `"item"`.
        annotator, answer: Names of the columns.
        probabilities: Names of columns of probabilities to write in place of `answer`, one for each class. Without,
            soft answers are JSON objects in the column `answer`, which `read_long(probabilities="answer")` reads.
            Defaults to `None`.
        ticks: Names of columns of 1, 0 and -1 to write in place of `answer`, one for each label of sets of labels; or a
            dict of the names and the labels. Without, sets are lists in the column `answer` (in text formats as JSON),
            or objects of true and false where some labels were not shown; `read_long(sets=True)` reads both. Defaults
            to `None`.
        label_sep: String. Separator of the labels of a set. Defaults to `None`, as under `ticks`.
        encoding: String. Encoding of a text format. Defaults to `"utf-8"`.
        escape_formulas: Boolean. Whether to write an apostrophe before a text that begins with `=`, `+`, `-`, `@`, a
            tab or a line break and is no number. Opened in a spreadsheet, such a text in a `.csv` or `.tsv` file is run
            as a formula, and ids and answers may come from strangers. Texts that were changed in this way are not read
            back as they were. Defaults to `False`.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answers.csv"
    >>> keras_crowd.io.write_long(file, keras_crowd.Annotations.from_dense([[1, -1], [0, 1]]))
    >>> print(file.read_text())
    item,annotator,answer
    0,0,1
    1,0,0
    1,1,1
    """
    format_, answers = format_of(path), {answer: annotations.ids()}
    if are_sets(annotations):
        answers = set_columns(annotations, answer, format_, label_sep, ticks)
    elif ticks is not None or label_sep is not None:
        raise ValueError(f"`ticks` and `label_sep` are for sets of labels. Received: {annotations!r}")
    elif annotations.is_soft or probabilities is not None:
        answers = soft_columns(annotations, answer, probabilities, as_text=format_ != "jsonl")
    refuse_same_names(*item_names(item), annotator, *answers)
    columns = {
        **item_columns(item, annotations.items, annotations.item_index),
        annotator: annotations.annotators[annotations.annotator_index],
        **answers,
    }
    write_table(path, columns, encoding, escape_formulas)


def _collect(
    path: FILE,
    names: Sequence[str],
    records: Iterator[tuple[int, list[Any]]],
    *,
    text: bool,
    missing: Sequence[str] = (),
    text_ids: bool | None = None,
    noun: str = "line",
    rules: Rules | None = None,
) -> Rows:
    *ids, annotator_name, answer_name = names
    one = len(ids) == 1
    named = (ids[0] if one else ids, annotator_name, answer_name)
    builder = RowBuilder(path, named, lambda line, _: f"{noun} {line}", text, missing, text_ids, rules)
    for line, (*item, annotator, answer) in records:
        builder.add(item[0] if one else item, annotator, answer, line)
    return builder.rows()
