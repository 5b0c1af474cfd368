"""`NetworkConnection`: a hidden layer on features of the item and embeddings of the annotators."""

import keras

from ... import ops
from ..._arguments import whole_number
from ..._typing import Config, Tensor
from ._connection import ItemConnection, Parameter


class NetworkConnection(ItemConnection):
    """A connection with a layer `h_ir = relu(x_i H + b + v_r)` on features and annotators. Abstract.

    Args:
        num_hidden: Integer. Width of the layer, and of the embedding `v_r` of each annotator. Defaults to 32.
    """

    def __init__(self, num_hidden: int = 32) -> None:
        self.num_hidden = whole_number("num_hidden", num_hidden)

    def parameters(self, width: int) -> dict[str, Parameter]:
        start = keras.initializers.RandomNormal(stddev=self.num_hidden**-0.5)
        return {"embedding": Parameter((self.num_hidden,), start)}

    def feature_parameters(self, width: int, num_features: int) -> dict[str, Parameter]:
        return {
            "hidden": Parameter((num_features, self.num_hidden), "glorot_uniform"),
            "hidden_bias": Parameter((self.num_hidden,), "zeros"),
        }

    def hidden(self, parameters: dict[str, Tensor]) -> Tensor:
        """`h_ir`, `(batch, ..., R or S, num_hidden)`, of the parameters that `logits` gets."""
        names = ("features", "hidden", "hidden_bias", "embedding")
        return ops.item_annotator_hidden(*(parameters[name] for name in names))

    def get_config(self) -> Config:
        return {"num_hidden": self.num_hidden}
