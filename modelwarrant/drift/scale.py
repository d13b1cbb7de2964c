"""G3: did a number change its unit?

A ratio of spreads or a shift alone does not say so: 40 % of window pairs of a column with 74 %
zeros trip such limits with no drift at all. A unit change is a rescaling or a shift that restores
the reference's shape once it is undone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.gates import Runs, timeless
from modelwarrant.drift.statistics import minimum_effect_p_value, psi
from modelwarrant.profiles import SortedNumbers, number_edges
from modelwarrant.records import Gate

__all__ = ["scale_gate"]

_Counts = npt.NDArray[np.int64]

_RATIO = 3.0
_SHIFT = 3.0
_RESTORED_PSI = 0.02
_RESTORED_ALPHA = 0.01
_MIN_ROWS = 100
"""Below, an interquartile range is too noisy to be compared with a factor of 3."""

_LARGEST = 1e100
"""No unit is so large; what it explains float64 could not hold."""

_Travel = Callable[[bool], tuple[float, float] | None]
"""How far each window's middle moves by itself, zeros counted or not; None without a time."""

_TOLERANCE = 1e-9
"""Of the spread: undoing a unit moves a value by rounding, which must not move it over an edge."""


@dataclass(frozen=True)
class _Change:
    """A suspected unit: current = factor * reference + offset."""

    factor: float
    offset: float


@dataclass(frozen=True)
class _Suspicion:
    """Limits that were exceeded on some rows of both windows."""

    reference: SortedNumbers
    current: SortedNumbers
    ratio: float
    shift: float
    changes: tuple[_Change, ...]


def _timeless(has_zeros: bool) -> tuple[float, float] | None:
    """Know of no time."""
    return None


def scale_gate(
    name: str,
    reference: SortedNumbers,
    current: SortedNumbers,
    *,
    runs: Runs = timeless,
    travel: _Travel = _timeless,
) -> list[Gate]:
    """G3: block where a unit change explains the difference.

    Suspicion: the interquartile range changed by more than a factor of 3, or the median moved by
    more than 3 of them. Where a range is 0, or undoing the suspected change restores no shape, the
    same is asked of the rows that are not zero. The gate blocks if the shape is broken as it is and
    whole once the change is undone, by the minimum-effect test against PSI .02 at .01. Fewer than
    100 such rows, or 100 runs of one value in time order: undefined, and no gate. The months of a
    spring and those of an autumn have one shape, and no unit. Nor does a shift tell of a unit that
    is within 3 times what the medians of a window's own stretches of time lie apart: a summer is a
    winter and 26 degrees, and each of its weeks some degrees from the next.
    """
    suspicion, has_zeros = _suspicion(reference, current), True
    change = _restoring(suspicion) if suspicion else None
    if change is None:
        has_zeros = False
        suspicion = _suspicion(reference.without_zeros(), current.without_zeros())
        change = _restoring(suspicion) if suspicion else None
    if suspicion is None or change is None:
        return []
    if (found := runs()) is not None and min(found) < _MIN_ROWS:
        return []
    is_ratio = not 1 / _RATIO <= suspicion.ratio <= _RATIO
    if not is_ratio and _moves_so_far(suspicion, travel(has_zeros)):
        return []
    return [
        Gate(
            gate="G3",
            column=name,
            level="block",
            detail=f"unit change: current = {change.factor:.4g} x reference {change.offset:+.4g} "
            f"explains a spread ratio of {suspicion.ratio:.3g} and a median shift of "
            f"{suspicion.shift:.3g} interquartile ranges",
            value=suspicion.ratio if is_ratio else suspicion.shift,
            threshold=_RATIO if is_ratio else _SHIFT,
            n_reference=suspicion.reference.rows,
            n_current=suspicion.current.rows,
        )
    ]


def _suspicion(reference: SortedNumbers, current: SortedNumbers) -> _Suspicion | None:
    if min(reference.rows, current.rows) < _MIN_ROWS:
        return None
    low, middle, high = reference.quantiles(0.25, 0.5, 0.75).tolist()
    low_now, middle_now, high_now = current.quantiles(0.25, 0.5, 0.75).tolist()
    spread, spread_now = high - low, high_now - low_now
    if not (0 < spread < math.inf and 0 < spread_now < math.inf):
        return None
    ratio, shift = spread_now / spread, abs(middle_now - middle) / spread
    if not 1 / _LARGEST < ratio < _LARGEST or not shift < _LARGEST:
        return None
    if 1 / _RATIO <= ratio <= _RATIO and shift <= _SHIFT:
        return None
    scales = [ratio, 10.0 ** round(math.log10(ratio))]
    if middle and middle_now / middle > 0:
        scales.append(middle_now / middle)
    changes = [_Change(s, 0.0) for s in scales if not 1 / _RATIO <= s <= _RATIO]
    if shift > _SHIFT:
        changes.append(_Change(1.0, middle_now - middle))
    changes.append(_Change(ratio, middle_now - ratio * middle))
    return _Suspicion(reference, current, ratio, shift, tuple(changes))


def _moves_so_far(suspicion: _Suspicion, travel: tuple[float, float] | None) -> bool:
    """Return whether the median's shift is what the column moves within a window."""
    if travel is None:
        return False
    low, high = suspicion.reference.quantiles(0.25, 0.75).tolist()
    by_itself = max(travel[0], travel[1] / suspicion.ratio)
    return bool(suspicion.shift * (high - low) <= _SHIFT * by_itself)


def _restoring(suspicion: _Suspicion) -> _Change | None:
    """Return the first change that, undone, gives the current window the reference's shape."""
    reference, current = suspicion.reference, suspicion.current
    edges = number_edges(reference.values).decile_array
    low, high = reference.quantiles(0.25, 0.75)
    counts = _counts(reference, edges)
    if _is_alike(counts, _counts(current, edges)):
        return None
    nudged = edges + _TOLERANCE * (high - low)
    for change in suspicion.changes:
        if _is_alike(counts, _counts(current, change.factor * nudged + change.offset)):
            return change
    return None


def _is_alike(reference: _Counts, current: _Counts) -> bool:
    n, m = int(reference.sum()), int(current.sum())
    index, bins = psi(reference, current), len(reference)
    p_value = minimum_effect_p_value(index, n=n, m=m, bins=bins, floor=_RESTORED_PSI)
    return p_value >= _RESTORED_ALPHA


def _counts(numbers: SortedNumbers, edges: npt.NDArray[np.float64]) -> _Counts:
    return np.diff(np.append(numbers.at_most(edges), numbers.rows), prepend=0)
