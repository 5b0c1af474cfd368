"""`CRFTagger`: a sequence tagger with a CRF, trained on one tag per token."""

from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import Features, Tensor, Tensors
from ._chain_model import ChainModel, weigh_tokens


@register
class CRFTagger(ChainModel):
    """A tagger with a linear-chain CRF, trained on one tag per token: gold, or aggregated from a crowd.

    It maximizes `log p(z | x)` of the tags `z`; tags that are not known (negative) are summed out. The loss
    is minus the sum over the sequences, over the number of known tags.

    Compile it with an optimizer and without a loss. Called, it gives a dict of emissions and mask; `tagger()`
    gives tags.

    Args:
        encoder: A built Sequential or functional model from features to scores (no softmax) `(batch, time,
            classes)`. Its Keras mask says where the padding is; a negative tag does not.
        crf: A `keras_crowd.layers.LinearChainCRF`. Defaults to one without rules.
        **kwargs: `name`, as for every Keras model.

    Call arguments:
        inputs: Those of `encoder`; in `fit`, `y` are tags, integers `(batch, time)`, negative or `NaN` where
            unknown. `sample_weight` is `(batch,)`, or `(batch, time)` to weigh what is known of each token.

    Example:

    >>> encoder = keras.Sequential([keras.Input((None, 8)), keras.layers.Dense(3)])
    >>> model = keras_crowd.models.CRFTagger(encoder)
    >>> model.compile("adam")
    >>> x, tags = np.zeros((4, 6, 8), "float32"), np.zeros((4, 6), "int32")
    >>> history = model.fit(x, tags, verbose=0)
    >>> model.tagger().predict(x, verbose=0).shape
    (4, 6)

    Reference:
        J. Lafferty, A. McCallum, F. Pereira, "Conditional random fields: probabilistic models for
        segmenting and labeling sequence data", ICML 2001.
    """

    def likelihood_loss(
        self, x: Features, y: Tensor, y_pred: Tensors, sample_weight: Tensor | None, training: bool
    ) -> Tensor:
        if len(y.shape) != 2:
            raise ValueError(
                f"Tags must have shape (batch, time), class codes. Received: shape {tuple(y.shape)}"
            )
        emissions, mask = y_pred["emissions"], y_pred["mask"]
        tags = ops.class_codes(y)
        evidence = ops.tag_evidence(tags, self.num_classes, self.crf.compute_dtype)
        evidence, weight = weigh_tokens(evidence, sample_weight)
        values = self.crf.log_likelihood(emissions, evidence, mask)
        count = kops.sum(kops.cast(kops.logical_and(mask, tags >= 0), values.dtype))
        return self._mean_loss(values, count, weight)
