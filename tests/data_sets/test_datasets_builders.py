"""The builders pass the tests that TensorFlow Datasets has for builders."""

import pathlib
import tempfile

import published_files
import pytest

tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
pytest.importorskip(
    "importlib_resources", reason="tensorflow_datasets needs importlib_resources to find its builders"
)
pytest.importorskip("dill", reason="tensorflow_datasets.testing needs dill")
crowd = pytest.importorskip("keras_crowd.datasets.tfds")


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """TFDS asks a server of Google for the sizes of data sets that are not prepared."""
    monkeypatch.setattr(tfds.core.DatasetInfo, "initialize_from_bucket", lambda info: None)


class Layout:
    """`DatasetBuilderTestCase` on files that `write_files` makes."""

    SKIP_CHECKSUMS = True  # nothing is downloaded

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory()
        cls.EXAMPLE_DIR = cls._folder.name
        cls.write_files(pathlib.Path(cls.EXAMPLE_DIR))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls._folder.cleanup()


class TestLabelMe(Layout, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS, SPLITS = crowd.LabelMeMTurk, {"train": 3, "validation": 1, "test": 2}
    write_files = staticmethod(published_files.write_labelme)


class TestMusicGenre(Layout, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS, SPLITS = crowd.MusicGenreMTurk, {"train": 3, "test": 1}
    write_files = staticmethod(published_files.write_music)


class TestSentencePolarity(Layout, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS, SPLITS = crowd.SentencePolarityMTurk, {"train": 2, "test": 2}
    write_files = staticmethod(published_files.write_polarity)


class TestMovieReviews(Layout, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS, SPLITS = crowd.MovieReviewsMTurk, {"train": 2, "test": 1}
    write_files = staticmethod(published_files.write_reviews)


class TestConllNer(Layout, tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS, SPLITS = crowd.ConllNerMTurk, {"train": 2, "test": 1}
    write_files = staticmethod(published_files.write_ner)
