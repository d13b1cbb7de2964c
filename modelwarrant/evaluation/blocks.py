"""Which rows of a window may move together, so that they count as one observation?

Losses of neighbouring rows are seldom independent: a hard day is hard for every row of it. An
interval that takes rows as independent is then too narrow, and a rule that trusts it promotes too
often. So every bound rests on sums over blocks of neighbouring rows.

* With a time column: calendar days (UTC); hours where the window holds fewer than ten days' worth.
* Without one: 64 contiguous runs of rows. The order of the rows is then the only clock there is.
  Taking independent rows as 64 runs costs 1.5 % of the interval's width (Student's t with 63
  degrees of freedom against the normal), which is cheaper than believing in independence.

``bounds`` joins neighbouring blocks further while their means still move together.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from modelwarrant.windows import Window

__all__ = ["MIN_BLOCKS", "Blocks", "block_rows", "block_rows_or_runs", "chronological"]

MIN_BLOCKS = 10
"""Fewer independent blocks give no bound: at ten, skewed losses already double the error rate."""

ROW_BLOCKS = 64
"""Runs of rows where no time is known."""

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


@dataclass(frozen=True)
class Blocks:
    """The block of each row: ``codes`` is (n,) int64, non-decreasing from 0 without gaps."""

    codes: npt.NDArray[np.int64]
    unit: str
    """``days``, ``hours`` or ``runs of rows``."""

    @cached_property
    def sizes(self) -> npt.NDArray[np.float64]:
        """Rows of each block, (n_blocks,)."""
        return np.bincount(self.codes).astype(np.float64)

    def sums(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the sum of the values of each block, (n_blocks,)."""
        return np.asarray(np.bincount(self.codes, weights=values), dtype=np.float64)

    @property
    def effective(self) -> float:
        """Number of equal blocks that weigh as much: (sum n)^2 / sum n^2, as for clusters."""
        return effective_count(self.sizes)

    def take(self, rows: npt.NDArray[np.bool_]) -> "Blocks":
        """Return the blocks of a subset of the rows; blocks left empty vanish."""
        return Blocks(_renumbered(self.codes[rows]), self.unit)


def effective_count(sizes: npt.NDArray[np.float64]) -> float:
    """Return Kish's effective number of blocks of these sizes; 0 for none.

    >>> effective_count(np.array([5.0, 5.0])), round(effective_count(np.array([98.0, 1.0, 1.0])), 2)
    (2.0, 1.04)
    """
    return float(sizes.sum() ** 2 / np.square(sizes).sum()) if len(sizes) else 0.0


def chronological(window: Window, canonical: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the rows' indices oldest first; rows of one instant stand in canonical order.

    Args:
        window: the rows.
        canonical: ``windows.canonical_order(window)``.
    """
    return canonical[np.argsort(window.order[canonical], kind="stable")]


def block_rows(window: Window) -> Blocks:
    """Return the blocks of a window whose rows stand oldest first."""
    order = window.order
    if window.schema.time is None:
        return _runs(len(order))
    days = Blocks(_renumbered(order // _DAY_US), "days")
    if days.effective >= MIN_BLOCKS:
        return days
    return Blocks(_renumbered(order // _HOUR_US), "hours")


def block_rows_or_runs(window: Window) -> Blocks:
    """Return ``block_rows``, or 64 runs of rows where a window is too short to have ten of them.

    For an error that is stated beside a number: logged rows may all be of one hour.
    """
    found = block_rows(window)
    if found.effective >= MIN_BLOCKS:
        return found
    return _runs(len(window))


def _runs(rows: int) -> Blocks:
    runs = min(ROW_BLOCKS, rows)
    codes = np.arange(rows, dtype=np.int64) * runs // max(rows, 1)
    return Blocks(codes, "runs of rows")


def _renumbered(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return non-decreasing keys as 0, 1, 2 ... without gaps."""
    if not len(keys):
        return keys
    return np.concatenate(([0], np.cumsum(keys[1:] != keys[:-1]))).astype(np.int64)
