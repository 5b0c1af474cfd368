"""Slow, obvious oracles for `keras_crowd.aggregation`: plain loops, straight from the equations."""

import math

import numpy as np


def majority_vote(table, num_classes, ties="lowest"):
    winners = []
    for row in table:
        votes = [sum(answer == k for answer in row) for k in range(num_classes)]
        tied = [k for k in range(num_classes) if votes[k] == max(votes)]
        if max(votes) == 0 or (ties == "missing" and len(tied) > 1):
            winners.append(-1)
        else:
            winners.append(tied[0])
    return np.array(winners)


def vote_shares(table, num_classes):
    shares = np.zeros((len(table), num_classes))
    for i, row in enumerate(table):
        given = [answer for answer in row if answer >= 0]
        for answer in given:
            shares[i, answer] += 1 / len(given)
    return shares


def dawid_skene(
    table, num_classes, iterations, strength=0.01, class_strength=0.01, confusion="full", gold=None
):
    """Posterior, confusion, class prior and the objective after each of so many iterations."""
    table = np.asarray(table)
    gold = [-1] * len(table) if gold is None else gold
    num_annotators = table.shape[1]
    hierarchical = confusion == "hierarchical"
    if not hierarchical:
        strength = np.broadcast_to(strength, (num_annotators, num_classes, num_classes))
    given, kind = strength, "full" if hierarchical else confusion
    q = vote_shares(table, num_classes)
    for i, label in enumerate(gold):
        if label >= 0:
            q[i] = [float(k == label) for k in range(num_classes)]
    items = np.full(num_classes, float(class_strength))
    if hierarchical:
        for i, row in enumerate(table):
            if any(answer >= 0 for answer in row) or gold[i] >= 0:
                items += q[i]
    objectives = []
    for _ in range(iterations):
        prior = _class_prior(table, q, items, gold)
        strength = _coins(table, q, given) if hierarchical else given
        found = _confusion(table, q, strength, kind=kind)
        q, log_likelihood = posterior(table, prior, found, gold)
        log_prior = sum(n * math.log(p) for n, p in zip(items, prior, strict=True))
        for r in range(num_annotators):
            for k in range(num_classes):
                for answer in range(num_classes):
                    log_prior += strength[r, k, answer] * math.log(found[r, k, answer])
        objectives.append(log_likelihood + log_prior)
    return q, found, prior, np.array(objectives)


def _coins(table, q, strength):
    """So many answers in each row as the annotator's one coin has them, two of it tossed with that of all."""
    num_annotators, num_classes = table.shape[1], q.shape[1]
    hits, answers = [0.0] * num_annotators, [0] * num_annotators
    for i, row in enumerate(table):
        for r, answer in enumerate(row):
            if answer >= 0:
                hits[r] += q[i, answer]
                answers[r] += 1
    right_of_all = sum(hits) / max(sum(answers), 1)
    imagined = np.empty((num_annotators, num_classes, num_classes))
    for r in range(num_annotators):
        right = (hits[r] + 2 * right_of_all) / (answers[r] + 2)
        right = min(max(right, 1e-9), 1 - 1e-9)
        for k in range(num_classes):
            for answer in range(num_classes):
                wrong = (1 - right) / max(num_classes - 1, 1)
                imagined[r, k, answer] = strength * (right if answer == k else wrong)
    return imagined


def _class_prior(table, q, items, gold):
    """Eq. 2.4: the share of each class among the items of which something is known, and some imagined ones."""
    counts = np.array(items)
    for i, row in enumerate(table):
        if any(answer >= 0 for answer in row) or gold[i] >= 0:
            counts += q[i]
    return counts / sum(counts)


def _confusion(table, q, strength, kind="full"):
    """Eq. 2.3: of the items that are truly k, the share to which annotator r says l."""
    counts = np.array(strength, float)
    for i, row in enumerate(table):
        for r, answer in enumerate(row):
            if answer >= 0:
                for k in range(q.shape[1]):
                    counts[r, k, answer] += q[i, k]
    size, num_classes, _ = counts.shape
    found = np.empty_like(counts)
    for r in range(size):
        for k in range(num_classes):
            rows = range(num_classes) if kind == "one_coin" else [k]
            total = sum(sum(counts[r, row]) for row in rows)
            accuracy = sum(counts[r, row, row] for row in rows) / total
            for answer in range(num_classes):
                if kind == "full":
                    found[r, k, answer] = counts[r, k, answer] / total
                else:
                    found[r, k, answer] = accuracy if answer == k else (1 - accuracy) / (num_classes - 1)
    return found


def posterior(table, prior, confusion, gold=None):
    """Eq. 2.5, and the log of its denominator over the items somebody answered; of a gold item its only class."""
    q = np.zeros((len(table), len(prior)))
    log_likelihood = 0.0
    for i, row in enumerate(table):
        for k in range(len(prior)):
            q[i, k] = prior[k]
            for r, answer in enumerate(row):
                if answer >= 0:
                    q[i, k] *= confusion[r, k, answer]
            if gold is not None and gold[i] >= 0 and gold[i] != k:
                q[i, k] = 0.0
        if any(answer >= 0 for answer in row) or (gold is not None and gold[i] >= 0):
            log_likelihood += math.log(sum(q[i]))
        q[i] /= sum(q[i])
    return q, log_likelihood
