"""Is the candidate worse for some part of the rows, although it is better for all of them?

A slice is a level of a category, or a bin between quintiles of the reference. ``harmed`` needs
proof (Holm over the slices) that the loss grew by more than the non-inferiority margin; ``ok``
needs proof that it did not grow by more than the slices' own, wider margin; the rest is
``unclear``. A wider margin, because a slice has few rows: with one margin for both nearly every
slice would stay unclear, and a person would be asked each time.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import ProjectError
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.bounds import MeanBounds, mean_bounds
from modelwarrant.evaluation.significance import holm
from modelwarrant.records import Interval, SliceComparison
from modelwarrant.windows import MIN_SLICE_ROWS, Member, Window

__all__ = ["compare_slices", "require_slices"]

Floats = npt.NDArray[np.float64]

NEGLIGIBLE_SHARE = 0.05
"""A pool too small to judge and below this share of the rows does not make the slices unclear."""


def require_slices(columns: Sequence[str], window: Window) -> None:
    """Refuse slices that are no features, or stand twice.

    Raises:
        ProjectError: names the column.
    """
    for column in columns:
        if column not in window.schema.names:
            raise ProjectError(
                f"slice {column!r} is not a feature; features are {', '.join(window.schema.names)}"
            )
        if list(columns).count(column) > 1:
            raise ProjectError(f"slice {column!r} is named twice")


def compare_slices(
    gains: Floats,
    blocks: Blocks,
    members: Sequence[Member],
    *,
    alpha: float,
    margin: float,
    margin_slices: float,
) -> tuple[SliceComparison, ...]:
    """Judge every slice.

    H0 of ``harmed``: the candidate's loss is no more than ``margin`` above the baseline's. Floor:
    50 rows and ten effective blocks.

    Args:
        gains: baseline's loss minus candidate's of each row, (n,) float64.
        blocks: the rows' blocks.
        members: the slices.
        alpha: level of the bounds and of the family of tests, in (0, 0.5).
        margin: absolute non-inferiority margin, >= 0.
        margin_slices: absolute harm that must be ruled out, >= margin.
    """
    found = [mean_bounds(gains[m.rows], blocks.take(m.rows), alpha=alpha) for m in members]
    counts = [int(member.rows.sum()) for member in members]
    p_values = [
        bounds.p_below(-margin) if count >= MIN_SLICE_ROWS else None
        for bounds, count in zip(found, counts, strict=True)
    ]
    tested = [p for p in p_values if p is not None]
    adjusted = iter(holm(tested))
    slices = []
    for member, count, bounds, p in zip(members, counts, found, p_values, strict=True):
        p_adjusted = next(adjusted) if p is not None else None
        level, reason = _level(
            bounds, count, count / len(gains), p_adjusted, alpha=alpha, margin_slices=margin_slices
        )
        slices.append(
            SliceComparison(
                column=member.column,
                value=member.value,
                n_rows=count,
                gain=_interval(bounds, count, alpha=alpha),
                p_harm=p,
                p_harm_adjusted=p_adjusted,
                level=level,
                reason=reason,
            )
        )
    return tuple(slices)


def _interval(bounds: MeanBounds, count: int, *, alpha: float) -> Interval:
    judged = count >= MIN_SLICE_ROWS
    return Interval(
        estimate=bounds.estimate,
        lower=bounds.lower if judged else None,
        upper=bounds.upper if judged else None,
        alpha=alpha,
        method=bounds.method,
    )


def _level(
    bounds: MeanBounds,
    count: int,
    share: float,
    p_adjusted: float | None,
    *,
    alpha: float,
    margin_slices: float,
) -> tuple[Literal["ok", "harmed", "unclear"], str | None]:
    if count < MIN_SLICE_ROWS:
        reason = f"{count} rows, {MIN_SLICE_ROWS} are needed"
        if share < NEGLIGIBLE_SHARE:
            return "ok", f"{reason}; {share:.1%} of all rows, too few to matter here"
        return "unclear", reason
    if bounds.lower is None:
        return "unclear", bounds.reason
    if p_adjusted is not None and p_adjusted < alpha:
        return "harmed", f"worse, adjusted p {p_adjusted:.2g}"
    if bounds.lower >= -margin_slices:
        return "ok", None
    return "unclear", f"a loss of more than {margin_slices:.3g} is not ruled out"
