"""Into which bins do both windows of one feature fall for D1?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.profiles import CategoryProfile, NumberSummary
from modelwarrant.records import Distribution

__all__ = ["OTHER", "Bins", "category_bins", "number_bins"]

OTHER = "(other)"
"""Label of the bin of rare levels."""

_MIN_SHARE = 0.01
_MIN_EXPECTED = 5

_Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """Both windows' counts over the same bins; ``edges`` of a number, ``labels`` of a category."""

    reference: _Counts
    current: _Counts
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def is_comparable(self) -> bool:
        """Whether both windows have rows, and not only a pool of rare levels."""
        has_rows = self.reference.sum() > 0 and self.current.sum() > 0
        return bool(has_rows) and self.labels != (OTHER,)

    @property
    def distribution(self) -> Distribution | None:
        """Raw shares of both windows, for plots; None where one of them has no row."""
        if not (self.reference.sum() and self.current.sum()):
            return None
        return Distribution(
            edges=self.edges,
            labels=self.labels,
            reference=tuple((self.reference / self.reference.sum()).tolist()),
            current=tuple((self.current / self.current.sum()).tolist()),
        )


def number_bins(
    reference: NumberSummary, current: NumberSummary, deciles: npt.NDArray[np.float64]
) -> Bins:
    """Count both windows in right-closed bins between the reference's deciles, with open ends.

    Where the lowest decile is the reference's lowest value (a constant, or many zeros), values
    below it would share a bin with it: a bin of their own is added once the current window has
    some.

    Args:
        reference: the window that the deciles come from.
        current: the window compared with it.
        deciles: (k,) float64, sorted and distinct, k <= 9.
    """
    edges, lowest = deciles, current.minimum
    if len(deciles) and lowest is not None and reference.minimum == deciles[0] > lowest:
        edges = np.concatenate([np.nextafter(deciles[:1], -np.inf), deciles])
    counts = [
        np.diff(np.append(window.at_most(edges), window.rows), prepend=0)
        for window in (reference, current)
    ]
    return Bins(counts[0], counts[1], edges=tuple(edges.tolist()))


def category_bins(reference: CategoryProfile, current: CategoryProfile) -> Bins:
    """Count both windows by level; rare levels are pooled.

    A level has a bin of its own if it holds at least 1 % of both windows' rows together, and that
    share of either window is at least 5 rows. Both windows choose: levels chosen by the reference
    alone are those that were common by chance, and of 200 equal levels 96 % of window pairs (500
    and 5,000 rows) would be noticed with no drift.
    """
    before, after = reference.levels, current.levels
    rows, smaller = reference.rows + current.rows, min(reference.rows, current.rows)
    kept, first, second = [], [], []
    for level in sorted(before.keys() | after.keys()):
        counts = before.get(level, 0), after.get(level, 0)
        share = sum(counts) / rows
        if share >= _MIN_SHARE and share * smaller >= _MIN_EXPECTED:
            kept.append(level)
            first.append(counts[0])
            second.append(counts[1])
    rest = reference.rows - sum(first), current.rows - sum(second)
    if kept and not any(rest):
        return Bins(np.array(first), np.array(second), labels=tuple(kept))
    return Bins(np.array([*first, rest[0]]), np.array([*second, rest[1]]), labels=(*kept, OTHER))
