"""A connection and crowd layers that are not of the package work wherever those of the package do."""

import keras
import numpy as np
import pytest
from conftest import BACKEND, XLA
from keras import ops as kops

import keras_crowd as kc
from keras_crowd.annotations import as_annotations
from keras_crowd.em import Problem
from keras_crowd.layers import connections

R, K, ITEMS = 5, 3, 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ITEMS, 4)).astype("float32")
ANNOTATIONS = kc.Annotations.from_dense(RNG.integers(-1, K, (ITEMS, R)), classes=K)
RATINGS = kc.Annotations.from_dense(RNG.normal(size=(ITEMS, R)).astype("float32"))


@keras.saving.register_keras_serializable(package="outsider")
class OneCoin(connections.ClassConnection):
    """`z_r = log(c_r f + (1 - c_r) / K)`, `c_r` the sigmoid of a number per annotator."""

    def __init__(self, start=1.0):
        self.start = start

    def parameters(self, width):
        return {"skill": connections.Parameter((1,), keras.initializers.Constant(self.start))}

    def logits(self, f, skill):
        coin = kops.sigmoid(skill)
        coin = kops.expand_dims(coin, 0) if len(coin.shape) == 2 else coin
        return kops.log(coin * kops.expand_dims(f, -2) + (1 - coin) / f.shape[-1])

    def get_config(self):
        return {"start": self.start}


@keras.saving.register_keras_serializable(package="outsider")
class Offsets(kc.layers.CrowdLayer):
    """Annotators add a number to the model's; a penalty keeps it small."""

    answer_kind = kc.annotations.Ratings()

    def __init__(self, num_annotators, strength=0.1, **kwargs):
        super().__init__(num_annotators, **kwargs)
        self.strength = strength

    def build_annotators(self, predictions_shape):
        self.add_parameter("offset", (), "zeros")
        self.add_penalty("offset", keras.regularizers.L2(self.strength) if self.strength else None)

    def predict_answers(self, predictions, annotators, training, mask):
        rows = self.rows(annotators, training)
        if training and self.penalties:
            self.penalize("offset", self.rows(None, training)["offset"])
        return predictions + rows["offset"]

    def predicted_shape(self, predictions_shape):
        return ()

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}


def classes(**kwargs):
    return kc.layers.CrowdsClassification(R, OneCoin(), name="crowd", **kwargs)


def offsets(**kwargs):
    return Offsets(R, name="crowd", **kwargs)


CASES = {
    "connection": (classes, kc.losses.MaskedCrowdCrossEntropy, ANNOTATIONS, "skill"),
    "layer": (offsets, kc.losses.MaskedCrowdMeanSquaredError, RATINGS, "offset"),
}


def model_on(crowd, slots, width):
    classifier = keras.Sequential([keras.Input((4,)), keras.layers.Dense(width)])
    if width > 1:
        classifier.add(keras.layers.Softmax())
    if not slots:
        return keras.Model(classifier.inputs, crowd(classifier.outputs[0]))
    ids = keras.Input((None,), dtype="int32", name="annotators")
    return keras.Model([*classifier.inputs, ids], crowd(classifier.outputs[0], annotators=ids))


@pytest.fixture(params=[(case, slots) for case in CASES for slots in (False, True)], ids=str)
def trained(request):
    case, slots = request.param
    layer, loss, annotations, name = CASES[case]
    crowd = layer()
    model = model_on(crowd, slots, K if case == "connection" else 1)
    optimizer = kc.optimizers.crowd_optimizer(model, keras.optimizers.SGD(0.1), 0.2)
    model.compile(optimizer, loss(), jit_compile=XLA)
    ids, answers = annotations.slots() if slots else (None, annotations.dense())
    x = (X, ids) if slots else X
    kc.validate(model, x, answers)
    before = kops.convert_to_numpy(crowd.annotators[name])
    schedule = kc.callbacks.RegularizerSchedule(crowd, ramp=1)
    model.fit(x, answers, epochs=2, verbose=0, callbacks=[schedule, kc.callbacks.CrowdFreeze(crowd, 1)])
    assert np.any(kops.convert_to_numpy(crowd.annotators[name]) != before)
    return model, crowd, x, answers


def test_it_trains_strips_and_comes_back_from_a_file(trained, tmp_path):
    model, crowd, x, _ = trained
    stripped = kc.strip(model)
    features = x[0] if isinstance(x, tuple) else x
    assert stripped.predict(features, verbose=0).shape == (
        ITEMS,
        keras.tree.flatten(crowd.input)[0].shape[-1],
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_it_is_held_and_learns_at_its_own_rate(trained):
    model, crowd, x, answers = trained
    before = [kops.convert_to_numpy(v) for v in crowd.annotators.trainable_variables]
    crowd.hold()
    model.fit(x, answers, epochs=1, verbose=0)
    for variable, value in zip(crowd.annotators.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(kops.convert_to_numpy(variable), value)


@pytest.mark.by_turns
@pytest.mark.parametrize("case", CASES)
def test_lazy_steps_are_those_of_adam_where_everybody_answers(case):
    layer, loss, annotations, name = CASES[case]
    if case == "layer":
        layer = lambda **kwargs: Offsets(R, strength=0.0, name="crowd", **kwargs)  # noqa: E731
    ids = np.tile(np.arange(R, dtype="int32"), (ITEMS, 1))
    found = []
    for lazy in (None, ITEMS * R):
        keras.utils.set_random_seed(1)
        crowd = layer(max_batch_slots=lazy)
        model = model_on(crowd, True, K if case == "connection" else 1)
        model.compile(kc.optimizers.crowd_optimizer(model, "adam", 0.1), loss(), jit_compile=XLA)
        model.fit((X, ids), annotations.dense(), batch_size=ITEMS, epochs=3, verbose=0)
        found.append(kops.convert_to_numpy(crowd.annotators[name]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-6)


def test_regularizers_of_the_classifier_and_classes_that_cannot_be_renamed():
    crowd = classes(classifier_regularizer=kc.regularizers.ClassifierLogDet(1.0))
    model = model_on(crowd, False, K)
    crowd(kc.ops.one_hot_answers(np.arange(K), K), training=True)
    assert len(model.losses) == 1
    with pytest.raises(ValueError, match=r"the classes cannot be renamed.*OneCoin"):
        kc.align_classes(model, X, ANNOTATIONS)
    with pytest.raises(ValueError, match=r"to take any confusion.*OneCoin"):
        crowd.set_confusion(np.full((R, K, K), 1 / K))


@pytest.mark.skipif(BACKEND != "jax", reason="one backend shows it: layouts are compared by name")
@pytest.mark.parametrize("case", CASES)
def test_its_annotators_are_sharded(case):
    mesh = keras.distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
    crowd = CASES[case][0]()
    crowd.build((None, K if case == "connection" else 1))
    layouts = kc.distribution.layout_map(mesh, crowd)
    assert layouts[crowd.annotators[CASES[case][3]].path].axes == ("model",)


@pytest.mark.parametrize("conn_type", ["XY", 3, connections.Scale(), None])
def test_what_is_no_connection_of_classes_is_refused(conn_type):
    with pytest.raises(ValueError, match=r"`conn_type` must be one of 'MW'.*ClassConnection.*Received"):
        kc.layers.CrowdsClassification(R, conn_type)


def test_an_instance_of_a_named_connection_is_the_same_layer():
    crowd = kc.layers.CrowdsClassification(R, connections.ConfusionMatrix())
    assert crowd.get_config()["conn_type"] == crowd.conn_type == "CM"


class Reliability(Problem):
    """Answers yes or no, by annotators who are right with a probability of their own."""

    def __init__(self, network, data, prior):
        self.said = as_annotations(data.answers, 2)
        self.strength = prior.strength
        self.accuracy = np.full(self.said.num_annotators, 0.7)
        features = data.features(self.said.num_items, self.said)
        super().__init__(network, features, self.said, self.said.answers_per_item() > 0)

    def start(self, how):
        return np.full(self.said.num_items, 0.5) if how is None else np.array(how)

    def maximize(self, posterior):
        q = posterior[self.said.item_index]
        right = np.where(self.said.answers == 1, q, 1 - q)
        right = np.bincount(self.said.annotator_index, right, self.said.num_annotators)
        given = self.said.answers_per_annotator()
        self.accuracy = (0.7 * self.strength + right) / (self.strength + given)

    def targets(self, posterior):
        return posterior[:, None]

    def predict(self):
        return self.features.predict(self.network.model)[:, 0].astype(float)

    def expect(self, predictions):
        log_odds = np.log(self.accuracy / (1 - self.accuracy))[self.said.annotator_index]
        log_odds = np.where(self.said.answers == 1, log_odds, -log_odds)
        both = np.log(predictions / (1 - predictions)) + np.bincount(self.said.item_index, log_odds, ITEMS)
        return 1 / (1 + np.exp(-both)), float(np.log1p(np.exp(both)).sum())

    def default_loss(self):
        return "binary_crossentropy"

    def estimates(self):
        return {"accuracy": self.accuracy}


def reliability_by_loops(answers, f, q, iterations, strength):
    for step in range(iterations + 1):
        accuracy = []
        for r in range(R):
            given = [(i, answers[i, r]) for i in range(ITEMS) if answers[i, r] >= 0]
            right = sum(q[i] if answer else 1 - q[i] for i, answer in given)
            accuracy.append((0.7 * strength + right) / (strength + len(given)))
        for i in range(ITEMS if step < iterations else 0):
            yes, no = f[i], 1 - f[i]
            for r in range(R):
                if answers[i, r] >= 0:
                    yes *= accuracy[r] if answers[i, r] == 1 else 1 - accuracy[r]
                    no *= accuracy[r] if answers[i, r] == 0 else 1 - accuracy[r]
            q[i] = yes / (yes + no)
    return q, accuracy


def test_expectation_maximization_of_ones_own(tmp_path):
    answers = np.random.default_rng(1).integers(-1, 2, (ITEMS, R))
    start = np.random.default_rng(2).random(ITEMS)
    classifier = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    classifier.compile(keras.optimizers.SGD(0.0))
    trainer = kc.EMTrainer(classifier, strength=3.0, problem=Reliability)
    arguments = {"start": start, "verbose": 0, "backup_dir": tmp_path}
    history = trainer.fit(X, answers, iterations=3, **arguments)
    f = classifier.predict(X, verbose=0)[:, 0].astype(float)
    q, accuracy = reliability_by_loops(answers, f, start.copy(), 3, 3.0)
    np.testing.assert_allclose(trainer.posterior()[:, 0], q, rtol=1e-4)
    np.testing.assert_allclose(trainer.estimates()["accuracy"], accuracy, rtol=1e-4)
    assert classifier.loss == "binary_crossentropy"
    assert len(history.history["log_likelihood"]) == 3
    with pytest.raises(ValueError, match=r"accuracy are known\. Received: a request for the confusion"):
        trainer.confusion()


@pytest.mark.parametrize("problem", ["classes", Problem, 3])
def test_what_is_no_problem_is_refused(problem):
    with pytest.raises(
        ValueError, match=r"`problem` must be a subclass of `keras_crowd.em.Problem`.*Received"
    ):
        kc.EMTrainer(keras.Sequential([keras.layers.Dense(1)]), problem=problem)
