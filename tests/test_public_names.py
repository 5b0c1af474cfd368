"""What tab completion and type checkers see."""

import importlib
import inspect
import pkgutil
import re
import typing

import keras
import numpy as np
import pytest

import keras_crowd as kc

MODULES = sorted(
    {f"keras_crowd.{name}" for name in dir(kc) if inspect.ismodule(getattr(kc, name))}
    | {
        f"keras_crowd.datasets.{m.name}"
        for m in pkgutil.iter_modules(kc.datasets.__path__)
        if m.name[0] != "_"
    }
    | {"keras_crowd.layers.connections"}
)
BANNED = {
    r".*pseudo_?counts?|.*shrinkage|.*smoothing|.*concentration_prior|imagined.*": "strength",
    r"max_iter(ation)?s?|num_iter(ation)?s?|n_iter|rounds|num_rounds": "iterations",
    r"(n_|num_)?(parts|folds|repeats)|n_?splits|splits|k_?folds?": "num_splits",
    r"backup|backup_(file|path|folder)|checkpoint(_\w+)?|resume(_\w+)?": "backup_dir",
    r"n_\w+|\w+_count|number_of_\w+": "num_...",
    r"workers?|num_workers|raters?|num_raters|labell?ers?": "annotators",
    r"random_state|rng": "seed",
}
OTHERS = {"Annotations.concat": {"parts"}}  # which are annotations


def public(module):
    return [name for name in dir(module) if not name.startswith("_")]


def public_callables():
    """Functions, classes and their methods, by the name that users call them by."""
    for module in [kc, *map(importlib.import_module, MODULES)]:
        for name in public(module):
            thing = getattr(module, name)
            if callable(thing):
                yield name, thing
            if inspect.isclass(thing):
                methods = [m for m in vars(thing) if m[0] != "_" and callable(getattr(thing, m))]
                yield from ((f"{name}.{method}", getattr(thing, method)) for method in methods)


def test_one_word_a_concept():
    seen = set()
    for name, thing in public_callables():
        try:
            arguments = set(inspect.signature(thing).parameters) - OTHERS.get(name, set())
        except ValueError:
            continue
        seen |= arguments
        for banned, word in BANNED.items():
            wrong = [argument for argument in arguments if re.fullmatch(banned, argument)]
            assert not wrong, f"{name}({wrong[0]}=): `{word}`"
    assert {"strength", "class_strength", "variance_strength", "iterations", "num_splits"} <= seen
    assert {"backup_dir", "num_annotators", "seed"} <= seen


def test_top_level_shows_what_stands_there():
    assert {"Annotations", "EMTrainer", "annotations", "em", "fit_crowd", "layers", "models"} <= set(
        public(kc)
    )
    assert not {"ops", "recipe"} & set(public(kc))


@pytest.mark.parametrize("name", MODULES)
def test_tab_completion_shows_public_names_only(name):
    if name.endswith("tfds"):
        pytest.importorskip("tensorflow_datasets")
    module = importlib.import_module(name)
    for shown in public(module):
        thing = getattr(module, shown)
        assert getattr(thing, "__module__", None) != "typing", shown
        assert not inspect.ismodule(thing) or thing.__name__ == f"{name}.{shown}", shown
        home = getattr(thing, "__module__", name)
        assert home == name or home.startswith(f"{name}."), f"{shown} of {home}"
    own = [
        n
        for n, thing in vars(module).items()
        if not n.startswith("_") and inspect.isroutine(thing) | inspect.isclass(thing)
    ]
    missing = {n for n in own if getattr(module, n).__module__ == name} - set(public(module))
    assert not missing


@pytest.mark.parametrize("layer", [kc.layers.CrowdsClassification, kc.layers.CrowdsRegression])
def test_conn_types_are_literals_that_the_layer_takes(layer):
    *names, connection = typing.get_args(
        inspect.signature(layer.__init__).parameters["conn_type"].annotation
    )
    assert issubclass(connection, kc.layers.connections.Connection)
    kinds = [kind for some in names for kind in typing.get_args(some)]
    assert len(kinds) >= 4
    for kind in kinds:
        layer(3, kind)
    with pytest.raises(ValueError, match="`conn_type` must be one of") as error:
        layer(3, "other")
    assert all(repr(kind) in str(error.value) for kind in kinds)


@pytest.mark.parametrize("kind", ["Class", "Rating"])
def test_named_connections_are_public(kind):
    connections = kc.layers.connections
    *literals, _ = typing.get_args(getattr(connections, f"{kind}ConnType"))
    for name in [name for some in literals for name in typing.get_args(some)]:
        found = connections.get(name, getattr(connections, f"{kind}Connection"))
        assert type(found).__name__ in dir(connections)
        assert connections.serialize(found) == name


def test_scores_go_back_to_grades():
    """Slow oracle: the logistic function of slope times distance, threshold by threshold."""
    crowd = kc.layers.CrowdsOrdinal(2, 4, answers_per_annotator=[3, 1], initial_slope=1.5)
    model = keras.Sequential([keras.Input((1,)), crowd])
    model.layers[-1].annotators.assign("level", [[0.7], [-2.0]])
    t = (3 * crowd.thresholds()[0] + crowd.thresholds()[1]) / 4
    scores = np.array([[-1.0], [0.2], [1.4], [9.0]])
    expected = []
    for x in scores[:, 0]:
        below = [0.0, *[1 / (1 + np.exp(-1.5 * (float(t_l) - x))) for t_l in t], 1.0]
        expected.append([below[k + 1] - below[k] for k in range(4)])
    np.testing.assert_allclose(crowd.grade_probabilities(scores), expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(crowd.grades(scores[:, 0]), np.argmax(expected, axis=1))
    assert crowd.grades(scores)[-1] == 3
    with pytest.raises(ValueError, match=r"`scores` must be finite numbers .*Received: shape \(4, 2\)"):
        crowd.grades(np.ones((4, 2)))
    alike = kc.layers.CrowdsOrdinal(1, 4)
    alike.build((None, 1))
    predicted = np.exp(keras.ops.convert_to_numpy(alike(np.array([[0.3]]))))[0, 0]
    np.testing.assert_allclose(alike.grade_probabilities([0.3])[0], predicted, rtol=1e-5)
