"""Which rows of a window belong together, so that each part can be looked at by itself?

A slice is a level of a category, or a bin between quintiles of the reference.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from modelwarrant.windows.window import Window

__all__ = ["MIN_SLICE_ROWS", "Member", "slice_members"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.bool_]

MIN_SLICE_ROWS = 50
"""Levels with fewer rows are pooled; no level with fewer rows is named in a report."""

_QUINTILES = (0.2, 0.4, 0.6, 0.8)


@dataclass(frozen=True)
class Member:
    """One slice: its column, the level or bin, and a mask of its rows."""

    column: str
    value: str
    rows: Rows


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
