"""Looks for the worst habits of docs/style.md in docstrings, the README, pages and notebooks; `make lint` runs it."""

import ast
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parents[2]
COUNTED = (
    "answers?|biases|bias|classes|class|columns?|comparisons?|confusions?|labels?|lines?|matrix|matrices|numbers?|objects?|"
    "panels?|parameters?|precisions?|probability|probabilities|rows?|scales?|sets?|slots?|tags?|tokens?|values?|variances?|weights?"
)
UNITS = "annotator|rater|item|answer|class|epoch|batch|step|token|sentence|label|line|row|file|replica|pair|slot"
THINGS = (
    "sentence|picture|review|sample|topic|comparison|assignment|task|annotation|cell|iteration|digit|image|"
    "text|judge"
)
HABITS = {
    "`per`, not an article": re.compile(
        rf"(?<!must )(?<!annotator )\b(?:{COUNTED}) an? (?:{UNITS})\b(?! in a row\b)"
    ),
    "`per`, after a number": re.compile(
        rf"\b(?:one|two|[\d.,]*\d|rows?|columns?|objects?) an? (?:{UNITS}|{THINGS})\b(?! in a row\b)"
    ),
    "no em dash": re.compile("\u2014"),
    "simulated, not imaginary": re.compile(r"(?<!--)\bimagin(?:ary|ed)\b", re.IGNORECASE),
}
OPENINGS = re.compile(r"(?:What|How|Who|Where|Which|Of|That|Those)\b")


def docstrings(path):
    """Line and text of every docstring of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            yield node.body[0].lineno, ast.get_docstring(node)


def habits_of(text):
    for habit, pattern in HABITS.items():
        for found in pattern.finditer(re.sub(r"\s+", " ", text)):
            yield f"{habit}: {found[0]!r}"


def complaints():
    for path in sorted((ROOT / "keras_crowd").rglob("*.py")):
        for line, text in docstrings(path):
            where = f"{path.relative_to(ROOT)}:{line}"
            if OPENINGS.match(text):
                yield f"{where}: a verb or a noun opens: {text.splitlines()[0]!r}"
            yield from (f"{where}: {found}" for found in habits_of(text))
    pages = [path for ending in ("md", "ipynb") for path in sorted((ROOT / "docs").rglob(f"*.{ending}"))]
    for path in [ROOT / "README.md", *pages]:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if path.name != "style.md":
                yield from (f"{path.relative_to(ROOT)}:{number}: {found}" for found in habits_of(text))


if __name__ == "__main__":
    found = list(complaints())
    print("\n".join(found))
    sys.exit(bool(found))
