"""`CrowdFreeze`: the classifier learns first, the annotators later."""

from typing import Any

import keras

from .._arguments import number
from ..layers import CrowdLayer
from ._classifier import check_crowd
from ._epochs import as_epochs


class CrowdFreeze(keras.callbacks.Callback):
    """Holds the parameters of the crowd layer fixed for the first epochs, then releases them.

    While the annotators are held at their start, the classifier learns from the answers as this start explains them,
    and the classes keep their names. The gradients of the crowd layer, including those of its penalties, are multiplied
    by its variable `released`, 0 or 1, so nothing is traced again.

    Put it before the callbacks that save weights: the layer is held only within an epoch, so whatever is saved or
    restored after an epoch is released. Training that stops within an epoch (by an exception or Ctrl-C) leaves the
    layer held until the next `fit` with this callback, or `crowd.release()`. Weight decay needs no gradient and still
    changes the parameters: use `keras_crowd.optimizers.crowd_optimizer`, which does not decay the crowd layer.

    Args:
        crowd: The crowd layer.
        epochs: Float. How long to hold the layer: a number of epochs or, below 1, a share of all epochs. Defaults to 5.

    Example:

    >>> freeze = keras_crowd.callbacks.CrowdFreeze(model.layers[-1], epochs=1)
    >>> history = model.fit(x, answers, epochs=2, callbacks=[freeze], verbose=0)
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
