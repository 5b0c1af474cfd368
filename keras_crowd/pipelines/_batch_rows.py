"""A batch of some of the items: features, answers, weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .._typing import Features
from ..annotations import Answers, as_answers
from ._answer_rows import AnswerRows, Form
from ._features import FeatureRows, checked_weights, with_annotators


class BatchRows:
    """The batches of `CrowdBatches`, each the element at some positions of items; see there for the arguments."""

    def __init__(
        self,
        x: Features,
        annotations: Answers,
        form: Form,
        num_slots: int | None,
        sample_weight: npt.ArrayLike | None,
    ) -> None:
        self.annotations, self.form = as_answers(annotations), form
        self._answers = AnswerRows(self.annotations, form, num_slots)
        # One width: Keras fixes what the first two batches have in common, and compiles each width anew.
        self._answers.num_slots = num_slots or self._answers.widest
        self._features = FeatureRows(x, self.annotations)
        self._weights = checked_weights(sample_weight, self.annotations)

    def used(self) -> np.ndarray:
        """Positions of the items that batches are made of."""
        return self._answers.used()

    def __len__(self) -> int:
        return self.annotations.num_items

    def __getitem__(self, items: Any) -> tuple[Any, ...]:
        items = np.asarray(items)
        x = self._features(items)
        weights = () if self._weights is None else (self._weights[items],)
        if self.form == "items":
            return (x, items, *weights)
        if self.form == "dense":
            return (x, self._answers.dense(items), *weights)
        annotators, answers = self._answers.slots(items)
        return (with_annotators(x, annotators), answers, *weights)
