"""CoNLL-style files: one token per line, blank lines between sentences, one column per annotator."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arguments import whole_number
from ..annotations import Annotations, Unknown, to_sequence_slots
from ._estimates import labels
from ._names import texts
from ._opened import FILE, replacing_text
from ._row_builder import RowBuilder
from ._rows import assemble
from ._text import read_text


@dataclass(frozen=True, eq=False, repr=False)
class TokenAnswers:
    """Sentences, and the answers of annotators at each token.

    Models of sequences are trained on arrays: `HiddenCRF.fit`, `EMTrainer.fit` and crowd layers take `dense()` as
    `answers` or, on slots, what `slots()` returns.

    Attributes:
        tokens: Tokens of each sentence.
        annotations: The answers; items are the tokens, sentence after sentence, `0, 1, ...`

    Example:

    >>> annotations = keras_crowd.Annotations.from_dense([[0, -1], [1, 1], [0, 0]])
    >>> keras_crowd.io.TokenAnswers([["Mary", "sleeps"], ["Why"]], annotations).dense().shape
    (2, 2, 2)
    """

    tokens: list[list[str]]
    annotations: Annotations

    def __repr__(self) -> str:
        size = sum(map(len, self.tokens))
        return f"TokenAnswers({len(self.tokens):,} sentences, {size:,} tokens, {self.annotations!r})"

    def dense(self) -> np.ndarray:
        """Returns the answers as `(sentences, time, annotators)`; padding and missing answers are `-1`.

        Soft answers have the classes as last axis, zeros where missing.
        """
        sentence, time = self._positions()
        shape = (len(self.tokens), max(map(len, self.tokens)), self.annotations.num_annotators)
        table = self.annotations.kind.empty(shape)
        item = self.annotations.item_index
        table[sentence[item], time[item], self.annotations.annotator_index] = self.annotations.answers
        return table

    def slots(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the answers without the annotators who said nothing about a sentence.

        Returns:
            Annotators `(sentences, slots)` and answers `(sentences, time, slots)`, both padded with `-1`; soft answers
            have the classes as last axis and are padded with zeros.
        """
        sentence, time = self._positions()
        item, shape = self.annotations.item_index, (len(self.tokens), max(map(len, self.tokens)))
        annotators, answers = self.annotations.annotator_index, self.annotations.answers
        return to_sequence_slots(
            sentence[item], time[item], annotators, answers, shape, self.annotations.kind
        )

    def _positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Sentence of each token, and its position there."""
        lengths = np.array([len(sentence) for sentence in self.tokens])
        sentence = np.repeat(np.arange(len(lengths)), lengths)
        return sentence, np.arange(lengths.sum()) - (np.cumsum(lengths) - lengths)[sentence]


def read_conll(
    path: FILE,
    annotators: str | Sequence[Hashable] | None = None,
    *,
    token: int = 0,
    first_answer: int | None = None,
    sep: str | None = None,
    missing: str | Sequence[str] = ("?",),
    encoding: str = "utf-8",
    classes: Sequence[Hashable] | None = None,
    unknown: Unknown = "error",
) -> TokenAnswers:
    """Reads a file with a token per line, blank lines between sentences, and a column per annotator.

    Lines that begin with `-DOCSTART-` are left out. There is no header, so annotators have no names except those given.

    Args:
        path: The file.
        annotators: Ids of the columns. Defaults to `0, 1, ...`
        token: Integer. Position of the column of tokens. Defaults to 0.
        first_answer: Integer. Position of the first column of answers; all columns from there on are answers. Defaults
            to the one after `token`.
        sep: String. Separator of the columns. Defaults to any white space.
        missing: Answers that mean "did not answer". Defaults to `('?',)`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.
        classes: All tags, in the order of the classifier's outputs. Defaults to those seen, sorted.
        unknown: What to do with answers that are not among them: `"error"`, or `"drop"`. Defaults to `"error"`.

    Returns:
        `TokenAnswers`: its `annotations`, and `dense()` and `slots()` by sentences.

    Raises:
        ValueError: When the file is malformed; the message names line and column.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "answers.txt"
    >>> size = file.write_text("Mary B-PER O\\nsleeps O O\\n\\nWhy ? O\\n")
    >>> keras_crowd.io.read_conll(file, ["ann", "bob"], classes=["O", "B-PER"]).dense().tolist()
    [[[1, 0], [0, 0]], [[-1, 0], [-1, -1]]]

    Reference:
        E. Tjong Kim Sang, F. De Meulder, "Introduction to the CoNLL-2003 shared task", 2003: a token per line, blank
        lines, `-DOCSTART-`. F. Rodrigues, F. Pereira, B. Ribeiro, "Sequence labeling with multiple annotators",
        2014, whose data have a column per annotator and `?`.
    """
    token = whole_number("token", token, 0)
    first = token + 1 if first_answer is None else whole_number("first_answer", first_answer, token + 1)
    if sep == "":
        raise ValueError("`sep` must be what stands between columns. Received: sep=''")
    missing = texts("missing", missing)
    annotators = (annotators,) if isinstance(annotators, str) else annotators
    sentences: list[list[str]] = [[]]
    names: list[Any] | None = None
    builder = RowBuilder(
        path,
        ("token", "annotator", "answer"),
        lambda line, column: f"line {line}, column {column + 1}",
        missing=missing,
    )
    count = 0
    for line, fields in _lines(path, sep, encoding):
        if fields is None:
            sentences += [[]] if sentences[-1] else []
            continue
        names = names or _names(path, line, len(fields), first, annotators)
        if len(fields) != first + len(names):
            raise ValueError(
                f"{path}, line {line}: expected {first + len(names)} columns, as before: a token, and "
                f"{len(names)} of answers. Received: {len(fields)} columns"
            )
        if not fields[token]:
            raise ValueError(f"{path}, line {line}, column {token + 1}: expected a token. Received: ''")
        sentences[-1].append(fields[token])
        for column, answer in enumerate(fields[first:], first):
            if not answer:
                raise ValueError(f"{path}, line {line}, column {column + 1}: expected a tag. Received: ''")
            builder.add(count, names[column - first], answer, line, column)
        count += 1
    rows = builder.rows(annotators=names)._replace(items=range(count))
    return TokenAnswers([s for s in sentences if s], assemble(rows, classes=classes, unknown=unknown))


def write_conll(
    path: FILE,
    tokens: Sequence[Sequence[str]],
    annotations: Annotations,
    estimates: Any,
    *,
    sep: str = "\t",
    encoding: str = "utf-8",
) -> None:
    """Writes a token per line with its tag, and its confidence where probabilities are given.

    Args:
        path: The file to write.
        tokens: Tokens of each sentence.
        annotations: Answers whose items are the tokens, sentence after sentence.
        estimates: Probabilities `(tokens, classes)`, or class codes `(tokens,)`; `-1` is written as "?". Or by
            sentences, padded: class codes `(sentences, time)`, as of `HiddenCRF.truth_tagger().predict`, and
            probabilities `(sentences, time, classes)`, as of `HiddenCRF.posterior`.
        sep: String. Separator of the columns. Defaults to `"        "`.
        encoding: String. Encoding of the file. Defaults to `"utf-8"`.

    Raises:
        ValueError: When there are not as many tokens as items, `estimates` do not fit the annotations, or `sep` or a
            line break is part of a token or a tag.

    Example:

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "tags.txt"
    >>> annotations = keras_crowd.Annotations.from_dense([[0], [1]], classes=["O", "B-PER"])
    >>> keras_crowd.io.write_conll(file, [["Hi", "Mary"]], annotations, [0, 1], sep=" ")
    >>> print(file.read_text())
    Hi O
    Mary B-PER
    """
    if isinstance(tokens, str) or any(isinstance(sentence, str) for sentence in tokens):
        raise ValueError("`tokens` must be sentences, lists of tokens. Received: text")
    if sum(map(len, tokens)) != annotations.num_items:
        raise ValueError(
            f"`tokens` must be {annotations.num_items}, one for each item. Received: {sum(map(len, tokens))}"
        )
    found = labels(annotations, _by_token(tokens, estimates))
    rows = zip(found.values, found.confidences, strict=True)
    with replacing_text(path, encoding, newline="\n") as file:
        for sentence in tokens:
            for token in sentence:
                tag, confidence = next(rows)
                sure = [] if confidence is None else [f"{confidence:.6g}"]
                tag = "?" if tag is None else str(tag)
                _refuse_unreadable("`tokens`", token, (sep, "-DOCSTART-"))
                _refuse_unreadable("tags", tag, (sep,))
                file.write(sep.join([token, tag, *sure]) + "\n")
            file.write("\n")


def _refuse_unreadable(name: str, text: str, reserved: Sequence[str]) -> None:
    """Raises where a text would be read as something else."""
    if not text or any(part in text for part in ("\n", "\r", *reserved)):
        raise ValueError(
            f"{name} must be text without line breaks, {', '.join(map(repr, reserved))}. Received: {text!r}"
        )


def _by_token(tokens: Sequence[Sequence[str]], estimates: Any) -> Any:
    """Returns estimates by sentences as those of the tokens, one after the other; others as they are."""
    shape = np.shape(estimates)
    codes = len(shape) == 2 and shape[0] == len(tokens) and np.asarray(estimates).dtype.kind in "iu"
    if len(shape) != 3 and not codes:
        return estimates
    lengths = np.array([len(sentence) for sentence in tokens])
    if shape[0] != len(lengths) or shape[1] < lengths.max():
        raise ValueError(
            f"`estimates` by sentences must be of {len(lengths)} sentences and at least {lengths.max()} tokens. "
            f"Received: shape {shape}"
        )
    return np.asarray(estimates)[np.arange(shape[1]) < lengths[:, None]]


def _lines(path: FILE, sep: str | None, encoding: str) -> Iterator[tuple[int, list[str] | None]]:
    """Number and columns of each line, `None` for a blank one."""
    found = False
    for number, line in enumerate(read_text(path, encoding).split("\n"), 1):
        line = line.removesuffix("\r")
        if line.startswith("-DOCSTART-"):
            continue
        found = found or bool(line.strip())
        yield number, line.split(sep) if line.strip() else None
    if not found:
        raise ValueError(f"{os.fspath(path)}: expected a token per line. Received: an empty file")


def _names(
    path: FILE, line: int, columns: int, first: int, annotators: Sequence[Hashable] | None
) -> list[Any]:
    answers = max(columns - first, 0)
    if answers < 1 or (annotators is not None and len(annotators) != answers):
        wanted = "columns of answers" if annotators is None else f"{len(annotators)} columns of answers"
        raise ValueError(
            f"{path}, line {line}: expected {wanted} (from `first_answer={first}` on; the first column is 0). "
            f"Received: {answers} of {columns} columns"
        )
    return list(range(answers)) if annotators is None else list(annotators)
