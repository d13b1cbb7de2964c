"""By how much do neighbours in time shrink both windows of a feature?

Two answers: a design effect for the tests of its distribution, and, for the gates, into how many
runs of one value the rows fall. A month of hourly rows shows one value of the column ``month``.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.bins import Bins
from modelwarrant.drift.features import Effects
from modelwarrant.drift.groups import design_effect, stretches
from modelwarrant.windows import Feature, Window

__all__ = ["Neighbours"]

_Codes = npt.NDArray[np.int64]


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
        return cls(windows, (stretches(reference), stretches(current)) if is_timed else None)

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

    def runs(self, feature: Feature) -> tuple[int, int] | None:
        """Return into how many runs of one value, in time order, each window's known rows fall.

        Of one instant equal values stand together, so row order changes nothing. None without time.
        """
        if self.stretches is None:
            return None
        first, second = (_runs(window, feature) for window in self.windows)
        return first, second


def _runs(window: Window, feature: Feature) -> int:
    if feature.kind == "category":
        codes, _ = window.levels(feature.name)
        values, known = codes.astype(np.float64), codes >= 0
    else:
        values = window.numbers(feature.name)
        known = np.isfinite(values)
    values, order = values[known], window.order[known]
    values = values[np.lexsort((values, order))]
    return int(np.count_nonzero(np.diff(values))) + 1 if len(values) else 0


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
