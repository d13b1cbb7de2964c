"""How do typed rows become the one numeric tensor that a model reads?

The encoding is the package's contract; its table stands in ``modelwarrant.bundle``.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import ContractError, SchemaMismatchError
from modelwarrant.windows import Feature, FeatureSchema, Kind, label_text

if TYPE_CHECKING:
    from modelwarrant.windows import Window

__all__ = ["UNSEEN", "check_rows", "encode", "encode_columns"]

UNSEEN = -1.0
"""Code of a level that is not one of the feature's categories."""

Column = Sequence[object] | npt.NDArray[np.generic]
"""Plain values of one feature, None for missing."""


def encode(window: "Window", schema: FeatureSchema) -> npt.NDArray[np.float64]:
    """Return a window's rows as a model of that schema reads them, (n, d) float64.

    The window may hold more columns than the schema, in any order; they are found by name.

    Raises:
        SchemaMismatchError: a feature is absent or of another kind in the window.
        ContractError: values break the schema; see ``check_rows``.
    """
    rows = np.empty((len(window), len(schema.features)), dtype=np.float64)
    held = {feature.name: feature.kind for feature in window.schema.features}
    for position, feature in enumerate(schema.features):
        if feature.name not in held or feature.name not in window.table.column_names:
            raise SchemaMismatchError(
                f"the model reads column {feature.name!r}, which the window does not hold "
                f"(it holds {', '.join(list(held)[:12])}{' ...' if len(held) > 12 else ''})"
            )
        if held[feature.name] != feature.kind:
            raise SchemaMismatchError(
                f"the model reads column {feature.name!r} as {feature.kind}, "
                f"and the window holds it as {held[feature.name]}"
            )
        if feature.kind == "category":
            codes, levels = window.levels(feature.name)
            rows[:, position] = _level_codes(feature, levels)[codes]
        else:
            rows[:, position] = window.numbers(feature.name)
    check_rows(rows, schema)
    return rows


def encode_columns(columns: Mapping[str, Column], schema: FeatureSchema) -> npt.NDArray[np.float64]:
    """Return plain columns, as a request or a script holds them, as (n, d) float64.

    Args:
        columns: values by feature name, all of one length. Numbers are int or float, booleans bool,
            categories text, times aware ``datetime`` or ISO 8601 text; None or NaN is missing.
        schema: the model's schema.

    Raises:
        SchemaMismatchError: a column is absent, unknown, of another length, or holds a value of
            another type; the message names column and row, never the value.
        ContractError: values break the schema; see ``check_rows``.
    """
    unknown = sorted(set(columns) - set(schema.names))
    absent = [name for name in schema.names if name not in columns]
    if unknown or absent:
        what = f"lacks column {absent[0]!r}" if absent else f"has an unknown column {unknown[0]!r}"
        raise SchemaMismatchError(f"the data {what}; the model reads {', '.join(schema.names)}")
    n_rows = len(columns[schema.names[0]])
    rows = np.empty((n_rows, len(schema.features)), dtype=np.float64)
    for position, feature in enumerate(schema.features):
        values = columns[feature.name]
        if len(values) != n_rows:
            raise SchemaMismatchError(
                f"column {feature.name!r} holds {len(values)} values, "
                f"and column {schema.names[0]!r} holds {n_rows}"
            )
        rows[:, position] = _plain(values, feature)
    check_rows(rows, schema)
    return rows


def check_rows(rows: npt.NDArray[np.float64], schema: FeatureSchema) -> None:
    """Refuse encoded rows that break the schema.

    Args:
        rows: (n, d) float64, encoded.
        schema: the model's schema of d features.

    Raises:
        SchemaMismatchError: the array is not of that shape.
        ContractError: a value is missing where none may be, infinite, outside its range, or no
            boolean or level code; the message names the column and the first such row.
    """
    if rows.ndim != 2 or rows.shape[1] != len(schema.features):
        raise SchemaMismatchError(
            f"the rows have shape {rows.shape}; the model reads {len(schema.features)} columns"
        )
    missing = np.isnan(rows)
    forbidden = np.array([not feature.missing for feature in schema.features])
    _refuse(missing & forbidden, schema, "has no value, and missing values are not allowed")
    _refuse(np.isinf(rows), schema, "is infinite")
    low, high = (np.array(bounds) for bounds in zip(*map(_bounds, schema.features), strict=True))
    with np.errstate(invalid="ignore"):  # a comparison with NaN is False, which is meant
        _refuse((rows < low) | (rows > high), schema, "is outside the declared range")
        whole = np.array([feature.kind in ("boolean", "category") for feature in schema.features])
        if whole.any():
            fraction = ~missing & whole & (rows != np.floor(rows))
            _refuse(fraction, schema, "is neither a boolean nor a level code")


def _refuse(broken: npt.NDArray[np.bool_], schema: FeatureSchema, what: str) -> None:
    columns = np.flatnonzero(broken.any(axis=0))
    if not len(columns):
        return
    column = broken[:, columns[0]]
    others = f" (and {len(columns) - 1} more columns)" if len(columns) > 1 else ""
    raise ContractError(
        f"column {schema.features[columns[0]].name!r}: row {int(np.argmax(column))} {what}; "
        f"{int(column.sum())} of {len(column)} rows{others}. Correct the data or the schema"
    )


def _bounds(feature: Feature) -> tuple[float, float]:
    if feature.kind == "boolean":
        return 0.0, 1.0
    if feature.kind == "category":
        return UNSEEN, len(feature.categories or ()) - 1.0
    low, high = feature.range or (None, None)
    return (-np.inf if low is None else low), (np.inf if high is None else high)


def _level_codes(feature: Feature, levels: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the code of each level, then NaN, which index -1 (missing) finds."""
    position = {level: float(code) for code, level in enumerate(feature.categories or ())}
    return np.array([*(position.get(level, UNSEEN) for level in levels), np.nan])


def _plain(values: Column, feature: Feature) -> npt.NDArray[np.float64]:
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "fiu" and feature.kind == "number":
            return values.astype(np.float64)
        values = values.tolist()
    convert = _converter(feature)
    encoded = np.empty(len(values), dtype=np.float64)
    for row, given in enumerate(values):
        value = given.item() if isinstance(given, np.generic) else given
        if value is None or (isinstance(value, float) and value != value):
            encoded[row] = np.nan
            continue
        try:
            encoded[row] = convert(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise SchemaMismatchError(
                f"column {feature.name!r}: row {row} holds a {type(value).__name__} that is no "
                f"{_WANTED[feature.kind]}"
            ) from error
    return encoded


_WANTED: Mapping[Kind, str] = {
    "number": "number",
    "boolean": "boolean",
    "category": "text level",
    "time": "instant: write ISO 8601 with a time zone",
}


def _converter(feature: Feature) -> Callable[[object], float]:
    if feature.kind == "category":
        position = {level: float(code) for code, level in enumerate(feature.categories or ())}

        def level_code(value: object) -> float:
            if not isinstance(value, str | int | float):
                raise TypeError
            return position.get(label_text(value), UNSEEN)

        return level_code
    converters: dict[Kind, Callable[[object], float]] = {
        "number": _number,
        "boolean": _boolean,
        "time": _seconds,
    }
    return converters[feature.kind]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _boolean(value: object) -> float:
    if not isinstance(value, bool):
        raise TypeError
    return float(value)


def _seconds(value: object) -> float:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(instant, datetime) or instant.tzinfo is None:
        raise TypeError
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
