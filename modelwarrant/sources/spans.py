"""Which reference and current window does a stretch of data suggest?

Whole seasons, long enough to decide on, short enough that later windows are left to try.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Final

import numpy as np
import numpy.typing as npt

from modelwarrant.windows import Bounds

__all__ = ["FINAL", "MIN_FINAL_ROWS", "Spans", "row_spans", "time_spans"]

FINAL: Final = 0.3
"""Share of the newest labelled rows for judging: enough for an interval, and most rows train."""
MIN_FINAL_ROWS: Final = 500
"""Labelled rows of the final split below which no policy promotes."""
_PARTS: Final = 6
"""Windows the data is laid out for: two to start with, four to come."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_UNITS: Final = (7 * _DAY, _DAY, 3600 * _SECOND, 60 * _SECOND, _SECOND)
_UNIT_NAMES: Final = ("weeks", "days", "hours", "minutes", "seconds")
_MIN_UNITS: Final = 8
"""Units the data must span before they are the grain of its windows."""
_YEARS: Final = 3
_YEAR: Final = timedelta(days=365)
_SLACK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Spans:
    """Two windows that follow each other, and why these."""

    reference: Bounds
    current: Bounds
    season: timedelta | None
    final_rows: int
    """Labelled rows that the current window's final share would hold."""
    reason: str


def row_spans(rows: int) -> Spans:
    """Return two windows along row order.

    Args:
        rows: rows of the data, at least 2.

    >>> spans = row_spans(32_561)
    >>> str(spans.reference), str(spans.current)
    ('0:5500', '5500:11000')
    """
    need = ceil(MIN_FINAL_ROWS / FINAL)
    length = rows // 2
    if 2 * need <= rows:
        grain = 10 ** (len(str(rows // _PARTS)) - 1) // 2 or 1
        length = min(ceil(max(need, rows / _PARTS) / grain) * grain, rows // 2)
    length = max(length, 1)
    return Spans(
        Bounds("rows", 0, length),
        Bounds("rows", length, 2 * length),
        None,
        round(length * FINAL),
        f"{length:,} rows each",
    )


def time_spans(order_us: npt.NDArray[np.int64], *, labelled: npt.NDArray[np.bool_]) -> Spans:
    """Return two windows along time.

    Args:
        order_us: (n,) instants, ascending, n >= 1, microseconds since 1970.
        labelled: (n,) whether the row has a target; the windows are long enough in such rows.
    """
    first, last = int(order_us[0]), int(order_us[-1])
    judged = order_us[labelled]
    return _yearly(judged, first, last) or _regular(judged, first, last)


def _yearly(order_us: npt.NDArray[np.int64], first: int, last: int) -> Spans | None:
    """Return two whole years, where the data holds at least three."""
    start, end = _EPOCH + timedelta(microseconds=first), _EPOCH + timedelta(microseconds=last)
    if end - start < _YEARS * _YEAR - _SLACK:
        return None
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if (start.month, start.day) == (2, 29):
        start = start.replace(day=28)
    edges = [_microseconds(start.replace(year=start.year + years)) for years in range(3)]
    spans = _spans(order_us, edges, _YEAR, "a whole year each")
    return spans if spans.final_rows >= MIN_FINAL_ROWS else None


def _regular(order_us: npt.NDArray[np.int64], first: int, last: int) -> Spans:
    """Return the shortest two windows of whole units that hold enough rows, else two halves."""
    length = last - first + 1
    index = next((i for i, u in enumerate(_UNITS) if length >= _MIN_UNITS * u), len(_UNITS) - 1)
    unit, name = _UNITS[index], _UNIT_NAMES[index]
    start = first - first % min(unit, _DAY)
    most = max((last + 1 - start) // (2 * unit), 1)
    need = min(ceil(MIN_FINAL_ROWS / FINAL), len(order_us) // 2)
    count = min(max(ceil(length / _PARTS / unit), 1), most)
    while (
        count < most and min(_rows(order_us, [start + k * count * unit for k in range(3)])) < need
    ):
        count += 1
    season = timedelta(days=7 if index == 0 else 1) if index <= 1 else None
    edges = [start + k * count * unit for k in range(3)]
    return _spans(order_us, edges, season, f"{count} whole {name} each")


def _spans(
    order_us: npt.NDArray[np.int64], edges: list[int], season: timedelta | None, reason: str
) -> Spans:
    return Spans(
        Bounds("time", edges[0], edges[1]),
        Bounds("time", edges[1], edges[2]),
        season,
        round(_rows(order_us, edges)[1] * FINAL),
        reason,
    )


def _rows(order_us: npt.NDArray[np.int64], edges: list[int]) -> list[int]:
    return [int(rows) for rows in np.diff(np.searchsorted(order_us, edges))]


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
