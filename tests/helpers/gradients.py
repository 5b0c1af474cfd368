"""Gradients on whatever backend there is."""

import keras
from keras import ops as kops


def value_and_gradients(loss, *arrays):
    """Value and gradients of a function of arrays, on the current backend."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        value, gradients = jax.value_and_grad(loss, argnums=tuple(range(len(arrays))))(
            *map(kops.array, arrays)
        )
    elif backend == "torch":
        import torch

        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        value = loss(*tensors)
        gradients = torch.autograd.grad(value, tensors, allow_unused=True)
        gradients = [
            torch.zeros_like(t) if g is None else g for g, t in zip(gradients, tensors, strict=True)
        ]
        value = value.detach()
    else:
        import tensorflow as tf

        tensors = [tf.constant(a) for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(*tensors)
        gradients = tape.gradient(value, tensors, unconnected_gradients="zero")
    return float(kops.convert_to_numpy(value)), [kops.convert_to_numpy(g) for g in gradients]
