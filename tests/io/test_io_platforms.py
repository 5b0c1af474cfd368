"""Results of Mechanical Turk and Toloka as people have them: trimmed, with radio buttons in columns of their own."""

import csv

import pandas as pd
import pytest
from io_samples import IMAGE, SAMPLES, mturk, toloka

import keras_crowd as kc

# What Amazon writes before the columns of the template, the 27 of a results file.
FIXED = """
HITId HITTypeId Title Description Keywords Reward CreationTime MaxAssignments RequesterAnnotation
AssignmentDurationInSeconds AutoApprovalDelayInSeconds Expiration NumberOfSimilarHITs LifetimeInSeconds AssignmentId
WorkerId AssignmentStatus AcceptTime SubmitTime AutoApprovalTime ApprovalTime RejectionTime RequesterFeedback
WorkTimeInSeconds LifetimeApprovalRate Last30DaysApprovalRate Last7DaysApprovalRate
""".split()  # noqa: SIM905


def batch(folder, answers, rows):
    """A results file with all fixed columns."""
    columns = [*FIXED, "Input.image_url", "Input.caption", *answers]
    with (folder / "batch.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for hit, worker, *values in rows:
            known = {
                "HITId": hit,
                "WorkerId": worker,
                "AssignmentStatus": "Approved",
                "Input.image_url": hit,
            }
            known |= dict(zip(answers, values, strict=True))
            writer.writerow([known.get(name, "x") for name in columns])
    return folder / "batch.csv"


@pytest.mark.parametrize(
    ("item", "answer", "shown"),
    [
        ("HITId", "Answer.kind", ["Answer.kind.label", "Answer.sure"]),
        ("HITId", "kind", ["Answer.kind.label", "Answer.sure"]),
        ("HITId", "Answer.Sure", ["Answer.sure", "Answer.kind.label"]),
        ("image_url", "Answer.sure", ["Input.image_url", "Input.caption"]),
        ("Input.url", "Answer.sure", ["Input.image_url", "Input.caption"]),
        ("hitid", "Answer.sure", ["HITId"]),
    ],
)
def test_a_wrong_column_shows_those_it_may_be(tmp_path, item, answer, shown):
    assert len(FIXED) == 27
    path = batch(tmp_path, ["Answer.kind.label", "Answer.sure"], [("h", "w", "cat", "yes")])
    with pytest.raises(ValueError, match="header: expected one column") as error:
        kc.io.read_mturk(path, item, answer)
    received = str(error.value).partition("Received: 0 in 31 columns, among them ")[2]
    assert all(repr(name) in received for name in shown), received
    assert "'Reward'" not in received


def test_radio_buttons_in_columns_of_their_own_are_one_answer(tmp_path):
    columns = ["Answer.kind.a cat", "Answer.kind.dog", "Answer.kind.v1.5", "Answer.kinder.x"]
    rows = [
        ("h1", "w1", "true", "false", "false", "?"),
        ("h1", "w2", "FALSE", "TRUE", "FALSE", "?"),
        ("h2", "w1", "", "", "true", "?"),
        ("h2", "w2", "false", "false", "false", "?"),
        ("h2", "w3", "", "", "", "?"),
    ]
    found = kc.io.read_mturk(batch(tmp_path, columns, rows), "HITId", "Answer.kind")
    assert found.classes.tolist() == ["a cat", "dog", "v1.5"]
    assert (found.annotators.tolist(), found.dense().tolist()) == (["w1", "w2"], [[0, 1], [2, -1]])
    one = kc.io.read_mturk(batch(tmp_path, columns, rows), "HITId", "Answer.kind.dog")
    assert one.classes.tolist() == ["TRUE", "false"]
    with pytest.raises(ValueError, match=r"expected one column 'Answer.kind'. Received: 0 in "):
        kc.io.read_mturk(batch(tmp_path, columns, rows), "HITId", "Answer.kind", field="x")


def test_columns_that_are_no_radio_buttons(tmp_path):
    columns = ["Answer.kind.cat", "Answer.kind.dog"]
    path = batch(tmp_path, columns, [("h", "w1", "true", "false"), ("h", "w2", "true", "true")])
    with pytest.raises(
        ValueError,
        match=r"line 3, 'Answer.kind': expected one class, one of \['cat', 'dog'\] .*by itself.*Received: \['cat', 'd",
    ):
        kc.io.read_mturk(path, "HITId", "Answer.kind")
    path = batch(tmp_path, columns, [("h", "w1", "true", "maybe")])
    with pytest.raises(
        ValueError, match=r"line 2, .*the whole name of one column. Received: 'maybe' in .*'.dog'"
    ):
        kc.io.read_mturk(path, "HITId", "Answer.kind")


def test_files_without_a_status_are_read_whole(tmp_path):
    frame = pd.read_csv(SAMPLES / "mturk.csv").drop(columns="AssignmentStatus")
    frame.to_csv(tmp_path / "batch.csv", index=False)
    everything = mturk(SAMPLES / "mturk.csv", status=["Submitted", "Approved", "Rejected"])
    assert mturk(tmp_path / "batch.csv").dense().tolist() == everything.dense().tolist()
    with pytest.raises(ValueError, match="expected one column 'AssignmentStatus'"):
        mturk(tmp_path / "batch.csv", status="Approved")
    table = pd.read_csv(SAMPLES / "toloka.tsv", sep="\t", dtype=str).drop(columns="ASSIGNMENT:status")
    table.to_csv(tmp_path / "pool.tsv", sep="\t", index=False)
    everything = toloka(SAMPLES / "toloka.tsv", status=["SUBMITTED", "APPROVED", "REJECTED"])
    assert toloka(tmp_path / "pool.tsv").dense().tolist() == everything.dense().tolist()
    with pytest.raises(ValueError, match="expected one column 'ASSIGNMENT:status'"):
        toloka(tmp_path / "pool.tsv", status=["SUBMITTED"])


def test_trimmed_files_need_no_more_than_three_columns(tmp_path):
    (tmp_path / "batch.csv").write_text("WorkerId,Input.image_url,Answer.kind\nw,a.png,cat\nv,a.png,dog\n")
    assert kc.io.read_mturk(tmp_path / "batch.csv", IMAGE, "Answer.kind").dense().tolist() == [[1, 0]]
    (tmp_path / "batch.csv").write_text("Input.image_url,Answer.kind\na.png,cat\n")
    with pytest.raises(ValueError, match=r"expected one column 'WorkerId'. Received: 0 in"):
        kc.io.read_mturk(tmp_path / "batch.csv", IMAGE, "Answer.kind")


def test_a_wrong_column_of_toloka_shows_those_it_may_be(tmp_path):
    other = [f"ASSIGNMENT:{i}" for i in range(12)]
    columns = [*other, "INPUT:image", "OUTPUT:result", "OUTPUT:sure", "ASSIGNMENT:worker_id"]
    (tmp_path / "pool.tsv").write_text("\t".join(columns) + "\n" + "\t".join(["x"] * len(columns)) + "\n")
    with pytest.raises(ValueError, match=r"'kind'. .*among them \['OUTPUT:result', 'OUTPUT:sure'\]$"):
        kc.io.read_toloka(tmp_path / "pool.tsv", "INPUT:image", "kind")
    with pytest.raises(ValueError, match=r"'img'. .*among them \['INPUT:image'\]$"):
        kc.io.read_toloka(tmp_path / "pool.tsv", "img", "OUTPUT:sure")
