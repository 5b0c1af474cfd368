"""Parquet in chunks, each column as codes: memory follows the answers, not the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..annotations import MISSING
from ..annotations import column as id_column
from ._columns import Column
from ._headers import refuse_column
from ._opened import FILE

_CHUNK = 1 << 20  # rows


def pyarrow() -> Any:
    """The package, or an error that says how to get it."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError("Parquet needs pyarrow: pip install 'keras_crowd[io]'") from error
    return pyarrow


class ArrowCoder:
    """Makes a `Column` of arrays of pyarrow that come one after the other.

    Each array is coded by itself; codes become those of a common dictionary as soon as the arrays that wait hold
    more values than it, so that its values are looked up a few times only.
    """

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source
        self._pa = pyarrow()
        self._dictionary: Any = None
        self._codes: list[np.ndarray] = []
        self._waiting: list[Any] = []
        self._num_waiting = 0

    def add(self, array: Any) -> None:
        """Appends an array of ids."""
        if not self._pa.types.is_dictionary(array.type):
            array = self._refuse_nested(array).dictionary_encode()
        if array.type.index_type != self._pa.int32():
            array = array.cast(self._pa.dictionary(self._pa.int32(), array.type.value_type))
        self._waiting.append(array)
        self._num_waiting += len(array.dictionary)
        if self._num_waiting > max(2 * self._num_known(), _CHUNK):
            self._unify()

    def column(self) -> Column:
        """All values so far."""
        self._unify()
        if self._dictionary is None:
            return Column(np.zeros(0, np.int32), np.zeros(0, object), self.name)
        codes = np.empty(sum(map(len, self._codes)), np.int32)
        start = 0
        while self._codes:  # freed one by one
            part = self._codes.pop(0)
            codes[start : start + len(part)] = part
            start += len(part)
        return _without_missing(codes, _values(self.name, self._dictionary), self.name)

    def _num_known(self) -> int:
        return 0 if self._dictionary is None else len(self._dictionary)

    def _unify(self) -> None:
        """The dictionary of all arrays so far, that of the earlier ones first: their codes stay what they are."""
        if not self._waiting:
            return
        known = [] if self._dictionary is None else [self._nothing()]
        unified = self._pa.chunked_array(known + self._waiting).unify_dictionaries().chunks
        self._dictionary = unified[-1].dictionary
        for chunk in unified[len(known) :]:
            indices = chunk.indices.fill_null(MISSING) if chunk.indices.null_count else chunk.indices
            self._codes.append(indices.to_numpy())
        self._waiting, self._num_waiting = [], 0

    def _nothing(self) -> Any:
        """An array without values that has the dictionary."""
        return self._pa.DictionaryArray.from_arrays(self._pa.array([], self._pa.int32()), self._dictionary)

    def _refuse_nested(self, array: Any) -> Any:
        if self._pa.types.is_nested(array.type) or (self._pa.types.is_null(array.type) and len(array)):
            raise ValueError(
                f"{self.source}, column {self.name!r}: expected text, numbers, true or false, one class in each row "
                "(`read_hugging_face` reads lists of the answers of all). "
                f"Received: {array.type}"
            )
        return array


def parquet_columns(path: FILE, columns: Sequence[str]) -> list[Column]:
    """The named columns of a Parquet file, chunk by chunk."""
    coders = [ArrowCoder(name, str(path)) for name in columns]
    for batch in parquet_batches(path, columns):
        for coder, name in zip(coders, columns, strict=True):
            coder.add(batch.column(name))
    return [coder.column() for coder in coders]


def keeps_dictionary(path: FILE, name: str) -> bool:
    """Whether a column is a categorical of texts: then its `values` are all its categories, in their order.

    A dictionary that is not ordered, and not of pandas, is an encoding only.
    """
    pa = pyarrow()
    with pa.parquet.ParquetFile(path) as file:
        schema, metadata = file.schema_arrow, file.metadata
    type_ = schema.field(name).type
    if not pa.types.is_dictionary(type_) or type_.value_type not in (pa.string(), pa.large_string()):
        return False
    if not type_.ordered and b"pandas" not in (schema.metadata or {}):
        return False
    groups = [metadata.row_group(i).to_dict()["columns"] for i in range(metadata.num_row_groups)]
    return all(
        column["has_dictionary_page"]
        for group in groups
        for column in group
        if column["path_in_schema"] == name
    )


def parquet_batches(path: FILE, columns: Sequence[str] | None) -> Iterator[Any]:
    """Record batches of the named columns, or of all of them."""
    pa = pyarrow()
    try:
        with pa.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            names, schema = file.schema_arrow.names, file.schema_arrow
            for name in names if columns is None else columns:
                if names.count(name) != 1:
                    refuse_column(str(path), name, names)
            texts = [
                name
                for name in columns or ()
                if schema.field(name).type in (pa.string(), pa.large_string())
            ]
        # Text that stands in the file as codes is read as codes.
        options = {"read_dictionary": texts, "page_checksum_verification": True}
        with pa.parquet.ParquetFile(path, **options) as file:
            yield from file.iter_batches(batch_size=_CHUNK, columns=columns)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise ValueError(f"{path}: expected a Parquet file. Received: {error}") from error


def _values(name: str, dictionary: Any) -> np.ndarray:
    if dictionary.null_count == 0 and dictionary.type in _native_types():
        return dictionary.to_numpy(zero_copy_only=False)
    try:
        return id_column(name, dictionary.to_pylist())
    except OverflowError as error:  # dates that Python does not have
        raise ValueError(
            f"column {name!r}: expected ids that Python can hold. Received: {error}"
        ) from error


def _native_types() -> tuple[Any, ...]:
    pa = pyarrow()
    return (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64())


def _without_missing(codes: np.ndarray, values: np.ndarray, name: str) -> Column:
    """NaN among the values is a missing one."""
    if values.dtype.kind == "f" and np.any(np.isnan(values)):
        new_code = np.append(np.where(np.isnan(values), MISSING, np.arange(len(values))), MISSING)
        codes = new_code[codes].astype(np.int32)
    return Column(codes, values, name)
