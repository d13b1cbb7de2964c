"""What is counted of a number in one window, in one pass?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import RecordError
from modelwarrant.profiles.edges import NumberEdges, ordered_quantiles

__all__ = ["NumberProfile", "NumberSummary", "SortedNumbers", "number_profile", "sorted_numbers"]

_EXACT = 2.0**53
"""Sums of whole float64 below this are exact in any order."""
_HUGE = 2.0**1000

_Floats = npt.NDArray[np.float64]
_Counts = npt.NDArray[np.int64]


class NumberSummary(Protocol):
    """What detectors ask of a number's window, sorted rows or profile alike."""

    @property
    def rows(self) -> int:
        """Finite values."""

    @property
    def missing(self) -> int:
        """Missing values."""

    @property
    def infinite(self) -> int:
        """Values that are plus or minus infinity."""

    @property
    def minimum(self) -> float | None:
        """Lowest finite value; None without one."""

    @property
    def maximum(self) -> float | None:
        """Highest finite value; None without one."""

    @property
    def commonest_share(self) -> float:
        """Share of the commonest value where it is at least half, else some share below half."""

    def at_most(self, edges: _Floats) -> _Counts:
        """Return how many finite values are at most each edge, (k,) int64."""


@dataclass(frozen=True)
class SortedNumbers:
    """A number's finite values in memory, sorted, and how many are not finite.

    Row order is gone, so nothing computed from it can depend on row order.
    """

    values: _Floats
    missing: int
    negative_infinite: int
    positive_infinite: int

    @property
    def rows(self) -> int:
        """Finite values."""
        return len(self.values)

    @property
    def infinite(self) -> int:
        """Values that are plus or minus infinity."""
        return self.negative_infinite + self.positive_infinite

    @property
    def minimum(self) -> float | None:
        """Lowest finite value; None without one."""
        return float(self.values[0]) if len(self.values) else None

    @property
    def maximum(self) -> float | None:
        """Highest finite value; None without one."""
        return float(self.values[-1]) if len(self.values) else None

    @property
    def commonest_share(self) -> float:
        """Share of the median value: the commonest wherever one value fills half of the rows."""
        if not len(self.values):
            return 0.0
        middle = self.values[len(self.values) // 2]
        low, high = (
            np.searchsorted(self.values, middle),
            np.searchsorted(self.values, middle, side="right"),
        )
        return float(high - low) / len(self.values)

    def at_most(self, edges: _Floats) -> _Counts:
        """Return how many finite values are at most each edge, (k,) int64."""
        return np.searchsorted(self.values, edges, side="right")

    def quantiles(self, *levels: float) -> _Floats:
        """Return exact quantiles, (k,) float64; there must be a value."""
        return ordered_quantiles(self.values, np.array(levels))

    def without_zeros(self) -> "SortedNumbers":
        """Return the same without the values that are zero."""
        low, high = np.searchsorted(self.values, 0.0), np.searchsorted(self.values, 0.0, "right")
        return replace(self, values=np.concatenate([self.values[:low], self.values[high:]]))


def sorted_numbers(values: _Floats) -> SortedNumbers:
    """Sort one column.

    Args:
        values: (n,) float64 in any order; NaN is missing.

    >>> sorted_numbers(np.array([2.0, np.nan, -np.inf, 1.0])).values.tolist()
    [1.0, 2.0]
    """
    ordered = np.sort(values)  # NaN goes last
    start = int(np.searchsorted(ordered, -np.inf, side="right"))
    end = int(np.searchsorted(ordered, np.inf, side="left"))
    known = int(np.searchsorted(ordered, np.inf, side="right"))
    return SortedNumbers(
        ordered[start:end],
        missing=len(ordered) - known,
        negative_infinite=start,
        positive_infinite=known - end,
    )


@dataclass(frozen=True)
class NumberProfile:
    """Counts and sums of a number over fixed edges; profiles over the same edges add.

    ``counts`` and ``sums`` have one entry a bin, ``len(edges.fine) + 1``. A sum is of
    ``(value - anchor) / unit``, each rounded to a whole number, so that sums add exactly too.
    ``minimum`` and ``maximum`` are of finite values, None without one.
    """

    edges: NumberEdges
    counts: tuple[int, ...]
    sums: tuple[int, ...]
    zeros: int
    missing: int
    negative_infinite: int
    positive_infinite: int
    minimum: float | None
    maximum: float | None

    @cached_property
    def rows(self) -> int:
        """Finite values."""
        return sum(self.counts)

    @property
    def infinite(self) -> int:
        """Values that are plus or minus infinity."""
        return self.negative_infinite + self.positive_infinite

    @property
    def commonest_share(self) -> float:
        """Share of the fullest bin that holds one value only; exact from 1/512 upwards."""
        fine = self.edges.fine_array
        single = np.flatnonzero(np.nextafter(fine[1:], -np.inf) == fine[:-1]) + 1
        if not self.rows or not len(single):
            return 0.0
        return float(np.array(self.counts)[single].max()) / self.rows

    @cached_property
    def _cumulative(self) -> _Counts:
        return np.cumsum(self.counts, dtype=np.int64)

    def at_most(self, edges: _Floats) -> _Counts:
        """Return how many finite values are at most each edge, (k,) int64.

        Raises:
            KeyError: an edge is none of the profile's own; between them nothing is known.
        """
        positions = np.searchsorted(self.edges.fine_array, edges)
        found = self.edges.fine_array[np.minimum(positions, len(self.edges.fine) - 1)]
        if not np.array_equal(found, edges):
            raise KeyError("the profile was not counted over these edges")
        return self._cumulative[positions]

    def __add__(self, other: "NumberProfile") -> "NumberProfile":
        """Return the profile of both windows' rows together.

        Raises:
            ValueError: the profiles stand over different edges.
        """
        if self.edges != other.edges:
            raise ValueError("profiles over different edges do not add; profile one of them again")
        lows = [p.minimum for p in (self, other) if p.minimum is not None]
        highs = [p.maximum for p in (self, other) if p.maximum is not None]
        return NumberProfile(
            self.edges,
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            self.zeros + other.zeros,
            self.missing + other.missing,
            self.negative_infinite + other.negative_infinite,
            self.positive_infinite + other.positive_infinite,
            min(lows, default=None),
            max(highs, default=None),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value; sums are text, as they may exceed what JSON numbers hold."""
        return {
            "kind": "number",
            "deciles": list(self.edges.deciles),
            "edges": list(self.edges.fine),
            "anchor": self.edges.anchor,
            "unit": self.edges.unit,
            "counts": list(self.counts),
            "sums": [str(total) for total in self.sums],
            "zeros": self.zeros,
            "missing": self.missing,
            "negative_infinite": self.negative_infinite,
            "positive_infinite": self.positive_infinite,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            RecordError: a part is absent, or bins and edges do not fit each other.
        """
        try:
            profile = cls(
                NumberEdges(
                    tuple(map(float, value["deciles"])),
                    tuple(map(float, value["edges"])),
                    float(value["anchor"]),
                    float(value["unit"]),
                ),
                tuple(map(int, value["counts"])),
                tuple(map(int, value["sums"])),
                int(value["zeros"]),
                int(value["missing"]),
                int(value["negative_infinite"]),
                int(value["positive_infinite"]),
                None if value["minimum"] is None else float(value["minimum"]),
                None if value["maximum"] is None else float(value["maximum"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"not a number's profile: {error!r}") from error
        if not len(profile.counts) == len(profile.sums) == len(profile.edges.fine) + 1:
            raise RecordError("not a number's profile: bins and edges differ in number")
        return profile


def number_profile(numbers: SortedNumbers, edges: NumberEdges) -> NumberProfile:
    """Count one part of a window along the edges of its reference.

    >>> from modelwarrant.profiles.edges import number_edges
    >>> reference = sorted_numbers(np.arange(1000.0))
    >>> whole = number_profile(reference, number_edges(reference.values))
    >>> whole.rows, whole.minimum, whole.maximum, whole.zeros
    (1000, 0.0, 999.0, 1)
    """
    values = numbers.values
    ends = np.append(numbers.at_most(edges.fine_array), len(values))
    counts = np.diff(ends, prepend=0)
    zeros = np.searchsorted(values, 0.0, "right") - np.searchsorted(values, 0.0)
    return NumberProfile(
        edges,
        tuple(counts.tolist()),
        _sums(values, edges, counts, ends),
        int(zeros),
        numbers.missing,
        numbers.negative_infinite,
        numbers.positive_infinite,
        numbers.minimum,
        numbers.maximum,
    )


def _sums(values: _Floats, edges: NumberEdges, counts: _Counts, ends: _Counts) -> tuple[int, ...]:
    """Return each bin's exact sum of whole units away from the anchor."""
    filled = np.flatnonzero(counts)
    if not len(filled):
        return (0,) * len(counts)
    with np.errstate(over="ignore"):  # beyond float64 the value is cut to _HUGE below
        units = values - edges.anchor
        units *= 1.0 / edges.unit
    if max(-units[0], units[-1]) > _HUGE:
        np.clip(units, -_HUGE, _HUGE, out=units)
    np.rint(units, out=units)
    starts, stops = (ends - counts)[filled], ends[filled]
    totals = np.add.reduceat(units, starts)
    bounds = np.maximum(np.abs(units[starts]), np.abs(units[stops - 1])) * counts[filled]
    sums = [0] * len(counts)
    for index, start, stop, total, bound in zip(
        filled.tolist(),
        starts.tolist(),
        stops.tolist(),
        totals.tolist(),
        bounds.tolist(),
        strict=True,
    ):
        is_exact = bound < _EXACT
        sums[index] = int(total) if is_exact else sum(map(int, units[start:stop].tolist()))
    return tuple(sums)
