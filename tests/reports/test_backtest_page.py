"""The page of a benchmark of decisions."""

from modelwarrant.records import BacktestSummary, Interval, RuleFigures
from modelwarrant.records.backtest import Difference, Guarantee
from modelwarrant.reports import backtest_page


def interval(estimate: float) -> Interval:
    """Return an interval of width 2."""
    return Interval(
        estimate=estimate, lower=estimate - 1, upper=estimate + 1, alpha=0.025, method="made"
    )


def figures(rule: str, group: str = "all", *, wrong: float = 5.25) -> RuleFigures:
    """Return a rule's figures."""
    return RuleFigures(
        rule=rule,
        group=group,
        streams=40,
        decisions=320,
        promotions=12,
        wrong=interval(wrong),
        harmful=interval(3.0),
        missed=interval(30.0),
        reviews=interval(10.0),
        trainings=interval(100.0),
        unanswered=None,
        delay=interval(1.5),
        regret=interval(7.0),
        labels=interval(2000.0),
        cost=interval(450.0),
    )


def difference(figure: str, against: str, low: float, high: float) -> Difference:
    """Return how the whole system compares with a rule on gradual shifts."""
    return Difference(
        figure=figure,
        rule="warrant-refused",
        against=against,
        group="gradual shift",
        streams=40,
        difference=Interval(
            estimate=(low + high) / 2, lower=low, upper=high, alpha=0.025, method="made"
        ),
        about="false promotions",
    )


def promise(found: int) -> Guarantee:
    """Return a promise that holds up to 2 of 40."""
    return Guarantee(
        name="equal challenger",
        about="seasons",
        found=found,
        of=40,
        share=interval(found / 40),
        side="at most",
        limit=0.05,
        others={"metric-only": 0.9},
    )


def summary(*rules: str, scenario: str = "sea/concept/abrupt/1", **more: object) -> BacktestSummary:
    """Return figures of some rules."""
    return BacktestSummary.model_validate(
        {
            "streams": 40,
            "seeds": 20,
            "scenarios": (scenario,),
            "rules": rules,
            "overall": tuple(figures(rule) for rule in rules),
            "by_group": tuple(figures(rule, "concept shift") for rule in rules),
            **more,
        }
    )


def test_every_rule_is_named_in_words_with_its_intervals() -> None:
    """A reader sees what decided, and how sure the figure is."""
    page = backtest_page(summary("policy-refused", "periodic-4", "periodic-3-all"))

    assert "policy, its reviewer never approves" in page
    assert "promote every 4 windows" in page
    assert "promote every 3 windows, learn from all rows so far" in page
    assert "[4.2, 6.2]" in page


def test_each_group_of_streams_has_a_table() -> None:
    """The groups stand below, closed until somebody asks."""
    assert "<details><summary>concept shift</summary>" in backtest_page(summary("never"))


def test_a_declared_comparison_says_how_it_came_out() -> None:
    """Better, worse, or nothing shown: the page says which, whatever it is."""
    found = [
        difference("cost", "periodic-3", -30, -10),
        difference("wrong", "metric-only-as-warrant", -3, 1),
        difference("cost", "error-threshold", 10, 30),
    ]
    page = backtest_page(summary("never", differences=found))

    assert 1 == page.count("> better</span>")
    assert 1 == page.count("> not shown either way</span>")
    assert 0 == page.count("> worse</span>")  # not declared, but told where it loses
    assert "cheaper beyond doubt in 1, dearer in 1" in page
    assert "error-threshold +20 [+10, +30]" in page


def test_a_promise_that_was_missed_is_called_so() -> None:
    """Kept and missed stand side by side, with what usual rules do."""
    page = backtest_page(summary("never", guarantees=[promise(2), promise(3)]))

    assert 1 == page.count("> kept</span>")
    assert 1 == page.count("> missed</span>")
    assert "metric-only 90" in page


def test_controls_stand_apart() -> None:
    """What is no rule to choose is in no table and no picture of rules."""
    page = backtest_page(summary("never", "control-identical"))
    controls = page.partition('id="controls"')[2]

    assert "control-identical" not in page.partition('id="groups"')[0].partition('id="controls"')[0]
    assert "A/A: the candidate is production, trained again" in controls


def test_the_front_holds_what_no_rule_beats() -> None:
    """Fewer false promotions at more regret stays; worse in both goes."""
    few, many = figures("never", wrong=1.0), figures("always", wrong=9.0)
    worse = many.model_copy(update={"regret": interval(1.0), "rule": "adwin"})
    page = backtest_page(summary("never").model_copy(update={"overall": (few, many, worse)}))

    assert "Beaten by no other rule: never, adwin" in page


def test_a_foreign_name_is_escaped() -> None:
    """Scenarios come from records that anybody may have written."""
    page = backtest_page(summary("<b>rule</b>", scenario="<script>/x"))

    assert "<script>" not in page
    assert "<b>rule" not in page


def test_the_same_summary_gives_the_same_page() -> None:
    """No clock, no randomness."""
    assert backtest_page(summary("never")) == backtest_page(summary("never"))
