"""A decision says what would change it, replays byte for byte, and answers what if."""

from dataclasses import replace

import pytest

from modelwarrant.errors import PolicyError, RecordError
from modelwarrant.policy import default_policy, explain, replay, what_if
from modelwarrant.policy.table import Thresholds
from modelwarrant.records import ChampionState, Decision
from tests.policy.conftest import ANCHOR, PRODUCTION


def _changes(case):
    return {change.level: change for change in case.decide().would_change}


def test_short_power_says_how_many_labels_are_missing(good):
    """Under-powered evidence lacks a bound above 0, and a number of labels."""
    decision = good.but(
        gain=0.03, n_rows=600, deviation=0.2, half_width=0.045, reference_gain=0.06
    ).decide()
    (change,) = decision.would_change

    assert ("power and current", "short and unclear", "enough and better", "PROMOTE") == (
        change.level,
        change.now,
        change.then,
        change.verdict,
    )
    assert f"{decision.n_required - 600:,} more labels are needed" in change.detail


def test_no_gain_says_which_lower_bound_is_missing(good):
    """The bound that is there and the bound that is needed, both in the metric's unit."""
    change = _changes(good.but(gain=0.003))["current"]

    assert ("not worse", "better", "PROMOTE") == (change.now, change.then, change.verdict)
    assert "a lower bound above 0 instead of -0.002 on the current window" == change.detail


def test_a_degraded_champion_is_another_way(good):
    """Non-inferiority would do if production were proven degraded."""
    change = _changes(good.but(gain=0.003))["champion"]

    assert ("degraded", "NEEDS_APPROVAL") == (change.then, change.verdict)
    assert "an e-value of at least 100 instead of 0.3" in change.detail


def test_where_one_level_is_not_enough_two_are_named(good):
    """A candidate that is short of labels and of gain needs both."""
    changes = _changes(good.but(gain=0.003, half_width=0.01, n_rows=171))

    assert "PROMOTE" == changes["power and current"].verdict
    assert "more labels" in changes["power and current"].detail
    assert "a lower bound above 0" in changes["power and current"].detail


def test_a_promotion_says_what_would_have_stopped_it(good):
    """Each measured level whose fall changes the verdict, with its number."""
    changes = _changes(good)

    assert {"current", "reference", "slices", "calibration", "overdue", "anchor"} == set(changes)
    assert "a lower bound of at most 0 instead of 0.045 on the current window" == (
        changes["current"].detail
    )


def test_crept_quality_says_the_bound_against_the_anchor(good):
    """What a chain of promotions has lost, and what it may lose."""
    change = _changes(good.but(anchor_gain=-0.006))["anchor"]

    assert "a lower bound of at least -0.01 instead of -0.011" in change.detail


def test_an_anchor_in_production_moves_with_the_current_window(good):
    """The same model is compared twice: a proven gain on it settles both comparisons."""
    tied = good.but(
        gain=0.03,
        anchor_gain=0.03,
        half_width=0.045,
        reference_gain=0.06,
        history={"anchor_digest": PRODUCTION, "anchor_version": 3},
    )
    apart = tied.but(history={"anchor_digest": ANCHOR, "anchor_version": 2})

    assert "PROMOTE" == _changes(tied)["current"].verdict
    assert "NEEDS_APPROVAL" == _changes(apart)["current"].verdict


def test_an_anchor_in_production_stops_no_promotion_by_itself(good):
    """It cannot fall while the candidate is better than production."""
    tied = good.but(history={"anchor_digest": PRODUCTION, "anchor_version": 3})

    assert "anchor" in _changes(good)
    assert "anchor" not in _changes(tied)


def test_heavy_tails_say_the_labels_for_the_gain_that_was_seen(good):
    """The labels for the smallest gain of interest can be many times those for a large one."""
    reason = good.but(gain=0.05, half_width=0.08, n_rows=600, deviation=1.0).decide().reason

    assert "to show a gain of 2.00% of the loss, " in reason
    assert reason.endswith(" would do if the true gain were the 10.00% seen")


def test_a_first_model_below_the_floor_says_the_missing_bound(first):
    """The way in is to beat the trivial predictor."""
    change = _changes(first.but(gain=0.004))["floor"]

    assert "a lower bound above 0 instead of -0.001 against the trivial predictor" == change.detail


@pytest.mark.parametrize("field", ["gates", "policy", "evidence", "identical"])
def test_every_veto_says_what_lifts_it(good, blocked, field):
    """The administrative levels name themselves."""
    case = {
        "gates": good.but(drift=blocked),
        "policy": good.but(history={"policy_digest": None}),
        "evidence": good.but(drift=None),
        "identical": good.but(evaluation={"identical_answers": True}),
    }[field]
    change = _changes(case)[field]

    assert "PROMOTE" == change.verdict
    assert change.detail


def test_a_decision_replays_to_the_same_bytes(good):
    """The same documents and policy give the same decision."""
    decision = good.decide()

    assert decision.to_bytes() == replay(good.policy, decision, good.documents).to_bytes()


def test_a_decision_read_from_its_bytes_replays(good):
    """What lies in the ledger is enough."""
    recorded = Decision.from_bytes(good.decide().to_bytes(), name="decision")

    assert recorded == replay(good.policy, recorded, good.documents)


@pytest.mark.parametrize("document", ["manifest", "drift", "evaluation", "validation", "history"])
def test_replay_refuses_another_document_and_names_it(good, document):
    """Each document is recognised by its digest."""
    changed = {
        "manifest": {"manifest": {"run": "another"}},
        "drift": {"drift": {"n_current": 11_000}},
        "evaluation": {"evaluation": {"metric": "brier"}},
        "validation": {"validation": {"rows": 11_000}},
        "history": {"history": {"looks": 9}},
    }[document]

    with pytest.raises(RecordError, match=f"the {document} document"):
        replay(good.policy, good.decide(), good.but(**changed).documents)


def test_replay_finds_an_altered_verdict(good):
    """A decision that does not follow from its own evidence was tampered with."""
    decision = good.but(gain=0.003).decide()
    altered = decision.model_copy(update={"verdict": "PROMOTE", "rule": "better"})

    with pytest.raises(RecordError, match="verdict, rule was altered"):
        replay(good.policy, altered, good.but(gain=0.003).documents)


def test_replay_refuses_another_policy(good):
    """A decision is made under one policy."""
    with pytest.raises(PolicyError, match="was made under policy"):
        replay(replace(good.policy, approvals_required=2), good.decide(), good.documents)


def test_a_decision_of_another_engine_is_made_again_and_not_refused(good):
    """The caller compares; a new engine may differ without anybody having lied."""
    old = good.but(history={"engine_version": "0"})
    recorded = good.decide().model_copy(
        update={
            "engine_version": "0",
            "verdict": "HOLD",
            "evidence": good.decide().evidence.model_copy(
                update={"history": old.documents.history.digest}
            ),
        }
    )

    assert "PROMOTE" == replay(good.policy, recorded, old.documents).verdict


def test_what_if_answers_as_if_the_other_policy_were_ratified(good):
    """A larger margin is harder to beat."""
    case = good.but(gain=0.02, half_width=0.01)
    demanding = replace(good.policy, thresholds=Thresholds(margin=0.05, min_gain=0.06))

    assert "PROMOTE" == case.decide().verdict
    assert "HOLD" == what_if(demanding, case.documents).verdict


def test_what_if_says_where_the_evidence_cannot_answer(good):
    """Bounds at alpha .05 do not answer for alpha .01."""
    strict = replace(good.policy, thresholds=Thresholds(alpha=0.01))
    decision = what_if(strict, good.documents)

    assert ("HOLD", "evidence") == (decision.verdict, decision.rule)
    assert "may spend 0.006" in decision.reason


def test_explain_says_verdict_reason_levels_and_changes(good):
    """Everything in a decision, as lines of text."""
    degraded = ChampionState(level="degraded", e_value=250.0)
    lines = explain(good.but(gain=0.003, evaluation={"champion": degraded}).decide())

    assert "NEEDS_APPROVAL by row 'champion-degraded'" == lines[0]
    assert any(
        line.startswith("PROMOTE if current were better instead of not worse") for line in lines
    )
    assert any("approvals required: 1" == line for line in lines)
    assert any(default_policy().digest in line for line in lines)


def test_a_decision_carries_what_an_approval_is_bound_to(good):
    """Candidate, baseline, evidence, policy and engine."""
    decision, documents = good.decide(), good.documents

    assert documents.manifest.model_digest == decision.candidate_digest
    assert documents.history.production_digest == decision.baseline_digest
    assert documents.evaluation.digest == decision.evidence.evaluation
    assert decision.evidence_digest.startswith("sha256:")
    assert 1 == decision.approvals_required


def test_the_approvals_come_from_the_policy(good):
    """A policy may ask for two persons."""
    policy = replace(default_policy(), approvals_required=2)

    assert 2 == good.but(policy=policy).decide().approvals_required
