"""Sets of labels written: answers that are read back as they were, and estimates as each tool takes them."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import keras_crowd as kc

CLASSES = ["cause", "none", "treat"]
ITEMS = ["a", "b", "c"]
NAMES = [["cause", "treat"], [], None]
ROWS = [[1, 0, 1], [0, 0, 0], [-1, -1, -1]]
PROBABILITIES = np.array([[0.9, 0.2, 0.6], [0.1, 0.4, 0.3], [np.nan] * 3])


def answers(not_shown=False, classes=CLASSES):
    rng = np.random.default_rng(7)
    table = rng.choice([1, 0, -1] if not_shown else [1, 0], (3, 4, 3))
    table[rng.random((3, 4)) < 0.3] = -1
    return kc.Annotations.from_dense(
        table, kind=kc.annotations.LabelSets(), items=ITEMS, annotators=list("rstu"), classes=classes
    )


def same(found, expected):
    assert found.kind == expected.kind
    assert found.classes.tolist() == expected.classes.tolist()
    np.testing.assert_array_equal(found.dense(), expected.dense())


# --- answers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("not_shown", [False, True])
@pytest.mark.parametrize("classes", [CLASSES, [10, 7, 9]])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv.gz", "t.jsonl", "t.parquet"])
def test_answers_go_round(tmp_path, name, classes, not_shown):
    if "parquet" in name:
        pytest.importorskip("pyarrow")
    path, made = tmp_path / name, answers(not_shown, classes)
    known = {"items": ITEMS, "annotators": list("rstu"), "classes": classes}
    kc.io.write_long(path, made)
    same(kc.io.read_long(path, sets=True, **known), made)
    columns = {f"is_{label}": label for label in classes}
    kc.io.write_long(path, made, ticks=dict(reversed(columns.items())))
    same(kc.io.read_long(path, ticks=columns, items=ITEMS, annotators=list("rstu")), made)
    kc.io.write_long(path, made, ticks=list(columns))
    same(kc.io.read_long(path, ticks=columns, items=ITEMS, annotators=list("rstu")), made)
    kc.io.write_wide(path, made)
    same(kc.io.read_wide(path, sets=True, empty="missing", **known), made)


def test_answers_go_round_between_separators(tmp_path):
    path, made = tmp_path / "t.csv", answers()
    kc.io.write_long(path, made, label_sep=";")
    known = {"items": ITEMS, "annotators": list("rstu"), "classes": CLASSES}
    same(kc.io.read_long(path, sets=True, label_sep=";", empty="nothing", **known), made)
    with pytest.raises(ValueError, match=r"`label_sep` is for answers that say something of every label"):
        kc.io.write_long(path, answers(not_shown=True), label_sep=";")
    for wrong in ("no;ne", " none", ""):
        with pytest.raises(ValueError, match=r"`label_sep` must stand between labels only"):
            kc.io.write_long(path, answers(classes=["cause", wrong, "treat"]), label_sep=";")
    same(kc.io.read_long(path, sets=True, label_sep=";", empty="nothing", **known), made)  # not overwritten


def test_answers_go_round_by_hugging_face():
    pyarrow = pytest.importorskip("pyarrow")
    made = answers()
    columns = kc.io.hugging_face_columns(made, made.answers[: len(ITEMS)])
    found = kc.io.read_hugging_face(pyarrow.table(columns), item="item", sets=True, classes=CLASSES)
    same(found.select(annotators=list("rstu")), made)
    with pytest.raises(ValueError, match=r"`annotations` must say something of every label"):
        kc.io.hugging_face_columns(answers(not_shown=True))


def test_other_answers_take_no_arguments_for_sets(tmp_path):
    one = kc.Annotations.from_dense([[0, 1]])
    with pytest.raises(ValueError, match="`ticks` and `label_sep` are for sets of labels"):
        kc.io.write_long(tmp_path / "t.csv", one, label_sep=";")
    with pytest.raises(ValueError, match="`threshold` is for sets of labels"):
        kc.io.write_labels(tmp_path / "t.csv", one, [0], threshold=0.5)
    with pytest.raises(ValueError, match=r"`ticks` must name 3 columns, one for each label\. Received: 2"):
        kc.io.write_long(tmp_path / "t.csv", answers(), ticks=["x", "y"])
    with pytest.raises(ValueError, match="`ticks` must name a column for each of the labels"):
        kc.io.write_long(tmp_path / "t.csv", answers(), ticks={"x": "cause", "y": "treat", "z": "other"})


# --- estimates -------------------------------------------------------------------------------------------


def written_labels(tmp_path, estimates, name="t.jsonl", **rules):
    kc.io.write_labels(tmp_path / name, answers(), estimates, **rules)
    return (tmp_path / name).read_text().splitlines()


@pytest.mark.parametrize(
    "estimates",
    [
        NAMES,
        tuple(NAMES),
        np.array(ROWS),
        ROWS,
        np.array(ROWS, float).clip(0) + np.array([[0], [0], [np.nan]]),
        PROBABILITIES,
        pd.DataFrame(PROBABILITIES, index=ITEMS, columns=CLASSES).iloc[::-1, ::-1],
        pd.Series(NAMES, index=ITEMS).iloc[::-1],
        [{"treat", "cause"}, set(), None],
    ],
)
def test_sets_may_be_names_or_tables(tmp_path, estimates):
    lines = written_labels(tmp_path, estimates, confidence=None)
    assert list(map(json.loads, lines)) == [
        {"item": "a", "label": ["cause", "treat"]},
        {"item": "b", "label": []},
    ]


def test_booleans_are_sets_of_all_items(tmp_path):
    lines = written_labels(tmp_path, np.array(ROWS) == 1)
    assert [json.loads(line)["label"] for line in lines] == [["cause", "treat"], [], []]


def test_the_threshold_decides_and_confidence_is_that_of_the_least_certain(tmp_path):
    lines = [json.loads(line) for line in written_labels(tmp_path, PROBABILITIES)]
    assert [line["confidence"] for line in lines] == pytest.approx([0.6, 0.6])
    lines = [
        json.loads(line) for line in written_labels(tmp_path, PROBABILITIES, threshold=[0.95, 0.1, 0.25])
    ]
    assert [line["label"] for line in lines] == [["none", "treat"], ["none", "treat"]]
    assert [line["confidence"] for line in lines] == pytest.approx([0.1, 0.3])
    exact = [[0.5, 0.0, 0.0]] * 3
    assert json.loads(written_labels(tmp_path, exact)[0])["label"] == []  # more probable than the threshold
    assert json.loads(written_labels(tmp_path, exact, threshold=0)[0])["label"] == ["cause"]


def test_labels_in_tables_of_text(tmp_path):
    assert written_labels(tmp_path, NAMES, "t.csv") == ["item,label", 'a,"[""cause"", ""treat""]"', "b,[]"]
    assert written_labels(tmp_path, NAMES, "t.csv", label_sep="|") == ["item,label", "a,cause|treat", "b,"]
    pytest.importorskip("pyarrow")
    kc.io.write_labels(tmp_path / "t.parquet", answers(), NAMES)
    assert [list(labels) for labels in pd.read_parquet(tmp_path / "t.parquet")["label"]] == NAMES[:2]


@pytest.mark.parametrize(
    ("estimates", "rules", "message"),
    [
        (NAMES[:2], {}, r"`estimates` must have 3 rows, one for each item\. Received: 2"),
        ([["cuase"], [], []], {}, "`estimates` must hold labels among `classes`, 'cause'.*at row 0"),
        (["cause", "none", "none"], {}, "not one class. Received: 'cause' at row 0"),
        ([["cause", "cause"], [], []], {}, "each label once"),
        (np.zeros((3, 2)), {}, r"\(3, 3\).*Received: shape \(3, 2\)"),
        (np.full((3, 3), 2), {}, "Received: shape .* with 2"),
        (np.full((3, 3), 1.5), {}, "with 1.5"),
        (PROBABILITIES, {"threshold": 1}, "`threshold` must be a number from 0 to below 1"),
        (PROBABILITIES, {"threshold": [0.5, 0.5]}, "`threshold` must be .* 3 of them"),
        (PROBABILITIES, {"threshold": "0.5"}, "`threshold` must be"),
    ],
)
def test_wrong_estimates_are_named_and_nothing_is_written(tmp_path, estimates, rules, message):
    with pytest.raises(ValueError, match=message):
        written_labels(tmp_path, estimates, **rules)
    assert list(tmp_path.iterdir()) == []


def test_hugging_face_columns_have_sets_and_probabilities():
    columns = kc.io.hugging_face_columns(answers(), PROBABILITIES, threshold=0.7)
    assert columns["label"] == [["cause"], [], None]
    assert columns["confidence"][2] is None
    np.testing.assert_array_equal(columns["probabilities"], PROBABILITIES)


# --- tools ------------------------------------------------------------------------------------------------


def test_label_studio_takes_its_tasks_with_predictions(tmp_path):
    def annotation(who, labels):
        value = {"from_name": "r", "to_name": "t", "type": "choices", "value": {"choices": labels}}
        return {"completed_by": who, "result": [value] if labels else []}

    said = [[annotation(1, ["cause", "treat"])], [annotation(1, [])], [annotation(2, ["none"])]]
    tasks = [{"id": i, "data": {"t": str(i)}, "annotations": found} for i, found in enumerate(said, 1)]
    (tmp_path / "in.json").write_text(json.dumps(tasks))
    made = kc.io.read_label_studio(tmp_path / "in.json", sets=True)
    kc.io.write_label_studio(tmp_path / "out.json", tmp_path / "in.json", made, PROBABILITIES)
    first, second = json.loads((tmp_path / "out.json").read_text())
    assert first["predictions"][0]["result"][0]["value"] == {"choices": ["cause", "treat"]}
    assert first["predictions"][0]["score"] == pytest.approx(0.6)
    assert second["predictions"][0]["result"] == []
    for task in (first, second):
        task["annotations"] = []
    (tmp_path / "again.json").write_text(json.dumps([first, second]))
    again = kc.io.read_label_studio(tmp_path / "again.json", sets=True, predictions=True, classes=CLASSES)
    assert again.dense().tolist() == [[ROWS[0]], [ROWS[1]]]


def test_prodigy_takes_examples_that_are_answered(tmp_path):
    options = [{"id": label} for label in CLASSES]
    examples = [
        {"_input_hash": i, "_annotator_id": who, "options": options, "accept": labels, "answer": "accept"}
        for i, who, labels in [(1, "ann", ["cause"]), (1, "bob", []), (2, "ann", []), (3, "ann", ["none"])]
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, examples)))
    made = kc.io.read_prodigy(tmp_path / "in.jsonl", sets=True)
    kc.io.write_prodigy(tmp_path / "out.jsonl", tmp_path / "in.jsonl", made, NAMES)
    again = kc.io.read_prodigy(tmp_path / "out.jsonl", sets=True)
    assert again.annotators.tolist() == ["keras_crowd"]
    assert again.dense().tolist() == [[ROWS[0]], [ROWS[1]]]


def test_sagemaker_takes_the_output_of_a_multi_label_job(tmp_path):
    content = json.dumps({"r": {"labels": ["cause", "treat"]}})
    annotations = [{"workerId": "w", "annotationData": {"content": content}}]
    objects = [
        {"datasetObjectId": str(i), "dataObject": {"content": f"text {i}"}, "annotations": annotations}
        for i in range(3)
    ]
    (tmp_path / "in.json").write_text(json.dumps(objects))
    made = kc.io.read_sagemaker(tmp_path / "in.json", "r.labels", sets=True, classes=CLASSES)
    rules = {"created": datetime(2026, 1, 2, tzinfo=UTC), "job_name": "job"}
    kc.io.write_sagemaker(
        tmp_path / "out.manifest", tmp_path / "in.json", made, PROBABILITIES, "r", **rules
    )
    first, second = map(json.loads, (tmp_path / "out.manifest").read_text().splitlines())
    assert first == {
        "source": "text 0",
        "r": [0, 2],
        "r-metadata": {
            "class-map": {"0": "cause", "2": "treat"},
            "confidence-map": {"0": 0.9, "2": 0.6},
            "job-name": "job",
            "type": "groundtruth/text-classification-multilabel",
            "human-annotated": "yes",
            "creation-date": "2026-01-02T00:00:00.000000",
        },
    }
    assert second["r"] == []
    kc.io.write_sagemaker(tmp_path / "out.manifest", tmp_path / "in.json", made, NAMES, "r", **rules)
    assert (
        "confidence-map"
        not in json.loads((tmp_path / "out.manifest").read_text().splitlines()[0])["r-metadata"]
    )


def test_doccano_takes_the_labels_of_each_text(tmp_path):
    kc.io.write_labels(tmp_path / "in.jsonl", answers(), NAMES, item="id", label="label", confidence=None)
    found = kc.io.read_doccano(_named_after(tmp_path, "in.jsonl", "model"), sets=True, empty="nothing")
    assert found.dense().tolist() == [[[1, 1]], [[0, 0]]]


def _named_after(tmp_path, name, annotator):
    return (tmp_path / name).rename(tmp_path / f"{annotator}.jsonl")
