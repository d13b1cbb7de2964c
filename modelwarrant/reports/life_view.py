"""What happened to a model since its first version, on one axis of time?

Everything is of the ledger and of the evidence that it names; the axis ends with the last entry, so
the same ledger gives the same page. What a picture shows stands in the list below it, too.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from modelwarrant.records import MonitoringAction, PerformanceEstimate, RealisedLoss
from modelwarrant.reports.figures import count, number, plural, sentence
from modelwarrant.reports.parts import Digest, Fact, Mark, unknown
from modelwarrant.reports.timeline import (
    Bar,
    Dot,
    Point,
    TimeScale,
    bars,
    dots,
    losses,
    spans,
    time_axis,
)

__all__ = ["Event", "Lane", "Life", "LifeView", "Look", "Reign", "life_view"]

Lane = Literal["production", "decision", "person", "monitor"]
"""Which strip an event stands on."""

_STRIPS: tuple[tuple[Lane, str], ...] = (
    ("decision", "Decisions of the policy"),
    ("person", "People: approvals, rollbacks, ratified policies"),
    ("monitor", "The monitor: nothing, label, retrain, hold, roll back"),
)

_NAMES = {
    "none": ("found nothing to do", "found nothing to do"),
    "label": ("asked for labels", "asked for labels"),
    "retrain": ("asked for a retraining", "asked for retrainings"),
    "hold": ("held everything", "held everything"),
    "rollback": ("took a promotion back", "took promotions back"),
}

_FEWEST_TOGETHER = 3
"""Quiet events in a row that are shown as one."""


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    seq: int
    """Of the ledger's entry; several events may be of one."""
    time: datetime
    lane: Lane
    mark: Mark
    title: str
    detail: str
    digest: str | None
    """Of the evidence."""
    page: str
    """Address of the evidence's page, seen from this one; empty where there is none."""
    is_quiet: bool = False
    """Nothing followed from it."""
    part: int = 0
    """Tells events of one entry apart."""

    @property
    def name(self) -> str:
        """Names the event's place in the list."""
        return f"e{self.seq}-{self.part}"

    @property
    def evidence(self) -> Digest:
        """The evidence, by its digest."""
        return Digest(self.digest)

    @property
    def href(self) -> str:
        """Where a mark leads to: the evidence, or what the list says."""
        return self.page or f"#{self.name}"


@dataclass(frozen=True)
class Reign:
    """A stretch with one version in production."""

    version: int
    since: datetime
    until: datetime | None
    """None: it is still there."""
    how: str
    """How it came there."""
    event: Event


@dataclass(frozen=True)
class Look:
    """One pass of the monitor, with its evidence."""

    event: Event
    action: MonitoringAction


@dataclass(frozen=True)
class Life:
    """Everything that is drawn, the oldest first."""

    model: str
    events: tuple[Event, ...]
    reigns: tuple[Reign, ...]
    looks: tuple[Look, ...]
    earlier: int = 0
    """Passes before the oldest that is shown."""


@dataclass(frozen=True)
class Group:
    """Events of the list that are shown as one until they are opened."""

    title: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Strip:
    """One picture of the figure."""

    label: str
    plot: Markup


@dataclass(frozen=True)
class LifeView:
    """What the page lays out."""

    headline: str
    mark: Mark
    facts: tuple[Fact, ...]
    strips: tuple[Strip, ...]
    axis: Markup
    losses: Strip | None
    loss_note: str
    has_estimates: bool
    items: tuple[Event | Group, ...]
    """The newest first."""


def life_view(life: Life) -> LifeView:
    """Lay out a model's life; it has at least one event."""
    moments = [event.time for event in life.events]
    scale = TimeScale(min(moments), max(moments))
    drawn = _losses(life, scale)
    return LifeView(
        headline=_headline(life),
        mark=life.looks[-1].event.mark if life.looks else Mark("not monitored yet", "unknown"),
        facts=tuple(_facts(life)),
        strips=tuple(_strips(life, scale)),
        axis=time_axis(scale),
        losses=drawn,
        loss_note="" if drawn is not None else _no_losses(life),
        has_estimates=any(_estimate(look) is not None for look in life.looks),
        items=tuple(_items(life.events)),
    )


def _headline(life: Life) -> str:
    """Say in a few sentences what a person must know who reads nothing else."""
    said = []
    if not life.reigns:
        said.append("no version is in production yet")
    else:
        now = life.reigns[-1]
        said.append(
            f"version {now.version} has been in production since {_day(now.since)} ({now.how})"
        )
    if not life.looks:
        said.append("the monitor has not looked yet")
        return " ".join(sentence(each) for each in said)
    acts = Counter(look.action.action for look in life.looks)
    whole = plural(len(life.looks) + life.earlier, "time")
    parts = [
        f"{'once' if n == 1 else f'{n} times'} it {_NAMES[act][n > 1]}"
        for act, n in acts.most_common()
    ]
    said.append(f"the monitor looked {whole}; {', '.join(parts)}")
    return " ".join(sentence(each) for each in said)


def _facts(life: Life) -> Iterator[Fact]:
    if life.reigns:
        moves = len(life.reigns) - 1
        yield Fact(
            "In production",
            f"version {life.reigns[-1].version}",
            f"{plural(moves, 'change')} before",
        )
    if not life.looks:
        return
    last = life.looks[-1]
    yield Fact("Last look", last.event.mark, f"{last.event.time:%Y-%m-%d %H:%M} UTC")
    realised, estimate = last.action.evidence.realised, _estimate(last)
    metric = last.action.evidence.situation.metric.replace("_", " ")
    if realised is not None:
        yield Fact(
            f"Realised {metric}",
            number(realised.value),
            f"{_ends(realised.lower, realised.upper)}{plural(realised.n_labels, 'label')}",
        )
    made = last.action.evidence.estimate
    if estimate is not None and estimate.value is not None:
        yield Fact(
            f"Estimated {metric}",
            number(estimate.value),
            f"{_ends(estimate.lower, estimate.upper)}without labels, by {estimate.method}",
        )
    elif made is not None:
        yield Fact("Estimated without labels", unknown(None), sentence(made.reason))
    labels = last.action.evidence.labels
    yield Fact("Labels of its answers", count(labels.joined))
    longest = max(
        (b.event.time - a.event.time for a, b in itertools.pairwise(life.looks)), default=None
    )
    if longest is not None:
        yield Fact("Longest time between two looks", _length(longest.total_seconds()))


def _ends(lower: float | None, upper: float | None) -> str:
    return "" if lower is None or upper is None else f"{number(lower)} to {number(upper)}; "


def _with_bounds(value: float, lower: float | None, upper: float | None) -> str:
    if lower is None or upper is None:
        return number(value)
    return f"{number(value)} [{number(lower)}, {number(upper)}]"


def _length(seconds: float) -> str:
    """Return a length of time in one unit.

    >>> _length(30.0), _length(5400.0), _length(86400.0 * 9)
    ('30 seconds', '2 hours', '9 days')
    """
    for size, noun in ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= 1.5 * size or seconds == size:
            return plural(round(seconds / size), noun)
    return plural(round(seconds), "second")


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _strips(life: Life, scale: TimeScale) -> Iterator[Strip]:
    if life.reigns:
        yield Strip("In production", spans(scale, _reigns(life, scale), title=_changes(life)))
    for lane, label in _STRIPS:
        marks = [
            Dot(event.time, event.mark.tone, _said(event), event.href, event.is_quiet)
            for event in life.events
            if event.lane == lane
        ]
        if marks:
            yield Strip(label, dots(scale, marks, title=f"{label}: {len(marks)}"))
    if life.looks:
        levels, windows = _drift(life, scale)
        found = Counter(look.action.evidence.drift for look in life.looks)
        told = ", ".join(f"{level} {n}" for level, n in found.most_common())
        label = "Drift of the inputs, and the windows it was seen in"
        yield Strip(label, bars(scale, levels, windows, title=f"{label}: {told}"))


def _said(event: Event) -> str:
    return f"{event.time:%Y-%m-%d %H:%M}: {event.title}. {event.detail}"


def _changes(life: Life) -> str:
    told = "; ".join(f"version {each.version} from {_day(each.since)}" for each in life.reigns)
    return f"In production: {told}"


def _reigns(life: Life, scale: TimeScale) -> list[Bar]:
    return [
        Bar(
            since=each.since,
            until=each.until or scale.last,
            kind="ended" if each.until else "reigns",
            title=f"Version {each.version} from {_day(each.since)}: {each.how}",
            label=f"v{each.version}",
            href=each.event.href,
        )
        for each in life.reigns
    ]


def _drift(life: Life, scale: TimeScale) -> tuple[list[Bar], list[Bar]]:
    """Return what each look said until the next one, and the windows it looked at."""
    ends = [*(look.event.time for look in life.looks[1:]), scale.last]
    levels, windows = [], []
    for look, until in zip(life.looks, ends, strict=True):
        seen = look.action.evidence
        title = f"{look.event.time:%Y-%m-%d %H:%M}: drift {seen.drift}: {seen.drift_reason}"
        levels.append(Bar(look.event.time, until, seen.drift, title, href=look.event.href))
        if seen.log.first is not None and seen.log.last is not None:
            first, last = (datetime.fromisoformat(end) for end in (seen.log.first, seen.log.last))
            title = f"{plural(seen.log.window, 'prediction')}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
            windows.append(Bar(first, last, "window", title))
    return levels, windows


def _losses(life: Life, scale: TimeScale) -> Strip | None:
    """Return the picture of the loss, None where none is known."""
    metric = life.looks[-1].action.evidence.situation.metric if life.looks else ""
    looks = [each for each in life.looks if each.action.evidence.situation.metric == metric]
    realised, estimated = list[Point](), list[Point]()
    limits = list[tuple[datetime, float]]()
    for look in looks:
        seen = look.action.evidence
        moved = seen.situation.moved
        if seen.realised is not None:
            realised.append(_realised(look, seen.realised, moved))
        estimate = _estimate(look)
        if estimate is not None:
            estimated.append(_estimated(look, estimate, moved))
        limit = _limit(seen.estimate)
        if limit is not None and (not limits or limits[-1][1] != limit):
            limits.append((look.event.time, limit))
    if not realised and not estimated:
        return None
    moves = [(each.since, f"v{each.version}") for each in life.reigns[1:]]
    label = f"{metric.replace('_', ' ').capitalize()} of what production answered: lower is better"
    title = f"{label}. {plural(len(realised), 'look')} with labels, {len(estimated)} with an"
    plot = losses(scale, realised, estimated, limits, moves, title=f"{title} estimate")
    return Strip(label, plot)


def _realised(look: Look, loss: RealisedLoss, moved: int) -> Point:
    bounds = _with_bounds(loss.value, loss.lower, loss.upper)
    title = f"{_day(look.event.time)}: realised {bounds} on {plural(loss.n_labels, 'label')}"
    at = look.event
    return Point(at.time, loss.value, loss.lower, loss.upper, title, at.href, moved)


def _estimated(look: Look, made: PerformanceEstimate, moved: int) -> Point:
    value = made.value or 0.0
    bounds = _with_bounds(value, made.lower, made.upper)
    title = f"{_day(look.event.time)}: estimated {bounds} by {made.method}, without labels"
    return Point(look.event.time, value, made.lower, made.upper, title, look.event.href, moved)


def _estimate(look: Look) -> PerformanceEstimate | None:
    """Return the estimate where it may be believed."""
    made = look.action.evidence.estimate
    return None if made is None or made.level == "void" or made.value is None else made


def _limit(made: PerformanceEstimate | None) -> float | None:
    return None if made is None else made.objective


def _no_losses(life: Life) -> str:
    if not life.looks:
        return "No loss is known: the monitor has not looked yet."
    made = life.looks[-1].action.evidence.estimate
    why = "" if made is None else f" It cannot be estimated without them: {made.reason}."
    return f"No loss is known: no label of the answers has arrived.{why}"


def _items(events: Sequence[Event]) -> Iterator[Event | Group]:
    """Yield the newest first; many quiet events in a row are one item."""
    newest_first = list(reversed(events))
    for is_quiet, run in itertools.groupby(newest_first, key=lambda each: each.is_quiet):
        together = tuple(run)
        if not is_quiet or len(together) < _FEWEST_TOGETHER:
            yield from together
            continue
        since, until = _day(together[-1].time), _day(together[0].time)
        when = since if since == until else f"{since} to {until}"
        yield Group(f"{plural(len(together), 'look')} with nothing to do, {when}", together)
