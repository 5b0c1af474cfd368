"""Label Studio: its JSON export in, its predictions out."""

from __future__ import annotations

import json
from typing import Any, Unpack

import numpy.typing as npt

from ..annotations import Annotations, Rules, is_of_sets, refuse_others
from ._estimates import labels
from ._label_studio_results import (
    Result,
    answers,
    control_of,
    kept_annotations,
    only_control,
    read_tasks,
    value_of,
)
from ._names import refuse_same_file
from ._opened import FILE, replacing_text
from ._row_builder import RowBuilder
from ._rows import assemble
from ._text import follow, required, scalar


def read_label_studio(
    path: FILE,
    from_name: str | None = None,
    *,
    item: str = "id",
    predictions: bool = False,
    encoding: str = "utf-8",
    **rules: Unpack[Rules],
) -> Annotations:
    """Reads the JSON export of Label Studio ("JSON"; `read_label_studio_min` reads "JSON-MIN").

    Answers are the results of type `choices` (one choice), `taxonomy` (one path, "animal / cat"), `pairwise` ("left" or
    "right"; `read_label_studio_pairs` reads these as preferences), `rating` or `number` about whole tasks, not regions.
    With `sets=True` answers are sets of labels: choices (`choice="multiple"`) or paths of a taxonomy, any number of
    them. An annotation that was submitted without a result of the control then means that nothing was ticked, unless
    `empty="missing"`. Annotators are the ids in `completed_by`. Items are all tasks in the order of the file, including
    those that nobody annotated. Annotations that were cancelled (skipped) are left out.

    Args:
        path: The file.
        from_name: String. Name of the control of the labeling interface to read, where there are several. Defaults to
            `None`.
        item: String. What identifies tasks: `"id"`, or keys joined by dots, as in `"data.image"`. Defaults to `"id"`.
        predictions: Boolean. Whether to read the predictions instead, with `model_version` as the annotator. Defaults
            to `False`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.
            Ratings are classes (whole numbers) unless `ratings=True`, numbers are ratings.

    Returns:
        `Annotations`.

    Raises:
        ValueError: When the file is malformed or holds something else; the message names task and annotation.

    Example:

    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "export.json"
    >>> result = {"from_name": "kind", "to_name": "img", "type": "choices", "value": {"choices": ["cat"]}}
    >>> task = {"id": 7, "data": {}, "annotations": [{"completed_by": 1, "result": [result]}]}
    >>> size = file.write_text(json.dumps([task]))
    >>> keras_crowd.io.read_label_studio(file)
    Annotations(1 answers: 1 items x 1 annotators, 1 classes, 1.0 answers per item, 0 items unanswered)

    Reference:
        Label Studio documentation, "Label Studio JSON format of annotated tasks": `id`, `data`, `annotations`
        (`completed_by`, `was_cancelled`, `result`), `predictions` (`model_version`, `result`), and in a result
        `from_name`, `to_name`, `type`, `value`.
    """
    refuse_others(read_label_studio, rules)
    sets = is_of_sets(rules)
    if sets:
        rules = {"empty": "nothing", **rules}
    tasks = read_tasks(path, encoding)
    key = "predictions" if predictions else "annotations"
    from_name = from_name or only_control(path, tasks, key)
    builder = RowBuilder(
        path,
        (item, "model_version" if predictions else "completed_by", from_name),
        lambda task, one: f"task {task}" + (f", {key[:-1]} {one}" if one else ""),
        rules=rules,
    )
    for t, (place, task) in enumerate(tasks, 1):
        item_id = follow(task, item, place)
        builder.add_item(item_id, t)
        for one, annotation in kept_annotations(task, key, place):
            who = annotation.get("model_version") if predictions else annotator_of(annotation)
            for value in answers(annotation, from_name, f"{place}, {key[:-1]} {one}", sets):
                builder.add(item_id, who, value, t, one)
    rows = builder.rows()
    if sets or len(rows.answer.codes) == 0:
        control_of(path, tasks, from_name, key)  # says which there are
    return assemble(rows, **rules)


def write_label_studio(
    path: FILE,
    export: FILE,
    annotations: Annotations,
    estimates: Any,
    from_name: str | None = None,
    *,
    item: str = "id",
    threshold: npt.ArrayLike | None = None,
    model_version: str = "keras_crowd",
    encoding: str = "utf-8",
) -> None:
    """Writes the tasks of an export with predictions, to be imported into Label Studio.

    Each task keeps its id and data and gets one prediction, whose `score` is the probability of the label. Tasks that
    are no items of `annotations` are left out. The annotations themselves are not copied.

    Args:
        path: The file to write.
        export: The JSON export that `annotations` were read from.
        annotations: The annotations whose items were estimated.
        estimates: A posterior or other probabilities `(items, classes)`; class codes `(items,)` with `-1` for
            none; or estimated numbers, floats `(items,)`; or of pandas, as for `write_labels`; or sets of labels, as
            there, whose `score` is that of the least certain label.
        from_name, item, encoding: As for `read_label_studio`.
        threshold: Float, or one per label. Probability above which a label of a set is written. Defaults to 0.5.
        model_version: String. Name under which Label Studio shows the predictions. Defaults to `"keras_crowd"`.

    Raises:
        ValueError: When the export is malformed, or `estimates` do not fit the annotations.

    Example:

    >>> import json, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> result = {"from_name": "kind", "to_name": "img", "type": "choices", "value": {"choices": ["cat"]}}
    >>> task = {"id": 7, "data": {}, "annotations": [{"completed_by": 1, "result": [result]}]}
    >>> size = (folder / "export.json").write_text(json.dumps([task]))
    >>> annotations = keras_crowd.io.read_label_studio(folder / "export.json", classes=["cat", "dog"])
    >>> keras_crowd.io.write_label_studio(
    ...     folder / "tasks.json", folder / "export.json", annotations, [[0.2, 0.8]])
    >>> json.loads((folder / "tasks.json").read_text())[0]["predictions"][0]["result"][0]["value"]
    {'choices': ['dog']}

    Reference:
        Label Studio documentation, "Import pre-annotated data into Label Studio": `data`, `predictions`
        (`model_version`, `score`, `result`).
    """
    refuse_same_file(path, export, "export")
    tasks = read_tasks(export, encoding)
    from_name = from_name or only_control(export, tasks, "annotations")
    control = control_of(export, tasks, from_name, "annotations")
    found = labels(annotations, estimates, threshold).of(annotations)
    written = []
    for place, task in tasks:
        label = found.get(scalar(follow(task, item, place), f"{place}, {item!r}"))
        if label is not None:
            required(task, "data", place)
            kept: dict[str, Any] = {key: task[key] for key in ("id", "data", "meta") if key in task}
            prediction = _prediction(control, label.value, label.confidence, model_version)
            written.append(kept | {"predictions": [prediction]})
    with replacing_text(path, encoding, newline="\n") as file:
        json.dump(written, file, ensure_ascii=False, indent=1)


def _prediction(
    control: Result, value: Any, confidence: float | None, model_version: str
) -> dict[str, Any]:
    result = {
        "from_name": control.from_name,
        "to_name": control.to_name,
        "type": control.type,
        "value": value_of(control, value),
    }
    score: dict[str, Any] = {} if confidence is None else {"score": confidence}
    return {"model_version": model_version, **score, "result": [] if value == [] else [result]}


def annotator_of(annotation: dict[str, Any]) -> Any:
    """The id of who made an annotation, `None` where it does not say."""
    who = annotation.get("completed_by")
    return who.get("id", who.get("email")) if isinstance(who, dict) else who
