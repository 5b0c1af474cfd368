"""Files that are replaced only when the new one is whole."""

import contextlib
import errno
import os
import pathlib
import secrets
import stat
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], mode: Literal["w", "wb"] = "w", **kwargs: Any) -> Iterator[Any]:
    """Opens a file for writing that replaces `path` only when it is whole and on disk.

    The new file is written under a name of its own in the same folder. Readers of `path`, and other writers, see the
    old file or the new one, never a mixture; of several writers, the last one wins. A symbolic link stays, and the file
    that it points to is replaced. The permissions of the replaced file are kept, and its owner where that is allowed.

    Raises:
        ValueError: When `path` is something else than a file, such as a folder or a device.
        PermissionError: When there is a file that must not be written to.
    """
    target = pathlib.Path(os.path.realpath(path))
    old = _replaceable(target)
    partial = target.with_name(f".{secrets.token_hex(8)}.tmp")
    permissions = 0o666 if old is None else stat.S_IMODE(old.st_mode)

    def create(name: str, flags: int) -> int:
        """Opens with no more permissions than the old file has, and never through a link that is in the way."""
        return os.open(name, flags, permissions)

    with contextlib.ExitStack() as undo:
        with open(partial, mode.replace("w", "x"), opener=create, **kwargs) as file:
            undo.callback(partial.unlink, missing_ok=True)
            if old is not None:
                _keep_access(partial, old)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
        _sync_folder(target.parent)


def _replaceable(target: pathlib.Path) -> os.stat_result | None:
    """The status of the file that will be replaced; `None` where there is none."""
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(old.st_mode):
        raise ValueError(f"`path` must be a file, or the name of a new one. Received: {str(target)!r}")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    return old


def _keep_access(file: pathlib.Path, old: os.stat_result) -> None:
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):
            os.chown(file, old.st_uid, old.st_gid)
    os.chmod(file, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: pathlib.Path) -> None:
    """Makes a new name last, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
