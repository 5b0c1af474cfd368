"""Features of annotators as columns of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._arguments import array_of_numbers

_NO_SPREAD = 1e-12


class Columns(NamedTuple):
    """The way that features become numbers.

    Attributes:
        texts: The texts of each column of text, sorted; `None` for a column of numbers.
        centers: Mean of each number over the annotators it was made from.
        scales: Standard deviation; 1 for the indicators of texts.
    """

    texts: dict[str, list[str] | None]
    centers: np.ndarray
    scales: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers."""
        return tuple(
            name if texts is None else f"{name}={text}"
            for name, texts in self.texts.items()
            for text in ([""] if texts is None else texts)
        )

    def numbers(self, features: npt.ArrayLike | Mapping[str, npt.ArrayLike]) -> np.ndarray:
        """Returns `(annotators, numbers)`, centered and scaled; a text that is not known is the mean of all."""
        given = _by_name(features)
        if list(given) != list(self.texts):
            raise ValueError(
                f"`features` must have the columns {list(self.texts)}. Received: {list(given)}"
            )
        columns = [_numbers(name, given[name], texts) for name, texts in self.texts.items()]
        return np.where(
            np.isnan(raw := np.concatenate(columns, axis=1)), 0.0, (raw - self.centers) / self.scales
        )


def as_columns(features: npt.ArrayLike | Mapping[str, npt.ArrayLike], num_annotators: int) -> Columns:
    """Checks the features of the annotators, and says how they become numbers."""
    given = _by_name(features)
    for name, column in given.items():
        if np.shape(column) != (num_annotators,):
            raise ValueError(
                f"`annotator_features` must have one row for each of {num_annotators} annotators. "
                f"Received: column {name!r} of shape {np.shape(column)}"
            )
    texts = {name: _texts(column) for name, column in given.items()}
    raw = [_numbers(name, given[name], of) for name, of in texts.items()]
    for name, column in zip(given, raw, strict=True):
        if not np.all(np.isfinite(column)):
            raise ValueError(
                f"`annotator_features` must be finite. Received: column {name!r} with NaN or infinity"
            )
    numbers = np.concatenate(raw, axis=1)
    is_text = np.repeat([of is not None for of in texts.values()], [column.shape[1] for column in raw])
    spread = numbers.std(axis=0)
    scales = np.where(is_text | (spread < _NO_SPREAD), 1.0, spread)
    return Columns(texts, numbers.mean(axis=0), scales)


def _by_name(features: npt.ArrayLike | Mapping[str, npt.ArrayLike]) -> dict[str, np.ndarray]:
    """Columns by their names; those of an array by their place."""
    if isinstance(features, Mapping) or hasattr(features, "columns"):  # of a data frame
        given = {str(name): np.asarray(column) for name, column in dict(features).items()}  # type: ignore[arg-type]
    else:
        array = array_of_numbers("annotator_features", features)
        if array.ndim != 2:
            raise ValueError(
                "`annotator_features` must be a dict of columns, or numbers of shape (annotators, features). "
                f"Received: shape {array.shape}"
            )
        given = {str(i): column for i, column in enumerate(array.T)}
    if not given:
        raise ValueError("`annotator_features` must have a column. Received: none")
    return given


def _texts(column: np.ndarray) -> list[str] | None:
    return None if column.dtype.kind in "biuf" else sorted({str(value) for value in column})


def _numbers(name: str, column: np.ndarray, texts: list[str] | None) -> np.ndarray:
    """One column of numbers, or indicators of the texts: NaN of a text that is not known."""
    if texts is None:
        return array_of_numbers(name, column)[:, None]
    values = np.array([str(value) for value in column])
    known = np.isin(values, texts)
    return np.where(known[:, None], (values[:, None] == np.array(texts)).astype(float), np.nan)
