"""The habits of prose that `make lint` finds, and those it leaves alone."""

import prose
import pytest


@pytest.mark.parametrize(
    "text",
    [
        "One row an answer.",
        "A matrix\nan annotator",
        "three answers an item",
        "7,440 ratings, 5 a review",
        "an imaginary crowd",
        "Pseudo-counts, imagined beforehand",
        "a dash \u2014 here",
    ],
)
def test_bad_habits_are_found(text):
    assert list(prose.habits_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "One row per answer.",
        "An annotator must answer an item at most once.",
        "benchmarks/em.py --imaginary",
        "an annotator answers an item",
    ],
)
def test_good_sentences_are_left_alone(text):
    assert not list(prose.habits_of(text))


def test_openings():
    assert prose.OPENINGS.match("What `fit` returns.")
    assert not prose.OPENINGS.match("Whatever fits.")
    assert not list(prose.complaints())
