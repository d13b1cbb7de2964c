"""The page of a benchmark of decisions."""

from modelwarrant.records import BacktestSummary, Interval, RuleFigures
from modelwarrant.reports import backtest_page


def interval(estimate: float) -> Interval:
    """Return an interval of width 2."""
    return Interval(
        estimate=estimate, lower=estimate - 1, upper=estimate + 1, alpha=0.025, method="made"
    )


def summary(*rules: str, scenario: str = "sea/concept/abrupt/1") -> BacktestSummary:
    """Return figures of some rules."""
    figures = tuple(
        RuleFigures(
            rule=rule,
            kind="all",
            streams=40,
            decisions=320,
            promotions=12,
            wrong=interval(5.25),
            missed=interval(30.0),
            reviews=interval(10.0),
            trainings=interval(100.0),
            regret=interval(7.0),
        )
        for rule in rules
    )
    return BacktestSummary(
        streams=40,
        seeds=20,
        scenarios=(scenario,),
        rules=rules,
        overall=figures,
        by_kind=tuple(each.model_copy(update={"kind": "concept"}) for each in figures),
    )


def test_every_rule_is_named_in_words_with_its_intervals() -> None:
    """A reader sees what decided, and how sure the figure is."""
    page = backtest_page(summary("policy-refused", "periodic-4"))

    assert "policy, its reviewer never approves" in page
    assert "promote every 4 windows" in page
    assert "[4.2, 6.2]" in page


def test_each_kind_of_shift_has_a_table() -> None:
    """The kinds stand below, closed until somebody asks."""
    assert "<details><summary>concept</summary>" in backtest_page(summary("never"))


def test_a_foreign_name_is_escaped() -> None:
    """Scenarios come from records that anybody may have written."""
    page = backtest_page(summary("<b>rule</b>", scenario="<script>/x"))

    assert "<script>" not in page
    assert "<b>rule" not in page


def test_the_same_summary_gives_the_same_page() -> None:
    """No clock, no randomness."""
    assert backtest_page(summary("never")) == backtest_page(summary("never"))
