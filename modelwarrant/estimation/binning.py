"""At which values does LightGBM cut a feature before it grows a tree?

Direct loss estimation is defined by NannyML on LightGBM's regressor. scikit-learn's histogram trees
grow leaf by leaf in the same way and differ in two things alone: where a feature is cut, and which
of several equally good cuts, between which no row lies, is taken. With LightGBM's cuts, and codes
that fall as values rise, both give the same estimate on numbers without gaps, and to 1e-4 with.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["cuts", "falling_codes"]

Floats = npt.NDArray[np.float64]

MAX_BINS = 255
MIN_ROWS_IN_BIN = 3

_ZERO = 1e-35
"""Values closer to 0 share a bin of their own."""


def cuts(values: Floats) -> Floats:
    """Return the upper ends of a feature's bins, ascending, the last one infinite.

    Reference: ``BinMapper::FindBin`` of LightGBM 4.5 with its defaults (255 bins, at least 3 rows
    in one, 0 in a bin of its own).

    Args:
        values: (n,) float64; NaN is missing.

    >>> cuts(np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 4.0])).tolist()
    [1e-35, 1.5, 3.0, inf]
    """
    known = values[~np.isnan(values)]
    distinct, counts = np.unique(known, return_counts=True)
    below, above = distinct <= -_ZERO, distinct > _ZERO
    most = MAX_BINS - (1 if len(known) < len(values) else 0) - 1
    n_below, n_signed = int(counts[below].sum()), int(counts[below | above].sum())
    found: list[float] = []
    if below.any():
        share = max(1, int(n_below / n_signed * most))
        found = [*_greedy(distinct[below], counts[below], share)[:-1], -_ZERO]
    if above.any() and most > len(found):
        found = [*found, _ZERO, *_greedy(distinct[above], counts[above], most - len(found))]
    else:
        found.append(np.inf)
    return np.array(found)


def falling_codes(values: Floats, ends: Floats) -> Floats:
    """Return minus the bin of each value, (n,) float64; missing stays NaN."""
    codes = -np.searchsorted(ends, values, side="left").astype(np.float64)
    codes[np.isnan(values)] = np.nan
    return codes


def _greedy(values: Floats, counts: npt.NDArray[np.int64], most: int) -> list[float]:
    """Return the upper ends of at most so many bins of about equally many rows."""
    if len(values) <= most:
        return _distinct(values, counts)
    total = int(counts.sum())
    most = max(1, min(most, total // MIN_ROWS_IN_BIN))
    is_large = counts >= total / most
    bins_left, rows_left = most - int(is_large.sum()), total - int(counts[is_large].sum())
    mean = rows_left / bins_left if bins_left else np.inf
    ends: list[float] = []
    held = 0
    for place in range(len(values) - 1):
        if not is_large[place]:
            rows_left -= int(counts[place])
        held += int(counts[place])
        is_before_large = is_large[place + 1] and held >= max(1.0, mean / 2)
        if not (is_large[place] or held >= mean or is_before_large):
            continue
        ends.append(float(values[place] + values[place + 1]) / 2)
        if len(ends) >= most - 1:
            break
        held = 0
        if not is_large[place]:
            bins_left -= 1
            mean = rows_left / bins_left if bins_left else np.inf
    return [*ends, np.inf]


def _distinct(values: Floats, counts: npt.NDArray[np.int64]) -> list[float]:
    """Return an end between any two values, where a bin has enough rows."""
    ends: list[float] = []
    held = 0
    for place in range(len(values) - 1):
        held += int(counts[place])
        if held >= MIN_ROWS_IN_BIN:
            ends.append(float(values[place] + values[place + 1]) / 2)
            held = 0
    return [*ends, np.inf]
