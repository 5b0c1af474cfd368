"""Every layer, loss and regularizer in one model, each on a classifier of its own: one `fit` trains them all.

Heads share no parameter, so each trains as if it were alone.
"""

import dataclasses
import functools
import zlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import keras_crowd as kc

ANNOTATORS, CLASSES, TIME, SLOTS, BATCH, STEPS = 6, 3, 4, 3, 16, 10
COUNTS = [3.0, 1.0, 4.0, 2.0, 5.0, 2.0]


@dataclasses.dataclass
class Head:
    """A crowd layer, its loss, and what it is trained on."""

    layer: Callable[..., Any]
    loss: Callable[[], Any]
    kind: str = "classes"  # or "ratings", "grades", "tokens", "sets"
    slots: bool = False
    activity: float = 0.0  # penalty on the classifier's outputs, which Keras keeps as it does `add_loss`


def _classes(conn_type: str, **kwargs: Any) -> Callable:
    return lambda name: kc.layers.CrowdsClassification(ANNOTATORS, conn_type, name=name, **kwargs)


def _ratings(conn_type: str, **kwargs: Any) -> Callable:
    return lambda name: kc.layers.CrowdsRegression(
        ANNOTATORS, conn_type, name=name, answers_per_annotator=COUNTS, **kwargs
    )


def _tokens(conn_type: str, **kwargs: Any) -> Callable:
    return lambda name: kc.layers.CrowdsSequenceLabeling(ANNOTATORS, conn_type, name=name, **kwargs)


_F = functools.partial(kc.regularizers.ClassifierLogDet, ramp_steps=0)
_W = functools.partial(kc.regularizers.ConfusionLogDet, ramp_steps=0)
_L2 = keras.regularizers.L2
_cross_entropy, _squared = kc.losses.MaskedCrowdCrossEntropy, kc.losses.MaskedCrowdMeanSquaredError

HEADS = {
    "MW": Head(_classes("MW"), _cross_entropy),
    "VW_B": Head(_classes("VW+B"), _cross_entropy),
    "CM_slots": Head(_classes("CM", initial_accuracy=0.7), _cross_entropy, slots=True),
    "activity": Head(_classes("CM"), _cross_entropy, activity=0.5),
    "F": Head(_classes("CM", classifier_regularizer=_F(0.1)), _cross_entropy),
    "F_running": Head(_classes("CM", classifier_regularizer=_F(0.1, momentum=0.5)), _cross_entropy),
    "W": Head(_classes("CM", confusion_regularizer=_W(0.1)), _cross_entropy, slots=True),
    "trace": Head(
        _classes("CM", confusion_regularizer=kc.regularizers.ConfusionTrace(0.1, ramp_steps=0)),
        _cross_entropy,
    ),
    "S": Head(_ratings("S"), _squared, "ratings"),
    "B": Head(_ratings("B", bias_regularizer=_L2(0.1)), kc.losses.MaskedCrowdMeanAbsoluteError, "ratings"),
    "S_B": Head(_ratings("S+B"), kc.losses.MaskedCrowdHuber, "ratings", slots=True),
    "B_S": Head(_ratings("B+S", learn_variance=True), kc.losses.MaskedCrowdGaussian, "ratings", slots=True),
    "ordinal": Head(
        lambda name: kc.layers.CrowdsOrdinal(ANNOTATORS, CLASSES, answers_per_annotator=COUNTS, name=name),
        _cross_entropy,
        "grades",
    ),
    "sets": Head(
        lambda name: kc.layers.CrowdsMultiLabel(ANNOTATORS, "additive", name=name),
        kc.losses.MaskedCrowdBinaryCrossEntropy,
        "sets",
        slots=True,
    ),
    "tokens": Head(_tokens("CM", classifier_regularizer=_F(0.1)), _cross_entropy, "tokens"),
}


# Each kind of variable and of loss once: for TensorFlow, which compiles all for minutes.
SOME = ["MW", "CM_slots", "activity", "F_running", "B_S", "ordinal", "sets", "tokens"]
# Two processes differ from two devices in who holds a batch, not in the loss: ids, sums over the batch, numbers, masks.
OF_PROCESSES = ["CM_slots", "F_running", "B_S", "tokens"]
DISTRIBUTED = [*HEADS] if keras.config.backend() == "jax" else SOME


def model(names: Any = HEADS) -> keras.Model:
    """The zoo, or some of its heads, not compiled. Its classifiers start the same everywhere."""
    x = keras.Input((5,), name="x")
    words = keras.Input((TIME,), dtype="int32", name="words")
    annotators = keras.Input((SLOTS,), dtype="int32", name="annotators")
    outputs = {}
    for name in names:
        head = HEADS[name]
        below = _below(head, name)(words if head.kind == "tokens" else x)
        outputs[name] = head.layer(name)(below, **({"annotators": annotators} if head.slots else {}))
    return keras.Model({"x": x, "words": words, "annotators": annotators}, outputs)


def _below(head: Head, name: str) -> keras.Sequential:
    start = keras.initializers.RandomNormal(stddev=1.0, seed=zlib.crc32(name.encode()) % 1000)
    of_numbers = head.kind in ("ratings", "grades")
    dense = keras.layers.Dense(
        1 if of_numbers else CLASSES,
        None if of_numbers else "sigmoid" if head.kind == "sets" else "softmax",
        kernel_initializer=start,
    )
    if head.kind == "tokens":
        words = keras.layers.Embedding(9, 5, mask_zero=True, embeddings_initializer=start)
        return keras.Sequential([words, dense], name=f"{name}_below")
    # In float32: Keras does not add losses of several dtypes under TensorFlow.
    penalty = (
        [keras.layers.ActivityRegularization(l2=head.activity, dtype="float32")] if head.activity else []
    )
    return keras.Sequential([dense, *penalty], name=f"{name}_below")


def compiled(names: Any = HEADS, optimizer: Any = None, metrics: bool = True, **kwargs: Any) -> keras.Model:
    """The same, ready for `fit`."""
    zoo = model(names)
    optimizer = optimizer or keras.optimizers.SGD(0.1, momentum=0.9)
    losses = {name: HEADS[name].loss() for name in names}
    kwargs["metrics"] = {name: _metric(HEADS[name]) for name in names} if metrics else None
    zoo.compile(optimizer, losses, **kwargs)
    return zoo


def with_variables(zoo: keras.Model, names: Any = HEADS) -> keras.Model:
    """Makes what Keras would make in the first step under TensorFlow, which then traces the step again."""
    x, y = data(names, steps=1)
    zoo.optimizer.build(zoo.trainable_variables)
    zoo.compute_loss(y=y, y_pred=zoo(x))  # running means of each loss
    return zoo


def _metric(head: Head) -> Any:
    if head.kind == "sets":
        return kc.metrics.CrowdBinaryCrossEntropy(name="metric")
    if head.kind != "ratings":
        return kc.metrics.CrowdCrossEntropy(name="metric")
    if head.loss is kc.losses.MaskedCrowdGaussian:
        return kc.metrics.CrowdGaussianCrossEntropy(name="metric")
    return kc.metrics.CrowdRootMeanSquaredError(name="metric")


def data(
    names: Any = HEADS, steps: int = STEPS, share: tuple[float, float] = (0.2, 0.8)
) -> tuple[Any, Any]:
    """`steps` batches; of the first half of each `share[0]` of the answers are there, of the second `share[1]`."""
    rng = np.random.default_rng(0)
    n = steps * BATCH
    x = {
        "x": rng.normal(size=(n, 5)).astype("float32"),
        "words": rng.integers(1, 9, (n, TIME)).astype("int32"),
        "annotators": np.argsort(rng.random((n, ANNOTATORS)), axis=1)[:, :SLOTS].astype("int32"),
    }
    if share[0] != share[1]:  # padding is missing answers as well
        x["words"][::3, TIME - 2 :] = 0
    given = np.where(np.arange(n) % BATCH < BATCH // 2, *share)
    answers = {name: _answers(head, rng, given) for name, head in HEADS.items()}
    return x, {name: answers[name] for name in names}


def _answers(head: Head, rng: Any, given: np.ndarray) -> np.ndarray:
    time = (TIME,) if head.kind == "tokens" else ()
    shape = (len(given), *time, SLOTS if head.slots else ANNOTATORS)
    missing = rng.random(shape) >= given.reshape(-1, *[1] * (len(shape) - 1))
    if head.kind == "ratings":
        return np.where(missing, np.nan, rng.normal(size=shape)).astype("float32")
    if head.kind == "sets":
        return np.where(missing[..., None], -1, rng.integers(0, 2, (*shape, CLASSES))).astype("int32")
    return np.where(missing, -1, rng.integers(0, CLASSES, shape)).astype("int32")


def joint_models() -> dict[str, tuple[Any, Any, Any]]:
    """The models with a likelihood of their own, compiled; what `fit` gets."""
    x, y = data()
    start = keras.initializers.RandomNormal(stddev=1.0, seed=1)
    classifier = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(CLASSES, "softmax", kernel_initializer=start)]
    )
    joint = kc.models.JointCrowdModel(
        classifier, _classes("CM", initial_accuracy=0.7, classifier_regularizer=_F(0.1))("joint")
    )
    encoder = keras.Sequential(
        [
            keras.Input((TIME,), dtype="int32"),
            keras.layers.Embedding(9, 5, mask_zero=True, embeddings_initializer=start),
            keras.layers.Dense(CLASSES, kernel_initializer=start, activity_regularizer=_L2(0.01)),
        ]
    )
    crowd = _tokens("CM", initial_accuracy=0.7, confusion_regularizer=_W(0.1))("hidden")
    found = {
        "joint": (joint, x["x"], y["MW"]),
        "hidden_crf": (kc.models.HiddenCRF(encoder, crowd), x["words"], y["tokens"]),
    }
    for joint_model, _, _ in found.values():
        joint_model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    return found


class Recorder(keras.callbacks.Callback):
    """Trainable parameters before training and after each step: of each head, or of the whole model."""

    def __init__(self, names: Any = HEADS) -> None:
        super().__init__()
        self.names = names
        self.steps: list[dict[str, np.ndarray]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.on_train_batch_end(-1)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        layers = {name: parts(self.model, name) for name in self.names} or {"": [self.model]}
        self.steps.append({name: parameters(found) for name, found in layers.items()})

    def history(self) -> dict[str, np.ndarray]:
        """`(steps + 1, parameters)`."""
        return {name: np.stack([step[name] for step in self.steps]) for name in self.steps[0]}


def parts(zoo: Any, name: str) -> list[Any]:
    """The classifier and the crowd layer of a head."""
    return [zoo.get_layer(f"{name}_below"), zoo.get_layer(name)]


def parameters(layers: list[Any]) -> np.ndarray:
    """The trainable parameters of some layers as one vector."""
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    return np.concatenate([keras.ops.convert_to_numpy(variable).ravel() for variable in variables])
