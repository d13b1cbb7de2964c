"""When is a training worth its price?

Two reasons, each an inequality: what is expected of it over the rows to come, at the price of an
error, must exceed what training and promotion cost.

* *Decay*: production's labelled loss is shown to have grown since its own final split, by a bound
  of the growth at the policy's alpha or by the monitor's e-process (E2, which needs 1,500 reference
  labels). A new model is expected to win the growth back, over as many rows as the last window had.
  What was promoted after a decay learned while the world moved, and its own final split is of that
  time: until its own is lower, the level from which the loss grew stays what it is held against.
* *Age*: on the windows since the last promotion the model that was replaced lost more than the one
  that replaced it, row by row on the same rows. That difference, divided by how many windows lie
  between the two, is what a window of age costs; a new model is expected to save it once for every
  window that production is old, over as many rows as the last window had.
* *Learning*: before the first promotion nobody knows what age costs. Rows that have doubled since
  the last training are reason enough to try, where all of the last window's loss exceeds the price.

A candidate that waits for labels is what a new one would be: only decay trains beside it. And one
that would be judged in a part of the season that its rows do not hold waits for that part.
Each training without a promotion doubles the price of the next one: a world that cannot be learned
costs a logarithm of its length.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from modelwarrant.backtest.acts import Memory, Standing
from modelwarrant.backtest.course import Course
from modelwarrant.backtest.spans import available_rows, covers_season
from modelwarrant.evaluation.blocks import Blocks, block_rows
from modelwarrant.evaluation.bounds import MeanBounds, mean_bounds
from modelwarrant.monitoring.losses import degradation
from modelwarrant.records import MonitoringThresholds, Prices
from modelwarrant.windows import Window

__all__ = ["Reason", "reason_to_train"]


@dataclass(frozen=True)
class Reason:
    """Whether to train, and why, in words."""

    trains: bool
    words: str
    level: int | None = None
    """The model from whose own final split the loss grew; None where no growth was shown."""


def reason_to_train(
    course: Course, standing: Standing, lap: int, *, prices: Prices, alpha: float
) -> Reason:
    """Say whether a window's end is the time to train.

    Args:
        course: the stream.
        standing: what is in production, since when, and what was tried.
        lap: number of the window that ended.
        prices: of an error, a training and a promotion.
        alpha: level of the bound of the growth, in (0, 0.5).
    """
    memory = standing.memory
    price = (prices.retrain + prices.promotion) * 2.0**memory.in_vain
    value = prices.error / course.loss_bound(0)
    if not covers_season(course, lap, without=course.lap_of(standing.production)):
        return Reason(False, "no training row is of the part of the season that would judge")
    rows = len(course.laps[lap].window.labelled())
    decay = _decay(course, standing, lap, alpha=alpha)
    worth = decay.growth * rows * value
    if worth > price:
        words = f"decay: {decay.words}; worth {worth:.0f} over {rows:,} rows"
        return Reason(True, words, decay.level)
    if memory.waiting is not None:
        words = f"the candidate of window {course.lap_of(memory.waiting)} waits for labels"
        return Reason(False, f"{words}; {decay.words}", decay.level)
    if memory.replaced is None:
        most = float(course.known_losses(standing.production, lap).mean()) * rows * value
        found = _learning(course, memory, lap, is_worth_it=most > price)
        return Reason(found.trains, f"{found.words}; {decay.words}", decay.level)
    worth = _cost_of_age(course, standing, lap) * rows * value
    words = f"worth {worth:.0f} of {price:.0f} to be {_windows(course, standing, lap)} younger"
    return Reason(worth > price, f"{'age: ' * (worth > price)}{words}; {decay.words}", decay.level)


@dataclass(frozen=True)
class _Decay:
    growth: float
    """Of the loss, in its own unit; 0 where none is shown."""
    words: str
    level: int | None = None
    """The model from whose own final split it grew; None where no growth is shown."""


def _decay(course: Course, standing: Standing, lap: int, *, alpha: float) -> _Decay:
    """Bound how much production's mean loss of this window is above the level it came from.

    The lower of two levels is low by chance, too: each has half of alpha then (Bonferroni).
    """
    model, kept = standing.production, standing.memory.level
    level = model if kept is None else _lowest(course, model, kept)
    alpha = alpha if kept is None else alpha / 2
    home, unit = course.lap_of(level), course.loss_bound(level)
    window = course.laps[lap].window.labelled()
    reference = course.row_losses(level, home, final=True)
    current = course.known_losses(model, lap)
    before = mean_bounds(np.minimum(reference, unit), course.blocks(home, final=True), alpha=alpha)
    now = mean_bounds(np.minimum(current, unit), block_rows(window), alpha=alpha)
    where = "on its own final split" if level == model else f"in window {home}, before it grew"
    said = f"loss {now.estimate:.4g}, {before.estimate:.4g} {where}"
    lower = _lower(now, before, alpha=alpha)
    growth = float(current.mean() - reference.mean())
    if lower is not None and lower > 0:
        return _Decay(growth, f"{said}, grown by at least {lower:.4g}", level)
    seen = range(standing.memory.promoted + 1, lap + 1)
    if growth > 0 and _e_process_alarms(course, model, level, seen):
        return _Decay(growth, f"{said}, and the monitor's e-process alarms", level)
    return _Decay(0.0, f"{said}, no growth shown")


def _lowest(course: Course, *models: int) -> int:
    """Return the model that lost least on its own final split."""
    return min(models, key=lambda model: course.loss(model, course.lap_of(model), final=True))


def _lower(now: MeanBounds, before: MeanBounds, *, alpha: float) -> float | None:
    """Return the lower bound of the difference of two means; None where one has no bounds."""
    if now.deviation is None or before.deviation is None:
        return None
    freedom = min(now.degrees_of_freedom, before.degrees_of_freedom)
    half = float(stdtrit(freedom, 1 - alpha)) * sqrt(now.deviation**2 + before.deviation**2)
    return now.estimate - before.estimate - half


def _e_process_alarms(course: Course, model: int, level: int, seen: range) -> bool:
    """Ask the monitor's test about every labelled loss since production is in production."""
    home = course.lap_of(level)
    found = degradation(
        np.concatenate([course.known_losses(model, each) for each in seen]),
        _joined([course.laps[each].window.labelled() for each in seen]),
        course.row_losses(level, home, final=True),
        course.blocks(home, final=True),
        bound=course.loss_bound(level),
        thresholds=MonitoringThresholds(),
    )
    return found.level == "reached"


def _joined(windows: list[Window]) -> Blocks:
    """Return the blocks of windows that follow each other; none spans two windows."""
    codes, offset, unit = [], 0, "rows"
    for window in windows:
        blocks = block_rows(window)
        codes.append(blocks.codes + offset)
        offset, unit = int(codes[-1][-1]) + 1, blocks.unit
    return Blocks(np.concatenate(codes), unit)


def _learning(course: Course, memory: Memory, lap: int, *, is_worth_it: bool) -> Reason:
    rows = available_rows(course, lap)
    before = memory.learned_from or len(course.laps[0].train.window)
    words = f"{rows:,} labelled rows, {before:,} at the last training"
    if not is_worth_it:
        return Reason(False, f"{words}; a model without any loss would not be worth its training")
    doubled = rows >= 2 * before
    return Reason(doubled, f"{'learning: ' * doubled}{words}")


def _cost_of_age(course: Course, standing: Standing, lap: int) -> float:
    """Return what production's age costs, a row, in the metric's unit; negative where age helps."""
    model, old = standing.production, standing.memory.replaced
    if old is None:
        return 0.0
    seen = range(standing.memory.promoted + 1, lap + 1)
    lost = [course.known_losses(old, each) - course.known_losses(model, each) for each in seen]
    between = course.lap_of(model) - course.lap_of(old)
    return float(np.concatenate(lost).mean()) / between * (lap - course.lap_of(model))


def _windows(course: Course, standing: Standing, lap: int) -> str:
    age = lap - course.lap_of(standing.production)
    return f"{age} window{'s' * (age != 1)}"
