"""Bad arguments of the public face: a `ValueError` that names the argument, says what was expected and what came.

One table: what is called with good arguments, and values that each of them must refuse. Nothing is trained.
"""

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd import _choices

NAN, INF = float("nan"), float("inf")
X, Y = np.ones((6, 3), "float32"), np.tile([0, 1, 2, 1], (6, 1))
RATINGS = np.arange(24.0).reshape(6, 4) / 7
Q = np.full((6, 3), 1 / 3)
CONFUSION = np.full((4, 3, 3), 1 / 3)
CROWD = kc.layers.CrowdsClassification(4, "CM")
CLASSIFIER = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
WORDS, COUNTS = ["10", "many", None], [0, -1, 2.5, "5", None, True]
POSITIVE = [0, -1.0, NAN, INF, "1"]
SHARES = [-0.1, 1.5, NAN, "0.5"]
LAYERS, REGULARIZERS, CALLBACKS = kc.layers, kc.regularizers, kc.callbacks


def train(weight, annotations):
    raise AssertionError("trained")


def fit_crowd(**arguments):
    return kc.fit_crowd(**{"classifier": CLASSIFIER, "x": X, "answers": Y, "verbose": 0, **arguments})


def em_fit(**arguments):
    return kc.EMTrainer(CLASSIFIER).fit(**{"x": X, "answers": Y, "verbose": 0, **arguments})


def on(function, **good):
    return lambda **bad: function(**{**good, **bad})


TABLE = {
    "CrowdsClassification": (
        on(LAYERS.CrowdsClassification, num_annotators=4, conn_type="CM"),
        {
            "num_annotators": COUNTS,
            "conn_type": ["XX", None, 3, ["MW"]],
            "from_logits": ["yes", 1, None],
            "initial_accuracy": [0, 1, -0.1, 2, NAN, "0.5"],
            "classifier_regularizer": [REGULARIZERS.ConfusionTrace(), REGULARIZERS.ConfusionLogDet()],
            "confusion_regularizer": [REGULARIZERS.ClassifierLogDet()],
            "max_batch_slots": [0, -3, 1.5],
        },
    ),
    "CrowdsRegression": (
        on(LAYERS.CrowdsRegression, num_annotators=4),
        {
            "num_annotators": COUNTS,
            "conn_type": ["XX", None, ["S"]],
            "learn_variance": ["yes", 1],
            "answers_per_annotator": [[1, 2], [-1, 1, 1, 1], [0, 0, 0, 0], "many"],
            "initial_variance": [0, -1.0, NAN, "1", [1.0, 2.0]],
            "variance_strength": POSITIVE,
        },
    ),
    "CrowdsOrdinal": (
        on(LAYERS.CrowdsOrdinal, num_annotators=4, num_classes=3),
        {
            "num_annotators": COUNTS,
            "num_classes": [1, *COUNTS],
            "initial_slope": POSITIVE,
            "answers_per_annotator": [[1, 2]],
        },
    ),
    "CrowdsMultiLabel": (
        on(LAYERS.CrowdsMultiLabel, num_annotators=4),
        {
            "num_annotators": COUNTS,
            "conn_type": ["XX", None, ["full"]],
            "from_logits": ["yes", 1],
            "initial_accuracy": [0, 1, NAN, "0.5"],
        },
    ),
    "CrowdsPreference": (
        on(LAYERS.CrowdsPreference, num_annotators=4),
        {
            "num_annotators": COUNTS,
            "conn_type": ["XX", None, "full "],
            "ties": ["yes", 1],
            "grades": [0, 11, 1.5, "3", None],
            "random_answers": ["yes", 1],
            "spread": POSITIVE,
            "answers_per_annotator": [[1, 2], [-1, 1, 1, 1], "many"],
        },
    ),
    "ClassifierLogDet": (
        REGULARIZERS.ClassifierLogDet,
        {
            "weight": [-1, NAN, INF, "1", None],
            "momentum": [-0.1, 1, NAN, "0.9"],
            "epsilon": [-1e-6, NAN, "0"],
            "ramp_steps": [-1, 0.5, None],
        },
    ),
    "ConfusionLogDet": (
        REGULARIZERS.ConfusionLogDet,
        {"weight": [-1, "1"], "epsilon": [-1e-6, NAN, "0"], "ramp_steps": [-1, 0.5]},
    ),
    "ConfusionTrace": (REGULARIZERS.ConfusionTrace, {"weight": [-1, NAN, "1"], "ramp_steps": [-1, 0.5]}),
    "CrowdIdentity": (kc.initializers.CrowdIdentity, {"scale": [NAN, INF, "1", None]}),
    "FromConfusion": (
        kc.initializers.FromConfusion,
        {"confusion": [np.zeros((2, 3, 3)), np.ones((3, 3)), "none", CONFUSION * NAN]},
    ),
    "PerAnnotator": (kc.initializers.PerAnnotator, {"values": [[NAN, 1.0], "many", np.ones((1, 2, 3))]}),
    "MaskedCrowdHuber": (kc.losses.MaskedCrowdHuber, {"delta": POSITIVE, "reduction": ["average"]}),
    "MaskedCrowdCrossEntropy": (kc.losses.MaskedCrowdCrossEntropy, {"reduction": ["average", 3]}),
    "CrowdFreeze": (
        on(CALLBACKS.CrowdFreeze, crowd=CROWD),
        {"epochs": [-1, NAN, "5", None], "crowd": [CLASSIFIER, "crowd", None]},
    ),
    "RegularizerSchedule": (
        on(CALLBACKS.RegularizerSchedule, crowd=CROWD),
        {
            "crowd": [CLASSIFIER, None],
            "warm_up": [-1, NAN, "1"],
            "ramp": [-1, "1"],
            "decay": [-1, None],
            "final": [-1, "1"],
            "schedule": [0.5],
        },
    ),
    "CrowdMonitor": (
        on(CALLBACKS.CrowdMonitor, crowd=CROWD, classifier=CLASSIFIER, x=X, answers=Y),
        {
            "crowd": [CLASSIFIER, None],
            "classifier": [CROWD, "model"],
            "max_items": [0, "5"],
            "every": [0, 1.5],
            "batch_size": [0, None],
            "on_permuted": ["shout", None],
            "warm_up": [-1, "1"],
        },
    ),
    "GoldValidation": (
        on(CALLBACKS.GoldValidation, classifier=CLASSIFIER, x=X, y=Y[:, 0]),
        {"batch_size": [0, "5", 2.5], "y": [Y, Y[:2, 0], Y[:, 0] * 0 - 1], "classifier": [CROWD]},
    ),
    "EMTrainer": (
        on(kc.EMTrainer, classifier=CLASSIFIER),
        {
            "num_annotators": [0, 2.5, "4"],
            "strength": [*POSITIVE, None],
            "from_logits": ["yes", None],
            "seed": [-1, 1.5, "0"],
            "classifier": ["model", None, CROWD],
        },
    ),
    "EMTrainer.fit": (
        em_fit,
        {
            "iterations": COUNTS,
            "epochs": [0, 1.5, "1"],
            "batch_size": [0, None],
            "tolerance": [NAN, "0"],
            "start": ["votes", np.ones((6, 3))],
            "gold": [Y[:2, 0], Y[:, 0] + 3],
            "answers": [Y[0], "text", None],
        },
    ),
    "fit_crowd": (
        fit_crowd,
        {
            "epochs": [0, -1, 1.5, "5"],
            "batch_size": [0, -1, 1.5, "5"],
            "weights": [-1.0, NAN, INF, "1", []],
            "conn_types": ["full", ["full"]],
            "num_replicas": [0, 1, 1.5, "4"],
            "fraction": SHARES,
            "seed": [-1, 1.5, "0"],
            "from_logits": ["yes", None],
            "crowd_learning_rate": [-1.0, NAN, "fast"],
            "answers": ["text", None],
        },
    ),
    "replica_path": (
        on(kc.selection.replica_path, train=train, answers=Y),
        {
            "weights": [[-1.0], [], [NAN], "1", None],
            "num_replicas": [1, 1.5, "4", None],
            "fraction": SHARES,
            "seed": [-1, 1.5, "0"],
            "answers": ["text", None],
        },
    ),
    "held_out_choice": (
        on(kc.selection.held_out_choice, train=train, answers=Y, choices=[1, 2]),
        {
            "choices": [[], "full", [1, 1]],
            "num_replicas": [0, 1.5, "4", None],
            "fraction": SHARES,
            "seed": [-1, 1.5, "0"],
            "answers": ["text", RATINGS],
        },
    ),
    "out_of_sample_predictions": (
        on(kc.selection.out_of_sample_predictions, train=train, answers=Y),
        {"num_splits": [1, 1.5, "4", None, 7], "seed": [-1, 1.5, "0"], "answers": ["text", None]},
    ),
    "regularization_path": (
        on(kc.selection.regularization_path, train=train, answers=Y, verbose=0),
        {
            "weights": [[-1.0], [], [NAN], "1", None],
            "num_splits": [0, 1.5, "4", None],
            "fraction": SHARES,
            "seed": [-1, 1.5, "0"],
        },
    ),
    "dawid_skene": (
        on(kc.aggregation.dawid_skene, answers=Y),
        {
            "strength": [0, -1, NAN, "1"],
            "class_strength": [*POSITIVE],
            "iterations": [0, 1.5, "5", None],
            "tolerance": [NAN, "0"],
            "gold": [[0, 1], Y, np.full(6, 0.5), np.full(6, 9), "text"],
            "annotator_weights": [*POSITIVE, [1, 2], [1, 1, 1, 0]],
            "answers": [None, "text", Y[0], Y + 0.5],
        },
    ),
    "annotator_dependence": (
        on(kc.evaluation.annotator_dependence, answers=Y, posterior=Q, confusion=CONFUSION),
        {"false_discovery_rate": [0, 1, -0.1, NAN, "0.5"], "posterior": [Q[:5], Q * 2, Y]},
    ),
    "annotator_weights": (
        on(kc.selection.annotator_weights, answers=Y),
        {
            "false_discovery_rate": [0, 1, -0.1, NAN, "0.5"],
            "iterations": [0, 1.5, "5"],
            "gold": [[0, 1], np.full(6, 9)],
        },
    ),
    "weighted_vote": (
        on(kc.aggregation.weighted_vote, answers=Y, gold=Y[0].repeat(2)[:6]),
        {
            "gold": [None, np.full(6, -1), [0, 1], np.full(6, 9), np.full(6, 0.5)],
            "answers": [RATINGS, Y[0]],
        },
    ),
    "prediction_powered_mean": (
        on(kc.evaluation.prediction_powered_mean, predictions=X[:, 0], gold=X[:, 0]),
        {
            "predictions": [X, [1.0, NAN, 1, 1, 1, 1], "text"],
            "gold": [X, np.full(6, NAN), [1.0, INF, 1, 1, 1, 1], [1.0, 0.0]],
            "confidence_level": [0, 1, 1.5, NAN, "0.9"],
        },
    ),
    "raykar": (
        on(kc.aggregation.raykar, answers=RATINGS),
        {"strength": POSITIVE, "iterations": [0, "5"], "tolerance": [NAN, "0"], "answers": [Y]},
    ),
    "annotator_table": (
        on(kc.aggregation.annotator_table, answers=Y, posterior=Q),
        {"posterior": [Q[:2], Q * 2, Q[0]], "min_answers": [0, "5"], "confusion": [CONFUSION[:2]]},
    ),
    "CrowdBatches": (
        on(kc.pipelines.CrowdBatches, x=X, annotations=Y),
        {
            "batch_size": COUNTS,
            "form": ["wide", None, 3],
            "num_slots": [0, 1.5, "4"],
            "seed": [-1, "0"],
            "sample_weight": [[1.0], np.full(6, -1.0), np.full(6, NAN)],
        },
    ),
}
CASES = [
    pytest.param(call, name, value, id=f"{owner}-{name}-{i}")
    for owner, (call, arguments) in TABLE.items()
    for name, values in arguments.items()
    for i, value in enumerate(values)
]


def test_the_table_is_long():
    assert len(CASES) >= 170


@pytest.mark.parametrize(("call", "name", "value"), CASES)
def test_bad_arguments_are_refused_by_name(call, name, value):
    with pytest.raises(ValueError, match=r"must|Expected") as error:
        call(**{name: value})
    message = str(error.value)
    assert f"`{name}`" in message
    assert "Received: " in message
    assert error.type is ValueError


def test_arrays_that_cannot_say_missing_are_refused():
    for dtype in ("uint8", "uint16"):
        with pytest.raises(ValueError, match=rf"`array` must be of a signed type.*Received: dtype {dtype}"):
            kc.Annotations.from_dense(np.array([[0, 1], [-1, 1]]).astype(dtype))
    assert kc.Annotations.from_dense(np.array([[0, 1]], "uint8")).num_classes == 2


def test_a_path_needs_two_answers_for_its_standard_error():
    with pytest.raises(
        ValueError, match=r"`fraction` must hold out at least 2 answers.*Received: fraction=0.1"
    ):
        kc.selection.regularization_path(train, [[0, 1], [1, 0], [1, 1]], [0.0], fraction=0.1, verbose=0)


def test_numpy_numbers_go_into_configs():
    """JSON takes no NumPy scalars."""
    penalty = REGULARIZERS.ClassifierLogDet(np.float32(0.5), momentum=np.float64(0.9))
    assert type(penalty.get_config()["momentum"]) is float
    layer = LAYERS.CrowdsClassification(np.int64(4), classifier_regularizer=penalty)
    assert keras.saving.serialize_keras_object(layer)


def test_dense_answers_may_lack_the_last_class(monkeypatch):
    monkeypatch.setattr(
        _choices, "ClassTraining", lambda classifier, x, annotations, *rest: 1 / annotations
    )
    with pytest.raises(TypeError, match="'Annotations'"):  # it came as far as training
        fit_crowd(answers=np.zeros((6, 4), int), weights=1.0)
