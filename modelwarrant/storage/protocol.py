"""What does the ledger ask of a store?

Five calls, of which one carries all safety: ``create`` writes an object only where none is. Nothing
here depends on a listing being fresh, on a clock, or on a lock.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from modelwarrant.errors import StoreError

__all__ = ["MAX_KEY_LENGTH", "ObjectStore", "checked_key", "checked_prefix"]

MAX_KEY_LENGTH = 900
"""Characters in a key; S3 allows 1,024 bytes, and a bucket prefix comes on top."""

_SEGMENT = re.compile(r"[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]{0,199}", re.ASCII)
"""No leading dot: so neither ``..`` nor a hidden file is a key."""

_PARTIAL = re.compile(r"(?:[A-Za-z0-9_=+@-][A-Za-z0-9._=+@-]{0,199})?", re.ASCII)


class ObjectStore(Protocol):
    """Objects by key; keys are ``/``-separated segments as ``checked_key`` has them.

    Every call may raise StoreError (refused: the user must change something) or
    StoreUnavailableError (nothing happened; later it may). A write whose fate is not known raises
    OutcomeUnknownError.
    """

    @property
    def uri(self) -> str:
        """Where the store is, absolute: the same store has the same URI on this machine."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None where there is none."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none; atomic and durable.

        Returns:
            True: these bytes lie there now, and survive a power cut. False: the key is taken, or
            another writer is about to take it; read it to learn by whom. What was found in the way
            is durable too.

        Raises:
            OutcomeUnknownError: the write may or may not have landed, or may still land.
        """
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write or overwrite the object; atomic, durable, the last writer wins."""
        ...

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with the prefix, in ascending order of their bytes."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; one that is not there is no error."""
        ...


def checked_key(key: str) -> str:
    """Return the key if it is one.

    Raises:
        StoreError: an empty, hidden, absolute or overlong key, or one with odd characters.

    >>> checked_key("m/electricity/log/000000000001.json")
    'm/electricity/log/000000000001.json'
    >>> checked_key("m/../secrets")
    Traceback (most recent call last):
    modelwarrant.errors.StoreError: 'm/../secrets' is not a key: segments are letters, digits and \
'._=+@-', do not begin with a dot, and are joined by '/'
    """
    segments = key.split("/")
    if len(key) > MAX_KEY_LENGTH or not all(_SEGMENT.fullmatch(part) for part in segments):
        raise _refused(key)
    return key


def checked_prefix(prefix: str) -> str:
    """Return the prefix if keys can begin with it; the empty prefix is one.

    Raises:
        StoreError: no key can begin like this.
    """
    *folders, last = prefix.split("/")
    if (
        len(prefix) > MAX_KEY_LENGTH
        or not all(_SEGMENT.fullmatch(part) for part in folders)
        or not _PARTIAL.fullmatch(last)
    ):
        raise _refused(prefix)
    return prefix


def _refused(key: str) -> StoreError:
    shown = key if len(key) <= 80 else key[:77] + "..."
    return StoreError(
        f"{shown!r} is not a key: segments are letters, digits and '._=+@-', "
        "do not begin with a dot, and are joined by '/'"
    )
