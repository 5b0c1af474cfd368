"""Sets of labels in the exports of tools: several, nothing ticked and not answered; and what is refused."""

import json

import numpy as np
import pytest

import keras_crowd as kc

CLASSES = ["cause", "none", "treat"]
TABLE = [
    [[1, 0, 1], [0, 0, 0]],
    [[-1, -1, -1], [0, 1, 0]],
]  # 1: ann two, bob nothing; 2: ann no answer, bob one
MISSING = [-1, -1, -1]


def written(tmp_path, content, name="export.json"):
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / name).write_text(text)
    return tmp_path / name


def lines(tmp_path, records):
    return written(tmp_path, "\n".join(map(json.dumps, records)), "export.jsonl")


# --- Label Studio --------------------------------------------------------------------------------------


def annotation(who, labels, type_="choices", **more):
    result = {"from_name": "relation", "to_name": "text", "type": type_, "value": {type_: labels}}
    return {"completed_by": who, "result": [] if labels is None else [result], **more}


def tasks(*annotations):
    return [{"id": i, "data": {}, "annotations": found} for i, found in enumerate(annotations, 1)]


LABEL_STUDIO = tasks(
    [annotation("ann", ["treat", "cause"]), annotation("bob", None)],
    [annotation("ann", None, was_cancelled=True), annotation("bob", ["none"])],
)


def label_studio(tmp_path, export, **rules):
    return kc.io.read_label_studio(written(tmp_path, export), "relation", sets=True, **rules)


def test_label_studio_tells_nothing_ticked_from_skipped(tmp_path):
    found = label_studio(tmp_path, LABEL_STUDIO)
    assert (found.classes.tolist(), found.dense().tolist()) == (CLASSES, TABLE)
    missing = label_studio(tmp_path, LABEL_STUDIO, empty="missing")
    assert missing.dense().tolist() == [[TABLE[0][0], MISSING], TABLE[1]]
    alone = kc.io.read_label_studio(written(tmp_path, LABEL_STUDIO), sets=True)  # the only control
    assert alone.dense().tolist() == TABLE


def test_label_studio_reads_paths_of_a_taxonomy(tmp_path):
    export = tasks([annotation(1, [["a", "b"], ["c"]], "taxonomy"), annotation(2, [["c"]], "taxonomy")])
    found = label_studio(tmp_path, export)
    assert (found.classes.tolist(), found.dense().tolist()) == (["a / b", "c"], [[[1, 1], [0, 1]]])


@pytest.mark.parametrize(
    ("export", "rules", "message"),
    [
        (tasks([annotation(1, 3, "rating")]), {}, "task 1, annotation 1, 'relation': .*rating, one answer"),
        (
            tasks([annotation(1, ["a", "a"])]),
            {},
            "task 1, annotation 1, 'relation': expected each label once",
        ),
        (tasks([annotation(1, "a")]), {}, "expected a list"),
        (tasks([annotation(1, [7])]), {}, "expected text"),
        (tasks([annotation(1, ["tret"])]), {"classes": CLASSES}, "among `classes`, 'treat'"),
        (tasks([annotation(1, ["a"]), annotation(1, ["b"])]), {}, "annotation 2: expected one answer"),
        (tasks([annotation(1, None)]), {"classes": CLASSES}, "expected results of the control 'relation'"),
    ],
)
def test_label_studio_names_what_is_wrong(tmp_path, export, rules, message):
    with pytest.raises(ValueError, match=message):
        label_studio(tmp_path, export, **rules)


def test_one_class_is_still_one_class(tmp_path):
    with pytest.raises(ValueError, match=r"one choice, .* not several \(`sets=True`"):
        kc.io.read_label_studio(written(tmp_path, LABEL_STUDIO), "relation")


def test_label_studio_min(tmp_path):
    answers = [(1, "ann", {"choices": ["cause", "treat"]}), (1, "bob", None), (2, "bob", "none")]
    records = [
        {"id": i, "annotator": who, "annotation_id": n} | ({} if said is None else {"relation": said})
        for n, (i, who, said) in enumerate(answers)
    ]
    records.append({"id": 3, "annotator": None, "annotation_id": None})
    path = written(tmp_path, records)
    found = kc.io.read_label_studio_min(path, "relation", sets=True)
    assert (found.annotators.tolist(), found.dense().tolist()) == (["ann", "bob"], [*TABLE, [MISSING] * 2])
    missing = kc.io.read_label_studio_min(path, "relation", sets=True, empty="missing")
    assert missing.dense()[0].tolist() == [TABLE[0][0], MISSING]


# --- Mechanical Turk, Toloka -------------------------------------------------------------------------------


def mturk(tmp_path, header, rows, answer="Answer.relation", **rules):
    text = f"HITId,WorkerId,AssignmentStatus,{header}\n" + "\n".join(rows)
    return kc.io.read_mturk(written(tmp_path, text, "batch.csv"), "HITId", answer, sets=True, **rules)


def test_mturk_has_boxes_in_columns(tmp_path):
    header = ",".join(f"Answer.relation.{label}" for label in CLASSES)
    rows = [
        "1,ann,Approved,true,false,true",
        "1,bob,Submitted,false,false,false",
        "2,bob,Approved,false,TRUE,false",
    ]
    found = mturk(tmp_path, header, [*rows, "2,ann,Rejected,true,true,true"])
    assert (found.classes.tolist(), found.dense().tolist()) == (CLASSES, TABLE)
    blanks = [row.replace("false", "") for row in rows]
    with pytest.raises(ValueError, match=r"line 2, .*`empty='nothing'`"):
        mturk(tmp_path, header, blanks)
    assert mturk(tmp_path, header, blanks, empty="nothing").dense().tolist() == TABLE
    assert mturk(tmp_path, header, blanks, empty="missing").dense()[0, 0].tolist() == [1, -1, 1]
    with pytest.raises(ValueError, match=r"line 2, 'Answer.relation': .*not 'maybe'"):
        mturk(tmp_path, header, ["1,ann,Approved,true,maybe,true"])


def test_mturk_has_texts_between_bars(tmp_path):
    rows = ["1,ann,Approved,cause|treat", "1,bob,Approved,", "2,bob,Approved,none"]
    assert mturk(tmp_path, "Answer.relation", rows, empty="nothing").dense().tolist() == TABLE
    missing = mturk(tmp_path, "Answer.relation", rows, empty="missing")
    assert missing.dense().tolist() == [[TABLE[0][0], MISSING], TABLE[1]]
    with pytest.raises(ValueError, match=r"line 3, 'Answer\.relation': .*`empty='missing'`"):
        mturk(tmp_path, "Answer.relation", rows)
    other = mturk(tmp_path, "Answer.relation", ["1,ann,Approved,cause treat"], label_sep=" ")
    assert other.classes.tolist() == ["cause", "treat"]


def test_mturk_has_forms_in_json(tmp_path):
    forms = [{"cause": True, "none": False, "treat": True}, dict.fromkeys(CLASSES, False)]
    forms.append({"cause": False, "none": True, "treat": False})
    cells = [json.dumps([{"relation": form}]).replace('"', '""') for form in forms]
    rows = [
        f'{who},Approved,"{cell}"' for who, cell in zip(["1,ann", "1,bob", "2,bob"], cells, strict=True)
    ]
    found = mturk(tmp_path, "Answer.taskAnswers", rows, "Answer.taskAnswers", field="relation")
    assert found.dense().tolist() == TABLE
    with pytest.raises(ValueError, match="`field=` for one in JSON"):
        mturk(tmp_path, "Answer.taskAnswers", rows, "Answer.taskAnswers")
    with pytest.raises(ValueError, match=r"expected one class, .*`sets=True`"):
        kc.io.read_mturk(tmp_path / "batch.csv", "HITId", "Answer.taskAnswers", field="relation")


def toloka(tmp_path, cells, **rules):
    header = "INPUT:text\tOUTPUT:relation\tASSIGNMENT:worker_id\tASSIGNMENT:status\n"
    rows = [f"{i}\t{cell}\t{who}\tAPPROVED\n" for (i, who), cell in cells.items()]
    path = written(tmp_path, header + "".join(rows), "pool.tsv")
    return kc.io.read_toloka(path, "INPUT:text", "OUTPUT:relation", sets=True, **rules)


@pytest.mark.parametrize(
    "cells",
    [
        ['"[""cause"", ""treat""]"', "[]", '"[""none""]"'],
        ['"{""cause"": true, ""treat"": true}"', "{}", '"{""none"": true, ""treat"": false}"'],
        ["cause,treat", "", "none"],
    ],
)
def test_toloka_has_lists_and_boxes(tmp_path, cells):
    keys = [("1", "ann"), ("1", "bob"), ("2", "bob")]
    found = toloka(tmp_path, dict(zip(keys, cells, strict=True)), label_sep=",", empty="nothing")
    assert found.dense().tolist() == TABLE


def test_toloka_asks_what_a_blank_means(tmp_path):
    cells = {("1", "ann"): "cause", ("2", "ann"): ""}
    with pytest.raises(ValueError, match=r"line 3, 'OUTPUT:relation': .*`empty='nothing'`"):
        toloka(tmp_path, cells, label_sep=",")
    assert len(toloka(tmp_path, cells, label_sep=",", empty="missing")) == 1


# --- Prodigy, doccano -----------------------------------------------------------------------------------------


def example(item, who, accept, options=CLASSES, answer="accept"):
    ids = [{"id": label, "text": label.title()} for label in options]
    return {"_input_hash": item, "_annotator_id": who, "options": ids, "accept": accept, "answer": answer}


PRODIGY = [
    example(1, "ann", ["treat", "cause"]),
    example(1, "bob", []),
    example(2, "ann", ["none"], answer="ignore"),
    example(2, "bob", ["none"]),
]


def test_prodigy_tells_nothing_accepted_from_ignored(tmp_path):
    found = kc.io.read_prodigy(lines(tmp_path, PRODIGY), sets=True)
    assert (found.classes.tolist(), found.dense().tolist()) == (CLASSES, TABLE)
    bare = [{key: value for key, value in one.items() if key != "options"} for one in PRODIGY]
    assert kc.io.read_prodigy(lines(tmp_path, bare), sets=True).dense().tolist() == TABLE


def test_prodigy_knows_the_options_that_were_shown(tmp_path):
    records = [example(1, "ann", ["1"], ["1", "2"]), example(2, "ann", [], ["2", "3"])]
    found = kc.io.read_prodigy(lines(tmp_path, records), sets=True)
    assert found.classes.tolist() == ["1", "2", "3"]  # as in the file, not integers
    assert found.dense().tolist() == [[[1, 0, -1]], [[-1, 0, 0]]]
    everything = kc.io.read_prodigy(lines(tmp_path, records), sets=True, judged="all")
    assert everything.dense().tolist() == [[[1, 0, 0]], [[0, 0, 0]]]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (example(1, "ann", ["treet"]), "line 1, 'accept': expected options of the example"),
        (example(1, "ann", ["treat", "treat"]), "line 1, 'accept': .*each once. Received: 'treat'"),
        (example(1, "ann", ["treat"], answer="reject"), "`rejected='drop'`"),
        (example(1, "ann", "treat"), "line 1, 'accept': expected a list"),
        (example(1, "ann", [["treat"]]), "expected text, a number"),
        ({"label": "treat", "answer": "accept"}, r"line 1: expected a choice among `options`.*'treat'"),
    ],
)
def test_prodigy_names_what_is_wrong(tmp_path, record, message):
    with pytest.raises(ValueError, match=message):
        kc.io.read_prodigy(lines(tmp_path, [record]), sets=True)


def test_doccano_asks_what_an_empty_list_means(tmp_path):
    said = {"ann": [["cause", "treat"], []], "bob": [[], ["none"]]}
    for who, answers in said.items():
        records = [{"id": i, "text": "", "label": labels} for i, labels in enumerate(answers, 1)]
        (tmp_path / f"{who}.jsonl").write_text("\n".join(map(json.dumps, records)))
    paths = [tmp_path / "ann.jsonl", tmp_path / "bob.jsonl"]
    with pytest.raises(ValueError, match=r"ann\.jsonl, line 2, 'label': .*`empty='nothing'`"):
        kc.io.read_doccano(paths, sets=True)
    nothing = kc.io.read_doccano(paths, sets=True, empty="nothing")
    assert nothing.dense().tolist() == [TABLE[0], [[0, 0, 0], [0, 1, 0]]]
    missing = kc.io.read_doccano(paths, sets=True, empty="missing")
    assert missing.dense().tolist() == [[TABLE[0][0], MISSING], TABLE[1]]
    with pytest.raises(ValueError, match=r"expected one label, .*`sets=True`"):
        kc.io.read_doccano(paths)


def test_doccano_has_the_labels_of_all_in_one_file(tmp_path):
    said = [[("cause", 1), ("none", 2), ("treat", 1)], [("none", 2)]]
    records = [
        {"id": i, "annotations": [{"label": label, "user": user} for label, user in found]}
        for i, found in enumerate(said)
    ]
    found = kc.io.read_doccano(lines(tmp_path, records), sets=True)
    assert found.dense().tolist() == [[[1, 0, 1], [0, 1, 0]], [MISSING, [0, 1, 0]]]
    span = [{"id": 1, "username": "ann", "label": [[0, 3, "cause"]]}]
    with pytest.raises(ValueError, match="Received: a span"):
        kc.io.read_doccano(lines(tmp_path, span), sets=True)


# --- Hugging Face, SageMaker -----------------------------------------------------------------------------------


def test_hugging_face_has_lists_of_lists():
    pyarrow = pytest.importorskip("pyarrow")
    columns = {
        "annotators": [["ann", "bob"], ["ann", "bob"]],
        "answers": [[["cause", "treat"], []], [None, ["none"]]],
    }
    table = pyarrow.table(columns)
    with pytest.raises(ValueError, match=r"column 'answers': .*`empty='nothing'`"):
        kc.io.read_hugging_face(table, sets=True)
    assert kc.io.read_hugging_face(table, sets=True, empty="missing").dense().tolist() == TABLE
    nothing = kc.io.read_hugging_face(table, sets=True, empty="nothing")
    assert nothing.dense()[1].tolist() == [[0, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match="one class in each row"):
        kc.io.read_hugging_face(table)
    flat = pyarrow.table({"annotators": [["ann"]], "answers": [["cause"]]})
    with pytest.raises(ValueError, match="not one class"):
        kc.io.read_hugging_face(flat, sets=True)


def test_hugging_face_class_labels_have_names():
    datasets = pytest.importorskip("datasets")
    labels = datasets.ClassLabel(names=["treat", "cause", "other"])
    lists = datasets.Sequence(datasets.Sequence(labels))
    features = datasets.Features(
        {"annotators": datasets.Sequence(datasets.Value("string")), "answers": lists}
    )
    rows = {"annotators": [["ann", "bob"]], "answers": [[[0, 1], []]]}
    found = kc.io.read_hugging_face(datasets.Dataset.from_dict(rows, features=features), sets=True)
    assert (found.classes.tolist(), found.dense().tolist()) == (
        ["treat", "cause", "other"],
        [[[1, 1, 0], [0, 0, 0]]],
    )
    features = {"item": datasets.Value("string"), "annotator": datasets.Value("string")}
    features["answer"] = datasets.Sequence(labels)
    rows = {"item": ["a", "b"], "annotator": ["ann", "ann"], "answer": [[1], []]}
    long = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    found = kc.Annotations.from_dataframe(long, sets=True)
    assert (found.classes.tolist(), found.dense().tolist()) == (["cause"], [[[1]], [[0]]])


def sagemaker(tmp_path, contents, field, **rules):
    annotations = [
        {"workerId": who, "annotationData": {"content": json.dumps(content)}} for who, content in contents
    ]
    object_ = {"datasetObjectId": "0", "dataObject": {"content": "x"}, "annotations": annotations}
    return kc.io.read_sagemaker(written(tmp_path, [object_]), field, sets=True, **rules)


CLASS_LABEL = {"names": ["cause", "treat", "none"], "_type": "ClassLabel"}


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": {"feature": CLASS_LABEL, "_type": "List"}, "_type": "List"},
        {"feature": {"feature": CLASS_LABEL, "_type": "Sequence"}, "_type": "Sequence"},
        [[CLASS_LABEL]],
    ],
)
def test_hugging_face_class_labels_have_names_in_files(tmp_path, feature):
    """`datasets` writes its features into the schema of a Parquet file, lists in several ways by its release."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    answers = pa.array([[[0, 2], []], [[1]]], pa.list_(pa.list_(pa.int64())))
    table = pa.table({"annotators": [["x", "y"], ["x"]], "answers": answers})
    info = json.dumps({"info": {"features": {"answers": feature}}})
    parquet.write_table(table.replace_schema_metadata({"huggingface": info}), tmp_path / "sets.parquet")
    found = kc.io.read_hugging_face(parquet.read_table(tmp_path / "sets.parquet"), sets=True)
    assert found.classes.tolist() == CLASS_LABEL["names"]
    assert found.dense().tolist() == [[[1, 0, 1], [0, 0, 0]], [[0, 1, 0], [-1, -1, -1]]]


def test_sagemaker_has_lists_and_boxes(tmp_path):
    lists = [("ann", {"r": {"labels": ["treat", "cause"]}}), ("bob", {"r": {"labels": []}})]
    assert sagemaker(tmp_path, lists, "r.labels", classes=CLASSES).dense().tolist() == TABLE[:1]
    boxes = [("ann", {"r": {"cause": True, "treat": True, "none": False}})]
    boxes.append(("bob", {"r": dict.fromkeys(CLASSES, False)}))
    np.testing.assert_array_equal(sagemaker(tmp_path, boxes, "r").dense(), TABLE[:1])
    with pytest.raises(ValueError, match=r"object 1, annotation 1.*not one class. Received: 'cause'"):
        sagemaker(tmp_path, [("ann", {"r": {"label": "cause"}})], "r.label")
