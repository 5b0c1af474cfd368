"""Slow, obvious oracles for the aggregates of ratings: plain loops, straight from the equations."""

import math

import numpy as np


def given(row):
    return [float(answer) for answer in row if not math.isnan(answer)]


def mean(table):
    return np.array([sum(given(row)) / len(given(row)) if given(row) else math.nan for row in table])


def median(table):
    found = []
    for row in table:
        y = sorted(given(row))
        half = len(y) // 2
        if not y:
            found.append(math.nan)
        else:
            found.append(y[half] if len(y) % 2 else (y[half - 1] + y[half]) / 2)
    return np.array(found)


def raykar(table, iterations, strength, predictions=None):
    """Truth, bias, variance and the objective before each of so many updates."""
    table = np.asarray(table, float)
    items, annotators = table.shape
    cells = [(i, r) for i in range(items) for r in range(annotators) if not math.isnan(table[i, r])]
    prior = np.zeros(items) if predictions is None else np.asarray(predictions, float)
    common = np.var([table[i, r] - prior[i] for i, r in cells]) / 2
    rated = sorted({i for i, _ in cells})
    level = np.mean([np.mean(given(table[i])) - prior[i] for i in rated])
    bias, variance, spread = np.zeros(annotators), np.full(annotators, common), common
    objectives = []
    for _ in range(iterations):
        z, v = truth(table, cells, prior + level, bias, variance, spread)
        log_prior = sum(
            -strength / 2 * (math.log(variance[r]) + common / variance[r]) for r in range(annotators)
        )
        objectives.append(log_likelihood(table, prior + level, bias, variance, spread) + log_prior)
        for r in range(annotators):
            own = [i for i, other in cells if other == r]
            bias[r] = sum(table[i, r] - z[i] for i in own) / max(len(own), 1)
            squares = sum((table[i, r] - z[i] - bias[r]) ** 2 + v[i] for i in own)
            variance[r] = (strength * common + squares) / (strength + len(own))
        level = np.mean([z[i] - prior[i] for i in rated])
        spread = np.mean([(z[i] - prior[i] - level) ** 2 + v[i] for i in rated])
    shift = np.mean([bias[r] for _, r in cells])
    bias = np.array([bias[r] - shift if any(s == r for _, s in cells) else 0.0 for r in range(annotators)])
    z, v = truth(table, cells, prior + level + shift, bias, variance, spread)
    return z, v, bias, variance, np.array(objectives)


def truth(table, cells, prior, bias, variance, spread):
    """E-step: each item's answers and its prior, weighed by their precisions."""
    z, v = np.zeros(len(table)), np.zeros(len(table))
    for i in range(len(table)):
        total, weights = prior[i] / spread, 1 / spread
        for j, r in cells:
            if j == i:
                total += (table[i, r] - bias[r]) / variance[r]
                weights += 1 / variance[r]
        z[i], v[i] = total / weights, 1 / weights
    return z, v


def log_likelihood(table, prior, bias, variance, spread):
    """Of each item's answers together: a normal with the spread of the truth in common."""
    total = 0.0
    for i, row in enumerate(table):
        own = [r for r in range(len(row)) if not math.isnan(row[r])]
        if own:
            error = np.array([row[r] - bias[r] - prior[i] for r in own])
            covariance = np.diag([variance[r] for r in own]) + spread
            total -= 0.5 * (error @ np.linalg.inv(covariance) @ error)
            total -= 0.5 * np.log(np.linalg.det(2 * np.pi * covariance))
    return total
