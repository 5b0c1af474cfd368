"""`CrowdMonitor`: whether the classes keep their names, and stay apart, without gold labels."""

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops as kops

from .._arguments import number, one_row_an_item, whole_number
from .._typing import Features, Tensor
from ..aggregation import majority_vote
from ..annotations import Answers, as_annotations, of_annotators, rows_by_id
from ..evaluation import classifier_alignment, effective_rank
from ..layers import CrowdLayer
from ..ops import class_probabilities
from ..regularizers import ClassifierLogDet, ConfusionLogDet
from ._classifier import check_classifier, check_crowd, predictions
from ._epochs import as_epochs

_LOGS = ("classifier_log_det", "confusion_log_det", "effective_rank", "mean_diagonal", "permuted_classes")
_ADVICE = (
    "start the crowd layer by `crowd.adapt(answers)`, hold it at first with `CrowdFreeze`, or give "
    "its regularizers less weight or, with `RegularizerSchedule`, a longer ramp"
)


class CrowdMonitor(keras.callbacks.Callback):
    """Warns, without gold labels, when training exchanges or loses classes.

    Training on answers alone may end with the classes in another order, or explain the answers by noisy annotators and
    a classifier that tells few classes apart. The callback adds to the logs of an epoch, so put it before the callbacks
    that use them (`CSVLogger`, `EarlyStopping`):

    | log | what | best |
    |---|---|---|
    | `crowd_classifier_log_det` | `1/K log det(K F'F / n)` of the monitored items | 0 |
    | `crowd_confusion_log_det` | `1/K log det(1/R sum_r A_r A_r')` of the confusions | 0 |
    | `crowd_effective_rank` | how many classes the classifier tells apart, `evaluation.effective_rank` | K |
    | `crowd_mean_diagonal` | mean diagonal of the confusions, annotators weighed by their answers | 1 |
    | `crowd_permuted_classes` | classes exchanged, by `evaluation.classifier_alignment` | 0 |

    `keras_crowd.align_classes` repairs exchanged classes after training.

    Args:
        crowd: The crowd layer.
        classifier: The classifier below the crowd layer, a built Keras model of one output; `(batch, 1)`, a sigmoid,
            is the probability of class 1 of two.
        x: Features of the monitored items, such as the training items: an array, or a list or dict of
            arrays for several inputs.
        answers: The answers to them: `Annotations`; integers `(items, annotators)` with `-1` for missing; or soft
            answers, floats `(items, annotators, classes)` with zeros.
        max_items: Integer. Largest number of items to monitor, evenly spread over those with answers. Defaults to 1000.
        every: Integer. The first epoch, then each `every`-th one, and the last one are monitored. Defaults to 1.
        on_permuted: `"warn"` (a `RuntimeWarning`, once per `fit`), `"stop"` (warn and stop training) or `"ignore"`,
            when classes are exchanged. Defaults to `"warn"`.
        on_collapse: String. The same, when the effective rank is below `min_rank`. Defaults to `"warn"`.
        min_rank: Float. Defaults to two thirds of the effective rank of the majority votes, which is the number of
            classes where all are alike frequent. With 2 such classes, a classifier passes that gives its first choice
            more than about 0.65; with 10 classes, more than about 0.44.
        warm_up: Float. Number of first epochs (below 1, a share of all epochs) that are only logged, because every
            classifier begins by telling nothing apart. Defaults to 0.25.
        batch_size: Integer. Number of items per batch. Defaults to 256.
        from_logits: Boolean. Whether the classifier gives logits. Defaults to `False`.
        prefix: String. Put before each name in the logs. Defaults to `"crowd_"`.

    Example:

    >>> crowd = model.layers[-1]
    >>> monitor = keras_crowd.callbacks.CrowdMonitor(crowd, classifier, x, answers, on_collapse="ignore")
    >>> history = model.fit(x, answers, epochs=2, callbacks=[monitor], verbose=0)
    >>> len(history.history["crowd_effective_rank"])
    2

    Reference:
        O. Roy, M. Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO 2007.
    """

    def __init__(
        self,
        crowd: CrowdLayer,
        classifier: keras.Model,
        x: Features,
        answers: Answers,
        *,
        max_items: int = 1000,
        every: int = 1,
        on_permuted: str = "warn",
        on_collapse: str = "warn",
        min_rank: float | None = None,
        warm_up: float = 0.25,
        batch_size: int = 256,
        from_logits: bool = False,
        prefix: str = "crowd_",
    ) -> None:
        super().__init__()
        for name, value in {"max_items": max_items, "every": every, "batch_size": batch_size}.items():
            whole_number(name, value)
        _check_actions(on_permuted=on_permuted, on_collapse=on_collapse)
        number("warm_up", warm_up, at_least=0)
        check_crowd(crowd)
        check_classifier(classifier)
        annotations = as_annotations(answers, max(2, classifier.output_shape[-1]))
        x = keras.tree.map_structure(lambda part: rows_by_id("x", part, annotations), x)
        one_row_an_item(keras.tree.flatten(x), annotations.num_items)
        of_annotators(annotations, crowd.num_annotators)
        answered = np.flatnonzero(annotations.answers_per_item())
        spread = np.linspace(0, len(answered) - 1, min(max_items, len(answered))).astype(int)
        self.crowd = crowd
        self.classifier = classifier
        self.x = keras.tree.map_structure(lambda array: np.asarray(array)[answered[spread]], x)
        self.answers = annotations.slots()[1][answered[spread]]
        self.answers_per_annotator = annotations.answers_per_annotator()
        self.every = every
        self.on_permuted = on_permuted
        self.on_collapse = on_collapse
        self.min_rank = _min_rank(self.answers) if min_rank is None else min_rank
        self.warm_up = warm_up
        self.batch_size = batch_size
        self.from_logits = from_logits
        self.prefix = prefix
        self._warned: set[str] = set()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._warned = set()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        epochs = self.params.get("epochs", 1)
        if logs is None or (epoch % self.every and epoch != epochs - 1):
            return
        found = self._look()
        logs.update({self.prefix + name: value for name, value in found.items()})
        if epoch + 1 > as_epochs(self.warm_up, epochs):
            self._judge(epoch, found["permuted_classes"], found["effective_rank"])

    def _look(self) -> dict[str, float]:
        f = self._predict()
        if not np.isfinite(f).all():  # training has diverged, which is not for this callback to stop
            return dict.fromkeys(_LOGS, float("nan"))
        confusion = self.crowd.confusion()
        permutation = classifier_alignment(f, self.answers)
        diagonal = np.diagonal(confusion, axis1=1, axis2=2).mean(axis=1)
        values = (
            -_number(ClassifierLogDet().penalty(kops.convert_to_tensor(f))),
            -_number(ConfusionLogDet().penalty(kops.convert_to_tensor(confusion))),
            effective_rank(f),
            float(np.average(diagonal, weights=self.answers_per_annotator)),
            float(np.sum(permutation != np.arange(len(permutation)))),
        )
        return dict(zip(_LOGS, values, strict=True))

    def _predict(self) -> np.ndarray:
        batches = predictions(self.classifier, self.x, len(self.answers), self.batch_size)
        output = np.concatenate([output for _, output in batches]).astype("float32")
        return class_probabilities(output, self.from_logits)

    def _judge(self, epoch: int, permuted: float, rank: float) -> None:
        if permuted > 0:
            self._act(
                "permuted",
                f"{permuted:.0f} of the classifier's classes agree better with the answers of another class "
                f"(epoch {epoch + 1}). `keras_crowd.align_classes` renames them after training; to avoid it, "
                f"{_ADVICE}.",
            )
        if rank < self.min_rank:
            self._act(
                "collapse",
                f"The classifier tells few classes apart: effective rank {rank:.2f}, below {self.min_rank:.2f} "
                f"(epoch {epoch + 1}). Train longer, {_ADVICE}.",
            )

    def _act(self, event: str, message: str) -> None:
        action = getattr(self, f"on_{event}")
        if action == "ignore":
            return
        if event not in self._warned:
            self._warned.add(event)
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        if action == "stop":
            self.model.stop_training = True


def _number(value: float | Tensor) -> float:
    return float(kops.convert_to_numpy(value))


def _min_rank(answers: np.ndarray) -> float:
    votes = majority_vote(answers, ties="random", seed=0)
    return effective_rank(np.eye(votes.max() + 1)[votes]) * 2 / 3


def _check_actions(**actions: str) -> None:
    for name, value in actions.items():
        if value not in ("warn", "stop", "ignore"):
            raise ValueError(f'`{name}` must be "warn", "stop" or "ignore". Received: {name}={value!r}')
