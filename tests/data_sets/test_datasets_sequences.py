"""`CrowdSequences` and the reader of NER-MTurk."""

import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.datasets import ner_mturk


def small_file(path):
    answers = np.full((5, 4), -1, "int8")
    answers[:3, 1], answers[:3, 3], answers[3:, 0] = [1, 2, 0], [1, 0, 0], [0, 1]
    np.savez(
        path / "ner_mturk.npz",
        train_tokens=np.array(["Anna", "Lee", "ran", "to", "Rome"]),
        train_offsets=np.array([0, 3, 5]),
        train_gold=np.array([1, 2, 0, 0, 1]),
        train_answers=answers,
        test_tokens=np.array(["Rome"]),
        test_offsets=np.array([0, 1]),
        test_gold=np.array([1]),
        labels=np.array(["O", "B-PER", "I-PER"]),
    )
    return ner_mturk.load_data(path)


def test_sentences_answers_and_padding(tmp_path):
    data = small_file(tmp_path)
    assert [list(tokens) for tokens in data.tokens_train] == [["Anna", "Lee", "ran"], ["to", "Rome"]]
    np.testing.assert_array_equal(data.annotators, [[1, 3], [0, -1]])
    np.testing.assert_array_equal(data.answers[0], [[1, 1], [2, 0], [0, 0]])
    np.testing.assert_array_equal(data.answers[1], [[0, -1], [1, -1], [-1, -1]])
    np.testing.assert_array_equal(data.y_train, [[1, 2, 0], [0, 1, -1]])
    np.testing.assert_array_equal(data.is_token, [[1, 1, 1], [1, 1, 0]])
    assert data.class_names == ("O", "B-PER", "I-PER")


def test_tokens_as_annotations(tmp_path):
    data = small_file(tmp_path)
    annotations = data.token_annotations()
    np.testing.assert_array_equal(
        annotations.dense(),
        [[-1, 1, -1, 1], [-1, 2, -1, 0], [-1, 0, -1, 0], [0, -1, -1, -1], [1, -1, -1, -1]],
    )
    votes = kc.aggregation.majority_vote(annotations)
    np.testing.assert_array_equal(data.padded(votes), [[1, 0, 0], [0, 1, -1]])


def test_annotators_by_previous_answer(tmp_path):
    data = small_file(tmp_path)
    split = data.by_previous_answer()
    assert split.num_annotators == 4 * 3
    expected = {}
    for i, t, s in np.argwhere(data.answers >= 0):
        before = data.answers[i, t - 1, s] if t else 0
        expected[i, t, 3 * data.annotators[i, s] + before] = data.answers[i, t, s]
    found = {
        (i, t, split.annotators[i, s]): split.answers[i, t, s]
        for i, t, s in np.argwhere(split.answers >= 0)
    }
    assert found == expected
    assert all(np.any(split.answers[i, :, s] >= 0) for i, s in np.argwhere(split.annotators >= 0))
    assert np.all(split.answers.transpose(0, 2, 1)[split.annotators < 0] < 0)
    assert len(split.token_annotations()) == len(data.token_annotations())


def test_real_data_are_as_published(crowd_data):
    data = ner_mturk.load_data()
    assert (len(data.tokens_train), len(data.tokens_test), data.num_annotators) == (5985, 3250, 47)
    assert data.is_token.sum() == 79901
    assert np.all((data.y_train >= 0) == data.is_token)
    assert np.mean(np.sum(data.annotators >= 0, axis=1)) == pytest.approx(4.7, abs=0.05)
