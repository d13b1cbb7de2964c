"""What does one tensor of the Open Inference Protocol hold?

A tensor's data stand in the JSON (flat or nested, row by row) or, by the binary extension, behind
it. Both become a numpy array or a list of texts; what does not fit its declared type and shape is
refused, and no message repeats a value.
"""

import struct
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from modelwarrant.errors import RecordError
from serving.rows import shown_name

__all__ = ["DATATYPES", "Tensor", "binary_texts", "flags", "integers", "numbers", "texts"]

DATATYPES: Final[Mapping[str, Any]] = {
    "FP64": np.dtype("<f8"),
    "FP32": np.dtype("<f4"),
    "FP16": np.dtype("<f2"),
    "INT64": np.dtype("<i8"),
    "INT32": np.dtype("<i4"),
    "INT16": np.dtype("<i2"),
    "INT8": np.dtype("<i1"),
    "UINT64": np.dtype("<u8"),
    "UINT32": np.dtype("<u4"),
    "UINT16": np.dtype("<u2"),
    "UINT8": np.dtype("<u1"),
}
"""Numeric datatypes of the protocol; BOOL and BYTES are read apart."""

_LENGTH = struct.Struct("<I")


def _decoders(value: Any) -> tuple[msgspec.json.Decoder[Any], ...]:
    """Return what reads a flat list of such values, and what reads one of rows."""
    flat = list[value | None]
    return msgspec.json.Decoder(flat), msgspec.json.Decoder(list[flat])


_FLOATS, _INTEGERS, _FLAGS, _TEXTS = map(_decoders, (float, int, bool, str))


class Tensor(msgspec.Struct, frozen=True):
    """One tensor, not read yet."""

    name: str
    """As the client wrote it."""
    shape: list[int]
    """As declared; its product is not checked yet."""
    datatype: str
    """As declared."""
    data: bytes | None
    """JSON text of the values; None where they are binary."""
    binary: memoryview | None
    """Little-endian bytes of the values; None where they are JSON."""

    @property
    def size(self) -> int:
        """Number of values that the shape promises."""
        return prod(self.shape)

    def refused(self, what: str) -> RecordError:
        """Return an error that names the tensor."""
        return RecordError(f"tensor {shown_name(self.name)!r} {what}")


def numbers(tensor: Tensor) -> npt.NDArray[np.float64]:
    """Return a numeric tensor's values, flat, float64; null is NaN.

    Raises:
        RecordError: they are not what datatype and shape say.
    """
    kind = DATATYPES.get(tensor.datatype)
    if kind is None:
        allowed = ", ".join(DATATYPES)
        raise tensor.refused(f"must have a numeric datatype: one of {allowed}")
    if tensor.binary is not None:
        return _from_bytes(tensor, tensor.binary, kind).astype(np.float64)
    values = _flat(tensor, _FLOATS if kind.kind == "f" else _INTEGERS)
    if kind == np.float64:
        return np.array(values, dtype=np.float64)
    return _narrow(tensor, values, kind)


def integers(tensor: Tensor) -> list[int | None]:
    """Return the values of a tensor of an integer datatype, flat, exact beyond 2^53; null is None.

    Raises:
        RecordError: they are not what datatype and shape say.
    """
    kind = DATATYPES[tensor.datatype]
    if tensor.binary is not None:
        found: list[int | None] = _from_bytes(tensor, tensor.binary, kind).tolist()
        return found
    values = _flat(tensor, _INTEGERS)
    _narrow(tensor, values, kind)  # refuses what the datatype cannot hold
    return values


def _from_bytes(tensor: Tensor, data: memoryview, kind: Any) -> npt.NDArray[Any]:
    if len(data) != tensor.size * kind.itemsize:
        raise tensor.refused("has another number of bytes than datatype and shape say")
    return np.frombuffer(data, dtype=kind)


def _narrow(tensor: Tensor, values: list[Any], kind: Any) -> npt.NDArray[np.float64]:
    """Return JSON numbers as the declared datatype holds them, as a binary tensor would."""
    if kind.kind == "f":
        with np.errstate(over="ignore"):  # infinite, which the schema's bounds refuse
            return np.array(values, dtype=np.float64).astype(kind).astype(np.float64)
    missing = [position for position, value in enumerate(values) if value is None]
    whole = [0 if value is None else value for value in values] if missing else values
    try:
        found = np.array(whole, dtype=kind).astype(np.float64)
    except OverflowError as error:
        raise tensor.refused(f"holds a number that {tensor.datatype} cannot") from error
    found[missing] = np.nan
    return found


def flags(tensor: Tensor) -> npt.NDArray[np.float64]:
    """Return a BOOL tensor's values, flat, as 0, 1 or NaN.

    Raises:
        RecordError: they are not what datatype and shape say.
    """
    if tensor.datatype != "BOOL":
        raise tensor.refused("must have the datatype BOOL")
    if tensor.binary is None:
        return np.array(_flat(tensor, _FLAGS), dtype=np.float64)
    if len(tensor.binary) != tensor.size:
        raise tensor.refused("has another number of bytes than its shape says")
    found = np.frombuffer(tensor.binary, dtype=np.uint8)
    if (found > 1).any():
        raise tensor.refused("holds a byte that is neither 0 nor 1")
    return found.astype(np.float64)


def texts(tensor: Tensor) -> list[str | None]:
    """Return a BYTES tensor's values, flat; null is None.

    Raises:
        RecordError: they are not what shape and UTF-8 say.
    """
    if tensor.datatype != "BYTES":
        raise tensor.refused("must have the datatype BYTES")
    if tensor.binary is None:
        return _flat(tensor, _TEXTS)
    found: list[str | None] = []
    position, data = 0, bytes(tensor.binary)
    while position < len(data):
        end = position + _LENGTH.size
        if end > len(data):
            break
        position = end + _LENGTH.unpack_from(data, position)[0]
        try:
            found.append(data[end:position].decode())
        except UnicodeDecodeError as error:
            raise tensor.refused("holds text that is not UTF-8") from error
    if position != len(data) or len(found) != tensor.size:
        raise tensor.refused("has other lengths than its shape and bytes say")
    return found


def binary_texts(values: Sequence[str]) -> bytes:
    r"""Return texts as the binary extension writes them: each after its length.

    >>> binary_texts(["a", ""])
    b'\x01\x00\x00\x00a\x00\x00\x00\x00'
    """
    encoded = [value.encode() for value in values]
    return b"".join(_LENGTH.pack(len(one)) + one for one in encoded)


def _flat(tensor: Tensor, decoders: Sequence[msgspec.json.Decoder[Any]]) -> list[Any]:
    """Return JSON values in one list, whether they stand flat or nested as the shape says."""
    if tensor.data is None:
        raise tensor.refused("has no data")
    flat, nested = decoders
    try:
        values: list[Any] = flat.decode(tensor.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        values = _nested(tensor, nested)
    if len(values) != tensor.size:
        raise tensor.refused("has another number of values than its shape says")
    return values


def _nested(tensor: Tensor, decoder: msgspec.json.Decoder[Any]) -> list[Any]:
    try:
        rows = decoder.decode(tensor.data or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise tensor.refused(f"holds data that are not {tensor.datatype}") from error
    if [len(rows), *{len(row) for row in rows}] != list(tensor.shape):
        raise tensor.refused("is nested in another way than its shape says")
    return [value for row in rows for value in row]
