"""Rules on streams whose next window is known."""

from functools import cache

import pytest

from modelwarrant.backtest import RULES, Course, Setting, Stream, rule_of, score
from modelwarrant.backtest.acts import Act, Standing
from modelwarrant.backtest.grid import course_of
from modelwarrant.backtest.scoring import run_backtest
from modelwarrant.errors import PolicyError
from modelwarrant.policy import default_policy
from modelwarrant.records import Recipe
from modelwarrant.records.backtest import BacktestScore, Prices
from modelwarrant.simulation import parse_scenario, simulate

LINEAR = Setting(rows=12_000, windows=6, onset=0.5, recipe=Recipe(model="linear"))


@cache
def scores(scenario: str) -> dict[str, BacktestScore]:
    """Return every rule's score on one stream of linear models."""
    found = score(Stream(scenario, 1), LINEAR, RULES, default_policy())
    return {each.rule: each for each in found}


@cache
def course(scenario: str) -> Course:
    """Return a course of linear models."""
    window, _ = simulate(parse_scenario(scenario, onset=0.5), rows=12_000, seed=1)
    return course_of(window, LINEAR, source=scenario)


def test_the_oracle_has_no_regret_and_is_never_wrong() -> None:
    """Each of its promotions is better on the next window, by definition."""
    oracle = scores("rents/concept")["oracle"]

    assert (0.0, 0, 0) == (oracle.regret, oracle.wrong, oracle.missed)
    assert oracle.promotions


def test_never_keeps_the_first_model() -> None:
    """Nothing is trained, nothing promoted, nobody asked; the shift is paid for."""
    never = scores("rents/concept")["never"]

    assert (0, 0, 0) == (never.trainings, never.promotions, never.reviews)
    assert 0.5 < never.regret
    assert 0 < never.missed


def test_always_promotes_every_window() -> None:
    """What it promotes on an unshifted stream is wrong about as often as not."""
    always = scores("rents/none")["always"]

    assert (4, 4) == (always.trainings, always.promotions)
    assert 0 < always.wrong


def test_periodic_promotes_each_third_window() -> None:
    """It trains only what it promotes."""
    assert [False, False, True, False] == [
        step.promoted for step in scores("rents/none")["periodic-3"].steps
    ]


def test_the_policy_promotes_nothing_without_a_shift() -> None:
    """On an unshifted stream no candidate is better, and the policy says so each time."""
    policy = scores("rents/none")["policy-approved"]

    assert (0, 0) == (policy.promotions, policy.wrong)


def test_the_policy_leaves_a_concept_shift_to_a_person() -> None:
    """New regime against old: asked, and the answer makes the difference."""
    found = scores("rents/concept")

    assert "better-now-not-before" in [step.row for step in found["policy-approved"].steps]
    assert found["policy-approved"].regret < found["policy-refused"].regret
    assert 0 == found["policy-refused"].promotions
    assert 0 == found["policy-reviewed"].wrong


def test_the_policy_holds_on_a_data_fault() -> None:
    """A unit change blocks: the columns are named, nobody is asked."""
    steps = scores("loans/unit")["policy-approved"].steps

    assert "data-fault" in [step.row for step in steps]
    assert not any(step.promoted for step in steps)


def test_what_is_promoted_is_what_the_next_window_pays_for() -> None:
    """The loss after a promotion is the candidate's, and it stays in production afterwards."""
    steps = scores("rents/none")["always"].steps

    assert [step.candidate_loss for step in steps] == [step.loss for step in steps]
    assert steps[0].candidate_loss != steps[1].production_loss  # other windows judge them


def test_a_stream_is_scored_the_same_twice() -> None:
    """No clock, no randomness: the record has the same bytes."""
    first = scores("rents/concept")["metric-only"]
    again = run_backtest(
        course("rents/concept"),
        "metric-only",
        default_policy(),
        scenario="rents/concept",
        seed=1,
        shifted=first.shifted,
    )

    assert first.model_copy(update={"scenario": "rents/concept"}).to_bytes() == again.to_bytes()


def test_costs_follow_their_prices() -> None:
    """Errors, trainings and promotions each count with their price; free labels do not."""
    found = scores("rents/none")["periodic-3"]
    errors = sum(step.rows * step.loss for step in found.steps) / found.unit

    assert (1, 1) == (found.trainings, found.promotions)
    assert 2000 == sum(step.labels for step in found.steps)  # one window was read to be trained on
    assert 70 + 2 * errors == pytest.approx(
        found.cost(Prices(label=5.0, retrain=40.0, error=2.0, promotion=30.0))
    )


def test_what_watches_the_loss_reads_every_label() -> None:
    """An error threshold reads each window whole, whether it trains or not."""
    assert 8000 == sum(step.labels for step in scores("rents/none")["error-threshold"].steps)


def test_a_candidate_is_counted_once() -> None:
    """A candidate that was left spends its share of alpha; a promotion starts anew."""
    standing = Standing(production=0, anchor=0)
    held = Act(trained=True, promoted=False, verdict="HOLD", row="no-gain")

    waiting = standing.after(held, 1, "sha256:a").after(held, 2, "sha256:a")
    assert ("sha256:a",) == waiting.candidates
    assert () == waiting.after(Act(trained=True, promoted=True), 3, "sha256:b").candidates


def test_only_a_persons_approval_moves_the_anchor() -> None:
    """An automatic promotion leaves the anchor where it was."""
    standing = Standing(production=0, anchor=0)

    assert Standing(2, 0) == standing.after(Act(True, True, "PROMOTE", "better"), 2, None)
    approved = Act(True, True, "NEEDS_APPROVAL", "better-now-not-before", reviewed=True)
    assert Standing(2, 2) == standing.after(approved, 2, None)


@pytest.mark.parametrize("name", ["sometimes", "periodic-0", "periodic-100"])
def test_an_unknown_rule_is_refused(name: str) -> None:
    """The message lists the rules that can be compared."""
    with pytest.raises(PolicyError, match="metric-only"):
        rule_of(name, default_policy())
