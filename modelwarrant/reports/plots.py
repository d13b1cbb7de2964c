"""How are an interval, a distribution and a calibration curve drawn as inline SVG?

Plots have no fixed width: horizontal positions are percentages and vertical ones pixels, so a page
reads at 360 px and at 1200 px with letters of one size. Colours are classes of the page's style
sheet, which gives each a light and a dark value; every series also has a shape of its own. Each
plot carries a title, which is what a screen reader says and what a pointer shows.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup, escape

from modelwarrant.records import Distribution, Interval, ReliabilityBin
from modelwarrant.reports.figures import datum, decimals_for, number, percent, visible

__all__ = [
    "Scale",
    "drawn",
    "forest_axis",
    "forest_scale",
    "forest_strip",
    "histogram",
    "line",
    "reliability_plot",
    "residual_plot",
    "share_bars",
    "text",
]

STRIP_HEIGHT = 26
HISTOGRAM_HEIGHT = 96
SCATTER_HEIGHT = 260
PLOT_LEFT, PLOT_WIDTH = 15.0, 82.0
"""Percent of a scatter plot's width: what stands left of it are the labels of its axis."""


@dataclass(frozen=True)
class Scale:
    """A linear axis from ``low`` to ``high``, ``low`` < ``high``."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value lies on the axis, in [0, 1]; values beyond it lie at its ends."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    @cached_property
    def ticks(self) -> tuple[float, ...]:
        """Two to six round values on the axis.

        >>> Scale(-0.013, 0.037).ticks
        (-0.01, 0.0, 0.01, 0.02, 0.03)
        """
        raw = (self.high - self.low) / 5
        magnitude = 10.0 ** math.floor(math.log10(raw))
        step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        places = max(-math.floor(math.log10(step * 1.001)), 0)
        return tuple(round(index * step, places) for index in range(first, last + 1))

    def label(self, tick: float) -> str:
        """Return a tick's text, with the decimals that the axis needs."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else self.high - self.low
        return number(tick, decimals=decimals_for(step, digits=1))


def drawn(
    height: int, title: str, body: Iterable[str], *, classes: str, role: str = "img"
) -> Markup:
    """Return a picture that takes the width it is given.

    Args:
        height: pixels.
        title: what a screen reader says of it.
        body: markup; whoever made it has escaped its texts.
        classes: of the style sheet.
        role: ``group`` where something in it leads elsewhere.
    """
    return Markup(  # noqa: S704 - the body is built here from numbers, its texts are escaped
        f'<svg class="{classes}" role="{role}" width="100%" height="{height}">'
        f"<title>{escape(visible(title))}</title>{''.join(body)}</svg>"
    )


def text(x: float, y: float, said: str, *, classes: str = "tick", anchor: str = "") -> str:
    """Return a label at ``x`` percent; near an end it is turned inwards to stay in the picture."""
    side = anchor or ("start" if x < 10 else "end" if x > 90 else "middle")
    place = f'x="{x:.4g}%" y="{y:g}" text-anchor="{side}"'
    return f'<text class="{classes}" {place}>{escape(visible(said))}</text>'


def line(x1: float, y1: float, x2: float, y2: float, classes: str) -> str:
    """Return a line; ``x`` in percent, ``y`` in pixels."""
    return f'<line class="{classes}" x1="{x1:.4g}%" y1="{y1:.4g}" x2="{x2:.4g}%" y2="{y2:.4g}"/>'


def forest_scale(intervals: Sequence[Interval], *, marks: Sequence[float] = ()) -> Scale:
    """Return one axis for several intervals that always shows zero and the marks.

    One wide interval must not press the others flat: an end further away than six times the
    largest estimate or mark is cut, and the strip says so with an arrow.
    """
    inner = [0.0, *marks, *(each.estimate for each in intervals)]
    ends = [b for each in intervals for b in (each.lower, each.upper) if b is not None]
    reach = 6 * max(abs(value) for value in inner) or max((abs(b) for b in ends), default=1.0) or 1
    low = max(min([*inner, *ends]), -reach)
    high = min(max([*inner, *ends]), reach)
    pad = 0.06 * (high - low) or 1.0
    return Scale(low - pad, high + pad)


def forest_strip(
    interval: Interval, scale: Scale, *, marks: Sequence[float] = (), title: str
) -> Markup:
    """Return one row of a forest plot: estimate, bounds, the line of no gain and the margins.

    Args:
        interval: what is drawn; an unknown bound has no whisker.
        scale: the axis that all rows share.
        marks: margins, drawn as dashed lines.
        title: what the row says, in words.
    """
    x = 100 * scale.at(interval.estimate)
    upright = [(mark, "margin") for mark in marks] + [(0.0, "zero")]
    body = [
        f'<line class="{kind}" x1="{100 * scale.at(at):.4g}%" x2="{100 * scale.at(at):.4g}%" '
        'y1="0" y2="100%"/>'
        for at, kind in upright
    ]
    body.append('<svg y="50%" overflow="visible">')
    for bound, direction in ((interval.lower, -1), (interval.upper, 1)):
        if bound is None:
            continue
        end = 100 * scale.at(bound)
        body.append(line(x, 0, end, 0, "whisker"))
        is_inside = scale.low <= bound <= scale.high
        body.append(line(end, -5, end, 5, "whisker") if is_inside else _arrow(end, direction))
    body.append(
        f'<rect class="estimate" x="{x:.4g}%" y="-5" width="10" height="10" '
        'transform="translate(-5 0)"/></svg>'
    )
    return drawn(STRIP_HEIGHT, title, body, classes="strip")


def _arrow(x: float, direction: int) -> str:
    """Return the head of an interval that goes on beyond the axis."""
    tip = f"M{-7 * direction} -5L0 0L{-7 * direction} 5"
    return f'<svg x="{x:.4g}%" overflow="visible"><path class="arrow" d="{tip}"/></svg>'


def forest_axis(scale: Scale, *, left: str, right: str) -> Markup:
    """Return the axis below a forest plot, with what each direction means."""
    body = [line(0, 1, 100, 1, "axis")]
    for tick in scale.ticks:
        x = 100 * scale.at(tick)
        body += [line(x, 1, x, 5, "axis"), text(x, 17, scale.label(tick))]
    body += [
        text(0, 35, f"← {left}", classes="sense"),
        text(100, 35, f"{right} →", classes="sense"),
    ]
    return drawn(40, f"axis: {left} to the left, {right} to the right", body, classes="strip")


def histogram(distribution: Distribution) -> Markup:
    """Return both windows over the bins of a number: reference filled, current as a line.

    Bins are drawn equally wide whatever they span: the outer ones are open, and what is compared
    is the share of rows in each.
    """
    reference, current = distribution.reference, distribution.current
    bins = len(reference)
    top = max((*reference, *current), default=0.0) or 1.0
    tall, floor = HISTOGRAM_HEIGHT - 34, HISTOGRAM_HEIGHT - 20

    def steps(shares: Sequence[float]) -> str:
        heights = [f"{100 - 100 * share / top:.3g}" for share in shares]
        return "".join(f"V{height}H{10 * (index + 1)}" for index, height in enumerate(heights))

    frame = f'viewBox="0 0 {10 * bins} 100" preserveAspectRatio="none" overflow="visible"'
    body = [
        f'<svg y="{floor - tall}" width="100%" height="{tall}" {frame}>',
        f'<path class="reference" d="M0 100{steps(reference)}V100Z"/>',
        f'<path class="current" d="M0 100{steps(current)}V100"/></svg>',
        line(0, floor, 100, floor, "axis"),
        text(0, 9, f"{percent(top)} of rows"),
    ]
    for index in _spread(len(distribution.edges), 3):
        x = 100 * (index + 1) / bins
        body += [
            line(x, floor, x, floor + 4, "axis"),
            text(x, HISTOGRAM_HEIGHT - 4, datum(distribution.edges[index])),
        ]
    return drawn(HISTOGRAM_HEIGHT, _largest_move(distribution), body, classes="histogram")


def _spread(length: int, most: int) -> list[int]:
    """Return at most ``most`` indices, first and last among them, evenly apart."""
    if length <= most:
        return list(range(length))
    return [round(index * (length - 1) / (most - 1)) for index in range(most)]


def _largest_move(distribution: Distribution) -> str:
    """Say which bin's share changed most."""
    pairs = list(zip(distribution.reference, distribution.current, strict=True))
    if not pairs:
        return "no rows"
    index = max(range(len(pairs)), key=lambda i: abs(pairs[i][1] - pairs[i][0]))
    edges = distribution.edges
    low = datum(edges[index - 1]) if index > 0 else "the lowest"
    high = datum(edges[index]) if index < len(edges) else "the highest"
    before, after = pairs[index]
    return (
        f"Largest change: from {low} to {high}, "
        f"{percent(before)} of rows in the reference, {percent(after)} now"
    )


def share_bars(reference: float, current: float, top: float, *, title: str) -> Markup:
    """Return one level of a category: the reference's share above, the current one below."""
    bars = (("reference", 2, reference), ("current-bar", 11, current))
    body = [
        f'<rect class="{kind}" y="{y}" width="{100 * share / (top or 1.0):.4g}%" height="7"/>'
        for kind, y, share in bars
    ]
    return drawn(20, title, body, classes="bars")


@dataclass(frozen=True)
class _Point:
    x: float
    y: float
    spread: float
    size: float


def _scatter(
    series: Sequence[tuple[str, Sequence[_Point]]],
    *,
    across: Scale,
    up: Scale,
    names: tuple[str, str],
    title: str,
    diagonal: bool,
) -> Markup:
    """Return points joined by lines, one shape a series, over labelled axes."""
    top, bottom = 8.0, SCATTER_HEIGHT - 40.0

    def place(x: float, y: float) -> tuple[float, float]:
        return PLOT_LEFT + PLOT_WIDTH * across.at(x), bottom - (bottom - top) * up.at(y)

    right = PLOT_LEFT + PLOT_WIDTH
    body = [line(PLOT_LEFT, bottom, right, bottom, "axis")]
    for tick in up.ticks:
        y = place(across.low, tick)[1]
        style = "zero" if tick == 0 and not diagonal else "grid"
        body.append(line(PLOT_LEFT, y, right, y, style))
        body.append(text(PLOT_LEFT - 1.5, y + 4, up.label(tick), anchor="end"))
    body += [text(place(t, 0)[0], bottom + 15, across.label(t)) for t in across.ticks]
    body.append(text(right, SCATTER_HEIGHT - 6, f"{names[0]} →", classes="sense", anchor="end"))
    body.append(text(0, SCATTER_HEIGHT - 6, f"↑ {names[1]}", classes="sense"))
    if diagonal:
        body.append(line(*place(0, 0), *place(1, 1), "margin"))
    for kind, points in series:
        places = [place(point.x, point.y) for point in points]
        body += [line(*a, *b, f"{kind}-line") for a, b in itertools.pairwise(places)]
        for (x, y), point in zip(places, points, strict=True):
            if point.spread:
                low, high = place(0, point.y - point.spread)[1], place(0, point.y + point.spread)[1]
                body.append(line(x, low, x, high, f"{kind}-line"))
            body.append(_dot(kind, x, y, point.size))
    return drawn(SCATTER_HEIGHT, title, body, classes="scatter")


def _dot(kind: str, x: float, y: float, size: float) -> str:
    """Return a disc for the candidate and an open square for what it is compared with."""
    if kind == "candidate":
        return f'<circle class="candidate-dot" cx="{x:.4g}%" cy="{y:.4g}" r="{size:.2g}"/>'
    return (
        f'<rect class="baseline-dot" x="{x:.4g}%" y="{y - size:.4g}" width="{2 * size:.2g}" '
        f'height="{2 * size:.2g}" transform="translate({-size:.2g} 0)"/>'
    )


def _sized(bins: Sequence[ReliabilityBin]) -> list[tuple[ReliabilityBin, float]]:
    """Return each bin with the radius whose area follows its rows, 2.5 to 6 pixels."""
    most = max((each.n_rows for each in bins), default=1) or 1
    return [(each, 2.5 + 3.5 * math.sqrt(each.n_rows / most)) for each in bins]


def reliability_plot(
    candidate: Sequence[ReliabilityBin], baseline: Sequence[ReliabilityBin]
) -> Markup:
    """Return predicted probability against observed share; on the diagonal both agree."""
    series = [
        (kind, [_Point(each.predicted, each.observed, 0.0, size) for each, size in _sized(bins)])
        for kind, bins in (("baseline", baseline), ("candidate", candidate))
    ]
    off = max((abs(each.observed - each.predicted) for each in candidate), default=0.0)
    return _scatter(
        series,
        across=Scale(0, 1),
        up=Scale(0, 1),
        names=("predicted", "observed"),
        title=f"Reliability of the candidate: at most {percent(off)} off the diagonal",
        diagonal=True,
    )


def residual_plot(
    candidate: Sequence[ReliabilityBin], baseline: Sequence[ReliabilityBin]
) -> Markup:
    """Return mean residual by predicted value, with two standard errors either way.

    The standard error takes rows as independent; dependent rows make it too small.
    """
    series = []
    for kind, bins in (("baseline", baseline), ("candidate", candidate)):
        points = [
            _Point(
                each.predicted,
                each.observed - each.predicted,
                2 * (each.deviation or 0.0) / math.sqrt(max(each.n_rows, 1)),
                size,
            )
            for each, size in _sized(bins)
        ]
        series.append((kind, points))
    every = [point for _, points in series for point in points]
    off = max((abs(point.y) for point in series[1][1]), default=0.0)
    return _scatter(
        series,
        across=_around([point.x for point in every]),
        up=_around([0.0, *(p.y + s * p.spread for p in every for s in (-1, 1))]),
        names=("predicted", "observed − predicted"),
        title=f"Residuals of the candidate: the bin furthest off is {number(off)} off on average",
        diagonal=False,
    )


def _around(values: Sequence[float]) -> Scale:
    """Return an axis that holds all values with a little room."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    pad = 0.05 * (high - low) or abs(high) * 0.05 or 1.0
    return Scale(low - pad, high + pad)
