"""What each tool writes and takes: its own rules, repeated answers, and labels back in its own format."""

import csv
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from io_samples import (
    FORMATS,
    IMAGE,
    PEOPLE,
    PICTURES,
    SAMPLES,
    label_studio_min,
    mturk,
    prodigy,
    toloka,
    wide,
)

import keras_crowd as kc

# --- repeated answers ------------------------------------------------------------------------------


def sample(name):
    return (SAMPLES / FORMATS[name][0]).read_text()


def more_lines(name, changes):
    """The line of ann's "cat" for a.png again, with other answers."""
    text = sample(name)
    line = next(line for line in text.splitlines() if "ann" in line and "a.png" in line and "cat" in line)
    return text.rstrip("\n") + "\n" + "".join(line.replace(*change) + "\n" for change in changes)


def more_lines_of_answers(name):
    return more_lines(name, [("cat", "dog"), ("cat", "dog")])


def more_lines_of_mturk(name):
    said = '"a.png","{0}","[{{""kind"": {{""cat"": {1}, ""dog"": {2}}}'
    return more_lines(
        name, [(said.format("cat", "true", "false"), said.format("dog", "false", "true"))] * 2
    )


def more_lines_of_prodigy(name):
    return more_lines(name, [('"accept": ["cat"]', '"accept": ["dog"]')] * 2)


def more_cells(name):
    return sample(name) + "a.png,dog,,\n" * 2


def more_keys(name):
    return sample(name) + '{"image": "a.png", "ann": "dog"}\n' * 2


def more_annotations(name):
    tasks = json.loads(sample(name))
    first = json.dumps(tasks[0]["annotations"][0])
    tasks[0]["annotations"] += [json.loads(first.replace("cat", "dog"))] * 2
    return json.dumps(tasks)


def more_records(name):
    records = json.loads(sample(name))
    cat = next(record for record in records if record["annotator"] == 1 and record["id"] == 11)
    return json.dumps(
        [*records, cat | {"kind": "dog", "annotation_id": 7}, cat | {"kind": "dog", "annotation_id": 8}]
    )


REPEATED = {
    "csv": more_lines_of_answers,
    "tsv": more_lines_of_answers,
    "jsonl": more_lines_of_answers,
    "toloka": more_lines_of_answers,
    "wide": more_cells,
    "wide_jsonl": more_keys,
    "label_studio": more_annotations,
    "label_studio_min": more_records,
    "sagemaker": more_annotations,
    "mturk": more_lines_of_mturk,
    "mturk_forms": more_lines_of_mturk,
    "prodigy": more_lines_of_prodigy,
}


@pytest.mark.parametrize("name", FORMATS)
def test_rules_for_repeated_answers_of_each_format(name, tmp_path):
    file, reader, *_ = FORMATS[name]
    (tmp_path / file).write_text(REPEATED[name](name))
    with pytest.raises(ValueError, match=rf"{file}, .*\d.*expected one answer .*as in \w+ \d"):
        reader(tmp_path / file)
    once = reader(SAMPLES / file)
    for rule, answer in (("first", "cat"), ("last", "dog"), ("majority", "dog")):
        found = reader(tmp_path / file, duplicates=rule)
        assert found.classes[found.dense()[0, 0]] == answer
        assert found.dense().ravel()[1:].tolist() == once.dense().ravel()[1:].tolist()


def test_rules_for_repeated_answers_in_lists():
    table = pa.table(
        {"annotators": [["ann", "bob", "ann", "ann"]], "answers": [["cat", "dog", "dog", "dog"]]}
    )
    for rule, answer in (("first", 0), ("last", 1), ("majority", 1)):
        assert kc.io.read_hugging_face(table, duplicates=rule).dense().tolist() == [[answer, 1]]


# --- labels back -----------------------------------------------------------------------------------


def write_labels(item, label, ending):
    def write(path, annotations, posterior):
        kc.io.write_labels(path, annotations, posterior, item, label)
        return kc.io.read_long(path, item, "confidence", label)

    return write, f"labels{ending}"


def write_and_read(write, read, name, **rules):
    def go(path, annotations, posterior):
        write(path, SAMPLES / FORMATS[name][0], annotations, posterior)
        return read(path, **rules)

    return go, f"labels-{FORMATS[name][0]}"


def manifest(path, annotations, posterior):
    kc.io.write_sagemaker(path, SAMPLES / FORMATS["sagemaker"][0], annotations, posterior, "kind")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    names = [line["kind-metadata"]["class-name"] for line in lines]
    assert names == annotations.classes[[line["kind"] for line in lines]].tolist()
    found = [line["kind-metadata"]["confidence"] for line in lines]
    return kc.Annotations.from_coo(annotations.items, map(str, found), names)


BACK = {
    "csv": write_labels("image", "label", ".csv"),
    "tsv": write_labels("image", "label", ".tsv"),
    "jsonl": write_labels("image", "label", ".jsonl"),
    "wide": write_labels("image", "label", ".csv"),
    "wide_jsonl": write_labels("image", "label", ".parquet"),
    "mturk": write_labels("image_url", "label", ".csv"),
    "mturk_forms": write_labels("image_url", "label", ".csv"),
    "toloka": write_labels("INPUT:image", "GOLDEN:result", ".tsv"),
    "label_studio": write_and_read(
        kc.io.write_label_studio, kc.io.read_label_studio, "label_studio", predictions=True
    ),
    # Predictions are of the JSON export of the same tasks, which has what JSON-MIN leaves out.
    "label_studio_min": write_and_read(
        kc.io.write_label_studio, kc.io.read_label_studio, "label_studio", predictions=True
    ),
    "prodigy": write_and_read(kc.io.write_prodigy, prodigy, "prodigy"),
    "sagemaker": (manifest, "out.manifest"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_labels_of_a_sample_go_back(name, tmp_path):
    file, reader, items, *_ = FORMATS[name]
    annotations = reader(SAMPLES / file)
    posterior = np.array([[0.25, 0.75], [0.9, 0.1], [0.6, 0.4]])[: len(items)]
    write, target = BACK[name]
    back = write(tmp_path / target, annotations, posterior)
    assert back.items.tolist() == items
    assert back.classes[back.answers].tolist() == ["dog", "cat", "cat"][: len(items)]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_annotators_of_a_sample_go_out(name, ending, tmp_path):
    file, reader, _, annotators, _ = FORMATS[name]
    annotations, path = reader(SAMPLES / file), tmp_path / f"annotators{ending}"
    votes = np.eye(2)[kc.aggregation.majority_vote(annotations).clip(0)]
    table = kc.aggregation.annotator_table(annotations, votes)
    kc.io.write_annotators(path, annotations, "who", agreement=table["agreement"], lazy=table["one_class"])
    back = kc.io.read_long(path, "who", "answers", "agreement")
    assert back.items.tolist() == annotators
    np.testing.assert_allclose(back.answers, table["agreement"])


# --- Label Studio ----------------------------------------------------------------------------------


def test_label_studio_leaves_regions_to_others(tmp_path):
    tasks = json.loads(sample("label_studio"))
    result = tasks[0]["annotations"][0]["result"][0]
    result["value"] |= {"x": 1, "y": 2, "width": 3, "height": 4}
    path = tmp_path / "ls.json"
    path.write_text(json.dumps(tasks))
    part = r"ls.json, task 1, annotation 1, 'kind': expected an answer about the whole task"
    with pytest.raises(ValueError, match=part):
        kc.io.read_label_studio(path)
    result.update(value={"choices": ["cat"]}, item_index=0)
    path.write_text(json.dumps(tasks))
    with pytest.raises(ValueError, match=part):
        kc.io.read_label_studio(path)
    result["from_name"] = "of the box"
    path.write_text(json.dumps(tasks))
    assert kc.io.read_label_studio(path).dense()[0].tolist() == [-1, 1, -1]


def test_exports_of_label_studio_are_told_apart(tmp_path):
    with pytest.raises(
        ValueError, match=r"min.json, task 1: .*JSON-MIN, which `read_label_studio_min` reads"
    ):
        kc.io.read_label_studio(SAMPLES / "label_studio_min.json")
    with pytest.raises(
        ValueError, match=r"annotation 1: .*the JSON export, which `read_label_studio` reads"
    ):
        label_studio_min(SAMPLES / "label_studio.json")
    (tmp_path / "old.json").write_text('[{"image": "a.png", "kind": "cat"}]')
    with pytest.raises(ValueError, match=r"old.json, annotation 1: expected the key 'annotation_id'"):
        label_studio_min(tmp_path / "old.json")


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            {"kind": {"choices": ["cat", "dog"]}},
            r"'kind': expected one choice, .* Received: \['cat', 'dog'\]",
        ),
        ({"kind": ["cat", "dog"]}, "'kind': expected one result. Received: 2"),
        ({"kind": []}, "'kind': expected one result. Received: 0"),
        (
            {"kind": [{"choices": ["cat"], "x": 1, "y": 1}]},
            "'kind': expected one of choices, .* the whole task",
        ),
        ({"kind": [{"rectanglelabels": ["cat"]}]}, "'kind': expected one of choices"),
        ({"kind": [{}]}, "'kind': expected one of choices"),
        ({"kind": 7}, "'kind': expected an object. Received: 7"),
        ({"kind": [{"rating": "4"}]}, "'kind': expected a number"),
        ({"annotator": None}, "'annotator': expected an id"),
        ({"annotation_id": 105}, "expected an id of its own. Received: 105, as annotation 1"),
        ({"id": None}, "'id': expected an id"),
        ({"id": "11"}, "'id': expected a number, as before"),
    ],
)
def test_json_min_that_is_wrong(tmp_path, record, message):
    records = json.loads(sample("label_studio_min"))[2:4]
    records[1] |= record
    (tmp_path / "min.json").write_text(json.dumps(records))
    with pytest.raises(ValueError, match=rf"min.json, annotation 2.*{message}"):
        label_studio_min(tmp_path / "min.json")


def test_json_min_of_ratings_numbers_and_other_items(tmp_path):
    records = json.loads(sample("label_studio_min"))
    for stars, record in enumerate(records[:5]):
        record |= {"stars": [{"rating": stars}], "price": [{"number": stars}]}
    (tmp_path / "min.json").write_text(json.dumps(records))
    found = kc.io.read_label_studio_min(tmp_path / "min.json", "stars", item="image")
    assert found.items.tolist() == [f"/data/upload/{name}" for name in ("a.png", "b.png", "c.png")]
    assert found.classes.tolist() == [0, 1, 2, 3, 4]
    assert found.dense().tolist() == [[1, 0, -1], [4, 3, 2], [-1, -1, -1]]
    found = kc.io.read_label_studio_min(tmp_path / "min.json", "price")
    assert found.classes is None
    assert sorted(found.answers) == [0, 1, 2, 3, 4]
    with pytest.raises(
        ValueError,
        match=r"min.json: expected results of the control 'colour' .*the keys \['image', 'id', 'kind'",
    ):
        kc.io.read_label_studio_min(tmp_path / "min.json", "colour")


# --- the others ------------------------------------------------------------------------------------


def test_mturk_rows_may_lack_the_columns_of_the_reviewer(tmp_path):
    rows = list(csv.reader(sample("mturk").splitlines()))
    path = tmp_path / "batch.csv"

    def written(rows):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows)

    written([rows[0], *(row[:-2] for row in rows[1:])])
    assert mturk(path).dense().tolist() == mturk(SAMPLES / "mturk.csv").dense().tolist()
    written([rows[0], rows[1][:-1]])
    with pytest.raises(ValueError, match=r"batch.csv, line 2: expected 16 fields.* Received: 15"):
        mturk(path)
    written([[*rows[0][:-2], "Accept", "Reject"], *(row[:-2] for row in rows[1:])])
    with pytest.raises(ValueError, match=r"batch.csv, line 2: expected 16 fields.* Received: 14"):
        mturk(path)


@pytest.mark.parametrize("state", ["ACTIVE", "SKIPPED", "EXPIRED"])
def test_toloka_leaves_out_what_was_not_finished(tmp_path, state):
    (tmp_path / "pool.tsv").write_text(sample("toloka").replace("\tREJECTED\t", f"\t{state}\t"))
    assert toloka(tmp_path / "pool.tsv").dense().tolist() == [[0, 1, -1], [1, 1, 0]]
    assert toloka(tmp_path / "pool.tsv", status=[state]).dense().tolist() == [[0]]
    (tmp_path / "pool.tsv").write_text(sample("toloka").replace("REJECTED", "DONE"))
    with pytest.raises(ValueError, match=r"pool.tsv, line 8, 'ASSIGNMENT:status': expected one of ACTIVE"):
        toloka(tmp_path / "pool.tsv")


@pytest.mark.parametrize("name", ["kind-metadata", "kind-ref"])
def test_sagemaker_takes_no_such_label_attributes(tmp_path, name):
    path = SAMPLES / "sagemaker.json"
    annotations = kc.io.read_sagemaker(path, "kind.label")
    with pytest.raises(ValueError, match="`label_attribute` must not have"):
        kc.io.write_sagemaker(tmp_path / "m", path, annotations, [0, 0, 0], name)


def test_prodigy_choices_that_were_rejected_or_never_made(tmp_path):
    path = tmp_path / "p.jsonl"
    lines = sample("prodigy").splitlines()
    lines[0] = lines[0].replace('"answer": "accept"', '"answer": "reject"')
    lines[5] = lines[5].replace('"accept": [], ', "")
    path.write_text("\n".join(lines))
    with pytest.raises(
        ValueError, match=r"line 1, 'answer': expected .*`rejected='drop'`. Received: 'reject'"
    ):
        prodigy(path)
    assert prodigy(path, rejected="drop").dense().tolist() == [[-1, 1, -1], [1, 1, 0]]
    with pytest.raises(ValueError, match="`rejected` must be 'error' or 'drop'"):
        prodigy(path, rejected="keep")


def test_prodigy_answers_the_examples_of_one_label(tmp_path):
    spam = [json.loads(line) for line in (SAMPLES / "prodigy_binary.jsonl").read_text().splitlines()]
    ads = [{**example, "label": "AD", "answer": "reject"} for example in spam]
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(map(json.dumps, ads + spam)))
    annotations = prodigy(path, label="SPAM", classes=["reject", "accept"])
    with pytest.raises(
        ValueError, match=r"line 6: expected examples of one label, .*'SPAM', and 'AD' in line 1"
    ):
        kc.io.write_prodigy(tmp_path / "out.jsonl", path, annotations, [1, 0])
    kc.io.write_prodigy(tmp_path / "out.jsonl", path, annotations, [1, 0], label="SPAM")
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(example["label"], example["answer"]) for example in out] == [
        ("SPAM", "accept"),
        ("SPAM", "reject"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_input_hash": [1]}, "'_input_hash': expected text, a number"),
        ({"meta": 7}, "'meta': expected an object"),
    ],
)
def test_prodigy_exports_that_are_wrong_when_written(tmp_path, change, message):
    examples = [json.loads(line) for line in sample("prodigy").splitlines()]
    (tmp_path / "p.jsonl").write_text("\n".join(json.dumps(example | change) for example in examples))
    with pytest.raises(ValueError, match=rf"p.jsonl, line 1, {message}"):
        kc.io.write_prodigy(
            tmp_path / "out", tmp_path / "p.jsonl", prodigy(SAMPLES / "prodigy.jsonl"), [0, 1]
        )


def test_label_studio_exports_that_are_wrong_when_written(tmp_path):
    export = SAMPLES / "label_studio.json"
    annotations = kc.io.read_label_studio(export)
    with pytest.raises(ValueError, match=r"task 1, 'data': expected text, a number, true or false"):
        kc.io.write_label_studio(tmp_path / "out", export, annotations, [0, 1, 1], item="data")


@pytest.mark.parametrize("name", ["wide", "wide_jsonl"])
def test_wide_tables_need_an_id_even_where_nobody_answered(name, tmp_path):
    path = tmp_path / FORMATS[name][0]
    path.write_text(sample(name).replace('"c.png"', "null").replace("c.png", ""))
    with pytest.raises(ValueError, match=rf"{path.name}, line \d, 'image': expected an id"):
        wide(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token": -1}, "`token` must be an integer at least 0"),
        ({"first_answer": 0}, "`first_answer` must be a positive integer"),
        ({"token": 2, "first_answer": 1}, "`first_answer` must be an integer at least 3"),
        ({"sep": ""}, "`sep` must be"),
        ({"sep": " ", "token": 1, "first_answer": 2}, "line 3, column 2: expected a token"),
    ],
)
def test_conll_columns_that_cannot_be(tmp_path, options, message):
    (tmp_path / "t.conll").write_text("Mary B O O\nJones I O O\nsleeps  O O\n")
    with pytest.raises(ValueError, match=message):
        kc.io.read_conll(tmp_path / "t.conll", **options)
    (tmp_path / "t.conll").write_text("Mary B O\n")
    with pytest.raises(ValueError, match="`annotators` must be distinct"):
        kc.io.read_conll(tmp_path / "t.conll", ["ann", "ann"])


def test_lists_of_one_length():
    names, codes = (pa.list_(kind, 2) for kind in (pa.string(), pa.int64()))
    table = pa.table(
        {
            "annotators": pa.array([["ann", "bob"], ["ann", "eve"]], names),
            "answers": pa.array([[1, 0], [1, None]], codes),
        }
    )
    assert kc.io.read_hugging_face(table, annotators=PEOPLE).dense().tolist() == [[1, 0, -1], [1, -1, -1]]
    assert kc.io.read_hugging_face(table.slice(1), annotators=PEOPLE).dense().tolist() == [[0, -1, -1]]


def test_labels_are_the_input_of_another_batch(tmp_path):
    annotations = mturk(SAMPLES / "mturk.csv")
    kc.io.write_labels(
        tmp_path / "b.csv", annotations, [0, 1], IMAGE.removeprefix("Input."), "guess", confidence=None
    )
    assert (tmp_path / "b.csv").read_text() == f"image_url,guess\n{PICTURES[0]},cat\n{PICTURES[1]},dog\n"


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ([{"kind": {"cat": True, "dog": False}}], ["kind"]),
        ([{"category": {"label": "cat"}, "sure": {"score": 3, "how": {"yes": True}}}],
         ["category.label", "sure.score", "sure.how"]),
        ({"a": 1, "b": "x"}, ["a", "b"]),
        ([], []),
    ],
)  # fmt: skip
def test_mturk_takes_no_whole_form_for_a_class(tmp_path, form, fields):
    rows = [["HITId", "WorkerId", "AssignmentStatus", "Answer.taskAnswers"], ["H", "W", "Approved", "[sic"]]
    with (tmp_path / "b.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert kc.io.read_mturk(tmp_path / "b.csv", "HITId", "Answer.taskAnswers").classes.tolist() == ["[sic"]
    with (tmp_path / "b.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["H2", "W", "Approved", json.dumps(form)])
    with pytest.raises(ValueError, match=r"line 3, 'Answer.taskAnswers': .*`field=`.*the fields ") as error:
        kc.io.read_mturk(tmp_path / "b.csv", "HITId", "Answer.taskAnswers")
    assert str(error.value).endswith(f"fields {fields}")


def test_worker_responses_of_sagemaker_are_told_apart(tmp_path):
    (tmp_path / "r.json").write_text('{"answers": [{"answerContent": {}, "workerId": "w"}]}')
    with pytest.raises(ValueError, match=r"r.json: .*consolidation-request. Received: a worker response"):
        kc.io.read_sagemaker(tmp_path / "r.json", "kind.label")


# --- Parquet ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("row_group_size", [2, None])
def test_a_categorical_of_parquet_keeps_its_order_and_categories(tmp_path, row_group_size):
    grades = pd.Categorical(["mid", "low", None, "low"], categories=["low", "mid", "high"], ordered=True)
    frame = pd.DataFrame({"item": list("abcd"), "annotator": "r", "answer": grades})
    path = tmp_path / "t.parquet"
    frame.to_parquet(path, row_group_size=row_group_size or len(frame))
    found = kc.io.read_long(path)
    assert found.classes.tolist() == ["low", "mid", "high"]
    assert found.classes.tolist() == kc.Annotations.from_dataframe(frame).classes.tolist()
    assert found.dense().tolist() == [[1], [0], [0]]
    assert kc.io.read_long(path, classes=["mid", "low"]).dense().tolist() == [[0], [1], [1]]
    frame.to_parquet(path, use_dictionary=False)  # then the file has no order
    assert kc.io.read_long(path).classes.tolist() == ["low", "mid"]
    frame.astype({"answer": "object"}).to_parquet(path)  # codes in the file are no categories
    assert kc.io.read_long(path).classes.tolist() == ["low", "mid"]
    codes = pa.array(["z", "a"]).dictionary_encode()
    pq.write_table(
        pa.table({"item": [1, 2], "annotator": [1, 1], "answer": codes}), path
    )  # nor are those of Arrow
    assert kc.io.read_long(path).classes.tolist() == ["a", "z"]
    ordered = codes.cast(pa.dictionary(pa.int32(), pa.string(), ordered=True))
    pq.write_table(pa.table({"item": [1, 2], "annotator": [1, 1], "answer": ordered}), path)
    assert kc.io.read_long(path).classes.tolist() == ["z", "a"]
    numbers = pd.Categorical([2, 1, 2, 1], categories=[3, 2, 1])
    frame.assign(answer=numbers).to_parquet(path)
    assert kc.io.read_long(path).classes.tolist() == [1, 2]
