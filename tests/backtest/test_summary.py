"""Figures over many streams."""

import pytest

from modelwarrant.backtest import scores_table, summarise
from modelwarrant.backtest.streams import GROUPS
from modelwarrant.errors import RecordError
from modelwarrant.records.backtest import (
    BacktestScore,
    BacktestStep,
    BacktestSummary,
    RuleFigures,
)


def made(scenario: str, seed: int, rule: str, *, wrong: int, of: int = 4) -> BacktestScore:
    """Return a score with so many wrong promotions."""
    steps = tuple(
        BacktestStep(
            window=index + 1,
            trained=True,
            verdict="PROMOTE",
            row="better",
            reviewed=False,
            promoted=index < wrong,
            production_loss=1.0,
            candidate_loss=1.5,
            oracle_loss=1.0,
            wrong=index < wrong,
            missed=False,
        )
        for index in range(of)
    )
    return BacktestScore(
        scenario=scenario,
        seed=seed,
        rule=rule,
        task="regression",
        metric="squared_error",
        windows=of + 2,
        rows=100,
        worthwhile=0.02,
        steps=steps,
    )


def test_figures_are_a_hundred_decisions() -> None:
    """Wrong promotions are counted over all decisions of the rule, regret over streams."""
    summary = summarise(
        [
            made("sea/none/abrupt/0", 1, "always", wrong=4),
            made("sea/none/abrupt/0", 2, "always", wrong=0),
        ]
    )
    figures = summary.overall[0]

    assert (2, 8, 4) == (figures.streams, figures.decisions, figures.promotions)
    assert 50.0 == figures.wrong.estimate
    assert 25.0 == figures.regret.estimate  # 50 % on one stream, none on the other


def test_an_interval_is_over_streams() -> None:
    """Two streams that agree leave no doubt; two that do not leave all of it."""
    alike = summarise([made("sea/none/abrupt/0", seed, "a", wrong=2) for seed in (1, 2)])
    torn = summarise(
        [made("sea/none/abrupt/0", seed, "a", wrong=4 * (seed - 1)) for seed in (1, 2)]
    )

    assert (50.0, 50.0) == (alike.overall[0].wrong.lower, alike.overall[0].wrong.upper)
    assert (0.0, 100.0) == (torn.overall[0].wrong.lower, torn.overall[0].wrong.upper)


def test_none_seen_is_not_none() -> None:
    """Where nothing went wrong, the upper end says how much so few decisions leave open."""
    few = summarise([made("sea/none/abrupt/0", 1, "a", wrong=0)]).overall[0].wrong
    many = summarise([made("sea/none/abrupt/0", s, "a", wrong=0) for s in range(30)]).overall[0]

    assert (0.0, 0.0) == (few.estimate, few.lower)
    assert 60.2 == pytest.approx(few.upper, abs=0.1)  # 1 - 0.025 ** (1 / 4)
    assert 3.0 == pytest.approx(many.wrong.upper, abs=0.1)  # of 120 decisions


def test_the_order_of_scores_changes_nothing() -> None:
    """Pods end in any order: figures and table are the same, rules in the order given."""
    given = [made("sea/none/abrupt/0", seed, "a", wrong=seed) for seed in (1, 2, 3)]

    assert summarise(given).to_bytes() == summarise(given[::-1]).to_bytes()
    assert scores_table(given).equals(scores_table(given[::-1]))


def figures(summary: BacktestSummary, group: str) -> RuleFigures:
    """Return the only rule's figures in a group."""
    (found,) = (each for each in summary.by_group if each.group == group)
    return found


def test_each_group_has_its_figures() -> None:
    """Over all streams, by task, by kind and by shape of a shift; faults that pass stand apart."""
    summary = summarise(
        [
            made("sea/none/abrupt/0", 1, "a", wrong=0),
            made("sea/concept/gradual/1", 1, "a", wrong=4),
            made("bike/unit/passing/1", 1, "a", wrong=2),
            made("sea/unit/abrupt/1", 1, "a", wrong=1),
        ]
    )

    assert {
        *("no shift", "concept shift", "gradual shift", "data fault, mended"),
        *("data fault, for ever", "regression", "simulated", "real table"),
    } == {each.group for each in summary.by_group}
    assert 100.0 == figures(summary, "gradual shift").wrong.estimate
    assert 50.0 == figures(summary, "real table").wrong.estimate
    assert set(GROUPS) >= {each.group for each in summary.by_group}


def test_shuffled_labels_count_in_no_other_group() -> None:
    """A control is no stream that a rule could do well on."""
    summary = summarise(
        [
            made("sea/none/abrupt/0", 1, "a", wrong=0),
            made("sea/shuffled/abrupt/0", 1, "a", wrong=4),
        ]
    )

    assert 0.0 == summary.overall[0].wrong.estimate
    assert 100.0 == figures(summary, "shuffled labels").wrong.estimate


def test_a_promotion_is_harmful_beyond_what_is_worth_while() -> None:
    """The candidate of ``made`` loses half as much again as production."""
    summary = summarise([made("sea/none/abrupt/0", 1, "a", wrong=1)])

    assert 25.0 == summary.overall[0].harmful.estimate


def degraded(rule: str, losses: list[float], **changes: object) -> BacktestScore:
    """Return a score whose production has these losses; the oracle's are 1, the shift is at 2."""
    score = made("sea/concept/abrupt/1", 1, rule, wrong=0, of=len(losses))
    steps = tuple(
        step.model_copy(update={"production_loss": loss, **changes})
        for step, loss in zip(score.steps, losses, strict=True)
    )
    return score.model_copy(update={"steps": steps, "shifted": 2})


def test_a_degradation_is_missed_where_nothing_followed() -> None:
    """Windows 2 to 4 know of the shift, two are degraded: asking a person answers, silence not."""
    silent = summarise([degraded("a", [9.0, 2.0, 2.0, 1.0])]).overall[0]
    asked = summarise([degraded("a", [9.0, 2.0, 2.0, 1.0], reviewed=True)]).overall[0]
    called = summarise([degraded("a", [9.0, 2.0, 2.0, 1.0], row="data-fault")]).overall[0]

    assert silent.unanswered is not None
    assert asked.unanswered is not None
    assert called.unanswered is not None
    assert [100.0, 0.0, 0.0] == [
        each.unanswered.estimate for each in (silent, asked, called) if each.unanswered
    ]


def test_the_delay_ends_when_production_is_restored() -> None:
    """Two windows of three; a stream that the first model would not feel counts with no rule."""
    rows = [degraded("never", [1.0, 2.0, 2.0, 2.0]), degraded("a", [1.0, 2.0, 2.0, 1.0])]
    found = summarise(rows).overall
    unharmed = summarise([degraded("never", [1.0, 1.0, 1.0, 1.0])]).overall[0]

    assert [3.0, 2.0] == [each.delay.estimate for each in found if each.delay]
    assert unharmed.delay is None
    assert unharmed.unanswered is None


def test_costs_are_compared_stream_by_stream() -> None:
    """A rule that is dearer on every stream is so with certainty, whatever the streams cost."""
    ours = [made("sea/none/abrupt/0", s, "warrant-refused", wrong=s % 3) for s in range(6)]
    theirs = [made("sea/none/abrupt/0", s, "never", wrong=0) for s in range(6)]
    trained = [
        each.model_copy(
            update={"steps": tuple(s.model_copy(update={"trained": False}) for s in each.steps)}
        )
        for each in theirs
    ]
    (found,) = (
        each for each in summarise([*ours, *trained]).differences if each.group == "no shift"
    )

    assert ("cost", "warrant-refused", "never", 6) == (
        *(found.figure, found.rule, found.against),
        found.streams,
    )
    assert 50.0 + 10 * 6 / 24 == pytest.approx(found.difference.estimate)
    assert found.difference.lower is not None
    assert 50.0 <= found.difference.lower


def test_equal_reviews_are_compared_by_false_promotions() -> None:
    """As declared, and as if every review of the usual rule had caught one."""
    wrong = {"policy-reviewed": 0, "metric-only-as-policy": 2, "metric-only": 3}
    scores = [
        made("sea/none/abrupt/0", seed, rule, wrong=count)
        for seed in (1, 2)
        for rule, count in wrong.items()
    ]
    found = {
        each.against: each.difference.estimate
        for each in summarise(scores).differences
        if each.figure == "wrong"
    }

    assert {"metric-only-as-policy": -50.0, "metric-only": -75.0} == found


def test_the_table_has_a_row_a_decision() -> None:
    """Everything a person could want to plot stands in it."""
    table = scores_table([made("sea/none/abrupt/0", 1, "a", wrong=1)])

    assert 4 == table.num_rows
    assert [1.5, 1.0, 1.0, 1.0] == table.column("loss").to_pylist()


@pytest.mark.parametrize("times", [0, 2])
def test_no_score_and_a_doubled_score_are_refused(times: int) -> None:
    """Nothing to summarise, or the same stream counted twice, is an error."""
    with pytest.raises(RecordError, match=r"no score|stands twice"):
        summarise([made("sea/none/abrupt/0", 1, "a", wrong=0)] * times)
