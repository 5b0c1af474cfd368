"""Answers in the order of items and annotators, whatever the width of what is sorted."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_crowd.annotations._order import rows_in_order

ANSWERS = {
    "codes": lambda rng, n: rng.integers(0, 5, n).astype(np.int32),
    "wide codes": lambda rng, n: rng.integers(0, 2**30, n),
    "ratings": lambda rng, n: rng.normal(size=n).astype(np.float32),
    "soft": lambda rng, n: rng.random((n, 3)).astype(np.float32),
}


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize(
    ("items", "annotators"), [(7, 5), (1, 1), (64, 64), (70_000, 900), (2**31 - 1, 2**31 - 1)]
)
@pytest.mark.parametrize("make", ANSWERS.values(), ids=ANSWERS)
def test_rows_are_sorted_with_their_answers(make, items, annotators, dtype):
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, [items, annotators], (200, 2))
    pairs = rng.permutation(np.unique(np.vstack([pairs, [[items - 1, annotators - 1], [0, 0]]]), axis=0))
    item, annotator = pairs.astype(dtype).T
    answers = make(rng, len(pairs))
    ids = range(items), range(annotators)  # only their lengths are asked for
    found = rows_in_order(item.copy(), annotator.copy(), answers, *ids)
    order = np.lexsort((annotator, item))
    for values, expected in zip(found, (item, annotator, answers), strict=True):
        assert_array_equal(values, expected[order])


def test_what_is_sorted_stays_as_it_is():
    item, annotator, answers = np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([2, 0, 1])
    found = rows_in_order(item, annotator, answers, range(2), range(2))
    assert all(one is other for one, other in zip(found, (item, annotator, answers), strict=True))
    empty = np.zeros(0, int)
    assert all(len(part) == 0 for part in rows_in_order(empty, empty, empty, [], []))


@pytest.mark.parametrize("size", [3, 2**31 - 1])
def test_two_answers_of_an_annotator_to_an_item_are_refused(size):
    item, annotator = np.array([size - 1, 0, size - 1]), np.array([1, 0, 1])

    class Ids(list):
        def __len__(self):
            return size

        def tolist(self):
            return self

        def __getitem__(self, i):
            return f"id {i}"

    with pytest.raises(ValueError, match=rf"1 repeated answers.*'id 1' to item 'id {size - 1}'"):
        rows_in_order(item, annotator, np.zeros(3), Ids(), Ids())
