"""What does one window hold, column by column?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelwarrant.errors import SchemaMismatchError
from modelwarrant.windows.schema import FeatureSchema, Kind, label_text

__all__ = ["ORDER", "Window", "typed_window"]

ORDER = "__order"
"""Column of a window's table that orders its rows: microseconds since 1970 UTC where the schema
names a time column, else the row's number in the source. int64."""

_ARROW = {
    "number": pa.float64(),
    "category": pa.string(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
}
_TRUE_FALSE = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Window:
    """Typed rows: features in schema order, then target and order, where known.

    Columns are Arrow: number float64 (missing is null, never NaN), category string, boolean bool,
    time timestamp[us, UTC]; target string (classification, as text) or float64; order int64.
    """

    schema: FeatureSchema
    table: pa.Table

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Window":
        """Return the window of these rows (indices or a mask), in that order."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Window(self.schema, self.table.take(pa.array(index, type=pa.int64())))

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return a number, boolean or time feature, or a regression target, as (n,) float64.

        Missing is NaN; time is seconds since 1970 UTC.
        """
        column = self.table.column(name)
        if pa.types.is_timestamp(column.type):
            column = pc.divide(pc.cast(pc.cast(column, pa.int64()), pa.float64()), 1e6)
        filled = pc.fill_null(pc.cast(column, pa.float64()), float("nan"))
        return np.asarray(filled.to_numpy())

    def levels(self, name: str) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        """Return a text column as (n,) int32 codes into its sorted levels; missing is -1."""
        codes, levels = self._dictionaries(name)
        return codes, levels

    def _dictionaries(self, name: str) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        encoded = self.table.column(name).combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        levels = np.array(encoded.dictionary.to_pylist(), dtype=object)
        order = np.argsort(levels.astype(str), kind="stable") if len(levels) else np.zeros(0, int)
        rank = np.empty(len(levels) + 1, dtype=np.int32)
        rank[order] = np.arange(len(levels), dtype=np.int32)
        rank[-1] = -1
        indices = np.asarray(pc.fill_null(encoded.indices, len(levels)).to_numpy(), dtype=np.int64)
        return rank[indices], tuple(str(level) for level in levels[order])

    @cached_property
    def has_target(self) -> bool:
        """Whether the target column is here."""
        return self.schema.target is not None and self.schema.target in self.table.column_names

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """The rows' order values, (n,) int64; see ``ORDER``."""
        return np.asarray(self.table.column(ORDER).to_numpy())


def typed_window(
    table: pa.Table, schema: FeatureSchema, *, order: pa.Array | None = None
) -> Window:
    """Give a raw table the schema's types; columns the schema does not name are left out.

    Args:
        table: columns in any order and of any type a reader may give; an unknown column is ignored.
        schema: the declared columns; the target may be absent (prediction).
        order: (n,) int64 order of the rows; default the time column, else 0, 1, 2 ...

    Raises:
        SchemaMismatchError: a feature is absent, stands twice, or cannot be read as its kind; the
            message names the column and the first bad row.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for feature in schema.features:
        columns[feature.name] = _typed(_only(table, feature.name), feature.name, feature.kind)
    if schema.target is not None and schema.target in table.column_names:
        kind: Kind = "category" if schema.task == "classification" else "number"
        columns[schema.target] = _typed(_only(table, schema.target), schema.target, kind)
    if order is None and schema.time is not None:
        order = pc.cast(_typed(_only(table, schema.time), schema.time, "time"), pa.int64())
        if order.null_count:
            row = int(np.flatnonzero(np.asarray(pc.is_null(order)))[0])
            raise SchemaMismatchError(f"time column {schema.time!r}: row {row} has no time")
    if order is None:
        order = pa.array(np.arange(table.num_rows, dtype=np.int64))
    columns[ORDER] = order
    return Window(schema, pa.table(columns))


def _only(table: pa.Table, name: str) -> pa.ChunkedArray:
    found = table.schema.get_all_field_indices(name)
    if not found:
        raise SchemaMismatchError(
            f"column {name!r} is not in the data (it has {', '.join(table.column_names[:12])}"
            f"{' ...' if table.num_columns > 12 else ''}); correct the project file or the data"
        )
    if len(found) > 1:
        raise SchemaMismatchError(f"column {name!r} stands {len(found)} times in the data")
    return table.column(found[0])


def _typed(column: pa.ChunkedArray, name: str, kind: Kind) -> pa.ChunkedArray:
    """Cast one raw column, or say which row cannot be read."""
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_null(column.type):
        return pc.cast(column, _ARROW[kind])
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    try:
        return {
            "number": _number,
            "category": _category,
            "boolean": _boolean,
            "time": _time,
        }[kind](column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, KeyError, ValueError) as error:
        row = _first_bad_row(column, kind)
        raise SchemaMismatchError(
            f"column {name!r} cannot be read as {kind}: it holds {column.type}"
            + (f", and row {row} does not parse" if row is not None else "")
        ) from error


def _number(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        raise ValueError("an instant is not a number")
    if pa.types.is_integer(column.type):
        return pc.cast(column, pa.float64(), safe=False)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
        parsed = pc.cast(column, pa.float64())
        return pc.if_else(pc.is_nan(parsed), pa.scalar(None, pa.float64()), parsed)
    return pc.cast(column, pa.float64())


def _category(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_large_string(column.type) or pa.types.is_integer(column.type):
        return pc.cast(column, pa.string())
    encoded = column.combine_chunks().dictionary_encode()
    texts = [None if v is None else label_text(v) for v in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string()).take(encoded.indices)])


def _boolean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        return column
    encoded = _category(column).combine_chunks().dictionary_encode()
    values = [_TRUE_FALSE[text.lower()] for text in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(values, pa.bool_()).take(encoded.indices)])


def _time(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        zoned = pc.any(pc.match_substring_regex(column, r"(Z|[+-]\d\d:?\d\d)$")).as_py()
        column = pc.cast(column, pa.timestamp("us", tz="UTC") if zoned else pa.timestamp("us"))
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.timestamp("us"))
    if not pa.types.is_timestamp(column.type):
        raise ValueError("not an instant")
    if column.type.tz is None:
        return pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), _ARROW["time"])
    return pc.cast(column, _ARROW["time"], safe=False)


def _first_bad_row(column: pa.ChunkedArray, kind: Kind) -> int | None:
    """Return the first row that does not parse, or None where the whole type is wrong."""
    reader = {"number": _number, "boolean": _boolean, "time": _time}.get(kind, _category)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            reader(column.slice(low, middle - low))
        except (pa.ArrowInvalid, KeyError, ValueError):
            high = middle
        else:
            low = middle
    return low
