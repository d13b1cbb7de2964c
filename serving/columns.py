"""How do plain values become Arrow columns without loading pandas?

``pyarrow.array`` looks for pandas objects and so imports pandas where it is installed: 0.3 s and
50 MB in a process that answers requests (pyarrow 26). Arrays are made from their buffers instead.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["booleans", "floats", "instants", "integers", "texts"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def floats(values: Sequence[float | None]) -> pa.Array:
    """Return a float64 column; None is null.

    >>> floats([1.5, None]).to_pylist()
    [1.5, None]
    """
    held = np.array([0.0 if value is None else value for value in values], dtype=np.float64)
    return _fixed(pa.float64(), held, values)


def integers(values: Sequence[int]) -> pa.Array:
    """Return an int64 column."""
    return _fixed(pa.int64(), np.array(values, dtype=np.int64), values)


def instants(values: Sequence[datetime | None]) -> pa.Array:
    """Return a timestamp[us, UTC] column of aware datetimes; None is null.

    >>> instants([datetime(2013, 1, 1, tzinfo=UTC), None]).cast(pa.int64()).to_pylist()
    [1356998400000000, None]
    """
    held = [0 if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
    return _fixed(pa.timestamp("us", tz="UTC"), np.array(held, dtype=np.int64), values)


def booleans(values: Sequence[bool | None]) -> pa.Array:
    """Return a boolean column; None is null.

    >>> booleans([True, False, None]).to_pylist()
    [True, False, None]
    """
    held = _bits(np.array([value is True for value in values], dtype=np.bool_))
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(values), held])


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return a string column; None is null.

    >>> texts(["é", None, ""]).to_pylist()
    ['é', None, '']
    """
    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    buffers = [_validity(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _fixed(
    kind: pa.DataType,
    held: npt.NDArray[np.float64] | npt.NDArray[np.int64],
    values: Sequence[object],
) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [_validity(values), pa.py_buffer(held)])


def _validity(values: Sequence[object]) -> pa.Buffer | None:
    """Return the bitmap of values that are there, None where all are."""
    present = np.array([value is not None for value in values], dtype=np.bool_)
    return None if present.all() else _bits(present)


def _bits(flags: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little").tobytes())
