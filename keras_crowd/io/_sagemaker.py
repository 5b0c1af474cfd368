"""SageMaker Ground Truth: what annotation consolidation gets, and the manifest of labels it leads to."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from typing import Any, Unpack

import numpy.typing as npt

from ..annotations import Annotations, Rules, are_sets, is_of_sets, refuse_others
from ._chosen import chosen
from ._estimates import Label, Labels, labels
from ._names import refuse_same_file
from ._row_builder import RowBuilder
from ._rows import assemble
from ._tables import write_json_lines
from ._text import FILE, expect, parsed_json, read_objects, read_text, required


def read_sagemaker(
    path: FILE, field: str, *, encoding: str = "utf-8", **rules: Unpack[Rules]
) -> Annotations:
    """Reads the input of annotation consolidation of SageMaker Ground Truth.

    It is the JSON file at `payload.s3Uri` of the request to a post-annotation Lambda: a list of objects with
    `datasetObjectId`, `dataObject` and the `annotations` of workers. In the job's output it is
    `annotations/consolidated-annotation/consolidation-request/iteration-1/<date>.json`, one or more files per
    iteration, which `Annotations.concat` joins. The files of `annotations/worker-response` differ:
    there is one per object.

    Args:
        path: The file.
        field: String. The keys to the answer in a worker's `annotationData.content`, joined by dots, as in
            `"category.label"` for a `<crowd-classifier name="category">`. Radio buttons, `{"cat": true, "dog": false}`,
            are read as the one that is true. With `sets=True` a list of labels, as in `"category.labels"` for a
            `<crowd-classifier-multi-select>`, or boxes, an object of true and false.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        **rules: `items=`, `annotators=`, `classes=`, `ratings=`, `sets=`, `label_sep=`, `empty=`, `judged=`,
            `duplicates=` and `unknown=`, as for `read_long`.

    Returns:
        `Annotations`; items are all objects in the order of the file, annotators those of `workerId`.

    Raises:
        ValueError: When the file is malformed; the message names object and annotation.

    Example:

    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "annotations.json"
    >>> content = json.dumps({"category": {"label": "cat"}})
    >>> object_ = {"datasetObjectId": "0", "dataObject": {"s3Uri": "s3://b/0.png"}, "annotations": [
    ...     {"workerId": "w1", "annotationData": {"content": content}}]}
    >>> size = file.write_text(json.dumps([object_]))
    >>> keras_crowd.io.read_sagemaker(file, "category.label").classes.tolist()
    ['cat']

    Reference:
        Amazon SageMaker documentation, "Using pre-annotation and post-annotation Lambda functions":
        `datasetObjectId`, `dataObject` (`s3Uri`, `content`), `annotations` (`workerId`, `annotationData.content`).
    """
    refuse_others(read_sagemaker, rules)
    sets = is_of_sets(rules)
    builder = RowBuilder(
        path,
        ("datasetObjectId", "workerId", field),
        lambda object_, one: f"object {object_}" + (f", annotation {one}" if one else ""),
        rules={**rules, "whole": True},
    )
    for number, (place, object_) in enumerate(_objects(path, encoding), 1):
        builder.add_item(object_["datasetObjectId"], number)
        annotations = expect(list, required(object_, "annotations", place), f"{place}, 'annotations'")
        for one, annotation in enumerate(annotations, 1):
            where = f"{place}, annotation {one}"
            worker = expect(str, required(expect(dict, annotation, where), "workerId", where), where)
            answer = chosen(_content(annotation, where), field, where, sets)
            builder.add(object_["datasetObjectId"], worker, answer, number, one)
    return assemble(builder.rows(), **rules)


def write_sagemaker(
    path: FILE,
    source: FILE,
    annotations: Annotations,
    estimates: Any,
    label_attribute: str = "label",
    *,
    threshold: npt.ArrayLike | None = None,
    job_name: str = "keras_crowd",
    created: datetime | None = None,
    encoding: str = "utf-8",
) -> None:
    """Writes an augmented manifest of SageMaker: one object per line, with its label and confidence.

    Args:
        path: The file to write.
        source: The input of annotation consolidation that `annotations` were read from.
        annotations: Whose items the estimates are of, with classes.
        estimates: A posterior or other probabilities `(items, classes)`, or class codes `(items,)`, `-1` for none;
            or of pandas, as for `write_labels`; or sets of labels, as there, which are written as the output of a
            multi-label job: the indices of the labels, with a `class-map` and a `confidence-map`.
        label_attribute: Name of the label, not with "-metadata" in it nor "-ref" at its end; its metadata are under the
            same name with "-metadata". Defaults to `"label"`.
        threshold: Float, or one per label. Probability above which a label of a set is written. Defaults to 0.5.
        job_name: String. The labeling job to name in the metadata. Defaults to `"keras_crowd"`.
        created: Date to write. Defaults to now.
        encoding: String. Encoding of both files. Defaults to `"utf-8"`.

    Raises:
        ValueError: When the source is malformed, or `estimates` do not fit the annotations.

    Example:

    >>> import json, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> object_ = {"datasetObjectId": "0", "dataObject": {"s3Uri": "s3://b/0.png"}, "annotations": []}
    >>> size = (folder / "in.json").write_text(json.dumps([object_]))
    >>> annotations = keras_crowd.Annotations.from_coo(["0"], ["w1"], ["cat"])
    >>> keras_crowd.io.write_sagemaker(folder / "out.manifest", folder / "in.json", annotations, [0])
    >>> json.loads((folder / "out.manifest").read_text())["label-metadata"]["class-name"]
    'cat'

    Reference:
        Amazon SageMaker documentation, "Labeling job output data", classification job output: `source-ref` or
        `source`, the label and its `-metadata` (`class-name`, `confidence`, `type`, `job-name`,
        `human-annotated`, `creation-date`).
    """
    if annotations.classes is None:
        raise ValueError("`annotations` must have classes. Received: numeric answers")
    if "-metadata" in label_attribute or label_attribute.endswith("-ref"):
        raise ValueError(
            "`label_attribute` must not have '-metadata' in it, nor '-ref' at its end. "
            f"Received: label_attribute={label_attribute!r}"
        )
    refuse_same_file(path, source, "source")
    date = (created or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    estimated = labels(annotations, estimates, threshold)
    found = estimated.of(annotations)
    kinds = _set_metadata(annotations, estimated) if are_sets(annotations) else None
    codes = dict(zip(annotations.items.tolist(), estimated.codes or [], strict=kinds is None))

    def lines() -> Iterator[dict[str, Any]]:
        for place, object_ in _objects(source, encoding):
            item, data = object_["datasetObjectId"], _data(object_, place)
            if item in found:
                code, own = (codes[item], _class_metadata(found[item])) if kinds is None else kinds[item]
                metadata = own | _metadata(data, job_name, date, "" if kinds is None else "-multilabel")
                yield {**data, label_attribute: code, f"{label_attribute}-metadata": metadata}

    write_json_lines(path, lines(), encoding)


def _metadata(data: dict[str, Any], job_name: str, date: str, several: str) -> dict[str, Any]:
    return {
        "job-name": job_name,
        "type": f"groundtruth/{'image' if 'source-ref' in data else 'text'}-classification{several}",
        "human-annotated": "yes",
        "creation-date": date,
    }


def _class_metadata(label: Label) -> dict[str, Any]:
    confidence = {} if label.confidence is None else {"confidence": label.confidence}
    return {"class-name": str(label.value), **confidence}


def _set_metadata(
    annotations: Annotations, estimated: Labels
) -> dict[Hashable, tuple[list[int], dict[str, Any]]]:
    """Returns, for each item, the indices of its labels and what is said of them."""
    place = {
        label: i
        for i, label in enumerate([] if annotations.classes is None else annotations.classes.tolist())
    }
    found: dict[Hashable, tuple[list[int], dict[str, Any]]] = {}
    for row, (item, labels_) in enumerate(zip(annotations.items.tolist(), estimated.values, strict=True)):
        indices = [place[label] for label in labels_ or []]
        maps: dict[str, Any] = {"class-map": {str(place[label]): str(label) for label in labels_ or []}}
        if estimated.probabilities is not None:
            maps["confidence-map"] = {str(i): float(estimated.probabilities[row, i]) for i in indices}
        found[item] = indices, maps
    return found


def _objects(path: FILE, encoding: str) -> list[tuple[str, dict[str, Any]]]:
    def shown_id(object_: dict[str, Any], place: str) -> str:
        expect(dict, required(object_, "dataObject", place), f"{place}, 'dataObject'")
        id_ = required(object_, "datasetObjectId", place)
        return repr(expect(str, id_, f"{place}, 'datasetObjectId'"))

    def refuse(found: Any) -> None:
        if isinstance(found, dict) and "answers" in found:
            raise ValueError(
                f"{path}: expected the input of annotation consolidation, as in "
                "annotations/consolidated-annotation/consolidation-request. Received: a worker response, the answers "
                "to one object"
            )

    try:
        return read_objects(path, "object", shown_id, encoding, refuse)
    except ValueError as error:
        if not _is_manifest(path, encoding):
            raise
        raise ValueError(
            f"{path}: expected the input of annotation consolidation, as in "
            "annotations/consolidated-annotation/consolidation-request. Received: a manifest, which has one label for "
            "an object and no answers of workers"
        ) from error


def _is_manifest(path: FILE, encoding: str) -> bool:
    """Whether the first line is an object of a manifest."""
    first = next(iter(read_text(path, encoding).strip().split("\n")), "")
    try:
        object_ = parsed_json(first, "")
    except ValueError:
        return False
    return isinstance(object_, dict) and ("source-ref" in object_ or "source" in object_)


def _content(annotation: dict[str, Any], place: str) -> Any:
    data = expect(dict, required(annotation, "annotationData", place), f"{place}, 'annotationData'")
    content = required(data, "content", f"{place}, 'annotationData'")
    return parsed_json(expect(str, content, f"{place}, 'content'"), place)


def _data(object_: dict[str, Any], place: str) -> dict[str, Any]:
    data = object_["dataObject"]
    for key, name in (("s3Uri", "source-ref"), ("content", "source")):
        if data.get(key):
            return {name: data[key]}
    raise ValueError(f"{place}, 'dataObject': expected 's3Uri' or 'content'. Received: {list(data)}")
