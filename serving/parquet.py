"""How does a table become a Parquet file without a library for tables?

pyarrow would be 150 MB of the serving image, 45 MB of each process's memory and a fifth of its
start, for a file of flat columns. What is written is the part of the format that every reader has:
one row group; one data page a column (version 1, PLAIN) or a dictionary and its codes
(RLE_DICTIONARY); gzip where a sample shrinks; every column nullable. The footer is Thrift's compact
protocol. https://parquet.apache.org/docs/file-format/
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serving.slices import Steps

__all__ = [
    "Column",
    "Missing",
    "floats",
    "instants",
    "integers",
    "levels",
    "parquet_file",
    "plain_texts",
    "texts",
    "truths",
]

Missing = npt.NDArray[np.bool_] | None
"""Which values are null; None for none."""

_MAGIC: Final = b"PAR1"
_LENGTH: Final = struct.Struct("<I")
_SAMPLE: Final = 4096
"""Bytes of a page that are compressed first, to see whether it pays."""
_PAYS: Final = 0.8
_PIECE: Final = 2**15
"""Bytes that are compressed in one step: 0.3 ms."""

# Numbers of the format: physical types, encodings, codecs, page types, types of Thrift's fields.
_BOOLEAN, _INT64, _DOUBLE, _BYTE_ARRAY = 0, 2, 5, 6
_PLAIN, _RLE, _RLE_DICTIONARY = 0, 3, 8
_UNCOMPRESSED, _GZIP = 0, 2
_DATA_PAGE, _DICTIONARY_PAGE = 0, 2
_TRUE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 5, 6, 8, 9, 12


@dataclass(frozen=True)
class Column:
    """One column's values, as a page holds them."""

    rows: int
    physical: int
    """Physical type."""
    values: bytes
    """The values that are there, or their codes."""
    missing: Missing = None
    annotation: bytes = b""
    """The rest of the schema's element: what the physical type stands for."""
    dictionary: bytes | None = None
    """The levels that codes stand for; None where values stand for themselves."""
    n_levels: int = 0


def floats(values: npt.NDArray[np.float64], missing: Missing = None) -> Column:
    """Return a column of float64."""
    return Column(len(values), _DOUBLE, _there(values, missing).tobytes(), missing)


def integers(values: npt.NDArray[np.int64]) -> Column:
    """Return a column of int64."""
    return Column(len(values), _INT64, values.astype("<i8").tobytes())


def instants(micros: npt.NDArray[np.int64], missing: Missing = None) -> Column:
    """Return a column of times, given as microseconds since 1970, UTC."""
    return Column(len(micros), _INT64, _there(micros, missing).tobytes(), missing, _INSTANT)


def truths(values: npt.NDArray[np.bool_], missing: Missing = None) -> Column:
    """Return a boolean column."""
    packed = np.packbits(_there(values, missing), bitorder="little").tobytes()
    return Column(len(values), _BOOLEAN, packed, missing)


def texts(pieces: Iterable[bytes], rows: int) -> Column:
    """Return a column of texts, each as it stands.

    Args:
        pieces: of ``plain_texts``, one after another.
        rows: how many texts there are in all pieces.
    """
    return Column(rows, _BYTE_ARRAY, b"".join(pieces), None, _TEXT)


def levels(codes: npt.NDArray[np.int32], names: Sequence[str], missing: Missing = None) -> Column:
    """Return a column of texts that is kept as positions in a list of texts.

    Args:
        codes: (n,) positions in ``names``; of what is missing, anything.
        names: at least one, unless all is missing.
        missing: which rows are null.
    """
    there = _there(codes, missing)
    if not len(there):
        return Column(len(codes), _BYTE_ARRAY, b"", missing, _TEXT)
    return Column(
        len(codes), _BYTE_ARRAY, _codes(there, len(names)), missing, _TEXT,
        dictionary=plain_texts(names), n_levels=len(names),
    )  # fmt: skip


def parquet_file(
    columns: Iterable[tuple[str, Column] | None], *, rows: int, writer: str
) -> Steps[bytes]:
    """Make the file, in steps.

    Args:
        columns: by name, each with so many rows; consumed one by one, with None for a rest.
        rows: of the table.
        writer: program and version, for the footer.
    """
    parts, size = [_MAGIC], len(_MAGIC)
    elements, chunks, total = [], [], 0
    for named in columns:
        yield
        if named is None:
            continue
        name, column = named
        pages, described, uncompressed = yield from _chunk(name, column, size)
        elements.append(_element(name, column))
        chunks.append(described)
        parts.append(pages)
        size += len(pages)
        total += uncompressed
    root = _record((4, _BINARY, _text("schema")), (5, _I32, _whole(len(elements))))
    group = _record(
        (1, _LIST, _list(_STRUCT, chunks)), (2, _I64, _whole(total)), (3, _I64, _whole(rows))
    )
    footer = _record(
        (1, _I32, _whole(2)),
        (2, _LIST, _list(_STRUCT, [root, *elements])),
        (3, _I64, _whole(rows)),
        (4, _LIST, _list(_STRUCT, [group])),
        (6, _BINARY, _text(writer)),
    )
    return b"".join([*parts, footer, _LENGTH.pack(len(footer)), _MAGIC])


def _there(values: npt.NDArray[Any], missing: Missing) -> npt.NDArray[Any]:
    return values if missing is None or not missing.any() else values[~missing]


def plain_texts(values: Iterable[str]) -> bytes:
    """Return texts as a page holds them."""
    return b"".join([part for value in values for part in _plain_text(value.encode())])


def _plain_text(data: bytes) -> tuple[bytes, bytes]:
    return _LENGTH.pack(len(data)), data


def _codes(codes: npt.NDArray[np.int32], n_levels: int) -> bytes:
    """Return codes with their width in bits before them; whole bytes a code, so nothing is packed.

    A run of bit-packed values holds a multiple of eight of them.
    """
    kind = np.dtype("<u1" if n_levels <= 2**8 else "<u2" if n_levels <= 2**16 else "<u4")
    width = bytes([8 * kind.itemsize])
    packed = codes.astype(kind)
    if (codes == codes[0]).all():
        return width + _number(len(codes) << 1) + packed[:1].tobytes()
    groups = -(-len(codes) // 8)
    return (
        width + _number(groups << 1 | 1) + packed.tobytes().ljust(groups * 8 * kind.itemsize, b"\0")
    )


def _presence(column: Column) -> bytes:
    """Return which values are there, one bit each, with the length of that before it."""
    missing = column.missing
    if missing is None or not missing.any() or missing.all():
        is_there = missing is None or not missing.all() or not column.rows
        runs = _number(column.rows << 1) + bytes([is_there])
    else:
        groups = -(-column.rows // 8)
        runs = _number(groups << 1 | 1) + np.packbits(~missing, bitorder="little").tobytes()
    return _LENGTH.pack(len(runs)) + runs


def _chunk(name: str, column: Column, offset: int) -> Steps[tuple[bytes, bytes, int]]:
    """Make a column's pages, what the footer says of them, and their size uncompressed."""
    data = _presence(column) + column.values
    codec = _codec(column.values)
    has_levels = column.dictionary is not None
    encoding = _RLE_DICTIONARY if has_levels else _PLAIN
    page = _record(
        (1, _I32, _whole(column.rows)), (2, _I32, _whole(encoding)),
        (3, _I32, _whole(_RLE)), (4, _I32, _whole(_RLE)),
    )  # fmt: skip
    pages, uncompressed = yield from _page(_DATA_PAGE, data, (5, _STRUCT, page), codec)
    places = [(9, _I64, _whole(offset))]
    if column.dictionary is not None:
        page = _record((1, _I32, _whole(column.n_levels)), (2, _I32, _whole(_PLAIN)))
        first, more = yield from _page(
            _DICTIONARY_PAGE, column.dictionary, (7, _STRUCT, page), codec
        )
        places = [(9, _I64, _whole(offset + len(first))), (11, _I64, _whole(offset))]
        pages, uncompressed = first + pages, uncompressed + more
    used = [_whole(one) for one in (_PLAIN, _RLE, *((_RLE_DICTIONARY,) if has_levels else ()))]
    described = _record(
        (1, _I32, _whole(column.physical)),
        (2, _LIST, _list(_I32, used)),
        (3, _LIST, _list(_BINARY, [_text(name)])),
        (4, _I32, _whole(codec)),
        (5, _I64, _whole(column.rows)),
        (6, _I64, _whole(uncompressed)),
        (7, _I64, _whole(len(pages))),
        *places,
    )
    return pages, _record((2, _I64, _whole(offset)), (3, _STRUCT, described)), uncompressed


def _page(
    kind: int, data: bytes, header: tuple[int, int, bytes], codec: int
) -> Steps[tuple[bytes, int]]:
    """Make one page; return it and its size uncompressed."""
    held = (yield from _gzipped(data)) if codec == _GZIP else data
    head = _record(
        (1, _I32, _whole(kind)), (2, _I32, _whole(len(data))), (3, _I32, _whole(len(held))), header
    )
    return head + held, len(head) + len(data)


def _codec(data: bytes) -> int:
    sample = data[:_SAMPLE]
    pays = len(zlib.compress(sample, level=1)) < _PAYS * len(sample)
    return _GZIP if pays else _UNCOMPRESSED


def _gzipped(data: bytes) -> Steps[bytes]:
    packer, parts = zlib.compressobj(level=1, wbits=31), []  # 31: with gzip's own header
    for start in range(0, len(data), _PIECE):
        parts.append(packer.compress(data[start : start + _PIECE]))
        yield
    return b"".join([*parts, packer.flush()])


def _element(name: str, column: Column) -> bytes:
    """Return the schema's element: type, nullable, name, and what the type stands for."""
    fields = [(1, _I32, _whole(column.physical)), (3, _I32, _whole(1)), (4, _BINARY, _text(name))]
    return _record(*fields)[:-1] + column.annotation + b"\0"


# Thrift's compact protocol: a field is the distance to the number of the one before, and its type.


def _record(*fields: tuple[int, int, bytes]) -> bytes:
    """Return a struct of fields: number, type and value, in the order of numbers."""
    parts, before = [], 0
    for number, kind, value in fields:
        parts += [bytes([(number - before) << 4 | kind]), value]
        before = number
    return b"".join([*parts, b"\0"])


def _list(kind: int, values: Sequence[bytes]) -> bytes:
    if len(values) < 15:
        return bytes([len(values) << 4 | kind]) + b"".join(values)
    return bytes([0xF0 | kind]) + _number(len(values)) + b"".join(values)


def _text(value: str) -> bytes:
    data = value.encode()
    return _number(len(data)) + data


def _whole(value: int) -> bytes:
    """Return a signed number: zigzag, so that small ones are short."""
    return _number(value << 1 ^ value >> 63)


def _number(value: int) -> bytes:
    r"""Return a number >= 0, seven bits a byte, the lowest first.

    >>> _number(300)
    b'\xac\x02'
    """
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


# What follows a schema element's name (field 4): the old annotation (6) and the logical type (10).
_TEXT: Final = (
    bytes([2 << 4 | _I32])
    + _whole(0)
    + bytes([4 << 4 | _STRUCT])
    + _record((1, _STRUCT, _record()))
)
_INSTANT: Final = (
    bytes([2 << 4 | _I32])
    + _whole(10)
    + bytes([4 << 4 | _STRUCT])
    + _record(
        (8, _STRUCT, _record((1, _TRUE, b""), (2, _STRUCT, _record((2, _STRUCT, _record())))))
    )
)
