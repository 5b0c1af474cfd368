"""The kinds of answers; and one of one's own, defined outside the package, from the array to `fit`."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd.annotations import AnswerKind, Classes, LabelSets, Ratings, Tags, kind_given

XLA = keras.backend.backend() != "torch"
R, L, N = 3, 4, 12
RNG = np.random.default_rng(7)


@dataclasses.dataclass(frozen=True)
class Sets(AnswerKind):
    """Which of some labels an annotator ticked: 1 or 0 each, -1 for one that was not shown."""

    num_labels: int
    name = "sets"
    losses = ("outsider>SetCrossEntropy",)
    has_classes = True

    @property
    def shape(self):
        return (self.num_labels,)

    @property
    def dtype(self):
        return "int32"

    @property
    def missing(self):
        return -1

    def is_answered(self, table):
        return np.any(table >= 0, axis=-1)

    def observed(self, table):
        if not np.isin(table, (-1, 0, 1)).all():
            raise ValueError("`answers` must be 1, 0 or -1. Received: others")
        return self.is_answered(table)

    def class_ids(self, answers, classes):
        return np.arange(self.num_labels) if classes is None else np.asarray(classes)

    def recoded(self, answers, positions, kind):
        rows = kind.empty((len(answers),))
        rows[:, positions] = answers
        return rows

    def union(self, others, num_classes):
        return Sets(num_classes)


@keras.saving.register_keras_serializable(package="outsider")
class SetCrossEntropy(keras.losses.Loss):
    """Binary cross-entropy of the labels that were shown, over their number."""

    def call(self, y_true, y_pred):
        shown = keras.ops.cast(y_true >= 0, y_pred.dtype)
        ticked = keras.ops.cast(y_true > 0, y_pred.dtype)
        values = shown * (keras.ops.softplus(y_pred) - ticked * y_pred)
        return keras.ops.sum(values, axis=(-2, -1)) / keras.ops.maximum(keras.ops.mean(shown), 1e-6)


@keras.saving.register_keras_serializable(package="outsider")
class TickingHabits(kc.layers.CrowdLayer):
    """Annotators tick each label more or less readily than the classifier would."""

    @property
    def answer_kind(self):
        return Sets(self.num_labels)

    def build_annotators(self, predictions_shape):
        self.num_labels = predictions_shape[-1]
        self.add_parameter("habit", (self.num_labels,), "zeros")

    def predict_answers(self, predictions, annotators, training, mask):
        return predictions[..., None, :] + self.rows(annotators, training)["habit"]

    def predicted_shape(self, predictions_shape):
        return (predictions_shape[-1],)


def sets():
    table = RNG.integers(-1, 2, (N, R, L))
    table[RNG.random((N, R)) < 0.4] = -1
    table[0] = -1
    return table


def test_dense_arrays_tell_their_kinds():
    assert kind_given([[0, 1], [2, -1]]) == Classes()
    assert kind_given([[0.5, np.nan]]) == Ratings()
    assert kind_given(np.zeros((2, 3, 4))) == Classes(4, soft=True)
    assert kind_given(np.zeros((2, 3, 4), int)) == Tags()
    assert kind_given(np.zeros((2, 3, 4, 5))) == Tags(5, soft=True)
    with pytest.raises(
        ValueError, match=r"`answers` must be numbers .*Received: shape \(1, 1\), dtype <U1"
    ):
        kind_given([["a"]])


def test_annotations_have_a_kind():
    hard = kc.Annotations.from_dense([[0, 1], [2, -1]])
    assert hard.kind == Classes(3)
    assert hard.soft().kind == Classes(3, soft=True)
    assert hard.soft().hard().kind == Classes(3)
    assert hard.select(items=[1]).kind == hard.split(0.5)[0].kind == Classes(3)
    assert kc.Annotations.from_dense([[0.5, np.nan]]).kind == Ratings()
    assert kc.Annotations.concat([hard, hard.select(items=[1]).soft()], duplicates="first").kind == Classes(
        3, soft=True
    )


@pytest.mark.parametrize("kind", [Classes(3), Tags(3), Ratings(), Ratings((2,)), LabelSets(3)])
def test_names_of_losses_metrics_and_aggregation_are_those_of_the_package(kind):
    losses, metrics = (
        [keras.saving.get_registered_object(name) for name in names]
        for names in (kind.losses, kind.metrics)
    )
    assert all(loss.__module__.startswith("keras_crowd.losses") for loss in losses)
    assert all(metric.__module__ == "keras_crowd.metrics" for metric in metrics)
    assert {*kind.aggregations} <= {*dir(kc.aggregation)}


@pytest.mark.parametrize(
    ("crowd", "width", "kind"),
    [
        (kc.layers.CrowdsClassification(R), 4, Classes(4)),
        (kc.layers.CrowdsOrdinal(R, 5), 1, Classes(5)),
        (kc.layers.CrowdsRegression(R), 1, Ratings()),
        (kc.layers.CrowdsRegression(R), 2, Ratings((2,))),
        (kc.layers.CrowdsMultiLabel(R), 4, LabelSets(4)),
    ],
)
def test_layers_say_which_answers_they_take(crowd, width, kind):
    crowd.build((None, width))
    assert crowd.answer_kind == kind
    assert crowd.answer_losses[0].__name__ == kind.losses[0].split(">")[1]


def test_tags_are_answers_to_tokens():
    crowd = kc.layers.CrowdsSequenceLabeling(R)
    assert crowd.answer_kind == Tags()
    crowd.build((None, None, 6))
    assert crowd.answer_kind == Tags(6)


def test_a_kind_of_ones_own_in_the_container():
    table = sets()
    annotations = kc.Annotations.from_dense(table, kind=Sets(L), classes=list("abcd"))
    assert annotations.kind == Sets(L)
    assert annotations.classes.tolist() == list("abcd")
    assert len(annotations) == np.sum((table >= 0).any(axis=2))
    np.testing.assert_array_equal(annotations.dense(), table)
    who, said = annotations.slots()
    for i in range(N):
        given = [r for r in range(R) if (table[i, r] >= 0).any()]
        assert who[i].tolist() == given + [-1] * (who.shape[1] - len(given))
        np.testing.assert_array_equal(said[i, : len(given)], table[i, given])
        assert (said[i, len(given) :] == -1).all()
    kept, held_out = annotations.split(0.3)
    np.testing.assert_array_equal(np.maximum(kept.dense(), held_out.dense()), table)
    other = kc.Annotations.from_dense([[[1, 0]]], kind=Sets(2), classes=["b", "e"], items=["new"])
    joined = kc.Annotations.concat([annotations, other])
    assert joined.classes.tolist() == list("abcde")
    assert joined.dense()[-1, 0].tolist() == [-1, 1, -1, -1, 0]
    with pytest.raises(ValueError, match="`duplicates='majority'` is for classes"):
        kc.Annotations.concat([annotations, annotations], duplicates="majority")
    with pytest.raises(ValueError, match="all of classes or all of numbers"):
        kc.Annotations.concat([annotations, kc.Annotations.from_dense([[0]])])


@pytest.mark.by_turns
@pytest.mark.parametrize("form", ["slots", "dense"])
def test_a_kind_of_ones_own_is_trained_on(form):
    table, x = sets(), RNG.normal(size=(N, 5)).astype("float32")
    annotations = kc.Annotations.from_dense(table, kind=Sets(L))
    crowd = TickingHabits(R)
    classifier = keras.Sequential([keras.Input((5,)), keras.layers.Dense(L)])
    model = kc.crowd_model(classifier, crowd, slots=form == "slots")
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match=r"crowd answers that are sets, here `.*SetCrossEntropy\(\)`"):
        kc.validate(model, x, annotations)
    assert crowd.answer_losses == (SetCrossEntropy,)
    model.compile("adam", crowd.answer_losses[0](), jit_compile=XLA)
    kc.validate(model, x, annotations)
    with pytest.raises(ValueError, match="`answers` must be 1, 0 or -1"):
        kc.validate(model, x, 2 * table) if form == "dense" else kc.validate(
            model, (x, annotations.slots()[0]), annotations.slots()[1] * 2
        )
    batches = kc.pipelines.CrowdBatches(x, annotations, 4, form=form, shuffle=False)
    expected = annotations.dense() if form == "dense" else annotations.slots()[1]
    used = np.flatnonzero(annotations.answers_per_item())[:4]
    np.testing.assert_array_equal(batches[0][1], expected[used])
    losses = model.fit(batches, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert np.isfinite(losses).all()
    assert kc.strip(model).output_shape == (None, L)
