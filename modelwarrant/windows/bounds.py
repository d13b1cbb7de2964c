"""Which rows does ``1996-05-07..1996-09-01``, ``0:5000`` or ``last 30d`` name?"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from modelwarrant.errors import WindowError
from modelwarrant.windows.window import Window

__all__ = ["Bounds", "cut", "parse_bounds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_UNITS = {"h": 3600, "d": 86400, "w": 604800, "m": 60, "s": 1}
_FORMS = "write A..B (half open in time), a:b (rows) or 'last 30d'"


@dataclass(frozen=True)
class Bounds:
    """Half-open bounds in microseconds since 1970 UTC (time) or in row numbers (rows).

    ``last_us`` is a duration before the newest row; resolving it against a window gives time
    bounds. None means open.
    """

    unit: str  # "time", "rows" or "last"
    start: int | None = None
    end: int | None = None
    last_us: int | None = None

    def __str__(self) -> str:
        """Return the text form that ``parse_bounds`` reads."""
        if self.unit == "rows":
            start, end = ("" if row is None else str(row) for row in (self.start, self.end))
            return f"{start}:{end}"
        if self.unit == "last":
            return f"last {(self.last_us or 0) // 1_000_000}s"
        return f"{_instant_text(self.start)}..{_instant_text(self.end)}"


def parse_bounds(text: str) -> Bounds:
    """Read the text form of a window.

    >>> str(parse_bounds("1996-05-07..1996-09-01T12:00"))
    '1996-05-07..1996-09-01T12:00:00Z'
    >>> str(parse_bounds("0:5000")), parse_bounds("last 30d").last_us
    ('0:5000', 2592000000000)

    Raises:
        WindowError: the text is no window, or its end is not after its start.
    """
    text = str(text).strip()
    if match := re.fullmatch(r"last\s+(\d+)\s*([smhdw])", text):
        seconds = int(match[1]) * _UNITS[match[2]]
        if seconds == 0:
            raise WindowError(f"window {text!r} is empty")
        return Bounds("last", last_us=seconds * 1_000_000)
    if match := re.fullmatch(r"(\d*):(\d*)", text):
        bounds = Bounds("rows", *(int(part) if part else None for part in match.groups()))
    elif ".." in text:
        parts = text.split("..")
        if len(parts) != 2:
            raise WindowError(f"window {text!r} cannot be read: {_FORMS}")
        bounds = Bounds("time", *(_instant(part.strip(), text) for part in parts))
    else:
        raise WindowError(f"window {text!r} cannot be read: {_FORMS}")
    if bounds.start is not None and bounds.end is not None and bounds.end <= bounds.start:
        raise WindowError(f"window {text!r} is empty: its end is not after its start")
    return bounds


def cut(window: Window, bounds: Bounds) -> tuple[Window, Bounds]:
    """Return the rows inside the bounds, oldest first, and the bounds in absolute form.

    Rows with equal order values keep the order in which they came.

    Raises:
        WindowError: no row lies inside, or time bounds were given without a time column.
    """
    if bounds.unit in ("time", "last") and window.schema.time is None:
        raise WindowError(
            f"window '{bounds}' is cut along time, but the project names no time column; "
            "add 'time: COLUMN' or cut by rows (a:b)"
        )
    order = window.order
    sequence = np.argsort(order, kind="stable")
    ordered = order[sequence]
    if bounds.unit == "rows":
        low, high = bounds.start or 0, len(order) if bounds.end is None else bounds.end
        kept, resolved = sequence[low:high], Bounds("rows", low, min(high, len(order)))
    else:
        start, end = bounds.start, bounds.end
        if bounds.unit == "last" and len(order):
            end = int(ordered[-1]) + 1
            start = max(end - (bounds.last_us or 0), _EARLIEST_US)
        kept = sequence[
            (ordered >= (start if start is not None else np.iinfo(np.int64).min))
            & (ordered < (end if end is not None else np.iinfo(np.int64).max))
        ]
        resolved = Bounds("time", start, end)
    if not len(kept):
        held = (
            f"{_instant_text(int(ordered[0]))}..{_instant_text(int(ordered[-1]))}"
            if (len(order) and window.schema.time is not None)
            else f"0:{len(order)}"
        )
        raise WindowError(f"window '{bounds}' holds no row; the data holds {held}")
    return Window(window.schema, window.table.take(pa.array(kept, pa.int64()))), resolved


def _instant(text: str, whole: str) -> int | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise WindowError(f"window {whole!r}: {text!r} is not an ISO 8601 time") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _instant_text(instant_us: int | None) -> str:
    if instant_us is None:
        return ""
    instant = _EPOCH + timedelta(microseconds=instant_us)
    if (instant.hour, instant.minute, instant.second, instant.microsecond) == (0, 0, 0, 0):
        return instant.date().isoformat()
    return instant.isoformat().replace("+00:00", "Z")
