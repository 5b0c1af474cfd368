"""The pages of `docs/`: every snippet runs as it stands, page by page, and every link leads somewhere."""

import numpy as np
import pytest
from pages import PAGES, README, ROOT, anchors, links, run, snippets

NOT_RUN = {"scale.md"}  # needs several devices: `test_distribution.py` runs it


def check_data(names):
    assert names["annotations"].dense().tolist() == [[-1, 1, -1], [0, -1, 0], [-1, -1, -1]]
    assert names["soft"].dense().shape == (3, 2, 2)


def check_start(names):
    truth = names["truth"]
    assert (names["labels"] == truth).mean() > (names["votes"] == truth).mean()
    assert (names["posterior"].argmax(axis=1) == truth).mean() > 0.75
    careful = names["confusions"][:, 0, 0] > 0.5
    assert not careful[names["worst_first"][:20]].any()


def check_ratings(names):
    precise, precision = names["spread"] < 1, names["raters"].precision()
    assert precision[precise].min() > precision[~precise].max()
    assert set(np.unique(names["predicted"])) <= set(range(5))


def check_sequences(names):
    assert names["tagger"].input.dtype == "int32"
    assert names["truth"].shape == names["tags"].shape


def check_text(names):
    assert names["model"].inputs[0].dtype == "int32"


def check_migrating(names):
    assert names["answers"].tolist() == [[0, -1], [1, 1]]
    assert names["found"].confusion.shape == (3, 2, 2)
    assert names["annotations"].dense().tolist() == [[0, 0], [1, 0], [-1, 1]]


def check_export(names):
    assert names["again"].layers[-1].name == names["model"].layers[-1].name


def check_preferences(names):
    assert names["answers"].items[0] == ("x", "z")


def check_sets(names):
    table, truth = names["annotators"], names["truth"]
    assert table["annotator"][np.argsort(table["rank"])][-2:].tolist() in ([0, 1], [1, 0])
    votes = names["kc"].aggregation.label_shares(names["answers"]) > 0.5
    right = {name: np.mean((names[name] > 0.5) == truth) for name in ("p", "posterior")}
    assert min(right.values()) > np.mean(votes == truth) + 0.05
    assert np.isfinite(names["fit"].path.nats).all()
    assert np.mean(names["fit"].labels == truth) > np.mean(votes == truth)


CHECKS = {name[6:]: check for name, check in globals().items() if name.startswith("check_")}
WITH_SNIPPETS = [page for page in PAGES if page.name not in NOT_RUN and any(snippets(page))]


def in_its_turn(page):
    """PyTorch compiles nothing, and exports no SavedModel."""
    backend = "jax" if page.stem == "export" else "torch"
    return pytest.param(page, id=page.stem, marks=pytest.mark.only_under(backend))


@pytest.mark.parametrize("page", map(in_its_turn, WITH_SNIPPETS))
def test_snippets_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run(page)
    CHECKS.get(page.stem, lambda names: None)(names)


def test_checks_are_of_pages_that_run():
    assert set(CHECKS) <= {page.stem for page in WITH_SNIPPETS}


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(target), link
