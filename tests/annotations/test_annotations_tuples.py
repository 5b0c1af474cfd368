"""Items that several columns of a data frame tell apart."""

import numpy as np
import pandas as pd
import pytest

import keras_crowd as kc


def frame_of(seed, rows=60):
    rng = np.random.default_rng(seed)
    columns = {"left": rng.integers(0, 4, rows), "right": rng.choice(["x", "y", "zz"], rows)}
    frame = pd.DataFrame(
        columns | {"annotator": rng.integers(0, 6, rows), "answer": rng.integers(0, 3, rows)}
    )
    return frame.drop_duplicates(["left", "right", "annotator"])


@pytest.mark.parametrize("seed", range(3))
def test_tuples_are_the_items_of_from_dataframe_and_from_csv(tmp_path, seed):
    frame = frame_of(seed)
    table = frame.pivot(index=["left", "right"], columns="annotator", values="answer").fillna(-1)
    frame.to_csv(tmp_path / "t.csv", index=False)
    for found in (
        kc.Annotations.from_dataframe(frame, ["left", "right"]),
        kc.Annotations.from_dataframe(frame.astype({"right": "category"}), ["left", "right"]),
        kc.Annotations.from_csv(tmp_path / "t.csv", ["left", "right"]),
        kc.io.read_long(tmp_path / "t.csv", ["left", "right"]),
    ):
        assert found.items.tolist() == table.index.tolist()
        assert found.dense().tolist() == table.to_numpy().tolist()


def test_items_say_the_order_of_tuples():
    frame, items = frame_of(0), [(3, "zz"), (9, "new"), (0, "x")]
    frame = frame[[pair in items for pair in zip(frame.left, frame.right, strict=True)]]
    found = kc.Annotations.from_dataframe(frame, ["left", "right"], items=items)
    assert (found.items.tolist(), found.answers_per_item()[1]) == (items, 0)
    assert found.select(items=items[::-1]).items.tolist() == items[::-1]


def test_tuples_with_a_missing_part_and_columns_that_are_not_there():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "annotator": [1, 1], "answer": [0, 1]})
    with pytest.raises(
        ValueError, match=r"`item` must not have missing ids. Received: 1, the first at position 1"
    ):
        kc.Annotations.from_dataframe(frame, ["a", "b"])
    for names in (["a", "c"], []):
        with pytest.raises(ValueError, match=r"`item` must name a column of the table. Received: item=\["):
            kc.Annotations.from_dataframe(frame, names)
    soft = frame.assign(b="x", cat=[0.5, 0.25], dog=[0.5, 0.75])
    found = kc.Annotations.from_dataframe(soft, ["a", "b"], probabilities=["cat", "dog"])
    assert found.items.tolist() == [(1, "x"), (2, "x")]
