"""From evidence to action: every row is reached, and nothing unknown moves production."""

import itertools
from typing import Any

import pytest

from modelwarrant.monitoring import RULES, action_of, is_consistent, labels_wanted
from modelwarrant.records import LogCounts, MonitoringEvidence
from tests.monitoring.evidence import estimate, evidence, loss, situation, watched

FEW = LogCounts(rows=3, production=3, window=3)

CASES: dict[str, tuple[MonitoringEvidence, str]] = {
    "quiet": (evidence(), "none"),
    "few-predictions": (evidence(log=FEW, drift="unknown"), "none"),
    "data-fault": (evidence(drift="blocked"), "hold"),
    "data-fault-and-harm": (watched(drift="blocked"), "hold"),
    "harm": (watched(), "rollback"),
    "degraded": (evidence(degradation=loss("reached")), "retrain"),
    "degraded-cooldown": (
        evidence(degradation=loss("reached"), situation={"cooldown": True}),
        "none",
    ),
    "degraded-run-open": (
        evidence(degradation=loss("reached"), situation={"open_run": "request ab"}),
        "none",
    ),
    "estimate-below": (evidence(estimate=estimate("below")), "label"),
    "estimate-unsettleable": (evidence(estimate=estimate("below"), n_settle=None), "none"),
    "estimate-refuted": (evidence(estimate=estimate("below"), n_recent=900), "none"),
    "drift-unsettled": (evidence(drift="drift", estimate=estimate("void")), "label"),
    "drift-watched": (evidence(drift="drift", estimate=estimate("ok")), "label"),
    "loss-suspicious": (evidence(degradation=loss("warn")), "label"),
    "drift-unsettleable": (evidence(drift="drift", n_settle=None), "none"),
    "drift-harmless": (evidence(drift="drift", n_recent=900), "none"),
}


def test_every_row_has_a_case() -> None:
    """No row of the table is untried."""
    assert {rule.name for rule in RULES} == set(CASES)


@pytest.mark.parametrize("rule", CASES)
def test_a_row_is_reached(rule: str) -> None:
    """The row matches first, and acts as it says."""
    found, act = CASES[rule]
    action = action_of(found)

    assert (rule, act) == (action.rule, action.action)


def test_a_degradation_without_drift_is_called_a_concept_drift() -> None:
    """Nobody need look for a cause in the inputs."""
    assert "no covariate cause" in action_of(evidence(degradation=loss("reached"))).reason


def test_a_degradation_lasts_until_the_lower_threshold() -> None:
    """Between 20 and 100 the state before decides: no flapping."""
    before = evidence(degradation=loss("warn"), was_degraded=True)
    fresh = evidence(degradation=loss("warn"))

    assert ("retrain", "label") == (action_of(before).action, action_of(fresh).action)


def test_drift_lasts_while_there_is_a_notice() -> None:
    """The same for drift."""
    before, fresh = evidence(drift="notice", was_drifting=True), evidence(drift="notice")

    assert ("label", "none") == (action_of(before).action, action_of(fresh).action)


def test_drift_with_a_believed_estimate_asks_for_a_small_share_of_the_window() -> None:
    """5 % of 5,000 rows, of which 100 are labelled; without an estimate all that settle it."""
    watched_drift = evidence(drift="drift", estimate=estimate("ok"))
    blind = evidence(drift="drift")

    assert (150, 800) == (labels_wanted(watched_drift), labels_wanted(blind))


def test_drift_with_that_share_labelled_is_left_alone() -> None:
    """Neither the estimate nor the labels show harm, and the reason says both."""
    action = action_of(evidence(drift="drift", estimate=estimate("ok"), n_recent=250))

    assert ("none", "drift-harmless") == (action.action, action.rule)
    assert "estimate ok" in action.reason


def test_a_void_estimate_says_nothing_without_drift() -> None:
    """It is no finding: the pass is quiet, and the gap is stated."""
    action = action_of(evidence(estimate=estimate("void")))

    assert ("none", "quiet") == (action.action, action.rule)
    assert "no estimate without labels: estimate void" in action.reason


def test_an_unknown_watch_takes_nothing_back() -> None:
    """A version whose predecessor cannot answer is not harm."""
    assert "none" == action_of(watched("unknown")).action


def test_production_moves_on_labels_alone() -> None:
    """Over all levels: retrain and rollback need a test that reached, and no estimate adds one."""
    options: dict[str, tuple[Any, ...]] = {
        "estimate": (None, *map(estimate, ("ok", "below", "void"))),
        "drift": ("none", "notice", "drift", "unknown", "blocked"),
        "degradation": tuple(map(loss, ("ok", "warn", "reached", "unknown"))),
        "watch": (None, *map(loss, ("ok", "warn", "reached", "unknown"))),
        "was_degraded": (False, True),
        "was_drifting": (False, True),
        "n_settle": (None, 900),
        "n_recent": (100, 900),
        "log": (FEW, LogCounts(rows=5000, production=5000, window=5000)),
        "situation": ({}, {"is_watched": True, "parent": 1}, {"cooldown": True}, {"open_run": "x"}),
    }
    template, seen = evidence(), set()
    situations = [situation(**about) for about in options.pop("situation")]
    for place, *values in itertools.product(situations, *options.values()):
        changes = dict(zip(options, values, strict=True))
        found = template.model_copy(update={"situation": place, **changes})
        action = action_of(found)
        seen.add(action.rule)
        unestimated = action_of(found.model_copy(update={"estimate": None})).action
        moves = {"retrain", "rollback", "hold"}
        assert moves & {action.action} == moves & {unestimated}
        if action.action == "rollback":
            assert found.watch is not None
            assert ("reached", True) == (found.watch.level, found.situation.is_watched)
        if action.action == "retrain":
            assert found.degradation.level in ("reached", "warn")
            assert not found.situation.cooldown
            assert found.situation.open_run is None
        if found.drift == "blocked":
            assert "hold" == action.action

    assert {rule.name for rule in RULES} == seen


def test_an_action_that_its_evidence_does_not_bear_out_is_found() -> None:
    """As the gate does."""
    honest = action_of(evidence())

    assert is_consistent(honest)
    assert not is_consistent(honest.model_copy(update={"action": "rollback"}))
