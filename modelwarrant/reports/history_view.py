"""What does a manager need to see of a backtest of the own history?"""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Final

from markupsafe import Markup, escape

from modelwarrant.records import HistoryReport, HistoryWindow, RuleTotals
from modelwarrant.reports.figures import count, listing, number, percent, plural, span, visible
from modelwarrant.reports.parts import Fact, Mark, Table, level_mark, verdict_mark
from modelwarrant.reports.plots import Scale, drawn, line, text

__all__ = ["HistoryView", "history_view"]

_MAIN: Final = "warrant-approved"
_USUAL: Final = ("never", "periodic-3", "metric-only")
_NAMES: Final = {
    _MAIN: "modelwarrant, its questions answered yes",
    "warrant-refused": "modelwarrant, its questions answered no",
    "warrant-reviewed": "modelwarrant, its reviewer knows the next window",
    "never": "keep the first model",
    "periodic-3": "retrain every third window",
    "metric-only": "retrain each window, keep the lower score",
    "always": "retrain and promote each window",
    "oracle": "oracle, which knows the next window",
}
_HEIGHTS: Final = {"none": 4, "notice": 10, "unknown": 7, "drift": 18, "blocked": 22}
"""Pixels of a bar of drift: what is worse is higher."""

_STRIP, _LOSSES, _AXIS = 30, 200, 22
_LEFT, _WIDTH = 9.0, 90.0
"""Percent: left of it stand the labels of the losses' axis."""
_MOST_TICKS = 6


@dataclasses.dataclass(frozen=True)
class Told:
    """One window in words."""

    name: str
    when: str
    title: str
    marks: tuple[Mark, ...]
    facts: tuple[Fact, ...]
    detail: str


@dataclasses.dataclass(frozen=True)
class HistoryView:
    """The page of a backtest."""

    headline: str
    tiles: tuple[Fact, ...]
    strips: tuple[tuple[str, Markup], ...]
    axis: Markup
    usual: str
    """The usual rule that cost least, in words."""
    totals: Table
    windows: tuple[Told, ...]
    facts: tuple[Fact, ...]


def history_view(report: HistoryReport) -> HistoryView:
    """Lay a backtest out: what it came to, a timeline, every rule, every window."""
    totals = {each.rule: each for each in report.totals}
    main = totals[_MAIN]
    usual = min((totals[rule] for rule in _USUAL if rule in totals), key=lambda each: each.cost)
    place = _places(len(report.windows))
    return HistoryView(
        headline=_headline(report, main, usual, totals.get("always")),
        tiles=_tiles(report, main, usual, totals.get("always")),
        strips=(
            (
                "Drift of each window against the one production was made from",
                _drift(report, place),
            ),
            ("What was done at its end", _acts(report, place)),
            (
                f"Loss on the window after it ({report.metric}, lower is better)",
                _losses(report, usual.rule, place),
            ),
        ),
        axis=_axis(report, place),
        usual=_name(usual.rule),
        totals=_table(report),
        windows=tuple(_told(report, each) for each in report.windows),
        facts=_facts(report),
    )


def _name(rule: str) -> str:
    """Return a rule's name in words.

    >>> _name("never"), _name("periodic-5")
    ('keep the first model', 'retrain every 5 windows')
    """
    if rule in _NAMES:
        return _NAMES[rule]
    if rule.startswith("periodic-"):
        return f"retrain every {rule.removeprefix('periodic-')} windows"
    return rule


def _headline(
    report: HistoryReport, main: RuleTotals, usual: RuleTotals, always: RuleTotals | None
) -> str:
    less = 1 - main.cost / usual.cost
    compared = f"{percent(abs(less))} {'less' if less >= 0 else 'more'}"
    instead = "" if always is None else f" instead of {always.trainings}"
    asked = plural(main.reviews, "question")
    said = (
        f"modelwarrant would have trained {plural(main.trainings, 'time')}{instead} and asked "
        f"{asked}. It would have cost {compared} than the cheapest usual rule "
        f"({_name(usual.rule)})."
    )
    return (
        said
        if report.can_promote
        else f"{said} {report.remarks[0][:1].upper()}{report.remarks[0][1:]}."
    )


def _tiles(
    report: HistoryReport, main: RuleTotals, usual: RuleTotals, always: RuleTotals | None
) -> tuple[Fact, ...]:
    return (
        Fact("Decisions", count(len(report.windows)), f"one at the end of each {report.window}"),
        Fact(
            "Trainings", count(main.trainings), "" if always is None else f"of {always.trainings}"
        ),
        Fact("Promotions", count(main.promotions)),
        Fact("Asked a person", count(main.reviews)),
        Fact("Cost", percent(main.cost / usual.cost), "of the cheapest usual rule"),
    )


def _facts(report: HistoryReport) -> tuple[Fact, ...]:
    prices = report.prices
    needed = "undefined" if report.n_required is None else count(report.n_required)
    shown = "undefined" if report.smallest_gain is None else percent(report.smallest_gain)
    return (
        Fact("Source", report.source),
        Fact(
            "Window",
            report.window,
            "the shortest that can decide" if report.is_default_window else "as asked for",
        ),
        Fact("Season", report.season or "none declared"),
        Fact("Labels arrive after", report.label_delay or "no time"),
        Fact("Judged by", percent(report.final), "of a window's labels, the newest"),
        Fact("A gain that one window shows", shown, "of the loss, with probability .8"),
        Fact("Labels for the policy's least gain", needed),
        Fact(
            "Prices",
            f"training {number(prices.retrain)}, promotion {number(prices.promotion)}, "
            f"label {number(prices.label)}, error {number(prices.error)}",
            f"an error is a row that loses {number(report.unit)}; labels that come by themselves "
            "are free",
        ),
        *(Fact("Note", remark) for remark in report.remarks),
    )


def _table(report: HistoryReport) -> Table:
    headers = ("Rule", "Loss", "Trained", "Promoted", "Asked", "Labels read", "Cost", "Of cheapest")
    rows = tuple(
        (
            _name(each.rule),
            number(each.loss),
            count(each.trainings),
            count(each.promotions),
            count(each.reviews),
            count(each.labels),
            count(round(each.cost)),
            "" if each.cost_ratio is None else percent(each.cost_ratio),
        )
        for each in report.totals
    )
    return Table(headers, rows, frozenset(range(1, len(headers))))


def _told(report: HistoryReport, window: HistoryWindow) -> Told:
    marks: list[Mark] = []
    if window.drift is not None:
        marks.append(level_mark(window.drift))
    if window.verdict is not None:
        marks.append(verdict_mark(window.verdict))
    if window.promoted:
        title = "A new model went to production"
    elif window.verdict is not None:
        title = "The candidate was left" if window.trained else "The waiting candidate was left"
    else:
        title = "Nothing to do"
    loss = window.losses
    facts: list[Fact] = [
        Fact("rows", count(window.rows), f"{count(window.final)} judge"),
        Fact("loss after it", number(loss[_MAIN])),
        *(Fact(_name(rule), number(loss[rule])) for rule in ("never", "always") if rule in loss),
    ]
    if window.drifted:
        why = " (the season's)" if window.season == "seasonal" else ""
        facts.append(Fact("drift in", listing(window.drifted) + why))
    if window.learned_from is not None:
        facts.append(Fact("learned from", span(window.learned_from)))
    if window.rule is not None:
        facts.append(Fact("row of the policy", window.rule))
    return Told(
        f"w{window.number}", span(window.bounds), title, tuple(marks), tuple(facts), window.why
    )


def _places(windows: int) -> Callable[[int], float]:
    """Return where the middle of each window lies, in percent of the width."""
    return lambda index: _LEFT + _WIDTH * (index + 0.5) / max(windows, 1)


def _linked(window: HistoryWindow, said: str, inside: str) -> str:
    title = f"{span(window.bounds)}: {said}"
    return f'<a href="#w{window.number}"><title>{escape(visible(title))}</title>{inside}</a>'


def _drift(report: HistoryReport, place: Callable[[int], float]) -> Markup:
    width = min(0.8 * _WIDTH / max(len(report.windows), 1), 3.0)
    floor = 24
    body = [line(_LEFT, floor, 100, floor, "grid")]
    for index, window in enumerate(report.windows):
        if window.drift is None:
            continue
        kind = "notice" if window.season == "seasonal" and window.drift == "drift" else window.drift
        height = _HEIGHTS[kind]
        bar = (
            f'<rect class="level {kind}" x="{place(index) - width / 2:.5g}%" y="{floor - height}" '
            f'width="{width:.4g}%" height="{height}"/>'
        )
        season = ", the season's" if window.season == "seasonal" else ""
        body.append(_linked(window, f"drift {window.drift}{season}", bar))
    return drawn(_STRIP, "Drift by window", body, classes="strip", role="group")


def _acts(report: HistoryReport, place: Callable[[int], float]) -> Markup:
    """Draw a disc where a model was promoted, a ring where one was trained and left."""
    body = [line(_LEFT, _STRIP / 2, 100, _STRIP / 2, "grid")]
    for index, window in enumerate(report.windows):
        if not window.trained and not window.promoted:
            continue
        if window.promoted:
            tone, shape, said = "good", '<circle cx="0" cy="0" r="6"/>', "promoted"
        else:
            tone, shape = "unknown", '<circle class="ring" cx="0" cy="0" r="5"/>'
            said = "trained, and left"
        mark = (
            f'<svg x="{place(index):.5g}%" y="50%" overflow="visible">'
            f'<g class="tone {tone}">{shape}</g></svg>'
        )
        body.append(_linked(window, said, mark))
    return drawn(_STRIP, "Trainings and promotions", body, classes="strip", role="group")


def _losses(report: HistoryReport, usual: str, place: Callable[[int], float]) -> Markup:
    """Draw the loss after each decision: of the whole system, and of the cheapest usual rule.

    The axis is made for these two; a rule that loses far more would press them flat.
    """
    series = [[each.losses[rule] for each in report.windows] for rule in (usual, _MAIN)]
    low, high = min(map(min, series)), max(map(max, series))
    pad = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    scale, top, bottom = Scale(low - pad, high + pad), 8.0, _LOSSES - 8.0

    def y(value: float) -> float:
        return bottom - (bottom - top) * scale.at(value)

    body = []
    for tick in scale.ticks:
        body.append(line(_LEFT, y(tick), 100, y(tick), "grid"))
        body.append(text(0, y(tick) + 4, scale.label(tick), anchor="start"))
    for kind, values in zip(("baseline", "candidate"), series, strict=True):
        points = [(place(index), y(value)) for index, value in enumerate(values)]
        body += [line(*a, *b, f"{kind}-line") for a, b in itertools.pairwise(points)]
        for window, value, (x, height) in zip(report.windows, values, points, strict=True):
            body.append(_linked(window, f"loss {number(value)}", _dot(kind, x, height)))
    return drawn(_LOSSES, "Loss after each decision", body, classes="strip", role="group")


def _dot(kind: str, x: float, y: float) -> str:
    if kind == "candidate":
        return f'<circle class="candidate-dot" cx="{x:.5g}%" cy="{y:.4g}" r="4"/>'
    return (
        f'<rect class="baseline-dot" x="{x:.5g}%" y="{y - 3.5:.4g}" width="7" height="7" '
        'transform="translate(-3.5 0)"/>'
    )


def _axis(report: HistoryReport, place: Callable[[int], float]) -> Markup:
    body = [line(_LEFT, 1, 100, 1, "axis")]
    every = -(-len(report.windows) // _MOST_TICKS)
    for index, window in enumerate(report.windows[::every]):
        x = place(index * every)
        body += [line(x, 1, x, 5, "axis"), text(x, 17, _end(window.bounds))]
    return drawn(_AXIS, "The end of each window", body, classes="strip")


def _end(bounds: str) -> str:
    """Return where a window ends, short.

    >>> _end("2011-03-12..2011-05-21"), _end("1700:3400")
    ('2011-05-21', '3400')
    """
    _, _, end = bounds.partition(".." if ".." in bounds else ":")
    return end[:10]
