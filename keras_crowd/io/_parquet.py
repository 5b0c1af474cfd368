"""Parquet in chunks, each column as codes: memory follows the answers, not the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..annotations import MISSING
from ..annotations._ids import column as id_column
from ._columns import Column
from ._text import FILE

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

    Each array is coded by itself; the dictionaries are made one as soon as they hold as many values as the
    common one, so that each value is moved a few times only.
    """

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source
        self._pa = pyarrow()
        self._chunks: list[Any] = []
        self._pending = self._common = 0

    def add(self, array: Any) -> None:
        """Appends an array of ids."""
        if not self._pa.types.is_dictionary(array.type):
            array = self._refuse_nested(array).dictionary_encode()
        self._chunks.append(array)
        self._pending += len(array.dictionary)
        if self._pending > max(2 * self._common, _CHUNK):
            self._unify()

    def column(self) -> Column:
        """All values so far."""
        if not self._chunks:
            return Column(np.zeros(0, np.int32), np.zeros(0, object), self.name)
        self._unify()
        codes = np.empty(sum(map(len, self._chunks)), np.int32)
        start = 0
        while self._chunks:  # freed one by one
            chunk = self._chunks.pop(0)
            indices = chunk.indices
            if indices.null_count:
                indices = indices.fill_null(MISSING)
            codes[start : start + len(chunk)] = indices.to_numpy(zero_copy_only=False)
            start, dictionary = start + len(chunk), chunk.dictionary
        return _without_missing(codes, _values(self.name, dictionary), self.name)

    def _unify(self) -> None:
        pa = self._pa
        whole = pa.chunked_array(self._chunks)
        if pa.types.is_dictionary(whole.type) and whole.type.index_type != pa.int32():
            whole = whole.cast(pa.dictionary(pa.int32(), whole.type.value_type))
        self._chunks = list(whole.unify_dictionaries().chunks)
        self._pending = self._common = len(self._chunks[0].dictionary)

    def _refuse_nested(self, array: Any) -> Any:
        if self._pa.types.is_nested(array.type) or (self._pa.types.is_null(array.type) and len(array)):
            raise ValueError(
                f"{self.source}, column {self.name!r}: expected text, numbers, true or false. "
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


def parquet_batches(path: FILE, columns: Sequence[str] | None) -> Iterator[Any]:
    """Record batches of the named columns, or of all of them."""
    pa = pyarrow()
    try:
        with pa.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            names, schema = file.schema_arrow.names, file.schema_arrow
            for name in names if columns is None else columns:
                if names.count(name) != 1:
                    raise ValueError(
                        f"{path}: expected one column {name!r}. Received: {names.count(name)} in {names[:12]}"
                    )
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
    return id_column(name, dictionary.to_pylist())


def _native_types() -> tuple[Any, ...]:
    pa = pyarrow()
    return (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64())


def _without_missing(codes: np.ndarray, values: np.ndarray, name: str) -> Column:
    """NaN among the values is a missing one."""
    if values.dtype.kind == "f" and np.any(np.isnan(values)):
        new_code = np.append(np.where(np.isnan(values), MISSING, np.arange(len(values))), MISSING)
        codes = new_code[codes].astype(np.int32)
    return Column(codes, values, name)
