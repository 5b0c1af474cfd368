"""The papers' data sets in the files that their authors published, read item by item.

Every reader gives a dict for each item of a split. Its `"answers"` are dicts with the `"annotator"`, a number from 0
on, and the `"answer"`. Folders may be `pathlib` paths or any others that have `/` and `read_text`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, Protocol

import numpy as np

LABELME_CLASSES = (
    "highway",
    "insidecity",
    "tallbuilding",
    "street",
    "forest",
    "coast",
    "mountain",
    "opencountry",
)
MUSIC_CLASSES = (
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
)
POLARITY_CLASSES = ("neg", "pos")
NER_CLASSES = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
STARS = 10  # ratings in the files are a tenth of the stars that critics and annotators gave
_MISSING_RATINGS = (-1.0, 999999999.0)
_GOLD_FILE = {"train": "gold", "test": "test"}  # what music and polarity call their splits

Item = dict[str, Any]


class Path(Protocol):
    """A `pathlib` path, or another with as much of one as is needed."""

    def __truediv__(self, name: str, /) -> Path: ...

    def read_text(self, encoding: str) -> str: ...


def labelme(folder: Path, split: str) -> Iterator[Item]:
    """Yields pictures: `filename`, `image` (its path), `label`, `answers`; `split` is train, valid or test."""
    names = _lines(folder / f"filenames_{split}.txt")
    labels = _lines(folder / f"labels_{split}.txt")
    said = _wide(folder / "answers.txt", _class_or_none) if split == "train" else [[]] * len(names)
    _same_length(folder, filenames=names, labels=labels, answers=said)
    for name, label, answers in zip(names, labels, said, strict=True):
        image = folder / split / name.split("_")[0] / name
        yield {"filename": name, "image": image, "label": int(label), "answers": answers}


def music(folder: Path, split: str) -> Iterator[Item]:
    """Yields songs: `id`, `features`, `label`, `answers`; `split` is train or test."""
    answers = (
        _long(folder / "music_genre_mturk.csv", "id", "annotator", "class") if split == "train" else {}
    )
    for row in _features(folder / f"music_genre_{_GOLD_FILE[split]}.csv"):
        yield {**row, "answers": answers.get(row["id"], [])}


def sentence_polarity(folder: Path, split: str) -> Iterator[Item]:
    """Sentences on films: `id`, `sentence`, `features`, `label`, `answers`; those to test have no sentence."""
    features = _features(folder / f"polarity_{_GOLD_FILE[split]}_lsa_topics.csv")
    if split == "test":
        yield from ({**row, "sentence": "", "answers": []} for row in features)
        return
    file = folder / "mturk_answers.csv"
    answers = _long(file, "Input.id", "WorkerId", "Answer.sent")
    sentence, label = "Input.original_sentence", "Input.true_sent"
    sentences = {row["Input.id"]: row for row in _table(file, ("Input.id", sentence, label))}
    topics = {row["id"]: row["features"] for row in features}
    for id_, row in sentences.items():
        if id_ not in topics:
            _refuse(file, "ids that polarity_gold_lsa_topics.csv has as well", id_)
        found = {"id": id_, "sentence": row[sentence], "features": topics[id_], "label": row[label]}
        yield {**found, "answers": answers[id_]}


def movie_reviews(folder: Path, split: str) -> Iterator[Item]:
    """Yields reviews: `text`, `rating` from 0 to 10, `answers`; `split` is train or test."""
    texts = [text.strip() for text in _lines(folder / f"texts_{split}.txt")]
    ratings = _lines(folder / f"ratings_{split}.txt")
    said = _wide(folder / "answers.txt", _rating_or_none) if split == "train" else [[]] * len(texts)
    _same_length(folder, texts=texts, ratings=ratings, answers=said)
    for text, rating, answers in zip(texts, ratings, said, strict=True):
        yield {"text": text, "rating": STARS * float(rating), "answers": answers}


def ner(folder: Path, split: str) -> Iterator[Item]:
    """Yields sentences: `tokens`, their `tags`, and `answers`, the tags that an annotator gave to all of them."""
    if split == "test":
        for tokens, (tags, *_) in _sentences(folder / "testset.txt"):
            yield {"tokens": tokens, "tags": tags, "answers": []}
        return
    file = folder / "answers.txt"
    gold, said = list(_sentences(folder / "ground_truth.txt")), list(_sentences(file))
    _same_length(folder, ground_truth=gold, answers=said)
    for (tokens, (tags, *_)), (same_tokens, columns) in zip(gold, said, strict=True):
        if tokens != same_tokens:
            _refuse(file, f"the sentence {' '.join(tokens)!r} of ground_truth.txt", " ".join(same_tokens))
        given = [{"annotator": r, "answer": tags} for r, tags in enumerate(columns) if "?" not in tags]
        yield {"tokens": tokens, "tags": tags, "answers": given}


def _class_or_none(cell: str) -> int | None:
    return None if int(cell) == -1 else int(cell)


def _rating_or_none(cell: str) -> float | None:
    return None if float(cell) in _MISSING_RATINGS else STARS * float(cell)


def _wide(file: Path, read: Callable[[str], Any]) -> list[list[Item]]:
    """The answers in each row of a table with one column per annotator; empty columns are not counted."""
    table: list[list[Any]] = []
    for number, line in enumerate(_lines(file), start=1):
        try:
            table.append([read(cell) for cell in line.split()])
        except ValueError:
            _refuse(file, f"numbers in line {number}", line[:80])
        if len(table[-1]) != len(table[0]):
            _refuse(file, f"{len(table[0])} columns in line {number}", len(table[-1]))
    answered = np.array([[cell is not None for cell in row] for row in table])
    position = np.cumsum(answered.any(axis=0)) - 1
    return [
        [{"annotator": int(position[r]), "answer": cell} for r, cell in enumerate(row) if cell is not None]
        for row in table
    ]


def _long(file: Path, item: str, annotator: str, answer: str) -> dict[str, list[Item]]:
    """The answers to each item of a table with one row per answer; annotators are numbered as their ids sort."""
    rows = list(_table(file, (item, annotator, answer)))
    number = {id_: i for i, id_ in enumerate(sorted({row[annotator] for row in rows}))}
    answers: dict[str, list[Item]] = {}
    for row in rows:
        said = {"annotator": number[row[annotator]], "answer": row[answer]}
        answers.setdefault(row[item], []).append(said)
    return answers


def _features(file: Path) -> Iterator[Item]:
    """`id`, `features` and `label` of a table with columns `id`, numbers, and `class`."""
    for row in _table(file, ("id", "class")):
        numbers = [value for name, value in row.items() if name not in ("id", "class")]
        try:
            features = np.array(numbers, np.float32)
        except ValueError:
            _refuse(file, f"numbers beside `id` and `class`, {row['id']!r}", numbers[:5])
        yield {"id": row["id"], "features": features, "label": row["class"]}


def _table(file: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """The rows of a CSV file that has these columns, among others."""
    reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline=""), strict=True)
    names = reader.fieldnames or []
    if not {*columns} <= {*names}:
        _refuse(file, f"columns {', '.join(columns)}", ", ".join(names[:12]))
    for row in reader:
        if None in row or None in row.values():
            _refuse(file, f"{len(names)} columns in line {reader.line_num}", [*row.values()][:3])
        yield row


def _sentences(file: Path) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Tokens and columns of tags of each sentence: a token per line, and a blank line after each sentence."""
    lines: list[list[str]] = []
    for line in [*_lines(file), ""]:
        cells = line.strip(" \r").split(" ")
        if cells != [""]:
            lines.append(cells)
        elif lines:
            if len({*map(len, lines)}) != 1 or len(lines[0]) < 2:
                _refuse(file, "lines of a sentence with a token and as many tags each", lines[:3])
            tokens, *columns = map(list, zip(*lines, strict=True))
            yield tokens, columns
            lines = []


def _lines(file: Path) -> list[str]:
    """The lines of a file, without the last line's end."""
    return file.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _same_length(folder: Path, **lists: Sequence[Any]) -> None:
    lengths = {name: len(values) for name, values in lists.items()}
    if len({*lengths.values()}) != 1:
        _refuse(folder, f"as many {', '.join(lengths)}", lengths)


def _refuse(file: Path, expected: str, received: object) -> NoReturn:
    raise ValueError(f"{file}: expected {expected}. Received: {received!r}")
