"""How far apart are two windows of the reference already, that no drift parts?

An effect floor of PSI .10 is a convention. Where the reference is long enough to hold several
disjoint pairs of windows as long as the current one, whole seasons apart, the pairs say how much
windows of this stream differ anyway, and a feature's floor is raised to that; it is never lowered.
Nothing newer than the reference is used: a drift would raise the floor that should find it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from modelwarrant.drift.features import DRIFT_PSI, MIN_ROWS, Measured
from modelwarrant.drift.statistics import effective_size
from modelwarrant.windows import Feature, Window, span_of

__all__ = ["MIN_PAIRS", "Floors", "calibrated_floors", "reference_pairs"]

MIN_PAIRS = 5
"""Disjoint pairs: the largest of five is exceeded by a sixth like them in one case of six."""

_MOST_PAIRS = 20


@dataclass(frozen=True)
class Floors:
    """Effect floors of ``drift`` by feature, and the number of pairs they rest on (0: shipped)."""

    by_feature: dict[str, float]
    pairs: int

    def of(self, name: str) -> float:
        """Return a feature's floor."""
        return self.by_feature.get(name, DRIFT_PSI)


def reference_pairs(
    past: Window, current: Window, season: timedelta | None
) -> list[tuple[Window, Window]]:
    """Return disjoint pairs of past windows, each as long as the current window.

    The two of a pair are neighbours, or as few whole seasons apart as part them where a season is
    declared. Only a time says what neighbours are, and a window needs 500 rows.

    Args:
        past: the training window, or the history that holds it.
        current: whose length is taken.
        season: after which the data repeats itself; None where none is declared.

    Returns:
        At most 20 pairs, the newest first, the older window first in each; none where the windows
        have no time, and none where there are fewer than five.
    """
    if past.schema.time is None or current.schema.time is None or not (len(past) and len(current)):
        return []
    order = past.order
    pairs = []
    for low, high, apart in _places(span_of(past), span_of(current), season):
        earlier = past.take((order >= low - apart) & (order < high - apart))
        later = past.take((order >= low) & (order < high))
        if min(len(earlier), len(later)) >= MIN_ROWS:
            pairs.append((earlier, later))
    return pairs if len(pairs) >= MIN_PAIRS else []


def _places(
    past: tuple[int, int], current: tuple[int, int], season: timedelta | None
) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and distance back of disjoint pairs, from the past's end backwards."""
    length = apart = current[1] - current[0] + 1
    if season is not None:
        period = season // timedelta(microseconds=1)
        apart = -(-length // period) * period
    together = apart // length  # windows of one season, then the same of the season before
    high = past[1] + 1
    for place in range(_MOST_PAIRS):
        end = high - place // together * 2 * apart - place % together * length
        if end - length - apart < past[0]:
            return
        yield end - length, end, apart


def calibrated_floors(
    pairs: Sequence[tuple[Window, Window]],
    features: Sequence[Feature],
    measure: Callable[[Window, Window, Feature], Measured],
) -> Floors:
    """Return each feature's floor: the largest PSI of a pair, less what chance alone makes of it.

    Args:
        pairs: of disjoint reference windows.
        features: what is compared.
        measure: D1 of one feature in a pair.
    """
    floors = {}
    for feature in features:
        excess = [_excess(measure(*pair, feature)) for pair in pairs]
        largest = max(excess, default=0.0)
        if largest > DRIFT_PSI:
            floors[feature.name] = largest
    return Floors(floors, len(pairs))


def _excess(one: Measured) -> float:
    """Return a PSI less its mean without drift, (bins - 1) / n_e; 0 where it is undefined."""
    index, bins = one.fields["psi"], one.fields["bins"]
    if index is None or bins is None:
        return 0.0
    size = effective_size(one.fields["n_reference"], one.fields["n_current"])
    return float(np.maximum(index - (bins - 1) / size, 0.0))
