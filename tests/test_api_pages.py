"""Every public name has an entry on a page of `docs/api/`, and every page is in the navigation."""

import importlib
import inspect
import re

import pytest
from pages import PAGES, ROOT
from test_public_names import MODULES

import keras_crowd as kc

ENTRIES = re.findall(
    r"^::: (\S+)$", "\n".join(page.read_text() for page in PAGES if page.parent.name == "api"), re.MULTILINE
)


def resolve(name):
    """What an entry names."""
    home, _, last = name.rpartition(".")
    return getattr(importlib.import_module(home), last)


def test_every_public_name_has_an_entry():
    for name in MODULES:
        if name.endswith("tfds"):
            pytest.importorskip("tensorflow_datasets")
    entries = [resolve(name) for name in ENTRIES]
    missing = [
        f"::: {module.__name__}.{name}"
        for module in [kc, *map(importlib.import_module, MODULES)]
        for name in dir(module)
        if not name.startswith("_")
        and not inspect.ismodule(thing := getattr(module, name))
        and not any(thing is entry for entry in entries)
    ]
    assert not missing, "docs/api/ has no entry for these:\n" + "\n".join(missing)


def test_no_entry_stands_twice():
    assert len(set(ENTRIES)) == len(ENTRIES) > 100


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text().split("nav:\n")[1]
    listed = re.findall(r"(\S+\.md)$", navigation, re.MULTILINE)
    assert sorted(listed) == sorted(str(page.relative_to(ROOT / "docs")) for page in PAGES)
