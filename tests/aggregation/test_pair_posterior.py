"""`pair_posterior` against a fine sum over differences, limits, and what is refused."""

import numpy as np
import pytest

import keras_crowd as kc

ANSWERS = kc.Annotations.from_preferences(
    ["x", "x", "x", "y", "y"],
    ["y", "y", "y", "z", "z"],
    ["ann", "bob", "cid", "ann", "bob"],
    [0, 0, 2, 1, 2],
    choices=(0, 1, 2),
    pairs=[("x", "y"), ("y", "z"), ("z", "x")],
)
FIRST, SECOND = np.array([0.3, 1.0, 0.5]), np.array([0.1, 0.2, 0.0])
RATERS = {
    "reliability": [1.5, -0.5, 0.7],
    "position_bias": [0.4, 0.0, -0.3],
    "tie_rate": [0.2, 0.4, 0.3],
    "random_rate": [0.1, 0.0, 0.5],
}


def test_it_is_the_sum_over_differences():
    found = kc.aggregation.pair_posterior(ANSWERS, FIRST, SECOND, 1.3, **RATERS)
    for i, row in enumerate(ANSWERS.dense()):
        center = FIRST[i] - SECOND[i]
        sums = np.zeros(2)
        for d in np.arange(-12, 12, 0.003) + 0.0015:
            density = np.exp(-0.5 * ((d - center) / 1.3) ** 2)
            for r, said in enumerate(row):
                if said < 0:
                    continue
                beta, p, tie, e = (RATERS[name][r] for name in RATERS)
                u = (beta * d + p) / 2
                z = np.array([np.exp(u), np.exp(-u), 2 * tie / (1 - tie)])
                density *= (1 - e) * z[said] / z.sum() + e / 3
            sums[int(d < 0)] += density
        np.testing.assert_allclose(found[i], sums / sums.sum(), atol=1e-5)
    one = kc.aggregation.pair_posterior(ANSWERS, FIRST[:, None], SECOND[:, None], 1.3, **RATERS)
    np.testing.assert_array_equal(one, found)


def test_careful_raters_convince_and_an_adversary_convinces_of_the_other():
    answers = kc.Annotations.from_preferences(["x"] * 3, ["y"] * 3, [0, 1, 2], ["x"] * 3)
    better = [
        kc.aggregation.pair_posterior(answers, [0.0], [0.0], 1.0, reliability=np.full(3, beta))[0, 0]
        for beta in (-2.0, 0.0, 0.5, 2.0)
    ]
    assert better[1] == pytest.approx(0.5)
    assert better == sorted(better)
    assert better[0] == pytest.approx(1 - better[3])


def test_bad_arguments_are_named():
    posterior = kc.aggregation.pair_posterior
    with pytest.raises(ValueError, match=r"`first` must be finite scores, one for each of 3 pairs"):
        posterior(ANSWERS, FIRST[:2], SECOND, 1.0)
    with pytest.raises(ValueError, match=r"`tie_rate` must have one value for each of 3 annotators"):
        posterior(ANSWERS, FIRST, SECOND, 1.0, tie_rate=[0.1])
    with pytest.raises(ValueError, match="`spread` must be a number above 0"):
        posterior(ANSWERS, FIRST, SECOND, 0)
    with pytest.raises(ValueError, match="must be preferences"):
        posterior(kc.Annotations.from_dense([[0, 1]]), [0], [0], 1.0)
