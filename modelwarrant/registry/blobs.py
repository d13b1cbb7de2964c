"""How do artifacts get into the ledger's keeping, and out of it unchanged?

A blob lies under the attempt that wrote it and under its own digest, and is written before the
entry that names it. It is read back and hashed when it is written, and hashed whenever it is read.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import OutcomeUnknownError, StoreUnavailableError, TamperedError
from modelwarrant.records import Blob
from modelwarrant.registry.layout import blob_key
from modelwarrant.storage import ObjectStore

__all__ = ["read_blob", "read_blobs", "write_blobs"]

_TRIES = 3
"""A key that another writer holds (409) is free or filled moments later."""


def write_blobs(
    store: ObjectStore, model: str, attempt: str, files: Mapping[str, bytes]
) -> tuple[Blob, ...]:
    """Write files as blobs of an attempt; what is there already is checked and kept.

    Returns:
        What an entry must name, in the order of the files' names.

    Raises:
        TamperedError: other bytes than those written lie at a blob's key.
        StoreUnavailableError: the store does not show what it acknowledged.
    """
    return tuple(_write(store, model, attempt, name, files[name]) for name in sorted(files))


def _write(store: ObjectStore, model: str, attempt: str, name: str, data: bytes) -> Blob:
    blob = Blob(name=name, digest=digest_bytes(data), size=len(data))
    key = blob_key(model, attempt, blob.digest)
    for _ in range(_TRIES):
        with suppress(OutcomeUnknownError):  # late or never: the same bytes either way
            store.create(key, data)
        written = store.get(key)
        if written is not None:
            _demand(blob, key, written)
            return blob
    raise StoreUnavailableError(f"the store {store.uri} does not show {key} ({name})")


def read_blob(store: ObjectStore, model: str, attempt: str, blob: Blob) -> bytes:
    """Return a blob's bytes.

    Raises:
        TamperedError: names the blob and its key: it is gone, or its bytes have another digest.
    """
    key = blob_key(model, attempt, blob.digest)
    data = store.get(key)
    if data is None:
        raise TamperedError(f"{blob.name} is gone: nothing lies at {key}")
    _demand(blob, key, data)
    return data


def _demand(blob: Blob, key: str, data: bytes) -> None:
    found = digest_bytes(data)
    if found != blob.digest or len(data) != blob.size:
        raise TamperedError(
            f"{blob.name} was altered: {key} has {len(data)} bytes with digest {found}"
        )


def read_blobs(
    store: ObjectStore, model: str, attempt: str, blobs: Iterable[Blob]
) -> dict[str, bytes]:
    """Return the bytes of several blobs by name; see ``read_blob``."""
    return {blob.name: read_blob(store, model, attempt, blob) for blob in blobs}
