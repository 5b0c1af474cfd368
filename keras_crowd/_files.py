"""Files that are replaced only when the new one is whole."""

import os
import pathlib
from typing import Any

import numpy as np


def write_npz(path: str | os.PathLike[str], **arrays: Any) -> None:
    """`numpy.savez` that never leaves half a file at `path`; makes the folder."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(path.name + ".tmp"), "wb") as file:
        np.savez(file, **arrays)
    os.replace(file.name, path)
