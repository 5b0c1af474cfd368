"""Slow, obvious oracles for `ebcc`, `mace`, `glad` and `crowdlab`: plain loops, straight from the equations."""

import math

import numpy as np
from scipy.special import digamma, gammaln


def expected_log(counts):
    """Expected logarithms of one distribution with these Dirichlet parameters."""
    return [digamma(c) - digamma(sum(counts)) for c in counts]


def divergence(counts, prior):
    total = gammaln(sum(counts)) - gammaln(sum(prior))
    logs = expected_log(counts)
    for c, p, log in zip(counts, prior, logs, strict=True):
        total += gammaln(p) - gammaln(c) + (c - p) * log
    return total


def log_sum(values):
    largest = max(values)
    return largest + math.log(sum(math.exp(v - largest) for v in values))


def ebcc(table, start, iterations, right=4.0, wrong=1.0, class_strength=1.0, subtype_strength=0.1):
    """From a start `(items, classes, subtypes)`; every item has an answer. Returns posterior, confusions and bound."""
    size, annotators = table.shape
    _, K, M = start.shape
    rho = start.copy()
    for _ in range(iterations):
        nu = [class_strength + rho[:, k].sum() for k in range(K)]
        eta = [[subtype_strength / M + rho[:, k, m].sum() for m in range(M)] for k in range(K)]
        prior = [[right if k == l else wrong for l in range(K)] for k in range(K)]
        mu = np.array([[[prior[k] for _ in range(M)] for k in range(K)] for _ in range(annotators)], float)
        for i in range(size):
            for r in range(annotators):
                if table[i, r] >= 0:
                    mu[r, :, :, table[i, r]] += rho[i]
        log_tau, log_pi = expected_log(nu), [expected_log(eta[k]) for k in range(K)]
        bound = -divergence(nu, [class_strength] * K)
        for k in range(K):
            bound -= divergence(eta[k], [subtype_strength / M] * M)
            for r in range(annotators):
                for m in range(M):
                    bound -= divergence(list(mu[r, k, m]), prior[k])
        log_a = [
            [[expected_log(list(mu[r, k, m])) for m in range(M)] for k in range(K)]
            for r in range(annotators)
        ]
        for i in range(size):
            joint = np.zeros((K, M))
            for k in range(K):
                for m in range(M):
                    joint[k, m] = log_tau[k] + log_pi[k][m]
                    for r in range(annotators):
                        if table[i, r] >= 0:
                            joint[k, m] += log_a[r][k][m][table[i, r]]
            evidence = log_sum(list(joint.ravel()))
            rho[i] = np.exp(joint - evidence)
            bound += evidence
    confusion = np.zeros((annotators, K, K))
    for r in range(annotators):
        for k in range(K):
            for m in range(M):
                confusion[r, k] += eta[k][m] / sum(eta[k]) * mu[r, k, m] / mu[r, k, m].sum()
    return rho, confusion, bound


def mace(table, K, start, iterations, a=0.5, s=10.0):
    """From a start `(items, classes)`; returns posterior, competence, habits and bound."""
    size, annotators = table.shape
    q = start.copy()
    knows, guesses = np.full(annotators, 0.5), np.full((annotators, K), 0.5 / K)
    for _ in range(iterations):
        skill, habits = np.full((annotators, 2), a), np.full((annotators, K), s)
        for i in range(size):
            for r in range(annotators):
                l = table[i, r]
                if l < 0:
                    continue
                known = q[i, l] * knows[r] / (knows[r] + guesses[r, l])
                skill[r] += known, 1 - known
                habits[r, l] += 1 - known
        bound = 0.0
        for r in range(annotators):
            bound -= divergence(list(skill[r]), [a, a]) + divergence(list(habits[r]), [s] * K)
            log_c, log_h = expected_log(list(skill[r])), expected_log(list(habits[r]))
            knows[r] = math.exp(log_c[0])
            guesses[r] = [math.exp(log_c[1] + log_h[l]) for l in range(K)]
        for i in range(size):
            joint = []
            for k in range(K):
                value = -math.log(K)
                for r in range(annotators):
                    if table[i, r] >= 0:
                        value += math.log(guesses[r, table[i, r]] + (knows[r] if table[i, r] == k else 0))
                joint.append(value)
            evidence = log_sum(joint)
            q[i] = np.exp(np.array(joint) - evidence)
            bound += evidence
    return q, skill[:, 0] / skill.sum(axis=1), habits / habits.sum(axis=1, keepdims=True), bound


def glad_objective(table, K, a, b, v_a=1.0, v_b=1.0):
    """The posterior of the items, and the log-likelihood of the answers plus that of the priors."""
    size, annotators = table.shape
    q, total = np.zeros((size, K)), 0.0
    for i in range(size):
        joint = []
        for k in range(K):
            value = -math.log(K)
            for r in range(annotators):
                if table[i, r] >= 0:
                    right = 1 / (1 + math.exp(-a[r] * math.exp(b[i])))
                    value += math.log(right if table[i, r] == k else (1 - right) / (K - 1))
            joint.append(value)
        evidence = log_sum(joint)
        q[i] = np.exp(np.array(joint) - evidence)
        total += evidence
    total -= sum((x - 1) ** 2 / (2 * v_a) for x in a) + sum((x - 1) ** 2 / (2 * v_b) for x in b)
    return q, total


def crowdlab(table, f):
    """Posterior, weights of the annotators and of the classifier, and quality of the annotators; two rounds."""
    size, annotators = table.shape
    K = f.shape[1]
    given = [[r for r in range(annotators) if table[i, r] >= 0] for i in range(size)]
    several = [i for i in range(size) if len(given[i]) > 1]
    consensus = []
    for i in range(size):
        votes = [sum(table[i, r] == k for r in given[i]) for k in range(K)]
        tied = [k for k in range(K) if votes[k] == max(votes)]
        consensus.append(max(tied, key=lambda k: f[i, k]))
    for _ in range(2):
        counts = [sum(consensus[i] == k for i in several) for k in range(K)]
        chance = max(1 - max(counts) / len(several), 1e-6)
        error = []
        for r in range(annotators):
            same = pairs = 0
            for i in range(size):
                if r in given[i]:
                    others = [s for s in given[i] if s != r]
                    same, pairs = (
                        same + sum(table[i, s] == table[i, r] for s in others),
                        pairs + len(others),
                    )
            error.append(1 - same / pairs if pairs else math.nan)
        mean = np.nanmean(error)
        w_r = [max(1 - (mean if math.isnan(e) else e) / chance, 1e-6) for e in error]
        wrong = sum(f[i].argmax() != consensus[i] for i in several) / len(several)
        answers = sum(map(len, given)) / sum(bool(g) for g in given)
        w = max(1 - wrong / chance, 1e-6) * math.sqrt(answers)
        P = np.mean([np.mean([table[i, r] == consensus[i] for r in given[i]]) for i in several])
        q = np.zeros((size, K))
        for i in range(size):
            for k in range(K):
                q[i, k] = w * f[i, k]
                for r in given[i]:
                    q[i, k] += w_r[r] * (P if table[i, r] == k else (1 - P) / (K - 1))
            q[i] /= w + sum(w_r[r] for r in given[i])
        before, consensus = consensus, list(q.argmax(axis=1))
    of_f = w / (w + answers * np.mean(w_r))
    quality = []
    for r in range(annotators):
        mine = [i for i in range(size) if r in given[i]]
        own = np.mean([q[i, table[i, r]] for i in mine]) if mine else math.nan
        agrees = [table[i, r] == before[i] for i in mine if len(given[i]) > 1]
        quality.append(of_f * own + (1 - of_f) * np.mean(agrees) if agrees else own)
    return q, w_r, w, quality
