"""`MixUp`: batches of items mixed in pairs, with the answers to both."""

from __future__ import annotations

from typing import Any, Literal, get_args

import keras
import numpy as np

from .._arguments import number, whole_number
from .._typing import Features
from ..annotations import Annotations, Answers, Classes, as_answers
from ._answer_rows import AnswerRows
from ._features import FeatureRows, with_annotators

MixedForm = Literal["slots", "dense", "answers"]


class MixUp(keras.utils.PyDataset):
    """Batches for `fit` of items that are mixed in pairs: features between two items, and the answers to both.

    Each item `i` of a batch gets a partner `j` of the batch, and a share `w ~ Beta(alpha, alpha)`:

        x = w x_i + (1 - w) x_j,    loss = w sum_r L(y_ir, x) + (1 - w) sum_r L(y_jr, x)

    Annotators answer for themselves: `L(y_ir, x)` is the loss of annotator `r`, predicted at the mixed features. The
    answers come as soft answers that sum to their share, so that the model and
    `keras_crowd.losses.MaskedCrowdCrossEntropy` need not know of it. They are scaled so that the loss is the mean
    over the shares of a batch.

    With `form="answers"` a batch is made of single answers, each with its item and its annotator, and annotators are
    mixed as well, as in Annot-Mix: train on it with `keras_crowd.losses.MixedCrowdCrossEntropy`.

    Mixing does harm where a mixture of two items is no possible item, as in a table with categories. Compare training
    with and without it on held-out answers. Items that nobody answered are left out.

    Args:
        x: Features of numbers, row `i` of which is item `i`: whatever `CrowdBatches` takes. Whole numbers, such as the
            ids of tokens, cannot be mixed.
        annotations: `Annotations` of classes, hard or soft, or a dense array of such answers.
        batch_size: Integer. Items in a batch; answers with `form="answers"`. Defaults to 32.
        alpha: Float above 0. Parameter of the Beta distribution: with 1 all shares are equally likely, with less most
            are near 0 or 1. Defaults to 0.4.
        form: `"slots"`, `((x, annotators), answers)`, twice as many as the most answers to one item; `"dense"`,
            `(x, answers)`; or `"answers"`, slots of two answers each. Defaults to `"slots"`.
        shuffle: Boolean. Whether items are in another order each epoch. Defaults to `True`.
        seed: Integer. Seed of orders, partners and shares. Defaults to 0.
        **kwargs: `workers=`, `use_multiprocessing=` and `max_queue_size=` of `keras.utils.PyDataset`.

    Raises:
        ValueError: When features or answers cannot be mixed, or an argument is out of range.

    Example:

    >>> x = np.arange(6.0).reshape(3, 2)
    >>> batches = keras_crowd.pipelines.MixUp(x, np.array([[0, 1], [-1, 0], [-1, 1]]), batch_size=3)
    >>> (features, annotators), answers = batches[0]
    >>> features.shape, annotators.shape, answers.shape
    ((3, 2), (3, 4), (3, 4, 2))

    Reference:
        H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: Beyond empirical risk minimization", ICLR 2018;
        M. Herde, L. Lührs, D. Huseljic, B. Sick, "Annot-Mix: Learning with noisy class labels from multiple annotators
        via a mixup extension", ECAI 2024 (of single answers).
    """

    def __init__(
        self,
        x: Features,
        annotations: Answers,
        batch_size: int = 32,
        *,
        alpha: float = 0.4,
        form: MixedForm = "slots",
        shuffle: bool = True,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.batch_size = whole_number("batch_size", batch_size)
        self.alpha = number("alpha", alpha, above=0)
        self.seed = whole_number("seed", seed, low=0)
        if form not in get_args(MixedForm):
            raise ValueError(
                f"`form` must be one of {', '.join(map(repr, get_args(MixedForm)))}. Received: form={form!r}"
            )
        self.form, self.shuffle = form, shuffle
        self.annotations = _of_classes(annotations)
        self._features = FeatureRows(x, self.annotations)
        self._answers = AnswerRows(self.annotations, "slots", None)
        self._answers.num_slots = self._answers.widest
        of_answers = form == "answers"
        self._positions = np.arange(len(self.annotations)) if of_answers else self._answers.used()
        _refuse_whole_numbers(self._features(self._answers.used()[:1]))
        self._epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self._positions) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"`index` must be from 0 to {len(self) - 1}. Received: {index}")
        positions = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng([self.seed, self._epoch, index])
        share = rng.beta(self.alpha, self.alpha, len(positions)).astype("float32")
        partner = rng.permutation(len(positions))
        x, annotators, answers = self._batch(positions)
        mixed = keras.tree.map_structure(lambda part: _between(part, part[partner], share), x)
        share = share[:, None, None]
        both = share * answers, (1 - share) * answers[partner]
        if self.form == "dense":
            return mixed, _of_mean_one(both[0] + both[1])
        annotators = np.concatenate([annotators, annotators[partner]], axis=1)
        answers = np.concatenate(both, axis=1)
        answers = answers if self.form == "answers" else _of_mean_one(answers)
        return with_annotators(mixed, annotators), answers

    def on_epoch_end(self) -> None:
        """Draws another order, if items are shuffled, and other partners and shares."""
        self._epoch += 1
        rng = np.random.default_rng([self.seed, self._epoch])
        self._order = rng.permutation(self._positions) if self.shuffle else self._positions

    def _batch(self, positions: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
        """Features, annotators and distributions over the classes, zeros for missing."""
        annotations = self.annotations
        if self.form == "answers":
            items, annotators = (
                annotations.item_index[positions],
                annotations.annotator_index[positions, None],
            )
            answers = annotations.answers[positions, None]
        elif self.form == "dense":
            items, annotators, answers = positions, np.empty(0, int), self._answers.dense(positions)
        else:
            items, (annotators, answers) = positions, self._answers.slots(positions)
        return self._features(items), annotators, self._distributions(answers)

    def _distributions(self, answers: np.ndarray) -> np.ndarray:
        if self.annotations.kind.shape:
            return np.nan_to_num(answers.astype("float32"))
        return (answers[..., None] == np.arange(self.annotations.num_classes)).astype("float32")


def _of_classes(answers: Answers) -> Annotations:
    """The answers, which must be classes."""
    annotations = as_answers(answers)
    if not isinstance(annotations.kind, Classes):
        raise ValueError(
            "`annotations` must be answers of classes: others cannot be mixed. "
            f"Received: {annotations.kind.name}"
        )
    return annotations


def _refuse_whole_numbers(x: Features) -> None:
    """Refuses features between two of which there is nothing."""
    for part in keras.tree.flatten(x):
        if part.dtype.kind != "f":
            raise ValueError(
                "`x` must be floats to be mixed. Cast images; mix what an embedding or a frozen network makes of "
                f"tokens. Received: dtype {part.dtype}"
            )


def _between(part: np.ndarray, partner: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`w x_i + (1 - w) x_j` of features `(batch, ...)`."""
    share = share.reshape(-1, *[1] * (part.ndim - 1)).astype(part.dtype)
    return share * part + (1 - share) * partner


def _of_mean_one(answers: np.ndarray) -> np.ndarray:
    """Weighted answers `(batch, annotators or slots, K)`, scaled to 1 on the mean over those with any weight."""
    weights = answers.sum(axis=-1)
    return answers * (np.sum(weights > 0) / max(weights.sum(), np.finfo("float32").tiny)).astype("float32")
