"""When a training is worth its price, and what becomes of a candidate that is held."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from modelwarrant.backtest.acts import Memory, Standing
from modelwarrant.backtest.course import Course, Span
from modelwarrant.backtest.laps import cut_where
from modelwarrant.backtest.rules import rule_of
from modelwarrant.backtest.scoring import run_backtest
from modelwarrant.backtest.spans import choose_span, covers_season
from modelwarrant.backtest.timing import reason_to_train
from modelwarrant.policy import default_policy
from modelwarrant.records import BacktestScore, Prices, Recipe
from modelwarrant.simulation import parse_scenario, simulate

ROWS, LAPS = 12_000, 8
FIRST = Standing(production=0, anchor=0)


@cache
def course(scenario: str) -> Course:
    """Return a course of linear models; the shift comes in the middle of its fifth window."""
    window, _ = simulate(parse_scenario(scenario, onset=0.55), rows=ROWS, seed=3)
    edges = list(range(0, ROWS + 1, ROWS // LAPS))
    laps = cut_where(window, edges, final=0.4, source=scenario)
    metric = "log_loss" if window.schema.task == "classification" else "squared_error"
    return Course(laps, Recipe(model="linear"), metric)


@cache
def walked(scenario: str, rule: str) -> BacktestScore:
    """Return a rule's score on that course."""
    return run_backtest(course(scenario), rule, default_policy(), scenario=scenario, seed=3)


def test_a_grown_loss_is_a_reason() -> None:
    """The window after the shift loses far more than production's own final split."""
    reason = reason_to_train(course("rents/concept"), FIRST, 5, prices=Prices(), alpha=0.05)

    assert reason.trains
    assert reason.words.startswith("decay: loss ")


def test_a_price_above_the_gain_is_a_reason_to_wait() -> None:
    """The same growth, and a training that costs more than all of the window's errors."""
    prices = Prices(retrain=1e6)
    reason = reason_to_train(course("rents/concept"), FIRST, 5, prices=prices, alpha=0.05)

    assert not reason.trains
    assert "a model without any loss would not be worth its training" in reason.words


def test_what_learned_while_the_world_moved_is_held_against_the_level_before() -> None:
    """Its own final split has the high loss; against that no growth would ever be shown."""
    moving = Standing(4, 4, memory=Memory(promoted=4, replaced=0))
    kept = replace(moving, memory=replace(moving.memory, level=0))
    reasons = [
        reason_to_train(course("rents/concept"), each, 5, prices=Prices(), alpha=0.05)
        for each in (moving, kept)
    ]

    assert reasons[1].trains
    assert "in window 0, before it grew, grown by at least" in reasons[1].words
    assert "on its own final split, no growth shown" in reasons[0].words


def test_the_level_from_which_the_loss_grew_is_remembered() -> None:
    """Of the first model's own final split; where nothing grew there is none."""
    grown, still = (
        reason_to_train(course(each), FIRST, 5, prices=Prices(), alpha=0.05)
        for each in ("rents/concept", "rents/none")
    )
    act = rule_of("warrant-refused", default_policy())(course("rents/concept"), FIRST, 5)

    assert (0, None) == (grown.level, still.level)
    assert act.memory is not None
    assert 0 == act.memory.level


def test_each_training_in_vain_doubles_the_price() -> None:
    """What was worth a training once is not worth one after many without a promotion."""
    tried = replace(FIRST, memory=Memory(learned_from=10**6, in_vain=30))
    reason = reason_to_train(course("rents/concept"), tried, 5, prices=Prices(), alpha=0.05)

    assert not reason.trains


def test_the_first_doubling_of_rows_is_tried() -> None:
    """Nobody knows yet what more rows are worth."""
    reasons = [
        reason_to_train(course("rents/none"), FIRST, lap, prices=Prices(), alpha=0.05)
        for lap in (1, 2)
    ]

    assert reasons[0].trains
    assert reasons[0].words.startswith("learning: 2,400 labelled rows")
    learned = replace(FIRST, memory=Memory(learned_from=2400, in_vain=1))
    later = reason_to_train(course("rents/none"), learned, 2, prices=Prices(), alpha=0.05)
    assert not later.trains


def test_a_candidate_that_waits_is_reason_enough_not_to_train() -> None:
    """A new one would be the same model with a few more rows."""
    waits = replace(FIRST, memory=Memory(waiting=1, judged_on=600))
    reason = reason_to_train(course("rents/none"), waits, 2, prices=Prices(), alpha=0.05)

    assert "waits for labels" in reason.words
    assert not reason.trains


def test_without_a_shift_little_is_trained_and_nothing_promoted_wrongly() -> None:
    """The usual rule trains at each of six windows, and every second promotion is wrong."""
    whole, usual = (walked("rents/none", rule) for rule in ("warrant-approved", "metric-only"))

    assert whole.trainings <= usual.trainings / 2
    assert 0 == whole.wrong


def test_a_shift_is_answered_with_fewer_trainings_than_always() -> None:
    """Trained where it pays, and in production before the stream ends."""
    whole, always, never = (
        walked("rents/concept", rule) for rule in ("warrant-approved", "always", "never")
    )

    assert whole.promotions
    assert whole.trainings <= always.trainings / 2
    assert whole.cost(Prices()) < never.cost(Prices())


def test_refused_by_every_person_is_never_asked_and_promoted() -> None:
    """What needs an approval stays out; what the policy promotes alone goes in all the same."""
    refused = walked("rents/concept", "warrant-refused")

    assert not [step for step in refused.steps if step.reviewed and step.promoted]


def test_every_step_says_why() -> None:
    """Whether something was trained or not."""
    assert all(step.why for step in walked("rents/concept", "warrant-approved").steps)


def test_each_look_takes_a_place_in_the_ledger_of_alpha() -> None:
    """A candidate that was held and looked at again has been looked at twice."""
    found, rule = course("rents/none"), rule_of("warrant-approved", default_policy())
    standing = FIRST
    for lap in range(1, LAPS - 1):
        act = rule(found, standing, lap)
        before, standing = standing, standing.after(act, lap, None)
        if not act.promoted:
            assert len(before.candidates) + len(act.looks) == len(standing.candidates)
    assert standing.candidates or standing.production


def test_the_longest_stretch_is_chosen_where_nothing_moves() -> None:
    """More rows of the same world make a better model."""
    found = course("rents/none")
    span = found.span_of(choose_span(found, 5, without=0))

    assert span is not None
    assert span.first < 4


def test_a_short_stretch_is_chosen_after_a_shift() -> None:
    """Rows of a world that is gone make a worse one."""
    found = course("rents/concept")
    span = found.span_of(choose_span(found, 6, without=0))

    assert span is not None
    assert 5 <= span.first


@pytest.mark.parametrize(("without", "covers"), [(0, False), (2, True)])
def test_rows_must_hold_the_part_of_the_season_that_judges(without: int, covers: bool) -> None:
    """With windows as long as the season only an older window holds that part."""
    plain = course("rents/none")
    season = timedelta(microseconds=ROWS // LAPS)
    found = Course(plain.laps, plain.recipe, plain.metric, season=season)

    assert covers is covers_season(found, 1 if without == 0 else 3, without=without)
    assert Span(0, 1, 0) in found._spans or without
