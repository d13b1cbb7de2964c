"""Into which windows is a history cut, and what can a window of that length ever show?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import NormalDist

import numpy as np

from modelwarrant import policy
from modelwarrant.backtest.course import Course, EvaluationTerms
from modelwarrant.backtest.laps import FEWEST_WINDOWS, Lap, cut_where
from modelwarrant.errors import TargetError, TrainingError, WindowError
from modelwarrant.evaluation.blocks import MIN_BLOCKS, block_rows
from modelwarrant.policy import Policy
from modelwarrant.records import Comparison, History
from modelwarrant.windows import Window

__all__ = ["Plan", "Terms", "length_text", "plan_windows"]

_DAY = timedelta(days=1)
_US = timedelta(microseconds=1)


@dataclass(frozen=True)
class Terms:
    """What of the project the cutting needs."""

    final: float
    season: timedelta | None
    delay: int
    """How long a label takes: microseconds, or rows where there is no time column."""
    source: str


@dataclass(frozen=True)
class Plan:
    """The windows, and what can be said of their length."""

    laps: tuple[Lap, ...]
    length: int
    """Of a window: microseconds, or rows where there is no time column."""
    is_default: bool
    n_required: int | None
    smallest_gain: float | None
    can_promote: bool
    remarks: tuple[str, ...]


def plan_windows(
    stream: Window,
    terms: Terms,
    *,
    length: int | None,
    rules: Policy,
    course_of: Callable[[tuple[Lap, ...]], Course],
) -> Plan:
    """Cut a history into windows of a given length, or of the shortest that can decide.

    The default is the fewest whole seasons (days, or rows, where none is declared) whose final
    share holds ``n_required`` labels in nearly every window; where no three such windows fit into
    the history, those that hold the policy's ``min_labels``.

    Args:
        stream: all rows, oldest first.
        terms: final share, season, delay, source.
        length: of a window: microseconds or rows; None takes the default.
        rules: the promotion policy.
        course_of: makes a course of windows, for the pilot that measures how losses spread.

    Raises:
        WindowError: too short a history, or a length that is no whole number of seasons.
        TargetError: no row has a label.
        TrainingError: no model can be made to start from.
    """
    if not len(stream.labelled()):
        raise TargetError(
            f"no row of {terms.source} has a label {stream.schema.target!r}: without labels "
            "nothing can be said of a decision"
        )
    grain = _grain(stream, terms)
    if length is not None:
        _check(length, grain, terms, stream)
        return _judged(stream, terms, length, rules, course_of, is_default=False)
    least = _fewest(stream, terms, grain, labels=rules.thresholds.min_labels)
    pilot = _judged(stream, terms, least, rules, course_of, is_default=True)
    if pilot.n_required is None or pilot.n_required <= rules.thresholds.min_labels:
        return pilot
    try:
        wanted = _fewest(stream, terms, grain, labels=pilot.n_required)
    except WindowError:
        share = rules.thresholds.min_gain
        said = (
            f"a gain of {share:.0%} needs {pilot.n_required:,} labels that judge, more than three "
            f"windows of this history can hold; these hold {rules.thresholds.min_labels:,} at least"
        )
        return replace(pilot, remarks=(*pilot.remarks, said))
    return _judged(stream, terms, wanted, rules, course_of, is_default=True)


def _cut(stream: Window, terms: Terms, length: int) -> tuple[Lap, ...]:
    """Cut a history into windows of one length, from its first day on.

    Raises:
        WindowError: fewer than three windows, or one without labels.
    """
    edges = _edges(stream, length)
    if len(edges) <= FEWEST_WINDOWS:
        raise WindowError(
            f"the history makes {max(len(edges) - 1, 0)} windows of {length_text(stream, length)}; "
            f"at least {FEWEST_WINDOWS} are needed: one to start from, one to decide on, one that "
            "judges the decision. Take a shorter --window or a longer history"
        )
    return cut_where(stream, edges, final=terms.final, source=terms.source, delay=terms.delay)


def _smallest_gain(comparison: Comparison, rules: Policy, *, alpha: float) -> float | None:
    """Return the share of the loss that a gain must have to be seen with probability ``power``."""
    if comparison.deviation is None or comparison.baseline_loss <= 0:
        return None
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha) + normal.inv_cdf(rules.thresholds.power)
    return float(z * comparison.deviation / comparison.n_rows**0.5 / comparison.baseline_loss)


def _grain(stream: Window, terms: Terms) -> int:
    """Return what a window's length is a multiple of."""
    if stream.schema.time is None:
        return 1
    return int((terms.season or _DAY) / _US)


def _check(length: int, grain: int, terms: Terms, stream: Window) -> None:
    if terms.season is not None and length % grain:
        shorter = length // grain * grain
        offers = [each for each in (shorter, shorter + grain) if each]
        raise WindowError(
            f"a window of {length_text(stream, length)} is no whole number of seasons of "
            f"{length_text(stream, grain)}: windows of different seasons differ by nature; take "
            f"{' or '.join(length_text(stream, each) for each in offers)}"
        )
    if terms.delay >= length:
        raise WindowError(
            f"a label takes {length_text(stream, terms.delay)}, no shorter than a window of "
            f"{length_text(stream, length)}: no window would have a label when it ends; take a "
            "longer --window or a shorter --label-delay"
        )


def _edges(stream: Window, length: int) -> list[int]:
    """Return where windows begin and the last one ends; a rest that is no window is left out."""
    order = stream.order
    first, last = int(order[0]), int(order[-1])
    if stream.schema.time is None:
        return list(range(first, last + 2, length))
    start = first - first % int(_DAY / _US)
    step = int(np.median(np.diff(np.unique(order)))) if len(order) > 1 else 1
    count = (last + step - start) // length  # the newest row stands for the time up to the next
    return [start + number * length for number in range(count + 1)]


def _fewest(stream: Window, terms: Terms, grain: int, *, labels: int) -> int:
    """Return the fewest grains whose windows hold enough labels that judge.

    Raises:
        WindowError: not three such windows fit into the history.
    """
    known = stream.labelled().order
    most = (int(stream.order[-1]) - int(stream.order[0]) + 1) // (FEWEST_WINDOWS * grain)
    count = 1 if stream.schema.time is not None else max(int(labels / terms.final), 1)
    while count <= max(most, 1):
        length = count * grain
        edges = _edges(stream, length)
        if len(edges) <= FEWEST_WINDOWS:
            break
        known_by = np.array(edges[1:]) - terms.delay
        held = np.searchsorted(known, known_by) - np.searchsorted(known, edges[:-1])
        if float(np.median(held)) * terms.final >= labels and held.min() > 0:
            return length
        count += 1 if stream.schema.time is not None else max(count // 50, 1)
    rows = len(known)
    raise WindowError(
        f"the history is too short: {rows:,} labelled rows make no {FEWEST_WINDOWS} windows "
        f"whose newest {terms.final:.0%} hold {labels:,} labels each; take a longer history, or "
        "name a --window, which then can decide less"
    )


def _judged(
    stream: Window,
    terms: Terms,
    length: int,
    rules: Policy,
    course_of: Callable[[tuple[Lap, ...]], Course],
    *,
    is_default: bool,
) -> Plan:
    """Cut, and measure on the first two windows how labels and losses spread."""
    _check(length, _grain(stream, terms), terms, stream)
    cut = _cut(stream, terms, length)
    laps = _startable(cut, course_of)
    least = rules.thresholds.min_labels
    held = [len(lap.final.window) for lap in laps[1:-1]]
    blocks = [block_rows(lap.final.window).effective for lap in laps[1:-1]]
    remarks, can_promote = [], True
    if max(held) < least:
        can_promote = False
        remarks.append(
            f"a window of {length_text(stream, length)} can never promote by itself: at most "
            f"{max(held):,} labels judge in it, and the policy asks for {least:,}; a candidate can "
            "only wait for later windows"
        )
    elif max(blocks) < MIN_BLOCKS:
        can_promote = False
        remarks.append(
            f"a window of {length_text(stream, length)} can never promote by itself: the labels "
            f"that judge weigh as {max(blocks):.1f} independent blocks, and a bound needs "
            f"{MIN_BLOCKS}"
        )
    if len(laps) < len(cut):
        remarks.append(
            f"the history begins with {laps[0].ref.bounds}: no model can be made of what was "
            f"before ({course_of(cut).refusal(0)})"
        )
    comparison, alpha = _pilot(course_of(laps), rules)
    required = smallest = None
    if comparison is not None:
        gain = rules.thresholds.min_gain * comparison.baseline_loss
        required = policy.labels_for_gain(comparison, rules.thresholds, gain=gain, alpha=alpha)
        required = None if required is None else max(required, least)
        smallest = _smallest_gain(comparison, rules, alpha=alpha)
    rest = len(stream) - sum(len(lap.whole) for lap in cut)
    if rest:
        remarks.append(f"{rest:,} rows make no whole window and are left out")
    return Plan(laps, length, is_default, required, smallest, can_promote, tuple(remarks))


def _startable(
    laps: tuple[Lap, ...], course_of: Callable[[tuple[Lap, ...]], Course]
) -> tuple[Lap, ...]:
    """Return the windows from the first one on that makes a model by itself.

    Raises:
        TrainingError: fewer than three windows are left then.
    """
    for first in range(len(laps) - FEWEST_WINDOWS + 1):
        if course_of(laps[first:]).candidate(0) is not None:
            return laps[first:]
    raise TrainingError(
        f"no model can be made of any of the first {len(laps) - FEWEST_WINDOWS + 1} windows, and "
        f"a backtest needs one to start from. {laps[0].ref.bounds}: {course_of(laps).refusal(0)}; "
        "take a longer --window"
    )


def _pilot(course: Course, rules: Policy) -> tuple[Comparison | None, float]:
    """Compare the second window's model with the first one's, as a first look would."""
    history = History(
        model="backtest",
        production_version=None,
        production_digest=None,
        anchor_version=None,
        anchor_digest=None,
        candidates=(),
        looks=0,
        policy_digest=None,
        engine_version=None,
    )
    alpha = policy.alpha_for(rules, history, "pilot")
    if course.candidate(0) is None or course.candidate(1) is None:
        return None, alpha
    terms = EvaluationTerms(
        alpha, rules.thresholds.margin_ni, rules.thresholds.margin_slices, rules.digest
    )
    report = course.evaluation(1, production=0, anchor=0, terms=terms)
    return report.current, alpha


def length_text(stream: Window, length: int) -> str:
    """Return a length as a person writes it: ``28d``, ``36h``, ``2,000 rows``."""
    if stream.schema.time is None:
        return f"{length:,} rows"
    seconds = length // 1_000_000
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
