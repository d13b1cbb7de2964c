"""Which columns give the target away?

A column that tells the target almost without error was mostly computed from it, or is known only
afterwards. Such a column makes a model that is perfect in every test and useless on the day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from modelwarrant.sources.columns import Column
from modelwarrant.windows import Task

__all__ = ["Giveaway", "giveaways", "skill"]

_MAX_ROWS: Final = 20_000
"""Rows looked at, evenly spread; enough to see a rule that holds for 98 of 100 errors."""
_MIN_ROWS: Final = 40
_PAIR_ROWS: Final = 2_000
_MAX_PAIRED: Final = 100
"""Columns tried in pairs; 100 make 4,950 pairs and take about a second."""
_BINS: Final = 500

LEAK: Final[Mapping[Task, float]] = {"classification": 0.98, "regression": 0.999}
"""Share of a constant guess's loss that one column removes, from which it is left out. A distance
explains .98 of the variance of an air time and is no leak; hence the second figure."""
STRONG: Final[Mapping[Task, float]] = {"classification": 0.5, "regression": 0.9}
"""The same, from which a person is asked to look."""
_EXACT: Final = 0.9999
"""Correlation of target and pair from which the pair counts as an identity."""


@dataclass(frozen=True)
class Giveaway:
    """What one column, or one of a pair, says of the target."""

    is_leak: bool
    reason: str


def giveaways(columns: Sequence[Column], target: Column, task: Task) -> dict[str, Giveaway]:
    """Return the columns that tell the target, by name.

    Args:
        columns: candidates for features, rows aligned with the target.
        target: its rows; those without a value are left out.
        task: what the target is.
    """
    known = target.codes >= 0 if target.kind == "category" else ~np.isnan(target.numbers)
    rows = np.flatnonzero(known)
    if len(rows) < _MIN_ROWS:
        return {}
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MAX_ROWS)).astype(np.int64)]
    wanted = target.take(rows)
    values = wanted.known
    found = {}
    for column in columns:
        share = skill(column.take(rows), values, task)
        if share is not None and share >= STRONG[task]:
            found[column.name] = Giveaway(share >= LEAK[task], _told(share, task, target.name))
    if task == "regression":
        rest = [c for c in columns if not (c.name in found and found[c.name].is_leak)]
        found |= _pairs(rest, target, rows)
    return found


def skill(column: Column, target: npt.NDArray[np.float64], task: Task) -> float | None:
    """Return the share of a constant guess's loss that a column alone removes, at most 1.

    Groups of equal values (or 500 quantile bins) are fitted on every other row and judged on the
    rest, so that a column of unique values tells nothing.

    Args:
        column: (n,) rows.
        target: (n,) codes or values, none missing.
        task: errors (classification) or squared errors (regression) are counted.

    Returns:
        None where a constant guess makes no error.
    """
    groups = _groups(column)
    fit, judge = slice(0, None, 2), slice(1, None, 2)
    judged = groups[judge]
    if column.kind != "category":
        judged = _nearest(judged, groups[fit])
    if task == "classification":
        return _class_skill(groups[fit], target[fit], judged, target[judge])
    binned = _mean_skill(groups[fit], target[fit], judged, target[judge])
    if column.kind == "category" or binned is None:
        return binned
    return max(binned, _correlation(column.numbers, target) ** 2)


def _groups(column: Column) -> npt.NDArray[np.int64]:
    """Return a group number for each row; missing is a group of its own."""
    if column.kind == "category":
        return column.codes.astype(np.int64) + 1
    missing = np.isnan(column.numbers)
    known = column.numbers[~missing]
    distinct = np.unique(known)
    if len(distinct) > 2 * _BINS:
        distinct = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]))
    groups = np.searchsorted(distinct, column.numbers).astype(np.int64) + 1
    groups[missing] = 0
    return groups


def _nearest(groups: npt.NDArray[np.int64], fitted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Move each group of numbers to the next lower one that was fitted; missing stays."""
    known = np.unique(fitted[fitted > 0])
    if not len(known):
        return groups
    nearest = known[np.maximum(np.searchsorted(known, groups, side="right") - 1, 0)]
    return np.where(groups > 0, nearest, 0)


def _class_skill(
    fit_groups: npt.NDArray[np.int64],
    fit: npt.NDArray[np.float64],
    judge_groups: npt.NDArray[np.int64],
    judge: npt.NDArray[np.float64],
) -> float | None:
    codes, counts = np.unique(fit, return_counts=True)
    commonest = codes[counts.argmax()]
    baseline = int(np.count_nonzero(judge != commonest))
    if not baseline:
        return None
    size = int(max(fit_groups.max(), judge_groups.max())) + 1
    votes = np.zeros((size, len(codes)), dtype=np.int64)
    np.add.at(votes, (fit_groups, np.searchsorted(codes, fit)), 1)
    answer = np.where(votes.sum(axis=1) > 0, codes[votes.argmax(axis=1)], commonest)
    return 1.0 - float(np.count_nonzero(judge != answer[judge_groups])) / baseline


def _mean_skill(
    fit_groups: npt.NDArray[np.int64],
    fit: npt.NDArray[np.float64],
    judge_groups: npt.NDArray[np.int64],
    judge: npt.NDArray[np.float64],
) -> float | None:
    mean = float(fit.mean())
    baseline = float(((judge - mean) ** 2).sum())
    if not baseline > 0:
        return None
    size = int(max(fit_groups.max(), judge_groups.max())) + 1
    counts = np.bincount(fit_groups, minlength=size)
    sums = np.bincount(fit_groups, weights=fit, minlength=size)
    answer = np.where(counts > 0, sums / np.maximum(counts, 1), mean)
    return 1.0 - float(((judge - answer[judge_groups]) ** 2).sum()) / baseline


def _pairs(
    columns: Sequence[Column], target: Column, rows: npt.NDArray[np.int64]
) -> dict[str, Giveaway]:
    """Return the columns of which two make the target by one of + - * /."""
    numbers = [column for column in columns if column.kind == "number"][:_MAX_PAIRED]
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _PAIR_ROWS)).astype(np.int64)]
    wanted = target.numbers[rows]
    found: dict[str, Giveaway] = {}
    for one, other in combinations(numbers, 2):
        identity = _identity(one.numbers[rows], other.numbers[rows], wanted)
        if identity is not None:
            formula = identity.format(one.name, other.name)
            for name in (one.name, other.name):
                found[name] = Giveaway(True, f"{target.name} follows from {formula}")
    return found


def _identity(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], target: npt.NDArray[np.float64]
) -> str | None:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # tried, not used
        made = {
            "{0} + {1}": one + other,
            "{0} - {1}": one - other,
            "{0} * {1}": one * other,
            "{0} / {1}": one / other,
            "{1} / {0}": other / one,
        }
    alone = max(abs(_correlation(one, target)), abs(_correlation(other, target)))
    for formula, values in made.items():
        together = abs(_correlation(values, target))
        if together >= _EXACT and 1 - together < (1 - alone) / 10:
            return formula
    return None


def _correlation(values: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> float:
    """Return Pearson's correlation over the rows where both are finite, 0 where undefined."""
    both = np.isfinite(values) & np.isfinite(target)
    if np.count_nonzero(both) < max(_MIN_ROWS, len(target) // 2):
        return 0.0
    one, other = values[both] - values[both].mean(), target[both] - target[both].mean()
    scale = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 0 and np.isfinite(scale) else 0.0


def _told(share: float, task: Task, target: str) -> str:
    removed = "errors" if task == "classification" else "variance"
    return f"alone explains {share:.1%} of the {removed} in {target}"
