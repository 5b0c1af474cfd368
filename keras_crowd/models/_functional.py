"""Any Keras model as a functional one that shares its weights, and any classifier as one of class probabilities."""

import warnings
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops as kops

from .. import ops
from .._registration import register
from .._typing import DType, Features, Tensor

_STRINGS = "OSUT"  # kinds of NumPy dtypes


@register
class _TwoClasses(keras.layers.Layer):
    """The output of a head of one unit as the probabilities, or logits, of two classes."""

    def __init__(self, from_logits: bool = False, *, dtype: DType = None, **kwargs: Any) -> None:
        super().__init__(dtype=dtype or keras.config.dtype_policy().variable_dtype, **kwargs)
        self.from_logits = from_logits
        self.supports_masking = True

    def call(self, outputs: Tensor) -> Tensor:
        return ops.two_classes(outputs, self.from_logits)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*shape[:-1], 2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits}


def as_functional(model: keras.Model, x: Features | None = None) -> keras.Model:
    """Returns a functional model that computes what `model` computes and shares its weights.

    Functional models are returned as they are. A Sequential model without an `Input` is given one, and a subclassed
    model is called once; both take shapes, dtypes and names of their inputs from the features.

    Args:
        model: Any Keras model.
        x: Features, a few rows are enough: an array, or a list or dict of arrays. Needed for subclassed models
            and for Sequential models without an `Input`. Defaults to `None`.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: When features are needed and not given, or the model cannot be called on symbolic inputs.

    Example:

    >>> sequential = keras.Sequential([keras.layers.Dense(3, "softmax")])
    >>> keras_crowd.models.as_functional(sequential, x).output_shape
    (None, 3)
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"`classifier` must be a Keras model. Received: {type(model).__name__}")
    if isinstance(model, keras.Sequential):
        if not is_symbolic(model) and x is not None:
            give_input(model, x)
        if is_symbolic(model):
            return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    elif is_task(model):  # without its preprocessor, default loss and metrics
        return keras.Model(model.input, model.output, name=model.name)
    elif is_symbolic(model) and not _overrides(model, "call"):
        return model
    inputs = _inputs_for(model, x)
    try:
        outputs = model(inputs)
    except Exception as error:
        raise ValueError(
            f"{type(model).__name__} {model.name!r} must be callable on symbolic inputs (`keras.Input`) to have a "
            "layer on top: compute with `keras.ops` and layers in its `call`, and leave shapes to them; give a "
            "`TorchModuleWrapper` its `output_shape=`. "
            f"Received: {type(error).__name__}: {error}"
        ) from error
    return keras.Model(inputs, outputs, name=model.name)


def model_below(
    classifier: keras.Model, prediction_kind: str, from_logits: bool, x: Features | None = None
) -> keras.Model:
    """Any model as a functional one of what a crowd layer takes, as `CrowdLayer.prediction_kind` says."""
    if prediction_kind == "probabilities":
        return classifier_model(classifier, from_logits, x)
    check_strings_work(classifier)
    below = as_functional(classifier, x)
    check_one_output(below)
    return below


def classifier_model(classifier: keras.Model, from_logits: bool, x: Features | None = None) -> keras.Model:
    """Any classifier as a functional model of class probabilities, or logits, `(batch, ..., classes)`.

    A head of one unit is that of class 1 of two.
    """
    check_strings_work(classifier)
    model = as_functional(classifier, x)
    if len(model.outputs) != 1:
        raise ValueError(_of_one_output(model))
    output = model.outputs[0]
    if len(output.shape) < 2 or output.shape[-1] != 1:
        return model
    check_binary_head(model, from_logits)
    two = _TwoClasses(from_logits, name="two_classes")(output)
    return keras.Model(model.input, two, name=model.name)


def without_two_classes(model: keras.Model) -> keras.Model:
    """The same model up to its one unit, where there is a head of two classes on it."""
    heads = [layer for layer in model.layers if isinstance(layer, _TwoClasses)]
    if not heads or not _gives(heads[-1], model.outputs[0]):
        return model
    return keras.Model(model.input, heads[-1].input, name=model.name)


def check_one_output(classifier: keras.Model) -> None:
    """Refuses a model of several outputs, as far as they are known."""
    if len(getattr(classifier, "outputs", None) or [None]) != 1:
        raise ValueError(_of_one_output(classifier))


def is_symbolic(model: keras.Model) -> bool:
    """Whether the model knows its inputs and outputs as symbols."""
    return bool(getattr(model, "inputs", None)) and bool(getattr(model, "outputs", None))


def give_input(model: keras.Sequential, x: Features) -> None:
    """Builds a Sequential in place with an `Input` of shape and dtype of the features, where they are one array.

    Keras's own way would be an input of the dtype that the first layer computes in, which under mixed precision rounds
    token ids.
    """
    leaves = keras.tree.flatten(x)
    if len(leaves) != 1 or leaves[0] is not x or model.built:  # one that is built has an `Input`
        return
    layers, given = model.layers, _input_like(x)
    for _ in layers:
        model.pop(rebuild=False)
    for layer in (given, *layers):
        model.add(layer, rebuild=False)
    model.build(given.shape)


def prepared(model: keras.Model, x: Features) -> Features:
    """Features as the model's own `fit` hands them to its layers: through the preprocessor of a KerasHub task."""
    preprocess = getattr(model, "preprocessor", None) if is_task(model) else None
    names = {tensor.name for tensor in getattr(model, "inputs", None) or []}
    if preprocess is None or (isinstance(x, dict) and set(x) == names):
        return _with_object_strings(x)
    return keras.tree.map_structure(_as_numpy, preprocess(_with_python_strings(x)))


def is_task(model: keras.Model) -> bool:
    """Whether a model is a task of KerasHub, which is compiled when it is made and preprocesses in `fit`."""
    return hasattr(model, "preprocess_samples")


def own_training(model: keras.Model) -> list[str]:
    """The methods of training that a model has of its own."""
    return [name for name in ("train_step", "compute_loss") if _overrides(model, name)]


def warn_of_own_training(model: keras.Model, where: str) -> None:
    """Says that methods of training which a model has of its own are not run."""
    own = own_training(model)
    if own:
        warnings.warn(
            f"`{own[0]}` of {type(model).__name__} {model.name!r} is not run by {where}, which trains its layers by "
            "the loss of the answers alone. `EMTrainer` trains the classifier by its own `fit` and so runs it; or "
            "move what it adds into `call` (`self.add_loss`) or into layers.",
            stacklevel=3,
        )


def check_strings_work(classifier: keras.Model) -> None:
    """Refuses strings as inputs under backends that have none."""
    strings = [t.name for t in getattr(classifier, "inputs", None) or [] if t.dtype == "string"]
    if strings and keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Inputs of strings need the TensorFlow backend. Under another, apply the `TextVectorization` to the "
            "features first and give the classifier the tokens. "
            f"Received: input {strings[0]!r} of strings, backend {keras.backend.backend()!r}"
        )


def _of_one_output(model: keras.Model) -> str:
    outputs = model.output if isinstance(getattr(model, "output", None), dict) else None
    key = repr(next(iter(outputs))) if outputs else "0"
    kind = "output" if outputs else "outputs"
    return (
        "`classifier` must be a model of one output. Take the one of the classes, with shared weights: "
        f"`keras.Model(classifier.inputs, classifier.{kind}[{key}])`. "
        f"Received: {type(model).__name__} {model.name!r} with {len(model.outputs)} outputs"
    )


def _overrides(model: keras.Model, method: str) -> bool:
    """Whether a class that is not one of Keras's or of KerasHub's defines a method."""
    owner = next(cls for cls in type(model).__mro__ if method in vars(cls))
    return owner.__module__.split(".")[0] not in ("keras", "keras_hub")


def _inputs_for(model: keras.Model, x: Features) -> Features:
    if is_symbolic(model):  # of a functional model with a `call` of its own
        return keras.tree.map_structure(
            lambda t: keras.Input(batch_shape=t.shape, dtype=t.dtype, name=t.name), model.input
        )
    if x is None:
        raise ValueError(
            f"{type(model).__name__} {model.name!r} does not say what its inputs are. Give a few rows of the features: "
            "`crowd_model(classifier, crowd, x=x[:1])`; elsewhere give "
            "`keras_crowd.models.as_functional(classifier, x[:1])` in place of the classifier, or begin a Sequential "
            f"model with `keras.Input`. Received: {type(model).__name__} without symbolic inputs"
        )
    if isinstance(x, dict):
        return {name: _input_like(array, name) for name, array in x.items()}
    return keras.tree.map_structure(_input_like, x)


def _input_like(array: npt.ArrayLike, name: str | None = None) -> keras.KerasTensor:
    """A symbolic input for rows like those of `array`; whole numbers are int32, as ids are, floats `floatx`."""
    array = _as_numpy(array)
    dtype = str(array.dtype)
    if array.dtype.kind in _STRINGS:
        dtype = "string"
    elif dtype in ("int64", "uint64"):
        dtype = "int32"
    elif dtype == "float64":
        dtype = keras.config.floatx()
    return keras.Input(array.shape[1:], dtype=dtype, name=name)


def check_binary_head(model: keras.Model, from_logits: bool) -> None:
    """Refuses, as far as it can be seen, a head of one unit that gives no probability, or no logit."""
    activation = last_activation(model)
    wrong = {keras.activations.sigmoid} if from_logits else {keras.activations.linear}
    if activation in {*wrong, keras.activations.softmax}:
        raise ValueError(
            "A classifier of one output for two classes must end in a sigmoid; or in a linear layer with "
            "`from_logits=True` (to the crowd layer, to `EMTrainer` or to `fit_crowd`). "
            f"Received: a last layer with activation {activation.__name__!r}, from_logits={from_logits}"
        )


def last_activation(model: keras.Model) -> Any:
    """The activation of the layer that gives the output, `None` where it has none that can be seen."""
    if not is_symbolic(model):
        return None
    made_it = [
        layer
        for layer in model.layers
        if layer.built
        and not isinstance(layer, keras.layers.InputLayer)
        and _gives(layer, model.outputs[0])
    ]
    if not made_it:
        return None
    last = made_it[-1]
    return last_activation(last) if isinstance(last, keras.Model) else getattr(last, "activation", None)


def _gives(layer: keras.layers.Layer, tensor: keras.KerasTensor) -> bool:
    try:
        outputs = keras.tree.flatten(layer.output)
    except (AttributeError, ValueError):  # never called on symbols, or of another shape each time
        return False
    return any(output is tensor for output in outputs)


def _with_object_strings(x: Features) -> Features:
    """Strings as arrays of objects, which Keras takes, as it does no others."""
    if isinstance(x, list) and x and all(isinstance(text, str | bytes) for text in x):
        return np.asarray(x, object)
    if isinstance(x, list | tuple):
        return type(x)(_with_object_strings(part) for part in x)
    if isinstance(x, dict):
        return {name: _with_object_strings(part) for name, part in x.items()}
    return x.astype(object) if isinstance(x, np.ndarray) and x.dtype.kind in "SUT" else x


def _with_python_strings(x: Features) -> Features:
    """Strings as lists, as preprocessors of KerasHub take them; other arrays as they are."""
    if isinstance(x, dict):
        return {name: _with_python_strings(part) for name, part in x.items()}
    if isinstance(x, tuple):
        return tuple(_with_python_strings(part) for part in x)
    is_text = isinstance(x, np.ndarray) and x.dtype.kind in _STRINGS
    return x.tolist() if is_text else x


def _as_numpy(array: npt.ArrayLike) -> np.ndarray:
    return kops.convert_to_numpy(array) if kops.is_tensor(array) else np.asarray(array)
