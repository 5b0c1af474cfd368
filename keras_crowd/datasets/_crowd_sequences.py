"""`CrowdSequences`: sentences, and what a crowd answered at each token."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..annotations import MISSING, Annotations, Classes, to_sequence_slots


@dataclass(frozen=True, eq=False, repr=False)
class CrowdSequences:
    """Sentences with the tags that annotators gave to their tokens, and gold tags to evaluate results.

    Arrays are padded at the end with `-1`. **`y_train` is for evaluation only.**

    Attributes:
        tokens_train: Tokens of the training sentences, one array of strings per sentence.
        annotators: Annotator of each slot, int32 `(sentences, slots)`.
        answers: The answers, int32 `(sentences, time, slots)`.
        y_train: Gold tags of the training sentences, int32 `(sentences, time)`. For evaluation only.
        tokens_test: Tokens of the test sentences.
        y_test: Gold tags of the test sentences, int32 `(sentences, time)`.
        class_names: Names of the tags, in the order of their codes.
        num_annotators: Number of annotators.
    """

    tokens_train: list[np.ndarray]
    annotators: np.ndarray
    answers: np.ndarray
    y_train: np.ndarray
    tokens_test: list[np.ndarray]
    y_test: np.ndarray
    class_names: tuple[str, ...]
    num_annotators: int

    @property
    def is_token(self) -> np.ndarray:
        """Mask of the tokens of the training sentences, bool `(sentences, time)`."""
        lengths = np.array([len(tokens) for tokens in self.tokens_train])
        return np.arange(self.answers.shape[1]) < lengths[:, None]

    def token_annotations(self) -> Annotations:
        """Returns the answers as `Annotations` whose items are the tokens, sentence after sentence.

        Use it for functions that take each token by itself, such as those of `aggregation` and `warm_start`. `padded`
        turns labels of tokens back into `(sentences, time)`.
        """
        item = np.full(self.is_token.shape, MISSING)
        item[self.is_token] = np.arange(self.is_token.sum())
        row, time, slot = np.nonzero(self.answers >= 0)
        return Annotations(
            item[row, time],
            self.annotators[row, slot],
            self.answers[row, time, slot],
            items=np.arange(self.is_token.sum()),
            annotators=np.arange(self.num_annotators),
            classes=np.array(self.class_names),
        )

    def by_previous_answer(self) -> CrowdSequences:
        """Splits each annotator by the answer to the previous token.

        Annotator `r`, after the answer `l` to the previous token, becomes annotator `r * classes + l`, and so has a
        confusion for every previous answer. An annotator who misses the beginning of an entity also misses the rest of
        it, and this is one error, not two. Before the first token, `l` is 0.

        Returns:
            `CrowdSequences` with `num_annotators * classes` annotators, and as many slots as a sentence needs.
        """
        num_classes = len(self.class_names)
        previous = np.maximum(np.pad(self.answers[:, :-1], ((0, 0), (1, 0), (0, 0)), constant_values=0), 0)
        who = np.where(self.answers >= 0, self.annotators[:, None] * num_classes + previous, MISSING)
        sentence, time, slot = np.nonzero(who >= 0)
        given = who[sentence, time, slot], self.answers[sentence, time, slot]
        annotators, answers = to_sequence_slots(sentence, time, *given, self.answers.shape[:2], Classes())
        return replace(
            self, annotators=annotators, answers=answers, num_annotators=self.num_annotators * num_classes
        )

    def padded(self, tags: np.ndarray) -> np.ndarray:
        """Pads tags of the training tokens, `(tokens,)`, to `(sentences, time)`."""
        table = np.full(self.is_token.shape, MISSING, np.int32)
        table[self.is_token] = tags
        return table

    def __repr__(self) -> str:
        return (
            f"CrowdSequences({len(self.tokens_train):,} training and {len(self.tokens_test):,} test sentences, "
            f"{len(self.class_names)} classes, {self.num_annotators} annotators, "
            f"{np.mean(np.sum(self.annotators >= 0, axis=1)):.1f} a sentence)"
        )


def padded_rows(flat: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Rows of a flat array, `flat[offsets[i] : offsets[i + 1]]`, padded at the end with `-1`."""
    lengths = np.diff(offsets)
    table = np.full((len(lengths), lengths.max(), *flat.shape[1:]), MISSING, np.int32)
    table[np.arange(lengths.max()) < lengths[:, None]] = flat
    return table


def sentences(tokens: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    """Tokens of each sentence."""
    return np.split(tokens, offsets[1:-1])


def slots_of(answers: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Annotators `(sentences, slots)` and answers `(sentences, time, slots)` of those to all tokens `(tokens, R)`."""
    lengths = np.diff(offsets)
    token, annotator = np.nonzero(answers >= 0)
    sentence = np.repeat(np.arange(len(lengths)), lengths)[token]
    shape = (len(lengths), lengths.max())
    return to_sequence_slots(
        sentence, token - offsets[sentence], annotator, answers[token, annotator], shape, Classes()
    )
