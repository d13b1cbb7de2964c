"""What does one column hold, when nobody has said so yet?"""

import re
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelwarrant.errors import SchemaMismatchError
from modelwarrant.sources.conversion import is_text, to_window
from modelwarrant.sources.delimited import NULLS
from modelwarrant.windows import Feature, FeatureSchema, Kind, Window

__all__ = ["Column", "described", "stray_texts", "typed_by_content"]

_WHOLE: Final = r"^\s*-?(0|[1-9]\d{0,17})\s*$"
_LEADING_ZERO: Final = r"^\s*[+-]?0\d"
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_BOOLEANS: Final = ("true", "false")
_STRAY_SHARE: Final = 0.05
"""Largest share of texts among numbers that is taken for a marker of missing values (``?``)."""


@dataclass(frozen=True)
class Column:
    """One column's kind and values, as far as they can be told from the values alone."""

    name: str
    kind: Kind | None
    """None where it holds no value, or values of no kind; see ``reason``."""
    numbers: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    """(n,) values; booleans as 0 and 1, instants as seconds, missing as NaN. Not for categories."""
    codes: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """(n,) indices into ``levels``, missing as -1. For categories only."""
    levels: tuple[str, ...] = ()
    missing: int = 0
    reason: str = ""

    @property
    def known(self) -> npt.NDArray[np.float64]:
        """The values that are not missing, in the rows' order; codes for a category."""
        if self.kind == "category":
            return self.codes[self.codes >= 0].astype(np.float64)
        return self.numbers[~np.isnan(self.numbers)]

    @property
    def is_whole(self) -> bool:
        """Whether every value is a whole number."""
        known = self.known
        return self.kind == "number" and bool(
            np.isfinite(known).all() and (known == np.floor(known)).all()
        )

    def take(self, rows: npt.NDArray[np.int64]) -> "Column":
        """Return the column of these rows, in that order."""
        if self.kind == "category":
            return Column(self.name, self.kind, codes=self.codes[rows], levels=self.levels)
        return Column(self.name, self.kind, numbers=self.numbers[rows])


def described(name: str, column: pa.ChunkedArray) -> Column:
    """Return what a column of a typed table holds."""
    kind = _kind_of(column.type)
    if kind is None or column.null_count == len(column):
        reason = "no row has a value" if column.null_count == len(column) else f"is {column.type}"
        return Column(name, None, reason=reason, missing=column.null_count)
    try:
        window = _read(name, column, kind)
    except SchemaMismatchError as error:
        return Column(name, None, reason=str(error))
    if kind == "category":
        codes, levels = window.levels(name)
        missing = int(np.count_nonzero(codes < 0))
        if not levels:
            return Column(name, None, reason="no row has a value", missing=missing)
        return Column(name, kind, codes=codes, levels=levels, missing=missing)
    numbers = window.numbers(name)
    missing = int(np.count_nonzero(np.isnan(numbers)))
    if missing == len(numbers):
        return Column(name, None, reason="no row has a value", missing=missing)
    return Column(name, kind, numbers=numbers, missing=missing)


def typed_by_content(table: pa.Table) -> pa.Table:
    """Give a table of texts the narrowest types that read every field.

    >>> table = pa.table({"a": ["1", "NA"], "b": ["007", "1"], "c": ["2013-01-01", ""]})
    >>> [str(kind) for kind in typed_by_content(table).schema.types]
    ['int64', 'string', 'timestamp[us, tz=UTC]']
    """
    return pa.table({name: _natural(name, table.column(name)) for name in table.column_names})


def stray_texts(column: Column) -> tuple[str, int] | None:
    """Return the text and the rows that keep a column of numbers from being one.

    >>> stray_texts(described("x", pa.chunked_array([["1", "2.5", "?"] + ["3"] * 40])))
    ('?', 1)
    """
    if column.kind != "category":
        return None
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    stray = [index for index, level in enumerate(column.levels) if not _is_number(level)]
    rows = int(counts[stray].sum())
    if not stray or len(stray) == len(column.levels) or rows > _STRAY_SHARE * counts.sum():
        return None
    return column.levels[max(stray, key=lambda index: int(counts[index]))], rows


def _kind_of(kind: pa.DataType) -> Kind | None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "category"
    return None


def _read(name: str, column: pa.ChunkedArray, kind: Kind) -> Window:
    schema = FeatureSchema(features=(Feature(name=name, kind=kind),))
    table = pa.table({name: column})
    return to_window(table, schema, uri="the data", first_row=0, order=None)


def _natural(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of texts in its own type."""
    column = pc.cast(column, pa.string())
    empty = pc.is_in(column, value_set=pa.array(NULLS, pa.string()))
    known = pc.if_else(empty, pa.scalar(None, pa.string()), column)
    if known.null_count == len(known):
        return pa.chunked_array([pa.nulls(len(known))])
    if not _any(known, _LEADING_ZERO):
        for kind in (pa.int64(), pa.float64()):
            if pa.types.is_integer(kind) and not _all(known, _WHOLE):
                continue
            try:
                return pc.cast(pc.utf8_trim_whitespace(known), kind)
            except pa.ArrowInvalid:
                continue
    if pc.all(pc.is_in(pc.utf8_lower(known), value_set=pa.array([*_BOOLEANS, None]))).as_py():
        return pc.equal(pc.utf8_lower(known), "true")
    if is_text(known) and _ISO_DATE.match(known.drop_null()[0].as_py()):
        try:
            return _read(name, known, "time").table.column(name)
        except SchemaMismatchError:
            pass
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _any(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, pattern)).as_py())


def _all(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
