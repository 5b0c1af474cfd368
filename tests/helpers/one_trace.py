"""Under TensorFlow, an optimizer is built before a step of training is traced, as under JAX and PyTorch.

Keras leaves that to the first trace there, and `tf.function` traces what made variables a second time. Both ways come
to the same steps; what may depend on the way is tested as users have it: `AS_USERS`.
"""

import keras

AS_USERS = {
    "test_backups",
    "test_callbacks",
    "test_callbacks_monitor",
    "test_callbacks_schedule",
    "test_examples",
    "test_guides",
    "test_keras_tools",
    "test_lazy_adam",
    "test_optimizers",
    "test_readme",
}
_make_train_function = keras.Model.make_train_function


def make_train_function(model: keras.Model, force: bool = False) -> None:
    """In place of the method of `keras.Model`."""
    optimizer = model.optimizer
    if (
        optimizer is not None
        and not optimizer.built
        and all(part.built for part in model._flatten_layers())
    ):
        optimizer.build(model.trainable_variables)
    _make_train_function(model, force)
