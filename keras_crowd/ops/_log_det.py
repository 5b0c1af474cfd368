"""Gram matrices and their log determinants."""

from typing import Any

from keras import ops

from ._replicas import at_whole_batch


def gram(f: Any) -> Any:
    """`F'F / n` of the class probabilities `(..., K)` of `n` items: `(K, K)`, float32 at least."""
    f = ops.reshape(f, (-1, f.shape[-1]))
    if "16" in str(f.dtype):
        f = ops.cast(f, "float32")
    num_items = ops.maximum(ops.cast(ops.shape(f)[0], f.dtype), 1.0)
    return ops.matmul(ops.transpose(f), f) / num_items


def num_rows(f: Any) -> Any:
    """How many rows `(..., K)` are class probabilities, and not zeros at padding."""
    return ops.sum(ops.cast(ops.any(f > 0, axis=-1), "float32"))


def confusion_gram(confusion: Any) -> Any:
    """`1/R sum_r A_r A_r'` of confusions `(R, true, answer)`: `(true, true)`."""
    num_annotators, num_classes, _ = confusion.shape
    if "16" in str(confusion.dtype):
        confusion = ops.cast(confusion, "float32")
    by_class = ops.reshape(ops.transpose(confusion, (1, 0, 2)), (num_classes, -1))
    return ops.matmul(by_class, ops.transpose(by_class)) / num_annotators


def mean_log_eigenvalue(matrix: Any, epsilon: float, count: Any = None) -> Any:
    """`1/K log det(M + epsilon I)` of a positive semi-definite matrix, by Cholesky.

    `det` and `slogdet` have no XLA kernel, and `cholesky` of a singular matrix raises or gives NaN;
    `epsilon` keeps it regular where a batch has fewer items than classes. A matrix that is a mean over
    the `count` things of a batch has the gradient of the whole batch, of which a replica may have a part.
    """
    size = matrix.shape[-1]

    def factor(matrix: Any) -> Any:
        return ops.cholesky(matrix + epsilon * ops.eye(size, dtype=matrix.dtype))

    def value(matrix: Any) -> Any:
        return 2.0 * ops.sum(ops.log(ops.diagonal(factor(matrix)))) / size

    def gradient(matrix: Any) -> Any:
        root = ops.solve_triangular(factor(matrix), ops.eye(size, dtype=matrix.dtype), lower=True)
        return ops.matmul(ops.transpose(root), root) / size

    return value(matrix) if count is None else at_whole_batch(value, gradient, matrix, count)
