"""After which rows of a stream of losses would ADWIN have said that their mean changed?

ADWIN keeps a window of the newest losses and drops its oldest part whenever two parts of it have
means that differ by more than a bound. River keeps buckets of rows and so tests some cuts; here
every cut is tested, which a benchmark can afford and which leaves nothing to the buckets' sizes.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["DELTA", "adwin_alarms"]

Floats = npt.NDArray[np.float64]

DELTA: Final = 0.002
"""Confidence of the published defaults (MOA, river)."""
_EVERY: Final = 32
"""Rows between two looks, as in MOA and river."""
_SHORTEST: Final = 5
"""Rows that each part has at least."""


def adwin_alarms(losses: Floats, *, delta: float = DELTA) -> tuple[int, ...]:
    """Return how many rows had been read at each alarm.

    A cut into n0 and n1 rows alarms where the means differ by more than
    sqrt(2 / m var ln(2 / d)) + 2 / (3 m) ln(2 / d), with 1 / m = 1 / n0 + 1 / n1, the variance of
    the whole window, and d = delta / ln(n). Reference: Bifet and Gavalda (2007), ADWIN2.

    Args:
        losses: (n,) float64 in [0, 1], oldest first.
        delta: in (0, 1).

    >>> quiet = np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 200)
    >>> adwin_alarms(np.append(quiet, np.tile([0.0, 1.0], 200)))
    (1088,)
    >>> adwin_alarms(quiet)
    ()
    """
    sums = np.concatenate([[0.0], np.cumsum(losses)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(losses))])
    start, alarms = 0, []
    for end in range(_EVERY, len(losses) + 1, _EVERY):
        first = start
        while (cut := _alarming_cut(sums, squares, start, end, delta)) is not None:
            start = cut
        if start != first:
            alarms.append(end)
    return tuple(alarms)


def _alarming_cut(sums: Floats, squares: Floats, start: int, end: int, delta: float) -> int | None:
    """Return the first cut of rows ``start`` to ``end`` whose parts differ; None without one."""
    rows = end - start
    cuts = np.arange(start + _SHORTEST, end - _SHORTEST + 1)
    if not len(cuts):
        return None
    before, after = cuts - start, end - cuts
    mean = (sums[end] - sums[start]) / rows
    variance = max((squares[end] - squares[start]) / rows - mean**2, 0.0)
    logarithm = math.log(2 * math.log(rows) / delta)
    unit = 1 / before + 1 / after
    gaps = np.abs((sums[cuts] - sums[start]) / before - (sums[end] - sums[cuts]) / after)
    alarming = np.flatnonzero(
        gaps > np.sqrt(2 * unit * variance * logarithm) + 2 / 3 * unit * logarithm
    )
    return int(cuts[alarming[0]]) if len(alarming) else None
