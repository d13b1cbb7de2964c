"""Along which fixed edges is a number counted?

The edges come from one reference and never move, so counts over them add: profiles of parts make
the profile of the whole, exactly and in any order.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["FINE_BINS", "NumberEdges", "number_edges", "ordered_quantiles"]

FINE_BINS = 1024
"""Quantile bins between a reference's lowest and highest value: a Kolmogorov-Smirnov distance
read off them is at most 1/1024 too small, below what 200,000 rows can tell from zero (0.0043)."""

_DECILES = np.arange(1, 10) / 10
_FINE = np.arange(1, FINE_BINS) / FINE_BINS
_UNIT_BITS = 24
"""Sums are counted in 2**-24 of the reference's spread: finer than any distance worth reading."""
_RANGE_BITS = 64
"""But in no less than 2**-64 of its range, whose ends float64 would not tell apart any more."""
_LOWEST_EXPONENT = -1000
"""Keeps the unit and its reciprocal inside float64."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NumberEdges:
    """The edges of right-closed bins with open ends, from a reference's quantiles.

    ``fine`` holds ``deciles``, the lowest and the highest value, the floats just below the lowest
    value and below each value that is common enough to repeat among the quantiles. ``anchor`` and
    ``unit`` (a power of two) say how values are turned into whole numbers for exact sums.
    """

    deciles: tuple[float, ...]
    fine: tuple[float, ...]
    anchor: float
    unit: float

    @cached_property
    def fine_array(self) -> _Floats:
        """``fine`` as (n_edges,) float64, sorted and distinct."""
        return np.array(self.fine, dtype=np.float64)

    @cached_property
    def decile_array(self) -> _Floats:
        """``deciles`` as (n_edges,) float64, sorted and distinct."""
        return np.array(self.deciles, dtype=np.float64)


def ordered_quantiles(ordered: _Floats, levels: _Floats) -> _Floats:
    """Return linear-interpolated quantiles of sorted values, bit for bit as ``np.quantile``.

    Args:
        ordered: (n,) float64, sorted, finite, at least one value.
        levels: (k,) float64 in [0, 1].

    Returns:
        (k,) float64. It reads 2k values where ``np.quantile`` partitions all of them.

    >>> ordered_quantiles(np.array([0.0, 1.0, 4.0]), np.array([0.25, 0.5, 1.0])).tolist()
    [0.5, 1.0, 4.0]
    """
    position = (len(ordered) - 1) * levels
    low = np.floor(position).astype(np.int64)
    share = position - low
    below, above = ordered[low], ordered[np.minimum(low + 1, len(ordered) - 1)]
    with np.errstate(over="ignore", invalid="ignore"):  # a spread beyond 1.8e308 has no quantile
        step = above - below
        return np.asarray(np.where(share < 0.5, below + step * share, above - step * (1 - share)))


def number_edges(ordered: _Floats) -> NumberEdges:
    """Take the edges from a reference.

    Args:
        ordered: (n,) float64, sorted and finite; with no value there are no edges, and every later
            value falls into the one open bin.

    >>> edges = number_edges(np.arange(101.0))
    >>> edges.deciles
    (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
    >>> number_edges(np.array([5.0, 5.0])).fine
    (4.999999999999999, 5.0)
    """
    if not len(ordered):
        return NumberEdges((), (), 0.0, 1.0)
    deciles = _distinct(ordered_quantiles(ordered, _DECILES))
    fine = ordered_quantiles(ordered, _FINE)
    repeated = fine[1:][fine[1:] == fine[:-1]]
    with np.errstate(over="ignore"):  # below the lowest float64 there is no edge
        below = np.nextafter(np.append(repeated, ordered[0]), -np.inf)
    ends = [ordered[0], ordered[-1]]
    edges = _distinct(np.concatenate([deciles, fine, below, ends]))
    return NumberEdges(
        tuple(deciles.tolist()),
        tuple(edges.tolist()),
        float(ordered[len(ordered) // 2]),
        _unit(ordered),
    )


def _distinct(edges: _Floats) -> _Floats:
    return np.unique(edges[np.isfinite(edges)])


def _unit(ordered: _Floats) -> float:
    """Return the power of two in which sums are counted: fine, and not lost in the whole range."""
    with np.errstate(over="ignore"):
        middle_half = float(ordered[(3 * len(ordered)) // 4] - ordered[len(ordered) // 4])
        whole = float(ordered[-1] - ordered[0])
    spreads = [size for size in (middle_half, whole, abs(float(ordered[0]))) if 0 < size < math.inf]
    exponents = [math.frexp(spreads[0] if spreads else 1.0)[1] - _UNIT_BITS, _LOWEST_EXPONENT]
    if 0 < whole < math.inf:
        exponents.append(math.frexp(whole)[1] - _RANGE_BITS)
    return math.ldexp(1.0, max(exponents))
