"""Rankings of Argilla in both forms of its records, against the same rankings as rows."""

import json

import numpy as np
import pytest

import keras_crowd as kc

RANKS = {
    ("p", "ann"): {"a": 2, "b": 1, "c": 3},
    ("p", "bob"): {"a": 1, "b": 2},
    ("q", "ann"): {"a": 1, "c": 2},
}


def written(folder, records):
    path = folder / "records.json"
    path.write_text(json.dumps(records))
    return path


def of_records(response, wrap):
    """Records of all prompts, with what `response` makes of each ranking."""
    records = []
    for prompt in ("p", "q"):
        mine = [response(who, ranks) for (of, who), ranks in RANKS.items() if of == prompt]
        records.append({"id": prompt, "fields": {"text": prompt.upper()}, "responses": wrap(mine)})
    return records


def as_list(who, ranks):
    return {"value": sorted(ranks, key=ranks.get), "user_id": who}


def as_server(who, ranks):
    value = [{"value": said, "rank": rank} for said, rank in ranks.items()]
    return {
        "user_id": who,
        "status": "submitted",
        "values": {"best": {"value": value}, "other": {"value": 3}},
    }


def expected():
    rows = [
        (said, who, rank, prompt) for (prompt, who), ranks in RANKS.items() for said, rank in ranks.items()
    ]
    item, annotator, rank, prompt = zip(*rows, strict=True)
    return kc.annotations.from_rankings(item, annotator, rank, prompt=prompt)


@pytest.mark.parametrize(
    ("response", "wrap"), [(as_list, lambda mine: {"best": mine, "other": None}), (as_server, list)]
)
def test_both_forms_are_the_rankings_of_their_rows(response, wrap, tmp_path):
    found = kc.io.read_argilla_rankings(written(tmp_path, of_records(response, wrap)), "best")
    annotations, weights = expected()
    assert found.annotations.items.tolist() == annotations.items.tolist()
    assert found.annotations.annotators.tolist() == ["ann", "bob"]
    np.testing.assert_array_equal(found.annotations.dense(), annotations.dense())
    np.testing.assert_allclose(found.weights, weights)


def test_drafts_and_other_questions_are_left_out_and_equal_ranks_are_ties(tmp_path):
    draft, tie = as_server("ann", {"a": 1, "b": 2}), as_server("bob", {"a": 1, "b": 1})
    draft["status"] = "draft"
    records = [
        {"id": 1, "fields": {"text": "P"}, "responses": [draft, tie, {"user_id": "cid", "values": {}}]}
    ]
    records.append({"id": 2, "fields": {"text": "Q"}, "responses": None})
    found = kc.io.read_argilla_rankings(written(tmp_path, records), "best", "fields.text").annotations
    assert found.items.tolist() == [(("P", "a"), ("P", "b"))]
    assert (found.annotators.tolist(), found.ids().tolist()) == (["bob"], ["tie"])


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        (
            {"best": [{"value": ["a", "a"], "user_id": 1}]},
            r"record 1, response 1: `item` must stand once.*'a'\) again",
        ),
        ({"best": [{"value": "a", "user_id": 1}]}, "record 1, response 1: expected a list"),
        ({"best": [{"value": ["a", 1], "user_id": 1}]}, "response 1: expected text. Received: 1"),
        ({"best": [{"value": ["a", "b"]}]}, "response 1: expected the key 'user_id'"),
        ([as_server("ann", {"a": "first", "b": 2})], r"response 1: `rank` must be numbers.*'first'"),
        ([as_server("ann", {"a": 10**400, "b": 2})], "response 1: `rank` must be numbers"),
        ([{"user_id": 1, "values": {"best": {}}}], "response 1: expected the key 'value'"),
        ({"worst": []}, "expected at least one ranking of 'best'. Received: none"),
        (7, "record 1, 'responses': expected a list. Received: 7"),
    ],
)
def test_what_is_no_ranking_is_refused_with_its_place(responses, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        kc.io.read_argilla_rankings(written(tmp_path, [{"id": 1, "responses": responses}]), "best")
