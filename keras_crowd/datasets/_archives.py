"""Archives as their authors published them, unpacked as far as they are whole."""

from __future__ import annotations

import os
import shutil
import tarfile
import warnings
import zlib
from pathlib import Path, PurePosixPath

from .._files import replacing


class TruncatedArchiveWarning(UserWarning):
    """Warning that the end of an archive is missing; the files before it were unpacked."""


def unpack(archive: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[str]:
    """Unpacks the files of a `.tar.gz` archive that may be truncated.

    `mturk-datasets.tar.gz`, of the Music and Sentence polarity data, is truncated at its source: its last member ends
    early, and `tar` stops with an error there. The files before it are whole.

    Args:
        archive: The archive.
        folder: Folder for its files, made if needed. Existing files are replaced.

    Returns:
        Names of the files that were unpacked, in the order of the archive.

    Raises:
        ValueError: When the file is no such archive, has no whole file in it, or a name in it leads out of the folder.

    Warns:
        TruncatedArchiveWarning: When the archive ends early: names the member that is not whole.

    Example:

    >>> import pathlib, tarfile, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> size = (folder / "answers.csv").write_text("id,annotator,class")
    >>> with tarfile.open(folder / "data.tar.gz", "w:gz") as archive:
    ...     archive.add(folder / "answers.csv", "music/answers.csv")
    >>> keras_crowd.datasets.unpack(folder / "data.tar.gz", folder)
    ['music/answers.csv']
    """
    found: list[str] = []
    last = "its first member"
    try:
        with tarfile.open(archive, "r|*") as members:
            for member in members:
                last = member.name
                if member.isfile():
                    _write(members, member, Path(folder))
                    found.append(member.name)
                last = f"the one after {member.name}"
    except (tarfile.TarError, EOFError, zlib.error) as error:
        if not found:
            raise ValueError(
                f"`archive` must be a .tar.gz archive. Received: {os.fspath(archive)!r}, {error}"
            ) from error
        warnings.warn(
            f"{os.fspath(archive)} is truncated: {len(found)} files were unpacked, but not {last}. The published "
            "mturk-datasets.tar.gz is truncated at its source; any other should be downloaded again.",
            TruncatedArchiveWarning,
            stacklevel=2,
        )
    return found


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"`archive` must have names of files within it. Received: {member.name!r}")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    content = members.extractfile(member)
    if content is not None:
        with replacing(target, "wb") as file:
            shutil.copyfileobj(content, file)
            if file.tell() != member.size:
                raise EOFError(f"{member.name} ends early")
