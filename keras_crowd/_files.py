"""Files that are replaced only when the new one is whole."""

import contextlib
import os
import pathlib
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], mode: str = "w", **kwargs: Any) -> Iterator[Any]:
    """`open` for writing that never leaves half a file at `path`: what stood there stays if anything fails."""
    path = pathlib.Path(path)
    partial = path.with_name(path.name + ".tmp")
    try:
        with open(partial, mode, **kwargs) as file:
            yield file
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_npz(path: str | os.PathLike[str], **arrays: Any) -> None:
    """`numpy.savez` that never leaves half a file at `path`; makes the folder."""
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, "wb") as file:
        np.savez(file, **arrays)


def checksum_of(values: Iterable[Any]) -> int:
    """A number that other arrays and numbers would hardly share: whether a file was made of the same."""
    total = 0
    for value in values:
        array = np.ascontiguousarray(value)
        plain = array.dtype.kind in "biufc"  # others' bytes may be addresses
        total = zlib.crc32(array.data if plain else repr(array.tolist()).encode(), total)
    return total
