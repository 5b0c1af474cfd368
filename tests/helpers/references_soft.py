"""Slow oracles of soft answers: plain loops over `(items, annotators, classes)`, rows of zeros for missing."""

import math

import numpy as np


def is_given(y):
    return any(p > 0 for p in y)


def vote_shares(table):
    shares = np.zeros((table.shape[0], table.shape[2]))
    for i, row in enumerate(table):
        given = [y for y in row if is_given(y)]
        for y in given:
            shares[i] += y / len(given)
    return shares


def counts(table, q):
    """`sum_i q_ik y_irl`."""
    items, annotators, classes = table.shape
    found = np.zeros((annotators, classes, classes))
    for i in range(items):
        for r in range(annotators):
            for k in range(classes):
                for answer in range(classes):
                    found[r, k, answer] += q[i, k] * table[i, r, answer]
    return found


def posterior(table, f, confusion):
    """`q_ik ~ f_ik prod_rl A_rkl ^ y_irl`, and the log of what it was divided by, of each item."""
    q, evidence = np.array(f, float), np.zeros(len(table))
    for i, row in enumerate(table):
        for k in range(table.shape[2]):
            for r, y in enumerate(row):
                q[i, k] *= math.prod(confusion[r, k, answer] ** p for answer, p in enumerate(y))
        evidence[i] = math.log(sum(q[i]))
        q[i] /= sum(q[i])
    return q, evidence


def dawid_skene(table, iterations, strength=0.01, class_strength=0.01):
    """Posterior, confusions, class prior and the objective after each iteration."""
    given = [any(is_given(y) for y in row) for row in table]
    q, objectives = vote_shares(table), []
    for _ in range(iterations):
        confusion = counts(table, q) + strength
        confusion /= confusion.sum(axis=2, keepdims=True)
        prior = q[given].sum(axis=0) + class_strength
        prior /= prior.sum()
        q, evidence = posterior(table, np.tile(prior, (len(table), 1)), confusion)
        log_priors = strength * np.log(confusion).sum() + class_strength * np.log(prior).sum()
        objectives.append(evidence[given].sum() + log_priors)
    return q, confusion, prior, np.array(objectives)


def held_out_nats(held_out, kept, f, confusion):
    """`-sum_l y_l log sum_k q_k A_rkl` of each held-out answer."""
    q, _ = posterior(kept, f, confusion)
    nats = []
    for i, row in enumerate(held_out):
        for r, y in enumerate(row):
            if is_given(y):
                nats.append(-sum(p * math.log(q[i] @ confusion[r, :, a]) for a, p in enumerate(y) if p > 0))
    return np.array(nats)
