"""What does a person need to see of rules that were compared over many streams?"""

import dataclasses
from collections.abc import Callable, Sequence

from markupsafe import Markup

from modelwarrant.records import BacktestSummary, Interval, RuleFigures
from modelwarrant.records.backtest import Difference, Guarantee
from modelwarrant.reports.evaluation_view import Forest, ForestRow
from modelwarrant.reports.figures import count, listing, number, percent, plural, signed
from modelwarrant.reports.pareto import Spot, front_plot
from modelwarrant.reports.parts import Cell, Fact, Mark, Table
from modelwarrant.reports.plots import Scale, forest_axis, forest_scale, forest_strip

__all__ = ["BacktestView", "backtest_view"]

_COLUMNS: tuple[tuple[str, Callable[[RuleFigures], Interval | None], int], ...] = (
    ("False promotions", lambda each: each.wrong, 1),
    ("Harmful", lambda each: each.harmful, 1),
    ("False blocks", lambda each: each.missed, 1),
    ("Reviewed", lambda each: each.reviews, 1),
    ("Trained", lambda each: each.trainings, 1),
    ("Unanswered, %", lambda each: each.unanswered, 0),
    ("Delay", lambda each: each.delay, 2),
    ("Regret, %", lambda each: each.regret, 1),
    ("Labels", lambda each: each.labels, 0),
    ("Cost", lambda each: each.cost, 0),
)
_RULES = {
    "warrant-approved": "modelwarrant, everything asked is approved",
    "warrant-refused": "modelwarrant without people",
    "warrant-reviewed": "modelwarrant, its reviewer knows the next window",
    "policy-approved": "policy, its reviewer always approves",
    "policy-refused": "policy, its reviewer never approves",
    "policy-reviewed": "policy, its reviewer knows the next window",
    "never": "never promote",
    "always": "always promote",
    "always-all": "always promote, learn from all rows so far",
    "metric-only": "promote the lower point estimate",
    "metric-tested": "promote what a paired test shows better",
    "metric-only-as-policy": "lower point estimate, with the policy's reviews",
    "metric-only-as-warrant": "lower point estimate, with modelwarrant's reviews",
    "drift-blocks": "lower point estimate, unless there is drift",
    "drift-retrains": "retrain on drift",
    "share-retrains": "retrain when half of the columns drift",
    "error-threshold": "retrain when the loss is 10 % up",
    "adwin": "retrain when ADWIN alarms",
    "approval-fixed": "approve what is not inferior, fixed level",
    "approval-adaptive": "approve what is not inferior, alpha-investing",
    "e-conjunction": "two e-values, now and on the reference",
    "oracle": "oracle, which knows the next window",
    "control-identical": "A/A: the candidate is production, trained again",
    "control-drift-permuted": "another window's drift report",
    "control-drift-relabelled": "another window's drift report, forged to fit",
}
_CONTROL = "control-"
_SHUFFLED = "shuffled labels"


@dataclasses.dataclass(frozen=True)
class BacktestView:
    """The page of a benchmark of decisions."""

    facts: tuple[Fact, ...]
    findings: tuple[Fact, ...]
    """What was declared to be looked at, each with how it came out."""
    guarantees: Table | None
    overall: Table
    wrong: Forest
    regret: Forest
    cost: Forest
    errors_front: Markup | None
    work_front: Markup | None
    loses: Table | None
    wins: str
    controls: Table | None
    by_group: tuple[tuple[str, Table], ...]
    scenarios: tuple[str, ...]


def backtest_view(summary: BacktestSummary) -> BacktestView:
    """Lay out every rule's figures, over all streams and for each group of them."""
    groups = dict.fromkeys(each.group for each in summary.by_group)
    rules = [each for each in summary.overall if not each.rule.startswith(_CONTROL)]
    costs = [each for each in summary.differences if each.figure == "cost"]
    return BacktestView(
        facts=(
            Fact("Streams", count(summary.streams), plural(summary.seeds, "seed")),
            Fact("Scenarios", count(len(summary.scenarios)), listing(summary.scenarios, longest=3)),
            Fact("Prices", _prices(summary), "an error is a row of the first model's largest loss"),
        ),
        findings=tuple(_finding(each) for each in summary.differences if _is_declared(each)),
        guarantees=_guarantees(summary.guarantees),
        overall=_table(rules),
        wrong=_forest(rules, lambda each: each.wrong, unit="false promotions in 100 decisions"),
        regret=_forest(rules, lambda each: each.regret, unit="% loss beyond the oracle's"),
        cost=_forest(rules, lambda each: each.cost, unit="a window"),
        errors_front=_front(
            rules, lambda each: each.wrong.estimate, "false promotions in 100 decisions"
        ),
        work_front=_front(rules, lambda each: each.trainings.estimate, "trainings in 100 windows"),
        loses=_loses(costs),
        wins=_wins(costs),
        controls=_controls(summary),
        by_group=tuple(
            (group, _table([each for each in summary.by_group if each.group == group]))
            for group in groups
        ),
        scenarios=summary.scenarios,
    )


def _prices(summary: BacktestSummary) -> str:
    prices = summary.prices
    return (
        f"error {prices.error:g}, training {prices.retrain:g}, promotion {prices.promotion:g}, "
        f"label asked for {prices.label:g}"
    )


def _rule(name: str) -> str:
    """Return a rule's name in words.

    >>> _rule("periodic-3"), _rule("never")
    ('promote every 3 windows', 'never promote')
    """
    if name.startswith("periodic-"):
        every, _, rows = name.removeprefix("periodic-").partition("-")
        words = f"promote every {every} windows"
        return f"{words}, learn from all rows so far" if rows else words
    return _RULES.get(name, name)


def _table(figures: Sequence[RuleFigures]) -> Table:
    """Return the estimates alone, narrow enough for the frame of a pipeline's user interface."""
    rows = tuple(
        (each.rule, *(_estimate(figure(each), places) for _, figure, places in _COLUMNS))
        for each in figures
    )
    headers = ("Rule", *(name for name, _, _ in _COLUMNS))
    return Table(headers, rows, frozenset(range(1, len(headers))))


def _estimate(value: Interval | None, places: int) -> str:
    return "–" if value is None else number(value.estimate, decimals=places)


def _spoken(value: Interval, *, places: int = 1, sign: bool = False) -> str:
    """Return an estimate with its interval, all to as many decimals."""
    said = signed if sign else number
    ends = (value.lower, value.upper)
    low, high = ("?" if end is None else said(end, decimals=places) for end in ends)
    return f"{said(value.estimate, decimals=places)} [{low}, {high}]"


def _forest(
    rules: Sequence[RuleFigures], figure: Callable[[RuleFigures], Interval], *, unit: str
) -> Forest:
    scale = forest_scale([figure(each) for each in rules])
    rows = tuple(_row(each, figure(each), scale, unit) for each in rules)
    return Forest(rows, (), forest_axis(scale, left="fewer", right="more"))


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


def _front(
    rules: Sequence[RuleFigures], figure: Callable[[RuleFigures], float], name: str
) -> Markup | None:
    """Return regret against another figure; the oracle is left out, as nobody can be it."""
    spots = [
        Spot(
            each.rule,
            figure(each),
            each.regret.estimate,
            is_ours=each.rule.partition("-")[0] in ("warrant", "policy"),
        )
        for each in rules
        if each.rule != "oracle"
    ]
    return front_plot(spots, across=name, up="regret, %") if spots else None


def _is_declared(found: Difference) -> bool:
    """Return whether a difference is one of the few that the project made a promise about."""
    if found.figure == "wrong":
        return True
    return found.against == "periodic-3" and found.group in ("abrupt shift", "gradual shift")


def _finding(found: Difference) -> Fact:
    """Say how a declared comparison came out; no interval that holds zero shows anything."""
    value = found.difference
    lower, upper = value.lower or 0.0, value.upper or 0.0
    mark = Mark("not shown either way", "unknown")
    if upper < 0:
        mark = Mark("better", "good")
    elif lower > 0:
        mark = Mark("worse", "bad")
    unit = "cost a window" if found.figure == "cost" else found.about
    where = "" if found.group == "all" else f", {found.group}"
    said = f"{_spoken(value, sign=True)} {unit}{where}, {plural(found.streams, 'stream')}"
    return Fact(f"{found.rule} against {found.against}", mark, said)


def _guarantees(found: Sequence[Guarantee]) -> Table | None:
    if not found:
        return None
    rows = tuple(
        (
            each.name,
            Mark("kept", "good") if each.is_met else Mark("missed", "bad"),
            f"{each.side} {percent(each.limit)}",
            f"{count(each.found)} of {count(each.of)}",
            _bounds(each.share),
            "; ".join(f"{rule} {percent(share)}" for rule, share in each.others.items()) or "–",
            each.about,
        )
        for each in found
    )
    headers = ("Promise", "", "Limit", "Found", "95 % interval", "Usual rules", "What is counted")
    return Table(headers, rows)


def _bounds(share: Interval) -> str:
    return f"{percent(share.lower or 0.0)} to {percent(share.upper or 0.0)}"


def _loses(costs: Sequence[Difference]) -> Table | None:
    """Return in which groups a rule of ours is dearer than others beyond doubt."""
    lost: dict[tuple[str, str], list[Difference]] = {}
    for each in costs:
        if (each.difference.lower or 0.0) > 0:
            lost.setdefault((each.rule, each.group), []).append(each)
    if not costs:
        return None
    rows: list[tuple[Cell, ...]] = []
    for (rule, group), found in lost.items():
        worst = max(found, key=lambda each: each.difference.estimate)
        others = sorted(each.against for each in found if each is not worst)
        streams = plural(worst.streams, "stream")
        rows.append(
            (
                rule,
                f"{group} ({streams})",
                f"{worst.against} {_spoken(worst.difference, places=0, sign=True)}",
                ", ".join(others) or "–",
            )
        )
    return Table(("Rule", "On", "Most against, cost a window", "Also against"), tuple(rows))


def _wins(costs: Sequence[Difference]) -> str:
    """Count all comparisons of cost by how they came out."""
    if not costs:
        return ""
    cheaper = sum((each.difference.upper or 0.0) < 0 for each in costs)
    dearer = sum((each.difference.lower or 0.0) > 0 for each in costs)
    return (
        f"Of {plural(len(costs), 'comparison')} of cost by rule and group, modelwarrant is cheaper "
        f"beyond doubt in {cheaper:,}, dearer in {dearer:,}; in the rest the interval holds zero."
    )


def _controls(summary: BacktestSummary) -> Table | None:
    """Return what was promoted where nothing should have been, or where the evidence is wrong."""
    found = [each for each in summary.overall if each.rule.startswith(_CONTROL)]
    found += [each for each in summary.by_group if each.group == _SHUFFLED]
    if not found:
        return None
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            each.rule,
            _SHUFFLED if each.group == _SHUFFLED else _rule(each.rule),
            count(each.promotions),
            count(each.decisions),
            _spoken(each.wrong),
            _spoken(each.missed),
        )
        for each in found
    )
    headers = ("Rule", "Control", "Promotions", "Decisions", "False promotions", "False blocks")
    return Table(headers, rows, frozenset({2, 3, 4, 5}))
