"""What does a person need to see of rules that were compared over many streams?"""

import dataclasses

from modelwarrant.records import BacktestSummary, Interval, RuleFigures
from modelwarrant.reports.evaluation_view import Forest, ForestRow
from modelwarrant.reports.figures import count, listing, number, plural
from modelwarrant.reports.parts import Fact, Table
from modelwarrant.reports.plots import Scale, forest_axis, forest_scale, forest_strip

__all__ = ["BacktestView", "backtest_view"]

_HEADERS = ("Rule", "Wrong", "Missed", "Reviewed", "Trained", "Regret, %")
_NUMERIC = frozenset(range(1, len(_HEADERS)))
_RULES = {
    "policy-approved": "policy, its reviewer always approves",
    "policy-refused": "policy, its reviewer never approves",
    "policy-reviewed": "policy, its reviewer knows the next window",
    "never": "never promote",
    "always": "always promote",
    "metric-only": "promote the lower point estimate",
    "oracle": "oracle, which knows the next window",
}


@dataclasses.dataclass(frozen=True)
class BacktestView:
    """The page of a benchmark of decisions."""

    facts: tuple[Fact, ...]
    overall: Table
    wrong: Forest
    regret: Forest
    by_kind: tuple[tuple[str, Table], ...]
    scenarios: tuple[str, ...]


def backtest_view(summary: BacktestSummary) -> BacktestView:
    """Lay out every rule's figures, over all streams and for each kind of shift."""
    kinds = dict.fromkeys(each.kind for each in summary.by_kind)
    return BacktestView(
        facts=(
            Fact("Streams", count(summary.streams), plural(summary.seeds, "seed")),
            Fact("Scenarios", count(len(summary.scenarios)), listing(summary.scenarios, longest=3)),
        ),
        overall=_table(summary.overall),
        wrong=_forest(summary, "wrong", unit="wrong promotions in 100 decisions"),
        regret=_forest(summary, "regret", unit="% loss beyond the oracle's"),
        by_kind=tuple(
            (kind, _table(tuple(each for each in summary.by_kind if each.kind == kind)))
            for kind in kinds
        ),
        scenarios=summary.scenarios,
    )


def _rule(name: str) -> str:
    """Return a rule's name in words.

    >>> _rule("periodic-3"), _rule("never")
    ('promote every 3 windows', 'never promote')
    """
    if name.startswith("periodic-"):
        return f"promote every {name.removeprefix('periodic-')} windows"
    return _RULES.get(name, name)


def _table(figures: tuple[RuleFigures, ...]) -> Table:
    """Return the estimates alone, narrow enough for the frame of a pipeline's user interface."""
    rows = tuple(
        (
            each.rule,
            *(
                number(value.estimate, decimals=1)
                for value in (each.wrong, each.missed, each.reviews, each.trainings, each.regret)
            ),
        )
        for each in figures
    )
    return Table(_HEADERS, rows, _NUMERIC)


def _spoken(value: Interval) -> str:
    """Return an estimate with its interval, all to one decimal."""
    ends = (value.lower, value.upper)
    low, high = ("?" if end is None else number(end, decimals=1) for end in ends)
    return f"{number(value.estimate, decimals=1)} [{low}, {high}]"


def _forest(summary: BacktestSummary, name: str, *, unit: str) -> Forest:
    found = [(each, _figure(each, name)) for each in summary.overall]
    scale = forest_scale([value for _, value in found])
    rows = tuple(_row(each, value, scale, unit) for each, value in found)
    return Forest(rows, (), forest_axis(scale, left="fewer", right="more"))


def _figure(figures: RuleFigures, name: str) -> Interval:
    return figures.wrong if name == "wrong" else figures.regret


def _row(figures: RuleFigures, value: Interval, scale: Scale, unit: str) -> ForestRow:
    label, spoken = _rule(figures.rule), _spoken(value)
    return ForestRow(
        label=label,
        mark=None,
        about=f"{figures.rule} · {plural(figures.decisions, 'decision')}",
        strip=forest_strip(value, scale, title=f"{label}: {spoken} {unit}"),
        estimate=number(value.estimate, decimals=1),
        bounds=spoken.partition(" ")[2],
        reason=None,
    )
