"""`MaxMIG`: a classifier and an aggregator of the answers that tell as much of each other as they can."""

from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._arguments import flag, whole_number
from .._registration import register
from .._typing import Features, Tensor, Tensors
from ..aggregation import dawid_skene_start
from ..annotations import Answers, as_annotations, of_annotators
from ._functional import is_symbolic, model_below, warn_of_own_training
from ._likelihood_model import LikelihoodModel
from ._slots import annotators_of, features_of

_ACCURACY = 0.7  # of the annotators before `adapt`


@register
class MaxMIG(LikelihoodModel):
    """A classifier and an aggregator of the answers, trained to say as much as possible about each other.

    With the classifier's probabilities `f_i` of an item and those of the aggregator, `g_i = softmax(b + sum_r W_r[:,
    y_ir])`, which sees the answers alone, the gain of a batch is

        S_ij = sum_k f_ik g_jk / p_k,    mean_i (1 + log S_ii) - mean_(i != j) S_ij

    It is a lower bound of the mutual information of both, and largest where each is the posterior of the true class.
    Annotators may err together, as long as their answers depend on the features through the true class alone: the
    aggregator need not be a product of confusions. The loss is minus the gain. It needs large batches, and a start that
    names the classes: call `adapt(answers)` first. Compile the model with an optimizer and without a loss; `predict`
    gives the classes, and `classifier` is the plain model of them.

    Args:
        classifier: A built Sequential or functional model from features to class probabilities `(batch, classes)`, or
            logits with `from_logits=True`. One that ends in one sigmoid has two classes.
        num_annotators: Integer. Number of annotators, R.
        from_logits: Boolean. Whether the classifier gives logits. Defaults to `False`.
        slots: Boolean. Whether `fit` gets answers in slots, with the annotators of the slots as last input. Defaults to
            `False`.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: Those of `classifier`, with annotators `(batch, slots)` for `slots=True`, as for `JointCrowdModel`. In
            `fit`, `y` are answers `(batch, annotators or slots)`, `-1` for missing, or soft answers
            `(batch, annotators or slots, classes)`, zeros for missing; `sample_weight` is `(batch,)`. Items that
            nobody answered do not count.

    Example:

    >>> model = keras_crowd.models.MaxMIG(classifier, num_annotators=5)
    >>> model.adapt(answers)
    >>> model.compile("adam")
    >>> history = model.fit(x, answers, verbose=0)
    >>> model.predict(x, verbose=0).shape, model.aggregate(answers).shape
    ((20, 10), (20, 10))

    Reference:
        P. Cao, Y. Xu, Y. Kong, Y. Wang, "Max-MIG: an information theoretic approach for joint learning from crowds",
        ICLR 2019.
    """

    def __init__(
        self,
        classifier: keras.Model,
        num_annotators: int,
        *,
        from_logits: bool = False,
        slots: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_annotators = whole_number("num_annotators", num_annotators)
        self.from_logits, self.slots = flag("from_logits", from_logits), flag("slots", slots)
        network = model_below(classifier, "probabilities", from_logits)
        warn_of_own_training(classifier, "`MaxMIG`")
        as_it_is = is_symbolic(classifier) and network.outputs[0] is classifier.outputs[0]
        self.classifier = classifier if as_it_is else network
        num_classes = int(network.outputs[0].shape[-1])
        scale = ops.identity_scale(_ACCURACY, num_classes)
        start = keras.initializers.Constant(
            np.tile(scale * np.eye(num_classes).ravel(), (num_annotators, 1))
        )
        # A row per annotator: XLA's loops are slow where the last axis is short.
        shape = (self.num_annotators, num_classes**2)
        self.kernel = self.add_weight(shape=shape, initializer=start, dtype="float32", name="kernel")
        self.bias = self.add_weight(shape=(num_classes,), initializer="zeros", dtype="float32", name="bias")
        equal = keras.initializers.Constant(1 / num_classes)
        self.prior = self.add_weight(
            shape=(num_classes,), initializer=equal, trainable=False, dtype="float32", name="prior"
        )
        self.built = True

    def adapt(self, answers: Answers) -> None:
        """Starts the aggregator as the posterior of hierarchical Dawid-Skene, and takes its class shares for the prior.

        Args:
            answers: The answers to train on, of all items: `Annotations`, or a dense array as for `fit`.

        Raises:
            ValueError: When the answers are of other annotators or classes than those of the model, or all missing.
        """
        confusion, shares = dawid_skene_start(self._annotations(answers))
        self.kernel.assign(np.log(confusion).reshape(self.num_annotators, -1))
        self.bias.assign(np.log(shares))
        self.prior.assign(shares)

    def aggregate(self, answers: Answers) -> np.ndarray:
        """Returns the aggregator's class probabilities of items, NumPy `(items, classes)`.

        Args:
            answers: `Annotations`, or a dense array of answers.
        """
        ids, said = self._annotations(answers).slots()
        return kops.convert_to_numpy(self._aggregated(kops.array(said), kops.array(ids))[0])

    def call(self, inputs: Tensors, training: bool = False) -> Any:
        return self.classifier(features_of(inputs, self.slots), training=training)

    def likelihood_loss(
        self, x: Features, y: Tensor, y_pred: Tensors, sample_weight: Tensor | None, training: bool
    ) -> Tensor:
        f = kops.cast(kops.softmax(y_pred, axis=-1) if self.from_logits else y_pred, "float32")
        g, answered = self._aggregated(y, annotators_of(x, self.slots))
        weight = kops.cast(answered, "float32")
        if sample_weight is not None:
            weight = weight * kops.reshape(kops.cast(sample_weight, "float32"), (-1,))
        return -ops.mutual_information_gain(f, g, kops.convert_to_tensor(self.prior), weight)

    def get_config(self) -> dict[str, Any]:
        names = ("num_annotators", "from_logits", "slots")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **self._config_of("classifier"), **own}

    @property
    def _num_classes(self) -> int:
        return int(self.bias.shape[0])

    def _annotations(self, answers: Answers) -> Any:
        return of_annotators(as_annotations(answers, self._num_classes), self.num_annotators)

    def _aggregated(self, answers: Tensor, annotators: Tensor | None) -> tuple[Tensor, Tensor]:
        """`g`, `(batch, K)`, and which items were answered."""
        num_classes = self._num_classes
        kernel = kops.reshape(kops.convert_to_tensor(self.kernel), (-1, num_classes, num_classes))
        if annotators is not None:
            kernel = ops.annotator_rows(kernel, annotators)
        width = kernel.shape[-3]
        soft = len(answers.shape) == 3
        answers = ops.answers_of_somebody(answers, annotators, soft)
        targets = ops.answer_distributions(answers, (None, width, num_classes))
        scores = self.bias + ops.answer_evidence(kops.cast(targets, "float32"), kernel)
        return kops.softmax(scores, axis=-1), kops.any(ops.is_answered(answers, soft), axis=-1)
