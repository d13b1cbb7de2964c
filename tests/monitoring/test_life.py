"""``warrant report MODEL``: the life of a model, from its ledger and evidence."""

import re
from pathlib import Path

import pytest

from tests.monitoring.season import MODEL, Season, rows


def page_of(season: Season, *words: str) -> Path:
    """Write the page and return where it is."""
    page: str = season.laptop.json("report", MODEL, *words)["page"]
    return season.laptop.project / page


def test_a_life_begins_with_the_first_model(season: Season) -> None:
    """Decision, approval and promotion; its evidence is a page beside it."""
    page = page_of(season)
    text = page.read_text()

    assert "approved by grace" in text
    assert "The monitor has not looked yet." in text
    [decision] = set(re.findall(r'href="(index-evidence/decision[^"]+)"', text))
    assert "first-model" in (page.parent / decision).read_text()


def test_every_pass_has_its_evidence_beside_the_page(season: Season) -> None:
    """Named by --output, and found where the page says, also after it was moved together."""
    turned = rows(900, seed=2, turned=True)
    season.label(season.answer(turned, prefix="a"), turned["busy"])
    season.watch()
    page = page_of(season, "--output", "life.html")
    text = page.read_text()

    [passed] = set(re.findall(r'href="(life-evidence/pass[^"]+)"', text))
    assert "The monitor asks for a retraining" in text
    assert "no covariate cause" in (page.parent / passed).read_text()
    assert text == page_of(season, "--output", "life.html").read_text()


@pytest.mark.parametrize("output", [None, "here.html"])
def test_a_model_that_is_not_there_is_named(season: Season, output: str | None) -> None:
    """One error, and no page."""
    words = ("report", "nobody", *([] if output is None else ["--output", output]))
    found = season.laptop.run(*words)

    assert 2 == found.returncode
    assert "nobody" in found.stderr
