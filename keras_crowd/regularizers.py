"""Penalties that make classifier and confusions identifiable, or keep annotators from being trusted too soon.

Every penalty is scaled so that its best value is 0 (or 1 for the trace) and its pull on an item does not depend on the
number of classes: one weight means the same for 2 and for 100 classes.
"""

from typing import Any

import keras
from keras import ops as kops

from . import ops
from ._arguments import flag, number, whole_number
from ._registration import register
from ._typing import Tensor


class _WeightedPenalty(keras.regularizers.Regularizer):
    """`weight * penalty(x)`. Abstract; the crowd layer holds the weight, and the steps of its ramp, in variables."""

    def __init__(self, weight: float, ramp_steps: int) -> None:
        self.weight = number("weight", weight, at_least=0)
        self.ramp_steps = whole_number("ramp_steps", ramp_steps, low=0)

    def penalty(self, x: Tensor) -> Tensor:
        """The penalty before it is weighed."""
        raise NotImplementedError

    def __call__(self, x: Tensor) -> Tensor:
        return self.weight * self.penalty(x)

    def get_config(self) -> dict[str, Any]:
        return {"weight": self.weight, "ramp_steps": self.ramp_steps}


@register
class ClassifierLogDet(_WeightedPenalty):
    """GeoCrowdNet(F): `-1/K log det(K F'F / n)`, the classifier's class probabilities `F` spread out.

    It is 0 where the classifier is sure of every item and uses all classes equally, and grows as class probabilities
    become similar. It identifies the classifier if every class has items that can be of no other class (*anchor
    items*). Where classes overlap, a large weight does harm.

    With `normalized=True` the Gram matrix is divided by the share `f_k` of each class, its mean probability:

        -1/K log det(D^-1/2 (F'F / n) D^-1/2) = -1/K (log det(F'F / n) - sum_k log f_k),   D = diag(f_1, ..., f_K)

    It is 0 where the classifier is sure of every item, whatever the shares of the classes.

    With a `bound` b the penalty `P` becomes `b (1 - exp(-P / b))`. Its slope, `exp(-P / b)`, is 1 where the answers
    have already made the classifier sure, and vanishes where they keep it unsure, as where classes overlap. The weight
    can then be many times as large.

    Args:
        weight: Float. Weight of the penalty. The paper's `lambda` on `log det F'F` is `weight / K` here. Unless
            `normalized`, it is for classes that are about equally frequent: it pulls the classifier towards equal
            shares, and with 10 % positives 0.5 costs ten points of accuracy. Defaults to 0.5.
        momentum: Float. Where batches are not much larger than the number of classes, `F'F / n` is averaged over
            batches with this momentum, in (0, 1), in a non-trainable variable of the crowd layer; the gradient is that
            of the present batch. 0 uses the batch alone. Defaults to 0.0.
        epsilon: Float. Added to the diagonal of `F'F / n`. Defaults to 1e-06.
        ramp_steps: Integer. Training steps over which a crowd layer raises the weight linearly from 0, as a penalty
            that acts in full on an untrained model can settle on a wrong permutation of the classes. 0 for none.
            `keras_crowd.callbacks.RegularizerSchedule` replaces the ramp. Defaults to 1,000.
        normalized: Boolean. Whether the Gram matrix is normalized by the shares of the classes, for classes of very
            different frequencies. Defaults to `False`, as in the paper.
        bound: Float. What the penalty cannot exceed, in nats. Take it with `momentum`: a small batch makes any
            classifier look unsure. Defaults to `None`, no bound, as in the paper.

    Call arguments:
        x: Class probabilities `(..., classes)`.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(
    ...     num_annotators=59, conn_type="CM",
    ...     classifier_regularizer=keras_crowd.regularizers.ClassifierLogDet())

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023, GeoCrowdNet(F). The bound is an addition.
    """

    def __init__(
        self,
        weight: float = 0.5,
        momentum: float = 0.0,
        epsilon: float = 1e-6,
        ramp_steps: int = 1000,
        normalized: bool = False,
        bound: float | None = None,
    ) -> None:
        super().__init__(weight, ramp_steps)
        self.momentum = number("momentum", momentum, at_least=0, below=1)
        self.epsilon = number("epsilon", epsilon, at_least=0)
        self.normalized = flag("normalized", normalized)
        self.bound = None if bound is None else number("bound", bound, above=0)

    def penalty(self, x: Tensor) -> Tensor:
        return self.gram_penalty(ops.gram(x), ops.num_rows(x))

    def gram_penalty(self, gram: Tensor, num_items: Tensor | None = None) -> Tensor:
        """Returns the penalty of `F'F / n`; with `n`, its gradient is that of all replicas' items."""
        num_classes = gram.shape[-1]
        arguments = gram * num_classes, self.epsilon * num_classes, num_items
        penalty = -ops.mean_log_eigenvalue(*arguments)
        if self.normalized:
            penalty = penalty + ops.mean_log_row_sum(*arguments)
        return penalty if self.bound is None else ops.bounded(penalty, self.bound)

    def running_gram(self, previous: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the average to keep, and the same with the whole gradient of the present batch."""
        present = ops.gram(x)
        average = kops.stop_gradient(self.momentum * previous + (1.0 - self.momentum) * present)
        return average, average + present - kops.stop_gradient(present)

    def get_config(self) -> dict[str, Any]:
        own = {"momentum": self.momentum, "epsilon": self.epsilon, "normalized": self.normalized}
        return {**super().get_config(), **own, "bound": self.bound}


@register
class ConfusionLogDet(_WeightedPenalty):
    """GeoCrowdNet(W): `-1/K log det(1/R sum_r A_r A_r')`, the rows of the confusions spread out.

    It is 0 where every annotator tells all classes apart. It identifies the confusions if for every class there are
    annotators who never mistake it (*class specialists*).

    Args:
        weight: Float. Weight of the penalty. Unclear items say little about confusions, and a weight above a few
            hundredths can overrule them; `benchmarks/recovery.py` shows gain and harm. Defaults to 0.02.
        epsilon: Float. Added to the diagonal. Defaults to 1e-06.
        ramp_steps: Integer. Training steps over which a crowd layer raises the weight linearly from 0, as a penalty
            that acts in full on an untrained model can settle on a wrong permutation of the classes. 0 for none.
            `keras_crowd.callbacks.RegularizerSchedule` replaces the ramp. Defaults to 1,000.

    Call arguments:
        x: Confusions `(annotators, true, answer)`.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(
    ...     num_annotators=59, conn_type="CM",
    ...     confusion_regularizer=keras_crowd.regularizers.ConfusionLogDet(0.02))

    Reference:
        S. Ibrahim, T. Nguyen, X. Fu, "Deep learning from crowdsourced labels: coupled cross-entropy
        minimization, identifiability, and regularization", ICLR 2023, GeoCrowdNet(W).
    """

    def __init__(self, weight: float = 0.02, epsilon: float = 1e-6, ramp_steps: int = 1000) -> None:
        super().__init__(weight, ramp_steps)
        self.epsilon = number("epsilon", epsilon, at_least=0)

    def penalty(self, x: Tensor) -> Tensor:
        return -ops.mean_log_eigenvalue(ops.confusion_gram(x), self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon}


@register
class ConfusionTrace(_WeightedPenalty):
    """Penalty on the mean diagonal of the confusions: annotators are trusted only as far as the answers require.

    Args:
        weight: Float. Weight of the penalty. The paper's `lambda` on the trace is `weight / K` here. Defaults to 0.1.
        ramp_steps: Integer. Training steps over which a crowd layer raises the weight linearly from 0, as a penalty
            that acts in full on an untrained model can settle on a wrong permutation of the classes. 0 for none.
            `keras_crowd.callbacks.RegularizerSchedule` replaces the ramp. Defaults to 1,000.

    Call arguments:
        x: Confusions `(annotators, true, answer)`.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(
    ...     num_annotators=59, conn_type="CM", initial_accuracy=0.9,
    ...     confusion_regularizer=keras_crowd.regularizers.ConfusionTrace(0.1))

    Reference:
        R. Tanno, A. Saeedi, S. Sankaranarayanan, D. Alexander, N. Silberman, "Learning from noisy labels by
        regularized estimation of annotator confusion", CVPR 2019, eq. 4.
    """

    def __init__(self, weight: float = 0.1, ramp_steps: int = 1000) -> None:
        super().__init__(weight, ramp_steps)

    def penalty(self, x: Tensor) -> Tensor:
        return kops.mean(kops.diagonal(x, axis1=-2, axis2=-1))


def __dir__() -> list[str]:
    return ["ClassifierLogDet", "ConfusionLogDet", "ConfusionTrace"]
