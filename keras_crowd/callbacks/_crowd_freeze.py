"""`CrowdFreeze`: the classifier learns first, the annotators later."""

from typing import Any

import keras

from .._arguments import number
from ..layers import CrowdLayer
from ._classifier import check_crowd
from ._epochs import as_epochs


class CrowdFreeze(keras.callbacks.Callback):
    """Holds the crowd layer still for the first epochs, then releases it.

    While annotators are held at their start, the classifier learns from the answers as that start reads
    them, and the classes settle where it puts them. Gradients of the crowd layer, those of its own
    penalties too, are multiplied by its variable `released`, 0 or 1: nothing is traced again.

    Put it before the callbacks that save weights: the layer is held only from the beginning to the end of
    an epoch, so that what others save or restore after an epoch is never held, and a file does not have it.
    Training that breaks off within an epoch (an exception, Ctrl-C) leaves it held until the next `fit` with this
    callback, or `crowd.release()`. Weight decay, which needs no gradient, still moves it: use
    `keras_crowd.optimizers.crowd_optimizer`, which does not decay the crowd layer.

    Args:
        crowd: The crowd layer.
        epochs: Float. How long, as a number of epochs or, below 1, a share of them. Defaults to 5.

    Example:

    >>> freeze = keras_crowd.callbacks.CrowdFreeze(model.layers[-1], epochs=1)
    >>> history = model.fit(x, answers, epochs=2, callbacks=[freeze])
    """

    def __init__(self, crowd: CrowdLayer, epochs: float = 5) -> None:
        super().__init__()
        self.crowd = check_crowd(crowd)
        self.epochs = number("epochs", epochs, at_least=0)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.crowd.release()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        held = epoch < as_epochs(self.epochs, self.params.get("epochs", 1))
        if held:
            self.crowd.hold()
        else:
            self.crowd.release()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.crowd.release()
