"""How do numbers and texts become Arrow columns without loading pandas?

``pyarrow.array`` looks for pandas objects and so imports pandas where it is installed: 0.3 s and
50 MB in a process that answers requests (pyarrow 26). Arrays are made from their buffers instead.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["FIRST_SECOND", "LAST_SECOND", "coded", "fixed", "seconds_of", "texts", "truths"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FIRST_SECOND = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()
"""Of the year 1, since 1970."""
LAST_SECOND = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH).total_seconds() + 86_400.0
"""The end of the year 9999, which belongs to it no more."""

Missing = npt.NDArray[np.bool_] | None
"""Which values are null; None for none."""


def seconds_of(instant: datetime | None) -> float:
    """Return seconds since 1970, as a model reads an instant; NaN for None."""
    return np.nan if instant is None else (instant - _EPOCH).total_seconds()


def fixed(kind: pa.DataType, values: npt.NDArray[Any], missing: Missing = None) -> pa.Array:
    """Return a column whose values lie in memory as Arrow keeps them.

    >>> fixed(pa.float64(), np.array([1.5, np.nan]), np.array([False, True])).to_pylist()
    [1.5, None]
    """
    held = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [_validity(missing), held])


def truths(values: npt.NDArray[np.bool_], missing: Missing = None) -> pa.Array:
    """Return a boolean column.

    >>> truths(np.array([True, False, False]), np.array([False, False, True])).to_pylist()
    [True, False, None]
    """
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(missing), _bits(values)])


def coded(codes: npt.NDArray[np.int32], levels: Sequence[str], missing: Missing = None) -> pa.Array:
    """Return a column of texts that is kept as positions in a list of levels.

    >>> coded(np.array([1, 0], dtype=np.int32), ["a", "b"]).to_pylist()
    ['b', 'a']
    """
    if missing is not None:
        codes = np.where(missing, np.int32(0), codes)
    positions = fixed(pa.int32(), codes, missing)
    return pa.DictionaryArray.from_arrays(positions, texts(levels))


def texts(values: Sequence[str]) -> pa.Array:
    """Return a string column.

    >>> texts(["é", ""]).to_pylist()
    ['é', '']
    """
    encoded = [value.encode() for value in values]
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def _validity(missing: Missing) -> pa.Buffer | None:
    """Return the bitmap of values that are there, None where all are."""
    return None if missing is None or not missing.any() else _bits(~missing)


def _bits(flags: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little").tobytes())
