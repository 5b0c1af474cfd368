"""Linear chains by enumeration of all of them: slow, obvious oracles in float64."""

import itertools

import numpy as np


def chains(num_classes, length):
    return itertools.product(range(num_classes), repeat=length)


def score(z, emissions, transitions, start, end):
    """The score of one chain of one sequence; emissions: (T, K), real tokens only."""
    if not len(z):
        return 0.0
    total = start[z[0]] + end[z[-1]]
    for t, k in enumerate(z):
        total += emissions[t, k]
        if t:
            total += transitions[z[t - 1], k]
    return total


def all_scores(emissions, transitions, start, end):
    length, num_classes = emissions.shape
    return {z: score(z, emissions, transitions, start, end) for z in chains(num_classes, length)}


def log_partition(emissions, *potentials):
    scores = np.array(list(all_scores(emissions, *potentials).values()))
    return scores.max() + np.log(np.exp(scores - scores.max()).sum())


def marginals(emissions, *potentials):
    log_z = log_partition(emissions, *potentials)
    found = np.zeros(emissions.shape)
    for z, s in all_scores(emissions, *potentials).items():
        for t, k in enumerate(z):
            found[t, k] += np.exp(s - log_z)
    return found


def best(emissions, *potentials):
    scores = all_scores(emissions, *potentials)
    return max(scores, key=scores.get)


def answer_likelihood(emissions, potentials, confusion, answers):
    """`log sum_z p(z) prod_rt A_r[z_t, y_rt]`; answers: (T, R), -1 missing."""
    log_z = log_partition(emissions, *potentials)
    total = 0.0
    for z, s in all_scores(emissions, *potentials).items():
        p = np.exp(s - log_z)
        for t, k in enumerate(z):
            for r, answer in enumerate(answers[t]):
                if answer >= 0:
                    p *= confusion[r, k, answer]
        total += p
    return np.log(total)


def soft_answer_likelihood(emissions, potentials, confusion, answers):
    """`log sum_z p(z) prod_rtl A_r[z_t, l] ^ y_rtl`; answers: (T, R, K), zeros missing."""
    log_z = log_partition(emissions, *potentials)
    total = 0.0
    for z, s in all_scores(emissions, *potentials).items():
        p = np.exp(s - log_z)
        for t, k in enumerate(z):
            for r, distribution in enumerate(answers[t]):
                for answer, part in enumerate(distribution):
                    p *= confusion[r, k, answer] ** part
        total += p
    return np.log(total)
