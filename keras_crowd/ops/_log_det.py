"""Gram matrices and their log determinants."""

from keras import ops as kops

from .._typing import Tensor
from ._replicas import at_whole_batch


def gram(f: Tensor) -> Tensor:
    """`F'F / n` of the class probabilities `(..., K)` of `n` items: `(K, K)`, float32 at least."""
    f = kops.reshape(f, (-1, f.shape[-1]))
    if "16" in str(f.dtype):
        f = kops.cast(f, "float32")
    num_items = kops.maximum(kops.cast(kops.shape(f)[0], f.dtype), 1.0)
    return kops.matmul(kops.transpose(f), f) / num_items


def num_rows(f: Tensor) -> Tensor:
    """Counts the rows `(..., K)` that are class probabilities, and not zeros at padding."""
    return kops.sum(kops.cast(kops.any(f > 0, axis=-1), "float32"))


def confusion_gram(confusion: Tensor) -> Tensor:
    """`1/R sum_r A_r A_r'` of confusions `(R, true, answer)`: `(true, true)`."""
    num_annotators, num_classes, _ = confusion.shape
    if "16" in str(confusion.dtype):
        confusion = kops.cast(confusion, "float32")
    by_class = kops.reshape(kops.transpose(confusion, (1, 0, 2)), (num_classes, -1))
    return kops.matmul(by_class, kops.transpose(by_class)) / num_annotators


def mean_log_eigenvalue(matrix: Tensor, epsilon: float, count: Tensor | None = None) -> Tensor:
    """`1/K log det(M + epsilon I)` of a positive semi-definite matrix, by Cholesky.

    `det` and `slogdet` have no XLA kernel, and `cholesky` of a singular matrix raises or gives NaN;
    `epsilon` keeps it regular where a batch has fewer items than classes. A matrix that is a mean over
    the `count` things of a batch has the gradient of the whole batch, of which a replica may have a part.
    """
    size = matrix.shape[-1]

    def factor(matrix: Tensor) -> Tensor:
        return kops.cholesky(matrix + epsilon * kops.eye(size, dtype=matrix.dtype))

    def value(matrix: Tensor) -> Tensor:
        return 2.0 * kops.sum(kops.log(kops.diagonal(factor(matrix)))) / size

    def gradient(matrix: Tensor) -> Tensor:
        root = kops.solve_triangular(factor(matrix), kops.eye(size, dtype=matrix.dtype), lower=True)
        return kops.matmul(kops.transpose(root), root) / size

    return value(matrix) if count is None else at_whole_batch(value, gradient, matrix, count)


def mean_log_row_sum(matrix: Tensor, epsilon: float, count: Tensor | None = None) -> Tensor:
    """`1/K sum_k log(sum_l M_kl + epsilon)`; `count` as for `mean_log_eigenvalue`.

    The row sums of `F'F / n` are the means of the class probabilities, as the rows of `F` sum to 1.
    """
    size = matrix.shape[-1]

    def value(matrix: Tensor) -> Tensor:
        return kops.mean(kops.log(kops.sum(matrix, axis=-1) + epsilon))

    def gradient(matrix: Tensor) -> Tensor:
        slope = 1.0 / (size * (kops.sum(matrix, axis=-1, keepdims=True) + epsilon))
        return kops.broadcast_to(slope, matrix.shape)

    return value(matrix) if count is None else at_whole_batch(value, gradient, matrix, count)


def bounded(value: Tensor, bound: float) -> Tensor:
    """`b (1 - exp(-x / b))` of a value `x` of at least 0: `x` near 0, never above `b`, with the slope `exp(-x / b)`."""
    return -bound * kops.expm1(-value / bound)
