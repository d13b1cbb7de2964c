"""Would the usual share rule call two windows drifted: half of the columns differ, each by itself?

The defaults of Evidently 0.7 (``DataDriftPreset``), from its documentation: the baseline that most
teams know. Above 1,000 rows a number drifts at a Wasserstein distance of .1 reference standard
deviations and a category at a Jensen-Shannon distance (base e) of .1; up to 1,000 rows at p < .05
of Kolmogorov-Smirnov and chi-square. A number with at most five values counts as a category.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial.distance import jensenshannon

from modelwarrant.windows import Window, label_text

__all__ = ["SHARE", "drifted_share"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

SHARE: Final = 0.5
"""Share of drifted columns from which the window counts as drifted."""
_DISTANCE: Final = 0.1
_P_VALUE: Final = 0.05
_MANY_ROWS: Final = 1000
_FEW_VALUES: Final = 5
_SMALLEST_SPREAD: Final = 0.001


def drifted_share(reference: Window, current: Window) -> float:
    """Return the share of features that the rule calls drifted, in [0, 1].

    Missing values are dropped; a feature without a value in one of the windows does not drift.
    Instants advance by nature and are left out.

    Args:
        reference: the window production was made from.
        current: the newest window, with the same features.
    """
    names = [feature for feature in current.schema.features if feature.kind != "time"]
    drifted = [
        _number_drifts(reference.numbers(each.name), current.numbers(each.name))
        if each.kind == "number"
        else _category_drifts(*_both_counts(reference, current, each.name))
        for each in names
    ]
    return sum(drifted) / len(drifted) if drifted else 0.0


def _number_drifts(reference: Floats, current: Floats) -> bool:
    before, after = (values[np.isfinite(values)] for values in (reference, current))
    if not len(before) or not len(after):
        return False
    values = np.unique(before)
    if len(values) <= _FEW_VALUES:
        levels = np.union1d(values, after)
        first, second = (
            np.array([np.count_nonzero(part == level) for level in levels])
            for part in (before, after)
        )
        return _category_drifts(first, second)
    if len(before) <= _MANY_ROWS:
        return bool(stats.ks_2samp(before, after).pvalue < _P_VALUE)
    spread = max(float(before.std()), _SMALLEST_SPREAD)
    return bool(stats.wasserstein_distance(before, after) / spread >= _DISTANCE)


def _both_counts(reference: Window, current: Window, name: str) -> tuple[Counts, Counts]:
    before, after = (window.level_counts(name)[0] for window in (reference, current))
    levels = sorted({*before, *after}, key=label_text)
    return (
        np.array([before.get(level, 0) for level in levels]),
        np.array([after.get(level, 0) for level in levels]),
    )


def _category_drifts(reference: Counts, current: Counts) -> bool:
    if not reference.sum() or not current.sum():
        return False
    if reference.sum() > _MANY_ROWS:
        return bool(jensenshannon(reference, current) >= _DISTANCE)
    known = reference > 0
    if current[~known].any():
        return True  # a level that the reference never showed: the statistic is infinite
    expected = reference[known] * (current.sum() / reference.sum())
    return bool(stats.chisquare(current[known], expected).pvalue < _P_VALUE)
