"""Label Studio: the results in its JSON export that can be one answer, and the controls that they are of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from .._arguments import shown
from ._opened import FILE
from ._text import expect, read_objects, required

# Type of a control, and the key of its answer in the `value` of a result.
ANSWER_KEYS = {
    "choices": "choices",
    "taxonomy": "taxonomy",
    "pairwise": "selected",
    "rating": "rating",
    "number": "number",
}
_BETWEEN = " / "  # the parts of a path, as Label Studio shows it
Tasks = list[tuple[str, dict[str, Any]]]  # with the place of each


class Result(NamedTuple):
    """One of the results of an annotation, of a type that can be one answer; `whole`: about the whole task."""

    from_name: str
    to_name: Any
    type: str
    value: Any
    whole: bool


def read_tasks(path: FILE, encoding: str) -> Tasks:
    """Place and object of each task."""

    def shown_id(task: dict[str, Any], place: str) -> str | None:
        if "annotation_id" in task and "data" not in task:
            raise ValueError(
                f"{place}: expected a task of the JSON export. Received: JSON-MIN, which "
                "`read_label_studio_min` reads"
            )
        return json.dumps(task["id"]) if "id" in task else None

    return read_objects(path, "task", shown_id, encoding)


def kept_annotations(task: dict[str, Any], key: str, place: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number, from 1, and object of each annotation (or prediction) that was not cancelled."""
    if key == "annotations":
        key = "completions" if "completions" in task and key not in task else key  # before Label Studio 1.0
        required(task, key, place)
    for one, annotation in enumerate(expect(list, task.get(key, []), f"{place}, {key!r}"), 1):
        expect(dict, annotation, f"{place}, {key[:-1]} {one}")
        cancelled = annotation.get("was_cancelled")
        if cancelled is None or not expect(bool, cancelled, f"{place}, {key[:-1]} {one}, 'was_cancelled'"):
            yield one, annotation


def answers(annotation: dict[str, Any], from_name: str, place: str, sets: bool = False) -> Iterator[Any]:
    """The answer of one control, if it has one; of `sets` of labels `None` if it has none."""
    chosen = [result for result in _parsed_all(annotation, place) if result.from_name == from_name]
    if len(chosen) > 1:
        raise ValueError(f"{place}: expected one result of {from_name!r}. Received: {len(chosen)}")
    for result in chosen:
        if not result.whole:
            raise ValueError(
                f"{place}, {from_name!r}: expected an answer about the whole task. Received: one about a part of it"
            )
        read = set_answer if sets else one_answer
        yield read(result.type, result.value, f"{place}, {from_name!r}")
    if sets and not chosen:
        yield None


def one_answer(type_: str, value: Any, place: str) -> Any:
    """Returns what was chosen, or the number that was given."""
    if type_ == "choices":
        if len(expect(list, value, place)) != 1:
            raise ValueError(
                f"{place}: expected one choice, which is a class, not several (`sets=True` reads sets of labels). "
                f"Received: {shown(value)}"
            )
        return _path(value, place) if isinstance(value[0], list) else expect(str, value[0], place)
    if type_ == "taxonomy":
        return _path(value, place)
    if type_ == "pairwise":
        if value not in ("left", "right"):
            raise ValueError(f"{place}: expected 'left' or 'right'. Received: {shown(value)}")
        return value
    if type(value) not in (int, float):
        raise ValueError(f"{place}: expected a number. Received: {shown(value)}")
    return float(value) if type_ == "number" else value


def set_answer(type_: str, value: Any, place: str) -> list[str]:
    """The labels that were chosen."""
    if type_ not in ("choices", "taxonomy"):
        raise ValueError(
            f"{place}: expected choices or a taxonomy, of which several can be chosen (`sets=True`). "
            f"Received: {type_}, one answer each"
        )
    labels = expect(list, value, place)
    return [
        _BETWEEN.join(_parts(one, place)) if type(one) is list else expect(str, one, place)
        for one in labels
    ]


def value_of(control: Result, label: Any) -> dict[str, Any]:
    """The `value` of a result that says what the label is, or of a list which labels there are."""
    if control.type in ("choices", "taxonomy"):
        label = label if isinstance(label, list) else [label]
        if control.type == "taxonomy" or any(isinstance(one, list) for one in control.value):
            label = [one.split(_BETWEEN) for one in label]
    return {ANSWER_KEYS[control.type]: label}


def control_of(path: FILE, tasks: Tasks, from_name: str, key: str) -> Result:
    """The first result of a control."""
    controls = _controls(tasks, key)
    if from_name not in controls:
        raise ValueError(
            f"{path}: expected results of the control {from_name!r} (`from_name=`), of type "
            f"{', '.join(ANSWER_KEYS)} and about whole tasks. Received: {_shown_controls(tasks, key)}"
        )
    return controls[from_name][1]


def only_control(path: FILE, tasks: Tasks, key: str) -> str:
    """The name of the only control that can be read."""
    controls = _controls(tasks, key)
    if len(controls) != 1:
        found = [
            f"{shown(name)} in {place.removeprefix(f'{path}, ')}"
            for name, (place, _) in list(controls.items())[:5]
        ]
        raise ValueError(
            f"{path}: expected results of one control of type {', '.join(ANSWER_KEYS)} about whole tasks, or "
            f"`from_name=`. Received: {'; '.join(found) or _shown_controls(tasks, key)}"
        )
    return next(iter(controls))


def _path(paths: Any, place: str) -> str:
    """The one path that was chosen, as text; a path is chosen with all that lead to it, or without them."""
    for path in expect(list, paths, place):
        _parts(path, place)
    longest: list[str] = max(paths, key=len, default=[])
    if not paths or any(path != longest[: len(path)] for path in paths):
        raise ValueError(
            f"{place}: expected one path of a taxonomy, which is a class, not several. Received: {shown(paths)}"
        )
    return _BETWEEN.join(longest)


def _parts(path: Any, place: str) -> list[str]:
    """The parts of a path."""
    if not expect(list, path, place) or any(type(part) is not str for part in path):
        raise ValueError(f"{place}: expected paths of texts. Received: {shown(path)}")
    return list(path)


def _parsed(result: Any, place: str) -> Result | None:
    """The result, if it is of a type that can be one answer."""
    type_ = expect(dict, result, place).get("type")
    if not isinstance(type_, str) or type_ not in ANSWER_KEYS:
        return None
    from_name = expect(str, required(result, "from_name", place), f"{place}, 'from_name'")
    to_name = required(result, "to_name", place)
    if not (type_ == "pairwise" and isinstance(to_name, list)):
        expect(str, to_name, f"{place}, 'to_name'")
    value = expect(dict, required(result, "value", place), f"{place}, 'value'")
    whole = len(value) == 1 and "item_index" not in result  # that of a region has its position as well
    return Result(from_name, to_name, type_, required(value, ANSWER_KEYS[type_], place), whole)


def _parsed_all(annotation: dict[str, Any], place: str) -> Iterator[Result]:
    for result in _results(annotation, place):
        parsed = _parsed(result, place)
        if parsed is not None:
            yield parsed


def _results(annotation: dict[str, Any], place: str) -> list[Any]:
    return expect(list, required(annotation, "result", place), place)


def _controls(tasks: Tasks, key: str) -> dict[str, tuple[str, Result]]:
    """Place and first result of each control that is about whole tasks."""
    controls: dict[str, tuple[str, Result]] = {}
    for place, task in tasks:
        for one, annotation in kept_annotations(task, key, place):
            place_of_one = f"{place}, {key[:-1]} {one}"
            for result in _parsed_all(annotation, place_of_one):
                if result.whole:
                    controls.setdefault(result.from_name, (place_of_one, result))
    return controls


def _text(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def _shown_controls(tasks: Tasks, key: str) -> str:
    """All controls with their types, those that cannot be read among them."""
    whole, found = _controls(tasks, key), dict[str, str]()
    for place, task in tasks:
        for one, annotation in kept_annotations(task, key, place):
            for result in _results(annotation, f"{place}, {key[:-1]} {one}"):
                name, type_ = (_text(result.get(part)) for part in ("from_name", "type"))
                part_of = ", of a part of the task" if type_ in ANSWER_KEYS and name not in whole else ""
                found.setdefault(name, f"{shown(name)} ({type_[:80]}{part_of})")
    names = list(found.values())
    return ", ".join(names[:8]) + f" and {len(names) - 8} more" * (len(names) > 8) if names else "none"
