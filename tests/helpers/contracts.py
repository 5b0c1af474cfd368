"""One behaviour contract for every public Keras object (STYLE.md, rule 10).

A public object joins by an entry in `LAYERS`, `LOSSES`, `METRICS` or `OTHERS`; `test_contracts.py` runs them all
and fails when a public object has no entry.
"""

import dataclasses
from typing import Any, get_args

import keras
import numpy as np

import keras_crowd as kc


def names(conn_type: Any) -> tuple[str, ...]:
    """The names in a type such as `ClassConnType`, so that new connections join by themselves."""
    return get_args(get_args(conn_type)[0])


RATING_CONN_TYPES = names(kc.layers.connections.RatingConnType)
CONN_TYPES = names(kc.layers.connections.ClassConnType)
ITEM_CONN_TYPES = get_args(kc.layers.connections.ItemConnType)  # which look at features of the items
SHARING = ("one_coin", "class_wise", "prototypes")


@dataclasses.dataclass
class LayerCase:
    """A layer, its arguments, one input each and the shape that must come out."""

    cls: type
    kwargs: dict[str, Any]
    inputs: tuple[np.ndarray, ...]
    output_shape: tuple[int, ...]
    num_weights: int  # trainable
    loss: type = kc.losses.MaskedCrowdCrossEntropy
    names: tuple[str, ...] = ()  # of the inputs after the first, where they go in by name

    def call(self, layer: Any, inputs: Any, **kwargs: Any) -> Any:
        """The layer, or another function of its inputs, on inputs such as these."""
        by_name = dict(zip(self.names, inputs[1:], strict=True)) if self.names else {}
        return layer(*(inputs[:1] if self.names else inputs), **by_name, **kwargs)

    @property
    def answers(self) -> np.ndarray:
        """What the layer can be trained on, the first item unanswered."""
        if self.loss is kc.losses.MaskedCrowdBinaryCrossEntropy:
            sets = np.random.default_rng(0).integers(0, 2, self.output_shape).astype("int8")
            sets[0] = -1
            return sets
        if self.loss is kc.losses.MaskedCrowdCrossEntropy:
            answers = np.zeros(self.output_shape[:-1], "int32")
            answers[0] = -1
            return answers
        gaussian = self.loss is kc.losses.MaskedCrowdGaussian
        answers = numbers(*(self.output_shape[:-1] if gaussian else self.output_shape))
        answers[0] = np.nan
        return answers

    @property
    def id(self) -> str:
        return f"{self.cls.__name__}-{self.kwargs.get('conn_type', '')}-{'x'.join(map(str, self.output_shape))}"


def probabilities(*shape: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype("float32")


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


SLOTS = np.array([[0, 2, -1], [1, -1, -1], [4, 3, 0], [2, 1, 3]], "int32")

LAYERS = [
    LayerCase(
        layer,
        {"num_annotators": 5, "conn_type": conn_type},
        inputs,
        shape,
        2 if conn_type in ("VW+B", *SHARING) else 1,
    )
    for layer, items in {
        kc.layers.CrowdsClassification: [
            ((probabilities(4, 3),), (4, 5, 3)),
            ((probabilities(4, 6, 3),), (4, 6, 5, 3)),
            ((probabilities(4, 3), SLOTS), (4, 3, 3)),
            ((probabilities(4, 6, 3), SLOTS), (4, 6, 3, 3)),
        ],
        kc.layers.CrowdsSequenceLabeling: [
            ((probabilities(4, 6, 3),), (4, 6, 5, 3)),
            ((probabilities(4, 6, 3), SLOTS), (4, 6, 3, 3)),
        ],
    }.items()
    for conn_type in CONN_TYPES
    for inputs, shape in items
    if conn_type not in SHARING or len(shape) == 3  # each rank in tests/layers/test_layers.py
] + [
    LayerCase(
        kc.layers.CrowdsClassification,
        {
            "num_annotators": 5,
            "conn_type": "CM",
            "from_logits": True,
            "initial_accuracy": 0.8,
            "name": "crowd",
        },
        (probabilities(4, 3),),
        (4, 5, 3),
        1,
    ),
    LayerCase(
        kc.layers.CrowdsClassification,
        {
            "num_annotators": 5,
            "conn_type": "CM",
            "classifier_regularizer": kc.regularizers.ClassifierLogDet(0.5, momentum=0.9),
            "confusion_regularizer": kc.regularizers.ConfusionTrace(0.1),
        },
        (probabilities(4, 3), SLOTS),
        (4, 3, 3),
        1,
    ),
    LayerCase(
        kc.layers.CrowdsClassification,
        {
            "num_annotators": 5,
            "conn_type": "VW+B",
            "kernel_initializer": kc.initializers.CrowdIdentity(3.0),
            "bias_initializer": "ones",
        },
        (probabilities(4, 3),),
        (4, 5, 3),
        2,
    ),
]

LAYERS += [
    LayerCase(
        cls,
        {"num_annotators": 5, "conn_type": conn_type},
        inputs,
        shape,
        num_weights,
        names=input_names,
    )
    for conn_type, num_weights in {"CoNAL": 6, "item": 5, "MaDL": 5, "COINNet": 7}.items()
    for cls, inputs, shape, input_names in [
        (kc.layers.CrowdsClassification, (probabilities(4, 3), numbers(4, 7)), (4, 5, 3), ("features",)),
        (
            kc.layers.CrowdsSequenceLabeling,
            (probabilities(4, 6, 3), SLOTS, numbers(4, 6, 7)),
            (4, 6, 3, 3),
            ("annotators", "features"),
        ),
    ]
    if conn_type == "CoNAL" or len(shape) == 4  # each rank and form in tests/layers/test_layers_items.py
]

LAYERS += [
    LayerCase(
        kc.layers.CrowdsRegression,
        {"num_annotators": 5, "conn_type": conn_type},
        inputs,
        shape,
        len(conn_type) // 2 + 1,
        kc.losses.MaskedCrowdMeanSquaredError,
    )
    for conn_type in RATING_CONN_TYPES
    for inputs, shape in [
        ((numbers(4, 1),), (4, 5)),
        ((numbers(4, 3),), (4, 5, 3)),
        ((numbers(4, 1), SLOTS), (4, 3)),
        ((numbers(4, 3), SLOTS), (4, 3, 3)),
    ]
] + [
    LayerCase(
        kc.layers.CrowdsRegression,
        {
            "num_annotators": 5,
            "conn_type": conn_type,
            "answers_per_annotator": [3.0, 1.0, 0.0, 2.0, 5.0],
            "learn_variance": True,
            "initial_variance": 0.5,
            "variance_strength": 2.0,
            "scale_initializer": kc.initializers.PerAnnotator([1.0, 2.0, 0.5, 1.0, 1.0]),
            "bias_initializer": "ones",
            "scale_regularizer": keras.regularizers.L2(0.01),
            "bias_regularizer": keras.regularizers.L2(0.01),
            "name": "crowd",
        },
        inputs,
        shape,
        len(conn_type) // 2 + 3,
        kc.losses.MaskedCrowdGaussian,
    )
    for conn_type in RATING_CONN_TYPES
    for inputs, shape in [((numbers(4, 1), SLOTS), (4, 3, 2)), ((numbers(4, 3),), (4, 5, 3, 2))]
]

LAYERS += [
    LayerCase(
        kc.layers.CrowdsOrdinal,
        {
            "num_annotators": 5,
            "num_classes": num_classes,
            "answers_per_annotator": [3.0, 1.0, 0.0, 2.0, 5.0],
            "initial_slope": 1.5,
        },
        inputs,
        shape,
        3 if num_classes > 2 else 2,
    )
    for num_classes, inputs, shape in [
        (4, (numbers(4, 1),), (4, 5, 4)),
        (4, (numbers(4, 1), SLOTS), (4, 3, 4)),
        (2, (numbers(4, 1), SLOTS), (4, 3, 2)),
    ]
]

LAYERS += [
    LayerCase(
        kc.layers.CrowdsMultiLabel,
        {
            "num_annotators": 5,
            "conn_type": conn_type,
            "from_logits": conn_type == "full",
            "initial_accuracy": 0.7,
        },
        inputs,
        shape,
        2 if conn_type == "additive" else 1,
        kc.losses.MaskedCrowdBinaryCrossEntropy,
    )
    for conn_type in ("full", "additive", "annotator")
    for inputs, shape in [((probabilities(4, 3),), (4, 5, 3)), ((probabilities(4, 3), SLOTS), (4, 3, 3))]
]

LAYERS += [
    LayerCase(
        kc.layers.CrowdsPreference,
        {
            "num_annotators": 5,
            "conn_type": conn_type,
            "ties": ties,
            "grades": grades,
            "random_answers": grades > 1,
            "spread": 0.4,
            "answers_per_annotator": [3.0, 1.0, 0.0, 2.0, 5.0],
        },
        inputs,
        (*shape, 2 * grades + ties),
        num_weights,
    )
    for conn_type, ties, grades, inputs, shape, num_weights in [
        ("full", True, 1, (numbers(4, 1), probabilities(4, 1)), (4, 5), 5),
        ("full", True, 2, (numbers(4, 1), probabilities(4, 1), SLOTS), (4, 3), 7),
        ("reliability", False, 1, (numbers(4, 1), probabilities(4, 1), SLOTS), (4, 3), 1),
    ]
]


def one_of_each(cases: list[LayerCase]) -> list[LayerCase]:
    """Cases that have each connection with its arguments, and each form of each layer's inputs and answers."""
    seen: set[tuple] = set()
    found = []
    for case in sorted(cases, key=lambda case: len(case.inputs), reverse=True):  # slots first
        shapes = (case.output_shape, *(x.shape for x in case.inputs))
        arguments = [value if isinstance(value, int | str) else name for name, value in case.kwargs.items()]
        parts = {tuple(arguments), (case.cls, shapes)}
        if parts - seen:
            seen |= parts
            found.append(case)
    return found


ONE_OF_EACH = one_of_each(LAYERS)


ANSWERS = np.array([[0, 2, -1], [1, -1, -1], [-1, -1, -1], [2, 1, 0]])
LOGITS = np.random.default_rng(1).normal(size=(4, 3, 3)).astype("float32")

LOSSES = [
    (
        kc.losses.MaskedCrowdCrossEntropy,
        {"reduction": "sum", "name": "crowd", "dtype": "float32"},
        ANSWERS,
        LOGITS,
    ),
    (kc.losses.MixedCrowdCrossEntropy, {"reduction": "sum", "name": "mixed"}, ANSWERS, LOGITS),
    (kc.losses.UnionCrossEntropy, {"reduction": "sum", "name": "union"}, ANSWERS, LOGITS),
]
RATINGS = np.array([[0.5, 2.0, np.nan], [-1.0, np.nan, np.nan], [np.nan] * 3, [2.0, 1.0, 0.0]], "float32")
LOSSES += [
    (cls, {"reduction": "sum", "name": "crowd", "dtype": "float32", **kwargs}, RATINGS, predictions)
    for cls, kwargs, predictions in [
        (kc.losses.MaskedCrowdMeanSquaredError, {}, LOGITS[..., 0]),
        (kc.losses.MaskedCrowdMeanAbsoluteError, {}, LOGITS[..., 0]),
        (kc.losses.MaskedCrowdHuber, {"delta": 0.5}, LOGITS[..., 0]),
        (kc.losses.MaskedCrowdGaussian, {}, LOGITS[..., :2]),
    ]
]

SETS = np.array([[[1, 0, -1], [0, 0, 0], [-1] * 3]] * 2 + [[[-1] * 3] * 3, [[1, 1, 0]] * 3])
LOSSES += [(kc.losses.MaskedCrowdBinaryCrossEntropy, {"reduction": "sum", "name": "crowd"}, SETS, LOGITS)]

METRICS = [
    (kc.metrics.CrowdBinaryAccuracy, {"name": "agreement", "dtype": "float32"}, SETS, LOGITS),
    (kc.metrics.CrowdBinaryCrossEntropy, {"name": "nll", "dtype": "float32"}, SETS, LOGITS),
    (kc.metrics.CrowdAccuracy, {"name": "agreement", "dtype": "float32"}, ANSWERS, LOGITS),
    (kc.metrics.CrowdCrossEntropy, {"name": "nll", "dtype": "float32"}, ANSWERS, LOGITS),
    (kc.metrics.CrowdRootMeanSquaredError, {"name": "rmse", "dtype": "float32"}, RATINGS, LOGITS[..., 0]),
    (kc.metrics.CrowdGaussianCrossEntropy, {"name": "nll", "dtype": "float32"}, RATINGS, LOGITS[..., :2]),
]

INITIALIZERS = [
    (kc.initializers.CrowdIdentity, {"scale": 2.5}, (3, 4, 4)),
    (kc.initializers.CrowdIdentity, {"scale": 2.5}, (3, 4)),
    (kc.initializers.PerAnnotator, {"values": [1.0, 2.0, 3.0]}, (3, 4)),
    (kc.initializers.FromConfusion, {"confusion": probabilities(3, 4, 4)}, (3, 4, 4)),
]

REGULARIZERS = [
    (
        kc.regularizers.ClassifierLogDet,
        {"weight": 0.5, "momentum": 0.9, "epsilon": 1e-4, "ramp_steps": 10},
        probabilities(7, 3),
    ),
    (
        kc.regularizers.ConfusionLogDet,
        {"weight": 0.5, "epsilon": 1e-4, "ramp_steps": 10},
        probabilities(5, 3, 3),
    ),
    (kc.regularizers.ConfusionTrace, {"weight": 0.5, "ramp_steps": 10}, probabilities(5, 3, 3)),
]

CHAINS = [  # layers that give tags, which have no gradient: `test_chain_models.py` has the rest of the contract
    (kc.layers.LinearChainCRF, {"labels": ["O", "B-PER", "I-PER"], "name": "crf", "dtype": "float32"}),
]

OTHERS = [  # nothing to serialize, or models: `test_chain_models.py`, `test_joint_model.py` save and load them
    kc.callbacks.SpanValidation,
    kc.models.CRFTagger,
    kc.models.DoctorNet,  # `test_doctor_net.py`
    kc.models.HiddenCRF,
    kc.models.MaxMIG,  # `test_max_mig.py`
    kc.models.JointCrowdModel,
    kc.callbacks.CrowdFreeze,
    kc.callbacks.CrowdMonitor,
    kc.callbacks.GoldValidation,
    kc.callbacks.RegularizerSchedule,
    kc.layers.CrowdLayer,  # abstract: `test_outsiders.py`
]


def covered() -> set[type]:
    entries = [case.cls for case in LAYERS] + [
        entry[0] for entry in LOSSES + METRICS + INITIALIZERS + REGULARIZERS + CHAINS
    ]
    return {*entries, *OTHERS}


def public_keras_classes() -> set[type]:
    kinds = (
        keras.layers.Layer,
        keras.losses.Loss,
        keras.metrics.Metric,
        keras.initializers.Initializer,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
        keras.callbacks.Callback,
    )
    modules = [getattr(kc, name) for name in dir(kc) if not name.startswith("_")]
    found = {
        obj
        for module in [kc, *modules]
        for name, obj in vars_of(module).items()
        if not name.startswith("_")
    }
    return {obj for obj in found if isinstance(obj, type) and issubclass(obj, kinds)}


def vars_of(module: Any) -> dict[str, Any]:
    return {
        name: obj
        for name, obj in getattr(module, "__dict__", {}).items()
        if isinstance(obj, type) and obj.__module__.startswith("keras_crowd")
    }
