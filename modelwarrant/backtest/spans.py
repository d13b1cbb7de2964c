"""How far back should a candidate learn?

One window alone is the world as it is now, and few rows; all of history is many rows of a world
that may be gone. Stretches of 1, 2, 4, 8 ... windows are tried on the newest training rows, which
no fit of the trial has seen; the final split is not touched. The best one is then fitted whole.
"""

from datetime import timedelta

import numpy as np

from modelwarrant.backtest.course import Course, Span
from modelwarrant.backtest.making import make
from modelwarrant.errors import DataError, TrainingError
from modelwarrant.windows import TrainingSplit, Window, split

__all__ = ["available_rows", "choose_span", "covers_season"]

_PARTS = 20
"""Parts of a season that are told apart."""


def choose_span(course: Course, lap: int, *, without: int) -> int:
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
        return course.spanning(Span(lap, lap, without))
    return course.spanning(spans[int(np.argmin(losses))])


def available_rows(course: Course, lap: int) -> int:
    """Return the labelled rows that a candidate could learn from when a window ends."""
    older = sum(len(course.laps[each].whole.labelled()) for each in range(lap))
    return older + len(course.laps[lap].train.window)


def covers_season(course: Course, lap: int, *, without: int) -> bool:
    """Return whether training rows hold the part of the season that a candidate is judged in.

    Production's own final split trains nothing. Where windows are about as long as the season, it
    may be all there is of that part, and a candidate would be judged in a season it never saw.

    Args:
        course: the stream; without a season everything is covered.
        lap: number of the window.
        without: window of the model in production.
    """
    if course.season is None:
        return True
    learned = course.training(course.spanning(Span(0, lap, without)))
    seen = set().union(*(_parts(course, split.window) for split in learned))
    return _parts(course, course.laps[lap].final.window) <= seen


def _parts(course: Course, window: Window) -> set[int]:
    period = int((course.season or timedelta(1)) / timedelta(microseconds=1))
    return set((window.order % period * _PARTS // period).tolist())


def _firsts(lap: int) -> list[int]:
    """Return where stretches begin, each twice as long as the one before.

    >>> _firsts(0), _firsts(1), _firsts(9)
    ([0], [1, 0], [9, 8, 6, 2, 0])
    """
    lengths = [2**power for power in range((lap + 1).bit_length())]
    return list(dict.fromkeys([lap - length + 1 for length in lengths] + [0]))


def _trial_loss(course: Course, span: Span, inner: TrainingSplit, trial: Window) -> float:
    if span not in course.trials:
        older = course.training(course.spanning(span))[:-1]
        bundle = make(
            [*older, inner], course.recipe, current=course.laps[span.lap].ref, shelf=course.shelf
        )
        course.trials[span] = float(np.mean(course.losses_on(bundle, trial)))
    return course.trials[span]
