"""Which earlier window stands at the same place of the season?

Order values are microseconds, as in a window with a time column.
"""

from datetime import timedelta

import numpy as np

from modelwarrant.windows.bounds import Bounds
from modelwarrant.windows.window import Window

__all__ = ["is_whole_seasons", "like_season", "previous_season", "span_of"]

_LEFT_OVER = 0.05
"""Share of a window that may stand over its whole seasons: 60 days hold eight and a half weeks."""

_PARTS = 20
"""Parts of a season that are told apart."""


def span_of(window: Window) -> tuple[int, int]:
    """Return the order values of the oldest and the newest row; there must be a row."""
    order = window.order
    return int(order.min()), int(order.max())


def is_whole_seasons(first: int, last: int, season: timedelta) -> bool:
    """Return whether a span is whole seasons long, to a twentieth of itself.

    >>> day = 86_400_000_000
    >>> is_whole_seasons(0, 364 * day, timedelta(days=365))
    True
    >>> is_whole_seasons(0, 90 * day, timedelta(days=365))
    False
    """
    seasons = (last - first) / (season / timedelta(microseconds=1))
    whole = round(seasons)
    return whole >= 1 and abs(seasons - whole) <= _LEFT_OVER * seasons


def previous_season(first: int, last: int, season: timedelta) -> Bounds:
    """Return the bounds of the span moved back by as few whole seasons as part it from itself.

    A window of 60 days and a season of 7 goes back by 63 days, one of 30 days and a season of 365
    by a year.

    >>> str(previous_season(5 * 86_400_000_000, 9 * 86_400_000_000, timedelta(days=7)))
    '1969-12-30..1970-01-03T00:00:00.000001Z'
    """
    period = season // timedelta(microseconds=1)
    back = -(-(last - first + 1) // period) * period
    return Bounds("time", first - back, last + 1 - back)


def like_season(window: Window, part: Window, season: timedelta | None) -> Window:
    """Return the rows of whole seasons that lie where another window's rows do.

    The answers on an autumn are not those on a year: where production is known on the newest part
    of its season alone, the same part of the current window is its equal.

    Args:
        window: rows of whole seasons; others are returned whole, as without a season.
        part: rows of a part of a season.
        season: the period after which the data repeats itself.
    """
    if season is None or not (len(window) and len(part)):
        return window
    if not is_whole_seasons(*span_of(window), season):
        return window
    period = season // timedelta(microseconds=1)
    places = part.order % period * _PARTS // period
    return window.take(np.isin(window.order % period * _PARTS // period, np.unique(places)))
