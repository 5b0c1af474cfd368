"""What is interrupted goes on as if it had not been: `fit_crowd`, `EMTrainer` and the files that they keep."""

import keras
import numpy as np
import pytest

import keras_crowd as kc
from keras_crowd import _backup, _choices, _training
from keras_crowd._backup import Backup
from keras_crowd.selection import regularization_path

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 60)
X = (np.eye(3)[TRUTH] + RNG.normal(scale=0.5, size=(60, 3))).astype("float32")
ANSWERS = np.where(RNG.random((60, 4)) < 0.8, TRUTH[:, None], RNG.integers(0, 3, (60, 4)))
ANSWERS[RNG.random((60, 4)) < 0.3] = -1
FEW = {"weights": [0.0, 1.0], "num_replicas": 2, "epochs": 3, "batch_size": 20, "verbose": 0}

pytestmark = [
    pytest.mark.filterwarnings("ignore:The classes had been permuted"),
    pytest.mark.usefixtures("any_shares"),
]


class KilledError(Exception):
    """Stands for the end of the process."""


class Dies(keras.callbacks.Callback):
    """At the start of an epoch, or of the end of training."""

    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            raise KilledError

    def on_train_end(self, logs=None):
        if self.at is None:
            raise KilledError


@pytest.fixture
def every_epoch(monkeypatch):
    """Backups are written after every epoch, however fast it was."""
    monkeypatch.setattr(_backup, "_SHARE", 1.0)


def network(seed=1, activation="relu", rate=0.3):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation),
            keras.layers.Dropout(rate, seed=2),
            keras.layers.Dense(3, "softmax"),
        ]
    )


# --- fit_crowd -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_training.ClassTraining, "put_classes_back", lambda self, annotations: None)
        patch.setattr(_choices, "_MOST_UNEQUAL", None)
        return kc.fit_crowd(network(), X, ANSWERS, **FEW)


@pytest.mark.by_turns
@pytest.mark.parametrize(("training", "epoch"), [(1, 1), (4, 2), (4, None)])
def test_fit_crowd_goes_on_as_if_there_had_been_no_interruption(
    training, epoch, whole, every_epoch, tmp_path, monkeypatch
):
    """From the weights of the first call, whatever those of the second are."""
    fit, trainings = _training.Training.fit, []

    def dies(self, weight, annotations, replica, callbacks=(), *rest):
        trainings.append(weight)
        if len(trainings) == training + 1 and not [*tmp_path.glob("killed")]:
            (tmp_path / "killed").touch()
            callbacks = [*callbacks, Dies(epoch)]
        return fit(self, weight, annotations, replica, callbacks, *rest)

    monkeypatch.setattr(_training.ClassTraining, "put_classes_back", lambda self, annotations: None)
    monkeypatch.setattr(_training.Training, "fit", dies)
    with pytest.raises(KilledError):
        kc.fit_crowd(network(), X, ANSWERS, backup_dir=tmp_path, **FEW)
    trainings.clear()
    again = kc.fit_crowd(network(seed=9), X.copy(), ANSWERS, backup_dir=tmp_path, **FEW)
    assert len(trainings) == 5 - training
    np.testing.assert_allclose(again.path.losses, whole.path.losses, rtol=1e-4)
    for value, expected in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)
    assert again.history.epoch == [0, 1, 2]
    np.testing.assert_allclose(again.history.history["loss"], whole.history.history["loss"], rtol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["killed"]


@pytest.mark.only_under("torch")
def test_fit_crowd_refuses_the_backup_of_another_call(tmp_path):
    """Each call differs in one thing, which the error names; what was kept stays."""
    few = {**FEW, "weights": 0.5}
    with pytest.raises(KilledError):
        kc.fit_crowd(network(), X, ANSWERS, callbacks=[Dies(1)], backup_dir=tmp_path, **few)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name, classifier, x, arguments in [
        ("features", network(), X[::-1], {}),
        ("classifier", network(activation="tanh"), X, {}),
        ("optimizer", network(), X, {"optimizer": keras.optimizers.Adam(0.02)}),
        ("epochs", network(), X, {"epochs": 4}),
        ("batch_size", network(), X, {"batch_size": 30}),
        ("weights", network(), X, {"weights": 0.6}),
        ("crowd_learning_rate", network(), X, {"crowd_learning_rate": 0.1}),
        ("seed", network(), X, {"seed": 5}),
    ]:
        with pytest.raises(ValueError, match=rf"delete .*start.npz to start .* differs in: {name}$"):
            kc.fit_crowd(classifier, x, ANSWERS, backup_dir=tmp_path, **{**few, **arguments})
    with pytest.raises(ValueError, match=r"differs in: answers$"):
        kc.fit_crowd(network(), X, ANSWERS[:, ::-1], backup_dir=tmp_path, **few)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.only_under("jax")
def test_a_stop_of_the_last_training_is_not_gone_beyond(every_epoch, tmp_path):
    """Killed after the callback has stopped it, before the weights of the best epoch were restored."""
    few, stop = {**FEW, "weights": 0.5, "epochs": 9}, {"mode": "max", "restore_best_weights": True}
    early = keras.callbacks.EarlyStopping("loss", patience=2, min_delta=9.0, **stop)
    whole = kc.fit_crowd(network(), X, ANSWERS, callbacks=[early], **few)
    assert whole.history.epoch == [0, 1, 2]
    for at in (1, None):
        early = keras.callbacks.EarlyStopping("loss", patience=2, min_delta=9.0, **stop)
        with pytest.raises(KilledError):
            kc.fit_crowd(network(), X, ANSWERS, callbacks=[Dies(at), early], backup_dir=tmp_path, **few)
        early = keras.callbacks.EarlyStopping("loss", patience=2, min_delta=9.0, **stop)
        again = kc.fit_crowd(network(), X, ANSWERS, callbacks=[Dies(99), early], backup_dir=tmp_path, **few)
        assert again.history.epoch == [0, 1, 2]
        assert early.best_epoch == 0
        for value, expected in zip(
            again.classifier.get_weights(), whole.classifier.get_weights(), strict=True
        ):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


# --- EMTrainer -------------------------------------------------------------------------------------


def expectation_maximization(x=X, answers=ANSWERS, make=network, prior=None, **arguments):
    trainer = kc.EMTrainer(make(), seed=5, prior=prior)
    return trainer, trainer.fit(x, answers, verbose=0, **{"iterations": 4, "batch_size": 30, **arguments})


def interrupted(epoch, folder, **arguments):
    with pytest.raises(KilledError):
        expectation_maximization(callbacks=[Dies(epoch)], backup_dir=folder, **arguments)


def batches(x=X):
    return kc.pipelines.CrowdBatches(x, ANSWERS, 30, form="items")


@pytest.mark.by_turns
@pytest.mark.parametrize("kind", ["PyDataset", "iterable"])
def test_shuffled_batches_come_in_the_order_that_they_would_have_had(kind, every_epoch, tmp_path):
    def make():
        return batches() if kind == "PyDataset" else Reshuffled()

    whole, history = expectation_maximization(make(), epochs=2)
    interrupted(2, tmp_path, x=make(), epochs=2)
    again, history_again = expectation_maximization(make(), epochs=2, backup_dir=tmp_path)
    np.testing.assert_allclose(again.posterior(), whole.posterior(), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(history_again.history["loss"], history.history["loss"], rtol=1e-5)


class Reshuffled:
    """Another order each time, drawn as the batches go, as PyTorch's samplers do."""

    def __init__(self):
        self.rng = np.random.default_rng(3)

    def __iter__(self):
        items = np.arange(60)
        while len(items):
            some = self.rng.choice(items, 20, replace=False)
            items = np.setdiff1d(items, some)
            yield X[some], some


@pytest.mark.only_under("torch")
def test_em_refuses_the_backup_of_another_call(tmp_path):
    interrupted(1, tmp_path)
    gold = np.where(np.arange(60) < 9, TRUTH, -1)
    slow = network()
    slow.compile(keras.optimizers.Adam(1e-5), keras.losses.CategoricalCrossentropy())
    for name, arguments in [
        ("answers", {"answers": ANSWERS[:, ::-1]}),
        ("classifier", {"make": lambda: network(rate=0.1)}),
        ("optimizer", {"make": lambda: slow}),
        ("features", {"x": X[::-1]}),
        ("features", {"x": batches()}),
        ("gold", {"gold": gold}),
        ("epochs", {"epochs": 2}),
        ("start", {"start": "majority_vote"}),
        ("prior", {"prior": 1.0}),
    ]:
        with pytest.raises(ValueError, match=rf"delete .*em.npz to start .* differs in: {name}$"):
            expectation_maximization(backup_dir=tmp_path, **arguments)
    expectation_maximization(X.copy(), iterations=2, backup_dir=tmp_path)
    interrupted(1, tmp_path, x=batches())
    with pytest.raises(ValueError, match=r"differs in: features$"):
        expectation_maximization(batches(X + 1), backup_dir=tmp_path)


def test_fewer_iterations_than_are_done_are_refused(every_epoch, tmp_path):
    interrupted(2, tmp_path)
    with pytest.raises(ValueError, match=r"`iterations` must be at least the 2 .*Received: iterations=1"):
        expectation_maximization(iterations=1, backup_dir=tmp_path)
    _, history = expectation_maximization(iterations=3, backup_dir=tmp_path)
    assert history.epoch == [0, 1, 2]


def test_callbacks_go_on_with_what_they_knew(every_epoch, tmp_path):
    def callbacks():
        stop = keras.callbacks.EarlyStopping(
            "log_likelihood", mode="max", min_delta=1e9, patience=3, restore_best_weights=True
        )
        slower = keras.callbacks.ReduceLROnPlateau("loss", mode="min", min_delta=1e9, patience=2)
        return [stop, slower]

    whole, history = expectation_maximization(iterations=9, callbacks=callbacks())
    assert history.epoch == [0, 1, 2, 3]
    with pytest.raises(KilledError):
        expectation_maximization(iterations=9, callbacks=[*callbacks(), Dies(2)], backup_dir=tmp_path)
    again, history = expectation_maximization(iterations=9, callbacks=callbacks(), backup_dir=tmp_path)
    assert history.epoch == [0, 1, 2, 3]
    rates = [
        float(keras.ops.convert_to_numpy(t.classifier.optimizer.learning_rate)) for t in (again, whole)
    ]
    assert rates[0] == rates[1] < 1e-3
    for value, expected in zip(again.classifier.get_weights(), whole.classifier.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("tolerance", [1e9, None])
def test_a_stop_is_not_gone_beyond(tolerance, every_epoch, tmp_path):
    """Killed after it was decided: by the tolerance, or by a callback."""
    early = keras.callbacks.EarlyStopping("log_likelihood", mode="max", min_delta=1e9, patience=1)
    stop = {"tolerance": tolerance} if tolerance else {"callbacks": [early]}
    arguments = {**stop, "callbacks": [*stop.get("callbacks", []), Dies(None)], "backup_dir": tmp_path}
    with pytest.raises(KilledError):
        expectation_maximization(**arguments)
    _, history = expectation_maximization(**stop, backup_dir=tmp_path)
    assert history.epoch == [0, 1]


# --- files -----------------------------------------------------------------------------------------


def broken_files():
    yield "empty", lambda whole: b""
    yield "half", lambda whole: whole[: len(whole) // 2]
    yield "text", lambda whole: b"not a backup at all"
    yield "array", lambda whole: b"\x93NUMPY\x01\x00" + whole[8:80]
    yield "bits", lambda whole: whole[:400] + b"\xff" * 8 + whole[408:]


@pytest.mark.parametrize(("kind", "damage"), broken_files(), ids=lambda value: value)
def test_a_damaged_backup_is_named(kind, damage, tmp_path):
    file = tmp_path / "em.npz"
    Backup(file, {"answers": 1}).save(values=np.arange(100.0))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(
        ValueError,
        match=r"`backup_dir` must hold .*: delete .*em.npz to start again. Received: a file that",
    ):
        Backup(file, {"answers": 1}).load()


def test_damaged_files_are_named_by_all_who_read_them(tmp_path):
    for name in ("em.npz", "start.npz", "path.npz"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match=r"delete .*em.npz to start again"):
        expectation_maximization(backup_dir=tmp_path)
    with pytest.raises(ValueError, match=r"delete .*start.npz to start again"):
        kc.fit_crowd(network(), X, ANSWERS, backup_dir=tmp_path, **FEW)
    with pytest.raises(ValueError, match=r"`backup_dir` must hold .*: delete .*path.npz to start again"):
        regularization_path(lambda weight, annotations: None, ANSWERS, backup_dir=tmp_path)


def test_the_path_is_of_what_its_training_depends_on(tmp_path):
    def train(weight, annotations):
        return np.full((60, 3), 1 / 3), np.full((4, 3, 3), 1 / 3)

    arguments = {"backup_dir": tmp_path, "verbose": 0}
    regularization_path(train, ANSWERS, [0.0], given={"features": X}, **arguments)
    regularization_path(None, ANSWERS, [0.0], given={"features": X.copy()}, **arguments)
    with pytest.raises(ValueError, match=r"differs in: features$"):
        regularization_path(train, ANSWERS, [0.0], given={"features": X[::-1]}, **arguments)


def test_a_full_disk_leaves_what_was_kept(tmp_path):
    resource = pytest.importorskip("resource")
    backup = Backup(tmp_path / "em.npz", {"answers": 1})
    backup.save(values=np.arange(5))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"the backup was not written.*em.npz"):
            backup.save(values=np.zeros(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    np.testing.assert_array_equal(backup.load()["values"], np.arange(5))
    assert [path.name for path in tmp_path.iterdir()] == ["em.npz"]


def test_writing_takes_a_twentieth_of_the_time(tmp_path, monkeypatch):
    """Epochs of 1 s, files that take 2 s: over a long time one of 20 s is spent in writing."""
    clock = [0.0]
    monkeypatch.setattr(_backup.time, "monotonic", lambda: clock[0])
    write = _backup.write_npz

    def slow(*args, **kwargs):
        clock[0] += 2.0
        write(*args, **kwargs)

    monkeypatch.setattr(_backup, "write_npz", slow)
    backup, written = Backup(tmp_path / "em.npz", {}), 0
    for _ in range(1000):
        clock[0] += 1.0
        if backup.due():
            backup.save()
            written += 1
    assert 0.04 < 2.0 * written / clock[0] <= 0.055
    assert not Backup(None, {}).due()


def test_what_was_made_of_other_types_or_shapes_is_other(tmp_path):
    values = np.arange(6)
    Backup(tmp_path / "a.npz", {"values": values}).save()
    Backup(tmp_path / "a.npz", {"values": [values.copy()]}).load()
    for other in (values.reshape(2, 3), values.view("float64"), [values, values], None, "text"):
        with pytest.raises(ValueError, match=r"differs in: values$"):
            Backup(tmp_path / "a.npz", {"values": other}).load()
