"""NER-MTurk: named entities in news sentences, tagged by 47 workers of Amazon Mechanical Turk."""

from __future__ import annotations

import os

from ._crowd_sequences import CrowdSequences, padded_rows, sentences, slots_of
from ._files import read_arrays

_FILE = "ner_mturk.npz"
_SPLITS = ("train", "test")
_ARRAYS = (
    *(f"{split}_{part}" for split in _SPLITS for part in ("tokens", "offsets", "gold")),
    "train_answers",
    "labels",
)
_ORIGIN = "mturk-datasets (folder ner-mturk/) under http://fprodrigues.com/"


def load_data(path: str | os.PathLike[str] | None = None) -> CrowdSequences:
    """Loads NER-MTurk from a prepared file.

    Persons, places, organizations and others in sentences of CoNLL-2003. 47 annotators tagged 5,985 training sentences,
    each as a whole, 4.7 annotators per sentence. About 79 % of the entities of the token-wise majority vote are right,
    and it finds about 59 % of all entities.

    | array | shape | |
    |---|---|---|
    | `train_tokens`, `test_tokens` | `(tokens,)` str | sentence after sentence |
    | `train_offsets`, `test_offsets` | `(sentences + 1,)` int | where sentences begin, and the end of the last |
    | `train_gold`, `test_gold` | `(tokens,)` int | gold tags |
    | `train_answers` | `(tokens, 47)` int | tags, `-1` where an annotator did not answer |
    | `labels` | `(9,)` str | names of the tags, in the BIO scheme |

    Args:
        path: The `.npz` file with these arrays, or the folder where it is called `ner_mturk.npz`. Defaults
            to the folder in the environment variable `KERAS_CROWD_DATA`. The text belongs to Reuters.

    Returns:
        `CrowdSequences`.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the file lacks some of the arrays.

    Example:

    >>> import keras_crowd as kc
    >>> data = kc.datasets.ner_mturk.load_data()
    >>> data.annotators.shape[0], data.num_annotators, data.class_names[0]
    (5985, 47, 'O')

    Reference:
        F. Rodrigues, F. Pereira, B. Ribeiro, "Sequence labeling with multiple annotators", Machine Learning 95,
        2014.
    """
    arrays = read_arrays(path, _FILE, _ARRAYS, _ORIGIN)
    offsets = arrays["train_offsets"]
    annotators, answers = slots_of(arrays["train_answers"], offsets)
    return CrowdSequences(
        tokens_train=sentences(arrays["train_tokens"], offsets),
        annotators=annotators,
        answers=answers,
        y_train=padded_rows(arrays["train_gold"], offsets),
        tokens_test=sentences(arrays["test_tokens"], arrays["test_offsets"]),
        y_test=padded_rows(arrays["test_gold"], arrays["test_offsets"]),
        class_names=tuple(map(str, arrays["labels"])),
        num_annotators=arrays["train_answers"].shape[1],
    )


def __dir__() -> list[str]:
    return ["load_data"]
