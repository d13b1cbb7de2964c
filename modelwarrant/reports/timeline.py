"""How are events of weeks or minutes drawn over one axis of time?

Strips as in ``plots``: horizontal positions are percent, vertical ones pixels, so that the strips
of one figure share an axis at any width. What a colour says a shape or a height says, too.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from markupsafe import Markup, escape

from modelwarrant.reports.figures import visible
from modelwarrant.reports.plots import Scale, drawn, line, text

__all__ = ["Bar", "Dot", "Point", "TimeScale", "bars", "dots", "losses", "spans", "time_axis"]

_LEFT, _WIDTH = 3.0, 94.0
"""Percent: a mark at either end stays inside."""

_STRIP = 30
_LOSSES = 190
_AXIS = 22

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_STEPS = (
    *(timedelta(seconds=n) for n in (1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600)),
    *(timedelta(days=n) for n in (1, 2, 7, 14, 28, 91, 182, 364, 728, 1820)),
)
_MOST_TICKS = 6
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday

_BESIDE = 1.5
"""Percent of the width within which marks would hide each other."""
_ASIDE, _MOST_ASIDE = 15, 45
"""Pixels between such marks, and from the first to the last of them."""

_NAMED_APART = 9
"""Percent between two names above a plot, that they can be read on a telephone."""

_HEIGHTS = {"none": 4, "notice": 10, "unknown": 7, "drift": 18, "blocked": 22}
"""Pixels of a bar of drift: what is worse is higher."""

_SHAPES = {
    "good": '<circle cx="0" cy="0" r="6"/>',
    "notice": '<path d="M0 -7L7 6H-7Z"/>',
    "bad": '<path d="M0 -7L7 0L0 7L-7 0Z"/>',
    "unknown": '<circle class="ring" cx="0" cy="0" r="5"/>',
    "plain": '<path d="M-1.5 -6H1.5V6H-1.5Z"/>',
}
"""A mark's shape by its tone, around its place."""


_Height = Callable[[float], float]
"""From a loss to pixels below the top."""


@dataclass(frozen=True)
class TimeScale:
    """An axis from one instant to a later one; ``first`` <= ``last``, in UTC."""

    first: datetime
    last: datetime

    @cached_property
    def _ends(self) -> tuple[datetime, timedelta]:
        length = self.last - self.first
        if length > timedelta(0):
            return self.first, length
        return self.first - timedelta(hours=1), timedelta(hours=2)

    def at(self, moment: datetime) -> float:
        """Return where an instant lies, in percent of the width."""
        start, length = self._ends
        return _LEFT + _WIDTH * min(max((moment - start) / length, 0.0), 1.0)

    @cached_property
    def ticks(self) -> tuple[datetime, ...]:
        """Up to six round instants on the axis."""
        start, length = self._ends
        longest = length / _MOST_TICKS
        step = next((each for each in _STEPS if each >= longest), longest)
        first = math.ceil((start - _EPOCH) / step)
        last = math.floor((start + length - _EPOCH) / step)
        return tuple(_EPOCH + n * step for n in range(first, last + 1))

    def label(self, moment: datetime) -> str:
        """Return an instant as precisely as the axis needs it.

        >>> scale = TimeScale(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
        >>> [scale.label(tick) for tick in scale.ticks]
        ['2 Mar', '16 Mar', '30 Mar', '13 Apr', '27 Apr']
        """
        length = self._ends[1]
        day = f"{moment.day} {_MONTHS[moment.month - 1]}"
        if length > timedelta(days=400):
            return f"{_MONTHS[moment.month - 1]} {moment.year}"
        if length > timedelta(days=4):
            return day
        return f"{moment:%H:%M}" if length > timedelta(minutes=10) else f"{moment:%H:%M:%S}"


@dataclass(frozen=True)
class Dot:
    """One event: a mark that leads somewhere."""

    time: datetime
    tone: str
    title: str
    href: str
    is_quiet: bool = False
    """Drawn small, and passed over by the tabulator: the list below has it."""


@dataclass(frozen=True)
class Bar:
    """A stretch of time."""

    since: datetime
    until: datetime
    kind: str
    """A level of drift, or the name of a class of the style sheet."""
    title: str
    label: str = ""
    """Written into it where it is wide enough."""
    href: str = ""


@dataclass(frozen=True)
class Point:
    """A loss with its interval."""

    time: datetime
    value: float
    lower: float | None
    upper: float | None
    title: str
    href: str
    group: int
    """Points of one group are joined by a line."""


def time_axis(scale: TimeScale) -> Markup:
    """Return the axis below the strips."""
    body = [line(0, 1, 100, 1, "axis")]
    for tick in scale.ticks:
        x = scale.at(tick)
        body += [line(x, 1, x, 5, "axis"), text(x, 17, scale.label(tick))]
    span = f"from {scale.first:%Y-%m-%d %H:%M} to {scale.last:%Y-%m-%d %H:%M} UTC"
    return drawn(_AXIS, span, body, classes="strip")


def dots(scale: TimeScale, marks: Sequence[Dot], *, title: str) -> Markup:
    """Return a strip of events; loud ones are drawn above quiet ones."""
    body = [line(0, _STRIP / 2, 100, _STRIP / 2, "grid")]
    for dot, aside in _apart(scale, sorted(marks, key=lambda each: not each.is_quiet)):
        change = "scale(.6)" if dot.is_quiet else f"translate({aside} 0)"
        shape = f'<g class="tone {dot.tone}" transform="{change}">{_SHAPES[dot.tone]}</g>'
        place = f'<svg x="{scale.at(dot.time):.5g}%" y="50%" overflow="visible">{shape}</svg>'
        body.append(_link(dot.href, dot.title, place, is_passed_over=dot.is_quiet))
    return drawn(_STRIP, title, body, classes="strip", role="group")


def _apart(scale: TimeScale, marks: Sequence[Dot]) -> Iterator[tuple[Dot, int]]:
    """Yield marks, the loud ones of one moment with pixels to the side that keep them apart."""
    begin, aside = -math.inf, 0
    for dot in marks:
        if dot.is_quiet:
            yield dot, 0
            continue
        x = scale.at(dot.time)
        is_beside = x - begin < _BESIDE and aside < _MOST_ASIDE
        aside = aside + _ASIDE if is_beside else 0
        begin = begin if is_beside else x
        yield dot, -aside if begin > _LEFT + _WIDTH / 2 else aside


def spans(scale: TimeScale, stretches: Sequence[Bar], *, title: str) -> Markup:
    """Return a strip of stretches that follow one another, with their names in them."""
    body = []
    for place, bar in enumerate(stretches):
        x, width = scale.at(bar.since), scale.at(bar.until) - scale.at(bar.since)
        shade = "odd" if place % 2 else "even"
        rect = f'<rect class="span {shade} {bar.kind}" x="{x:.5g}%" y="3" height="24" '
        inside = f'{rect}width="{max(width, 0.4):.4g}%"/>'
        if width > 2.2 * len(bar.label):
            middle = x + width / 2
            inside += f'<text class="inner" x="{middle:.5g}%" y="20" text-anchor="middle">'
            inside += f"{escape(visible(bar.label))}</text>"
        body.append(_link(bar.href, bar.title, inside))
    return drawn(_STRIP, title, body, classes="strip", role="group")


def bars(scale: TimeScale, levels: Sequence[Bar], windows: Sequence[Bar], *, title: str) -> Markup:
    """Return levels of drift as bars of their height, and below them the windows they are of."""
    floor, rows = 24, 3
    body = [line(0, floor, 100, floor, "grid")]
    for bar in levels:
        x, height = scale.at(bar.since), _HEIGHTS[bar.kind]
        width = max(scale.at(bar.until) - x, 0.5)
        rect = f'<rect class="level {bar.kind}" x="{x:.5g}%" y="{floor - height}" '
        rect += f'width="{width:.4g}%" height="{height}"/>'
        body.append(_link(bar.href, bar.title, rect, is_passed_over=True))
    for place, bar in enumerate(windows):
        y = floor + 5 + 4 * (place % rows)
        x1, x2 = scale.at(bar.since), scale.at(bar.until)
        stroke = line(x1, y, max(x2, x1 + 0.5), y, "window")
        body.append(f"<g><title>{escape(visible(bar.title))}</title>{stroke}</g>")
    return drawn(floor + 4 * rows + 5, title, body, classes="strip", role="group")


def losses(
    scale: TimeScale,
    realised: Sequence[Point],
    estimated: Sequence[Point],
    limits: Sequence[tuple[datetime, float]],
    moves: Sequence[tuple[datetime, str]],
    *,
    title: str,
) -> Markup:
    """Return the loss over time: realised as discs, estimated as squares, both with intervals.

    Args:
        scale: of time.
        realised: by labels that arrived.
        estimated: without labels, where that may be believed.
        limits: the loss that is allowed, from each instant on.
        moves: when production moved, and to what.
        title: what the picture shows.
    """
    top, bottom = 16.0, _LOSSES - 12.0
    up = _scale([*realised, *estimated], [value for _, value in limits])

    def y(value: float) -> float:
        return bottom - (bottom - top) * up.at(value)

    body = []
    for tick in up.ticks:
        body.append(line(0, y(tick), 100, y(tick), "grid"))
    named = -math.inf
    for moment, name in moves:
        x = scale.at(moment)
        body.append(line(x, 12, x, bottom, "move"))
        if x - named > _NAMED_APART:
            body.append(text(x, 9, name))
            named = x
    body += _steps(scale, limits, y)
    for kind, points in (("baseline", estimated), ("candidate", realised)):
        for before, after in itertools.pairwise(points):
            if before.group == after.group:
                ends = (
                    scale.at(before.time),
                    y(before.value),
                    scale.at(after.time),
                    y(after.value),
                )
                body.append(line(*ends, f"{kind}-line"))
        body += [_point(scale, point, kind, y) for point in points]
    body += [text(0, y(tick) - 3, up.label(tick), anchor="start") for tick in up.ticks]
    return drawn(_LOSSES, title, body, classes="strip", role="group")


def _scale(points: Sequence[Point], limits: Sequence[float]) -> Scale:
    """Return an axis for all losses; one wide interval must not press the others flat."""
    inner = [*(point.value for point in points), *limits]
    ends = [bound for each in points for bound in (each.lower, each.upper) if bound is not None]
    low, high = min(inner), max(inner)
    reach = max(high - low, 0.05 * abs(high), 1e-9)
    low = max(min([low, *ends]), low - 1.5 * reach)
    high = min(max([high, *ends]), high + 1.5 * reach)
    pad = 0.06 * (high - low) or 1e-9
    return Scale(low - pad, high + pad)


def _steps(scale: TimeScale, limits: Sequence[tuple[datetime, float]], y: _Height) -> Iterable[str]:
    for place, (moment, value) in enumerate(limits):
        until = limits[place + 1][0] if place + 1 < len(limits) else scale.last
        yield line(scale.at(moment), y(value), scale.at(until), y(value), "margin")


def _point(scale: TimeScale, point: Point, kind: str, y: _Height) -> str:
    x, middle = scale.at(point.time), y(point.value)
    ends = [point.value if end is None else end for end in (point.lower, point.upper)]
    whisker = line(x, y(ends[0]), x, y(ends[1]), f"{kind}-line")
    if kind == "candidate":
        shape = f'<circle class="candidate-dot" cx="{x:.5g}%" cy="{middle:.4g}" r="4"/>'
    else:
        shape = (
            f'<rect class="baseline-dot" x="{x:.5g}%" y="{middle - 3.5:.4g}" width="7" height="7" '
            'transform="translate(-3.5 0)"/>'
        )
    return _link(point.href, point.title, whisker + shape, is_passed_over=True)


def _link(href: str, title: str, inside: str, *, is_passed_over: bool = False) -> str:
    """Return a piece that says what it is, and leads to its evidence where there is some."""
    said = f"<title>{escape(visible(title))}</title>"
    if not href:
        return f"<g>{said}{inside}</g>"
    passed = ' tabindex="-1"' if is_passed_over else ""
    return f'<a href="{escape(href)}"{passed}>{said}{inside}</a>'
