"""`CommonConfusions`: each answer follows a confusion that all annotators share, or the annotator's own."""

import keras
import numpy as np

from ... import ops
from ..._arguments import number, whole_number
from ..._registration import register
from ..._typing import Config, Tensor
from ...initializers import CrowdIdentity
from ._connection import ItemConnection, Parameter


@register
class CommonConfusions(ItemConnection):
    """`"CoNAL"`: `z_rl = log [w_ir (f C)_l + (1 - w_ir) (f A_r)_l]`, with `C` the confusion of all annotators.

    Whether an answer follows the common confusion `C` or the annotator's own `A_r` depends on both the item and the
    annotator: `w_ir = sigmoid(u_i . v_r)`, with `v_r` an embedding per annotator and `u_i` one of the item, of length
    1, which a network of one hidden layer makes of its features. `A_r` and `C` are rows of softmaxes, K x K each. A
    penalty, `-separation` times the mean of `|C - A_r|` over the annotators, keeps them apart; on slots the mean is
    over those of the batch.

    `adapt` starts `A_r` from Dawid-Skene, and `C` from the mean over the annotators.

    Args:
        embedding_size: Integer. Width of the embeddings `u_i` and `v_r`. Defaults to 20.
        num_hidden: Integer. Width of the hidden layer. Defaults to 64.
        separation: Float, not negative. Weight of the penalty; that of the paper, 1e-5 times the sum over the
            annotators, is 1e-5 times their number here. Defaults to 5e-4.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=5, conn_type="CoNAL")
    >>> model = keras_crowd.crowd_model(classifier, crowd)

    Reference:
        Z. Chu, J. Ma, H. Wang, "Learning from crowds by modeling common confusions", AAAI 2021 (CoNAL).
    """

    name = "CoNAL"
    permutable = True

    def __init__(self, embedding_size: int = 20, num_hidden: int = 64, separation: float = 5e-4) -> None:
        self.embedding_size = whole_number("embedding_size", embedding_size)
        self.num_hidden = whole_number("num_hidden", num_hidden)
        self.separation = number("separation", separation, at_least=0)

    def parameters(self, width: int) -> dict[str, Parameter]:
        start = keras.initializers.RandomNormal(stddev=self.embedding_size**-0.5)
        return {
            "own": Parameter((width, width), CrowdIdentity()),
            "embedding": Parameter((self.embedding_size,), start),
        }

    def shared_parameters(self, width: int) -> dict[str, Parameter]:
        return {"common": Parameter((width, width), keras.initializers.Identity())}

    def feature_parameters(self, width: int, num_features: int) -> dict[str, Parameter]:
        return {
            "hidden": Parameter((num_features, self.num_hidden), "glorot_uniform"),
            "hidden_bias": Parameter((self.num_hidden,), "zeros"),
            "item": Parameter((self.num_hidden, self.embedding_size), "glorot_uniform"),
        }

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        u = ops.item_embedding(
            *(parameters[name] for name in ("features", "hidden", "hidden_bias", "item"))
        )
        scores = ops.embedding_products(u, parameters["embedding"])
        return ops.common_logits(f, parameters["own"], parameters["common"], scores)

    def penalty(self, f: Tensor, real: Tensor | None, **parameters: Tensor) -> Tensor | None:
        if not self.separation:
            return None
        distances = ops.distance_from_common(parameters["own"], parameters["common"])
        return -self.separation * ops.mean_over_real(distances, real)

    def closest_to(self, confusion: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the confusions as those of the annotators, and their mean as the common one."""
        return {"own": np.log(confusion), "common": np.log(confusion.mean(axis=0))}

    def permuted(self, order: np.ndarray, **parameters: np.ndarray) -> dict[str, np.ndarray]:
        return {
            **parameters,
            "own": parameters["own"][:, order],
            "common": parameters["common"][order],
        }

    def get_config(self) -> Config:
        return {
            "embedding_size": self.embedding_size,
            "num_hidden": self.num_hidden,
            "separation": self.separation,
        }
