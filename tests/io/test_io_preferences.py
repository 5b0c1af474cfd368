"""Files of comparisons, of chosen and rejected, of rankings and of Label Studio's pairs: read, written, refused."""

import json

import numpy as np
import pandas as pd
import pytest

import keras_crowd as kc

VOTES = "left,right,worker,label\nx,y,ann,x\nx,y,bob,tie\ny,x,bob,x\nz,x,cid,\n"
CROWD_KIT = ("left", "right", "worker", "label")


def file_of(folder, text, name="votes.csv"):
    (folder / name).write_text(text)
    return folder / name


def same(found, expected):
    assert found.items.tolist() == expected.items.tolist()
    assert found.annotators.tolist() == expected.annotators.tolist()
    assert found.kind == expected.kind
    np.testing.assert_array_equal(found.dense(), expected.dense())


@pytest.mark.parametrize("name", ["v.csv", "v.tsv", "v.csv.gz", "v.jsonl", "v.parquet"])
@pytest.mark.parametrize("ids", [["x", "y", "z"], [7, 5, 12], ["007", "7", "tea"]])
def test_comparisons_are_read_back_from_every_format(name, ids, tmp_path):
    a, b, c = ids
    answers = kc.Annotations.from_preferences(
        [a, b, a, c], [b, a, b, a], [1, 1, 2, 2], [a, a, "tie", c], shown_first=[b, a, a, a]
    )
    choices = None if isinstance(a, str) else (0, 1, 2)
    kc.io.write_preferences(tmp_path / name, answers, *CROWD_KIT, choices=choices)
    same(kc.io.read_preferences(tmp_path / name, *CROWD_KIT, choices=choices), answers)
    with pytest.raises(ValueError, match=r"`choices` must be 3 words or codes"):
        kc.io.write_preferences(tmp_path / name, answers, choices=(0, 1))


@pytest.mark.parametrize("name", ["v.csv", "v.jsonl", "v.parquet"])
def test_grades_are_read_back_and_are_chosen_and_rejected_without(name, tmp_path):
    answers = kc.Annotations.from_preferences(["x", "y"], ["y", "z"], [1, 2], [-2, 1], grades=2)
    kc.io.write_preferences(tmp_path / name, answers)
    same(kc.io.read_preferences(tmp_path / name, grades=2), answers)
    kc.io.write_chosen_rejected(tmp_path / "pairs.csv", answers, [[0.9, 0.1, 0], [0.2, 0.8, 0]])
    assert pd.read_csv(tmp_path / "pairs.csv")["chosen"].tolist() == ["x", "z"]


def test_both_orders_stay_two_pairs_and_a_frame_reads_alike(tmp_path):
    found = kc.io.read_preferences(file_of(tmp_path, VOTES), *CROWD_KIT)
    assert found.items.tolist() == [("x", "y"), ("y", "x")]
    assert found.dense().tolist() == [[0, 2], [-1, 1]]
    frame = pd.read_csv(tmp_path / "votes.csv")
    same(kc.Annotations.from_preference_table(frame, *CROWD_KIT), found)
    with pytest.raises(ValueError, match=r"`winner` must name a column .*winner='best', columns \['left'"):
        kc.Annotations.from_preference_table(frame, *CROWD_KIT[:3], "best")


def test_sides_and_what_was_shown_first(tmp_path):
    text = "item_a,item_b,annotator,winner,shown\n1,2,9,a,2\n1,3,9,b,1\n3,1,8,none,3\n"
    path = file_of(tmp_path, text)
    found = kc.io.read_preferences(path, shown_first="shown", choices=("a", "b"), missing="none")
    assert found.items.tolist() == [(1, 3), (2, 1)]
    assert (found.annotators.tolist(), found.answers.tolist()) == ([9], [1, 1])
    path = file_of(tmp_path, "1\t2\t9\t0\n2\t3\t9\t2\n", "codes.tsv")
    names = ["item_a", "item_b", "annotator", "winner"]
    pairs = [("2", "3"), ("1", "2")]
    found = kc.io.read_preferences(path, choices=(0, 1, 2), names=names, pairs=pairs)
    assert (found.items.tolist(), found.answers.tolist()) == (pairs, [2, 0])


def test_chosen_and_rejected_stand_in_one_order(tmp_path):
    rows = [("p", "yes", "no"), ("p", "no", "yes"), ("q", "yes", "no")]
    lines = [json.dumps(dict(zip(("prompt", "chosen", "rejected"), row, strict=True))) for row in rows]
    path = file_of(tmp_path, "\n".join(lines), "pairs.jsonl")
    found = kc.io.read_preferences(path, "chosen", "rejected", None, None, prompt="prompt")
    assert found.items.tolist() == [(("p", "no"), ("p", "yes")), (("q", "no"), ("q", "yes"))]
    assert found.annotators.tolist() == [0, 1]
    assert found.dense().tolist() == [[1, 0], [1, -1]]
    messages = [[{"role": "assistant", "content": word}] for word in ("ja", "nein")]
    path = file_of(
        tmp_path, json.dumps({"chosen": messages[0], "rejected": messages[1], "who": "ann"}), "m.jsonl"
    )
    found = kc.io.read_preferences(path, "chosen", "rejected", "who", None)
    assert [json.loads(id_) for id_ in found.items.tolist()[0]] == messages
    assert (found.annotators.tolist(), found.answers.tolist()) == (["ann"], [0])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x,y,ann,x\nx,x,bob,x\n", r"v.csv, line 3: `item_a` and `item_b` must differ.*the first of 'x'"),
        (
            "x,y,ann,x\nx,y,bob,z\n",
            r"line 3: `winner` must be one of the two.*'z' for the items 'x' and 'y'",
        ),
        (
            "x,y,ann,x\n\nx,y,ann,y\n",
            r"line 4: An annotator must compare a pair at most once.*'ann' and pair",
        ),
        ("x,y,ann,x\nx,y,,y\n", r"line 3, 'annotator': expected an id. Received: ''"),
        ("x,y,ann,x\n,y,ann,y\n", r"line 3, 'item_a': expected an id"),
        ("x,y,ann,\n", r"v.csv: `winner` must hold at least one answer"),
        ("x,y,ann\n", r"line 2: expected 4 fields"),
    ],
)
def test_comparisons_that_cannot_be_are_named_by_their_line(rows, message, tmp_path):
    path = file_of(tmp_path, "item_a,item_b,annotator,winner\n" + rows, "v.csv")
    with pytest.raises(ValueError, match=message):
        kc.io.read_preferences(path)


def test_what_was_shown_first_ties_and_rules_are_placed(tmp_path):
    path = file_of(tmp_path, "item_a,item_b,annotator,winner,f\nx,y,r,tie,x\nx,y,s,x,z\n", "v.csv")
    with pytest.raises(
        ValueError, match=r"line 2: `winner` must hold no ties with ties=False. Received: 1"
    ):
        kc.io.read_preferences(path, ties=False)
    with pytest.raises(ValueError, match=r"line 3: `shown_first` must be one of the two items"):
        kc.io.read_preferences(path, shown_first="f")
    with pytest.raises(ValueError, match=r"line 2: `winner` must be one of .*'tie'"):
        kc.io.read_preferences(path, choices=("x", "y"))
    path = file_of(tmp_path, "item_a,item_b,annotator,winner\nx,y,r,x\nx,y,r,y\n", "w.csv")
    assert kc.io.read_preferences(path, duplicates="last").answers.tolist() == [1]


def test_pairs_with_a_posterior_are_written_as_chosen_and_rejected(tmp_path):
    answers = kc.Annotations.from_preferences(
        [("p", "x"), ("p", "y")], [("p", "y"), ("p", "z")], ["r", "r"], [("p", "x"), "tie"]
    )
    posterior = [[0.25, 0.5, 0.25], [0.1, 0.2, 0.7]]
    path = tmp_path / "out.csv"
    kc.io.write_chosen_rejected(path, answers, posterior, prompt="prompt")
    assert path.read_text() == "prompt,chosen,rejected,confidence\np,y,x,0.5\n"
    of_two = kc.aggregation.pair_posterior(answers, [1.0, 0.0], [0.0, 2.0], 0.5)
    kc.io.write_chosen_rejected(path, answers, of_two, prompt="prompt")
    written = pd.read_csv(path)
    assert written[["chosen", "rejected"]].to_numpy().tolist() == [["x", "y"], ["z", "y"]]
    np.testing.assert_allclose(written["confidence"], of_two.max(axis=1))
    texts = {"x": [{"role": "assistant"}], "y": "Y", "z": "Z"}
    path = tmp_path / "out.jsonl"
    kc.io.write_chosen_rejected(path, answers, np.array([0, -1]), prompt="prompt", contents=texts)
    assert json.loads(path.read_text()) == {
        "prompt": "p",
        "chosen": [{"role": "assistant"}],
        "rejected": "Y",
    }
    with pytest.raises(
        ValueError, match=r"`contents` must have all items of the pairs. Received: none for 'x'"
    ):
        kc.io.write_chosen_rejected(path, answers, [0, 0], prompt="prompt", contents={"y": 1})
    with pytest.raises(ValueError, match=r"must prefer one item in at least one pair"):
        kc.io.write_chosen_rejected(path, answers, [2, -1])
    with pytest.raises(ValueError, match=r"`prompt` is for ids that are tuples \(prompt, item\)"):
        kc.io.write_preferences(
            path, kc.Annotations.from_preferences(["a"], ["b"], ["r"], ["a"]), prompt="prompt"
        )
    for write in (kc.io.write_preferences, lambda p, a: kc.io.write_chosen_rejected(p, a, [0])):
        with pytest.raises(ValueError, match=r"`annotations` must be of preferences"):
            write(path, kc.Annotations.from_dense([[0, 1]]))
    with pytest.raises(ValueError, match=r"must be hard preferences"):
        kc.io.write_preferences(path, answers.soft())


def test_prompts_are_written_and_read_back(tmp_path):
    ids = [("p", "x"), ("p", "y"), ("q", "x"), ("q", "y")]
    answers = kc.Annotations.from_preferences(ids[::2], ids[1::2], ["r", "s"], [ids[1], "tie"])
    kc.io.write_preferences(tmp_path / "v.csv", answers, prompt="prompt")
    same(kc.io.read_preferences(tmp_path / "v.csv", prompt="prompt"), answers)
    same(kc.io.read_preferences(tmp_path / "v.csv", prompt="prompt", pairs=answers.items), answers)


def test_scores_are_written_from_the_best(tmp_path):
    answers = kc.Annotations.from_preferences(["a", "b", "a"], ["b", "c", "c"], [0, 0, 0], ["b", "b", "a"])
    found = kc.aggregation.bradley_terry(answers, position_bias=False)
    path = tmp_path / "scores.csv"
    kc.io.write_scores(
        path, found.items, found.scores, standard_error=found.standard_error, group=found.groups
    )
    table = pd.read_csv(path)
    assert table["item"].tolist() == ["b", "a", "c"]
    np.testing.assert_allclose(table["score"], found.scores[[1, 0, 2]])
    kc.io.write_scores(tmp_path / "predicted.csv", found.items, found.scores[:, None])
    np.testing.assert_array_equal(pd.read_csv(tmp_path / "predicted.csv")["score"], table["score"])
    with pytest.raises(ValueError, match=r"`score` must have one value for each of 3 items.*\(3, 2\)"):
        kc.io.write_scores(path, found.items, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"`group` must have one value for each of 3 items.*\(1,\)"):
        kc.io.write_scores(path, found.items, found.scores, group=[1])


def rankings_of_loops(rows):
    """Slow oracle: each pair of each ranking, its answer and its weight."""
    found = {}
    for who in {row[1] for row in rows}:
        mine = sorted(
            (item, rank) for item, annotator, rank in rows if annotator == who and rank is not None
        )
        for i, (a, of_a) in enumerate(mine):
            for b, of_b in mine[i + 1 :]:
                found[a, b, who] = (2 if of_a == of_b else int(of_a > of_b), 2 / len(mine))
    return found


def test_rankings_are_their_pairs_weighted_by_their_length(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        (item, who, int(rng.integers(1, 4)))
        for who in ("ann", "bob", "cid")
        for item in "xyzuv"
        if rng.random() < 0.8
    ]
    rows.append(("w", "ann", None))
    columns = dict(zip(("item", "annotator", "rank"), zip(*rows, strict=True), strict=True))
    found = kc.annotations.from_rankings(*columns.values())
    answers, expected = found.annotations, rankings_of_loops(rows)
    assert len(answers) == len(expected)
    given = zip(answers.item_index, answers.annotator_index, answers.answers, found.weights, strict=True)
    for pair, who, said, weight in given:
        code, share = expected[(*answers.items[pair], answers.annotators[who])]
        assert (said, weight) == (code, pytest.approx(share))
    sizes = np.unique([row[1] for row in rows if row[2] is not None], return_counts=True)[1]
    assert found.weights.sum() == pytest.approx((sizes - 1).sum())
    both = answers.answers_per_item() == 3
    mean = np.bincount(answers.item_index, found.weights) / answers.answers_per_item()
    np.testing.assert_allclose(found.pair_weights()[both], mean[both])
    pd.DataFrame(columns).to_csv(tmp_path / "r.csv", index=False)
    read = kc.io.read_rankings(tmp_path / "r.csv")
    same(read.annotations, answers)
    np.testing.assert_allclose(read.weights, found.weights)


def test_rankings_of_several_prompts_and_what_is_no_ranking(tmp_path):
    text = "q,item,annotator,rank\n1,x,r,1\n1,y,r,2\n2,x,r,2\n2,y,r,1\n2,z,r,\n"
    found = kc.io.read_rankings(file_of(tmp_path, text, "r.csv"), prompt="q")
    assert found.annotations.items.tolist() == [((1, "x"), (1, "y")), ((2, "x"), (2, "y"))]
    assert (found.annotations.answers.tolist(), found.weights.tolist()) == ([0, 1], [1, 1])
    with pytest.raises(
        ValueError, match=r"r.csv, line 4: `item` must stand once in each ranking.*'x' again"
    ):
        kc.io.read_rankings(file_of(tmp_path, text, "r.csv"))
    with pytest.raises(
        ValueError, match=r"line 3: `rank` must be numbers, 1 for the best. Received: '2nd'"
    ):
        kc.io.read_rankings(file_of(tmp_path, text.replace("y,r,2", "y,r,2nd"), "r.csv"), prompt="q")
    with pytest.raises(
        ValueError, match=r"a ranking of at least two items. Received: 2 rankings of at most 1"
    ):
        kc.annotations.from_rankings(["x", "y"], ["r", "s"], [1, 1])
    with pytest.raises(ValueError, match=r"same length"):
        kc.annotations.from_rankings(["x", "y"], ["r"], [1, 1])


def label_studio(folder, *said, type_="pairwise", who=3):
    key = {"pairwise": "selected", "choices": "choices"}[type_]
    tasks = []
    for number, answer in enumerate(said):
        value = {key: [answer] if type_ == "choices" else answer}
        result = {"from_name": "better", "to_name": "l,r", "type": type_, "value": value}
        annotations = [{"completed_by": who, "result": [result]}]
        tasks.append({"id": number, "data": {"l": f"x{number}", "r": "y"}, "annotations": annotations})
    return file_of(folder, json.dumps(tasks), "ls.json")


def test_pairs_of_label_studio(tmp_path):
    read = kc.io.read_label_studio_pairs
    found = read(label_studio(tmp_path, "left", "right"), "data.l", "data.r")
    assert found.items.tolist() == [("x0", "y"), ("x1", "y")]
    assert (found.dense().tolist(), found.annotators.tolist()) == ([[0], [1]], [3])
    path = label_studio(tmp_path, "same", "r", type_="choices")
    found = read(path, "data.l", "data.r", choices=("l", "r", "same"))
    assert found.ids().tolist() == ["tie", "second"]
    with pytest.raises(ValueError, match=r"task 1, annotation 1: `winner` must be one of .*'same'"):
        read(path, "data.l", "data.r")
    with pytest.raises(ValueError, match=r"task 1: expected the key 'title'"):
        read(path, "data.title", "data.r", choices=("l", "r", "same"))
    with pytest.raises(ValueError, match=r"annotation 1, 'completed_by': expected text"):
        read(label_studio(tmp_path, "left", who=None), "data.l", "data.r")
    with pytest.raises(ValueError, match=r"task 1, annotation 1: `item_a` and `item_b` must differ"):
        read(label_studio(tmp_path, "left"), "data.l", "data.l")
