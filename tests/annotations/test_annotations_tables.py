"""Columns and tables of other packages, ids of any kind, and answers that are no classes."""

import datetime
import decimal
import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal

import keras_crowd as kc
from keras_crowd import Annotations
from keras_crowd.annotations import check_classes, rows_by_id

ITEM, WHO = ["b", "a", "b", "c"], ["w2", "w1", "w1", "w2"]
SAID = ["dog", "cat", "cat", "owl"]


def same(one, other):
    assert one.items.tolist() == other.items.tolist()
    assert one.annotators.tolist() == other.annotators.tolist()
    assert (one.classes is None) == (other.classes is None)
    if one.classes is not None:
        assert one.classes.tolist() == other.classes.tolist()
    assert_array_equal(one.dense(), other.dense())


COLUMNS = {
    "str": lambda values: pd.Series(values, dtype="str"),
    "object": lambda values: pd.Series(values, dtype=object),
    "category": lambda values: pd.Series(values).astype(pd.CategoricalDtype(sorted(set(values)))),
    "categorical": lambda values: pd.Categorical(values, sorted(set(values))),
    "unsorted category": lambda values: pd.Series(values).astype(
        pd.CategoricalDtype(list(dict.fromkeys(values)))
    ),
    "arrow-backed": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.string())),
    "pyarrow": pa.array,
    "pyarrow chunks": lambda values: pa.chunked_array([values[:1], values[1:3], [], values[3:]]),
    "pyarrow dictionary": lambda values: pa.array(values).dictionary_encode(),
    "index": pd.Index,
    "tuple": tuple,
    "unicode": np.array,
    "objects": lambda values: np.array(values, object),
    "generator": iter,
}


@pytest.mark.parametrize("make", COLUMNS.values(), ids=COLUMNS)
def test_columns_of_every_kind(make):
    expected = Annotations.from_coo(ITEM, WHO, SAID)
    same(Annotations.from_coo(make(ITEM), make(WHO), SAID), expected)
    same(Annotations.from_coo(ITEM, WHO, make(SAID), classes=["cat", "dog", "owl"]), expected)
    with_ids = Annotations.from_coo(
        make(ITEM), make(WHO), SAID, items=make(["c", "z", "b", "a"]), annotators=["w1", "w2"]
    )
    assert with_ids.dense().tolist() == [[-1, 2], [-1, -1], [0, 1], [0, -1]]


@pytest.mark.parametrize(
    "make", [list, lambda v: pd.Series(v, dtype=object), pa.array], ids=["list", "series", "pyarrow"]
)
def test_missing_values_of_every_kind(make):
    found = Annotations.from_coo(make(ITEM), make(WHO), make([None, "cat", None, "owl"]))
    same(found, Annotations.from_coo(["a", "c"], ["w1", "w2"], ["cat", "owl"]))
    with pytest.raises(
        ValueError, match=r"`item` must not have missing ids.*Received: 1, the first at position 2"
    ):
        Annotations.from_coo(make(["b", "a", None, "c"]), make(WHO), SAID)


def test_categories_are_classes_and_only_seen_ids_are_items():
    said = pd.Categorical(["dog", "cat", None, "dog"], ["owl", "dog", "cat"])
    found = Annotations.from_coo(pd.Categorical(ITEM, ["z", "c", "b", "a"]), WHO, said)
    assert found.classes.tolist() == ["owl", "dog", "cat"]
    assert found.items.tolist() == ["a", "b", "c"]
    assert found.dense().tolist() == [[2, -1], [-1, 1], [-1, 1]]


class Dataset:
    """What `from_dataframe` asks of `datasets.Dataset`."""

    def __init__(self, columns, features):
        self.columns_, self.features, self.column_names = columns, features, list(columns)

    column_names = None
    features = None

    def __getitem__(self, name):
        return self.columns_[name]


def test_tables_of_other_packages():
    columns = {"item": ITEM, "annotator": WHO, "answer": SAID}
    expected = Annotations.from_coo(ITEM, WHO, SAID)
    label = types.SimpleNamespace(names=["cat", "dog", "owl"])
    coded = Dataset({**columns, "answer": [1, 0, 0, 2]}, {"answer": label, "item": types.SimpleNamespace()})
    for table in (pd.DataFrame(columns), pa.table(columns), columns, Dataset(columns, {}), coded):
        same(Annotations.from_dataframe(table), expected)
        with pytest.raises(
            ValueError, match=r"`item` must name a column.*item='image', columns.*annotator"
        ):
            Annotations.from_dataframe(table, item="image")
    coded.columns_["answer"] = [1, -1, 0, 2]
    assert Annotations.from_dataframe(coded, unknown="drop").dense().tolist() == [[0, 1], [-1, 2]]
    with pytest.raises(ValueError, match=r"`df` must be a table.*Received: int"):
        Annotations.from_dataframe(3)


def test_polars():
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"item": ITEM, "annotator": WHO, "answer": [1, None, 0, 2]})
    found = Annotations.from_dataframe(table)
    assert found.classes.tolist() == [0, 1, 2]
    assert found.items.tolist() == ["b", "c"]
    rated = Annotations.from_dataframe(table.with_columns(answer=polars.Series([1.5, None, 0.0, 2.0])))
    assert rated.classes is None
    assert len(rated) == 3


def test_decimals_are_ratings():
    found = Annotations.from_coo(ITEM, WHO, [decimal.Decimal("4.5"), 3, decimal.Decimal(2), None])
    assert found.classes is None
    assert found.answers.tolist() == [3, 2, 4.5]
    assert Annotations.from_coo(ITEM, WHO, pa.array([decimal.Decimal("4.5")] * 4)).classes is None


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8])
def test_a_number_of_classes_may_be_numpys(kind):
    said = [1, 0, 0, 1]
    for found in (
        Annotations.from_coo(ITEM, WHO, said, classes=kind(3)),
        Annotations.from_dataframe(
            pd.DataFrame({"item": ITEM, "annotator": WHO, "answer": said}), classes=kind(3)
        ),
        Annotations.from_dense([[0, 1]], classes=kind(3)),
    ):
        assert found.classes.tolist() == [0, 1, 2]
    for wrong in (True, np.bool_(True), kind(0)):
        with pytest.raises(ValueError, match="`classes` must be ids, or how many"):
            Annotations.from_coo(ITEM, WHO, said, classes=wrong)


def test_sets_have_no_order():
    for name in ("items", "annotators", "classes"):
        with pytest.raises(ValueError, match=f"`{name}` must be in an order.*Received: set of 3"):
            Annotations.from_coo(ITEM, WHO, SAID, **{name: {"a", "b", "c"}})
    with pytest.raises(ValueError, match="`classes` must be in an order"):
        Annotations.from_dense([[0, 1]], classes={"cat", "dog"})
    with pytest.raises(ValueError, match="`items` must be in an order"):
        Annotations.from_coo(ITEM, WHO, SAID).select(items={"a", "b"})


DAYS = ["2020-01-02", "2020-01-01", "2020-01-02", "2021-05-05"]


@pytest.mark.parametrize(
    "make",
    [
        lambda days: np.array(days, "datetime64[ns]"),
        lambda days: np.array(days, "datetime64[us]"),
        lambda days: np.array(days, "datetime64[D]"),
        lambda days: list(np.array(days, "datetime64[s]")),
        lambda days: pd.Series(np.array(days, "datetime64[ns]")),
        lambda days: [pd.Timestamp(day) for day in days],
        lambda days: [datetime.datetime.fromisoformat(day) for day in days],
        lambda days: pa.array([datetime.datetime.fromisoformat(day) for day in days]),
    ],
    ids=["ns", "us", "D", "list", "series", "Timestamp", "datetime", "pyarrow"],
)
def test_dates_are_ids(make, tmp_path):
    found = Annotations.from_coo(make(DAYS), WHO, SAID)
    days = [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2), datetime.datetime(2021, 5, 5)]
    assert found.items.tolist() == days
    assert found.dense().tolist() == [[0, -1], [0, 1], [-1, 2]]
    ids = make(["2021-05-05", "2020-01-01", "2020-01-02"])
    assert Annotations.from_coo(make(DAYS), WHO, SAID, items=ids).items.tolist() == [
        days[2],
        days[0],
        days[1],
    ]
    assert found.select(items=[pd.Timestamp(days[2])]).dense().tolist() == [[-1, 2]]
    frame = pd.DataFrame({"x": [3, 1, 2]}, index=pd.to_datetime([days[2], days[0], days[1]]))
    assert rows_by_id("x", frame, found).tolist() == [[1], [2], [3]]
    kc.io.write_long(tmp_path / "a.csv", found)
    assert "2020-01-02" in (tmp_path / "a.csv").read_text()


def test_dates_finer_than_pythons_stay_apart():
    found = Annotations.from_coo(np.array([1, 2], "datetime64[ns]"), [0, 0], [0, 1])
    assert found.items.tolist() == [np.datetime64(1, "ns"), np.datetime64(2, "ns")]


SEVERAL = [
    '["Archeologist","Scientist"]',
    "['cat', 'dog']",
    "[u'cat']",
    " [cat, dog] ",
    "[]",
    "[3]",
    '{"x": 1, "y": 2}',
    '[{"left": 1}]',
    "{'cat', 'dog'}",
    "[TREATS]\n[CAUSES]",
    "a\r\nb",
    frozenset({"cat"}),
]


@pytest.mark.parametrize("value", SEVERAL, ids=repr)
def test_several_answers_in_one_are_no_class(value):
    with pytest.raises(
        ValueError, match=r"`answer` must be one class each.*Received: 1 different answers of 3"
    ):
        Annotations.from_coo(ITEM, WHO, ["cat", "dog", value, "cat"])
    ids = ["cat", "dog", value]
    assert (
        Annotations.from_coo(ITEM, WHO, ["cat", "dog", value, "cat"], classes=ids).classes.tolist() == ids
    )


@pytest.mark.parametrize(
    ("values", "sep"),
    [
        (["cat", "dog", "cat|dog", "cat"], "|"),
        (["cat", "dog", "cat, dog", "cat"], ","),
        (["a;b", "b;c", "a;c", "a;b"], ";"),
        (["a,b", "b", "a", "b,c"], ","),
    ],
)
def test_sets_that_are_read_as_classes_are_warned_of(values, sep, tmp_path):
    message = rf"look like several labels .* by `sets=True, label_sep='\{sep}'`"
    with pytest.warns(UserWarning, match=message):
        Annotations.from_coo(ITEM, WHO, values)
    file = tmp_path / "answers.tsv"
    rows = "\n".join("\t".join(map(str, row)) for row in zip(ITEM, WHO, values, strict=True))
    file.write_text(f"item\tannotator\tanswer\n{rows}\n")
    with pytest.warns(UserWarning, match=message):
        kc.io.read_long(file)
    Annotations.from_coo(ITEM, WHO, values, classes=sorted(set(values)))  # no warning
    sets = Annotations.from_coo(ITEM, WHO, values, sets=True, label_sep=sep)
    assert set(sets.classes) == {part.strip() for value in values for part in value.split(sep)}


@pytest.mark.parametrize(
    "values",
    [
        ["Yes, certainly", "Yes, perhaps", "No, never", "No, not now"],
        ["red, large", "red, small", "blue, large", "blue, small"],
        ["Trinidad, Tobago", "Congo, Dem. Rep.", "Congo, Rep.", "Congo"],
        ["pos|strong", "pos|weak", "neutral", "neg|strict"],
        ["a||b", "a", "b", "a,"],
        ["x|x", "x", "y", "y"],
    ],
)
def test_names_with_commas_are_classes(values):
    assert Annotations.from_coo(ITEM, WHO, values).num_classes == len(set(values))


def test_annotations_say_which_array_a_model_takes():
    annotations = Annotations.from_coo(ITEM, WHO, ["a", "b", "a", "b"])
    with pytest.raises(
        ValueError, match=r"`Annotations` are no array.*`answers = annotations.dense\(\)`.*slots"
    ):
        np.asarray(annotations)


@pytest.mark.parametrize("value", [["cat", "dog"], [], {"x": "left"}, {"cat"}, np.array([1, 2])], ids=repr)
def test_what_cannot_be_hashed_is_no_class(value):
    said = ["cat", value, "dog", "cat"]
    for column in (said, pd.Series(said, dtype=object)):
        with pytest.raises(ValueError, match=r"`(answer|classes)` must .*Received: "):
            Annotations.from_coo(ITEM, WHO, column)
    with pytest.raises(ValueError, match=r"`answer` must be hashable ids.*Received: list \['cat'\]"):
        Annotations.from_coo(ITEM, WHO, pa.array([["cat"], ["dog"], None, ["cat"]]))


@pytest.mark.parametrize(
    "name",
    ["[OTHER]", "{none}", "[]x", "a, b", "it's", "[x", "(a, b)", "", "[don't know]", ("a", "b"), b"[1]"],
)
def test_names_with_brackets_are_classes(name):
    check_classes("answer", [name, "cat"], 10)


def test_free_text_is_warned_of():
    item, who = np.repeat(np.arange(30), 2), np.tile([0, 1], 30)
    texts = [f"text {i}" for i in range(60)]
    with pytest.warns(UserWarning, match="`answer`: 60 classes in 60 answers.*free text"):
        Annotations.from_coo(item, who, texts)
    Annotations.from_coo(item, who, texts, classes=texts)
    Annotations.from_coo(item, who, [text[:6] for text in texts])  # 15 classes
    with pytest.warns(UserWarning, match=r"a.csv: 'label': 20 classes in 99 answers"):
        check_classes("label", range(20), 99, "a.csv")
    check_classes("label", range(20), 100)
    check_classes("label", range(19), 19)


def test_dense_tables_bring_their_ids_and_masks():
    frame = pd.DataFrame([[0, 1], [1, -1], [1, 0]], ["b", "a", "c"], ["w2", "w1"])
    found = Annotations.from_dense(frame)
    assert found.items.tolist() == ["b", "a", "c"]
    assert found.annotators.tolist() == ["w2", "w1"]
    assert found.has_item_ids
    found = Annotations.from_dense(frame, items=["a", "b", "c"], annotators=["w1", "w2"])
    assert found.dense().tolist() == [[-1, 1], [1, 0], [0, 1]]
    with pytest.raises(ValueError, match=r"index of `array` must be `items`.*without 'z'"):
        Annotations.from_dense(frame, items=["a", "b", "z"])
    assert not Annotations.from_dense(frame.reset_index(drop=True)).has_item_ids
    nullable = pd.DataFrame({"w1": pd.array([0, None, 2], "Int64"), "w2": pd.array([1, 1, None], "Int64")})
    assert Annotations.from_dense(nullable).dense().tolist() == [[0, 1], [-1, 1], [2, -1]]
    codes = np.ma.array([[0, 1], [1, 1]], mask=[[False, True], [False, False]], dtype=np.uint8)
    assert Annotations.from_dense(codes).dense().tolist() == [[0, -1], [1, 1]]
    rated = np.ma.array([[0.5, 1.0], [1.0, 2.0]], mask=[[False, True], [False, False]])
    assert_array_equal(Annotations.from_dense(rated).dense(), [[0.5, np.nan], [1, 2]])


def test_a_part_without_annotators_is_joined():
    full = Annotations.from_coo(ITEM, WHO, SAID)
    empty = full.select(annotators=[])
    same(Annotations.concat([full, empty]), full)


def test_equal_answers_have_no_alpha():
    for classes, level in ((["cat", "dog"], "nominal"), ([0.1, 0.7], "interval"), ([0.1, 0.7], "ordinal")):
        table = Annotations.from_dense(np.full((7, 3), 1), classes=classes)
        assert np.isnan(kc.evaluation.krippendorff_alpha(table, level))
    assert np.isnan(kc.evaluation.krippendorff_alpha(np.full((7, 3), 0.1)))


def test_sparse_features_are_refused():
    sparse = pytest.importorskip("scipy.sparse").csr_matrix(np.eye(3))
    with pytest.raises(
        ValueError, match=r"`x` must be a dense array.*toarray.*csr_matrix of shape \(3, 3\)"
    ):
        kc.pipelines.CrowdBatches(sparse, [[0, 1], [1, 1], [0, 0]])
    batches = kc.pipelines.CrowdBatches(
        lambda rows: sparse[rows].toarray(), [[0, 1], [1, 1], [0, 0]], shuffle=False
    )
    assert_array_equal(batches[0][0][0], np.eye(3))


def test_what_holds_arrays_is_shown_in_one_line():
    answers = np.tile([[0, 0], [1, 0]], (50, 1))
    rated = answers.astype(float)
    tokens = kc.io.TokenAnswers([["a"] * 60, ["b"] * 40], Annotations.from_dense(answers))
    shown = [
        repr(kc.aggregation.dawid_skene(answers)),
        repr(kc.aggregation.raykar(rated)),
        repr(kc.aggregation.deviations(rated, np.zeros(100))),
        repr(kc.evaluation.pairwise_agreement(answers)),
        repr(tokens),
    ]
    assert all("\n" not in text and len(text) < 400 for text in shown)
    assert "posterior=<float64 (100, 2)>" in shown[0]
    assert "converged=True" in shown[0]
    assert shown[-1].startswith("TokenAnswers(2 sentences, 100 tokens, Annotations(200 answers")


def test_a_manifest_of_sagemaker_has_no_answers(tmp_path):
    line = '{"source-ref": "s3://b/0.png", "label": 1, "label-metadata": {}}\n'
    for text in (line, line * 2):
        (tmp_path / "output.manifest").write_text(text)
        with pytest.raises(ValueError, match=r"consolidation-request. Received: a manifest"):
            kc.io.read_sagemaker(tmp_path / "output.manifest", "label")


def test_integers_that_parquet_does_not_hold_are_refused(tmp_path):
    wide = Annotations.from_coo([2**70, 1], [0, 0], [0, 1])
    with pytest.raises(ValueError, match=r"Column 'item'.*at most 64 bits.*`.csv`"):
        kc.io.write_long(tmp_path / "a.parquet", wide)
    assert not list(tmp_path.iterdir())
    kc.io.write_long(tmp_path / "a.csv", wide)
    assert str(2**70) in (tmp_path / "a.csv").read_text()
