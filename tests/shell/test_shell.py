"""The commands of `keras-crowd`, in this process; `test_shell_process.py` has the process of its own."""

import contextlib
import csv
import json
import pathlib
import shlex
import time
import types

import numpy as np
import pytest
from io_samples import SAMPLES

import keras_crowd as kc
from keras_crowd._shell import _formats, _main, _methods, main
from keras_crowd._shell._progress import Progress

ROOT = pathlib.Path(__file__).parents[2]
COLUMNS = "--item task --annotator worker --answer label"
CLASSES = kc.datasets.simulate_answers(
    np.random.default_rng(0).integers(0, 3, 40),
    kc.datasets.diagonally_dominant(6, 3, (0.4, 0.9), seed=0),
    answers_per_item=4,
    seed=0,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kc.io.write_long("answers.csv", CLASSES, "task", "worker", "label")
    return tmp_path


def shell(line):
    return main(shlex.split(line))


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def numbers(path, name):
    return np.array([row[name] for row in rows(path)], float)


def test_labels_and_annotators_are_those_of_the_library(folder):
    assert shell(f"aggregate answers.csv {COLUMNS} -o labels.csv --annotators-out annotators.csv") == 0
    found = kc.aggregation.dawid_skene(CLASSES)
    assert list(rows("labels.csv")[0]) == ["task", "label", "confidence"]
    np.testing.assert_array_equal(numbers("labels.csv", "label"), found.labels)
    np.testing.assert_array_equal(numbers("labels.csv", "confidence"), found.posterior.max(axis=1))
    people = kc.aggregation.annotator_table(CLASSES, found.posterior, found.confusion)
    for name in ("annotator", "answers", "accuracy", "confusion[2,2]"):
        np.testing.assert_array_equal(numbers("annotators.csv", name), people[name])


def test_annotators_have_intervals(folder, capsys):
    line = f"aggregate answers.csv {COLUMNS} -o labels.csv"
    assert shell(f"{line} --annotators-out people.csv --intervals") == 0
    found = kc.aggregation.dawid_skene(CLASSES)
    table = kc.aggregation.annotator_table(CLASSES, found.posterior, intervals=True)
    for name in ("accuracy_low", "accuracy_mean", "accuracy_high"):
        np.testing.assert_allclose(numbers("people.csv", name), table[name])
    learned = kc.aggregation.annotator_table(CLASSES, found.posterior, found.confusion)
    np.testing.assert_allclose(numbers("people.csv", "accuracy"), learned["accuracy"])
    assert shell(f"{line} --intervals") == 2
    assert "--intervals needs --annotators-out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("majority-vote", lambda a: kc.aggregation.majority_vote(a, soft=True)),
        ("dawid-skene-full", lambda a: kc.aggregation.dawid_skene(a, confusion="full").posterior),
        (
            "dawid-skene-class-wise",
            lambda a: kc.aggregation.dawid_skene(a, confusion="class_wise").posterior,
        ),
        ("mace", lambda a: kc.aggregation.mace(a).posterior),
        ("glad", lambda a: kc.aggregation.glad(a).posterior),
        ("ebcc", lambda a: kc.aggregation.ebcc(a).posterior),
        ("dawid-skene-one-coin", lambda a: kc.aggregation.dawid_skene(a, confusion="one_coin").posterior),
    ],
)
def test_methods_for_classes(folder, method, expected):
    assert shell(f"aggregate answers.csv {COLUMNS} --method {method} -o labels.csv") == 0
    confidence = expected(CLASSES).max(axis=1)
    np.testing.assert_allclose(numbers("labels.csv", "confidence"), confidence, rtol=1e-6)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("", lambda a: kc.aggregation.raykar(a).truth),
        ("--method mean", kc.aggregation.mean_rating),
        ("--method median", kc.aggregation.median_rating),
    ],
)
def test_ratings(folder, method, expected):
    ratings = np.random.default_rng(0).normal(3, 1, (20, 4)).round(2)
    annotations = kc.Annotations.from_dense(ratings)
    kc.io.write_long("ratings.csv", annotations)
    assert shell(f"aggregate ratings.csv {method} -o labels.csv --annotators-out annotators.csv") == 0
    np.testing.assert_allclose(numbers("labels.csv", "label"), expected(annotations), rtol=1e-6)
    table = kc.aggregation.annotator_table(annotations, expected(annotations))
    np.testing.assert_allclose(numbers("annotators.csv", "bias"), table["bias"], atol=1e-6)


@pytest.mark.parametrize("method", ["", "--method majority-vote"])
def test_sets(folder, method):
    text = "item,annotator,answer\n1,ann,a;b\n1,bob,a\n1,eve,a\n2,ann,b\n2,bob,b\n2,eve,b;a\n"
    (folder / "sets.csv").write_text(text)
    assert shell(f"aggregate sets.csv --sets --label-sep ; --empty nothing {method} -o labels.jsonl") == 0
    found = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
    assert [row["label"] for row in found] == [["a"], ["b"]]
    assert shell(f"aggregate sets.csv --sets --label-sep ; {method} --threshold 0.99 -o labels.jsonl") == 0


def test_preferences_become_scores(folder):
    (folder / "votes.csv").write_text("left,right,by,best\nx,y,ann,x\nz,y,bob,y\nx,z,bob,x\n")
    columns = "--item-a left --item-b right --annotator by --winner best"
    line = f"aggregate votes.csv --format preferences {columns} -o scores.csv --annotators-out who.csv"
    assert shell(line) == 0
    assert [row["item"] for row in rows("scores.csv")] == ["x", "y", "z"]
    assert numbers("who.csv", "answers").tolist() == [1, 2]


SAMPLE_LINES = {
    "long.csv": "--item image --annotator worker --answer label",
    "wide.csv": "--format wide --item image",
    "label_studio.json": "--format label-studio",
    "label_studio_min.json": "--format label-studio-min --from-name kind",
    "mturk.csv": "--format mturk --item Input.image_url --answer Answer.kind.label",
    "toloka.tsv": "--format toloka --item INPUT:image --answer OUTPUT:result",
    "sagemaker.json": "--format sagemaker --field kind.label",
    "prodigy.jsonl": "--format prodigy",
}


@pytest.mark.parametrize("name", SAMPLE_LINES)
def test_formats_of_tools_give_the_same_labels(folder, name):
    """Of a.png, about which two differ, and b.png; c.png, which nobody answered, is left out."""
    assert shell(f"aggregate {SAMPLES / name} {SAMPLE_LINES[name]} --method majority-vote -o l.csv") == 0
    assert [row["label"] for row in rows("l.csv")] == ["cat", "dog"]
    assert numbers("l.csv", "confidence").round(2).tolist() == [0.5, 0.67]


def test_more_formats(folder):
    (folder / "a.json").write_text('{"1": {"ann": "cat", "bob": "dog"}, "2": {"bob": "dog"}}')
    assert shell("aggregate a.json --format nested -o l.csv") == 0
    assert [row["item"] for row in rows("l.csv")] == ["1", "2"]
    (folder / "a.conll").write_text("Mary B ?\nsleeps O O\n\nWhy O O\n")
    assert shell("aggregate a.conll -o l.csv") == 0
    assert [row["label"] for row in rows("l.csv")] == ["B", "O", "O"]
    (folder / "r.csv").write_text("item,annotator,rank\nx,ann,1\ny,ann,2\nx,bob,1\ny,bob,2\n")
    assert shell("aggregate r.csv --format rankings -o l.csv") == 0
    assert [row["item"] for row in rows("l.csv")] == ["x", "y"]
    responses = {"rank": [{"value": ["y", "x"], "user_id": "ann"}, {"value": ["y", "x"], "user_id": "bob"}]}
    (folder / "a.json").write_text(json.dumps([{"id": "1", "fields": {}, "responses": responses}]))
    assert shell("aggregate a.json --format argilla-rankings --question rank -o l.csv") == 0
    assert [(row["prompt"], row["item"]) for row in rows("l.csv")] == [("1", "y"), ("1", "x")]
    (folder / "c.jsonl").write_text('{"prompt": "p", "chosen": "x", "rejected": "y"}\n')
    assert shell("aggregate c.jsonl --format chosen-rejected -o l.csv") == 0
    assert [row["item"] for row in rows("l.csv")] == ["x", "y"]
    parquet = pytest.importorskip("pyarrow.parquet")
    frame = {"annotators": [["ann", "bob"]], "answers": [["cat", "cat"]]}
    parquet.write_table(pytest.importorskip("pyarrow").table(frame), "h.parquet")
    assert shell("aggregate h.parquet --format hugging-face -o l.csv") == 0
    assert [row["label"] for row in rows("l.csv")] == ["cat"]


def test_every_reader_has_a_format_and_every_argument_of_it_an_option():
    names = {
        name.removeprefix("read_").replace("_", "-") for name in dir(kc.io) if name.startswith("read_")
    }
    assert set(_formats._READERS) == names | {"chosen-rejected"}
    known = {"path", "dataset", "rules", "items", "annotators", "pairs", "ties", "control_tasks"}
    for read in _formats._READERS.values():
        assert set(_formats.inspect.signature(read).parameters) <= known | set(_formats._OPTIONS)


def test_several_files_are_one_crowd(folder):
    half = CLASSES.split(0.5, seed=0)
    for part, name in zip(half, ("a.csv", "b.csv"), strict=True):
        kc.io.write_long(name, part, "task", "worker", "label")
    assert shell(f"aggregate a.csv b.csv {COLUMNS} -o two.csv") == 0
    assert shell(f"aggregate answers.csv {COLUMNS} -o one.csv") == 0
    two, one = ({row["task"]: row["label"] for row in rows(name)} for name in ("two.csv", "one.csv"))
    assert two == one


def test_without_an_output_the_table_goes_to_stdout_and_nothing_else(folder, capsys):
    assert shell(f"aggregate answers.csv {COLUMNS} -o labels.csv") == 0
    assert shell(f"aggregate answers.csv {COLUMNS}") == 0
    out, err = capsys.readouterr()
    assert out == (folder / "labels.csv").read_text()
    assert err == ""


def test_a_table_in_place_of_item_ids_is_refused(folder, capsys):
    (folder / "all.csv").write_text("task,text\n0,one\n1,two\n")
    assert shell(f"next answers.csv {COLUMNS} --items all.csv --budget 3 -o q.csv") == 1
    assert (
        "all.csv: expected one item id per line. Received: a table, 'task,text'" in capsys.readouterr().err
    )


def test_gold_labels_of_items_without_an_answer_are_left_out_and_counted(folder, capsys):
    (folder / "gold.csv").write_text("task,truth\n0,2\n3,1\n")
    assert shell(f"aggregate answers.csv {COLUMNS} --gold gold.csv --gold-label truth -o few.csv") == 0
    (folder / "gold.csv").write_text("task,truth\n3,1\n77,0\n0,2\n")
    assert shell(f"aggregate answers.csv {COLUMNS} --gold gold.csv --gold-label truth -o more.csv") == 0
    assert "gold labels of 1 of 3 items without an answer are left out" in capsys.readouterr().err
    assert (folder / "few.csv").read_text() == (folder / "more.csv").read_text()
    (folder / "gold.csv").write_text("task,truth\n77,0\n")
    assert shell(f"aggregate answers.csv {COLUMNS} --gold gold.csv --gold-label truth -o none.csv") == 1
    assert "gold.csv: no item is among those of the answers" in capsys.readouterr().err


def test_gold_labels_are_learned_from(folder):
    (folder / "gold.csv").write_text("task,truth\n0,2\n3,1\n")
    assert shell(f"aggregate answers.csv {COLUMNS} --gold gold.csv --gold-label truth -o l.csv") == 0
    gold = np.full(40, -1)
    gold[[0, 3]] = 2, 1
    np.testing.assert_array_equal(
        numbers("l.csv", "label"), kc.aggregation.dawid_skene(CLASSES, gold=gold).labels
    )
    kc.io.write_long("ratings.csv", kc.Annotations.from_dense(np.arange(12.0).reshape(4, 3)))
    (folder / "gold.csv").write_text("item,label\n1,4\n")
    assert shell("aggregate ratings.csv --ratings --gold gold.csv -o l.csv") == 0


def test_labels_go_back_into_label_studio(folder):
    export = SAMPLES / "label_studio.json"
    assert shell(f"aggregate {export} --format label-studio --to label-studio -o p.json") == 0
    tasks = json.loads((folder / "p.json").read_text())
    said = {
        task["id"]: task["predictions"][-1]["result"][0]["value"] for task in tasks if task["predictions"]
    }
    assert said[12] == {"choices": ["dog"]}


def test_labels_go_back_into_prodigy(folder):
    export = SAMPLES / "prodigy.jsonl"
    assert shell(f"aggregate {export} --format prodigy --to prodigy -o p.jsonl") == 0
    assert len((folder / "p.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("aggregate none.csv", "none.csv: No such file or directory"),
        ("aggregate answers.csv", "answers.csv, header: expected one column 'item'"),
        (f"aggregate answers.csv {COLUMNS} --gold none.csv", "none.csv: No such file"),
        (f"aggregate answers.csv {COLUMNS} --gold other.csv", "item"),
        (f"aggregate answers.csv {COLUMNS} -o missing/labels.csv", "missing"),
        (f"aggregate answers.csv {COLUMNS} -o labels.xls", "`path` must end in one of .csv"),
        (f"agreement answers.csv {COLUMNS} --level masi", "level"),
        (f"next answers.csv {COLUMNS} --budget 0", "`budget` must be"),
        (
            f"report answers.csv {COLUMNS} --times when -o r.html",
            "expected a column 'when'. Received: the columns",
        ),
        (f"next answers.csv {COLUMNS} --budget 3 --criterion luck", "`criterion` must be"),
        (f"next answers.csv {COLUMNS} --budget 3 --costs other.csv", "column 'worker'"),
        (f"report answers.csv {COLUMNS} -o missing/report.html", "missing"),
    ],
)
def test_bad_data_is_one_line_and_exit_code_1(folder, capsys, line, message):
    (folder / "other.csv").write_text("task,label\n777,1\n")
    assert shell(line) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("keras-crowd: error: ")
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "required: COMMAND"),
        ("aggregate", "required: FILE"),
        ("other answers.csv", "invalid choice: 'other'"),
        ("aggregate answers.csv --itme task", "unrecognized arguments: --itme task"),
        ("aggregate answers.csv --format mturk", "--format mturk needs --item, --answer."),
        (
            "aggregate answers.csv --winner a --rank b",
            "--format long takes no --winner, --rank. It takes --item,",
        ),
        ("aggregate answers.json", "--format must say what the file is"),
        (
            f"aggregate answers.csv {COLUMNS} --method raykar",
            "--method must be one of dawid-skene, majority-vote",
        ),
        (f"aggregate answers.csv {COLUMNS} --method magic", "invalid choice: 'magic'"),
        (f"next answers.csv {COLUMNS}", "required: --budget"),
        (f"report answers.csv {COLUMNS} --show-from gold.csv -o r.html", "--show-from needs --show"),
        (f"report answers.csv {COLUMNS} --cost 1 --costs gold.csv -o r.html", "give one of the two"),
        (f"report answers.csv {COLUMNS}", "required: -o/--output"),
        (
            "next answers.csv --format conll --items gold.csv --budget 1",
            "--items is for formats of classes",
        ),
        (f"aggregate answers.csv {COLUMNS} -o answers.csv", "An output must not be a file that is read"),
        (f"aggregate answers.csv {COLUMNS} -o l.csv --annotators-out ./l.csv", "or that is written"),
        (f"aggregate answers.csv {COLUMNS} --to prodigy -o l.jsonl", "--to prodigy needs one file"),
        (
            f"aggregate answers.csv {COLUMNS} --method majority-vote --gold gold.csv",
            "--gold is for methods that learn from it",
        ),
    ],
)
def test_wrong_usage_is_exit_code_2(folder, capsys, line, message):
    (folder / "gold.csv").write_text("task,label\n0,1\n")
    before = (folder / "answers.csv").read_text()
    assert shell(line) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err
    assert (folder / "answers.csv").read_text() == before
    assert {path.name for path in folder.iterdir()} == {"answers.csv", "gold.csv"}


def test_warnings_are_one_line_each(folder, capsys):
    (folder / "wide.csv").write_text("item,ann,bob\n1,cat,cat\n2,dog,\n1,cat,cat\n")
    with contextlib.suppress(UserWarning):
        _main.main(["aggregate", "wide.csv", "--format", "wide"])
    assert all(line.startswith("keras-crowd: ") for line in capsys.readouterr().err.splitlines())


def test_agreement_prints_what_the_library_measures(folder, capsys):
    assert shell(f"agreement answers.csv {COLUMNS}") == 0
    found = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert found["answers"] == "160"
    assert float(found["krippendorff_alpha"]) == pytest.approx(
        kc.evaluation.krippendorff_alpha(CLASSES), abs=1e-4
    )
    assert float(found["fleiss_kappa"]) == pytest.approx(kc.evaluation.fleiss_kappa(CLASSES), abs=1e-4)
    kappa, common = kc.evaluation.cohen_kappa(CLASSES), kc.evaluation.pairwise_agreement(CLASSES).common
    total = weight = 0.0
    for r in range(6):
        for s in range(r):
            if np.isfinite(kappa[r, s]):
                total, weight = total + common[r, s] * kappa[r, s], weight + common[r, s]
    assert float(found["mean_cohen_kappa"]) == pytest.approx(total / weight, abs=1e-4)


def test_the_next_questions_are_those_of_the_library(folder):
    line = f"next answers.csv {COLUMNS} --budget 7 --most-per-annotator 3 -o q.csv"
    assert shell(line) == 0
    found = kc.acquisition.next_questions(CLASSES, 7, most_per_annotator=3)
    assert list(rows("q.csv")[0]) == ["task", "worker", "gain", "cost"]
    np.testing.assert_array_equal(numbers("q.csv", "task"), found["item"])
    np.testing.assert_array_equal(numbers("q.csv", "worker"), found["annotator"])
    np.testing.assert_array_equal(numbers("q.csv", "gain"), found["gain"])


def test_items_without_an_answer_and_dear_annotators(folder):
    (folder / "few.csv").write_text("item,annotator,answer\na,x,1\na,y,1\nb,x,0\nb,y,0\n")
    (folder / "items.txt").write_text("a\nb\nnew\n")
    (folder / "costs.csv").write_text("annotator,cost\ny,1\nx,50\n")
    assert shell("next few.csv --items items.txt --costs costs.csv --budget 1 -o q.csv") == 0
    assert [(row["item"], row["annotator"]) for row in rows("q.csv")] == [("new", "y")]


@pytest.mark.filterwarnings("default:No question is worth asking")
def test_a_budget_is_kept_where_no_question_is_worth_it(folder, capsys):
    assert shell(f"next answers.csv {COLUMNS} --budget 999 --min-gain 0.05 -o q.csv") == 0
    found = kc.acquisition.next_questions(CLASSES, 999, min_gain=0.05)
    assert 0 < len(rows("q.csv")) == len(found["item"]) < 80
    assert "worth" not in capsys.readouterr().err
    assert shell(f"next answers.csv {COLUMNS} --budget 999 --min-gain 2 -o q.csv") == 0
    assert (folder / "q.csv").read_text().splitlines() == ["task,worker,gain,cost"]
    assert "warning: No question is worth asking: all of the budget of 999" in capsys.readouterr().err


def test_a_report_is_written(folder):
    pytest.importorskip("jinja2", reason="needs the extra report")
    example = next(module.EXAMPLE for module in _main._COMMANDS if module.NAME == "report")
    line = f"{example.removeprefix('keras-crowd ')} --gold gold.csv --title Ours --cost 0.1"
    (folder / "gold.csv").write_text("task,label\n0,1\n3,2\n")
    assert shell(line) == 0
    text = (folder / "report.html").read_text()
    assert text.startswith("<!doctype html>")
    assert "<title>Ours</title>" in text


def test_a_report_shows_times_costs_texts_and_images(folder, monkeypatch):
    pytest.importorskip("jinja2", reason="needs the extra report")
    given = {}

    def caught(annotations, **said):
        given.update(said, annotations=annotations)
        return types.SimpleNamespace(to_html=lambda path: None)

    monkeypatch.setattr("keras_crowd.report.crowd_report", caught)
    (folder / "data").mkdir()
    (folder / "data" / "b.png").write_bytes(b"")
    (folder / "data" / "t.csv").write_text(
        'item,annotator,answer,when,what\n7,x,1,2024-01-01T00:00:05Z,"a, b"\n7,y,0,,"a, b"\n8,x,1,1970-01-01,b.png\n'
    )
    (folder / "costs.csv").write_text("annotator,cost\ny,1\nx,50\n")
    assert shell("report data/t.csv --times when --show what --costs costs.csv -o r.html") == 0
    np.testing.assert_array_equal(given["times"], [1704067205, np.nan, 0])
    assert [given["show"](7), given["show"](8)] == ["a, b", "data/b.png"]
    assert given["costs"].tolist() == [50, 1]
    (folder / "items.jsonl").write_text('{"item": 7, "text": "seven"}\n{"item": 9, "text": "nine"}\n')
    assert shell("report data/t.csv --show text --show-from items.jsonl -o r.html") == 0
    assert [given["show"](7), given["show"](8)] == ["seven", ""]
    (folder / "n.tsv").write_text("item\tannotator\tanswer\twhen\na\tx\t1\t3.5\na\ty\t0\t2\n")
    assert shell("report n.tsv --times when -o r.html") == 0
    np.testing.assert_array_equal(given["times"], [3.5, 2])


def test_predictions_are_matched_to_items_and_classes(folder, monkeypatch):
    given = {}

    def caught(annotations, *_, **said):
        given.update(said, annotations=annotations)
        return types.SimpleNamespace(to_html=lambda path: None)

    monkeypatch.setattr("keras_crowd.report.crowd_report", caught)
    (folder / "a.csv").write_text("item,annotator,answer\n7,x,cat\n7,y,dog\n8,x,dog\n")
    (folder / "p.csv").write_text("item,dog,cat\n9,0,1\n8,0.9,0.1\n7,0.25,0.75\n")
    assert shell("report a.csv --classifier p.csv --level ordinal --draws 7 -o r.html") == 0
    assert given["annotations"].classes.tolist() == ["cat", "dog"]
    np.testing.assert_allclose(given["probabilities"], [[0.75, 0.25], [0.1, 0.9]], rtol=1e-6)
    assert (given["level"], given["draws"]) == ("ordinal", 7)
    (folder / "items.txt").write_text("7\n8\n9\n")
    assert shell("next a.csv --classifier p.csv --items items.txt --budget 3 -o n.csv") == 0
    questions = kc.acquisition.next_questions(
        kc.io.read_long("a.csv", items=[7, 8, 9]), 3, probabilities=[[0.75, 0.25], [0.1, 0.9], [1, 0]]
    )
    np.testing.assert_allclose(numbers("n.csv", "gain"), questions["gain"], rtol=1e-5)
    assert shell("next a.csv --classifier p.csv --out-of-sample --items items.txt --budget 3 -o o.csv") == 0
    questions = kc.acquisition.next_questions(
        kc.io.read_long("a.csv", items=[7, 8, 9]),
        3,
        probabilities=[[0.75, 0.25], [0.1, 0.9], [1, 0]],
        out_of_sample=True,
    )
    np.testing.assert_allclose(numbers("o.csv", "gain"), questions["gain"], rtol=1e-5)
    assert shell("next a.csv --out-of-sample --budget 3 -o n.csv") == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            "item,dog,cat\n8,0.9,0.1\n",
            "p.csv: expected a probability of each class for each item. Received: none",
        ),
        ("item,dog,cat\n7,1,\n8,1,0\n", "p.csv: expected a probability of each class for each item."),
        ("item,dog\n7,1\n8,1\n", "'cat'"),
    ],
)
def test_predictions_that_are_missing_are_named(folder, capsys, table, said):
    (folder / "a.csv").write_text("item,annotator,answer\n7,x,cat\n7,y,dog\n8,x,dog\n")
    (folder / "p.csv").write_text(table)
    assert shell("report a.csv --classifier p.csv -o r.html") == 1
    assert said in capsys.readouterr().err
    assert shell("report a.csv --ratings --classifier p.csv -o r.html") != 0


@pytest.mark.parametrize("module", _main._COMMANDS, ids=lambda module: module.NAME)
def test_the_example_of_each_command_runs(folder, capsys, module):
    assert main([module.NAME, "--help"]) == 0
    assert module.EXAMPLE.splitlines()[0] in capsys.readouterr().out
    words = shlex.split(module.EXAMPLE.replace("\\\n", ""))
    assert words[:2] == ["keras-crowd", module.NAME]
    if module.NAME != "report":  # which takes seconds: see `test_a_report_is_written`
        assert main(words[1:]) == 0


def test_commands_of_the_documentation_are_understood():
    text = (ROOT / "docs/shell.md").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.startswith("keras-crowd ")]
    assert len(lines) > 8
    for line in lines:
        arguments = _main._parser().parse_args(shlex.split(line)[1:])
        assert _formats.reader_and_arguments(arguments)


def test_what_takes_long_is_said_on_stderr(capsys):
    with Progress(quiet=True, patience=0.0).step("reading"):
        pass
    with Progress(quiet=False, patience=0.0).step("reading"):
        assert _is_announced(capsys)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("keras-crowd: reading: ")
    with Progress(quiet=False).step("short"):
        pass
    assert capsys.readouterr().err == ""


def _is_announced(capsys):
    """Whether the step is announced, which a thread of its own does."""
    for _ in range(1000):
        if "keras-crowd: reading ..." in capsys.readouterr().err:
            return True
        time.sleep(0.01)
    return False


def test_an_interrupted_command_says_so_by_its_exit_code(folder, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(_methods.METHODS["classes"], "dawid-skene", interrupted)
    assert shell(f"aggregate answers.csv {COLUMNS} -o labels.csv") == 130
    assert not (folder / "labels.csv").exists()
