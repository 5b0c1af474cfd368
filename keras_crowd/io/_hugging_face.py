"""Data sets of Hugging Face whose rows hold all answers to an item, in columns of lists."""

from __future__ import annotations

import json
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from .._arguments import shown
from ..annotations import Annotations, Rules, are_sets, is_of_sets, refuse_others, refuse_soft
from ._columns import Column
from ._estimates import labels
from ._headers import refuse_column
from ._parquet import ArrowCoder, pyarrow
from ._row_builder import Rows, set_coder
from ._rows import assemble
from ._set_cells import set_cells
from ._tables import plain


def read_hugging_face(
    dataset: Any,
    annotator: str | None = "annotators",
    answer: str = "answers",
    *,
    item: str | None = None,
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads a `datasets.Dataset` with one row per item and its annotators and answers in two lists.

    Columns are read as Arrow tables, batch by batch; nothing else of the data set is touched.

    Args:
        dataset: A `datasets.Dataset` (one split), or a `pyarrow.Table`, as `pyarrow.parquet.read_table` reads the files
            that `datasets` writes.
        annotator: Name of the column of lists of annotators. `None` where the data set does not say who answered:
            annotators are then the places in the lists, `0, 1, ...`, which may be other people in each row. Defaults to
            `"annotators"`.
        answer: Name of the column of lists of answers, as long as those of annotators. Lists of `ClassLabel` give
            `classes` their names. With `sets=True` lists of lists of labels, an empty one where nothing was ticked.
            Defaults to `"answers"`.
        item: Name of the column of item ids. Defaults to the number of the row.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`; items are all rows, in their order.

    Raises:
        ValueError: When a column is missing or of another kind, or lists differ in length; the message names
            row and column.

    Example:

    >>> import pyarrow
    >>> table = pyarrow.table({"annotators": [["ann", "bob"], []], "answers": [["cat", "dog"], []]})
    >>> keras_crowd.io.read_hugging_face(table).dense()
    array([[ 0,  1],
           [-1, -1]], dtype=int32)

    Reference:
        Hugging Face `datasets` documentation, "Dataset features": `List` or `Sequence`, `ClassLabel`.
    """
    refuse_others(read_hugging_face, rules)
    if isinstance(dataset, dict) or not (hasattr(dataset, "to_batches") or hasattr(dataset, "with_format")):
        raise ValueError(
            "`dataset` must be a `datasets.Dataset` of one split, or a `pyarrow.Table`. "
            f"Received: {type(dataset).__name__}"
        )
    source = f"data set {getattr(getattr(dataset, 'info', None), 'dataset_name', None) or ''}".strip()
    wanted = [name for name in (item, annotator, answer) if name is not None]
    names = list(dataset.column_names)
    missing = [name for name in wanted if names.count(name) != 1]
    if missing:
        refuse_column(source, missing[0], names)
    class_names = _class_names(dataset, answer)
    if class_names and rules.get("classes") is None and not rules.get("ratings"):
        rules["classes"] = class_names
    who = ArrowCoder(annotator or "annotator", source)
    what = (
        _SetsOfLists(answer, source, class_names, rules)
        if is_of_sets(rules)
        else ArrowCoder(answer, source)
    )
    ids = ArrowCoder(item or "row", source)
    counts, start = [np.zeros(0, int)], 0
    for batch in _batches(dataset, wanted):
        lengths = _flatten(batch.column(answer), what, start)
        if annotator is not None:
            _refuse_lengths(who, _flatten(batch.column(annotator), who, start), what, lengths, start)
        if item is not None:
            ids.add(_one_chunk(batch.column(item)))
        counts.append(lengths)
        start += len(lengths)
    lengths_of_all = np.concatenate(counts)
    row = np.repeat(np.arange(start), lengths_of_all).astype(np.int32)
    rows = Column(np.arange(start), np.arange(start), "row") if item is None else ids.column()
    answers = what.column()
    of_sets = what.coder if isinstance(what, _SetsOfLists) else None
    if class_names and of_sets is None:
        answers = answers._replace(values=_named(source, answers, class_names))
    found = Rows(
        source,
        rows._replace(codes=rows.codes[row]),
        who.column() if annotator is not None else _places(lengths_of_all),
        answers,
        lambda i: f"row {row[i]}",
        items=rows.values.tolist(),
        sets=of_sets,
    )
    return assemble(found, **rules)


def hugging_face_columns(
    annotations: Annotations, estimates: Any = None, threshold: npt.ArrayLike | None = None
) -> dict[str, list[Any]]:
    """Makes columns for `datasets.Dataset.from_dict`: one row per item, with lists of annotators and answers.

    Args:
        annotations: The answers.
        estimates: A posterior or other probabilities `(items, classes)`; class codes `(items,)` with `-1` for none; or
            estimated ratings `(items,)`; or of pandas, as for `write_labels`; or sets of labels, as there. Defaults to
            `None`.
        threshold: Float, or one per label. Probability above which a label of a set is written. Defaults to 0.5.

    Returns:
        Lists `item`, `annotators` and `answers`; with `estimates` `label` as well, and with probabilities
        `confidence` and `probabilities`. `read_hugging_face(dataset, item="item")` reads the first three.

    Raises:
        ValueError: When `estimates` do not fit the annotations.

    Example:

    >>> annotations = keras_crowd.Annotations.from_dense([[0, 1], [1, -1]], classes=["cat", "dog"])
    >>> keras_crowd.io.hugging_face_columns(annotations)["answers"]
    [['cat', 'dog'], ['dog']]
    """
    refuse_soft("hugging_face_columns", annotations)
    ends = np.cumsum(annotations.answers_per_item()).tolist()
    starts = [0, *ends[:-1]]
    who, what = (
        plain("annotators", annotations.annotators[annotations.annotator_index]),
        _said(annotations),
    )
    columns = {
        "item": plain("item", annotations.items),
        "annotators": [who[a:b] for a, b in zip(starts, ends, strict=True)],
        "answers": [what[a:b] for a, b in zip(starts, ends, strict=True)],
    }
    if estimates is None:
        return columns
    found = labels(annotations, estimates, threshold)
    columns["label"] = found.values
    if found.probabilities is not None:
        columns |= {"confidence": found.confidences, "probabilities": found.probabilities.tolist()}
    return columns


def _said(annotations: Annotations) -> list[Any]:
    """The answers; sets as lists of labels."""
    if not are_sets(annotations):
        return plain("answers", annotations.ids())
    not_shown = np.any(annotations.answers < 0, axis=1)
    if np.any(not_shown):
        raise ValueError(
            "`annotations` must say something of every label: lists do not tell labels that were not shown from "
            f"others that were not ticked. Received: {int(not_shown.sum())} answers that do not"
        )
    return set_cells(annotations.answers, annotations.classes, "jsonl")


def _batches(dataset: Any, columns: list[str]) -> Any:
    if hasattr(dataset, "to_batches"):  # a table of pyarrow
        return dataset.select(columns).to_batches()
    return dataset.select_columns(columns).with_format("arrow").iter(batch_size=10_000)


class _SetsOfLists:
    """Makes a `Column` of lists of labels, as `ArrowCoder` of one label each."""

    def __init__(self, name: str, source: str, class_names: list[str] | None, rules: Rules) -> None:
        self.name, self.source = name, source
        self.coder = set_coder(name, False, (), {**rules, "whole": True, "json_keys": False})
        self._class_names = class_names

    def add(self, array: Any) -> None:
        """Appends an array of lists."""
        for cell in array.to_pylist():
            named = self._named(cell)
            problem = self.coder.problem(named)
            if problem:
                raise ValueError(
                    f"{self.source}, column {self.name!r}: expected {problem}. Received: {shown(cell)}"
                )
            self.coder.add(named)

    def column(self) -> Column:
        """All sets so far, as rows of the coder's table."""
        return Column(self.coder.codes(), np.arange(len(self.coder)), self.name)

    def _named(self, codes: Any) -> Any:
        """Labels by their names, where a `ClassLabel` has them."""
        names = self._class_names
        if names is None or not isinstance(codes, list):
            return codes
        if any(code is None or not 0 <= code < len(names) for code in codes):
            raise ValueError(
                f"{self.source}, {self.name!r}: expected class codes 0 to {len(names) - 1}. Received: {shown(codes)}"
            )
        return [names[code] for code in codes]


def _flatten(lists: Any, coder: ArrowCoder | _SetsOfLists, start: int) -> np.ndarray:
    """Gives the elements to the coder; the length of each list."""
    pa, lists = pyarrow(), _one_chunk(lists)
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_kind(lists.type) for is_kind in kinds):
        raise ValueError(f"{coder.source}, column {coder.name!r}: expected lists. Received: {lists.type}")
    if lists.null_count:
        row = start + int(np.argmax(np.asarray(lists.is_null())))
        raise ValueError(f"{coder.source}, row {row}, {coder.name!r}: expected a list. Received: null")
    if pa.types.is_null(lists.type.value_type):  # all lists are empty
        return np.zeros(len(lists), int)
    coder.add(lists.flatten())
    return np.asarray(lists.value_lengths())


def _places(lengths: np.ndarray) -> Column:
    """The place of each element in its list."""
    ends = np.cumsum(lengths)
    places = np.arange(lengths.sum()) - np.repeat(ends - lengths, lengths)
    return Column(places.astype(np.int32), np.arange(max(lengths, default=0)), "annotator")


def _one_chunk(array: Any) -> Any:
    """A column of a table or of a batch as one array."""
    if not isinstance(array, pyarrow().ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()


def _refuse_lengths(
    who: ArrowCoder,
    who_lengths: np.ndarray,
    what: ArrowCoder | _SetsOfLists,
    what_lengths: np.ndarray,
    start: int,
) -> None:
    different = who_lengths != what_lengths
    if np.any(different):
        row = int(np.argmax(different))
        raise ValueError(
            f"{who.source}, row {start + row}: expected as many {who.name!r} as {what.name!r}. "
            f"Received: {who_lengths[row]} and {what_lengths[row]}"
        )


def _class_names(dataset: Any, answer: str) -> list[str] | None:
    """Names of a `ClassLabel` in lists, of sets in lists of lists."""
    feature = _features(dataset).get(answer)
    while feature is not None and _part(feature, "names") is None:
        feature = next(iter(feature), None) if isinstance(feature, list) else _part(feature, "feature")
    return None if feature is None else list(_part(feature, "names"))


def _features(dataset: Any) -> Any:
    """The features of a data set; of a table those that `datasets` wrote into its schema, if it did."""
    if hasattr(dataset, "features"):
        return dataset.features
    written = (getattr(dataset.schema, "metadata", None) or {}).get(b"huggingface")
    return {} if written is None else json.loads(written).get("info", {}).get("features", {})


def _part(feature: Any, name: str) -> Any:
    return feature.get(name) if isinstance(feature, dict) else getattr(feature, name, None)


def _named(source: str, answer: Column, names: list[str]) -> np.ndarray:
    wrong = [code for code in answer.values.tolist() if not 0 <= code < len(names)]
    if wrong:
        raise ValueError(
            f"{source}, {answer.name!r}: expected class codes 0 to {len(names) - 1}. Received: {wrong[0]}"
        )
    return np.array(names, object)[answer.values.astype(int)]
