"""Controls and matched reviews: what must not happen does not."""

from functools import cache

import pytest

from modelwarrant.backtest import Course, Setting, course_of, run_backtest
from modelwarrant.backtest.acts import Act, Standing
from modelwarrant.backtest.matched import with_reviews_of
from modelwarrant.backtest.replaying import acts_of, remembering
from modelwarrant.policy import default_policy
from modelwarrant.records import BacktestScore, Recipe
from modelwarrant.simulation import parse_scenario, simulate

SETTING = Setting(rows=12_000, windows=6, recipe=Recipe(model="linear"))


@cache
def course(scenario: str) -> Course:
    """Return a course of linear models whose shift begins in the middle of the third window."""
    shift = parse_scenario(scenario, onset=0.42)
    return course_of(simulate(shift, rows=12_000, seed=1)[0], SETTING, source=scenario)


@cache
def score(rule: str, scenario: str) -> BacktestScore:
    """Return how a rule did."""
    return run_backtest(course(scenario), rule, default_policy(), scenario=scenario, seed=1)


def rows(rule: str, scenario: str) -> list[str | None]:
    """Return the rows of the policy that matched."""
    return [step.row for step in score(rule, scenario).steps]


@pytest.mark.parametrize("scenario", ["rents/none", "rents/concept", "loans/unit"])
def test_an_identical_candidate_is_never_promoted(scenario: str) -> None:
    """Trained again from the same rows it has the same bytes, and is known by them."""
    assert ["identical"] * 4 == rows("control-identical", scenario)
    assert 0 == score("control-identical", scenario).promotions


def test_a_report_of_another_window_is_noticed() -> None:
    """Evidence that does not fit together never promotes, whoever would approve."""
    assert ["evidence"] * 4 == rows("control-drift-permuted", "rents/concept")
    assert 0 == score("control-drift-permuted", "rents/concept").promotions


def test_a_forged_report_moves_the_faults_to_other_windows() -> None:
    """With a fault from the third window on, the policy holds on the first ones instead."""
    honest, forged = (
        [row == "data-fault" for row in rows(rule, "loans/unit")]
        for rule in ("policy-refused", "control-drift-relabelled")
    )

    assert [False, False, True, True] == honest
    assert [True, True, False, False] == forged


def test_a_rule_is_told_its_past_again() -> None:
    """The state before a window is the one after the windows before, whoever asks first."""

    def step(course: Course, standing: Standing, lap: int, seen: int) -> tuple[Act, int]:
        return Act(trained=True, promoted=seen == 2), seen + 1

    rule = remembering(step, lambda course: 0)
    promoted = [act.promoted for act in acts_of(course("rents/none"), rule, until=5)]

    assert [False, False, True, False] == promoted
    assert rule(course("rents/none"), Standing(0, 0), 3).promoted


def every(reviewed: bool) -> Act:
    """Return an act that promotes, asked or not."""
    return Act(trained=True, promoted=True, reviewed=reviewed)


@pytest.mark.parametrize("reviews", [0, 1, 2, 4])
def test_the_usual_rule_gets_as_many_reviews(reviews: int) -> None:
    """As many of its promotions are reviewed as the other rule asked for."""
    rule = with_reviews_of(
        lambda course, standing, lap: every(reviewed=lap <= reviews),
        lambda course, standing, lap: every(reviewed=False),
    )
    acts = acts_of(course("rents/none"), rule, until=5)

    assert reviews == sum(act.reviewed for act in acts)
    assert all(act.promoted for act in acts if not act.reviewed)


def test_a_perfect_reviewer_lets_no_false_promotion_through() -> None:
    """With a review for every promotion the usual rule is never wrong."""
    rule = with_reviews_of(
        lambda course, standing, lap: every(reviewed=True),
        lambda course, standing, lap: every(reviewed=False),
    )
    stream, standing = course("rents/none"), Standing(0, 0)
    for lap in range(1, 5):
        act = rule(stream, standing, lap)
        gain = stream.loss(standing.production, lap + 1) - stream.loss(lap, lap + 1)
        assert (gain > 0) == act.promoted
        standing = standing.after(act, lap, None)


def test_reviews_are_counted_on_the_same_stream() -> None:
    """The policy asks after a concept shift; the matched rule is reviewed no more often."""
    policy, matched = (
        score(rule, "rents/concept") for rule in ("policy-reviewed", "metric-only-as-policy")
    )

    assert 0 < matched.reviews <= policy.reviews
    assert matched.wrong <= score("metric-only", "rents/concept").wrong


def test_all_rows_so_far_are_learned_from() -> None:
    """Without a shift more rows make a better model; the rows of the judge are left out."""
    fresh, whole = score("always", "rents/none"), score("always-all", "rents/none")

    assert 4 == whole.promotions
    assert sum(step.loss for step in whole.steps) < sum(step.loss for step in fresh.steps)
    assert [False, False, True, False] == [
        step.promoted for step in score("periodic-3-all", "rents/none").steps
    ]
