"""Kinds of models, what can be done with each, and the table of both that `docs/models.md` shows."""

import keras
import numpy as np
import pytest
from conftest import BACKEND

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 6)).astype("float32")
ANSWERS = np.array([[0, 1, 2], [1, -1, 1], [2, 2, 0], [0, 0, -1]] * 3)
TEXTS = np.array(["good film", "bad film", "film"] * 4, object)
IMAGES = RNG.integers(0, 256, (12, 8, 8, 3)).astype("float32")
PHOTOS = RNG.integers(0, 256, (12, 32, 32, 3)).astype("float32")
TOKENS = np.array([[4097, 4999, 0], [1, 2, 3]] * 6)


@keras.saving.register_keras_serializable("keras_crowd_tests")
class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(3, "softmax")

    def call(self, x):
        return self.dense(x)


class OwnTraining(keras.Model):
    steps = 0

    def train_step(self, *args, **kwargs):
        type(self).steps += 1
        return super().train_step(*args, **kwargs)


def head(units=3, activation="softmax"):
    return keras.layers.Dense(units, activation)


def without_input():
    return keras.Sequential([keras.layers.Dense(4), head()]), X


def functional(kind=keras.Model):
    inputs = keras.Input((6,))
    return kind(inputs, head()(inputs)), X


def nested():
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    return keras.Sequential([keras.Input((6,)), inner, head()]), X


def several_inputs():
    inputs = {"a": keras.Input((6,), name="a"), "b": keras.Input((3,), dtype="int32", name="b")}
    hidden = keras.layers.Flatten()(keras.layers.Embedding(5000, 2)(inputs["b"]))
    output = head()(keras.layers.Concatenate()([inputs["a"], hidden]))
    return keras.Model(inputs, output), {"a": X, "b": TOKENS}


def several_outputs():
    inputs = keras.Input((6,))
    return keras.Model(inputs, [head()(inputs), head(2)(inputs)]), X


def sigmoid_head():
    return keras.Sequential([keras.Input((6,)), head(1, "sigmoid")]), X


def text_task():
    hub = pytest.importorskip("keras_hub")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]
    make = hub.models.BertTextClassifierPreprocessor
    backbone = hub.models.BertBackbone(8, 1, 2, 8, 8, max_sequence_length=6)
    preprocessor = make(hub.models.BertTokenizer(vocabulary=words), sequence_length=6)
    task = hub.models.BertTextClassifier(backbone, 3, preprocessor=preprocessor, activation="softmax")
    return task, TEXTS


def image_task():
    hub = pytest.importorskip("keras_hub")
    backbone = hub.models.ViTBackbone((8, 8, 3), 4, 1, 2, 8, 8)
    converter = hub.layers.ViTImageConverter(image_size=(8, 8), scale=1 / 255)
    preprocessor = hub.models.ViTImageClassifierPreprocessor(image_converter=converter)
    make = hub.models.ViTImageClassifier
    return make(backbone, 3, preprocessor=preprocessor, activation="softmax"), IMAGES


def text_vectorization():
    inputs = keras.Input((), dtype="string")
    words = keras.layers.TextVectorization(output_sequence_length=3, vocabulary=["good", "bad", "film"])
    hidden = keras.layers.Flatten()(keras.layers.Embedding(6, 2)(words(inputs)))
    return keras.Model(inputs, head()(hidden)), TEXTS


def application():
    """Its weights held: to train them all takes ten seconds of compilation."""
    make = keras.applications.MobileNet
    base = make((32, 32, 3), alpha=0.25, weights=None, include_top=False, pooling="avg")
    base.trainable = False
    return keras.Sequential([keras.Input((32, 32, 3)), base, head()]), PHOTOS


def torch_module():
    if BACKEND != "torch":
        pytest.skip("a PyTorch module needs the PyTorch backend")
    import torch

    module = keras.layers.TorchModuleWrapper(torch.nn.Linear(6, 4), output_shape=(None, 4))
    return keras.Sequential([keras.Input((6,)), module, head()]), X


KINDS = {
    "Sequential without `Input`": without_input,
    "functional": functional,
    "nested": nested,
    "subclassed": lambda: (Subclassed(), X),
    "several inputs": several_inputs,
    "several outputs": several_outputs,
    "sigmoid head": sigmoid_head,
    "KerasHub, text": text_task,
    "KerasHub, image": image_task,
    "`TextVectorization` inside": text_vectorization,
    "`keras.applications`": application,
    "custom `train_step`": lambda: functional(OwnTraining),
    "`TorchModuleWrapper`": torch_module,
}


def answers_for(kind):
    return np.minimum(ANSWERS, 1) if kind == "sigmoid head" else ANSWERS


DOORS = {
    "crowd_model": "`crowd_model`, `fit`",
    "fit_crowd": "`fit_crowd`",
    "EMTrainer": "`EMTrainer`",
    "JointCrowdModel": "`JointCrowdModel`",
    "validate": "`validate`",
    "strip": "`strip`",
    ".keras": "`.keras`",
    "SavedModel": "SavedModel",
}
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}

# What is said where something is refused, by this package or by Keras.
MESSAGES = {
    "one output": "Take the one of the classes, with shared weights",
    "strings": "apply the `TextVectorization` to the features first",
    "by TensorFlow": "",  # of Keras, about something else; what the page says is tested
    "lengths": "inconclusive",
    "pickle": "safe_mode=False",
    "no TensorFlow": "",
}
TRAINING = ("crowd_model", "fit_crowd", "EMTrainer", "JointCrowdModel")


def refused(kind, door, backend=BACKEND):
    """By which name of `MESSAGES` something is refused, `None` where it works."""
    if kind == "several outputs" and door in TRAINING:
        return "one output"
    if kind == "`TextVectorization` inside" and backend != "tensorflow":
        if door in (*TRAINING, "validate"):
            return "strings"
        return "by TensorFlow" if door == "SavedModel" else None
    if kind == "`TorchModuleWrapper`" and door in (".keras", "SavedModel"):
        return "pickle" if door == ".keras" else "no TensorFlow"
    if door == "SavedModel" and backend == "torch":
        return "by TensorFlow"
    if door == "SavedModel" and (kind, backend) == ("KerasHub, text", "jax"):
        return "lengths"
    return None


def table():
    """The table of the page, in Markdown."""
    rows = [["model", *DOORS.values()], ["---"] * (len(DOORS) + 1)]
    rows += [[kind, *(_cell(kind, door) for door in DOORS)] for kind in KINDS]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(kind, door):
    backends = ["torch"] if "Torch" in kind else [*BACKENDS]
    states = {backend: _state(refused(kind, door, backend)) for backend in backends}
    if len(set(states.values())) == 1:
        return states[backends[0]]
    parts = []
    for state in dict.fromkeys(states.values()):
        where = [BACKENDS[backend] for backend in backends if states[backend] == state]
        parts.append(f"{' and '.join(where)}: {state}")
    return "; ".join(parts)


def _state(name):
    return "yes" if name is None else f"[no]({anchor(name)})"


def anchor(name):
    return "#" + name.lower().replace(" ", "-")
