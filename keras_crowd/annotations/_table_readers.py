"""Builders of `Annotations` from tables of other packages; each function becomes one of its class methods."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from .._arguments import shown
from ._coo import from_coo
from ._csv import read_frame, refuse_words
from ._dense import class_label_names, column_names
from ._distributions import columns_of
from ._ids import column
from ._long_form import Read
from ._preferences import from_preferences
from ._rules import Duplicates, Empty, Judged, Unknown, is_of_sets, refuse_others
from ._set_rows import ticks_columns
from ._tuples import id_column


def from_dataframe(
    df: Any,
    item: str | Sequence[str] = "item",
    annotator: str = "annotator",
    answer: str = "answer",
    *,
    probabilities: str | Sequence[str] | None = None,
    ticks: Sequence[str] | Mapping[str, Hashable] | None = None,
    **kwargs: Any,
) -> Read:
    """Reads a data frame with one row per answer.

    Args:
        df: A pandas data frame, or another table of columns with names: of polars, pyarrow or Hugging Face, a dict.
        item: Name of the column of item ids. Where several columns tell items apart, a list of their names: ids are
            then tuples. Defaults to `"item"`.
        annotator: Name of the column of annotator ids. Defaults to `"annotator"`.
        answer: Name of the column of answers: classes, or ratings if they are floats, as for `from_coo`. A categorical
            column gives `classes` its categories. Defaults to `"answer"`.
        probabilities: Names of columns that hold soft answers, in place of `answer`: one for each class, whose names
            are the ids of the classes unless `classes=` gives others, in the same order; or one column of objects
            `{"cat": 0.7, "dog": 0.3}`, dicts or JSON, among which may stand hard answers. Defaults to `None`.
        ticks: Names of columns of true and false (1 and 0, -1 for not shown), in place of `answer`, one for each label
            of sets of labels; or a dict of the names and the labels that they are about. The labels are `classes`, in
            the order of the columns, unless `classes=` is given. Defaults to `None`.
        **kwargs: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `from_coo`.
    """
    refuse_others(from_dataframe, kwargs)
    names = column_names(df)
    if probabilities is not None and (is_of_sets(kwargs) or ticks is not None):
        raise ValueError(
            "`probabilities=` is for soft answers, `ticks=` and `sets=True` for sets of labels: give one of them."
        )
    if ticks is not None:
        return from_coo(id_column(df, item), df[annotator], _ticks(df, names, ticks, kwargs), **kwargs)
    named = {"item": item, "annotator": annotator, "answer": answer if probabilities is None else annotator}
    for argument, name in named.items():
        several = isinstance(name, list)
        if not all(one in names for one in name) or not name if several else name not in names:
            raise ValueError(
                f"`{argument}` must name a column of the table. "
                f"Received: {argument}={name!r}, columns {shown(list(names))}"
            )
    if probabilities is not None:
        soft = columns_of(df, probabilities, kwargs.get("classes"))
        return from_coo(id_column(df, item), df[annotator], soft, **kwargs)
    return from_coo(id_column(df, item), df[annotator], class_label_names(df, answer), **kwargs)


def _ticks(df: Any, names: list[Any], ticks: Any, rules: dict[str, Any]) -> list[dict[Hashable, Any]]:
    """Reads what each row says about each label, and completes the rules for reading it."""
    labels = ticks_columns(ticks)
    unknown = [name for name in labels if name not in names]
    if unknown:
        raise ValueError(
            f"`ticks` must name columns of the table. Received: {unknown[0]!r}, columns {shown(list(names))}"
        )
    rules["sets"] = True
    if rules.get("classes") is None:
        rules["classes"] = list(labels.values())
    columns = [column(name, df[name]).tolist() for name in labels]
    return [dict(zip(labels.values(), row, strict=True)) for row in zip(*columns, strict=True)]


def from_csv(
    path: str | os.PathLike[str],
    item: str | Sequence[str] = "item",
    annotator: str = "annotator",
    answer: str = "answer",
    *,
    probabilities: str | Sequence[str] | None = None,
    ticks: Sequence[str] | Mapping[str, Hashable] | None = None,
    items: Sequence[Hashable] | None = None,
    annotators: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | int | None = None,
    ratings: bool = False,
    sets: bool = False,
    label_sep: str | None = None,
    empty: Empty | None = None,
    judged: Judged | None = None,
    duplicates: Duplicates = "error",
    unknown: Unknown = "error",
    **read_csv: Any,
) -> Read:
    """Reads a CSV file with one row per answer. Needs pandas.

    Args:
        path: The file. `io.read_long` is strict about malformed ones and says where they are so.
        item: Name of the column of item ids, or a list of names, as for `from_dataframe`. Defaults to `"item"`.
        annotator, answer: Names of the columns.
        probabilities: Names of columns of soft answers, as for `from_dataframe`. Defaults to `None`.
        ticks: Names of columns of true and false, one for each label of sets of labels, as for `from_dataframe`.
            Defaults to `None`.
        items, annotators, classes, ratings, sets, label_sep, empty, judged, duplicates, unknown: As for `from_coo`.
        **read_csv: Passed to `pandas.read_csv` (`sep`, `dtype`, `encoding`, ...). Only blanks and
            "NaN" are read as missing ("NA" and "None" are ids and classes), unless you say otherwise.
            pandas reads integers with a hole as floats, so as ratings: pass `classes=`.

    Raises:
        ValueError: As `from_coo`; and when the file is no such table, or has floats beside words as answers.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError("`Annotations.from_csv` needs pandas: pip install pandas") from error
    refuse_others(from_csv, read_csv, pandas.read_csv)
    df = read_frame(pandas, path, read_csv)
    hard = probabilities is None and ticks is None and classes is None and not (ratings or sets)
    if hard and answer in df.columns and "dtype" not in read_csv:
        refuse_words(path, answer, df[answer].dropna().unique().tolist())
    return from_dataframe(
        df,
        item,
        annotator,
        answer,
        probabilities=probabilities,
        ticks=ticks,
        items=items,
        annotators=annotators,
        classes=classes,
        ratings=ratings,
        sets=sets,
        label_sep=label_sep,
        empty=empty,
        judged=judged,
        duplicates=duplicates,
        unknown=unknown,
    )


def from_preference_table(
    df: Any,
    item_a: str = "item_a",
    item_b: str = "item_b",
    annotator: str = "annotator",
    winner: str = "winner",
    *,
    shown_first: str | None = None,
    **kwargs: Any,
) -> Read:
    """Reads a data frame with one row per comparison, such as crowd-kit's `left`, `right`, `worker`, `label`.

    Args:
        df: A pandas data frame, or another table of columns with names, as for `from_dataframe`.
        item_a, item_b, annotator, winner: Names of the columns, which hold what `from_preferences` takes.
        shown_first: Name of the column that says which item the annotator saw first. Defaults to `None`: `item_a`.
        **kwargs: `choices=`, `ties=`, `grades=`, `pairs=`, `annotators=` and `duplicates=`, as for
            `from_preferences`.

    Raises:
        ValueError: As `from_preferences`; and when a column is not there.

    Example:

    >>> table = {"left": ["x", "y"], "right": ["y", "z"], "worker": ["ann", "bob"], "label": ["x", "z"]}
    >>> keras_crowd.Annotations.from_preference_table(table, "left", "right", "worker", "label").dense()
    array([[ 0, -1],
           [-1,  1]], dtype=int32)
    """
    names = column_names(df)
    named = {"item_a": item_a, "item_b": item_b, "annotator": annotator, "winner": winner}
    named |= {} if shown_first is None else {"shown_first": shown_first}
    for argument, name in named.items():
        if name not in names:
            raise ValueError(
                f"`{argument}` must name a column of the table. "
                f"Received: {argument}={name!r}, columns {shown(list(names))}"
            )
    return from_preferences(**{argument: df[name] for argument, name in named.items()}, **kwargs)
