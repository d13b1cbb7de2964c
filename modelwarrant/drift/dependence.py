"""By how much do neighbours in time shrink both windows of a feature?

A design effect answers for the tests of its distribution. The gates ask into how many runs of one
value the rows fall, for a month of hourly rows shows one value of the column ``month``, and how far
its middle moves by itself. The order of rows of one instant means nothing in any of them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.bins import Bins
from modelwarrant.drift.features import Effects
from modelwarrant.drift.groups import design_effect, stretches_of
from modelwarrant.windows import Feature, Window

__all__ = ["Neighbours"]

_Codes = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Neighbours:
    """Both windows with each row's stretch of time; no stretches where a time is unknown."""

    windows: tuple[Window, Window]
    stretches: tuple[_Codes, _Codes] | None

    @classmethod
    def of(cls, reference: Window, current: Window) -> "Neighbours":
        """Cut both windows into stretches of time."""
        windows = reference, current
        is_timed = all(len(each) and each.schema.time is not None for each in windows)
        if not is_timed:
            return cls(windows, None)
        return cls(windows, (stretches_of(reference.order), stretches_of(current.order)))

    def effects(self, feature: Feature) -> Effects:
        """Return what gives a feature's design effects over its bins."""

        def measured(bins: Bins) -> tuple[float, float]:
            if self.stretches is None:
                return 1.0, 1.0
            first, second = (
                _effect(window, groups, feature, bins)
                for window, groups in zip(self.windows, self.stretches, strict=True)
            )
            return first, second

        return measured

    def runs(self, feature: Feature) -> tuple[float, float] | None:
        """Return into how many runs of one value, in time order, each window's known rows fall.

        The expected number, were the rows of each instant in random order. None without time; an
        instant is its own.
        """
        if self.stretches is None and feature.kind != "time":
            return None
        first, second = (_runs(window, feature) for window in self.windows)
        return first, second

    def travel(self, feature: Feature, *, has_zeros: bool) -> tuple[float, float] | None:
        """Return how far apart the medians of each window's stretches of time lie, of a number.

        None without time.

        Args:
            feature: a number.
            has_zeros: whether rows that are zero count.
        """
        if self.stretches is None:
            return None
        first, second = (
            _travel(window.numbers(feature.name), groups, has_zeros=has_zeros)
            for window, groups in zip(self.windows, self.stretches, strict=True)
        )
        return first, second


def _runs(window: Window, feature: Feature) -> float:
    if feature.kind == "category":
        codes, _ = window.levels(feature.name)
        values, known = codes.astype(np.float64), codes >= 0
    else:
        values = window.numbers(feature.name)
        known = np.isfinite(values)
    if feature.kind == "time":
        return float(len(np.unique(values[known])))
    if not known.any():
        return 0.0
    return 1.0 + _expected_turns(values[known], window.order[known])


def _expected_turns(values: _Floats, order: _Codes) -> float:
    """Return how many neighbours in time differ, with the rows of each instant in random order.

    Of an instant's k rows, c of each value, two neighbours are equal in sum c (c - 1) / k cases,
    and the last row of one instant and the first of the next in sum (c / k) (c' / k').
    """
    _, instants, sizes = np.unique(order, return_inverse=True, return_counts=True)
    rows = np.lexsort((instants, values))
    ordered, at = values[rows], instants[rows]
    starts = np.flatnonzero(np.append(True, (np.diff(ordered) != 0) | (np.diff(at) != 0)))
    counts = np.diff(np.append(starts, len(rows)))
    ordered, at = ordered[starts], at[starts]
    shares = counts / sizes[at]
    is_next = (np.diff(ordered) == 0) & (np.diff(at) == 1)
    equal = np.sum(shares * (counts - 1)) + np.sum((shares[:-1] * shares[1:])[is_next])
    return float(len(values) - 1 - equal)


def _travel(values: _Floats, groups: _Codes, *, has_zeros: bool) -> float:
    known = np.isfinite(values) if has_zeros else np.isfinite(values) & (values != 0)
    values, groups = values[known], groups[known]
    medians = [float(np.median(values[groups == group])) for group in np.unique(groups)]
    return max(medians) - min(medians) if medians else 0.0


def _effect(window: Window, groups: _Codes, feature: Feature, bins: Bins) -> float:
    codes = _bin_codes(window, feature, bins)
    known = codes >= 0
    if not known.any():
        return 1.0
    return design_effect(codes[known], groups[known], count=len(bins.reference))


def _bin_codes(window: Window, feature: Feature, bins: Bins) -> _Codes:
    """Return each row's bin, (n,) int64; missing and infinite values are -1."""
    if bins.labels:
        return _level_codes(window, feature, bins)
    values = window.numbers(feature.name)
    codes = np.searchsorted(np.array(bins.edges), values).astype(np.int64)
    return np.where(np.isfinite(values), codes, -1)


def _level_codes(window: Window, feature: Feature, bins: Bins) -> _Codes:
    places = {label: place for place, label in enumerate(bins.labels)}
    last = len(bins.labels) - 1  # the pool of rare levels, where there is one
    if feature.kind == "boolean":
        values = window.numbers(feature.name)
        truths = [places.get(text, last) for text in ("false", "true")]
        return np.where(np.isnan(values), -1, np.where(values == 1, truths[1], truths[0]))
    codes, levels = window.levels(feature.name)
    table = np.array([*(places.get(level, last) for level in levels), -1], dtype=np.int64)
    return table[codes]
