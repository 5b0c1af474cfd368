"""Slow NumPy oracles for connections that look at features of the item, from the papers' formulas with plain loops."""

import numpy as np
from references import softmax


def common_logits(f, x, own, embedding, shared):
    """CoNAL, one item and one annotator: f (K,), x (D,), own (K, K), embedding (E,)."""
    h = shared["hidden_bias"].copy()
    for d in range(len(x)):
        h += x[d] * shared["hidden"][d]
    u = np.maximum(h, 0) @ shared["item"]
    w = 1 / (1 + np.exp(-(u / np.linalg.norm(u)) @ embedding))
    confusion = w * softmax(shared["common"]) + (1 - w) * softmax(own)
    return np.log([sum(f[k] * confusion[k, l] for k in range(len(f))) for l in range(len(f))])


def hidden(x, embedding, shared):
    """The layer on features and annotator, unit by unit."""
    found = []
    for e in range(len(embedding)):
        total = shared["hidden_bias"][e] + embedding[e]
        for d in range(len(x)):
            total += x[d] * shared["hidden"][d, e]
        found.append(max(total, 0.0))
    return np.array(found)


def confusion_logits(f, x, base, embedding, shared):
    """A confusion of item and annotator, row by row."""
    h, answers = hidden(x, embedding, shared), np.zeros(len(f))
    out = shared["out"].reshape(len(h), len(f), len(f))
    for k in range(len(f)):
        answers += f[k] * softmax(base[k] + sum(h[e] * out[e, k] for e in range(len(h))))
    return np.log(answers)


def outlier_parts(f, x, own, embedding, shared):
    """What an annotator answers by a confusion, how probable an outlier is, and its answers."""
    h = hidden(x, embedding, shared)
    s = 1 / (1 + np.exp(-(h @ shared["gate"][:, 0] + shared["gate_bias"][0])))
    return f @ softmax(own), s, softmax(h @ shared["outlier"])


def outlier_logits(*given):
    """Answers with `e = s (q - f A)` added, as the paper adds outliers."""
    regular, s, q = outlier_parts(*given)
    return np.log(regular + s * (q - regular))


ITEM_LOGITS = {
    "CoNAL": lambda f, x, own, shared: common_logits(f, x, own["own"], own["embedding"], shared),
    "item": lambda f, x, own, shared: confusion_logits(f, x, own["base"], own["embedding"], shared),
    "MaDL": lambda f, x, own, shared: confusion_logits(f, x, shared["base"], own["embedding"], shared),
    "COINNet": lambda f, x, own, shared: outlier_logits(f, x, own["own"], own["embedding"], shared),
}


def item_logits(conn_type, f, x, own, shared):
    """Logits of all annotators, (items, annotators, K): f (items, K), x (items, D), own by name (annotators, ...)."""
    num_annotators = len(next(iter(own.values())))
    rows = [{name: values[r] for name, values in own.items()} for r in range(num_annotators)]
    return np.array(
        [
            [ITEM_LOGITS[conn_type](item, features, row, shared) for row in rows]
            for item, features in zip(f, x, strict=True)
        ]
    )
