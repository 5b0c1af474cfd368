"""Builders for TensorFlow Datasets, on small files in the layouts that the authors published."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from published_files import write_labelme, write_music, write_ner, write_polarity, write_reviews

import keras_crowd as kc

tfds = pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
pytest.importorskip(
    "importlib_resources", reason="tensorflow_datasets needs importlib_resources to find its builders"
)
crowd = pytest.importorskip("keras_crowd.datasets.tfds")

SENTENCES = (["EU", "rejects"], ["Peter", "Blackburn", "."])


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """TFDS asks a server of Google for the sizes of data sets that are not prepared."""
    monkeypatch.setattr(tfds.core.DatasetInfo, "initialize_from_bucket", lambda info: None)


def prepare(tmp_path, builder_class, write_files, **options):
    write_files(tmp_path / "manual")
    builder = builder_class(data_dir=tmp_path / "data", **options)
    config = tfds.download.DownloadConfig(manual_dir=tmp_path / "manual")
    builder.download_and_prepare(download_config=config)
    return builder


def examples(builder, split="train"):
    return list(tfds.as_numpy(builder.as_dataset(split=split)))


@pytest.mark.parametrize(
    ("builder_class", "write_files", "key", "table"),
    [
        (crowd.LabelMeMTurk, write_labelme, "filename", {b"highway_train0.jpg": [0, 7, -1, -1]}),
        (crowd.MusicGenreMTurk, write_music, "id", {b"blues.1.mp3": [0, 5], b"pop.3.mp3": [-1, -1]}),
        (crowd.SentencePolarityMTurk, write_polarity, "id", {b"7": [0, 1], b"3": [-1, 0]}),
        (
            crowd.MovieReviewsMTurk,
            write_reviews,
            "text",
            {b"not bad": [5, np.nan, np.nan], b"bad": [np.nan, 11, 2]},
        ),
    ],
    ids=["labelme", "music", "polarity", "reviews"],
)
def test_annotations_are_those_of_the_files(tmp_path, builder_class, write_files, key, table):
    builder = prepare(tmp_path, builder_class, write_files)
    annotations = crowd.read_annotations(builder)
    rows = dict(zip([example[key] for example in examples(builder)], annotations.dense(), strict=True))
    for id_, row in table.items():
        np.testing.assert_allclose(rows[id_], row, rtol=1e-6)
    names = builder.info.features["label"].names if "label" in builder.info.features else None
    assert names == (None if annotations.classes is None else annotations.classes.tolist())
    with pytest.raises(ValueError, match="`split` must have answers"):
        crowd.read_annotations(builder, "test")


@pytest.mark.parametrize(
    ("builder_class", "write_files"),
    [
        (crowd.LabelMeMTurk, write_labelme),
        (crowd.MovieReviewsMTurk, write_reviews),
        (crowd.ConllNerMTurk, write_ner),
    ],
    ids=["classes", "ratings", "tags"],
)
@pytest.mark.parametrize("size", [3, -1])
def test_batches_are_padded_with_missing_answers(tmp_path, builder_class, write_files, size):
    builder = prepare(tmp_path, builder_class, write_files)
    batches = builder.as_dataset(split="train", batch_size=size)
    batches = [batches] if size == -1 else batches
    rows = [
        {"annotator": annotator, "answer": answer}
        for batch in tfds.as_numpy(batches)
        for annotator, answer in zip(batch["answers"]["annotator"], batch["answers"]["answer"], strict=True)
    ]
    whole = examples(builder)
    assert len(rows) == len(whole)
    for row, example in zip(rows, whole, strict=True):
        answers = example["answers"]["answer"]
        count = len(example["answers"]["annotator"])
        assert row["annotator"].tolist() == [
            *example["answers"]["annotator"],
            *[-1] * (len(row["annotator"]) - count),
        ]
        shown, padding = row["answer"][:count], row["answer"][count:]
        if builder_class is crowd.ConllNerMTurk:
            length = len(example["tokens"])
            answers, padding = np.array(answers.to_list()), np.append(padding, shown[:, length:])
            shown = shown[:, :length]
        assert_array_equal(shown, answers)
        assert np.all(np.isnan(padding) if padding.dtype.kind == "f" else padding == -1)
    assert any(
        len(row["annotator"]) > len(one["answers"]["annotator"])
        for row, one in zip(rows, whole, strict=True)
    )


def test_all_splits_are_batched_and_pairs_are_those_of_tfds(tmp_path):
    builder = prepare(tmp_path, crowd.LabelMeMTurk, write_labelme)
    splits = builder.as_dataset(batch_size=1)
    assert sorted(splits) == ["test", "train", "validation"]
    assert len(list(splits["test"])) == 2
    first, second = builder.as_dataset(split=["train", "test[:1]"], batch_size=3)
    assert (len(list(first)), len(list(second))) == (1, 1)
    image, label = next(iter(builder.as_dataset(split="train", batch_size=3, as_supervised=True)))
    assert (image.shape, label.shape) == ((3, 8, 8, 3), (3,))


@pytest.mark.parametrize("part", ["train[:1]", "train[1:2]", "train[2:]"])
def test_parts_have_all_annotators(tmp_path, part):
    builder = prepare(tmp_path, crowd.LabelMeMTurk, write_labelme)
    whole, found = crowd.read_annotations(builder), crowd.read_annotations(builder, part)
    assert found.annotators.tolist() == whole.annotators.tolist() == [0, 1, 2, 3]
    again = crowd.LabelMeMTurk(data_dir=tmp_path / "data")  # from what is on disk
    assert crowd.read_annotations(again, part).num_annotators == 4
    assert_array_equal(
        found.dense(), whole.dense()[slice(*(int(i) if i else None for i in part[6:-1].split(":")))]
    )


def test_features_and_gold_are_those_of_the_files(tmp_path):
    builder = prepare(tmp_path, crowd.SentencePolarityMTurk, write_polarity)
    found = {example["id"]: example for example in examples(builder)}[b"7"]
    assert found["sentence"].decode() == 'good , "really\x85" good'
    assert_array_equal(found["features"], np.float32([0.3, 0.4]))
    assert found["label"] == 1
    assert {example["sentence"] for example in examples(builder, "test")} == {b""}
    builder = prepare(tmp_path, crowd.LabelMeMTurk, write_labelme)
    found = {example["filename"]: example for example in examples(builder, "test")}[b"street_test1.jpg"]
    assert found["label"] == 3
    assert np.abs(found["image"] - 10.0).max() <= 3  # JPEG
    builder = prepare(tmp_path, crowd.MovieReviewsMTurk, write_reviews)
    assert [(example["text"], example["rating"]) for example in examples(builder, "test")] == [
        (b"great", 10)
    ]


@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_tokens_of_sentences_are_items(tmp_path, file_format):
    builder = prepare(tmp_path, crowd.ConllNerMTurk, write_ner, file_format=file_format)
    sentences = (
        list(builder.as_data_source("train")) if file_format == "array_record" else examples(builder)
    )
    order = [SENTENCES.index([token.decode() for token in sentence["tokens"]]) for sentence in sentences]
    names = list(builder.info.features["tags"].feature.names)
    tables = ([[-1, 1], [-1, 0]], [[7, 0], [8, 0], [0, 0]])
    annotations = crowd.read_annotations(builder)
    assert annotations.classes.tolist() == names
    assert_array_equal(annotations.dense(), np.concatenate([tables[i] for i in order]))
    gold = [[5, 0], [7, 8, 0]]
    assert [list(sentence["tags"]) for sentence in sentences] == [gold[i] for i in order]


@pytest.mark.parametrize(
    ("write_files", "builder_class", "file", "text", "message"),
    [
        (write_labelme, crowd.LabelMeMTurk, "LabelMe/answers.txt", "0 -1\n1\n2 2\n", "2 columns in line 2"),
        (
            write_labelme,
            crowd.LabelMeMTurk,
            "LabelMe/answers.txt",
            "0 -1\n1 x\n2 2\n",
            "numbers in line 2.*'1 x'",
        ),
        (
            write_labelme,
            crowd.LabelMeMTurk,
            "LabelMe/answers.txt",
            "0 -1\n",
            "as many filenames, labels, answers",
        ),
        (
            write_music,
            crowd.MusicGenreMTurk,
            "music_genre_classification/music_genre_mturk.csv",
            "id,class\na,b\n",
            "columns id, annotator, class",
        ),
        (
            write_music,
            crowd.MusicGenreMTurk,
            "music_genre_classification/music_genre_gold.csv",
            "id,f,class\na,0.1\n",
            "3 columns in line 2",
        ),
        (
            write_polarity,
            crowd.SentencePolarityMTurk,
            "sentiment_polarity/polarity_gold_lsa_topics.csv",
            "id,t,class\n3,1,neg\n",
            "as well. Received: '7'",
        ),
        (
            write_ner,
            crowd.ConllNerMTurk,
            "ner-mturk/answers.txt",
            "EU O\n\nPeter O\nX O\n. O\n",
            "'EU rejects'",
        ),
        (write_ner, crowd.ConllNerMTurk, "ner-mturk/testset.txt", "Japan\n\n", "as many tags each"),
    ],
)
def test_malformed_files_are_refused(tmp_path, write_files, builder_class, file, text, message):
    def write_malformed(manual):
        write_files(manual)
        (manual / file).write_text(text)

    with pytest.raises(ValueError, match=message):
        prepare(tmp_path, builder_class, write_malformed)


def test_builders_say_what_to_get_by_hand(tmp_path):
    builder = crowd.LabelMeMTurk(data_dir=tmp_path)
    with pytest.raises(AssertionError, match=r"deep_LabelMe\.tar\.gz"):
        builder.download_and_prepare()
    assert "rodrigues2018deep" in builder.info.citation


@pytest.mark.parametrize("random_access", [True, False], ids=["data_source", "tf.data"])
def test_their_features_go_into_pipelines(tmp_path, random_access):
    options = {"file_format": "array_record"} if random_access else {}
    builder = prepare(tmp_path, crowd.MusicGenreMTurk, write_music, **options)
    annotations, found = crowd.read_annotations(builder), {}
    if random_access:
        source = builder.as_data_source("train")

        def features(items):
            return np.stack([source[int(item)]["features"] for item in items])

        batches = kc.pipelines.CrowdBatches(features, annotations, 1, form="dense")
        batches = [batches[i] for i in range(len(batches))]
    else:
        songs = builder.as_dataset("train").map(lambda song: song["features"])
        batches = kc.pipelines.tf_data(songs, annotations, 1, form="dense")
    for x, answers in batches:
        found[float(x[0][0])] = np.asarray(answers[0]).tolist()
    assert found == {0.5: [0, 5], -2.0: [-1, 9]}


@pytest.fixture
def polarity(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_CROWD_DATA", raising=False)
    write_polarity(tmp_path)
    return tmp_path


def test_sentence_polarity_is_that_of_the_files(polarity, monkeypatch):
    data = kc.datasets.sentence_polarity.load_data(polarity / "sentiment_polarity")
    assert_array_equal(data.x_train, np.float32([[0.3, 0.4], [0.1, 0.2]]))
    assert_array_equal(data.annotations.dense(), [[0, 1], [-1, 0]])
    assert data.annotations.items.tolist() == ["7", "3"]
    assert_array_equal(data.y_train, [1, 0])
    assert_array_equal(data.x_test, np.float32([[1, 2], [3, 4]]))
    assert_array_equal(data.y_test, [1, 0])
    assert tuple(data.annotations.classes) == data.class_names == ("neg", "pos")
    monkeypatch.setenv("KERAS_CROWD_DATA", str(polarity))
    assert_array_equal(kc.datasets.sentence_polarity.load_data().x_train, data.x_train)


def test_sentence_polarity_that_is_not_there(polarity):
    with pytest.raises(FileNotFoundError, match=r"sentiment_polarity/mturk_answers\.csv.*mturk-datasets"):
        kc.datasets.sentence_polarity.load_data()
    for name in ("mturk_answers.csv", "polarity_test_lsa_topics.csv"):
        file = polarity / "sentiment_polarity" / name
        text = file.read_text()
        file.write_text(text.replace(",neg\n", ",bad\n"))
        with pytest.raises(ValueError, match="'bad'"):
            kc.datasets.sentence_polarity.load_data(polarity / "sentiment_polarity")
        file.write_text(text)


BUILDERS = [name for name in vars(crowd) if name.endswith("MTurk")]


@pytest.mark.parametrize("name", BUILDERS)
def test_instructions_say_what_to_get_and_where_to_put_it(name):
    builder = getattr(crowd, name)
    said = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    assert re.search(r"http://fprodrigues.com/[\w-]+\.tar\.gz", said)
    assert "download_config=tfds.download.DownloadConfig(manual_dir=" in said
    assert f"`{builder.FOLDER}/" in said
