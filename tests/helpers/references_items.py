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


ITEM_LOGITS = {
    "CoNAL": lambda f, x, own, shared: common_logits(f, x, own["own"], own["embedding"], shared),
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
