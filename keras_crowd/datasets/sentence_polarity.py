"""Sentence polarity: sentences on films, good or bad, labeled by 203 workers of Amazon Mechanical Turk."""

from __future__ import annotations

import os

import numpy as np

from ..annotations import Annotations, encode
from . import _published
from ._crowd_dataset import CrowdDataset
from ._files import find_file
from ._published import POLARITY_CLASSES as CLASSES
from ._published import Item

_FOLDER, _FILE = "sentiment_polarity", "mturk_answers.csv"
_ORIGIN = (
    "The original data: mturk-datasets.tar.gz (folder sentiment_polarity/) under http://fprodrigues.com/"
)


def load_data(path: str | os.PathLike[str] | None = None) -> CrowdDataset:
    """Loads Sentence polarity from the files that its authors published.

    Sentences of reviews on films, each from a good or a bad one. 203 annotators gave 27,746 answers to 4,999
    training sentences, 5.6 per sentence. Features are topics of a latent semantic analysis; the sentences themselves,
    which only training items have, are in `datasets.tfds`.

    | file | columns |
    |---|---|
    | `mturk_answers.csv` | `WorkerId`, `Input.id`, `Input.original_sentence`, `Input.true_sent`, `Answer.sent` |
    | `polarity_gold_lsa_topics.csv`, `polarity_test_lsa_topics.csv` | `id`, one per topic, `class` |

    Args:
        path: The folder with these files. Defaults to the folder `sentiment_polarity` in that of the environment
            variable `KERAS_CROWD_DATA`. The original data are `mturk-datasets.tar.gz` under http://fprodrigues.com/,
            which is truncated at its end: `datasets.unpack` reads what comes before.

    Returns:
        `CrowdDataset` with `x_*` float32 `(items, topics)`, classes `neg` and `pos`, and no validation items.

    Raises:
        FileNotFoundError: When there are no such files.
        ValueError: When a file is malformed, or an annotator answered a sentence twice.

    Example:

    >>> data = keras_crowd.datasets.sentence_polarity.load_data()  # doctest: +SKIP
    >>> data.annotations.dense().shape  # doctest: +SKIP
    (4999, 203)

    Reference:
        F. Rodrigues, F. Pereira, B. Ribeiro, "Learning from multiple annotators: distinguishing good from
        random labelers", Pattern Recognition Letters 34, 2013; the sentences are of B. Pang, L. Lee, "Seeing
        stars", ACL 2005.
    """
    folder = find_file(path, f"{_FOLDER}/{_FILE}" if path is None else _FILE, _ORIGIN).parent
    train, test = (list(_published.sentence_polarity(folder, split)) for split in ("train", "test"))
    answers = [
        (item["id"], said["annotator"], said["answer"]) for item in train for said in item["answers"]
    ]
    item, annotator, answer = zip(*answers, strict=True)
    return CrowdDataset(
        x_train=np.stack([row["features"] for row in train]),
        annotations=Annotations.from_coo(
            item, annotator, answer, items=[row["id"] for row in train], classes=CLASSES
        ),
        y_train=_codes(train),
        x_test=np.stack([row["features"] for row in test]),
        y_test=_codes(test),
        class_names=CLASSES,
    )


def _codes(rows: list[Item]) -> np.ndarray:
    labels = np.array([row["label"] for row in rows])
    return encode("label", labels, "classes", CLASSES)[1].astype(np.int32)


def __dir__() -> list[str]:
    return ["CLASSES", "load_data"]
