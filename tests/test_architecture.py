"""The house of DESIGN.md: imports only go down, no backend is imported, public things are documented."""

import ast
import inspect
import pathlib
import re
import subprocess
import sys

import pytest
from backendless import WITHOUT_KERAS

import keras_crowd

PACKAGE = pathlib.Path(keras_crowd.__file__).parent
LEVELS = {
    "_version": 0,
    "_backend": 0,
    "_command_line": 0,
    "_registration": 0,
    "_typing": 0,
    "_arguments": 0,
    "_files": 0,
    "_backup": 1,
    "_repr": 0,
    "_student": 0,
    "_class_shares": 2,
    "_lost_classes": 2,
    "_older_keras": 1,
    "annotations": 1,
    "ops": 2,
    "aggregation": 2,
    "datasets": 2,
    "evaluation": 2,
    "io": 2,
    "pipelines": 2,
    "acquisition": 3,
    "initializers": 3,
    "losses": 3,
    "warm_start": 3,
    "regularizers": 3,
    "metrics": 3,
    "layers": 4,
    "models": 5,
    "callbacks": 5,
    "em": 6,
    "optimizers": 6,
    "distribution": 6,
    "report": 3,
    "selection": 3,
    "_data_set_items": 2,
    "_fit_features": 6,
    "_gold_training": 6,
    "_mean_weights": 6,
    "_fit_progress": 0,
    "_crowd_fit": 7,
    "_training": 7,
    "_choice": 8,
    "_label_set_training": 8,
    "_one_answer": 9,
    "_choices": 10,
    "recipe": 11,
    "_shell": 4,
    "__main__": 5,
}
# Inside of a function, to read data under any backend.
READERS = {("_tf_data.py", "tensorflow"), ("_torch_data.py", "torch")}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def module_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def dotted(path):
    """The name that a file has as a module: that of its folder for `__init__.py`."""
    parts = ["keras_crowd", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def private_of_others(path):
    """Of what a file imports, private names of packages in which it does not stand."""
    folder = ".".join(["keras_crowd", *path.relative_to(PACKAGE).parts[:-1]])
    for name in imports(path):
        parts = name.split(".")
        private = next((i for i, part in enumerate(parts) if part.startswith("_")), None)
        owner = ".".join(parts[:private])
        if parts[0] == "keras_crowd" and private is not None and not f"{folder}.".startswith(f"{owner}."):
            yield name


def circles(graph):
    """Sets of nodes each of which is reached from every other, where there is more than one."""
    reached = {}
    for start in graph:
        reached[start], ahead = set(), [start]
        while ahead:
            for node in graph.get(ahead.pop(), ()):
                if node not in reached[start]:
                    reached[start].add(node)
                    ahead.append(node)
    found = {frozenset(b for b in reached[a] if a in reached[b]) for a in graph if a in reached[a]}
    return [sorted(circle) for circle in found]


def imports(path):
    """Absolute names of everything a file imports."""
    package = ["keras_crowd", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    module = module_of(path)
    for name in imports(path):
        parts = name.split(".")
        assert parts[0] not in {"tensorflow", "jax", "torch"} or (path.name, parts[0]) in READERS, name
        assert not name.startswith("keras.src"), name
        if module in WITHOUT_KERAS:
            assert parts[0] != "keras", name
        if parts[0] == "keras_crowd" and parts[1] != module:
            assert LEVELS[parts[1]] < LEVELS[module], f"{module} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_imports_private_files_of_another_package(path):
    """What neighbours may use is exported by a package's `__init__`."""
    assert not list(private_of_others(path))


@pytest.mark.parametrize("name", ["_trainer", "_log", "_features", "_network", "_kinds", "_problem"])
def test_expectation_maximization_asks_the_problem(name):
    """What depends on the kind of the answers stands in the kind's own file."""
    words = {
        word.id
        for word in ast.walk(ast.parse((PACKAGE / f"em/{name}.py").read_text()))
        if isinstance(word, ast.Name)
    }
    kinds = {"ChainProblem", "ClassProblem", "RatingProblem", "TagProblem"}
    assert not words & ({"Confusions", "Raters", "HiddenCRF"} | (kinds if name != "_kinds" else set()))


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set()}) == [["a", "b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_circle_between_files():
    """Imports within functions and for type checkers are among them."""
    files = {dotted(path): path for path in FILES}
    graph = {}
    for name, path in files.items():
        targets = {found if found in files else found.rpartition(".")[0] for found in imports(path)}
        graph[name] = targets & files.keys() - {name}
    assert sum(map(len, graph.values())) > 300
    assert circles(graph) == []


def test_contributing_shows_the_same_map():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| (\d+) \| ([^|]*) \|", text, re.MULTILINE)
    shown = {name: int(level) for level, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert shown == LEVELS
    without = re.search(r"Without Keras: (.*?)\.", text, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", without[1])) == WITHOUT_KERAS


def test_importing_keras_crowd_imports_one_backend_only():
    code = (
        "import keras, keras_crowd, sys; "
        "print(*[m for m in ('tensorflow', 'jax', 'torch', 'tensorflow_datasets', 'grain') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"KERAS_BACKEND": "jax", "PATH": ""},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip("JAX is not installed")
    assert done.stdout.split() == ["jax"]


def test_top_level_is_small_and_documented():
    public = {name: thing for name, thing in vars(keras_crowd).items() if not name.startswith("_")}
    for name, thing in public.items():
        assert inspect.getdoc(thing), name
    assert {name for name, thing in public.items() if not inspect.ismodule(thing)} == {
        "Annotations",
        "EMTrainer",
        "fit_crowd",
        "align_classes",
        "crowd_model",
        "strip",
        "validate",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            doc = ast.get_docstring(node, clean=False)
            assert node.end_lineno - node.lineno - (doc.count("\n") if doc else 0) <= 60, node.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_kops_are_those_of_keras_and_ops_are_ours(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "keras":
            assert {(a.name, a.asname) for a in node.names if a.name == "ops"} <= {("ops", "kops")}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) != ("keras", "ops")


def annotations_of(path):
    """The types of all annotated parameters of a file, as they are written."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield from (ast.unparse(each.annotation) for each in given if each.annotation is not None)


def test_types_speak():
    """Of annotated parameters at most every tenth is a bare `Any`."""
    written = [written for path in FILES for written in annotations_of(path)]
    bare = [written for written in written if written in ("Any", "Any | None")]
    assert len(bare) <= 0.1 * len(written), f"{len(bare)} of {len(written)}"
