"""Is the candidate worse for some part of the rows, although it is better for all of them?

A slice is a level of a category, or a bin between quintiles of the reference. ``harmed`` needs
proof (Holm over the slices) that the loss grew by more than the non-inferiority margin; ``ok``
needs proof that it did not grow by more than the slices' own, wider margin; the rest is
``unclear``. A wider margin, because a slice has few rows: with one margin for both nearly every
slice would stay unclear, and a person would be asked each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import ProjectError
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.bounds import MeanBounds, mean_bounds
from modelwarrant.evaluation.significance import holm
from modelwarrant.records import Interval, SliceComparison
from modelwarrant.windows import Window

__all__ = ["MIN_SLICE_ROWS", "compare_slices", "require_slices", "slice_members"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.bool_]

MIN_SLICE_ROWS = 50
"""Levels with fewer rows are pooled; no level with fewer rows is named in a report."""

NEGLIGIBLE_SHARE = 0.05
"""A pool too small to judge and below this share of the rows does not make the slices unclear."""

_QUINTILES = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Member:
    """One slice: its column, the level or bin, and a mask of its rows."""

    column: str
    value: str
    rows: Rows


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


def slice_members(window: Window, reference: Window | None, column: str) -> tuple[Member, ...]:
    """Return the slices of a column: together they cover every row of the window once.

    Args:
        window: the rows to cut.
        reference: whose quintiles cut a number; the window's own where there is none.
        column: a feature.
    """
    named = list(_named(window, reference, column))
    rare = [member for member in named if member.rows.sum() < MIN_SLICE_ROWS]
    members = [member for member in named if member.rows.sum() >= MIN_SLICE_ROWS]
    if rare:
        pool = np.logical_or.reduce([member.rows for member in rare])
        plural = "s" if len(rare) > 1 else ""
        members.append(Member(column, f"({len(rare)} rare value{plural})", pool))
    return tuple(members)


def _named(window: Window, reference: Window | None, column: str) -> Iterator[Member]:
    kind = window.schema.feature(column).kind
    if kind == "category":
        codes, levels = window.levels(column)
        for code, level in enumerate(levels):
            if (rows := codes == code).any():
                yield Member(column, level, rows)
        missing = codes < 0
    else:
        values = window.numbers(column)
        missing = np.isnan(values)
        if kind == "boolean":
            cuts = {"false": values == 0, "true": values == 1}
        else:
            cuts = _bins(values, values if reference is None else reference.numbers(column), kind)
        for value, rows in cuts.items():
            if rows.any():
                yield Member(column, value, rows)
    if missing.any():
        yield Member(column, "(missing)", missing)


def _bins(values: Floats, reference: Floats, kind: str) -> dict[str, Rows]:
    """Cut numbers at the reference's quintiles into right-closed bins with open ends."""
    known = reference[np.isfinite(reference)]
    known = known if len(known) else values[np.isfinite(values)]
    if not len(known):
        return {}
    edges = np.unique(np.quantile(known, _QUINTILES))
    codes = np.searchsorted(edges, values, side="left")
    texts = [_edge_text(edge, kind) for edge in edges]
    labels = [
        f"<= {texts[0]}",
        *(f"({low}, {high}]" for low, high in pairwise(texts)),
        f"> {texts[-1]}",
    ]
    present = ~np.isnan(values)
    return {label: (codes == code) & present for code, label in enumerate(labels)}


def _edge_text(edge: float, kind: str) -> str:
    return str(np.datetime64(round(edge), "s")) if kind == "time" else f"{edge:.6g}"


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
