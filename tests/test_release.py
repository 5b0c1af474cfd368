"""What a release says of itself: metadata, citation, changelog, and what the source distribution holds."""

import pathlib
import re
import runpy
import tomllib

import pytest

import keras_crowd

pytest.importorskip("setuptools", reason="needs setuptools")
ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SETUP = runpy.run_path(str(ROOT / "setup.py"))
README = (ROOT / "README.md").read_text()


def lowest(extra):
    """Lowest release of the package an extra is named after."""
    requirements = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"].get(extra, [])]
    return next(found for name, found in (r.split(">=") for r in requirements) if name == extra)


def test_citation_and_changelog_have_the_version():
    version = re.escape(keras_crowd.__version__)
    assert re.search(rf"^version: {version}$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert re.search(rf"^## \[{version}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_python_is_said_alike():
    python = PROJECT["requires-python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    assert f"With Python {python} or newer" in README


@pytest.mark.parametrize(
    ("name", "extra"),
    [("Keras", "keras"), ("TensorFlow", "tensorflow"), ("JAX", "jax"), ("PyTorch", "torch")],
)
def test_install_names_the_lowest_releases(name, extra):
    install = README.split("## Install")[1].split("\n## ")[0]
    assert f"{name} {lowest(extra)}" in install
    assert "KERAS_BACKEND" in install


def test_source_distribution_is_told_of_files_that_exist():
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines()]
    named = [name for command, *names in lines if command in ("include", "graft") for name in names]
    assert {"benchmarks", "docs", "examples", "tests", "CITATION.cff", "SECURITY.md"} <= set(named)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_extras_have_no_pins():
    requirements = [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    assert [r for r in requirements if "==" in r or "<" in r] == []


def test_readme_of_a_package_index_has_no_relative_links():
    plain = SETUP["long_description"]("")
    assert re.findall(r"\]\((?!https?:)", plain) == []
    assert "![" not in plain
    assert "Four of the 59" not in plain
    for kept in ("ten-minute guide", "## Install", "crowd.adapt(answers)", "| tags of tokens |"):
        assert kept in plain


def test_readme_with_an_address_has_absolute_links():
    linked = SETUP["long_description"]("https://host/keras_crowd/")
    assert re.findall(r"\]\((?!https?:)", linked) == []
    assert "](https://host/keras_crowd/docs/images/annotators.png)" in linked
    assert len(linked) == len(README) + len("https://host/keras_crowd/") * linked.count("](https://host/")


def test_addresses_are_given_together():
    assert bool(PROJECT.get("urls")) == bool(SETUP["ADDRESS"])
