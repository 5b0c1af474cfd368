"""LabelMe: pictures of eight kinds of scene, labeled by 59 workers of Amazon Mechanical Turk."""

from __future__ import annotations

import os

import numpy as np

from ..annotations import Annotations
from ._crowd_dataset import CrowdDataset
from ._files import read_arrays

_FILE = "labelme.npz"
_SPLITS = ("train", "valid", "test")
_ARRAYS = (
    "answers",
    *(f"vgg_avg_{split}" for split in _SPLITS),
    *(f"labels_{split}" for split in _SPLITS),
    "class_names",
)
_ORIGIN = "deep_LabelMe.tar.gz (folder LabelMe/) under http://fprodrigues.com/"


def load_data(path: str | os.PathLike[str] | None = None) -> CrowdDataset:
    """Loads LabelMe from a prepared file.

    Eight scenes (highway, inside city, tall building, street, forest, coast, mountain, open country).
    59 annotators gave 2,547 answers to the 1,000 training pictures, 2.5 per picture; majority vote is
    right for 76.6 % of them. Features are the averages over the picture of VGG16's last convolutional
    layer. AAAI-18 trained on that layer's 4 x 4 x 512 maps of 10,000 augmented pictures, so that
    its numbers are near those of this file and not the same.

    | array | shape | |
    |---|---|---|
    | `answers` | `(1000, 59)` int | class codes, `-1` where an annotator did not answer |
    | `vgg_avg_{train,valid,test}` | `(1000, 512)`, `(500, 512)`, `(1188, 512)` float | features |
    | `labels_{train,valid,test}` | `(1000,)`, `(500,)`, `(1188,)` int | gold labels |
    | `class_names` | `(8,)` str | in the order of the codes |

    Args:
        path: The `.npz` file with these arrays, or the folder where it is called `labelme.npz`. Defaults
            to the folder in the environment variable `KERAS_CROWD_DATA`. The original data are
            `deep_LabelMe.tar.gz` under http://fprodrigues.com/.

    Returns:
        `CrowdDataset` with `x_*` float32 `(items, 512)` and with validation items.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the file lacks some of the arrays, or they disagree.

    Example:

    >>> import keras_crowd as kc
    >>> data = kc.datasets.labelme.load_data()
    >>> data.x_train.shape, data.annotations.dense().shape
    ((1000, 512), (1000, 59))

    Reference:
        F. Rodrigues, F. C. Pereira, "Deep learning from crowds", AAAI 2018, section 5.2.
    """
    arrays = read_arrays(path, _FILE, _ARRAYS, _ORIGIN)
    x = {split: arrays[f"vgg_avg_{split}"].astype(np.float32) for split in _SPLITS}
    y = {split: arrays[f"labels_{split}"].astype(np.int32) for split in _SPLITS}
    class_names = tuple(arrays["class_names"].tolist())
    return CrowdDataset(
        x_train=x["train"],
        annotations=Annotations.from_dense(arrays["answers"], classes=list(class_names)),
        y_train=y["train"],
        x_test=x["test"],
        y_test=y["test"],
        class_names=class_names,
        x_valid=x["valid"],
        y_valid=y["valid"],
    )


def __dir__() -> list[str]:
    return ["load_data"]
