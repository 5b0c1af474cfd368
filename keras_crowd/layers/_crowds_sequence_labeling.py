"""`CrowdsSequenceLabeling`: from the classes of tokens to each annotator's answers."""

from .. import ops
from .._registration import register
from .._typing import Shape, Tensor
from ..annotations import Tags
from ._classes_layer import ClassesLayer


@register
class CrowdsSequenceLabeling(ClassesLayer):
    """Predicts what each annotator answers at each token, from the class probabilities of the tokens.

    The connections are those of `CrowdsClassification`, applied to every token; an annotator has the same parameters at
    all of them. With slots, an annotator has one slot for a whole sequence.

    Padding may be marked by a Keras mask (`Embedding(mask_zero=True)`, `Masking`), by answers that are all missing, or
    by both. A Keras mask ends at this layer, but at masked tokens all logits are -1e30, and
    `keras_crowd.losses.MaskedCrowdCrossEntropy` and the metrics leave out answers there. So the loss is a mean over the
    answers to real tokens, whatever stands in the padding. Penalties of `classifier_regularizer` are over the tokens
    that are not masked; missing answers do not mark padding for them. `sample_weight` may be `(batch, 1)`, one for a
    sequence, or `(batch, time)`.

    For a model of which tags follow each other, see `keras_crowd.models.HiddenCRF`.

    Args:
        num_annotators: Integer. Number of annotators, R.
        conn_type: String, or instance of `keras_crowd.layers.connections.ClassConnection`, as in
            `CrowdsClassification`. Defaults to `"CM"`.
        **kwargs: The other arguments of `CrowdsClassification`.

    Call arguments:
        probabilities: Class probabilities of tokens, `(batch, time, classes)`.
        annotators: Annotator of each slot, integers `(batch, slots)`, negative for an empty slot, where
            the logits are -1e30 and answers are left out. Without it the answers of all annotators are predicted.
        mask: Booleans `(batch, time)`. Which tokens are real. Defaults to the Keras mask.

    Input shape:
        `(batch, time, classes)`.

    Output shape:
        `(batch, time, num_annotators, classes)`; with `annotators`, `(batch, time, slots, classes)`.

    Example:

    >>> tokens = keras.Input((None,), dtype="int32")
    >>> hidden = keras.layers.Embedding(1000, 16, mask_zero=True)(tokens)
    >>> tags = keras.layers.Dense(9, "softmax")(hidden)
    >>> crowd = keras_crowd.layers.CrowdsSequenceLabeling(num_annotators=47)
    >>> keras.Model(tokens, crowd(tags)).output_shape
    (None, None, 47, 9)

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018, section 5.4.
    """

    @property
    def answer_kind(self) -> Tags:
        return Tags(self._num_classes)

    def build_annotators(self, predictions_shape: Shape) -> None:
        if len(predictions_shape) != 3:
            raise ValueError(
                "`probabilities` must have shape (batch, time, classes). "
                f"Received: shape {tuple(predictions_shape)}"
            )
        super().build_annotators(predictions_shape)

    def predict_answers(
        self,
        predictions: Tensor,
        annotators: Tensor | None,
        training: bool,
        mask: Tensor | None,
        features: Tensor | None = None,
    ) -> Tensor:
        logits = self.logits(predictions, annotators, training, mask, features)
        return logits if mask is None else ops.without_padding(logits, mask)
