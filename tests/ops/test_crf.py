"""Linear chains against the enumeration of `references_crf.py`."""

import functools
import itertools

import numpy as np
import pytest
import references_crf
from conftest import BACKEND, XLA
from gradients import value_and_gradients
from keras import ops as kops

from keras_crowd import ops
from keras_crowd.layers import LinearChainCRF

K, T, B = 3, 5, 6
XLA_ONLY = pytest.mark.skipif(not XLA, reason="PyTorch has no XLA here")
# Compiled once for all seeds; without the compiler, each seed takes as long as the first.
SEEDS = pytest.mark.parametrize(
    ("seed", "jit"), [(0, False), *(pytest.param(seed, True, marks=XLA_ONLY) for seed in range(3))]
)


def problem(seed=0, scale=2.0):
    rng = np.random.default_rng(seed)
    emissions = rng.normal(scale=scale, size=(B, T, K)).astype("float32")
    potentials = [
        kops.convert_to_tensor(rng.normal(scale=scale, size=s), "float32") for s in ((K, K), K, K)
    ]
    mask = np.array(
        [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [0, 1, 0, 0, 0], [0] * 5], bool
    )
    return emissions, ops.ChainPotentials(*potentials), mask


@functools.cache
def compiled(function):
    """The function under the backend's compiler, where it has one here."""
    if BACKEND == "torch":
        return function
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


def run(function, jit, emissions, potentials, *mask):
    arrays = [kops.convert_to_tensor(a) for a in (emissions, *mask)]
    found = (compiled(function) if jit else function)(arrays[0], potentials, *arrays[1:])
    return kops.convert_to_numpy(found)


def by_enumeration(oracle, emissions, potentials, mask):
    potentials = as_arrays(potentials)
    return [oracle(e[m].astype(float), *potentials) for e, m in zip(emissions, mask, strict=True)]


def as_arrays(tensors):
    return [kops.convert_to_numpy(t).astype(float) for t in tensors]


@SEEDS
def test_log_partition_equals_enumeration(seed, jit):
    emissions, potentials, mask = problem(seed)
    found = run(ops.chain_log_partition, jit, emissions, potentials, mask)
    expected = by_enumeration(references_crf.log_partition, emissions, potentials, mask)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    unmasked = run(ops.chain_log_partition, jit, emissions, potentials)
    expected = by_enumeration(references_crf.log_partition, emissions, potentials, np.ones_like(mask))
    np.testing.assert_allclose(unmasked, expected, rtol=1e-5)


@SEEDS
def test_marginals_equal_enumeration(seed, jit):
    emissions, potentials, mask = problem(seed)
    found = run(ops.chain_marginals, jit, emissions, potentials, mask)
    for p, e, m in zip(found, emissions, mask, strict=True):
        expected = references_crf.marginals(e[m].astype(float), *as_arrays(potentials))
        np.testing.assert_allclose(p[m], expected, atol=1e-5)
        assert np.all(p[~m] == 0)


@SEEDS
def test_viterbi_equals_enumeration(seed, jit):
    emissions, potentials, mask = problem(seed)
    found = run(ops.viterbi, jit, emissions, potentials, mask)
    for z, e, m in zip(found, emissions, mask, strict=True):
        assert tuple(z[m]) == references_crf.best(e[m].astype(float), *as_arrays(potentials))
        assert np.all(z[~m] == -1)


def test_gradient_of_log_partition_is_the_marginals_and_finite_differences():
    emissions, potentials, mask = problem()

    def total(e, transitions, start, end):
        return kops.sum(ops.chain_log_partition(e, ops.ChainPotentials(transitions, start, end), mask))

    arrays = (emissions, *(a.astype("float32") for a in as_arrays(potentials)))
    _, gradients = value_and_gradients(total, *arrays)
    expected = run(ops.chain_marginals, True, emissions, potentials, mask)
    np.testing.assert_allclose(gradients[0], expected, atol=1e-5)
    oracle = [a.astype(float) for a in arrays]
    for which, gradient in enumerate(gradients):
        for index in list(np.ndindex(gradient.shape))[:9]:
            values = []
            for step in (1e-4, -1e-4):
                moved = [a.copy() for a in oracle]
                moved[which][index] += step
                values.append(sum(by_enumeration(references_crf.log_partition, moved[0], moved[1:], mask)))
            assert gradient[index] == pytest.approx((values[0] - values[1]) / 2e-4, abs=1e-3)


def total_likelihood(e):
    _, potentials, mask = problem()
    return kops.sum(ops.chain_log_likelihood(e, kops.ones_like(e) * 0.5, potentials, mask))


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e30])
def test_padding_reaches_nothing(poison):
    emissions, potentials, mask = problem()
    dirty = np.where(mask[..., None], emissions, poison).astype("float32")
    expected = value_and_gradients(compiled(total_likelihood), emissions)
    found = value_and_gradients(compiled(total_likelihood), dirty)
    assert found[0] == pytest.approx(expected[0])
    np.testing.assert_allclose(found[1][0], expected[1][0], rtol=1e-5, atol=1e-7)
    for function in (ops.chain_marginals, ops.viterbi):
        np.testing.assert_allclose(
            run(function, True, dirty, potentials, mask), run(function, True, emissions, potentials, mask)
        )


def test_likelihood_of_tags_is_the_score_of_their_chain():
    emissions, potentials, _ = problem()
    tags = np.random.default_rng(0).integers(0, K, (B, T))
    evidence = ops.tag_evidence(kops.convert_to_tensor(tags), K, "float32")
    found = kops.convert_to_numpy(ops.chain_log_likelihood(emissions, evidence, potentials))
    potentials = as_arrays(potentials)
    for value, z, e in zip(found, tags, emissions.astype(float), strict=True):
        expected = references_crf.score(z, e, *potentials) - references_crf.log_partition(e, *potentials)
        assert value == pytest.approx(expected, abs=1e-3)


def test_unknown_tags_are_summed_out():
    emissions, potentials, _ = problem()
    tags = np.full((B, T), -1)
    tags[:, 2] = 1
    evidence = ops.tag_evidence(kops.convert_to_tensor(tags), K, "float32")
    found = kops.convert_to_numpy(ops.chain_log_likelihood(emissions, evidence, potentials))
    p = run(ops.chain_marginals, True, emissions, potentials)
    np.testing.assert_allclose(found, np.log(p[:, 2, 1]), atol=1e-4)


def test_long_chains_neither_overflow_nor_vanish():
    rng = np.random.default_rng(0)
    emissions = rng.normal(scale=20.0, size=(2, 1000, 4)).astype("float32")
    random = (rng.normal(scale=5.0, size=s) for s in ((4, 4), 4, 4))
    potentials = ops.ChainPotentials(*(kops.convert_to_tensor(a, "float32") for a in random))
    total = compiled(lambda e: kops.sum(ops.chain_log_partition(e, potentials)))
    value, (gradient,) = value_and_gradients(total, emissions)
    assert np.isfinite(value)
    np.testing.assert_allclose(gradient.sum(-1), 1.0, atol=1e-2)
    p = run(ops.chain_marginals, True, emissions, potentials)
    np.testing.assert_allclose(p, gradient, atol=1e-2)
    tags = run(ops.viterbi, True, emissions, potentials)
    best = [
        references_crf.score(z, e, *as_arrays(potentials)) for z, e in zip(tags, emissions, strict=True)
    ]
    log_z = run(ops.chain_log_partition, True, emissions, potentials)
    assert np.all(np.array(best) <= log_z + 1.0)
    assert np.all(np.array(best) > log_z - 1000 * np.log(4))


@pytest.mark.skipif(BACKEND != "jax", reason="the size of what is kept for the gradient is seen under JAX")
def test_memory_grows_with_the_length_and_not_its_square():
    import jax

    potentials = problem()[1]

    def total(e):
        return kops.sum(ops.chain_log_partition(e, potentials))

    def kept(length):
        emissions = jax.ShapeDtypeStruct((2, length, K), "float32")
        pullback = jax.eval_shape(lambda e: jax.vjp(total, e)[1], emissions)
        return sum(leaf.size for leaf in jax.tree.leaves(pullback))

    assert kept(800) <= 2.1 * kept(400)


def test_bio_rules():
    follows, first = ops.bio_rules(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
    assert first == [True, True, False, True, False]
    assert follows == [
        [True, True, False, True, False],
        [True, True, True, True, False],
        [True, True, True, True, False],
        [True, True, False, True, True],
        [True, True, False, True, True],
    ]


def test_one_token_chains():
    emissions, potentials, _ = problem()
    one = emissions[:, :1]
    expected = by_enumeration(references_crf.log_partition, one, potentials, np.ones((B, 1), bool))
    found = kops.convert_to_numpy(ops.chain_log_partition(one, potentials))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert kops.convert_to_numpy(ops.viterbi(one, potentials)).shape == (B, 1)


def long_chain(length):
    """A chain whose answers say a lot, as those of a crowd do: emissions, evidence and potentials in float64."""
    rng = np.random.default_rng(0)
    emissions, evidence = rng.normal(scale=3.0, size=(2, 1, length, K))
    return emissions, 2.0 * evidence - 8.0, [rng.normal(size=s) for s in ((K, K), K, K)]


def expected_transitions(e, transitions, start, end):
    """Of one chain `(time, K)`, in float64, each step normalized."""
    before, after = [start + e[0]], [end]
    for token in e[1:]:
        x = np.logaddexp.reduce(before[-1][:, None] + transitions, axis=0) + token
        before.append(x - x.max())
    for token in e[:0:-1]:
        x = np.logaddexp.reduce(transitions + token + after[-1], axis=1)
        after.append(x - x.max())
    pairs = np.array(before[:-1])[:, :, None] + transitions + (e[1:] + after[-2::-1])[:, None]
    pairs = np.exp(pairs - pairs.max(axis=(1, 2), keepdims=True))
    return np.sum(pairs / pairs.sum(axis=(1, 2), keepdims=True), axis=0)


def test_expected_transitions_are_the_gradient_by_enumeration():
    emissions, _, potentials = long_chain(4)
    found = expected_transitions(emissions[0], *potentials)
    for index in np.ndindex(K, K):
        values = []
        for step in (1e-5, -1e-5):
            moved = potentials[0].copy()
            moved[index] += step
            values.append(references_crf.log_partition(emissions[0], moved, *potentials[1:]))
        assert found[index] == pytest.approx((values[0] - values[1]) / 2e-5, abs=1e-6)


@pytest.mark.parametrize("length", [20_000 if BACKEND == "jax" else 1000])
def test_gradient_of_transitions_keeps_its_digits_along_long_chains(length):
    emissions, evidence, potentials = long_chain(length)
    start, end = (kops.convert_to_tensor(p, "float32") for p in potentials[1:])
    e, v = (kops.convert_to_tensor(a, "float32") for a in (emissions, evidence))

    def total(transitions):
        return kops.sum(ops.chain_log_likelihood(e, v, ops.ChainPotentials(transitions, start, end)))

    _, (found,) = value_and_gradients(compiled(total), potentials[0].astype("float32"))
    joint, prior = (expected_transitions(x[0], *potentials) for x in (emissions + evidence, emissions))
    np.testing.assert_allclose(found, joint - prior, atol=1e-3 * np.abs(joint - prior).max())


@pytest.mark.parametrize("size", [1e5, 1e7])
def test_emissions_of_any_size_obey_tags_and_rules(size):
    labels = ["O", "B-X", "I-X"]
    crf = LinearChainCRF(labels)
    crf.build((None, None, 3))
    emissions = np.array([[[0.0, 0.0, size], [size, 0.0, size], [0.0, 0.0, size]]], "float32")
    tags = kops.convert_to_numpy(crf(emissions))[0]
    follows, first = ops.bio_rules(labels)
    assert first[tags[0]]
    assert all(follows[a][b] for a, b in itertools.pairwise(tags))
    evidence = ops.tag_evidence(kops.convert_to_tensor([[0, 0, 0]]), 3, "float32")
    loss = compiled(lambda e: -kops.sum(crf.log_likelihood(e, evidence)))
    _, (gradient,) = value_and_gradients(loss, emissions)
    expected = kops.convert_to_numpy(crf.marginals(emissions))[0] - np.eye(3)[[0, 0, 0]]
    np.testing.assert_allclose(gradient[0], expected, atol=1e-5)
    assert np.abs(gradient).max() > 0.4
