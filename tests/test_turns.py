"""Cases that are sent round the backends: each runs under one, and none where it is skipped."""

import types

import pytest
import turns
from conftest import BACKEND


def item(name="test_it", case=0, **marks):
    """What `turn` asks of a test."""
    found = {key: [types.SimpleNamespace(args=args)] for key, args in marks.items()}
    return types.SimpleNamespace(
        nodeid=name,
        originalname=name,
        callspec=types.SimpleNamespace(indices={"case": case}),
        iter_markers=lambda key: found.get(key, []),
    )


def test_cases_go_round_the_backends():
    turn = [turns.turn(item(case=case, by_turns=())) for case in range(6)]
    assert {*turn[:3]} == {*turns.BACKENDS}
    assert turn[3:] == turn[:3]
    named = [turns.turn(item(case=case, by_turns=("jax", "torch"))) for case in range(2)]
    assert {*named} == {"jax", "torch"}
    assert turns.turn(item(case=5, only_under=("torch",))) == "torch"
    assert turns.turn(item()) is None


def test_all_run_where_that_is_asked_for(monkeypatch):
    monkeypatch.setenv("KERAS_CROWD_EVERY_TURN", "1")
    assert turns.turn(item(by_turns=())) is None


def test_nothing_is_sent_where_it_is_skipped_or_where_nobody_is():
    assert turns.turn(item(only_under=(BACKEND,), skipif=(False,))) == BACKEND
    with pytest.raises(pytest.UsageError, match="where it is skipped"):
        turns.turn(item(only_under=(BACKEND,), skipif=(True,)))
    with pytest.raises(pytest.UsageError, match="There are"):
        turns.turn(item(only_under=("theano",)))
