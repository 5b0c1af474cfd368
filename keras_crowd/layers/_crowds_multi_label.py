"""`CrowdsMultiLabel`: from the probabilities of labels to the labels that each annotator ticks."""

from typing import Any, ClassVar, Literal, get_args

import keras
import numpy as np
from keras import ops as kops

from .. import ops
from .._arguments import number
from .._registration import register
from .._typing import Config, DType, Shape, Tensor
from ..aggregation import dawid_skene_labels
from ..annotations import Answers, LabelSets, as_label_sets, of_annotators
from ._built import check_built
from ._crowd_layer import CrowdLayer
from ._shapes import width_of_rows

LabelConnType = Literal["full", "additive", "annotator"]


@register
class CrowdsMultiLabel(CrowdLayer):
    """Predicts which of several labels each annotator ticks, from the probability of each label.

    With the probability `p_l` of a label, annotator `r` ticks it with the probability

        P(tick) = p_l s_rl + (1 - p_l) (1 - c_rl),

    with a sensitivity `s_rl` (ticks what is there) and a specificity `c_rl` (leaves out what is not):

    | `conn_type` | logits of `s` and of `c` | when |
    |---|---|---|
    | `"full"` | one for each annotator and label | annotators are good at different labels |
    | `"additive"` | one for each annotator plus one for each label | they differ in care alone; very many of both |
    | `"annotator"` | one for each annotator | labels are equally hard as well |

    `"full"` is the safe choice: on real data the others predict held-out answers far worse, and where annotators do
    differ only in care, it loses little. `adapt` draws annotators with few answers towards the average annotator.

    Train on 1 (ticked), 0 (not ticked) and -1 (not shown) with
    `keras_crowd.losses.MaskedCrowdBinaryCrossEntropy`. The layer computes in the variable dtype of its policy.

    Args:
        num_annotators: Integer. Number of annotators, R.
        conn_type: String. Which sensitivities and specificities annotators have, as above. Defaults to `"full"`.
        from_logits: Boolean. Whether the model below gives logits of the labels. Defaults to `False`, sigmoids.
        initial_accuracy: Float between 0 and 1. Start of all sensitivities and specificities. Defaults to 0.8.
        max_batch_slots: Integer. The most slots that a training batch has, as for `CrowdsClassification`. Defaults
            to `None`.
        dtype: Dtype policy of the layer. Defaults to the variable dtype of the global policy.
        **kwargs: `name` and `trainable`, as for every Keras layer.

    Call arguments:
        probabilities: Probabilities of the labels `(batch, labels)`, each between 0 and 1; or their logits.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot, where the logits
            are -1e30 and answers are left out. Without it the answers of all annotators are predicted.

    Output shape:
        Logits of a tick, `(batch, num_annotators or slots, labels)`.

    Example:

    >>> model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(20, "sigmoid")])
    >>> model.add(keras_crowd.layers.CrowdsMultiLabel(num_annotators=5))
    >>> model.output_shape
    (None, 5, 20)
    >>> model.layers[-1].sensitivity().shape
    (5, 20)

    Reference:
        A. P. Dawid, A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm",
        Applied Statistics 28, 1979, for each label; below a network as in F. Rodrigues, F. Pereira, "Deep learning
        from crowds", AAAI 2018. Annotator and label added in logits are an addition.
    """

    CONN_TYPES: ClassVar[tuple[str, ...]] = get_args(LabelConnType)

    prediction_kind = "labels"

    def __init__(
        self,
        num_annotators: int,
        conn_type: LabelConnType = "full",
        *,
        from_logits: bool = False,
        initial_accuracy: float = 0.8,
        max_batch_slots: int | None = None,
        dtype: DType = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_annotators, max_batch_slots=max_batch_slots, dtype=dtype, **kwargs)
        if conn_type not in self.CONN_TYPES:
            raise ValueError(
                f"`conn_type` must be one of {', '.join(map(repr, self.CONN_TYPES))}. "
                f"Received: conn_type={conn_type!r}"
            )
        if not isinstance(from_logits, bool):
            raise ValueError(f"`from_logits` must be a boolean. Received: from_logits={from_logits!r}")
        self.conn_type = conn_type
        self.from_logits = from_logits
        self.initial_accuracy = number("initial_accuracy", initial_accuracy, above=0, below=1)
        self.of_labels: keras.Variable | None = None

    @property
    def answer_kind(self) -> LabelSets:
        return LabelSets(self.predictions_shape[-1] if self.built else None)

    def build_annotators(self, predictions_shape: Shape) -> None:
        num_labels = width_of_rows("probabilities", predictions_shape, "(batch, labels)")
        start = keras.initializers.Constant(_logit(self.initial_accuracy))
        additive = self.conn_type == "additive"
        shape = (2, num_labels if self.conn_type == "full" else 1)  # of sensitivities and of specificities
        self.add_parameter("logits", shape, "zeros" if additive else start)
        if additive:
            self.of_labels = self.add_weight(shape=(2, num_labels), initializer=start, name="label_logits")

    def predict_answers(
        self, predictions: Tensor, annotators: Tensor | None, training: bool, mask: Tensor | None
    ) -> Tensor:
        if self.from_logits:
            p, q = kops.sigmoid(predictions), kops.sigmoid(-predictions)
        else:
            p, q = predictions, None
        few = self.few_annotators(annotators, 1, training)
        logits = self.rate_logits(None if few else annotators, training)
        *before, _, num_labels = kops.shape(logits)
        logits = kops.reshape(logits, (*before, 2 * num_labels))  # XLA is slow at a short last axis
        s, c = kops.split(ops.odds(ops.with_nobody(logits) if few else logits), 2, axis=-1)
        if few:
            s, c = ops.rows_of_few(s, annotators), ops.rows_of_few(c, annotators)
        return ops.tick_logits(p, q, s, c)

    def predicted_shape(self, predictions_shape: Shape) -> tuple[int | None, ...]:
        return (predictions_shape[-1],)

    def adapt(self, answers: Answers) -> None:
        annotations = as_label_sets(answers, self.answer_kind.num_labels)
        of_annotators(annotations, self.num_annotators)
        if not self.built:
            self.build((None, annotations.num_classes))
        found = dawid_skene_labels(annotations)
        logits = _logit(np.stack([found.sensitivity, found.specificity], axis=1))
        if self.of_labels is not None:
            of_labels = logits.mean(axis=0)
            self.of_labels.assign(of_labels)
            logits = logits - of_labels
        if self.conn_type != "full":
            logits = logits.mean(axis=-1, keepdims=True)
        self.annotators.assign("logits", logits)

    def sensitivity(self) -> np.ndarray:
        """Returns the probability that an annotator ticks a label that is there, `(num_annotators, labels)`."""
        return self._probabilities(0)

    def specificity(self) -> np.ndarray:
        """Returns the probability that an annotator leaves out a label that is not there, likewise."""
        return self._probabilities(1)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "conn_type": self.conn_type,
            "from_logits": self.from_logits,
            "initial_accuracy": self.initial_accuracy,
        }

    def rate_logits(self, annotators: Tensor | None = None, training: bool = False) -> Tensor:
        """Returns the logits of sensitivities and specificities, for use in a likelihood.

        Args:
            annotators: Annotator of each slot, integers `(batch, slots)`. Defaults to `None`, all annotators.
            training: Boolean. Whether the model is being trained. Defaults to `False`.

        Returns:
            Tensor `(num_annotators, 2, labels)`, or of the slots `(batch, slots, 2, labels)`.
        """
        logits = self.rows(annotators, training)["logits"]
        if self.of_labels is not None:
            return logits + self.held(self.of_labels, training)
        return kops.broadcast_to(logits, (*kops.shape(logits)[:-1], self.predictions_shape[-1]))

    def _probabilities(self, which: int) -> np.ndarray:
        check_built(self, "annotators")
        return kops.convert_to_numpy(kops.sigmoid(self.rate_logits()[:, which]))


def _logit(p: Any) -> Any:
    return np.log(p) - np.log1p(-np.asarray(p))
