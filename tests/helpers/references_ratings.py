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
    """Truth, bias, scale, variance and the objective before each of so many updates.

    Level and scale are those of the last update: no convention.
    """
    table = np.asarray(table, float)
    items, annotators = table.shape
    cells = [(i, r) for i in range(items) for r in range(annotators) if not math.isnan(table[i, r])]
    f = np.zeros(items) if predictions is None else np.asarray(predictions, float)
    common = np.var([table[i, r] - f[i] for i, r in cells]) / 2
    center = np.mean([table[i, r] for i, r in cells])
    rated = sorted({i for i, _ in cells})
    level = np.mean([np.mean(given(table[i])) - f[i] for i in rated])
    bias, scale, variance, spread = (
        np.zeros(annotators),
        np.ones(annotators),
        np.full(annotators, common),
        common,
    )
    of_bias, of_scale = common / 10, 0.01
    objectives = []
    for _ in range(iterations):
        lines = center + bias - center * scale, scale
        z, v = truth(table, cells, f + level, *lines, variance, spread)
        objectives.append(
            log_likelihood(table, f + level, *lines, variance, spread)
            - sum(strength / 2 * (math.log(v_r) + common / v_r) for v_r in variance)
            - 0.5 * sum(b**2 / of_bias + math.log(of_bias) for b in bias)
            - 0.5 * sum((s - 1) ** 2 / of_scale + math.log(of_scale) for s in scale)
            - 0.5 * 2 * (math.log(of_bias) + common / 10 / of_bias)
            - 0.5 * 100 * (math.log(of_scale) + 0.01 / of_scale)
        )
        for r in range(annotators):
            own = [i for i, other in cells if other == r]
            a = [[0.0, 0.0], [0.0, 0.0]]
            b = [0.0, 0.0]
            for i in own:
                x = z[i] - center
                a[0][0] += x**2 + v[i]
                a[0][1] += x
                a[1][1] += 1
                b[0] += x * (table[i, r] - center)
                b[1] += table[i, r] - center
            a[1][0] = a[0][1]
            precision = np.diag([1 / of_scale, 1 / of_bias])
            scale[r], bias[r] = np.linalg.solve(
                np.array(a) / variance[r] + precision, np.array(b) / variance[r] + precision @ [1.0, 0.0]
            )
            squares = sum(
                (table[i, r] - center - scale[r] * (z[i] - center) - bias[r]) ** 2 + scale[r] ** 2 * v[i]
                for i in own
            )
            variance[r] = (strength * common + squares) / (strength + len(own))
        level = np.mean([z[i] - f[i] for i in rated])
        spread = np.mean([(z[i] - f[i] - level) ** 2 + v[i] for i in rated])
        of_bias = (sum(bias**2) + 2 * common / 10) / (annotators + 2)
        of_scale = (sum((scale - 1) ** 2) + 100 * 0.01) / (annotators + 100)
    lines = center + bias - center * scale, scale
    z, v = truth(table, cells, f + level, *lines, variance, spread)
    return z, v, bias, scale, variance, np.array(objectives)


def truth(table, cells, prior, intercept, scale, variance, spread):
    """E-step: each item's answers and its prior, weighed by their precisions."""
    z, v = np.zeros(len(table)), np.zeros(len(table))
    for i in range(len(table)):
        total, weights = prior[i] / spread, 1 / spread
        for j, r in cells:
            if j == i:
                total += scale[r] * (table[i, r] - intercept[r]) / variance[r]
                weights += scale[r] ** 2 / variance[r]
        z[i], v[i] = total / weights, 1 / weights
    return z, v


def log_likelihood(table, prior, intercept, scale, variance, spread):
    """Of each item's answers together: a normal with the spread of the truth in common."""
    total = 0.0
    for i, row in enumerate(table):
        own = [r for r in range(len(row)) if not math.isnan(row[r])]
        if own:
            s = scale[own]
            error = np.array([row[r] - intercept[r] - scale[r] * prior[i] for r in own])
            covariance = np.diag([variance[r] for r in own]) + spread * np.outer(s, s)
            total -= 0.5 * (error @ np.linalg.inv(covariance) @ error)
            total -= 0.5 * np.log(np.linalg.det(2 * np.pi * covariance))
    return total
