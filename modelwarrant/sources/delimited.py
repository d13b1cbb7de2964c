"""Which rows does a CSV file hold?

Read in one thread, block by block, so that a file larger than memory can be read and a bad row is
named by its line. CSV has no types: without a schema every column is text exactly as it lies there.

An empty field is missing in every column. In columns that are not text, so are the fields in
``NULLS``; in text columns ``NA`` is a level like any other (it is Namibia's code).
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import NoReturn, TextIO

import pyarrow as pa
import pyarrow.csv as pacsv

from modelwarrant.errors import SchemaMismatchError, SourceError
from modelwarrant.sources.location import SourceData

__all__ = ["NULLS", "CsvPart", "open_csv"]

NULLS = (
    *("", " ", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "NULL", "null", "None", "none"),
    *("<NA>", "NaT"),
)
"""Fields that mean a missing value in a column of numbers, instants or true and false."""

_BLOCK_BYTES = 4 << 20
"""Bytes parsed at a time, and the longest row: more is no faster (54 MB: 0.28 s at 1 and at 4)."""

_DELIMITERS = (",", ";", "\t", "|")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class CsvPart:
    """One CSV file, its header read."""

    data: SourceData
    names: tuple[str, ...]
    delimiter: str
    is_gzip: bool

    def tables(self, types: Mapping[str, pa.DataType] | None) -> Iterator[tuple[int, pa.Table]]:
        """Yield (number of the first row, table) block by block, rows counted from 0.

        Args:
            types: the columns to read, with their types; None reads all as text.

        Raises:
            SourceError: a ragged row, bytes that are not UTF-8, a damaged gzip stream.
            SchemaMismatchError: a field that does not parse as its column's type.
        """
        if types is None:
            types = dict.fromkeys(self.names, pa.string())
        read = {**types, self.names[-1]: types.get(self.names[-1], pa.string())}
        first, batch = 0, None
        try:
            with self._stream() as stream:
                for batch in pacsv.open_csv(stream, **self._options(read)):
                    yield first, pa.Table.from_batches([batch]).select(list(types))
                    first += batch.num_rows
            if batch is not None and batch.num_rows:
                self._check_end(batch.column(self.names[-1])[-1])
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return  # a header and no rows
            self._explain(error)
        except OSError as error:
            raise SourceError(f"{self.data.uri}: the gzip stream is damaged: {error}") from error

    def _stream(self) -> pa.NativeFile:
        return pa.input_stream(
            str(self.data.path), compression="gzip" if self.is_gzip else None, buffer_size=1 << 16
        )

    def _options(self, types: Mapping[str, pa.DataType]) -> dict[str, object]:
        return {
            "read_options": pacsv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            "parse_options": pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, ignore_empty_lines=True
            ),
            "convert_options": pacsv.ConvertOptions(
                column_types=dict(types), include_columns=list(types), null_values=list(NULLS)
            ),
        }

    def _check_end(self, last: pa.Scalar) -> None:
        """Refuse a file whose last field is a quote left open: it swallowed the rows after it."""
        if not pa.types.is_string(last.type) or "\n" not in last.as_py():
            return
        try:
            with _text(self.data, self.is_gzip, errors="replace") as text:
                for _ in csv.reader(text, delimiter=self.delimiter, strict=True):
                    pass
        except csv.Error as error:
            raise SourceError(
                f"{self.data.uri}: a quote in the last row is left open, and swallows what follows"
            ) from error

    def _explain(self, error: pa.ArrowInvalid) -> NoReturn:
        """Raise the error that names file, column and line."""
        text = str(error)
        row = re.search(r"Row #(\d+)", text)
        line = f"line {self._line(int(row[1]))}" if row else "a row"
        if ragged := re.search(r"Expected (\d+) columns, got (\d+)", text):
            raise SourceError(
                f"{self.data.uri}: {line} has {ragged[2]} field(s), the header {ragged[1]}; "
                "correct that row"
            ) from error
        if "straddling" in text:
            raise SourceError(
                f"{self.data.uri}: a row is longer than {_BLOCK_BYTES >> 20} MiB; is a quote left "
                "open?"
            ) from error
        found = re.search(r"column #(\d+)", text)
        column = f"column {self.names[int(found[1])]!r}" if found else "a column"
        if "UTF8" in text:
            raise SourceError(
                f"{self.data.uri}: {column}, {line}: not UTF-8; save the file as UTF-8"
            ) from error
        if value := re.search(r"invalid value '(.*)'", text, re.DOTALL):
            raise SchemaMismatchError(
                f"{self.data.uri}: {column}, {line}: {value[1][:_SHOWN_CHARACTERS]!r} is not a "
                "number; correct the data, or declare another kind"
            ) from error
        raise SourceError(f"{self.data.uri}: not a CSV file: {text}") from error

    def _line(self, row: int) -> int:
        """Return the line on which a row ends; rows count the header and skip empty lines."""
        with _text(self.data, self.is_gzip, errors="replace") as text:
            reader = csv.reader(text, delimiter=self.delimiter)
            for fields in reader:
                row -= bool(fields)
                if row == 0:
                    break
            return reader.line_num


def open_csv(data: SourceData, *, is_gzip: bool) -> CsvPart:
    """Read the header of a CSV file.

    Raises:
        SourceError: no header, a doubled or numeric one, bytes that are not UTF-8 text.
    """
    try:
        with _text(data, is_gzip, errors="surrogateescape") as text:
            line = next((line for line in text if line.strip("\r\n")), None)
            if line is None:
                raise SourceError(f"{data.uri}: the file is empty")
            delimiter = max(_DELIMITERS, key=line.count)  # the first of equals: the comma
            names = tuple(next(csv.reader(chain([line], text), delimiter=delimiter)))
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(f"{data.uri}: cannot be read: {error}") from error
    except csv.Error as error:
        raise SourceError(f"{data.uri}: not a CSV file: {error}") from error
    _check_header(data.uri, names)
    return CsvPart(data, names, delimiter, is_gzip)


def _text(data: SourceData, is_gzip: bool, *, errors: str) -> TextIO:
    """Open a file as text, its byte order mark dropped and its line ends kept."""
    if is_gzip:
        return gzip.open(data.path, "rt", encoding="utf-8-sig", errors=errors, newline="")
    return data.path.open(encoding="utf-8-sig", errors=errors, newline="")


def _check_header(uri: str, names: tuple[str, ...]) -> None:
    if any("\udc80" <= character <= "\udcff" for name in names for character in name):
        raise SourceError(f"{uri}: the header is not UTF-8; save the file as UTF-8")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise SourceError(
            f"{uri}: the header names {doubled[0]!r} {names.count(doubled[0])} times; "
            "columns are told apart by name, so rename one"
        )
    if "\0" in "".join(names):
        raise SourceError(f"{uri}: binary data, not a CSV file")
    if all(_NUMBER.fullmatch(name.strip()) for name in names):
        raise SourceError(
            f"{uri}: the first line holds numbers; add a line with the columns' names"
        )
