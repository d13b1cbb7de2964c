"""Which columns do both windows have, of which kind, and what is wrong with the others?

Frames, Arrow tables and windows come in; two windows over the same features come out.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelwarrant.drift.features import DRIFT_PSI, NOTICE_PSI, undefined_numbers
from modelwarrant.errors import SchemaMismatchError
from modelwarrant.records import FeatureDrift, Gate
from modelwarrant.windows import ORDER, Feature, FeatureSchema, Kind, Window, label_text
from modelwarrant.windows import typed_window as typed

__all__ = ["Pair", "absent_features", "pair_windows"]


@dataclass(frozen=True)
class Pair:
    """Two windows, the features that can be compared, and a finding for each that cannot."""

    reference: Window
    current: Window
    features: tuple[Feature, ...]
    schema: FeatureSchema
    findings: tuple[Gate, ...]


def pair_windows(
    reference: Any, current: Any, schema: FeatureSchema | None, *, time: str | None = None
) -> Pair:
    """Type both windows by one schema.

    Args:
        reference: ``Window``, pandas frame, Arrow table, or what hands out an Arrow stream.
        current: the same.
        schema: what the columns are; None takes a window's own schema, else infers it: kinds from
            the reference's types, over the columns of both. A column that is in one of them only,
            or cannot be read as the reference's kind, is a finding.
        time: the column along which rows are ordered, where the schema is inferred.

    Raises:
        SchemaMismatchError: a window is of no known type, holds nested values, or no column is left
            to compare.
    """
    tables = _table(reference, "reference"), _table(current, "current")
    own = [window.schema for window in (reference, current) if isinstance(window, Window)]
    if schema is None:
        schema = _combined(own[0], own[-1]) if own else _inferred(*tables, time=time)
    readable, findings = [], []
    for name, data, table in zip(
        ("reference", "current"), (reference, current), tables, strict=True
    ):
        window, faults = _read(data, table, schema, name)
        readable.append(window)
        findings += faults
    features = tuple(
        feature
        for feature in schema.features
        if all(_holds(window, feature) for window in readable)
    )
    if not features:
        raise SchemaMismatchError(
            f"no column can be compared: {'; '.join(gate.detail for gate in findings[:3])}"
        )
    return Pair(readable[0], readable[1], features, schema, tuple(findings))


def absent_features(pair: Pair) -> tuple[FeatureDrift, ...]:
    """Return an entry for each declared feature that cannot be compared."""
    faults = {gate.column: gate.detail for gate in pair.findings}
    entries = []
    for feature in pair.schema.features:
        if feature in pair.features:
            continue
        known, shares = [], []
        for window in (pair.reference, pair.current):
            rows = len(window) if _holds(window, feature) else 0
            known.append(rows - window.table.column(feature.name).null_count if rows else 0)
            shares.append(1 - known[-1] / rows if rows else 1.0)
        entries.append(
            FeatureDrift(
                name=feature.name,
                kind=feature.kind,
                level="blocked",
                n_reference=known[0],
                n_current=known[1],
                psi_threshold=DRIFT_PSI,
                notice_threshold=NOTICE_PSI,
                missing_reference=shares[0],
                missing_current=shares[1],
                reason=faults[feature.name],
                undefined=undefined_numbers({"kind": feature.kind}, faults[feature.name]),
            )
        )
    return tuple(entries)


def _holds(window: Window, feature: Feature) -> bool:
    """Return whether the window has that feature, of that kind."""
    return any((f.name, f.kind) == (feature.name, feature.kind) for f in window.schema.features)


def _read(
    data: Any, table: pa.Table, schema: FeatureSchema, window: str
) -> tuple[Window, list[Gate]]:
    """Return the window of the columns that can be read, and a finding for each other one."""
    if isinstance(data, Window):
        return data, [
            _finding(feature.name, f"{window} window: no {feature.kind} of that name")
            for feature in schema.features
            if not _holds(data, feature)
        ]
    here = schema.model_copy(
        update={"time": schema.time if schema.time in table.column_names else None}
    )
    try:
        return typed(table, here), []
    except SchemaMismatchError:
        return _partly_read(table, here, window)


def _partly_read(table: pa.Table, schema: FeatureSchema, window: str) -> tuple[Window, list[Gate]]:
    kept, faults = [], {}
    for feature in schema.features:
        try:
            typed(table, FeatureSchema(features=(feature,)))
        except SchemaMismatchError as error:
            faults[feature.name] = str(error)
        else:
            kept.append(feature)
    if not kept:
        raise SchemaMismatchError(
            f"no column of the {window} window can be read: {'; '.join([*faults.values()][:3])}"
        )
    findings = [_finding(name, f"{window} window: {fault}") for name, fault in faults.items()]
    return typed(table, schema.model_copy(update={"features": tuple(kept)})), findings


def _finding(column: str, detail: str) -> Gate:
    return Gate(gate="G1", column=column, level="block", detail=detail)


def _combined(first: FeatureSchema, second: FeatureSchema) -> FeatureSchema:
    """Return the first schema with the features that only the second names."""
    added = tuple(f for f in second.features if f.name not in first.names)
    return first.model_copy(update={"features": (*first.features, *added)}) if added else first


def _table(data: Any, window: str) -> pa.Table:
    """Return an input as an Arrow table of plain columns."""
    pandas = sys.modules.get("pandas")  # a frame can only come from an imported pandas
    if isinstance(data, Window):
        return data.table.drop_columns([ORDER])
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return _frame(data, window)
    if isinstance(data, pa.Table):
        return _plain(data, window)
    if hasattr(data, "__arrow_c_stream__"):
        return _plain(pa.table(data), window)
    raise SchemaMismatchError(
        f"the {window} window is a {type(data).__name__}; give a pandas DataFrame, an Arrow table "
        "or a Window"
    )


def _frame(frame: Any, window: str) -> pa.Table:
    names = [str(name) for name in frame.columns]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise SchemaMismatchError(f"column {doubled[0]!r} stands twice in the {window} window")
    columns = [_series(frame.iloc[:, index]) for index in range(len(names))]
    return _plain(pa.table(columns, names=names), window)


def _series(series: Any) -> pa.Array | pa.ChunkedArray:
    """Return a pandas column; one of mixed or unknown types becomes text."""
    try:
        column = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        column = None
    if column is not None and not isinstance(column.type, pa.BaseExtensionType):
        return column
    missing = series.isna()
    return pa.array(
        [None if gone else label_text(v) for v, gone in zip(series, missing, strict=True)],
        pa.string(),
    )


def _plain(table: pa.Table, window: str) -> pa.Table:
    """Turn durations and times of day into numbers; refuse nested values."""
    for index, field in enumerate(table.schema):
        if pa.types.is_nested(field.type) and not pa.types.is_dictionary(field.type):
            raise SchemaMismatchError(
                f"column {field.name!r} of the {window} window holds {field.type}; drop it or "
                "spread it over plain columns"
            )
        if pa.types.is_time32(field.type):
            numbers = pc.cast(table.column(index), pa.int32())
        elif pa.types.is_time64(field.type) or pa.types.is_duration(field.type):
            numbers = pc.cast(table.column(index), pa.int64())
        else:
            continue
        table = table.set_column(index, field.name, numbers)
    return table


def _inferred(reference: pa.Table, current: pa.Table, *, time: str | None) -> FeatureSchema:
    """Return a schema of the columns of both tables, the reference's first."""
    for name, table in (("reference", reference), ("current", current)):
        if time is not None and time not in table.column_names:
            raise SchemaMismatchError(f"the time column {time!r} is not in the {name} window")
    if "" in (*reference.column_names, *current.column_names):
        raise SchemaMismatchError("a column has no name; name it")
    types: dict[str, Sequence[pa.DataType]] = {
        name: [
            table.schema.field(name).type
            for table in (reference, current)
            if table.schema.get_field_index(name) >= 0
        ]
        for name in dict.fromkeys([*reference.column_names, *current.column_names])
    }
    if not types:
        raise SchemaMismatchError("the reference window has no column")
    return FeatureSchema(
        features=tuple(Feature(name=name, kind=_kind(found)) for name, found in types.items()),
        time=time,
    )


def _kind(types: Sequence[pa.DataType]) -> Kind:
    """Return the kind of the first type that says one: a column of nulls says none."""
    for kind in types:
        if pa.types.is_null(kind):
            continue
        if pa.types.is_boolean(kind):
            return "boolean"
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return "number"
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return "time"
        return "category"
    return "number"
