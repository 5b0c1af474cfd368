"""The sample files of every format, how each is read, and what must come out."""

import pathlib

import keras_crowd as kc

SAMPLES = pathlib.Path(__file__).parent / "samples"
TABLE = [[0, 1, -1], [1, 1, 0]]  # a.png and b.png; ann, bob, eve; cat 0, dog 1

PICTURES, WITH_EMPTY = ["a.png", "b.png"], ["a.png", "b.png", "c.png"]
HASHES = [-1187043, 50210]
PEOPLE = ["ann", "bob", "eve"]
PRIVATE = [f"private.us-east-1.{name}" for name in PEOPLE]
IMAGE = "Input.image_url"


def long(path, **rules):
    return kc.io.read_long(path, "image", "worker", "label", **rules)


def wide(path, **rules):
    return kc.io.read_wide(path, "image", **rules)


def label_studio_min(path, **rules):
    return kc.io.read_label_studio_min(path, "kind", **rules)


def mturk(path, **rules):
    return kc.io.read_mturk(path, IMAGE, "Answer.kind.label", **rules)


def mturk_forms(path, **rules):
    return kc.io.read_mturk(path, IMAGE, "Answer.taskAnswers", field="kind", **rules)


def toloka(path, **rules):
    return kc.io.read_toloka(path, "INPUT:image", "OUTPUT:result", **rules)


def sagemaker(path, **rules):
    return kc.io.read_sagemaker(path, "kind.label", **rules)


def prodigy(path, **rules):
    return kc.io.read_prodigy(path, **rules)


# name: file, reader, items, annotators, whether the reader knows the items nobody answered
FORMATS = {
    "csv": ("long.csv", long, PICTURES, PEOPLE, False),
    "tsv": ("long.tsv", long, PICTURES, PEOPLE, False),
    "jsonl": ("long.jsonl", long, PICTURES, PEOPLE, False),
    "wide": ("wide.csv", wide, WITH_EMPTY, PEOPLE, True),
    "wide_jsonl": ("wide.jsonl", wide, WITH_EMPTY, PEOPLE, True),
    "label_studio": ("label_studio.json", kc.io.read_label_studio, [11, 12, 13], [1, 2, 3], True),
    "label_studio_min": ("label_studio_min.json", label_studio_min, [11, 12, 13], [1, 2, 3], True),
    "mturk": ("mturk.csv", mturk, PICTURES, PEOPLE, False),
    "mturk_forms": ("mturk.csv", mturk_forms, PICTURES, PEOPLE, False),
    "toloka": ("toloka.tsv", toloka, PICTURES, PEOPLE, False),
    "sagemaker": ("sagemaker.json", sagemaker, ["0", "1", "2"], PRIVATE, True),
    "prodigy": ("prodigy.jsonl", prodigy, HASHES, [f"animals-{name}" for name in PEOPLE], False),
}


def expected(with_empty):
    """The dense table of a format."""
    return [*TABLE, [-1, -1, -1]] if with_empty else TABLE
