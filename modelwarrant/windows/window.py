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
    "category": pa.dictionary(pa.int32(), pa.string()),
    "boolean": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
}
_FIRST_US, _LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999 in microseconds since 1970 UTC."""

_TRUE_FALSE = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Window:
    """Typed rows: features in schema order, then target and order, where known.

    Columns are Arrow: number float64 (missing is null, never NaN), category and the target of a
    classification dictionary<int32, string>, boolean bool, time timestamp[us, UTC], target of a
    regression float64, order int64. The order of a dictionary, and entries that no row uses, carry
    no meaning. Read columns with ``numbers`` and ``levels``: Arrow's own ``to_numpy`` gives a
    missing level the dictionary's last entry (pyarrow 26).
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
            micros = pc.cast(
                pc.cast(column, pa.int64()), pa.float64(), safe=False
            )  # beyond 2**53 us
            column = pc.divide(micros, 1e6)
        column = pc.cast(column, pa.float64())
        if column.null_count:
            column = pc.fill_null(column, float("nan"))
        if column.num_chunks == 1:
            return np.asarray(column.chunk(0).to_numpy())
        return np.asarray(column.to_numpy())

    def levels(self, name: str) -> tuple[npt.NDArray[np.int32], tuple[str, ...]]:
        """Return a text column as (n,) int32 codes into its sorted levels; missing is -1.

        Only levels that stand in a row are returned, whatever the column's dictionary holds.
        """
        encoded = self._encoded(name)
        raw = _indices(encoded)
        known = len(encoded.dictionary)
        texts = encoded.dictionary.to_pylist()
        present = np.bincount(raw + 1, minlength=known + 1)[1:] > 0
        used = sorted(np.flatnonzero(present).tolist(), key=texts.__getitem__)
        rank = np.full(known + 1, -1, dtype=np.int32)  # the last entry serves index -1
        rank[used] = np.arange(len(used), dtype=np.int32)
        return rank[raw], tuple(texts[index] for index in used)

    def codes(self, name: str, labels: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return a text column as (n,) int64 codes into given labels; any other value is -1."""
        codes, levels = self.levels(name)
        places = [labels.index(level) if level in labels else -1 for level in levels]
        return np.array([*places, -1], dtype=np.int64)[codes]  # the last entry serves missing

    def level_counts(self, name: str) -> tuple[dict[str, int], int]:
        """Return a text or boolean column's rows by level, sorted, and its missing rows.

        It costs one count of the column's codes, where ``levels`` also writes a code a row.
        """
        encoded = self._encoded(name)
        missing = int(encoded.null_count)
        known = encoded.indices.drop_null() if missing else encoded.indices
        counts = np.bincount(known.to_numpy(), minlength=len(encoded.dictionary)).tolist()
        texts = map(label_text, encoded.dictionary.to_pylist())
        held = {text: count for text, count in zip(texts, counts, strict=True) if count}
        return dict(sorted(held.items())), missing

    def _encoded(self, name: str) -> pa.DictionaryArray:
        encoded = self.table.column(name).combine_chunks()
        if not pa.types.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        return encoded

    @cached_property
    def has_target(self) -> bool:
        """Whether the target column is here."""
        return self.schema.target is not None and self.schema.target in self.table.column_names

    def labelled(self) -> "Window":
        """Return the rows that have a target."""
        if not self.has_target:
            return self.take(np.zeros(len(self), dtype=np.bool_))
        known = self.table.column(self.schema.target).is_valid()
        return self.take(np.asarray(known.to_numpy()))

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """The rows' order values, (n,) int64; see ``ORDER``."""
        return np.asarray(self.table.column(ORDER).to_numpy())


def typed_window(
    table: pa.Table,
    schema: FeatureSchema,
    *,
    order: pa.Array | None = None,
    first_row: int = 0,
) -> Window:
    """Give a raw table the schema's types; columns the schema does not name are left out.

    Args:
        table: columns in any order and of any type a reader may give; an unknown column is ignored.
        schema: the declared columns; the target may be absent (prediction).
        order: (n,) int64 order of the rows; default the time column, else 0, 1, 2 ...
        first_row: number of the table's first row in its source; error messages count from it.

    Raises:
        SchemaMismatchError: a feature is absent, stands twice, or cannot be read as its kind; the
            message names the column and the first bad row.
    """
    if ORDER in (*schema.names, schema.target):
        raise SchemaMismatchError(f"the column name {ORDER!r} is reserved; rename that column")
    columns: dict[str, pa.ChunkedArray] = {}
    for feature in schema.features:
        columns[feature.name] = _typed(
            _only(table, feature.name), feature.name, feature.kind, first_row
        )
    if schema.target is not None and schema.target in table.column_names:
        kind: Kind = "category" if schema.task == "classification" else "number"
        columns[schema.target] = _typed(_only(table, schema.target), schema.target, kind, first_row)
    if order is None and schema.time is not None:
        order = pc.cast(
            _typed(_only(table, schema.time), schema.time, "time", first_row), pa.int64()
        )
        if order.null_count:
            row = first_row + int(np.flatnonzero(np.asarray(pc.is_null(order)))[0])
            raise SchemaMismatchError(f"time column {schema.time!r}: row {row} has no time")
        _check_years(np.asarray(order.to_numpy()), schema.time, first_row)
    if order is None:
        order = pa.array(np.arange(table.num_rows, dtype=np.int64))
    columns[ORDER] = order
    return Window(schema, pa.table(columns))


def _indices(encoded: pa.DictionaryArray) -> npt.NDArray[np.int32]:
    """Return an encoded column's (n,) int32 indices; missing is -1."""
    indices = pc.cast(encoded.indices, pa.int32())
    if indices.null_count:
        indices = pc.fill_null(indices, -1)
    return np.asarray(indices.to_numpy())


def _check_years(order_us: npt.NDArray[np.int64], name: str, first_row: int) -> None:
    """Refuse instants that no calendar text can name."""
    bad = np.flatnonzero((order_us < _FIRST_US) | (order_us >= _LAST_US))
    if len(bad):
        raise SchemaMismatchError(
            f"time column {name!r}: row {first_row + bad[0]} lies outside the years 1 to 9999; "
            "correct the unit of the column"
        )


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


def _typed(column: pa.ChunkedArray, name: str, kind: Kind, first_row: int) -> pa.ChunkedArray:
    """Cast one raw column, or say which row cannot be read."""
    if pa.types.is_null(column.type):
        return pc.cast(column, _ARROW[kind])
    if pa.types.is_dictionary(column.type) and kind != "category":
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = pc.cast(column, pa.string())
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
            + (f", and row {first_row + row} does not parse" if row is not None else "")
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
    """Encode levels as text; values with one text form (1, 1.0) become one level."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks()
    levels = _texts(encoded.dictionary).dictionary_encode()
    indices = pa.array(_indices(encoded), mask=np.asarray(encoded.is_null()))
    if levels.null_count or len(levels.dictionary) != len(levels):
        indices = levels.indices.take(indices)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, levels.dictionary)])


def _texts(values: pa.Array) -> pa.Array:
    """Return distinct values as text; a NaN is missing."""
    if pa.types.is_string(values.type):
        return values
    if pa.types.is_large_string(values.type) or pa.types.is_integer(values.type):
        return pc.cast(values, pa.string())
    texts = [
        None if value is None or value != value else label_text(value)
        for value in values.to_pylist()
    ]
    return pa.array(texts, pa.string())


def _boolean(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        return column
    encoded = _category(column).combine_chunks()
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
