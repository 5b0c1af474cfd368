"""Finding and reading the prepared `.npz` files."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

DATA_FOLDER = "KERAS_CROWD_DATA"


def read_arrays(
    path: str | os.PathLike[str] | None, file_name: str, arrays: Sequence[str], origin: str
) -> dict[str, np.ndarray]:
    """The named arrays of a prepared file.

    Args:
        path: The file, or the folder it is in; `None` for the folder in `KERAS_CROWD_DATA`.
        file_name: String. What the file is called in such a folder.
        arrays: Names of the arrays it must hold.
        origin: String. Where users get the original data, for the error messages.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it is not an `.npz` archive, or lacks some of the arrays.
    """
    needed = f"the arrays {', '.join(arrays)}. The original data: {origin}"
    file = find_file(path, file_name, f"The file is an .npz archive with {needed}")
    if not zipfile.is_zipfile(file):
        raise ValueError(f"`path` must be an .npz archive with {needed}. Received: {file}")
    with np.load(file, allow_pickle=False) as archive:
        missing = [name for name in arrays if name not in archive.files]
        if missing:
            raise ValueError(
                f"`path` must be an .npz archive with {needed}. "
                f"Received: {file}, which lacks {', '.join(missing)}"
            )
        return {name: archive[name] for name in arrays}


def find_file(path: str | os.PathLike[str] | None, file_name: str, origin: str) -> Path:
    """The file called so: `path`, or in the folder `path`, or in that of `KERAS_CROWD_DATA`."""
    folder = os.environ.get(DATA_FOLDER)
    file = None
    if path is not None:
        place = Path(path).expanduser()
        file = place / file_name if place.is_dir() else place
    elif folder:
        file = Path(folder).expanduser() / file_name
    if file is None or not file.is_file():
        raise FileNotFoundError(
            f"`path` must be the file {file_name} or its folder, or the environment variable {DATA_FOLDER} "
            f"must be its folder. {origin}. "
            f"Received: path={path if path is None else str(path)!r}, {DATA_FOLDER}={folder!r}"
        )
    return file
