"""Evaluation against loops over all permutations, all items and all bins; and its symmetries."""

import builtins
import itertools
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import keras_crowd
from keras_crowd.evaluation import (
    align_to_answers,
    aligned_accuracy,
    annotator_correlation,
    brier_score,
    calibration_error,
    class_alignment,
    confusion_error,
)

PACKAGE = pathlib.Path(keras_crowd.__file__).parent

# A run of random examples that leaves nothing on disk and does not fail a busy machine.
random_examples = settings(max_examples=30, deadline=None, database=None)
seeds = st.integers(0, 10_000)


def random_confusion(rng, num_annotators, num_classes, diagonal=0.0):
    rows = rng.dirichlet(np.ones(num_classes), (num_annotators, num_classes))
    return diagonal * np.eye(num_classes) + (1 - diagonal) * rows


# --- slow oracles ----------------------------------------------------------------------------------


def squared_distance(confusion, reference, permutation, weights):
    total = 0.0
    for r, weight in enumerate(weights):
        for k, j in enumerate(permutation):
            for a, b in zip(confusion[r, j], reference[r, k], strict=True):
                total += weight * (a - b) ** 2
    return total


def best_of_all_permutations(num_classes, loss):
    return min(itertools.permutations(range(num_classes)), key=loss)


def largest_stretch(matrix):
    """The spectral norm as the root of the largest eigenvalue of `M'M`."""
    return np.sqrt(np.linalg.eigvalsh(matrix.T @ matrix).max())


def loop_ranks(values):
    """1 + how many are lower + half of the others that are the same."""
    return [1 + sum(b < a for b in values) + (sum(b == a for b in values) - 1) / 2 for a in values]


def loop_correlation(a, b, weights):
    total = sum(weights)
    mean_a = sum(w * x for w, x in zip(weights, a, strict=True)) / total
    mean_b = sum(w * y for w, y in zip(weights, b, strict=True)) / total
    cross = sum(w * (x - mean_a) * (y - mean_b) for w, x, y in zip(weights, a, b, strict=True))
    square_a = sum(w * (x - mean_a) ** 2 for w, x in zip(weights, a, strict=True))
    square_b = sum(w * (y - mean_b) ** 2 for w, y in zip(weights, b, strict=True))
    return cross / (square_a * square_b) ** 0.5


def loop_brier(y_true, probabilities):
    total = 0.0
    for y, row in zip(y_true, probabilities, strict=True):
        for k, p in enumerate(row):
            total += (p - (1 if y == k else 0)) ** 2
    return total / len(y_true)


def loop_calibration_error(y_true, probabilities, num_bins):
    top = [(max(row), int(np.argmax(row)) == y) for y, row in zip(y_true, probabilities, strict=True)]
    error = 0.0
    for m in range(num_bins):
        inside = [(p, right) for p, right in top if m / num_bins < p <= (m + 1) / num_bins]
        if inside:
            accuracy = sum(right for _, right in inside) / len(inside)
            confidence = sum(p for p, _ in inside) / len(inside)
            error += len(inside) / len(top) * abs(accuracy - confidence)
    return error


# --- alignment of confusions -----------------------------------------------------------------------


@given(seed=seeds, num_classes=st.integers(1, 5), weighted=st.booleans())
@random_examples
def test_class_alignment_is_the_best_of_all_permutations(seed, num_classes, weighted):
    rng = np.random.default_rng(seed)
    confusion, reference = (random_confusion(rng, 3, num_classes) for _ in range(2))
    weights = rng.random(3) ** 4 if weighted else np.ones(3)
    found = class_alignment(confusion, reference, weights if weighted else None)
    best = best_of_all_permutations(
        num_classes, lambda p: squared_distance(confusion, reference, p, weights)
    )
    assert_array_equal(found, best)


@given(seed=seeds, num_classes=st.integers(2, 5))
@random_examples
def test_align_to_answers_is_the_best_of_all_permutations(seed, num_classes):
    rng = np.random.default_rng(seed)
    confusion, weights = random_confusion(rng, 4, num_classes), rng.integers(0, 50, 4) + 0.5

    def minus_diagonals(p):
        return -sum(weights[r] * confusion[r, j, k] for r in range(4) for k, j in enumerate(p))

    found = align_to_answers(confusion, weights)
    assert_array_equal(found, best_of_all_permutations(num_classes, minus_diagonals))


@given(seed=seeds, num_classes=st.integers(2, 8))
@random_examples
def test_a_permutation_of_the_classes_is_undone(seed, num_classes):
    rng = np.random.default_rng(seed)
    truth = random_confusion(rng, 5, num_classes, diagonal=0.6)
    shuffled = truth[:, rng.permutation(num_classes), :]
    assert_array_equal(shuffled[:, class_alignment(shuffled, truth), :], truth)
    assert_array_equal(shuffled[:, align_to_answers(shuffled), :], truth)


@given(seed=seeds, num_classes=st.integers(2, 6))
@random_examples
def test_the_error_does_not_see_the_order_of_the_classes(seed, num_classes):
    rng = np.random.default_rng(seed)
    confusion, reference = random_confusion(rng, 3, num_classes), random_confusion(rng, 3, num_classes)
    shuffled = confusion[:, rng.permutation(num_classes), :]
    first, again = confusion_error(confusion, reference), confusion_error(shuffled, reference)
    assert_allclose(first[:2], again[:2], rtol=1e-12)


def test_answers_are_never_permuted():
    truth = np.array([[[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.0, 1.0]]])
    assert_allclose(confusion_error(truth[:, :, [1, 0, 2]], truth).mean_absolute, 0.8 / 9)
    assert confusion_error(truth[:, [1, 0, 2], :], truth).mean_absolute == 0


def test_one_permutation_is_common_to_all_annotators():
    truth = random_confusion(np.random.default_rng(0), 3, 3, diagonal=0.8)
    one_is_adverse = np.stack([truth[0], truth[1], truth[2][[1, 0, 2]]])
    assert_array_equal(class_alignment(one_is_adverse, truth), [0, 1, 2])
    assert_array_equal(align_to_answers(one_is_adverse), [0, 1, 2])
    assert_array_equal(align_to_answers(one_is_adverse, [1, 1, 99]), [1, 0, 2])
    assert_array_equal(class_alignment(one_is_adverse, truth, [1, 1, 99]), [1, 0, 2])


def test_a_tie_changes_nothing():
    even = np.full((2, 4, 4), 0.25)
    for permutation in (class_alignment(even, even), align_to_answers(even)):
        assert_array_equal(permutation, [0, 1, 2, 3])
    # Both classes are answered alike, up to rounding.
    alike = np.array([[[0.3 - 1e-12, 0.7 + 1e-12], [0.3, 0.7]]])
    assert_array_equal(align_to_answers(alike), [0, 1])
    accuracy, permutation = aligned_accuracy([0, 1], [1, 1])
    assert accuracy == 0.5
    assert_array_equal(permutation, [0, 1])


# --- the error of confusions -----------------------------------------------------------------------


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("weights", [None, [3.0, 0.0, 1.0, 0.5]])
def test_confusion_error_is_that_of_the_loops(align, weights):
    rng = np.random.default_rng(4)
    reference = random_confusion(rng, 4, 3, diagonal=0.4)
    confusion = random_confusion(rng, 4, 3, diagonal=0.2)[:, [2, 0, 1], :]
    w = np.ones(4) if weights is None else weights
    p = best_of_all_permutations(3, lambda p: squared_distance(confusion, reference, p, w))
    p = p if align else (0, 1, 2)
    absolute = spectral = 0.0
    for r in range(4):
        difference = np.array([confusion[r, p[k]] - reference[r, k] for k in range(3)])
        absolute += w[r] / sum(w) * sum(abs(entry) for entry in difference.ravel()) / 9
        spectral += w[r] / sum(w) * largest_stretch(difference)
    found = confusion_error(confusion, reference, align=align, weights=weights)
    assert_allclose(found.mean_absolute, absolute, rtol=1e-12)
    assert_allclose(found.spectral, spectral, rtol=1e-10)
    assert_array_equal(found.permutation, p)
    assert (p != (0, 1, 2)) == align


def test_an_annotator_of_weight_zero_is_left_out():
    rng = np.random.default_rng(1)
    confusion, reference = random_confusion(rng, 3, 4), random_confusion(rng, 3, 4)
    without = confusion_error(confusion[:2], reference[:2])
    assert_allclose(confusion_error(confusion, reference, weights=[1, 1, 0])[:2], without[:2], rtol=1e-12)


# --- accuracy of labels ----------------------------------------------------------------------------


@given(seed=seeds, num_classes=st.integers(1, 5))
@random_examples
def test_aligned_accuracy_is_the_best_of_all_permutations(seed, num_classes):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.integers(0, num_classes, (2, 12))
    accuracies = [
        sum(p[predicted] == true for true, predicted in zip(y_true, y_pred, strict=True)) / 12
        for p in itertools.permutations(range(num_classes))
    ]
    accuracy, permutation = aligned_accuracy(y_true, y_pred, num_classes)
    assert_allclose(accuracy, max(accuracies), rtol=1e-12)
    assert_allclose(np.mean(np.argsort(permutation)[y_pred] == y_true), accuracy, rtol=1e-12)
    assert sorted(permutation) == list(range(num_classes))


def test_all_permutations_speak_of_the_same_thing():
    """One order of the hidden classes, seen in the labels, the probabilities and the confusions."""
    rng = np.random.default_rng(2)
    y_true, order = rng.integers(0, 4, 50), np.array([2, 3, 1, 0])
    truth = random_confusion(rng, 6, 4, diagonal=0.7)
    probabilities = np.eye(4)[y_true][:, order]
    _, permutation = aligned_accuracy(y_true, probabilities.argmax(axis=1))
    assert_array_equal(permutation, class_alignment(truth[:, order, :], truth))
    assert_array_equal(probabilities[:, permutation], np.eye(4)[y_true])


def test_classes_not_seen_are_counted_when_told():
    accuracy, permutation = aligned_accuracy([0, 1], [1, 0], num_classes=4)
    assert accuracy == 1
    assert_array_equal(permutation, [1, 0, 2, 3])
    assert aligned_accuracy([0, 0], [0, 3])[1].shape == (4,)


# --- annotators ------------------------------------------------------------------------------------


@given(seed=seeds, weighted=st.booleans())
@random_examples
def test_correlations_are_those_of_the_loops(seed, weighted):
    rng = np.random.default_rng(seed)
    estimated, gold = rng.random(9), rng.integers(0, 4, 9) / 4
    gold[:2] = 0.25, 0.75
    weights = rng.integers(1, 30, 9) if weighted else None
    w = np.ones(9) if weights is None else weights
    found = annotator_correlation(estimated, gold, weights)
    assert_allclose(found.pearson, loop_correlation(estimated, gold, w), atol=1e-12)
    ranks = loop_ranks(estimated), loop_ranks(gold)
    assert_allclose(found.spearman, loop_correlation(*ranks, w), atol=1e-12)


def test_ranks_do_not_see_a_monotone_change():
    accuracy = np.linspace(0.1, 0.9, 8)
    found = annotator_correlation(accuracy**9, accuracy)
    assert found.spearman == 1
    assert found.pearson < 0.9


def test_annotators_of_weight_zero_may_be_unknown():
    full = annotator_correlation([0.2, 0.9, 0.5], [0.1, 0.6, 0.7], [1, 2, 3])
    more = annotator_correlation([0.2, 0.3, 0.9, 0.5], [0.1, np.nan, 0.6, 0.7], [1, 0, 2, 3])
    assert_allclose(more, full, rtol=1e-12)


def test_there_is_no_correlation_with_a_constant():
    assert np.isnan(annotator_correlation([0.1, 0.1, 0.1], [0.1, 0.2, 0.3])).all()


# --- probabilities ---------------------------------------------------------------------------------


@given(seed=seeds, num_bins=st.integers(1, 20))
@random_examples
def test_scores_of_probabilities_are_those_of_the_loops(seed, num_bins):
    rng = np.random.default_rng(seed)
    y_true, probabilities = rng.integers(0, 3, 40), rng.dirichlet([0.5, 0.3, 0.2], 40)
    assert_allclose(brier_score(y_true, probabilities), loop_brier(y_true, probabilities), rtol=1e-12)
    assert_allclose(
        calibration_error(y_true, probabilities, num_bins),
        loop_calibration_error(y_true, probabilities, num_bins),
        atol=1e-12,
    )


def test_fifteen_bins():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1, 1], 99)
    y_true = [rng.choice(3, p=row) for row in probabilities]
    errors = [loop_calibration_error(y_true, probabilities, num_bins) for num_bins in (10, 14, 15, 16, 20)]
    assert_array_equal(np.isclose(errors, calibration_error(y_true, probabilities)), [0, 0, 1, 0, 0])


def test_brier_score_of_the_extremes():
    sure = np.eye(3)
    assert brier_score([0, 1, 2], sure) == 0
    assert brier_score([1, 2, 0], sure) == 2
    assert_allclose(brier_score([1, 2, 0], np.full((3, 3), 1 / 3)), 2 / 3)


def test_what_is_said_with_80_percent_is_right_80_times_in_100():
    y_true, rows = [], []
    for percent in (60, 80, 95, 100):
        rows += [[percent / 100, 1 - percent / 100]] * 100
        y_true += [0] * percent + [1] * (100 - percent)
    assert_allclose(calibration_error(y_true, rows), 0, atol=1e-12)
    assert_allclose(calibration_error(1 - np.array(y_true), rows), (0.2 + 0.6 + 0.9 + 1) / 4, atol=1e-12)


def test_bins_of_equal_width_and_not_their_items_cancel():
    """Too sure in one bin, not sure enough in another; in one bin they cancel."""
    y_true, rows = [0, 0, 1, 1], [[0.6, 0.4], [0.6, 0.4], [0.9, 0.1], [0.3, 0.7]]
    assert_allclose(calibration_error(y_true, rows, 1), abs(0.75 - 0.7))
    assert_allclose(calibration_error(y_true, rows, 10), (2 * 0.4 + 0.9 + 0.3) / 4)


def test_low_precision_rows_need_not_sum_exactly_to_one():
    rows = np.full((2, 3), 1 / 3, np.float16)
    assert brier_score([0, 1], rows) == pytest.approx(2 / 3, rel=1e-2)
    assert calibration_error([0, 1], [[1.001, 0.0], [0.0, 1.001]]) == 0


# --- what is refused -------------------------------------------------------------------------------

EVEN = np.full((2, 3, 3), 1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: class_alignment(EVEN[0], EVEN), r"`confusion` must be .*Received: shape \(3, 3\)"),
        (lambda: align_to_answers(EVEN[:, :2]), r"`confusion` must be .*Received: shape \(2, 2, 3\)"),
        (lambda: align_to_answers(EVEN[:0]), r"`confusion` must be .*Received: shape \(0, 3, 3\)"),
        (lambda: class_alignment(EVEN, EVEN[:1]), r"`reference` must .*`confusion`, \(2, 3, 3\). Received"),
        (
            lambda: confusion_error(EVEN, 9 * EVEN),
            "`reference` must have rows that sum to 1 .*Received.* 9.0",
        ),
        (lambda: align_to_answers(EVEN - 1), "`confusion` must be probabilities.*Received: -0.66"),
        (lambda: align_to_answers(EVEN * np.nan), "`confusion` must be probabilities.*Received: nan"),
        (lambda: align_to_answers(EVEN, [1]), r"`weights` must be 2 numbers.*Received: weights=\[1\]"),
        (lambda: align_to_answers(EVEN, [2, -1]), "`weights` must .*none negative"),
        (lambda: align_to_answers(EVEN, [0, 0]), "`weights` must .*not all 0"),
        (lambda: align_to_answers(EVEN, [1, np.nan]), "`weights` must be 2 numbers"),
        (lambda: align_to_answers(EVEN, [1, np.inf]), "`weights` must be 2 numbers"),
        (lambda: aligned_accuracy([0, 1], [0]), r"`y_pred` must have the shape of `y_true`, \(2,\). Rec"),
        (lambda: aligned_accuracy([0.0], [0]), "`y_true` must be integers .*dtype float64"),
        (lambda: aligned_accuracy([], []), r"`y_true` must be integers .*Received: shape \(0,\)"),
        (lambda: aligned_accuracy([0], [-1]), r"`y_pred` .*at least 0 \(leave items .*Received: -1"),
        (lambda: aligned_accuracy([0], [2], 2), "`y_pred` must be class codes from 0 to 1. Received: 2"),
        (lambda: aligned_accuracy([0], [0], 0), "`num_classes` must be .*Received: num_classes=0"),
        (lambda: annotator_correlation([[0.1]], [[0.1]]), r"`estimated` must .*Received: shape \(1, 1\)"),
        (lambda: annotator_correlation([0.1, 0.2], [0.1]), r"`gold` must .*Received: shape \(1,\)"),
        (lambda: annotator_correlation([0.1], [0.1]), "`estimated` must .*at least two"),
        (lambda: annotator_correlation([0.1, 0.2], [0.1, np.nan]), "`gold` must be finite.*nan"),
        (lambda: brier_score([0], [0.5, 0.5]), r"`probabilities` must have .*Received: shape \(2,\)"),
        (lambda: brier_score([0], [[0.5, 0.5]] * 2), r"`y_true` must .* 2 rows .*Received: shape \(1,\)"),
        (lambda: brier_score([2], [[0.5, 0.5]]), "`y_true` must be class codes from 0 to 1. Received: 2"),
        (
            lambda: brier_score([1], [[0.5, 0.9]]),
            "`probabilities` must have rows that sum to 1 .*Rec.* 1.4",
        ),
        (lambda: calibration_error([1], [[0.5, 0.9]]), "`probabilities` must have rows that sum to 1"),
        (lambda: calibration_error([0], [[1, 0]], 0), "`num_bins` must be .*Received: num_bins=0"),
        (lambda: calibration_error([0], [[1, 0]], 2.5), "`num_bins` must be .*Received: num_bins=2.5"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_without_scipy_alignment_says_what_to_install(monkeypatch):
    real_import = builtins.__import__

    def without_scipy(name, *args, **kwargs):
        if name.startswith("scipy"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_scipy)
    with pytest.raises(ImportError, match="pip install scipy"):
        class_alignment(EVEN, EVEN)
    assert confusion_error(EVEN, EVEN, align=False).mean_absolute == 0


def test_importing_imports_neither_scipy_nor_keras():
    """Without the package's `__init__`, which imports Keras."""
    code = f"""
import sys, types
package = sys.modules["keras_crowd"] = types.ModuleType("keras_crowd")
package.__path__ = [{str(PACKAGE)!r}]
import keras_crowd.evaluation, keras_crowd.warm_start
print(*[m for m in ("scipy", "keras") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
