"""How sure is a mean of rows that may move together?

Rows are dealt into groups, and the spread of the groups' means says how sure the mean of all is:
whole stretches of time where a time is known, since neighbours in time resemble each other, else
rows drawn at random.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from modelwarrant.windows import Window

__all__ = [
    "MIN_GROUPS",
    "STRETCHES",
    "Mean",
    "design_effect",
    "group_codes",
    "growth_p_value",
    "mean_of",
    "stretches",
    "stretches_of",
    "two_sided_p_value",
]

MIN_GROUPS = 10
"""Fewer groups with a row give no error: at ten, skewed values already double its rate."""

STRETCHES = 25
"""Of time: of 2,000 rows 80 neighbours count as one."""

_JOINED, _RAISED = 2, 1.5

_DEALT = 64
"""Groups where no time is known: they cost 1.5 % of an interval's width."""

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Mean:
    """A mean, its standard error, and the degrees of freedom behind that."""

    value: float
    deviation: float | None
    """None below ten groups."""
    degrees: int


def group_codes(window: Window) -> Codes:
    """Return each row's group, (n,) int64.

    Args:
        window: rows in canonical order, which depends on their values alone and is as good as
            random: a row's place deals it.
    """
    places = np.arange(len(window), dtype=np.int64)
    if window.schema.time is None:
        return places % _DEALT
    return stretches(window)


def stretches(window: Window) -> Codes:
    """Return each row's stretch of time, (n,) int64 from 0 to 24, with equally many rows each.

    Args:
        window: rows in any order; of one instant they should stand in canonical order.
    """
    places = np.empty(len(window), dtype=np.int64)
    places[np.argsort(window.order, kind="stable")] = np.arange(len(window))
    return places * STRETCHES // max(len(window), 1)


def stretches_of(order: Codes) -> Codes:
    """Return each row's stretch of time, (n,) int64 from 0 to 24; rows of one instant share it.

    As ``stretches`` for distinct instants; else the order of the rows of an instant means nothing.
    Stretches then hold about equally many rows, and fewer of them have any.

    Args:
        order: (n,) int64 instants.

    >>> stretches_of(np.array([9, 3, 9, 3])).tolist()
    [18, 6, 18, 6]
    """
    _, instants, counts = np.unique(order, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) // 2
    return np.asarray((middles * STRETCHES // max(len(order), 1))[instants])


def design_effect(bins: Codes, groups: Codes, *, count: int) -> float:
    """Return by which factor dependence between neighbours shrinks a window, at least 1.

    The mean design effect of the bins' shares (Rao and Scott 1981): Pearson's statistic of the
    table of stretches by bins over its degrees of freedom. 1 for independent rows; a slow change
    within the window counts as dependence, too. Neighbouring stretches are joined, twice at most,
    while that raises the effect by half: then they still move together.

    Args:
        bins: (n,) int64 from 0 below ``count``.
        groups: (n,) int64.
        count: bins.

    >>> design_effect(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), count=2)
    4.0
    """
    cells = np.bincount(groups * count + bins, minlength=(int(groups.max()) + 1) * count)
    table: Floats = cells.reshape(-1, count).astype(np.float64)
    found = _heterogeneity(table)
    for _ in range(_JOINED):
        table = np.asarray(np.add.reduceat(table, np.arange(0, len(table), 2), axis=0))
        coarser = _heterogeneity(table)
        if coarser <= _RAISED * found:
            break
        found = coarser
    return max(1.0, found)


def _heterogeneity(table: Floats) -> float:
    """Return Pearson's statistic over its degrees of freedom; 1 where nothing can differ."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    table = table[np.ix_(rows > 0, columns > 0)]
    degrees = int((table.shape[0] - 1) * (table.shape[1] - 1))
    if degrees < 1:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(np.sum(np.square(table - expected) / expected)) / degrees


def mean_of(values: Floats, groups: Codes) -> Mean:
    """Return the mean of rows and its error from the spread between groups.

    The ratio estimator of cluster sampling: groups need not have equally many rows.

    Args:
        values: (n,) float64, n >= 1.
        groups: (n,) int64.

    >>> mean_of(np.array([1.0, 3.0]), np.array([0, 1])).value
    2.0
    """
    sizes = np.bincount(groups)
    held = sizes > 0
    count = int(held.sum())
    mean = float(values.mean())
    if count < MIN_GROUPS:
        return Mean(mean, None, max(count - 1, 0))
    excess = np.bincount(groups, weights=values)[held] - mean * sizes[held]
    variance = count / (count - 1) * float(np.square(excess).sum()) / len(values) ** 2
    return Mean(mean, variance**0.5, count - 1)


def two_sided_p_value(reference: Mean, current: Mean) -> float | None:
    """Return the p-value of H0 'both windows have the same mean' (Welch's t over groups)."""
    return _p_value(reference, current, abs(current.value - reference.value), sides=2)


def growth_p_value(reference: Mean, current: Mean, *, allowed: float) -> float | None:
    """Return the one-sided p-value of H0 'the mean grew by at most ``allowed``'."""
    return _p_value(reference, current, current.value - reference.value - allowed, sides=1)


def _p_value(reference: Mean, current: Mean, excess: float, *, sides: int) -> float | None:
    """Return None where an error is undefined; without spread the sign of the excess decides."""
    if reference.deviation is None or current.deviation is None:
        return None
    parts = reference.deviation**2, current.deviation**2
    variance = sum(parts)
    if variance == 0:
        return 1.0 if excess <= 0 else 0.0
    below = parts[0] ** 2 / reference.degrees + parts[1] ** 2 / current.degrees
    degrees = variance**2 / below  # Welch and Satterthwaite
    return float(min(1.0, sides * special.stdtr(degrees, -excess / variance**0.5)))
