"""G1, G2 and G4: is this data, or a fault of whatever wrote it?

Gates are rules, not distribution questions: a fault blocks whatever the drift tests say. ``scale``
holds G3.
"""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from modelwarrant.drift.features import MIN_ROWS
from modelwarrant.drift.statistics import proportions_p_value, unseen_p_value
from modelwarrant.profiles import CategoryProfile, NumberSummary
from modelwarrant.records import Gate

__all__ = [
    "Runs",
    "category_gates",
    "duplicate_gate",
    "number_gates",
    "overlap_gate",
    "quiet_gates",
    "row_gates",
    "timeless",
]

_COMMON_SHARE = 0.9
"""A column whose commonest value fills this much of the reference may well become constant."""

_CHANCE = 1e-3
"""A constant that chance alone makes more often than this is no fault."""

_MISSING_WARN, _MISSING_BLOCK = 0.02, 0.10
_MISSING_ALPHA = 0.01
_UNSEEN_WARN, _UNSEEN_BLOCK = 0.005, 0.05
_UNSEEN_ALPHA = 1e-3
_UNSEEN_DEVIATIONS = 3.0

_Column = NumberSummary | CategoryProfile

Runs = Callable[[], tuple[float, float] | None]
"""Into how many runs of one value both windows fall in time order; None where time is unknown."""


def timeless() -> tuple[float, float] | None:
    """Know of no time."""
    return None


def row_gates(n_reference: int, n_current: int) -> list[Gate]:
    """G1 on the row count: an empty window blocks, one below the floor of D1 is noticed."""
    gates = []
    for window, rows in (("reference", n_reference), ("current", n_current)):
        if rows >= MIN_ROWS:
            continue
        gates.append(
            Gate(
                gate="G1",
                column=None,
                level="notice" if rows else "block",
                detail=f"the {window} window holds {rows} rows, {MIN_ROWS} are needed to judge",
                value=rows,
                threshold=MIN_ROWS,
                n_reference=n_reference,
                n_current=n_current,
            )
        )
    return gates


def duplicate_gate(duplicates: int, rows: int) -> list[Gate]:
    """G1 on rows of the current window that repeat another row in every column."""
    if not duplicates:
        return []
    share = duplicates / rows
    return [
        Gate(
            gate="G1",
            column=None,
            level="notice",
            detail=f"{duplicates} of {rows} current rows ({share:.1%}) repeat another row",
            value=share,
            threshold=0.0,
            n_current=rows,
        )
    ]


def overlap_gate(shared: int, sizes: tuple[int, int], *, is_same: bool) -> list[Gate]:
    """G1 on windows that are no two: what they share looks like itself, and may hide a difference.

    Args:
        shared: current rows that lie within the reference's time, where both times cross.
        sizes: rows of both windows.
        is_same: whether both windows hold the same rows.
    """
    if not (shared or is_same):
        return []
    shared = sizes[1] if is_same else shared
    said = (
        "both windows hold the same rows"
        if is_same
        else f"the windows overlap: {shared} of {sizes[1]} current rows lie in the reference's time"
    )
    return [
        Gate(
            gate="G1",
            column=None,
            level="notice",
            detail=f"{said}, which may hide a difference",
            value=shared / sizes[1],
            threshold=0.0,
            n_reference=sizes[0],
            n_current=sizes[1],
        )
    ]


def number_gates(
    name: str,
    reference: NumberSummary,
    current: NumberSummary,
    *,
    n_features: int,
    runs: Runs = timeless,
) -> list[Gate]:
    """G1 and G2 of a number or an instant."""
    gates = []
    before, after = (_rows(column) for column in (reference, current))
    for window, column in (("reference", reference), ("current", current)):
        if column.infinite:
            gates.append(
                Gate(
                    gate="G1",
                    column=name,
                    level="block",
                    detail=f"{column.infinite} infinite values in the {window} window",
                    value=column.infinite,
                    threshold=0.0,
                    n_reference=before,
                    n_current=after,
                )
            )
    gates += _missing(name, reference.missing, before, current.missing, after, n_features)
    if current.rows and current.minimum == current.maximum:
        value = f"{current.minimum:g}"
        share = reference.commonest_share
        sizes = reference.rows, current.rows
        gates += _constant(name, value, share, sizes, n_features=n_features, runs=runs)
    return gates


def category_gates(
    name: str,
    reference: CategoryProfile,
    current: CategoryProfile,
    *,
    n_features: int,
    runs: Runs = timeless,
) -> list[Gate]:
    """G1, G2 and G4 of a category or boolean."""
    before, after = (_rows(column) for column in (reference, current))
    gates = _missing(name, reference.missing, before, current.missing, after, n_features)
    if len(current.counts) == 1 and not current.hashed:
        share = max((count for _, count in reference.counts), default=0) / max(reference.rows, 1)
        value = repr(current.counts[0][0])
        sizes = reference.rows, current.rows
        gates += _constant(name, value, share, sizes, n_features=n_features, runs=runs)
    return gates + _unseen(name, reference, current, n_features)


def quiet_gates(found: list[Gate], n_features: int) -> list[Gate]:
    """Return one ``ok`` entry for each gate that found nothing, so that it is seen to have run."""
    checks = {
        "G1": "row counts, infinite, missing and constant columns, duplicate rows",
        "G2": "share of missing values",
        "G3": "unit of numbers",
        "G4": "levels that the reference never showed",
    }
    fired = {gate.gate for gate in found}
    return [
        Gate.model_validate(
            {"gate": name, "column": None, "level": "ok", "detail": f"{n_features} columns: {what}"}
        )
        for name, what in checks.items()
        if name not in fired
    ]


def _rows(column: _Column) -> int:
    """Return a column's rows, missing and infinite ones included."""
    infinite = 0 if isinstance(column, CategoryProfile) else column.infinite
    return column.rows + column.missing + infinite


def _missing(
    name: str, missing: int, n: int, missing_current: int, m: int, n_features: int
) -> list[Gate]:
    """G1 on columns without any value, and G2 on the share of missing ones."""
    if not (n and m):
        return []
    before, after = missing / n, missing_current / m
    gates = []
    if after == 1 and before < 1:
        said = "every value is missing in the current window"
        gates.append(_all_missing(name, "block", said, after, n, m))
    elif before == 1:
        said = f"every value is missing in {'both windows' if after == 1 else 'the reference'}"
        gates.append(_all_missing(name, "notice", said, after, n, m))
    change = abs(after - before)
    p_value = proportions_p_value(missing, n, missing_current, m)
    if change >= _MISSING_WARN and p_value < _MISSING_ALPHA / n_features:
        is_block = change >= _MISSING_BLOCK
        gates.append(
            Gate(
                gate="G2",
                column=name,
                level="block" if is_block else "warn",
                detail=f"missing values went from {before:.1%} to {after:.1%} (p {p_value:.2g})",
                value=change,
                threshold=_MISSING_BLOCK if is_block else _MISSING_WARN,
                p_value=p_value,
                n_reference=n,
                n_current=m,
            )
        )
    return gates


def _all_missing(
    name: str, level: Literal["notice", "block"], detail: str, share: float, n: int, m: int
) -> Gate:
    return Gate(
        gate="G1",
        column=name,
        level=level,
        detail=detail,
        value=share,
        threshold=1.0,
        n_reference=n,
        n_current=m,
    )


def _constant(
    name: str, value: str, share: float, sizes: tuple[int, int], *, n_features: int, runs: Runs
) -> list[Gate]:
    """G1 on a current column with one value; ``share`` is that of the reference's commonest.

    Chance makes it of independent rows with probability share^m. A column that moves in runs, as
    ``season`` does, is constant where no run ends: with r turns in the reference's n rows and turns
    at random, m rows are so with probability exp(-r m / n).
    """
    n, m = sizes
    limit = _CHANCE / n_features
    is_fault, chance = share < _COMMON_SHARE, ""
    p_value = share**m if share else None
    if share < 1 and p_value is not None and p_value >= limit:
        chance = f", so {m} rows may be constant by chance"
    elif is_fault and p_value is not None and (found := runs()) is not None:
        turns = found[0] - 1
        p_value = max(p_value, math.exp(-turns * m / n))
        if p_value >= limit:
            chance = (
                f"; it changed {turns:.0f} times in {n} rows, so {m} may show one value by chance"
            )
    return [
        Gate(
            gate="G1",
            column=name,
            level="block" if is_fault and not chance else "notice",
            detail=f"constant at {value}; the reference's commonest value holds "
            + (f"{share:.1%}" if share >= 0.5 else "less than half")
            + chance,
            value=share,
            threshold=_COMMON_SHARE,
            p_value=p_value,
            n_reference=n,
            n_current=m,
        )
    ]


def _unseen(
    name: str, reference: CategoryProfile, current: CategoryProfile, n_features: int
) -> list[Gate]:
    """G4: more rows with levels that the reference never showed than Good and Turing expect.

    The expected share is f1 / n; its variance is (f1 (1 - f1 / n) + 2 f2) / n^2 (Esty 1983) plus
    that of the current sample. f1 and f2 are the levels that the reference showed once and twice.
    Three deviations are one column in 700, so that chance must be ruled out over the features, too.
    """
    n, m = reference.rows, current.rows
    if reference.hashed or current.hashed or not (n and m):
        return []
    known = reference.levels
    new = {level: count for level, count in current.counts if level not in known}
    unseen = sum(new.values())
    once, twice = (sum(count == times for count in known.values()) for times in (1, 2))
    share, expected = unseen / m, once / n
    deviation = math.sqrt((once * (1 - expected) + 2 * twice) / n**2 + expected / m)
    levels = sorted(known.keys() | new.keys())
    counts = (
        np.array([profile.get(level, 0) for level in levels], dtype=np.int64)
        for profile in (known, current.levels)
    )
    p_value = unseen_p_value(*counts)
    threshold = max(_UNSEEN_WARN, expected + _UNSEEN_DEVIATIONS * deviation)
    if share < threshold or p_value >= _UNSEEN_ALPHA / n_features:
        return []
    commonest = sorted(new, key=lambda level: (-new[level], level))[:3]
    return [
        Gate(
            gate="G4",
            column=name,
            level="block" if share >= _UNSEEN_BLOCK else "warn",
            detail=f"{share:.1%} of rows hold levels the reference never showed "
            f"({expected:.1%} expected): {', '.join(map(repr, commonest))}"
            + (f" and {len(new) - 3} more" if len(new) > 3 else ""),
            value=share,
            threshold=threshold,
            p_value=p_value,
            n_reference=n,
            n_current=m,
        )
    ]
