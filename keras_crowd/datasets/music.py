"""Music: songs of ten genres, labeled by 44 workers of Amazon Mechanical Turk."""

from __future__ import annotations

import os

import numpy as np

from ..annotations import Annotations
from ._crowd_dataset import CrowdDataset
from ._files import read_arrays

_FILE = "music.npz"
_ARRAYS = ("answers", "X_train", "X_test", "y_train", "y_test", "classes")
_ORIGIN = "mturk-datasets.tar.gz (folder music_genre_classification/) under http://fprodrigues.com/"


def load_data(path: str | os.PathLike[str] | None = None, standardize: bool = True) -> CrowdDataset:
    """Loads Music from a prepared file.

    30-second samples of songs of ten genres (blues, classical, country, disco, hip-hop, jazz, metal, pop,
    reggae, rock). 44 annotators gave 2,945 answers to the 700 training samples, 4.2 per sample; majority
    vote is right for 70.4 % of them. Features are 124 statistics of the sound, from Marsyas.

    | array | shape | |
    |---|---|---|
    | `answers` | `(700, 44)` int | class codes, `-1` where an annotator did not answer |
    | `X_train`, `X_test` | `(700, 124)`, `(300, 124)` float | features |
    | `y_train`, `y_test` | `(700,)`, `(300,)` int | gold labels |
    | `classes` | `(10,)` str | names, in the order of the codes |

    Args:
        path: The `.npz` file with these arrays, or the folder where it is called `music.npz`. Defaults to
            the folder in the environment variable `KERAS_CROWD_DATA`. The original data are
            `mturk-datasets.tar.gz` under http://fprodrigues.com/.
        standardize: Boolean. Whether to subtract the training items' mean from each feature and divide by their
            standard deviation, in both splits. The raw features differ in scale by orders of magnitude. Defaults to
            `True`.

    Returns:
        `CrowdDataset` with `x_*` float32 `(items, 124)` and no validation items.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the file lacks some of the arrays, or they disagree.

    Example:

    >>> import keras_crowd as kc
    >>> data = kc.datasets.music.load_data()
    >>> data.x_train.shape, data.annotations.dense().shape
    ((700, 124), (700, 44))

    Reference:
        F. Rodrigues, F. Pereira, B. Ribeiro, "Learning from multiple annotators: distinguishing good from
        random labelers", Pattern Recognition Letters 34, 2013.
    """
    arrays = read_arrays(path, _FILE, _ARRAYS, _ORIGIN)
    x_train, x_test = arrays["X_train"], arrays["X_test"]
    if standardize:
        x_train, x_test = _standardize(x_train, x_test)
    class_names = tuple(arrays["classes"].tolist())
    return CrowdDataset(
        x_train=x_train.astype(np.float32),
        annotations=Annotations.from_dense(arrays["answers"], classes=list(class_names)),
        y_train=arrays["y_train"].astype(np.int32),
        x_test=x_test.astype(np.float32),
        y_test=arrays["y_test"].astype(np.int32),
        class_names=class_names,
    )


def _standardize(x_train: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, std = x_train.mean(axis=0, dtype=float), x_train.std(axis=0, dtype=float)
    # The std of a constant column is rounding error and not always 0.
    std[np.ptp(x_train, axis=0) == 0] = 1.0
    return (x_train - mean) / std, (x_test - mean) / std


def __dir__() -> list[str]:
    return ["load_data"]
