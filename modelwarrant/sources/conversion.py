"""How does a raw column become what the schema declares?

One meaning of "missing" for every format: an empty text, and outside text columns the texts that
``delimited.NULLS`` lists.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from modelwarrant.errors import SchemaMismatchError
from modelwarrant.sources.delimited import NULLS
from modelwarrant.windows import FeatureSchema, Kind, Window, typed_window

__all__ = ["csv_types", "is_text", "needed_columns", "to_window"]

_WHOLE = r"^\s*([01])\.0*\s*$"
"""How pandas writes true and false of a column with missing values."""


def needed_columns(schema: FeatureSchema, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns to read: features, time, and the target where it is there."""
    wanted = [*schema.names]
    if schema.time is not None:
        wanted.append(schema.time)
    if schema.target is not None and schema.target in names:
        wanted.append(schema.target)
    return tuple(dict.fromkeys(wanted))


def csv_types(schema: FeatureSchema, names: Sequence[str]) -> dict[str, pa.DataType]:
    """Return how each needed column of a CSV file is parsed; levels keep their text (``007``)."""
    return {
        name: pa.float64() if _kind(schema, name) == "number" else pa.string()
        for name in needed_columns(schema, names)
    }


def to_window(
    table: pa.Table, schema: FeatureSchema, *, uri: str, first_row: int, order: pa.Array | None
) -> Window:
    """Give a raw table the schema's types.

    Args:
        table: as a reader gave it.
        schema: the declared columns.
        uri: the file, for messages.
        first_row: number of the table's first row in that file, from 0.
        order: order of the rows where the schema names no time column.

    Raises:
        SchemaMismatchError: a column that cannot be read as its kind; names file, column and row.
    """
    columns = {
        name: _cleaned(table.column(name), schema, name)
        for name in needed_columns(schema, table.column_names)
        if name in table.column_names
    }
    try:
        return typed_window(pa.table(columns), schema, order=order, first_row=first_row)
    except SchemaMismatchError as error:
        raise SchemaMismatchError(f"{uri}: {error} (rows are counted from 0)") from error


def is_text(column: pa.ChunkedArray) -> bool:
    """Return whether a column holds text, encoded or not."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _kind(schema: FeatureSchema, name: str) -> Kind:
    """Return how a column's fields are parsed."""
    if name == schema.target:
        if schema.task != "classification" or schema.class_kind == "integer":
            return "number"
        return "boolean" if schema.class_kind == "boolean" else "category"
    if name in schema.names:
        return schema.feature(name).kind
    return "time"


def _cleaned(column: pa.ChunkedArray, schema: FeatureSchema, name: str) -> pa.ChunkedArray:
    """Make missing what means missing, in a column of text."""
    if not is_text(column):
        return column
    if not pa.types.is_string(column.type):
        column = pc.cast(column, pa.string())
    kind = _kind(schema, name)
    column = _without(column, ("",) if kind == "category" else NULLS)
    if kind == "boolean":
        column = pc.replace_substring_regex(column, _WHOLE, r"\1")
        if name == schema.target:
            column = pc.utf8_lower(column)
    return column


def _without(column: pa.ChunkedArray, texts: Sequence[str]) -> pa.ChunkedArray:
    missing = pc.is_in(column, value_set=pa.array(texts, pa.string()))
    if not pc.any(missing, min_count=0).as_py():
        return column
    return pc.if_else(missing, pa.scalar(None, pa.string()), column)
