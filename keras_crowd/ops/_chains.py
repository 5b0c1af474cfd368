"""The mathematics of linear-chain conditional random fields, as pure functions over `keras.ops`.

A chain of classes `z_1 ... z_T` has the score

    s(z) = start[z_1] + sum_t emission[t, z_t] + sum_t>1 transition[z_t-1, z_t] + end[z_T]

and the probability `exp(s(z)) / Z`. Emissions are `(batch, time, K)`, a mask `(batch, time)` says which tokens
are real. Padding may stand anywhere: the chain goes from one real token to the next as if nothing stood between
them. A sequence without a real token has `log Z = 0`. Time and memory are linear in the length of the chain.

Scans give back what they carry, for TensorFlow's takes no other outputs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keras import ops as kops

from .._typing import DType, Tensor

# Scores of what cannot be: finite, so that no gradient is NaN. What is known of a chain overrules the rules.
FORBIDDEN = -1e10  # by rules
EXCLUDED = -1e30  # by what is known


class ChainPotentials(NamedTuple):
    """The scores that do not depend on the item: `(K, K)`, `(K,)`, `(K,)`."""

    transitions: Tensor
    start: Tensor
    end: Tensor


def chain_log_partition(
    emissions: Tensor, potentials: ChainPotentials, mask: Tensor | None = None
) -> Tensor:
    """`log Z = log sum_z exp(s(z))`, `(batch,)`, by the forward recursion.

    Its gradient is how often a chain is expected to meet each score, and is given as such: XLA under
    TensorFlow cannot differentiate a scan.
    """
    emissions, mask = _cleaned(emissions, mask)
    return kops.where(kops.any(mask, axis=1), kops.sum(_log_z(emissions, potentials, mask), axis=0), 0.0)


def _log_z(emissions: Tensor, potentials: ChainPotentials, mask: Tensor) -> Tensor:
    """`log Z` as terms to be summed, `(time + 2, batch)`: the last is 0 and has the gradient."""
    scores = (emissions, *potentials)
    fixed = tuple(kops.stop_gradient(score) for score in scores)
    terms, expected = _expectations(fixed[0], ChainPotentials(*fixed[1:]), mask)
    nothing: Tensor = 0.0
    for score, still, count in zip(scores, fixed, expected, strict=True):
        change = kops.stop_gradient(count) * (score - still)  # 0, with the gradient `count`
        nothing = nothing + kops.sum(kops.reshape(change, (kops.shape(change)[0], -1)), axis=-1)
    return kops.concatenate([kops.stop_gradient(terms), kops.expand_dims(nothing, 0)], axis=0)


def _expectations(
    emissions: Tensor, potentials: ChainPotentials, mask: Tensor
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The terms of `log Z`, and the expected counts of emissions, transitions, starts and ends, each `(batch, ...)`.

    Each step's probabilities are normalized on their own: against the `log Z` of a long chain they would lose their
    digits.
    """
    last, alpha, terms = _forward(emissions, potentials, mask)
    beta = _backward(emissions, potentials, mask)
    p = kops.softmax(alpha + beta, axis=-1)
    _, goes_on, begins = _unpacked(_steps(emissions, mask))
    before = kops.concatenate([kops.zeros_like(alpha[:1]), alpha[:-1]], axis=0)
    after = _swap_time(emissions) + beta
    pairs = kops.expand_dims(before, -1) + potentials.transitions + kops.expand_dims(after, -2)
    pairs = kops.exp(pairs - kops.logsumexp(pairs, axis=(-2, -1), keepdims=True))
    any_token = kops.cast(kops.any(mask, axis=1, keepdims=True), p.dtype)
    ending = kops.logsumexp(last + potentials.end, axis=-1)
    return kops.concatenate([terms, kops.expand_dims(ending, 0)], axis=0), (
        _swap_time(p) * kops.cast(kops.expand_dims(mask, -1), p.dtype),
        kops.sum(kops.where(kops.expand_dims(goes_on, -1), pairs, 0.0), axis=0),
        kops.sum(p * kops.cast(begins, p.dtype), axis=0),
        kops.softmax(last + potentials.end, axis=-1) * any_token,
    )


def tag_evidence(tags: Tensor, num_classes: int, dtype: DType) -> Tensor:
    """Scores that leave only the given tags `(batch, time)`, and all of them where a tag is negative."""
    known = kops.expand_dims(tags >= 0, -1)
    given = kops.one_hot(tags, num_classes, dtype=dtype)
    return kops.where(known, EXCLUDED * (1.0 - given), 0.0)


def chain_log_likelihood(
    emissions: Tensor, evidence: Tensor, potentials: ChainPotentials, mask: Tensor | None = None
) -> Tensor:
    """`log sum_z p(z) prod_t exp(evidence[t, z_t])`, `(batch,)`: what is observed, with the chain summed out."""
    emissions, mask = _cleaned(emissions, mask)
    joint, _ = _cleaned(emissions + evidence, mask)
    difference = _log_z(joint, potentials, mask) - _log_z(emissions, potentials, mask)
    return kops.where(kops.any(mask, axis=1), kops.sum(difference, axis=0), 0.0)


def chain_marginals(emissions: Tensor, potentials: ChainPotentials, mask: Tensor | None = None) -> Tensor:
    """`p(z_t = k)`, `(batch, time, K)`, by forward and backward recursions; zeros at padding."""
    emissions, mask = _cleaned(emissions, mask)
    alpha = _forward(emissions, potentials, mask)[1]
    beta = _backward(emissions, potentials, mask)
    p = kops.softmax(_swap_time(alpha) + _swap_time(beta), axis=-1)
    return kops.where(kops.expand_dims(mask, -1), p, 0.0)


def viterbi(emissions: Tensor, potentials: ChainPotentials, mask: Tensor | None = None) -> Tensor:
    """The tags of the highest score, int32 `(batch, time)`; `-1` at padding."""
    emissions, mask = _cleaned(emissions, mask)
    alpha, pointers = _best_scores(emissions, potentials, mask)
    last = kops.cast(kops.argmax(alpha + potentials.end, axis=-1), "int32")

    def step(tag: Tensor, pointer: Tensor) -> Tensor:
        before = kops.take_along_axis(pointer, kops.expand_dims(tag, -1), axis=-1)
        return kops.squeeze(before, -1), tag

    tags = kops.transpose(kops.scan(step, last, pointers, reverse=True)[1])
    return kops.where(mask, tags, -1)


def _cleaned(emissions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Emissions with zeros at padding, so that whatever stands there reaches nothing; and the mask."""
    emissions = kops.convert_to_tensor(emissions)
    if mask is None:
        return emissions, kops.ones_like(emissions[..., 0], dtype="bool")
    mask = kops.cast(mask, "bool")
    return kops.where(kops.expand_dims(mask, -1), emissions, 0.0), mask


def _steps(emissions: Tensor, mask: Tensor) -> Tensor:
    """For each token its emissions, whether the chain goes on there, and whether it begins: `(time, batch, K + 2)`.

    One array, for TensorFlow's scan compares the lengths of several, which fails where they are unknown.
    """
    count = kops.cumsum(kops.cast(mask, "int32"), axis=1)
    flags = kops.stack([kops.logical_and(mask, count > 1), kops.logical_and(mask, count == 1)], axis=-1)
    return _swap_time(kops.concatenate([emissions, kops.cast(flags, emissions.dtype)], axis=-1))


def _unpacked(token: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Emissions `(..., batch, K)` and the two flags `(..., batch, 1)` of what `_steps` gives."""
    return token[..., :-2], token[..., -2:-1] > 0.5, token[..., -1:] > 0.5


def _forward(emissions: Tensor, potentials: ChainPotentials, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`alpha_t[k] = log sum` over the chains up to `t` that end in `k`, less a term that makes its largest 0.

    Returns:
        The last; all, `(time, batch, K)`; and the terms, `(time, batch)`.
    """

    def step(carry: tuple[Tensor, Tensor], token: Tensor) -> Tensor:
        alpha, _ = carry
        emission, goes_on, begins = _unpacked(token)
        paths = kops.logsumexp(kops.expand_dims(alpha, -1) + potentials.transitions, axis=-2)
        alpha = kops.where(goes_on, paths + emission, alpha)
        alpha = kops.where(begins, potentials.start + emission, alpha)
        term = kops.max(alpha, axis=-1, keepdims=True)
        return (alpha - term, term), (alpha - term, term)

    start = (kops.zeros_like(emissions[:, 0]), kops.zeros_like(emissions[:, 0, :1]))
    (last, _), (alpha, terms) = kops.scan(step, start, _steps(emissions, mask))
    return last, alpha, kops.squeeze(terms, -1)


def _backward(emissions: Tensor, potentials: ChainPotentials, mask: Tensor) -> Tensor:
    """`beta_t[k] = log sum` over the chains after `t`, given `k` at `t`, up to a constant: `(time, batch, K)`."""

    def step(beta: Tensor, token: Tensor) -> Tensor:
        emission, goes_on, _ = _unpacked(token)
        after = kops.expand_dims(emission + beta, -2)
        before = kops.logsumexp(potentials.transitions + after, axis=-1)
        return kops.where(goes_on, before - kops.max(before, axis=-1, keepdims=True), beta), beta

    end = kops.zeros_like(emissions[:, 0]) + potentials.end
    return kops.scan(step, end, _steps(emissions, mask), reverse=True)[1]


def _best_scores(emissions: Tensor, potentials: ChainPotentials, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The best score of a chain that ends in each class, up to a constant; where from, `(time, batch, K)`."""
    itself = kops.zeros_like(emissions[:, 0], dtype="int32") + kops.arange(
        emissions.shape[-1], dtype="int32"
    )

    def step(carry: tuple[Tensor, Tensor], token: Tensor) -> Tensor:
        alpha, _ = carry
        emission, goes_on, begins = _unpacked(token)
        scores = kops.expand_dims(alpha, -1) + potentials.transitions
        pointer = kops.where(goes_on, kops.cast(kops.argmax(scores, axis=-2), "int32"), itself)
        alpha = kops.where(goes_on, kops.max(scores, axis=-2) + emission, alpha)
        alpha = kops.where(begins, potentials.start + emission, alpha)
        alpha = alpha - kops.max(alpha, axis=-1, keepdims=True)
        return (alpha, pointer), (alpha, pointer)

    start = (kops.zeros_like(emissions[:, 0]), itself)
    (alpha, _), (_, pointers) = kops.scan(step, start, _steps(emissions, mask))
    return alpha, pointers


def _swap_time(x: Tensor) -> Tensor:
    """`(batch, time, K)` as `(time, batch, K)`, and back."""
    return kops.transpose(x, (1, 0, 2))


def bio_rules(labels: Sequence[str]) -> tuple[list[list[bool]], list[bool]]:
    """Tells which label may follow which, `(K, K)`, and which may come first, `(K,)`, as nested lists of bools.

    `I-x` may only follow `B-x` or `I-x`.
    """
    follows = [[_may_follow(before, label) for label in labels] for before in labels]
    return follows, [_may_follow("O", label) for label in labels]


def _may_follow(before: str, label: str) -> bool:
    return not label.startswith("I-") or before in (f"B-{label[2:]}", label)
