"""How far back should a candidate learn?

One window alone is the world as it is now, and few rows; all of history is many rows of a world
that may be gone. Stretches of 1, 2, 4, 8 ... windows are tried on the newest training rows, which
no fit of the trial has seen; the final split is not touched. The best one is then fitted whole.
"""

from dataclasses import dataclass

import numpy as np

from modelwarrant.backtest.course import Course, Span
from modelwarrant.backtest.making import make
from modelwarrant.errors import DataError, TrainingError
from modelwarrant.windows import TrainingSplit, Window, split

__all__ = ["Choice", "available_rows", "choose_span"]


@dataclass(frozen=True)
class Choice:
    """A candidate, and what its trial taught about having more rows."""

    model: int
    gain: float | None
    """Loss a row that the longest stretch saved over the half of it; None where there was none."""


def choose_span(course: Course, lap: int, *, without: int) -> Choice:
    """Return the model of a window that learns from the stretch that did best in the trial.

    Args:
        course: the stream.
        lap: number of the window.
        without: window of the model in production, whose final split trains nothing.
    """
    current = course.laps[lap]
    spans = [Span(first, lap, without) for first in _firsts(lap)]
    try:
        inner, trial = split(current.train.window, final=current.ref.final)
        losses = [_trial_loss(course, span, inner, trial.window.labelled()) for span in spans]
    except (DataError, TrainingError):
        return Choice(lap, None)
    best = spans[int(np.argmin(losses))]
    gain = losses[-2] - losses[-1] if len(losses) > 1 else None
    return Choice(course.spanning(best), gain)


def available_rows(course: Course, lap: int) -> int:
    """Return the labelled rows that a candidate could learn from when a window ends."""
    older = sum(len(course.laps[each].whole.labelled()) for each in range(lap))
    return older + len(course.laps[lap].train.window)


def _firsts(lap: int) -> list[int]:
    """Return where stretches begin, each twice as long as the one before.

    >>> _firsts(0), _firsts(1), _firsts(9)
    ([0], [1, 0], [9, 8, 6, 2, 0])
    """
    lengths = [2**power for power in range((lap + 1).bit_length())]
    return list(dict.fromkeys([lap - length + 1 for length in lengths] + [0]))


def _trial_loss(course: Course, span: Span, inner: TrainingSplit, trial: Window) -> float:
    older = course.training(course.spanning(span))[:-1]
    bundle = make(
        [*older, inner], course.recipe, current=course.laps[span.lap].ref, shelf=course.shelf
    )
    return float(np.mean(course.losses_on(bundle, trial)))
