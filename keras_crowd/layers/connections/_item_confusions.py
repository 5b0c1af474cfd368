"""`ItemConfusions` and `AnnotatorEmbeddings`: a confusion per item and annotator, from a network of both."""

import numpy as np
from keras import ops as kops

from ... import ops
from ..._arguments import number
from ..._registration import register
from ..._typing import Config, DType, Tensor
from ...initializers import CrowdIdentity
from ._connection import Parameter
from ._network_connection import NetworkConnection


class _Confusions(NetworkConnection):
    """`A_ir = softmax(B + h_ir M)` over answers. Abstract."""

    permutable = True

    def shared_parameters(self, width: int) -> dict[str, Parameter]:
        return {"out": Parameter((self.num_hidden, width**2), "zeros")}

    def permuted(self, order: np.ndarray, **parameters: np.ndarray) -> dict[str, np.ndarray]:
        base, out = parameters["base"], parameters["out"]
        rows = out.reshape(len(out), len(order), len(order))[:, order]
        return {**parameters, "base": base[..., order, :], "out": rows.reshape(out.shape)}


@register
class ItemConfusions(_Confusions):
    """`"item"`: `z_rl = log sum_k f_k A_irkl`, `A_ir = softmax(B_r + h_ir M)` over answers: confusions by the item.

    `B_r` is a K x K matrix per annotator, as in `"CM"`. What is added to it depends on item and annotator together, by
    a network of one hidden layer, `h_ir = relu(x_i H + b + v_r)`, with features `x_i` and an embedding `v_r` per
    annotator. It starts at 0, and `adapt` starts `B_r` from Dawid-Skene: training begins with the confusions of `"CM"`.

    Args:
        num_hidden: Integer. Width of the hidden layer, and of the embeddings. Defaults to 32.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=5, conn_type="item")
    >>> model = keras_crowd.crowd_model(classifier, crowd)

    Reference:
        The general case of the models of M. Herde, D. Huseljic, B. Sick, "Multi-annotator deep learning: A
        probabilistic framework for classification", TMLR 2023, with a matrix per annotator.
    """

    name = "item"

    def parameters(self, width: int) -> dict[str, Parameter]:
        return {"base": Parameter((width, width), CrowdIdentity()), **super().parameters(width)}

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        h = self.hidden(parameters)
        return ops.item_confusion_logits(f, parameters["base"], h, parameters["out"])

    def closest_to(self, confusion: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the confusions for every item: the network adds nothing."""
        width = confusion.shape[-1]
        return {"base": np.log(confusion), "out": np.zeros((self.num_hidden, width**2))}


@register
class AnnotatorEmbeddings(_Confusions):
    """`"MaDL"`: `A_ir = softmax(B + h_ir M)`, a confusion per item and annotator from the embedding of the annotator.

    Annotators have no parameters of their own except the embedding `v_r` in `h_ir = relu(x_i H + b + v_r)`: `B` is
    shared. It suits annotators with few answers and errors that depend on the item. `B` starts at annotators who are
    right with `accuracy` on every class, or with `adapt` at the mean of the confusions of Dawid-Skene; `M` at 0.

    This is the model of the paper whose confusions depend on class, item and annotator, without its weights of
    annotators by the density of their embeddings.

    Args:
        num_hidden: Integer. Width of the hidden layer, and of the embeddings. Defaults to 32.
        accuracy: Float between 0 and 1, where every annotator starts. Defaults to 0.8, the paper's.

    Example:

    >>> crowd = keras_crowd.layers.CrowdsClassification(num_annotators=5, conn_type="MaDL")
    >>> model = keras_crowd.crowd_model(classifier, crowd)

    Reference:
        M. Herde, D. Huseljic, B. Sick, "Multi-annotator deep learning: A probabilistic framework for classification",
        TMLR 2023.
    """

    name = "MaDL"

    def __init__(self, num_hidden: int = 32, accuracy: float = 0.8) -> None:
        super().__init__(num_hidden)
        self.accuracy = number("accuracy", accuracy, above=0, below=1)

    def shared_parameters(self, width: int) -> dict[str, Parameter]:
        scale = ops.identity_scale(self.accuracy, width)

        def start(shape: tuple[int, ...], dtype: DType = None) -> Tensor:
            return scale * kops.eye(width, dtype=dtype)

        return {"base": Parameter((width, width), start), **super().shared_parameters(width)}

    def logits(self, f: Tensor, **parameters: Tensor) -> Tensor:
        base, h = kops.expand_dims(parameters["base"], 0), self.hidden(parameters)
        return ops.item_confusion_logits(f, base, h, parameters["out"])

    def closest_to(self, confusion: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the mean of the confusions, for every annotator and item."""
        width = confusion.shape[-1]
        return {"base": np.log(confusion.mean(axis=0)), "out": np.zeros((self.num_hidden, width**2))}

    def get_config(self) -> Config:
        return {**super().get_config(), "accuracy": self.accuracy}
