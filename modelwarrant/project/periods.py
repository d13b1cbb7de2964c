"""How long is ``7d``?"""

import re
from datetime import timedelta

__all__ = ["parse_period", "period_text"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST = timedelta(days=36_525)


def parse_period(text: str) -> timedelta:
    """Read a period: a positive whole number of s, m (minutes), h, d or w.

    >>> parse_period("7d"), parse_period("36h")
    (datetime.timedelta(days=7), datetime.timedelta(days=1, seconds=43200))

    Raises:
        ValueError: anything else, nothing, or more than a hundred years.
    """
    match = re.fullmatch(r"(\d{1,12})\s*([smhdw])", text.strip(), re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is no period; write a whole number and s, m, h, d or w: 7d")
    seconds = int(match[1]) * _UNITS[match[2]]
    if not 0 < seconds <= _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is no period: longer than 0 and at most a hundred years")
    return timedelta(seconds=seconds)


def period_text(period: timedelta) -> str:
    """Return the shortest text that ``parse_period`` reads as this period.

    >>> period_text(timedelta(days=7)), period_text(timedelta(days=365))
    ('7d', '365d')
    """
    seconds = int(period.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"
