"""How is an instant written as the number that a model reads?"""

from datetime import UTC, datetime

import numpy as np

__all__ = ["FIRST_SECOND", "LAST_SECOND", "seconds_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FIRST_SECOND = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()
"""Of the year 1, since 1970."""
LAST_SECOND = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH).total_seconds() + 86_400.0
"""The end of the year 9999, which belongs to it no more."""


def seconds_of(instant: datetime | None) -> float:
    """Return seconds since 1970, as a model reads an instant; NaN for None."""
    return np.nan if instant is None else (instant - _EPOCH).total_seconds()
