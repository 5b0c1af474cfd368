"""Gram matrices and their log determinants."""

from typing import Any

from keras import ops


def gram(f: Any) -> Any:
    """`F'F / n` of the class probabilities `(..., K)` of `n` items: `(K, K)`, float32 at least."""
    f = ops.reshape(f, (-1, f.shape[-1]))
    if "16" in str(f.dtype):
        f = ops.cast(f, "float32")
    return ops.matmul(ops.transpose(f), f) / ops.cast(ops.shape(f)[0], f.dtype)


def confusion_gram(confusion: Any) -> Any:
    """`1/R sum_r A_r A_r'` of confusions `(R, true, answer)`: `(true, true)`."""
    num_annotators, num_classes, _ = confusion.shape
    if "16" in str(confusion.dtype):
        confusion = ops.cast(confusion, "float32")
    by_class = ops.reshape(ops.transpose(confusion, (1, 0, 2)), (num_classes, -1))
    return ops.matmul(by_class, ops.transpose(by_class)) / num_annotators


def mean_log_eigenvalue(matrix: Any, epsilon: float) -> Any:
    """`1/K log det(M + epsilon I)` of a positive semi-definite matrix, by Cholesky.

    `det` and `slogdet` have no XLA kernel, and `cholesky` of a singular matrix raises or gives NaN;
    `epsilon` keeps it regular where a batch has fewer items than classes.
    """
    size = matrix.shape[-1]
    factor = ops.cholesky(matrix + epsilon * ops.eye(size, dtype=matrix.dtype))
    return 2.0 * ops.sum(ops.log(ops.diagonal(factor))) / size
