"""Slow, obvious NumPy oracles for `keras_crowd`, written from the papers with plain loops."""

import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def annotator_logits(conn_type, f, kernel, bias):
    """Logits of one annotator for one item. f: (K,)."""
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


def crowd_logits(conn_type, f, kernel, bias):
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
                )
                for r in range(num_annotators)
            ]
            for item in f
        ]
    )


def confusion(conn_type, kernel, bias, num_classes):
    """What each annotator answers to a certain class, (annotators, true, answer)."""
    answers = [softmax(crowd_logits(conn_type, [e], kernel, bias)[0]) for e in np.eye(num_classes)]
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
