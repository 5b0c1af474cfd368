"""`JointCrowdModel`: a classifier trained on the joint likelihood of all answers to an item."""

from typing import Any

import keras
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import Features, Tensor, Tensors
from ..layers import CrowdLayer
from ._functional import is_symbolic, model_below, warn_of_own_training
from ._joint_likelihoods import JOINT_LIKELIHOODS
from ._likelihood_model import LikelihoodModel, check_confusions, checked_weights, listed, weights_of
from ._slots import annotators_of, features_of


@register
class JointCrowdModel(LikelihoodModel):
    """A classifier, trained by gradient on the joint likelihood of all answers to an item.

    With class probabilities `f`, confusions `A` and answers `y`, the truth of each item summed out:

        log p(y_i | x_i) = log sum_k f_k(x_i) prod_r A_r[k, y_ir]

    (of soft answers `prod_rl A_r[k, l] ^ y_irl`, as in `aggregation.dawid_skene`). Of sets of labels it is the sum over
    the labels, each there or absent, with sensitivities `s` and specificities `c` of the annotators:

        log p(y_il | x_i) = log [ f_l prod_r s_rl^y_irl (1 - s_rl)^(1 - y_irl)
                                  + (1 - f_l) prod_r (1 - c_rl)^y_irl c_rl^(1 - y_irl) ]

    Expectation maximization (`keras_crowd.EMTrainer`) maximizes the same in alternating steps, this model in one `fit`:
    the gradient is that of the M-step at the present posterior. The loss of a crowd layer, in contrast, treats the
    answers to an item as if they were answers to different items. With one answer per item, both are the same.

    The loss is minus its sum over the items, over the number of answers (and gold labels), plus the crowd layer's
    penalties. Compile the model with an optimizer and without a loss; `predict` gives the classes. It needs
    a start that names the classes: `crowd` from `warm_start` confusions, or a classifier that was
    trained on the majority vote first.

    Args:
        classifier: A built Sequential or functional model from features to class probabilities `(batch, classes)`,
            `(batch, time, classes)` for tokens, or to probabilities of labels, `(batch, labels)`; logits if `crowd` has
            `from_logits=True`. One that ends in one sigmoid has two classes. Others go in as
            `keras_crowd.models.as_functional(classifier, x[:1])`.
        crowd: A `keras_crowd.layers.CrowdsClassification` of `conn_type="CM"` with its penalties; or a
            `keras_crowd.layers.CrowdsMultiLabel`, which `adapt(answers)` gives a start.
        slots: Boolean. Whether `fit` gets answers in slots, with the annotators of the slots as last input. Defaults to
            `False`.
        annotator_weights: How many independent annotators each one counts for, positive, `(annotators,)`, as in
            `aggregation.dawid_skene`: `A_r[k, y_ir] ^ w_r`. Defaults to `None`, 1 each.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: Those of `classifier`; with `slots=True`, `(features, annotators)` or `(*features, annotators)`,
            annotators `(batch, slots)`; for a classifier that takes a dict, the dict with the key `"annotators"`
            added. In `fit`, `y` are answers `(batch, annotators or slots)`, `-1` for missing, or soft answers
            `(batch, annotators or slots, classes)`, zeros for missing; or `(answers, gold)` where the true classes of
            some items are known, `gold` `(batch,)`, `-1` elsewhere.
            Sets of labels are `(batch, annotators or slots, labels)`, 1, 0 and -1, and their gold `(batch, labels)`.
            `sample_weight` is `(batch,)`. Of tokens all have a time axis, `sample_weight` may have one.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(5, "CM", initial_accuracy=0.7)
    >>> joint = keras_crowd.models.JointCrowdModel(classifier, crowd)
    >>> joint.compile("adam")
    >>> history = joint.fit(x, answers, verbose=0)
    >>> joint.predict(x, verbose=0).shape, crowd.confusion().shape
    ((20, 10), (5, 10, 10))

    Reference:
        V. C. Raykar et al., "Learning from crowds", JMLR 11, 2010 (the likelihood); F. Rodrigues,
        F. Pereira, "Deep learning from crowds", AAAI 2018, eq. 1.
    """

    def __init__(
        self,
        classifier: keras.Model,
        crowd: CrowdLayer,
        *,
        slots: bool = False,
        annotator_weights: npt.ArrayLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_joint(crowd)
        self.annotator_weights = checked_weights(annotator_weights, crowd)
        network = model_below(classifier, crowd.prediction_kind, crowd.from_logits)
        warn_of_own_training(classifier, "`JointCrowdModel`")
        as_it_is = is_symbolic(classifier) and network.outputs[0] is classifier.outputs[0]
        self.classifier, self.crowd, self.slots = (classifier if as_it_is else network), crowd, slots
        if not crowd.built:
            crowd.build(tuple(network.outputs[0].shape))
        self.built = True  # both parts are

    def call(self, inputs: Tensors, training: bool = False) -> Any:
        return self.classifier(features_of(inputs, self.slots), training=training)

    def likelihood_loss(
        self, x: Features, y: Tensor, y_pred: Tensors, sample_weight: Tensor | None, training: bool
    ) -> Tensor:
        answers, gold = y if isinstance(y, list | tuple) else (y, None)
        annotators = annotators_of(x, self.slots)
        weights = weights_of(self.annotator_weights, annotators)
        joint = JOINT_LIKELIHOODS[self.crowd.prediction_kind](
            self.crowd, y_pred, answers, annotators, training, weights
        )
        values = kops.logsumexp(joint.log, axis=-1)
        count = kops.cast(ops.weighted_count(joint.answered, weights), values.dtype)
        informed = kops.any(joint.answered, axis=-1)
        if gold is not None:
            known = gold >= 0
            values = kops.where(known, ops.at_class(joint.log, gold), values)
            count, informed = count + kops.sum(kops.cast(known, values.dtype)), informed | known
        sample_weight = keras.tree.flatten(sample_weight)[0]  # Keras repeats it for each part of `y`
        loss = self._mean_loss(values, count, sample_weight)
        if not training or not self.crowd.has_confusions:
            return loss
        self.crowd.class_counts.count(joint.probabilities, informed)
        return loss + self.crowd.class_penalties(joint.probabilities)

    def get_config(self) -> dict[str, Any]:
        given = {"slots": self.slots, "annotator_weights": listed(self.annotator_weights)}
        return {**super().get_config(), **self._config_of("classifier", "crowd"), **given}


def _check_joint(crowd: CrowdLayer) -> None:
    """Refuses a crowd layer of which no joint likelihood is known."""
    if getattr(crowd, "prediction_kind", None) != "labels":
        check_confusions(crowd)
