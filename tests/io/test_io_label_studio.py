"""Label Studio: controls that are a class or a preference, those that are not, and old exports."""

import json

import pytest

import keras_crowd as kc


def result(type_, value, name="x", **more):
    return {"from_name": name, "to_name": "y", "type": type_, "value": value} | more


def export(folder, *results, key="annotations"):
    """One task for each list of results, one annotator for each result."""
    tasks = []
    for i, said in enumerate(results):
        annotations = [{"completed_by": who, "result": [one]} for who, one in enumerate(said)]
        tasks.append({"id": i, "data": {"text": f"t{i}"}, key: annotations})
    (folder / "ls.json").write_text(json.dumps(tasks))
    return folder / "ls.json"


def back(folder, path, annotations, codes):
    """What Label Studio would show of labels that are written for it: the values, and what is read of them."""
    kc.io.write_label_studio(folder / "out.json", path, annotations, codes)
    tasks = json.loads((folder / "out.json").read_text())
    found = kc.io.read_label_studio(
        folder / "out.json", predictions=True, classes=annotations.classes.tolist()
    )
    return [task["predictions"][0]["result"][0]["value"] for task in tasks], found.answers.tolist()


def test_pairwise_choices_are_preferences(tmp_path):
    left, right = (result("pairwise", {"selected": side}, to_name=["a", "b"]) for side in ("left", "right"))
    path = export(tmp_path, [left, right], [result("pairwise", {"selected": "right"}, to_name="a,b")])
    found = kc.io.read_label_studio(path)
    assert (found.classes.tolist(), found.dense().tolist()) == (["left", "right"], [[0, 1], [1, -1]])
    values, codes = back(tmp_path, path, found, [1, 0])
    assert (values, codes) == ([{"selected": "right"}, {"selected": "left"}], [1, 0])
    with pytest.raises(
        ValueError, match=r"task 1, annotation 1, 'x': expected 'left' or 'right'. Received: 'both'"
    ):
        kc.io.read_label_studio(export(tmp_path, [result("pairwise", {"selected": "both"})]))


@pytest.mark.parametrize("type_", ["taxonomy", "choices"])
def test_a_path_of_a_taxonomy_is_a_class(tmp_path, type_):
    cat, bird = [["animal", "cat"]], [["animal", "bird", "owl"]]
    path = export(
        tmp_path, [result(type_, {type_: cat}), result(type_, {type_: bird})], [result(type_, {type_: cat})]
    )
    found = kc.io.read_label_studio(path)
    assert found.classes.tolist() == ["animal / bird / owl", "animal / cat"]
    assert found.dense().tolist() == [[1, 0], [1, -1]]
    values, codes = back(tmp_path, path, found, [0, 1])
    assert (values, codes) == ([{type_: bird}, {type_: cat}], [0, 1])


def test_a_path_may_be_chosen_with_all_that_lead_to_it(tmp_path):
    paths = [["animal"], ["animal", "bird", "owl"], ["animal", "bird"]]
    found = kc.io.read_label_studio(export(tmp_path, [result("taxonomy", {"taxonomy": paths})]))
    assert found.classes.tolist() == ["animal / bird / owl"]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (
            [["animal", "cat"], ["animal", "dog"]],
            "expected one path of a taxonomy, which is a class, not several",
        ),
        ([], "expected one path"),
        ([[]], "expected paths of texts"),
        ([["animal", 7]], "expected paths of texts"),
        (["animal"], "expected a list"),
    ],
)
def test_taxonomies_that_are_no_class(tmp_path, paths, message):
    path = export(tmp_path, [result("taxonomy", {"taxonomy": paths})])
    with pytest.raises(ValueError, match=rf"ls.json, task 1, annotation 1, 'x': {message}"):
        kc.io.read_label_studio(path)


def test_controls_that_cannot_be_read_are_named_with_their_types(tmp_path):
    box = result("rectanglelabels", {"x": 1, "rectanglelabels": ["car"]}, "box")
    text = result("textarea", {"text": ["fine"]}, "note")
    region = result("choices", {"x": 1, "choices": ["red"]}, "colour")
    path = export(tmp_path, [box, text], [region])
    shown = r"'box' \(rectanglelabels\), 'note' \(textarea\), 'colour' \(choices, of a part of the task\)"
    with pytest.raises(ValueError, match=rf"one control of type choices, taxonomy.*Received: {shown}$"):
        kc.io.read_label_studio(path)
    with pytest.raises(ValueError, match=rf"of the control 'note' .*Received: {shown}$"):
        kc.io.read_label_studio(path, "note")
    with pytest.raises(ValueError, match=r"Received: none$"):
        kc.io.read_label_studio(export(tmp_path, []))


@pytest.mark.parametrize("key", ["annotations", "completions"])
def test_old_exports_need_no_data(tmp_path, key):
    path = export(tmp_path, [result("choices", {"choices": ["cat"]})], key=key)
    tasks = json.loads(path.read_text())
    del tasks[0]["data"]
    path.write_text(json.dumps(tasks))
    found = kc.io.read_label_studio(path)
    assert (found.items.tolist(), found.classes.tolist()) == ([0], ["cat"])
    with pytest.raises(ValueError, match="task 1: expected the key 'data'"):
        kc.io.read_label_studio(path, item="data.text")
    with pytest.raises(ValueError, match="task 1: expected the key 'data'"):  # which an import needs
        kc.io.write_label_studio(tmp_path / "out.json", path, found, [0])


def test_json_min_has_the_same_types(tmp_path):
    records = [
        {"pick": [{"selected": "left"}], "kind": {"taxonomy": [["a", "b"]]}},
        {"pick": {"selected": "right"}, "kind": [{"choices": [["a", "b"]]}]},
    ]
    for i, record in enumerate(records):
        record |= {"id": 1, "annotator": i, "annotation_id": i}
    (tmp_path / "min.json").write_text(json.dumps(records))
    assert kc.io.read_label_studio_min(tmp_path / "min.json", "pick").dense().tolist() == [[0, 1]]
    assert kc.io.read_label_studio_min(tmp_path / "min.json", "kind").classes.tolist() == ["a / b"]
