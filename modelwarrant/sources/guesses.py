"""What may a model read of one column, and if nothing, why?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from modelwarrant.sources.columns import Column, stray_texts
from modelwarrant.windows import Feature

__all__ = ["Guess", "feature_guess"]

MAX_LISTED: Final = 20
"""Levels up to which categories are written out: a person can read twenty."""
MAX_LEVELS: Final = 250
"""Levels up to which a text is a category; the histogram trees bin at most 255."""
_NEAR_ONE: Final = 0.9
"""Largest value from which numbers between 0 and 1 are taken for shares."""
_ID_SHARE: Final = 0.5
"""Share of distinct texts from which a column is an identifier."""
_MIN_ROWS: Final = 20
"""Rows below which an order of values is taken for chance."""
_ID_NAME: Final = re.compile(r"(^|[_\s.-])(id|uuid|guid|key|no|nr|num|number|index|instant)$", re.I)
_DENSE: Final = 10
"""Whole numbers without repeats are a numbering where their span is at most this many rows."""
_SLASHED_DATE: Final = re.compile(r"\d{1,4}[/.]\d{1,2}[/.]\d{1,4}")


@dataclass(frozen=True)
class Guess:
    """A column as a feature, with what was seen; or left out, with the reason."""

    feature: Feature | None
    """As it is declared, or would be; None where no kind fits."""
    note: str
    is_left_out: bool = False


def feature_guess(column: Column, *, sequence: npt.NDArray[np.int64], along_time: bool) -> Guess:
    """Guess what a column is.

    Args:
        column: the values.
        sequence: (n,) rows from the oldest to the newest.
        along_time: whether that order comes from a time column.
    """
    if not column.name:
        return Guess(None, "has no name", True)
    if column.kind is None:
        return Guess(None, column.reason, True)
    known = column.take(sequence).known
    distinct = len(column.levels) if column.kind == "category" else len(np.unique(known))
    feature = _feature(column, known)
    if distinct == 1:
        return Guess(feature, f"one value only: {_one(column, known)}", True)
    if column.kind == "time":
        return Guess(feature, "an instant: every later window lies outside what was learned", True)
    if column.kind == "category":
        return _category(column, feature, distinct)
    if reason := _counter(column, known, distinct, along_time):
        return Guess(feature, reason, True)
    return Guess(feature, _seen(column, feature, known))


def _feature(column: Column, known: npt.NDArray[np.float64]) -> Feature:
    """Declare a column as it looks."""
    name, missing = column.name, column.missing > 0
    if column.kind == "number" and set(np.unique(known[:1000])) <= {0.0, 1.0}:
        distinct = np.unique(known)
        if distinct.tolist() == [0.0, 1.0]:
            return Feature(name=name, kind="boolean", missing=missing)
    if column.kind == "number":
        return Feature(name=name, kind="number", range=_range(known), missing=missing)
    if column.kind == "category" and len(column.levels) <= MAX_LISTED:
        return Feature(name=name, kind="category", categories=column.levels, missing=missing)
    assert column.kind is not None  # noqa: S101 - columns of no kind never come here
    return Feature(name=name, kind=column.kind, missing=missing)


def _range(known: npt.NDArray[np.float64]) -> tuple[float | None, float | None] | None:
    """Return bounds that later values very likely keep, too."""
    if known.min() < 0:
        return None
    is_share = _NEAR_ONE <= known.max() <= 1 and (known != np.floor(known)).any()
    return (0.0, 1.0) if is_share else (0.0, None)


def _category(column: Column, feature: Feature, distinct: int) -> Guess:
    rows = len(column.codes) - column.missing
    if found := stray_texts(column):
        text, stray = found
        return Guess(
            Feature(name=column.name, kind="number", missing=True),
            f"numbers, but {stray:,} rows hold text such as {text!r}: make it empty in the data",
            True,
        )
    if all(_SLASHED_DATE.match(level) for level in column.levels[:50]):
        return Guess(feature, "dates, but not in ISO 8601 (2013-01-31): rewrite them", True)
    if distinct > MAX_LISTED and distinct > _ID_SHARE * rows:
        return Guess(feature, f"{distinct:,} texts in {rows:,} rows: an identifier", True)
    if distinct > MAX_LEVELS:
        return Guess(
            feature, f"{distinct:,} levels, {rows // distinct} rows each: too many to learn", True
        )
    notes = [f"{distinct} levels"] if feature.categories is None else []
    if any(re.match(r"0\d", level) for level in column.levels):
        notes.append("leading zeros, so text")
    for text in ("NA", "N/A", "null", "NULL", "None", "NaN", "nan"):
        if text in column.levels:
            notes.append(f"{text!r} is a level here, not a missing value")
    return Guess(feature, _joined([*notes, _missing(column)]))


def _counter(
    column: Column, known: npt.NDArray[np.float64], distinct: int, along_time: bool
) -> str | None:
    """Return why a column counts rows or time, or None."""
    if len(known) < _MIN_ROWS or not np.isfinite(known).all():
        return None
    steps = np.diff(known)
    rises, falls = bool((steps >= 0).all()), bool((steps <= 0).all())
    is_unique = distinct == len(known)
    if (rises or falls) and is_unique and column.is_whole:
        return "counts the rows"
    if (rises or falls) and (along_time or is_unique):
        return f"only {'grows' if rises else 'falls'} along the data: later windows lie outside"
    if is_unique and column.is_whole and column.missing == 0:
        dense = np.ptp(known) < _DENSE * len(known)
        if dense or _ID_NAME.search(column.name):
            return "another whole number in every row: an identifier"
    return None


def _seen(column: Column, feature: Feature, known: npt.NDArray[np.float64]) -> str:
    if feature.kind == "boolean":
        return _joined([f"{known.mean():.1%} true", _missing(column)])
    infinite = int(np.count_nonzero(np.isinf(known)))
    return _joined(
        [
            f"{known.min():g} to {known.max():g}",
            f"{infinite:,} infinite, which no contract allows" if infinite else "",
            _missing(column),
        ]
    )


def _missing(column: Column) -> str:
    return f"{column.missing:,} missing" if column.missing else ""


def _joined(notes: Sequence[str]) -> str:
    return ", ".join(note for note in notes if note)


def _one(column: Column, known: npt.NDArray[np.float64]) -> str:
    text = repr(column.levels[0]) if column.kind == "category" else f"{known[0]:g}"
    return text + (f", else missing ({column.missing:,} rows)" if column.missing else "")
