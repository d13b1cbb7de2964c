"""The usual rules, on streams where what they must do is known."""

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.backtest import Course, Setting, course_of, rule_of, run_backtest
from modelwarrant.backtest.acts import Act, Standing
from modelwarrant.backtest.adwin import adwin_alarms
from modelwarrant.backtest.baselines import BASELINES
from modelwarrant.backtest.share_rule import drifted_share
from modelwarrant.policy import default_policy
from modelwarrant.records import Recipe
from modelwarrant.simulation import parse_scenario, simulate
from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window

SETTING = Setting(rows=12_000, windows=6, recipe=Recipe(model="linear"))

RIVER = {
    "step": ([0.2, 0.35], [2000, 2000], 1, [2176]),
    "small": ([0.2, 0.25], [4000, 4000], 2, [6944]),
    "quiet": ([0.3], [8000], 3, []),
    "down": ([0.5, 0.2], [1000, 1000], 4, [1120]),
    "twice": ([0.1, 0.3, 0.1], [1500, 1500, 1500], 5, [1568, 3264]),
}
"""Shares of ones, rows, seed, and where river 0.26.1 alarmed (delta .002, all else default)."""


@cache
def course(scenario: str) -> Course:
    """Return a course of linear models whose shift begins in the middle of the third window."""
    shift = parse_scenario(scenario, onset=0.42)
    return course_of(simulate(shift, rows=12_000, seed=1)[0], SETTING, source=scenario)


def promoted(rule: str, scenario: str) -> list[bool]:
    """Return at which of four windows a rule promotes; the shift is whole from the third on."""
    score = run_backtest(course(scenario), rule, default_policy(), scenario=scenario, seed=1)
    return [step.promoted for step in score.steps]


@pytest.mark.parametrize("name", RIVER)
def test_adwin_alarms_where_river_does(name: str) -> None:
    """River tests some cuts only, so it may be later; never earlier, and never more often."""
    shares, rows, seed, expected = RIVER[name]
    ones = np.random.default_rng(seed).random(sum(rows)) < np.repeat(shares, rows)
    found = adwin_alarms(ones.astype(float))

    assert len(expected) == len(found)
    assert all(theirs - 256 <= ours <= theirs for ours, theirs in zip(found, expected, strict=True))


@pytest.mark.parametrize("rule", ["adwin", "error-threshold", "metric-tested"])
def test_what_reads_labels_finds_a_concept_shift(rule: str) -> None:
    """It promotes once the world has changed, and nothing before."""
    found = promoted(rule, "rents/concept")

    assert not found[0]
    assert any(found[1:])


@pytest.mark.parametrize("rule", ["drift-retrains", "share-retrains"])
def test_what_reads_inputs_alone_is_blind_to_a_concept_shift(rule: str) -> None:
    """No unlabelled signal sees it; of a covariate shift each retrains."""
    assert not any(promoted(rule, "rents/concept"))
    assert any(promoted(rule, "rents/covariate"))


def test_drift_blocks_even_what_is_better() -> None:
    """The better model is there and the metric says so; drift alone keeps it out."""
    assert any(promoted("metric-only", "loans/covariate/abrupt/2")[1:])
    assert not any(promoted("drift-blocks", "loans/covariate/abrupt/2")[1:])


def test_a_conjunction_keeps_the_old_regime_in_mind() -> None:
    """After a concept shift no candidate is good on the reference as well."""
    assert not any(promoted("e-conjunction", "rents/concept"))
    assert any(promoted("metric-tested", "rents/concept"))


def test_an_adaptive_approval_spends_its_budget() -> None:
    """On an unshifted stream it approves no more often than the fixed one, and remembers."""
    adaptive, fixed = (promoted(f"approval-{kind}", "rents/none") for kind in ("adaptive", "fixed"))
    rule = BASELINES["approval-adaptive"]

    assert sum(adaptive) <= sum(fixed)
    first = rule(course("rents/none"), Standing(production=0, anchor=0), 1)
    assert first == rule(course("rents/none"), Standing(production=0, anchor=0), 1)


def test_every_baseline_can_be_asked_by_name() -> None:
    """A trigger trains only where it promotes; a comparison trains every window."""
    for name in BASELINES:
        act = rule_of(name, default_policy())(course("rents/none"), Standing(0, 0), 1)
        assert isinstance(act, Act)
        assert act.trained or not act.promoted


def windows(rows: int, moved: float) -> tuple[Window, Window]:
    """Return two windows of a number that moves, a flag that turns, and a level that grows."""
    rng = np.random.default_rng(5)
    schema = FeatureSchema(
        features=(
            Feature(name="x", kind="number"),
            Feature(name="few", kind="number"),
            Feature(name="level", kind="category"),
            Feature(name="still", kind="number"),
        )
    )
    found = []
    for shift in (0.0, moved):
        table = pa.table(
            {
                "x": rng.standard_normal(rows) + shift,
                "few": (rng.random(rows) < 0.3 + shift / 2).astype(float),
                "level": np.where(rng.random(rows) < 0.3 + shift / 2, "a", "b"),
                "still": rng.standard_normal(rows),
            }
        )
        found.append(typed_window(table, schema))
    return found[0], found[1]


@pytest.mark.parametrize("rows", [800, 4000])
def test_the_share_rule_counts_columns_that_moved(rows: int) -> None:
    """Three of four columns move; with many rows by distance, with few by p-value."""
    assert 0.75 == drifted_share(*windows(rows, 0.6))


def test_the_share_rule_is_silent_on_equal_windows_of_many_rows() -> None:
    """Distances of .1 are not reached by chance at 4,000 rows."""
    assert 0.0 == drifted_share(*windows(4000, 0.0))
