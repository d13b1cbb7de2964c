"""Every row of the shipped table decides the case it was written for."""

import pytest

from modelwarrant.policy import default_policy
from modelwarrant.records import Calibration, ChampionState, JointDrift

PRODUCTION = "sha256:" + "b" * 64


def _said(case):
    decision = case.decide()
    return decision.verdict, decision.rule


def test_the_candidate_in_production_is_held_as_identical(good):
    """A candidate with production's digest cannot be promoted over itself."""
    decision = good.but(manifest={"model_digest": PRODUCTION}).decide()

    assert ("HOLD", "identical") == (decision.verdict, decision.rule)
    assert "the candidate's digest bbbbbbbbbbbb is production's" in decision.reason


def test_missing_evidence_is_held(good):
    """Without a drift report a production model is not replaced."""
    decision = good.but(drift=None).decide()

    assert ("HOLD", "evidence") == (decision.verdict, decision.rule)
    assert "evidence missing: no drift report" == decision.reason


def test_stale_evidence_is_held(good):
    """An evaluation against another production model says nothing about this one."""
    case = good.but(evaluation={"production_digest": "sha256:another"})

    assert ("HOLD", "evidence") == _said(case)
    assert "stale" == case.decide().levels["evidence"]


def test_mismatched_evidence_is_held(good):
    """A drift report of another window is no evidence."""
    case = good.but(drift={"current_digest": "sha256:another"})

    assert ("HOLD", "evidence") == _said(case)
    assert "mismatched" == case.decide().levels["evidence"]


def test_a_policy_that_nobody_ratified_is_held(good):
    """Both digests stand in the reason."""
    decision = good.but(history={"policy_digest": "sha256:1234567890abcdef"}).decide()

    assert ("HOLD", "not-ratified") == (decision.verdict, decision.rule)
    assert "1234567890ab" in decision.reason
    assert default_policy().digest.removeprefix("sha256:")[:12] in decision.reason


def test_another_engine_than_the_ratified_one_is_held(good):
    """A policy is ratified together with the engine that reads it."""
    assert ("HOLD", "not-ratified") == _said(good.but(history={"engine_version": "0"}))


def test_a_data_fault_is_held_and_names_its_column(good, blocked):
    """A blocked gate ends the matter before any statistics."""
    decision = good.but(drift=blocked).decide()

    assert ("HOLD", "data-fault") == (decision.verdict, decision.rule)
    assert "data fault in distance: scale ratio 1.6" == decision.reason


def test_an_unclear_gain_on_too_few_labels_is_held_with_the_missing_count(good):
    """The reason says how many labels are missing."""
    decision = good.but(gain=0.03, half_width=0.045, n_rows=600, deviation=0.8).decide()

    assert ("HOLD", "power-short") == (decision.verdict, decision.rule)
    assert f"{decision.n_required - 600:,} more labels are needed" in decision.reason


@pytest.mark.parametrize(
    ("gain", "half_width", "expected"),
    [
        pytest.param(0.2, 0.05, ("PROMOTE", "better"), id="far above"),
        pytest.param(0.03, 0.025, ("PROMOTE", "better"), id="just above"),
        pytest.param(-0.1, 0.05, ("REJECT", "worse"), id="worse"),
        pytest.param(0.001, 0.002, ("HOLD", "no-gain-shown"), id="not worse"),
    ],
)
def test_what_the_bounds_settle_needs_no_power_on_top(good, gain, half_width, expected):
    """A bound holds at its alpha whatever the power was; power says what unclear may mean."""
    case = good.but(gain=gain, half_width=half_width, n_rows=900, deviation=0.8)

    assert expected == _said(case)
    assert 500 == case.decide().n_required


def test_a_proven_gain_below_the_floor_of_labels_is_held(good):
    """Below 500 labels nothing is decided, however large the gain."""
    case = good.but(gain=0.2, half_width=0.01, n_rows=499, deviation=0.01)

    assert ("HOLD", "power-short") == _said(case)


def test_unknown_drift_counts_as_short_power(good):
    """Windows too small for the drift report cannot carry a promotion."""
    joint = JointDrift(level="unknown", n_reference=90, n_current=90, reason="90 rows, need 500")
    case = good.but(drift={"level": "unknown", "joint": joint})

    assert ("HOLD", "power-short") == _said(case)
    assert "drift is unknown: 90 rows, need 500" in case.decide().reason


def test_undefined_bounds_count_as_short_power(good):
    """No bounds, no decision."""
    case = good.but(half_width=None)

    assert ("HOLD", "power-short") == _said(case)
    assert "7 days are too few" in case.decide().reason


def test_a_first_model_below_the_floor_is_rejected(first):
    """A model that a constant may beat is not shown to anybody."""
    assert ("REJECT", "first-model-below-floor") == _said(first.but(gain=0.004))


def test_a_first_model_needs_a_person(first):
    """Nothing is promoted into an empty place by a rule."""
    assert ("NEEDS_APPROVAL", "first-model") == _said(first)


def test_a_first_model_needs_no_more_than_the_floor_of_labels(first):
    """500 labels are enough however uncertain the size of the gain is."""
    assert ("NEEDS_APPROVAL", "first-model") == _said(first.but(n_rows=500, deviation=9.0))
    assert ("HOLD", "power-short") == _said(first.but(n_rows=499, deviation=0.01))


def test_worse_on_the_current_window_is_rejected(good):
    """An upper bound below 0 proves harm."""
    decision = good.but(gain=-0.05).decide()

    assert ("REJECT", "worse") == (decision.verdict, decision.rule)
    assert decision.reason.startswith("worse than production: gain -0.05 (-10.00%)")


def test_a_harmed_slice_is_rejected(good, a_slice):
    """A gain on all rows does not pay for a loss on some."""
    case = good.but(evaluation={"slices": a_slice("harmed")})

    assert ("REJECT", "worse") == _said(case)
    assert "origin = JFK" in case.decide().reason


def test_harmed_calibration_is_rejected(good):
    """A model that means less than it says is not better."""
    harmed = Calibration(level="harmed", candidate_error=0.2, baseline_error=0.01, difference=None)

    assert ("REJECT", "worse") == _said(good.but(evaluation={"calibration": harmed}))


def test_drift_and_a_stale_but_better_candidate_need_a_person(good, drifted):
    """It did not learn from the drifted window, yet it gains there."""
    case = good.but(drift=drifted, manifest={"train": "own"})

    assert ("NEEDS_APPROVAL", "drift-stale-better") == _said(case)
    assert "drift in distance" in case.decide().reason


def test_drift_and_a_stale_candidate_are_rejected(good, drifted):
    """A candidate that neither learned from the drift nor gains on it is of no use."""
    case = good.but(drift=drifted, manifest={"train": "own"}, gain=0.003)

    assert ("REJECT", "drift-stale") == _said(case)


def test_creeping_quality_needs_a_person(good):
    """A chain of small losses is stopped at the last human-approved model."""
    assert ("NEEDS_APPROVAL", "crept") == _said(good.but(anchor_gain=-0.006))


def test_better_now_but_worse_before_needs_a_person(good):
    """Old regime against new is not for a rule to decide."""
    assert ("NEEDS_APPROVAL", "better-now-not-before") == _said(good.but(reference_gain=-0.05))


def test_better_now_and_unclear_before_needs_a_person(good):
    """Without a proof on the reference window a person looks."""
    assert ("NEEDS_APPROVAL", "better-now-not-before") == _said(good.but(reference_gain=-0.003))


def test_unclear_slices_need_a_person(good, a_slice):
    """A harm that is not ruled out bars automatic promotion."""
    case = good.but(evaluation={"slices": a_slice("unclear")})

    assert ("NEEDS_APPROVAL", "better-with-reservation") == _said(case)


def test_an_overdue_review_needs_a_person(good):
    """Silence is evidence: overdue monitoring bars automatic promotion."""
    case = good.but(history={"overdue": ("the review was due on 2013-02-01",)})

    assert ("NEEDS_APPROVAL", "better-with-reservation") == _said(case)
    assert "the review was due on 2013-02-01" in case.decide().reason


def test_better_in_every_respect_is_promoted(good):
    """The one row that promotes."""
    decision = good.decide()

    assert ("PROMOTE", "better") == (decision.verdict, decision.rule)
    assert "gain 0.05 (+10.00%) in log_loss" in decision.reason


def test_drift_does_not_block_a_candidate_that_learned_from_it(good, drifted):
    """The same drift leads elsewhere once the candidate was trained on the current window."""
    assert ("PROMOTE", "better") == _said(good.but(drift=drifted))


def test_not_worse_than_a_degraded_champion_needs_a_person(good):
    """Non-inferiority is enough once production is proven degraded."""
    degraded = ChampionState(level="degraded", e_value=250.0, n_reference=3000, n_current=3000)
    case = good.but(gain=0.003, evaluation={"champion": degraded})

    assert ("NEEDS_APPROVAL", "champion-degraded") == _said(case)
    assert "e-value 250" in case.decide().reason


def test_no_gain_shown_is_held_with_the_labels_that_would_settle_it(good):
    """An interval around 0 is no reason to change anything."""
    decision = good.but(gain=0.003).decide()

    assert ("HOLD", "no-gain-shown") == (decision.verdict, decision.rule)
    assert "labels would settle it" in decision.reason
