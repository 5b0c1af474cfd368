"""The variances of annotators who give numbers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._arguments import flag, positive
from .._typing import Tensor


def check_learned(learn_variance: bool, answers_per_annotator: npt.ArrayLike | None) -> None:
    """Refuses variances without the numbers of answers that their prior is weighed against."""
    if flag("learn_variance", learn_variance) and answers_per_annotator is None:
        raise ValueError(
            "`answers_per_annotator` must be given with `learn_variance=True`: the prior of the variances "
            "is weighed against them. Received: answers_per_annotator=None"
        )


def initial_variances(variance: npt.ArrayLike, num_annotators: int) -> float | list[float]:
    """The argument `initial_variance`, checked, as a config can hold it."""
    return positive("initial_variance", variance, (num_annotators,), "(annotators,)").tolist()


def log_variances(variances: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The common log variances `(T,)`, and how far each annotator's are from them, `(R, T)`; weights are `(R, 1)`."""
    log_variance = np.log(variances)
    common = np.sum(weights * log_variance, axis=0)
    return common, log_variance - common


def penalty_of_offsets(
    offset: Tensor, strength: float, counts: Sequence[float], annotators: Tensor | None
) -> Tensor:
    """The penalty of all annotators over the number of answers; or, of the slots of a batch, its expectation."""
    if annotators is None:
        return ops.variance_penalty(offset, strength) / (np.sum(counts) * offset.shape[-1])
    table = kops.convert_to_tensor(np.maximum(counts, 1)[:, None], dtype=offset.dtype)
    answered = kops.cast(kops.expand_dims(annotators >= 0, -1), offset.dtype)
    penalty = ops.variance_penalty(offset, strength, answered / ops.annotator_rows(table, annotators))
    return penalty / (kops.maximum(kops.sum(answered), 1.0) * offset.shape[-1])
