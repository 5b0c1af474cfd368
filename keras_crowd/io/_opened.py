"""Text files as they are opened: compressed or not."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO, cast

from .._files import replacing

FILE = str | os.PathLike[str]


def is_compressed(path: FILE) -> bool:
    """Whether the ending of a file's name says that gzip has compressed it."""
    return os.fspath(path).lower().endswith(".gz")


@contextmanager
def open_text(path: FILE, encoding: str) -> Iterator[TextIO]:
    """The file, line ends as they are; a byte order mark is no part of it."""
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise ValueError(f"`encoding` must be one that Python knows. Received: {encoding!r}") from error
    with open_bytes(path) as file, io.TextIOWrapper(file, encoding=codec(encoding), newline="") as text:
        yield text


@contextmanager
def open_bytes(path: FILE) -> Iterator[BinaryIO]:
    """The file as bytes, decompressed."""
    try:
        with cast(BinaryIO, gzip.open(path) if is_compressed(path) else open(path, "rb")) as file:
            yield file
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path}: expected a file that gzip has compressed. Received: {error}") from error


@contextmanager
def replacing_text(path: FILE, encoding: str, newline: str) -> Iterator[TextIO]:
    """Opens a text file for writing that replaces `path` only when it is whole; compressed where its name says so."""
    if not is_compressed(path):
        with replacing(path, encoding=encoding, newline=newline) as file:
            yield file
        return
    # The same text gives the same bytes: neither a name nor a time is in them.
    with (
        replacing(path, "wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        io.TextIOWrapper(cast(BinaryIO, packed), encoding=encoding, newline=newline) as text,
    ):
        yield text


def codec(encoding: str) -> str:
    """The codec to read an encoding with, one that takes a byte order mark off."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
