"""Slow, obvious NumPy oracles for `keras_crowd`, written from the papers with plain loops."""

import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def coin_confusion(odds, errors):
    """Right with the chance of `odds`, one number or one for each class, else by the row of `errors` (K, K)."""
    num_classes = len(errors)
    confusion = np.zeros((num_classes, num_classes))
    for k in range(num_classes):
        odd = np.exp(odds[k if len(odds) > 1 else 0])
        right = odd / (odd + num_classes - 1)
        others = [l for l in range(num_classes) if l != k]
        confusion[k, k] = right
        confusion[k, others] = (1 - right) * softmax(errors[k, others])
    return confusion


def annotator_logits(conn_type, f, kernel, bias, shared=None):
    """Logits of one annotator for one item. f: (K,); `shared` is what all annotators share."""
    if conn_type in ("one_coin", "class_wise"):
        return np.log(f @ coin_confusion(kernel, shared))
    if conn_type == "prototypes":
        return np.log(sum(w * f @ softmax(one) for w, one in zip(softmax(kernel), shared, strict=True)))
    if conn_type == "MW":
        return np.array([sum(f[k] * kernel[k, l] for k in range(len(f))) for l in range(len(f))])
    if conn_type == "CM":
        confusion = softmax(kernel)
        return np.log([sum(f[k] * confusion[k, l] for k in range(len(f))) for l in range(len(f))])
    return {
        "VW": lambda: kernel * f,
        "VB": lambda: f + bias,
        "VW+B": lambda: kernel * f + bias,
        "SW": lambda: kernel[0] * f,
    }[conn_type]()


def crowd_logits(conn_type, f, kernel, bias, shared=None):
    """Logits of all annotators for all items, (items, annotators, classes). f: (items, K)."""
    num_annotators = len(kernel if kernel is not None else bias)
    return np.array(
        [
            [
                annotator_logits(
                    conn_type,
                    item,
                    None if kernel is None else kernel[r],
                    None if bias is None else bias[r],
                    shared,
                )
                for r in range(num_annotators)
            ]
            for item in f
        ]
    )


def confusion(conn_type, kernel, bias, shared, num_classes):
    """What each annotator answers to a certain class, (annotators, true, answer)."""
    answers = [softmax(crowd_logits(conn_type, [e], kernel, bias, shared)[0]) for e in np.eye(num_classes)]
    return np.array(answers).transpose(1, 0, 2)


def crowd_cross_entropy(answers, logits, weights=None):
    """Mean over observed answers of the negative log-probability of the answer, weighted by item."""
    total, count = 0.0, 0
    for i in range(len(answers)):
        for r, answer in enumerate(answers[i]):
            if answer >= 0:
                weight = 1.0 if weights is None else weights[i]
                total -= weight * np.log(softmax(logits[i, r])[int(answer)])
                count += 1
    return total / max(count, 1)


def crowd_accuracy(answers, logits):
    """Share of observed answers that have the highest logit."""
    agreed = [
        logits[i, r].argmax() == a for i, row in enumerate(answers) for r, a in enumerate(row) if a >= 0
    ]
    return float(np.mean(agreed)) if agreed else 0.0


def expected_rating(conn_type, x, scale, bias):
    """What an annotator with this scale and bias says of an item of value x."""
    return {"S": x * scale, "B": x + bias, "S+B": x * scale + bias, "B+S": (x + bias) * scale}[conn_type]


def settled(conn_type, scale, bias, weights):
    """Scales and biases (R,) as the convention has them: mean answers of 1 and 0 are 1 and 0."""
    weights = [w / sum(weights) for w in weights]
    mean_scale = sum(w * s for w, s in zip(weights, scale, strict=True))
    scale = [s - mean_scale + 1 for s in scale] if "S" in conn_type else [1.0] * len(weights)
    if "B" not in conn_type:
        return scale, [0.0] * len(weights)
    factors = scale if conn_type == "B+S" else [1.0] * len(weights)
    mean_bias = sum(w * f * b for w, f, b in zip(weights, factors, bias, strict=True))
    return scale, [b - mean_bias for b in bias]


def rating_loss(of_error, answers, predictions, weights=None):
    """Mean over observed ratings of a function of prediction minus rating."""
    total, count = 0.0, 0
    for place in np.ndindex(answers.shape):
        if not np.isnan(answers[place]):
            weight = 1.0 if weights is None else weights[place[0]]
            total += weight * of_error(predictions[place] - answers[place])
            count += 1
    return total / max(count, 1)


def gaussian_nats(answers, mean, log_variance, weights=None):
    """Mean over observed ratings of minus the log of the normal density."""
    total, count = 0.0, 0
    for place in np.ndindex(answers.shape):
        if not np.isnan(answers[place]):
            variance = np.exp(log_variance[place])
            density = np.exp(-((answers[place] - mean[place]) ** 2) / (2 * variance))
            density /= np.sqrt(2 * np.pi * variance)
            total -= np.log(density) * (1.0 if weights is None else weights[place[0]])
            count += 1
    return total / max(count, 1)


def grade_probabilities(x, thresholds, slope):
    """Of each of K grades, for an item of score x and one annotator's K - 1 thresholds."""
    at_most = [1 / (1 + np.exp(-slope * (t - x))) for t in thresholds] + [1.0]
    return np.diff([0.0, *at_most])
