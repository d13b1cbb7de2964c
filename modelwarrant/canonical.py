"""What bytes does a document have, and what is its digest?

Every document is written as canonical JSON (RFC 8785): one byte string for one value, whatever the
machine, locale or hash seed. Digests are written ``sha256:<64 hex digits>``.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785

from modelwarrant.errors import RecordError

__all__ = ["Json", "canonical_json", "digest_bytes", "digest_json", "parse_json"]

_UNSAFE, _LONG = 2**53, 18
"""Integers from here on are not all exact in float64; and one of so many characters is larger."""

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""A JSON value; floats must be finite."""


def canonical_json(value: Json) -> bytes:
    """Return the RFC 8785 bytes of a value.

    Raises:
        RecordError: the value holds a non-finite float, an integer beyond 2**53, or half of a
            surrogate pair.

    >>> canonical_json({"b": 1.0, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    try:
        if _is_plain(value):
            return _PLAIN.encode(value).encode()
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise RecordError(f"a value has no canonical JSON: {error}") from error


_PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
"""RFC 8785 for values without floats, large integers and keys beyond ASCII, ten times as fast."""


def _is_plain(value: object) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if isinstance(value, dict) and kind is dict:
        return all(type(key) is str and key.isascii() for key in value) and all(
            map(_is_plain, value.values())
        )
    if isinstance(value, list | tuple) and kind in (list, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, int) and kind is int and abs(value) < _UNSAFE


def digest_bytes(data: bytes) -> str:
    """Return ``sha256:<hex>`` of the bytes.

    >>> digest_bytes(b"")[:19]
    'sha256:e3b0c44298fc'
    """
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_json(value: Json) -> str:
    """Return the digest of a value's canonical JSON."""
    return digest_bytes(canonical_json(value))


def parse_json(data: bytes, *, name: str) -> Any:
    """Parse JSON from outside, refusing what canonical JSON cannot hold.

    Args:
        data: UTF-8 bytes.
        name: what is parsed, for the error message.

    Raises:
        RecordError: not JSON, a doubled key, NaN or infinity, an integer that float64 cannot hold,
            or half of a surrogate pair.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            doubled = sorted({key for key in keys if keys.count(key) > 1})
            raise RecordError(f"{name}: the key {doubled[0]!r} stands twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise RecordError(f"{name}: {constant} is not a JSON number")

    def finite(text: str) -> float:
        number = float(text)
        if math.isinf(number):
            refuse(text)
        return number

    def whole(text: str) -> int | float:
        if len(text) < _LONG and abs(int(text)) < _UNSAFE:
            return int(text)
        number = finite(text)  # canonical JSON writes whole floats below 1e21 without a point
        if rfc8785.dumps(number).decode() != text:
            raise RecordError(f"{name}: the integer {text[:20]} is not exact in float64")
        return number

    try:
        value = json.loads(
            data,
            object_pairs_hook=unique,
            parse_constant=refuse,
            parse_float=finite,
            parse_int=whole,
        )
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name}: not JSON: {error}") from error
    if b"\\ud" in data.lower() and _has_half_surrogate(value):
        raise RecordError(f"{name}: a text holds half of a surrogate pair")
    return value


def _has_half_surrogate(value: Any) -> bool:
    return re.search("[\ud800-\udfff]", json.dumps(value, ensure_ascii=False)) is not None
