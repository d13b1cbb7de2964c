"""Figures over many streams."""

import pytest

from modelwarrant.backtest import scores_table, summarise
from modelwarrant.errors import RecordError
from modelwarrant.records.backtest import BacktestScore, BacktestStep


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


def test_each_kind_has_its_figures() -> None:
    """A rule's figures are given over all streams and for each kind of shift."""
    summary = summarise(
        [
            made("sea/none/abrupt/0", 1, "a", wrong=0),
            made("sea/concept/abrupt/1", 1, "a", wrong=4),
        ]
    )

    assert [("concept", 100.0), ("none", 0.0)] == [
        (each.kind, each.wrong.estimate) for each in summary.by_kind
    ]


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
