"""Answers that hold several, and free text, are not taken for classes by any reader."""

import warnings

import pandas as pd
import pytest
from io_made import READERS, from_dataframe, hugging_face, wide_csv

import keras_crowd as kc

LISTS = {
    "CrowdFlower": '["Archeologist","Scientist"]',
    "MTurk": "['Archeologist', 'Scientist']",
    "Toloka": '[{"left":0.1,"top":0.2,"width":0.3,"height":0.4,"shape":"rectangle"}]',
    "newlines": "Archeologist\nScientist",
    "object": '{"Scientist": true}',
}


def rows_of(answers):
    return [(f"i{i}", f"r{i % 2}", answer) for i, answer in enumerate(answers)]


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("make", READERS)
def test_several_answers_in_one_are_refused(tmp_path, make, kind):
    read, source = make(tmp_path, rows_of(["Poet", LISTS[kind], "Poet"]))
    with pytest.raises(ValueError, match=r"must be one class each|expected .*(field|class)"):
        read(source)
    given = ["Poet", LISTS[kind]]
    if "mturk" not in make.__name__ or kind not in ("CrowdFlower", "Toloka", "object"):
        assert read(source, classes=given).classes.tolist() == given


@pytest.mark.parametrize("make", READERS)
def test_free_text_is_warned_of_with_counts(tmp_path, make):
    answers = [f"a sentence of its own, {i}" for i in range(30)]
    read, source = make(tmp_path, rows_of([*answers, answers[0]]))
    with pytest.warns(UserWarning, match=r"30 classes in 31 answers"):
        assert read(source).num_classes == 30
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(source, classes=answers).num_classes == 30
        few = read(*make(tmp_path, rows_of([answers[i % 7] for i in range(31)]))[1:])
    assert few.num_classes == 7


@pytest.mark.parametrize("make", [make for make in READERS if make not in (from_dataframe, hugging_face)])
def test_the_place_of_several_answers_is_told(tmp_path, make):
    read, source = make(tmp_path, rows_of(["Poet", LISTS["newlines"], "Poet"]))
    if make.__name__ == "from_csv":  # pandas knows no places
        return
    with pytest.raises(ValueError, match=r"(line|row|task|annotation|object|item) '?i?\d"):
        read(source)


def test_class_labels_of_a_data_set_are_classes():
    datasets = pytest.importorskip("datasets")
    names = [f"class {i}" for i in range(40)]
    lists = {"annotators": datasets.Value("string"), "answers": datasets.ClassLabel(names=names)}
    features = {name: datasets.List(value) for name, value in lists.items()}
    table = {"annotators": [["r"]] * 25, "answers": [[i] for i in range(25)]}
    data = datasets.Dataset.from_dict(table, features=datasets.Features(features))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kc.io.read_hugging_face(data).classes.tolist() == names


def test_lists_in_other_types_say_what_is_expected(tmp_path):
    frame = pd.DataFrame({"item": [1, 2], "annotator": [1, 1], "answer": [["a", "b"], ["c"]]})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"column 'answer': expected text, .* one class.*Received: list<"):
        kc.io.read_long(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    with pytest.raises(
        ValueError, match=r"t.jsonl, line 1, 'answer': expected .*one class.*Received: \['a', 'b'\]"
    ):
        kc.io.read_long(tmp_path / "t.jsonl")


def test_numbers_in_a_wide_table_are_not_too_many_classes(tmp_path):
    read, source = wide_csv(tmp_path, rows_of([i % 4 for i in range(40)]))
    assert read(source).num_classes == 4
