"""Which test files touch no backend: they say the same under each, so they run under TensorFlow alone."""

import ast
import pathlib
import sys

WITHOUT_KERAS = {
    "__main__",
    "_command_line",
    "_shell",
    "_version",
    "_arguments",
    "_files",
    "_class_shares",
    "_lost_classes",
    "_repr",
    "_student",
    "annotations",
    "acquisition",
    "aggregation",
    "datasets",
    "evaluation",
    "io",
    "report",
    "warm_start",
}
# What test files may import and touch no backend by it.
PLAIN = {
    "choix",
    "crowdkit",
    "h5py",
    "hypothesis",
    "matplotlib",
    "nervaluate",
    "numpy",
    "pandas",
    "pyarrow",
    "pytest",
    "scipy",
    "sklearn",
}
HELPERS = pathlib.Path(__file__).parent
PUBLIC = WITHOUT_KERAS | {"Annotations", "__file__", "__version__"}


def touches_backend(path: pathlib.Path) -> bool:
    """Whether a file imports Keras, a backend, parts of the package or helpers that do, or what is not known here."""
    return any(_touches(node, path.parent) for node in ast.walk(ast.parse(path.read_text())))


def _touches(node: ast.AST, folder: pathlib.Path) -> bool:
    if isinstance(node, ast.Import):
        return any(_module_touches(alias.name, folder) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return any(_module_touches(name, folder) for name in names)
    if isinstance(node, ast.Constant):
        return node.value in ("tensorflow", "jax", "torch", "KERAS_BACKEND")
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id in ("kc", "keras_crowd") and node.attr not in PUBLIC
    return False


def _module_touches(name: str, folder: pathlib.Path) -> bool:
    root, *parts = name.split(".")
    if root == "keras_crowd":
        return bool(parts) and parts[0] not in PUBLIC
    if root == "conftest":
        return True
    for helper in (folder / f"{root}.py", HELPERS / f"{root}.py"):
        if helper.exists():
            return touches_backend(helper)
    return root not in PLAIN and root not in sys.stdlib_module_names
