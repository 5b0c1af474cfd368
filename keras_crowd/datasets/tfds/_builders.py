"""One builder a data set: what an example is, where the files are, whom to cite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from ...annotations import MISSING
from .. import _published
from .._published import LABELME_CLASSES, MUSIC_CLASSES, NER_CLASSES, POLARITY_CLASSES, Item, Path

NUM_ANNOTATORS = "num_annotators"  # in the metadata of a data set
_HOST = "http://fprodrigues.com/"
_MANUAL = """
Get http://fprodrigues.com/{archive} with a browser (the host answers no other client) and unpack it in a folder of
yours with `keras_crowd.datasets.unpack` (the last member of mturk-datasets.tar.gz is truncated at its source, where
`tar` stops with an error; what is needed comes before), so that `{folder}/{file}` is there. Say where that is:
`builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir="that folder"))`;
by default it is `~/tensorflow_datasets/downloads/manual`.
"""
_DEEP_CROWDS = """
@inproceedings{rodrigues2018deep,
  title={Deep learning from crowds},
  author={Rodrigues, Filipe and Pereira, Francisco C.},
  booktitle={AAAI Conference on Artificial Intelligence},
  year={2018}
}
"""
_RANDOM_LABELERS = """
@article{rodrigues2013learning,
  title={Learning from multiple annotators: distinguishing good from random labelers},
  author={Rodrigues, Filipe and Pereira, Francisco and Ribeiro, Bernardete},
  journal={Pattern Recognition Letters},
  volume={34},
  number={12},
  pages={1428--1436},
  year={2013}
}
"""
_SEQUENCES = """
@article{rodrigues2014sequence,
  title={Sequence labeling with multiple annotators},
  author={Rodrigues, Filipe and Pereira, Francisco and Ribeiro, Bernardete},
  journal={Machine Learning},
  volume={95},
  number={2},
  pages={165--181},
  year={2014}
}
"""


class _CrowdBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Base of the builders: files that users put into `manual_dir`, and a reader of them."""

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.1.0": "The number of annotators is in the metadata."}
    FOLDER: str
    SPLITS: ClassVar[dict[str, str]] = {"train": "train", "test": "test"}  # and what the files call them
    read: Any

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        folder = dl_manager.manual_dir / self.FOLDER
        said = [answer["annotator"] for item in self.read(folder, "train") for answer in item["answers"]]
        self.info.metadata[NUM_ANNOTATORS] = 1 + max(said, default=-1)
        return {split: self._generate_examples(folder, name) for split, name in self.SPLITS.items()}

    def _generate_examples(self, folder: Path, split: str) -> Iterator[tuple[int, Item]]:
        yield from enumerate(self.read(folder, split))

    def as_dataset(
        self,
        split: Any = None,
        *,
        batch_size: int | None = None,
        as_supervised: bool = False,
        **options: Any,
    ) -> Any:
        """Makes the data set as TensorFlow Datasets does, but pads batches with missing answers.

        TensorFlow Datasets pads with 0, which is annotator 0 answering class 0. Here, answers and tags are padded with
        -1, and ratings with NaN.
        """
        if batch_size is None or as_supervised:
            return super().as_dataset(split, batch_size=batch_size, as_supervised=as_supervised, **options)
        found = super().as_dataset(split, **options)
        if isinstance(found, dict):
            return {name: _padded(one, self.info, batch_size) for name, one in found.items()}
        if isinstance(found, list | tuple):
            return type(found)(_padded(one, self.info, batch_size) for one in found)
        return _padded(found, self.info, batch_size)

    def _described(self, citation: str, features: dict[str, Any], answer: Any, **info: Any) -> Any:
        """`DatasetInfo` of examples with these features and the answers to them."""
        answers = tfds.features.Sequence({"annotator": np.int32, "answer": answer})
        return tfds.core.DatasetInfo(
            builder=self,
            description=str(type(self).__doc__).split("\n\nExample")[0],
            features=tfds.features.FeaturesDict({**features, "answers": answers}),
            citation=citation,
            homepage=_HOST,
            metadata=tfds.core.MetadataDict(),
            **info,
        )


def _padded(dataset: Any, info: Any, batch_size: int) -> Any:
    """Batches of a data set, padded with what means that nobody answered; the whole of it where the size is -1."""
    dataset = dataset.map(_without_ragged_answers)
    padding: dict[str, Any] = {name: None for name in dataset.element_spec}
    answer = dataset.element_spec["answers"]["answer"].dtype.as_numpy_dtype
    missing = answer(np.nan if np.issubdtype(answer, np.floating) else MISSING)
    padding["answers"] = {"annotator": np.int32(MISSING), "answer": missing}
    if "tags" in padding:
        padding["tags"] = np.int64(MISSING)
    size = info.splits.total_num_examples if batch_size == -1 else batch_size
    batches = dataset.padded_batch(size, padding_values=padding)
    return batches.get_single_element() if batch_size == -1 else batches


def _without_ragged_answers(example: Item) -> Item:
    """Tags that annotators gave to all tokens as a table, which batches can be made of."""
    answers = example["answers"]
    if hasattr(answers["answer"], "to_tensor"):
        answers = {**answers, "answer": answers["answer"].to_tensor(MISSING)}
    return {**example, "answers": answers}


class LabelMeMTurk(_CrowdBuilder):
    """Pictures of eight kinds of scene, labeled by 59 workers of Amazon Mechanical Turk: `labelme_mturk`.

    Splits `train` (1,000 pictures, 2,547 answers), `validation` (500) and `test` (1,188). An example has `filename`,
    `image`, `label` (gold) and `answers`, a sequence of `annotator` and `answer`. Of the 77 columns of the file, 18
    hold no answer; annotators are the others, numbered from 0.

    Example:

    >>> import tensorflow_datasets as tfds
    >>> import keras_crowd.datasets.tfds
    >>> tfds.builder_cls("labelme_mturk").SPLITS
    {'train': 'train', 'validation': 'valid', 'test': 'test'}
    >>> files = tfds.download.DownloadConfig(manual_dir="folder")
    >>> how = {"download_config": files}
    >>> data = tfds.load("labelme_mturk", split="train", download_and_prepare_kwargs=how)  # doctest: +SKIP
    """

    name = "labelme_mturk"
    FOLDER = "LabelMe"
    SPLITS: ClassVar[dict[str, str]] = {"train": "train", "validation": "valid", "test": "test"}
    read = staticmethod(_published.labelme)
    MANUAL_DOWNLOAD_INSTRUCTIONS = _MANUAL.format(
        archive="deep_LabelMe.tar.gz", folder=FOLDER, file="answers.txt"
    )

    def _info(self) -> Any:
        label = tfds.features.ClassLabel(names=LABELME_CLASSES)
        features = {"filename": tfds.features.Text(), "image": tfds.features.Image(), "label": label}
        return self._described(_DEEP_CROWDS, features, label, supervised_keys=("image", "label"))


class MusicGenreMTurk(_CrowdBuilder):
    """Songs of ten genres, labeled by 44 workers of Amazon Mechanical Turk: `music_genre_mturk`.

    Splits `train` (700 songs, 2,945 answers) and `test` (300). An example has `id`, `features` (124 statistics of the
    sound, not standardized), `label` (gold) and `answers`, a sequence of `annotator` and `answer`. Annotators are
    numbered from 0, in the order of their published ids.

    Example:

    >>> import tensorflow_datasets as tfds
    >>> import keras_crowd.datasets.tfds
    >>> print(tfds.builder_cls("music_genre_mturk").VERSION)
    1.1.0
    >>> files = tfds.download.DownloadConfig(manual_dir="folder")
    >>> how = {"download_config": files}
    >>> data = tfds.load("music_genre_mturk", split="train", download_and_prepare_kwargs=how)  # doctest: +SKIP
    """

    name = "music_genre_mturk"
    FOLDER = "music_genre_classification"
    read = staticmethod(_published.music)
    MANUAL_DOWNLOAD_INSTRUCTIONS = _MANUAL.format(
        archive="mturk-datasets.tar.gz", folder=FOLDER, file="music_genre_mturk.csv"
    )

    def _info(self) -> Any:
        label = tfds.features.ClassLabel(names=MUSIC_CLASSES)
        numbers = tfds.features.Tensor(shape=(None,), dtype=np.float32)
        features = {"id": tfds.features.Text(), "features": numbers, "label": label}
        return self._described(_RANDOM_LABELERS, features, label, supervised_keys=("features", "label"))


class SentencePolarityMTurk(_CrowdBuilder):
    """Sentences on films, good or bad, labeled by 203 workers of Amazon Mechanical Turk: `sentence_polarity_mturk`.

    Splits `train` (4,999 sentences, 27,746 answers) and `test` (5,428, whose text is not in the files). An example has
    `id`, `sentence`, `features` (topics of a latent semantic analysis), `label` (gold) and `answers`, a sequence of
    `annotator` and `answer`. Annotators are numbered from 0, in the order of their published ids.

    Example:

    >>> import tensorflow_datasets as tfds
    >>> import keras_crowd.datasets.tfds
    >>> print(tfds.builder_cls("sentence_polarity_mturk").VERSION)
    1.1.0
    >>> files = tfds.download.DownloadConfig(manual_dir="folder")
    >>> how = {"download_config": files}
    >>> data = tfds.load("sentence_polarity_mturk", split="train", download_and_prepare_kwargs=how)  # doctest: +SKIP
    """

    name = "sentence_polarity_mturk"
    FOLDER = "sentiment_polarity"
    read = staticmethod(_published.sentence_polarity)
    MANUAL_DOWNLOAD_INSTRUCTIONS = _MANUAL.format(
        archive="mturk-datasets.tar.gz", folder=FOLDER, file="mturk_answers.csv"
    )

    def _info(self) -> Any:
        label = tfds.features.ClassLabel(names=POLARITY_CLASSES)
        numbers = tfds.features.Tensor(shape=(None,), dtype=np.float32)
        texts = {"id": tfds.features.Text(), "sentence": tfds.features.Text()}
        return self._described(_RANDOM_LABELERS, {**texts, "features": numbers, "label": label}, label)


class MovieReviewsMTurk(_CrowdBuilder):
    """Reviews of films, rated by 135 workers of Amazon Mechanical Turk: `movie_reviews_mturk`.

    Splits `train` (1,500 reviews, 5 ratings each) and `test` (3,506); the notebook published with the paper counts
    1,498 and 3,508, as many in all, and files with either are read. An example has `text`, `rating` (the
    critic's, from 0 to 10) and `answers`, a sequence of `annotator` and `answer` (the rating that they guessed).

    Example:

    >>> import tensorflow_datasets as tfds
    >>> import keras_crowd.datasets.tfds
    >>> print(tfds.builder_cls("movie_reviews_mturk").VERSION)
    1.1.0
    >>> files = tfds.download.DownloadConfig(manual_dir="folder")
    >>> how = {"download_config": files}
    >>> data = tfds.load("movie_reviews_mturk", split="train", download_and_prepare_kwargs=how)  # doctest: +SKIP
    """

    name = "movie_reviews_mturk"
    FOLDER = "MovieReviews"
    read = staticmethod(_published.movie_reviews)
    MANUAL_DOWNLOAD_INSTRUCTIONS = _MANUAL.format(
        archive="deep_MovieReviews.tar.gz", folder=FOLDER, file="answers.txt"
    )

    def _info(self) -> Any:
        features = {"text": tfds.features.Text(), "rating": np.float32}
        return self._described(_DEEP_CROWDS, features, np.float32, supervised_keys=("text", "rating"))


class ConllNerMTurk(_CrowdBuilder):
    """Sentences of CoNLL-2003, named entities tagged by 47 workers of Amazon Mechanical Turk: `conll_ner_mturk`.

    Splits `train` (5,985 sentences) and `test` (3,250). An example has `tokens`, `tags` (gold, in the BIO scheme) and
    `answers`, a sequence of `annotator` and `answer`, the tags that they gave to all tokens. The text is Reuters'.

    Example:

    >>> import tensorflow_datasets as tfds
    >>> import keras_crowd.datasets.tfds
    >>> print(tfds.builder_cls("conll_ner_mturk").VERSION)
    1.1.0
    >>> files = tfds.download.DownloadConfig(manual_dir="folder")
    >>> how = {"download_config": files}
    >>> data = tfds.load("conll_ner_mturk", split="train", download_and_prepare_kwargs=how)  # doctest: +SKIP
    """

    name = "conll_ner_mturk"
    FOLDER = "ner-mturk"
    read = staticmethod(_published.ner)
    MANUAL_DOWNLOAD_INSTRUCTIONS = _MANUAL.format(
        archive="deep_ner-mturk.tar.gz", folder=FOLDER, file="answers.txt"
    )

    def _info(self) -> Any:
        tags = tfds.features.Sequence(tfds.features.ClassLabel(names=NER_CLASSES))
        tokens = tfds.features.Sequence(tfds.features.Text())
        return self._described(_SEQUENCES, {"tokens": tokens, "tags": tags}, tags)
