"""Tables of what was learned: labels of the items, and annotators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..annotations import Annotations, are_sets, column
from ._estimates import labels
from ._names import refuse_same_names
from ._opened import FILE
from ._set_cells import list_cells
from ._tables import format_of, item_columns, write_table


def write_labels(
    path: FILE,
    annotations: Annotations,
    estimates: Any,
    item: str | Sequence[str] = "item",
    label: str = "label",
    *,
    confidence: str | None = "confidence",
    threshold: npt.ArrayLike | None = None,
    label_sep: str | None = None,
    encoding: str = "utf-8",
    escape_formulas: bool = False,
) -> None:
    """Writes one row per item: its label and its confidence.

    With suitable names of columns, labeling tools read the file: `item="task"` gives crowd-kit's frame of labels;
    `item="INPUT:image", label="GOLDEN:result", confidence=None` and a `.tsv` control tasks of Toloka;
    `item="image_url"` and a `.csv` the input of another batch of Mechanical Turk, whose results call it
    `Input.image_url`.

    Args:
        path: The file, as for `write_long`.
        annotations: The annotations that hold the items.
        estimates: A posterior or other probabilities `(items, classes)`; class codes `(items,)` with `-1` for
            none; or estimated ratings, floats `(items,)`. An item without a label is left out. A pandas data frame
            of probabilities is read by its ids (items are its index, classes its columns), a series of labels
            likewise (its values are classes, or ratings): both as crowd-kit gives them. Of sets of labels
            probabilities, booleans, or 1, 0 and -1 `(items, labels)`, or a list of labels for each item.
        item: Name of the column of item ids; of ids that are tuples, a list of names, one for each part. Defaults to
            `"item"`.
        label, confidence: Names of the columns. `confidence=None` leaves that column out; it is written only for
            probabilities. The confidence of a set is that of its least certain label.
        threshold: Float, or one per label. Probability above which a label of a set is written. Defaults to 0.5.
        label_sep: String. Separator of the labels of a set. Defaults to `None`: a list, in text formats as JSON.
        encoding: String. Encoding of a text format. Defaults to `"utf-8"`.
        escape_formulas: Boolean. Whether to write an apostrophe before a text that begins with `=`, `+`, `-`, `@`, a
            tab or a line break and is no number. Opened in a spreadsheet, such a text in a `.csv` or `.tsv` file is run
            as a formula, and ids and answers may come from strangers. Texts that were changed in this way are not read
            back as they were. Defaults to `False`.

    Raises:
        ValueError: When `estimates` do not fit the annotations.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "labels.csv"
    >>> annotations = keras_crowd.Annotations.from_coo(["a", "b"], ["ann", "ann"], ["cat", "dog"])
    >>> keras_crowd.io.write_labels(file, annotations, [[0.75, 0.25], [0.1, 0.9]])
    >>> print(file.read_text())
    item,label,confidence
    a,cat,0.75
    b,dog,0.9
    """
    found = labels(annotations, estimates, threshold).of(annotations)
    ids, values = (
        item_columns(item, column("items", list(found))),
        [label_.value for label_ in found.values()],
    )
    if are_sets(annotations):
        values = list_cells(values, format_of(path), label_sep)
    columns: list[tuple[str, Any]] = [*ids.items(), (label, values)]
    if confidence is not None and any(label_.confidence is not None for label_ in found.values()):
        columns.append((confidence, [label_.confidence for label_ in found.values()]))
    refuse_same_names(*(name for name, _ in columns))
    write_table(path, dict(columns), encoding, escape_formulas)


def write_questions(
    path: FILE,
    questions: Mapping[str, Any],
    item: str | Sequence[str] = "item",
    annotator: str = "annotator",
    *,
    encoding: str = "utf-8",
    escape_formulas: bool = False,
) -> None:
    """Writes one row per question to ask next: its item, its annotator, the expected gain, the cost.

    Args:
        path: The file, as for `write_long`.
        questions: What `acquisition.next_questions` returns.
        item: Name of the column of item ids; of ids that are tuples, a list of names, one for each part. Defaults to
            `"item"`.
        annotator: Name of the column of annotator ids. Defaults to `"annotator"`.
        encoding, escape_formulas: As for `write_labels`.

    Raises:
        ValueError: When two columns have one name.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "questions.csv"
    >>> answers = [[0, 0, -1], [0, 1, -1], [1, 1, -1]]
    >>> keras_crowd.io.write_questions(file, keras_crowd.acquisition.next_questions(answers, budget=1))
    >>> print(file.read_text().splitlines()[0])
    item,annotator,gain,cost
    """
    others = {name: values for name, values in questions.items() if name not in ("item", "annotator")}
    columns = [
        *item_columns(item, np.asarray(questions["item"])).items(),
        (annotator, questions["annotator"]),
    ]
    refuse_same_names(*(name for name, _ in columns), *others)
    write_table(path, dict(columns) | others, encoding, escape_formulas)


def write_annotators(
    path: FILE,
    annotations: Annotations,
    annotator: Any = "annotator",
    *,
    encoding: str = "utf-8",
    escape_formulas: bool = False,
    **columns: Any,
) -> None:
    """Writes one row per annotator: the number of answers, and whatever was learned about the annotator.

    Args:
        path: The file, as for `write_long`.
        annotations: The annotations that hold the annotators.
        annotator: Name of the column of ids. Or the ids themselves, which must be `annotations.annotators`: so that
            `**aggregation.annotator_table(...)` gives all columns. Defaults to `"annotator"`.
        encoding: String. Encoding of a text format. Defaults to `"utf-8"`.
        escape_formulas: Boolean. As for `write_labels`. Defaults to `False`.
        **columns: More columns, `(annotators,)` each: `accuracy=`, `bias=`, ... Confusions `(annotators,
            true, answer)` become one column per cell, as in "confusion[cat,dog]".

    Raises:
        ValueError: When a column does not have one value for each annotator, two have one name, or ids are others.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "annotators.csv"
    >>> annotations = keras_crowd.Annotations.from_dense([[0, 1], [1, -1]], annotators=["ann", "bob"])
    >>> keras_crowd.io.write_annotators(file, annotations, accuracy=[0.9, 0.5])
    >>> print(file.read_text())
    annotator,answers,accuracy
    ann,2,0.9
    bob,1,0.5
    >>> table = keras_crowd.aggregation.annotator_table(annotations, [[1.0, 0.0], [0.0, 1.0]])
    >>> keras_crowd.io.write_annotators(file, annotations, **table)
    """
    if not isinstance(annotator, str):
        if np.shape(annotator) != (annotations.num_annotators,) or list(annotator) != list(
            annotations.annotators
        ):
            raise ValueError(
                "`annotator` must be a name, or the ids of `annotations.annotators` in their order. "
                f"Received: annotator={annotator!r}"
            )
        annotator = "annotator"
    columns = {"answers": annotations.answers_per_annotator(), **columns}
    cells = [
        cell for name, values in columns.items() for cell in _cells(name, np.asarray(values), annotations)
    ]
    refuse_same_names(annotator, *(name for name, _ in cells))
    write_table(path, {annotator: annotations.annotators, **dict(cells)}, encoding, escape_formulas)


def _cells(name: str, values: np.ndarray, annotations: Annotations) -> list[tuple[str, np.ndarray]]:
    size, classes = annotations.num_annotators, annotations.classes
    if values.shape == (size,):
        return [(name, values)]
    if classes is not None and values.shape == (size, len(classes), len(classes)):
        return [
            (f"{name}[{true},{answer}]", values[:, k, j])
            for k, true in enumerate(classes.tolist())
            for j, answer in enumerate(classes.tolist())
        ]
    raise ValueError(
        f"`{name}` must have one value for each of {size} annotators. Received: shape {values.shape}"
    )
