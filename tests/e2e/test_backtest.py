"""``warrant backtest`` on a project's own history, and a policy on its recorded decisions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Laptop

RULES = {
    "warrant-approved",
    "warrant-refused",
    "never",
    "periodic-3",
    "metric-only",
    "always",
    "oracle",
}


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory, promoted: Laptop) -> Laptop:
    """The project, its history replayed once in windows of 42 days; tests must not change it."""
    promoted("backtest", "--window", "42d", "--output", "page.html")
    return promoted


@pytest.fixture(scope="module")
def told(replayed: Laptop) -> Any:
    """What the command answers as JSON."""
    return replayed.json("backtest", "--window", "42d")


def test_every_window_tells_what_was_seen_decided_and_lost(told: Any) -> None:
    """One JSON document: windows in order, each with the loss of every rule after it."""
    assert ("42d", False) == (told["window"], told["is_default_window"])
    assert [1, 2, 3, 4, 5] == [window["number"] for window in told["windows"]]
    assert "2024-02-12..2024-03-25" == told["windows"][0]["bounds"]
    assert all(set(window["losses"]) == RULES for window in told["windows"])
    assert all(window["drift"] and window["why"] for window in told["windows"])


def test_totals_add_losses_trainings_and_prices_up(told: Any) -> None:
    """Cost is what the prices make of losses, trainings and promotions."""
    totals = {each["rule"]: each for each in told["totals"]}
    rows = 42 * 24

    assert set(totals) == RULES
    assert (0, 0, 0) == tuple(totals["never"][k] for k in ("trainings", "labels", "reviews"))
    assert 5 == totals["always"]["trainings"]
    losses = sum(window["losses"]["always"] for window in told["windows"]) * rows / told["unit"]
    assert pytest.approx(losses + 5 * (50 + 10)) == totals["always"]["cost"]


def test_the_rule_that_turned_around_is_found(told: Any) -> None:
    """The change of day 152 costs the first model more than the whole system."""
    totals = {each["rule"]: each for each in told["totals"]}

    assert totals["warrant-approved"]["promotions"]
    assert totals["warrant-approved"]["loss"] < totals["never"]["loss"]
    assert totals["warrant-approved"]["trainings"] < totals["always"]["trainings"]


def test_a_finished_backtest_is_not_run_again(replayed: Laptop) -> None:
    """Results lie in the store by digest; a killed one goes on in the same way."""
    told = replayed.run("backtest", "--window", "42d").stderr

    assert "7 of 7 rules kept from before" in told
    assert "model of" not in told


def test_another_rule_is_run_alone(replayed: Laptop) -> None:
    """What is there is kept, what is missing is added."""
    result = replayed.run("backtest", "--window", "42d", "--rule", "periodic-2", "--workers", "1")

    assert "7 of 8 rules kept from before" in result.stderr
    assert "periodic-2" in result.stdout


def test_the_page_stands_alone(replayed: Laptop) -> None:
    """No script, no address, every window a manager may ask about."""
    page = (replayed.project / "page.html").read_text()

    assert "modelwarrant would have trained" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert 'id="w5"' in page


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--window", "200d"], "at least 3 are needed"),
        (["--window", "500"], "'500' is no period"),
        (["--window", "42d", "--label-delay", "42d"], "no shorter than a window"),
        (["--rule", "guess"], "there is no rule 'guess'"),
    ],
)
def test_what_decides_nothing_is_refused(replayed: Laptop, words: list[str], named: str) -> None:
    """One sentence that names what is at fault, and exit code 2."""
    result = replayed.run("backtest", *words)

    assert 2 == result.returncode
    assert named in result.stderr
    assert "Traceback" not in result.stderr


def test_a_window_that_is_no_whole_season_is_refused(
    laptop: Laptop, edit: Callable[[str, str], None]
) -> None:
    """The message offers the next shorter and longer ones."""
    edit("train: current}", "train: current, season: 7d}")
    result = laptop.run("backtest", "--window", "10d")

    assert 2 == result.returncode
    assert "no whole number of seasons of 7d" in result.stderr
    assert "7d or 14d" in result.stderr


def test_a_history_without_labels_is_refused(laptop: Laptop) -> None:
    """There is nothing that a decision could be judged by."""
    path = laptop.project / "demand.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(line.rpartition(",")[0] + "," for line in lines[1:])]))
    result = laptop.run("backtest")

    assert 2 == result.returncode
    assert "has a label 'busy'" in result.stderr


def test_policy_backtest_names_each_decision_that_would_change(
    promoted: Laptop, tmp_path: Path
) -> None:
    """A stricter policy holds what was asked about; the shipped one changes nothing."""
    shipped, strict = tmp_path / "shipped.yaml", tmp_path / "strict.yaml"
    shipped.write_text(promoted("policy", "show"))
    strict.write_text(shipped.read_text().replace("min_labels: 500", "min_labels: 5000"))
    same = promoted.json("policy", "backtest", str(shipped))
    told = promoted.json("policy", "backtest", str(strict))

    assert (1, []) == (same["decisions"], same["changed"])
    assert ["HOLD"] == [each["tried"]["verdict"] for each in told["changed"]]
    assert "NEEDS_APPROVAL" == told["changed"][0]["recorded"]["verdict"]


def test_policy_backtest_refuses_a_policy_that_is_not_fail_closed(
    promoted: Laptop, tmp_path: Path
) -> None:
    """The linter's findings, and nothing tried."""
    broken = tmp_path / "broken.yaml"
    text = promoted("policy", "show")
    broken.write_text(
        text.replace(
            'verdict: HOLD\n    reason: "data fault', 'verdict: PROMOTE\n    reason: "data fault'
        )
    )
    result = promoted.run("policy", "backtest", str(broken))

    assert 2 == result.returncode
    assert "gate" in result.stderr
