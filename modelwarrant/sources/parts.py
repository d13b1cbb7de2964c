"""Which tables is a source made of, and do they belong together?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa

from modelwarrant.errors import SchemaMismatchError, SourceError
from modelwarrant.records.window import SourceFile
from modelwarrant.sources.columnar import ParquetPart, Span, open_parquet
from modelwarrant.sources.conversion import csv_types, needed_columns
from modelwarrant.sources.delimited import CsvPart, open_csv
from modelwarrant.sources.examples import ExamplePart, open_example
from modelwarrant.sources.location import EXAMPLE, SourceData, located, scheme_of
from modelwarrant.sources.settings import SourceSettings, read_source_settings
from modelwarrant.windows import FeatureSchema

__all__ = [
    "Part",
    "check_columns",
    "check_same_columns",
    "column_names",
    "opened",
    "part_file",
    "raw_tables",
]

Part = CsvPart | ParquetPart | ExamplePart

_FOREIGN = {
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"ARROW1": "an Arrow IPC file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"BZh": "compressed with bzip2",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\xfd7zXZ": "compressed with xz",
    b"%PDF": "a PDF",
    b'{"': "JSON",
    b"[{": "JSON",
}
_HTML = (b"<!doctype", b"<html", b"<?xml")


@contextmanager
def opened(
    source: str, *, base: Path, settings: SourceSettings | None = None
) -> Iterator[list[Part]]:
    """Open the tables of a source, sorted by name, and close them unchanged.

    Args:
        source: as in the project file.
        base: folder that relative paths start from.
        settings: default the environment's.

    Raises:
        SourceError: nothing there, unreadable, or neither CSV nor Parquet.
        ChangedDataError: a file was written to meanwhile.
        TemporaryError: a server did not answer.
    """
    if scheme_of(source) == EXAMPLE:
        yield [open_example(source)]
        return
    with located(source, base=base, settings=settings or read_source_settings()) as files:
        yield [_open(file) for file in files]
        for file in files:
            file.check_unchanged()


def part_file(part: Part) -> SourceFile:
    """Return a part's address and the digest of its bytes."""
    if isinstance(part, ExamplePart):
        return SourceFile(uri=part.uri, digest=part.digest)
    return SourceFile(uri=part.data.uri, digest=part.data.digest)


def column_names(part: Part) -> tuple[str, ...]:
    """Return the names of a part's columns, in its order."""
    return tuple(part.table.column_names) if isinstance(part, ExamplePart) else part.names


def raw_tables(
    part: Part, schema: FeatureSchema | None, *, span: Span | None = None
) -> Iterator[tuple[int, pa.Table]]:
    """Yield (number of the first row, table) with the columns that the schema needs.

    Args:
        part: one table.
        schema: None reads every column; those of CSV then are text.
        span: rows outside may be left out.
    """
    names = column_names(part)
    if isinstance(part, CsvPart):
        yield from part.tables(None if schema is None else csv_types(schema, names))
        return
    columns = None if schema is None else needed_columns(schema, names)
    if isinstance(part, ParquetPart):
        yield from part.tables(columns, span=span)
    else:
        yield 0, part.table if columns is None else part.table.select(columns)


def check_columns(parts: Sequence[Part], schema: FeatureSchema) -> None:
    """Refuse parts that lack a column, or hold one in different types.

    Raises:
        SchemaMismatchError: names the file and the column.
    """
    first = column_names(parts[0])
    for part in parts:
        names = column_names(part)
        wanted = needed_columns(schema, first)
        lacking = [name for name in wanted if name not in names]
        if lacking:
            raise SchemaMismatchError(_lacks(part_file(part).uri, lacking, names))
        if schema.target in names and schema.target not in first:
            raise SchemaMismatchError(
                f"{part_file(parts[0]).uri}: has no target {schema.target!r}, "
                f"but {part_file(part).uri} has"
            )
        for name in wanted:
            _check_alike(parts[0], part, name)


def check_same_columns(parts: Sequence[Part]) -> None:
    """Refuse parts whose sets of columns differ.

    Raises:
        SchemaMismatchError: names the first file that differs, and the columns.
    """
    first = column_names(parts[0])
    for part in parts[1:]:
        names = column_names(part)
        if differing := sorted(set(first) ^ set(names)):
            name = differing[0]
            raise SchemaMismatchError(
                f"{part_file(part).uri}: has {'no' if name in first else 'a'} column {name!r}, "
                f"other than {part_file(parts[0]).uri}; the files of one source need the same "
                "columns"
            )
        for name in first:
            _check_alike(parts[0], part, name)


def _lacks(uri: str, lacking: list[str], names: Sequence[str]) -> str:
    near = get_close_matches(lacking[0], names, n=1)
    listed = ", ".join(repr(name) for name in lacking)
    shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    return (
        f"{uri}: has no column {listed}"
        + (f" (did you mean {near[0]!r}?)" if near else "")
        + f"; it has {shown}; correct the project file or the data"
    )


def _check_alike(first: Part, part: Part, name: str) -> None:
    """Refuse a column that is text in one Parquet file and not in another."""
    if not (isinstance(first, ParquetPart) and isinstance(part, ParquetPart)):
        return
    one, other = first.schema.field(name).type, part.schema.field(name).type
    if _family(one) != _family(other) and "null" not in (_family(one), _family(other)):
        raise SchemaMismatchError(
            f"{part.data.uri}: column {name!r} is {other}, but {one} in {first.data.uri}; "
            "the files of one source need the same types"
        )


def _family(kind: pa.DataType) -> str:
    """Return the sort of values a type holds; widths and encodings do not matter."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    families = {
        "null": pa.types.is_null,
        "boolean": pa.types.is_boolean,
        "number": lambda t: (
            pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t)
        ),
        "time": pa.types.is_temporal,
        "text": lambda t: (
            pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t)
        ),
    }
    return next((family for family, holds in families.items() if holds(kind)), str(kind))


def _open(file: SourceData) -> Part:
    """Open a file by its first bytes; its name does not matter."""
    with file.path.open("rb") as stream:
        start = stream.read(16)
    if start.startswith(b"PAR1"):
        return open_parquet(file)
    for magic, meaning in _FOREIGN.items():
        if start.startswith(magic):
            raise SourceError(f"{file.uri}: is {meaning}; save it as CSV (UTF-8, .gz) or Parquet")
    if start.lstrip().lower().startswith(_HTML):
        raise SourceError(f"{file.uri}: is a web page, not data; name the address of the file")
    is_gzip = start.startswith(b"\x1f\x8b")
    if not is_gzip and b"\0" in start:
        raise SourceError(f"{file.uri}: binary data, neither CSV nor Parquet")
    return open_csv(file, is_gzip=is_gzip)
