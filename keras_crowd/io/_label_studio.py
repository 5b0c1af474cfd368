"""Label Studio: its JSON export in, its predictions out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, Unpack

from ..annotations import Annotations
from ..annotations._rules import Rules, refuse_others
from ._arguments import refuse_same_file
from ._estimates import labels
from ._opened import FILE, replacing_text
from ._rows import RowBuilder, assemble
from ._text import expect, follow, read_objects, required, scalar

ANSWER_TYPES = ("choices", "rating", "number")


class _Result(NamedTuple):
    """One of the results of an annotation, of a kind that can be one answer; `whole`: about the whole task."""

    from_name: str
    to_name: str
    type: str
    value: Any
    whole: bool


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

    Answers are the results of type `choices` (one choice), `rating` or `number` about whole tasks, not regions.
    Annotators are those of `completed_by`. Items are all tasks in the order of the file, those nobody
    annotated among them. Annotations that were cancelled (skipped) are left out.

    Args:
        path: The file.
        from_name: Which control of the labeling interface to read, where there are several.
        item: What tells tasks apart: `"id"`, or keys joined by dots, as in `"data.image"`.
        predictions: Whether to read the predictions instead, of which `model_version` is the annotator.
        encoding: That of the file.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `duplicates=` and `unknown=`, as for
            `read_long`.
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
    Annotations(1 answers: 1 items x 1 annotators, 1 classes, 1.0 answers an item, 0 items unanswered)

    Reference:
        Label Studio documentation, "Label Studio JSON format of annotated tasks": `id`, `data`, `annotations`
        (`completed_by`, `was_cancelled`, `result`), `predictions` (`model_version`, `result`), and in a result
        `from_name`, `to_name`, `type`, `value`.
    """
    refuse_others(read_label_studio, rules)
    tasks = _tasks(path, encoding)
    key = "predictions" if predictions else "annotations"
    from_name = from_name or _only_control(path, tasks, key)
    builder = RowBuilder(
        path,
        (item, "model_version" if predictions else "completed_by", from_name),
        lambda task, one: f"task {task}" + (f", {key[:-1]} {one}" if one else ""),
    )
    for t, (place, task) in enumerate(tasks, 1):
        item_id = follow(task, item, place)
        builder.add_item(item_id, t)
        for one, annotation in _annotations(task, key, place):
            who = annotation.get("model_version") if predictions else _annotator(annotation)
            for value in _answers(annotation, from_name, f"{place}, {key[:-1]} {one}"):
                builder.add(item_id, who, value, t, one)
    rows = builder.rows()
    if len(rows.answer.codes) == 0:
        _control(path, tasks, from_name, key)  # says which there are
    return assemble(rows, **rules)


def write_label_studio(
    path: FILE,
    export: FILE,
    annotations: Annotations,
    estimates: Any,
    from_name: str | None = None,
    *,
    item: str = "id",
    model_version: str = "keras_crowd",
    encoding: str = "utf-8",
) -> None:
    """Writes the tasks of an export with predictions, to be imported into Label Studio.

    Each task keeps its id and data and gets one prediction, whose `score` is the probability of the label.
    Tasks that are no item of `annotations` are left out; people's annotations stay in the export.

    Args:
        path: The file to write.
        export: The JSON export that `annotations` were read from.
        annotations: Whose items the estimates are of.
        estimates: A posterior or other probabilities `(items, classes)`; class codes `(items,)` with `-1` for
            none; or estimated numbers, floats `(items,)`; or of pandas, as for `write_labels`.
        from_name, item, encoding: As for `read_label_studio`.
        model_version: Under which name Label Studio shows the predictions.

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
    tasks = _tasks(export, encoding)
    from_name = from_name or _only_control(export, tasks, "annotations")
    control = _control(export, tasks, from_name, "annotations")
    found = labels(annotations, estimates).of(annotations)
    written = []
    for place, task in tasks:
        label = found.get(scalar(follow(task, item, place), f"{place}, {item!r}"))
        if label is not None:
            kept: dict[str, Any] = {key: task[key] for key in ("id", "data", "meta") if key in task}
            prediction = _prediction(control, label.value, label.confidence, model_version)
            written.append(kept | {"predictions": [prediction]})
    with replacing_text(path, encoding, newline="\n") as file:
        json.dump(written, file, ensure_ascii=False, indent=1)


def _prediction(
    control: _Result, value: Any, confidence: float | None, model_version: str
) -> dict[str, Any]:
    value = [value] if control.type == "choices" else value
    result = {
        "from_name": control.from_name,
        "to_name": control.to_name,
        "type": control.type,
        "value": {control.type: value},
    }
    score: dict[str, Any] = {} if confidence is None else {"score": confidence}
    return {"model_version": model_version, **score, "result": [result]}


def one_answer(type_: str, value: Any, place: str) -> Any:
    """What was chosen, or the number that was given."""
    if type_ == "choices":
        if len(expect(list, value, place)) != 1:
            raise ValueError(f"{place}: expected one choice. Received: {value}")
        return expect(str, value[0], place)
    if type(value) not in (int, float):
        raise ValueError(f"{place}: expected a number. Received: {value!r}")
    return float(value) if type_ == "number" else value


def _tasks(path: FILE, encoding: str) -> list[tuple[str, dict[str, Any]]]:
    def shown_id(task: dict[str, Any], place: str) -> str | None:
        if "annotation_id" in task and "data" not in task:
            raise ValueError(
                f"{place}: expected a task of the JSON export. Received: JSON-MIN, which "
                "`read_label_studio_min` reads"
            )
        required(task, "data", place)
        return json.dumps(task["id"]) if "id" in task else None

    return read_objects(path, "task", shown_id, encoding)


def _annotations(task: dict[str, Any], key: str, place: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number, from 1, and object of each annotation that was not cancelled."""
    if key == "annotations":
        required(task, key, place)
    for one, annotation in enumerate(expect(list, task.get(key, []), f"{place}, {key!r}"), 1):
        expect(dict, annotation, f"{place}, {key[:-1]} {one}")
        cancelled = annotation.get("was_cancelled")
        if cancelled is None or not expect(bool, cancelled, f"{place}, {key[:-1]} {one}, 'was_cancelled'"):
            yield one, annotation


def _annotator(annotation: dict[str, Any]) -> Any:
    who = annotation.get("completed_by")
    return who.get("id", who.get("email")) if isinstance(who, dict) else who


def _parsed(result: Any, place: str) -> _Result | None:
    """The result, if it is of a kind that can be one answer."""
    type_ = expect(dict, result, place).get("type")
    if type_ not in ANSWER_TYPES:
        return None
    from_name, to_name = (
        expect(str, required(result, key, place), f"{place}, {key!r}") for key in ("from_name", "to_name")
    )
    value = expect(dict, required(result, "value", place), f"{place}, 'value'")
    whole = len(value) == 1 and "item_index" not in result  # that of a region has its position as well
    return _Result(from_name, to_name, type_, required(value, type_, place), whole)


def _parsed_all(annotation: dict[str, Any], place: str) -> Iterator[_Result]:
    for result in expect(list, required(annotation, "result", place), place):
        parsed = _parsed(result, place)
        if parsed is not None:
            yield parsed


def _answers(annotation: dict[str, Any], from_name: str, place: str) -> Iterator[Any]:
    chosen = [result for result in _parsed_all(annotation, place) if result.from_name == from_name]
    if len(chosen) > 1:
        raise ValueError(f"{place}: expected one result of {from_name!r}. Received: {len(chosen)}")
    for result in chosen:
        if not result.whole:
            raise ValueError(
                f"{place}, {from_name!r}: expected an answer about the whole task. Received: one about a part of it"
            )
        yield one_answer(result.type, result.value, f"{place}, {from_name!r}")


def _controls(tasks: list[tuple[str, dict[str, Any]]], key: str) -> dict[str, tuple[str, _Result]]:
    """Place and first result of each control that is about whole tasks."""
    controls: dict[str, tuple[str, _Result]] = {}
    for place, task in tasks:
        for one, annotation in _annotations(task, key, place):
            place_of_one = f"{place}, {key[:-1]} {one}"
            for result in _parsed_all(annotation, place_of_one):
                if result.whole:
                    controls.setdefault(result.from_name, (place_of_one, result))
    return controls


def _control(path: FILE, tasks: list[tuple[str, dict[str, Any]]], from_name: str, key: str) -> _Result:
    controls = _controls(tasks, key)
    if from_name not in controls:
        raise ValueError(
            f"{path}: expected results of the control {from_name!r} (`from_name=`). Received: "
            f"those of {', '.join(map(repr, controls)) or 'none'}"
        )
    return controls[from_name][1]


def _only_control(path: FILE, tasks: list[tuple[str, dict[str, Any]]], key: str) -> str:
    controls = _controls(tasks, key)
    if len(controls) != 1:
        found = [
            f"{name!r} in {place.removeprefix(f'{path}, ')}"
            for name, (place, _) in list(controls.items())[:5]
        ]
        raise ValueError(
            f"{path}: expected results of one control of type {', '.join(ANSWER_TYPES)}, or `from_name=`. "
            f"Received: {'; '.join(found) or 'none'}"
        )
    return next(iter(controls))
