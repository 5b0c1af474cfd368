"""MovieReviews: reviews of films, rated by 135 workers of Amazon Mechanical Turk."""

from __future__ import annotations

import gzip
import os

import numpy as np

from ..annotations import Annotations
from ._crowd_dataset import CrowdDataset
from ._files import find_file, read_arrays

_FILE = "moviereviews.npz"
_SPLITS = ("train", "test")
_ARRAYS = ("answers", "ratings_train", "ratings_test")
_ORIGIN = "MovieReviews/answers.txt of the MTurk data sets under http://fprodrigues.com/"


def load_data(path: str | os.PathLike[str] | None = None) -> CrowdDataset:
    """Loads MovieReviews from prepared files.

    Critics' reviews with the number of stars that the critic gave. 135 annotators read 1,500 of them and guessed
    the stars: 7,440 ratings, 5 per review. Here all ratings are from 0 to 10 (five lie just outside, as
    published); the file has a tenth of that.

    | array | shape | |
    |---|---|---|
    | `answers` | `(1500, 135)` float | ratings over 10, `NaN` where an annotator did not answer |
    | `ratings_train`, `ratings_test` | `(1500,)`, `(3506,)` float | gold ratings over 10 |

    The notebook published with the paper counts 1,498 and 3,508, as many in all. Files with either are read:
    answers, ratings and texts must agree with each other.

    The texts lie beside it, one per line: `moviereviews_texts_train.txt.gz`, `moviereviews_texts_test.txt.gz`.

    Args:
        path: The `.npz` file with these arrays, or the folder where it is called `moviereviews.npz`. Defaults
            to the folder in the environment variable `KERAS_CROWD_DATA`. The original data are under
            http://fprodrigues.com/.

    Returns:
        `CrowdDataset` whose `x_*` are texts, `str` objects `(items,)`, and whose `y_*` are float32. There are
        no class names and no validation items.

    Raises:
        FileNotFoundError: When there are no such files.
        ValueError: When a file lacks some of the arrays, or they disagree.

    Example:

    >>> import keras_crowd as kc
    >>> data = kc.datasets.moviereviews.load_data()
    >>> data.x_train.shape, data.annotations.dense().shape
    ((1500,), (1500, 135))

    Reference:
        F. Rodrigues, F. Pereira, "Deep learning from crowds", AAAI 2018; the reviews are of B. Pang, L. Lee,
        "Seeing stars", ACL 2005.
    """
    arrays = read_arrays(path, _FILE, _ARRAYS, _ORIGIN)
    folder = find_file(path, _FILE, _ORIGIN).parent
    texts = {
        split: _lines(find_file(folder, f"moviereviews_texts_{split}.txt.gz", _ORIGIN)) for split in _SPLITS
    }
    return CrowdDataset(
        x_train=texts["train"],
        annotations=Annotations.from_dense(10 * arrays["answers"].astype(np.float32)),
        y_train=10 * arrays["ratings_train"].astype(np.float32),
        x_test=texts["test"],
        y_test=10 * arrays["ratings_test"].astype(np.float32),
        class_names=(),
    )


def _lines(file: str | os.PathLike[str]) -> np.ndarray:
    with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
        return np.array([line.rstrip("\n") for line in lines], object)


def __dir__() -> list[str]:
    return ["load_data"]
