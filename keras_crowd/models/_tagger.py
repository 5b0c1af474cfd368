"""Taggers with Viterbi inside, which not every format can hold."""

import os
from typing import Any

import keras

from .._registration import register


@register
class Tagger(keras.Model):
    """A functional model that gives the best chain; it refuses the formats in which a chain of any length is wrong."""

    def export(
        self, filepath: str | os.PathLike[str], format: str = "tf_saved_model", **kwargs: Any
    ) -> None:
        """Writes the model in a format for serving.

        Args:
            filepath: Where to.
            format: `"tf_saved_model"` (under TensorFlow and JAX), for any length; or, under PyTorch, `"onnx"`, with an
                `input_signature` in which all sizes are known. Defaults to `"tf_saved_model"`.
            **kwargs: `verbose=`, `input_signature=` and what else `keras.Model.export` takes.
        """
        known = format == "onnx" and keras.backend.backend() == "torch" and _is_known(kwargs)
        if format != "tf_saved_model" and not known:
            raise ValueError(
                "`format` must be 'tf_saved_model', under TensorFlow or JAX, to keep Viterbi for any length; or 'onnx' "
                "under PyTorch, with an `input_signature` in which all sizes are known, batch and time. "
                f"Received: format={format!r} under {keras.backend.backend()}, "
                f"input_signature={kwargs.get('input_signature')}"
            )
        super().export(filepath, format=format, **kwargs)


def _is_known(arguments: dict[str, Any]) -> bool:
    """Whether all sizes of the inputs are told."""
    specs = keras.tree.flatten(arguments.get("input_signature"))
    return all(None not in getattr(spec, "shape", (None,)) for spec in specs)
