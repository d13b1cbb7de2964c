"""How does a whole ledger get into another store, unchanged?

What it says is verified before anything is written, blobs go before the entries that name them,
entries in their order, and everything is verified again where it arrived. A copy that was broken
off is finished by doing it again; a store that holds another ledger of that model is left alone.
"""

from collections.abc import Iterable

from modelwarrant.errors import IllegalOperationError, RegistryError, StoreError
from modelwarrant.registry.anchors import Anchor
from modelwarrant.registry.blobs import read_blob, write_blobs
from modelwarrant.registry.layout import log_key
from modelwarrant.registry.ledger import Ledger
from modelwarrant.registry.verification import Verification, blobs_of
from modelwarrant.storage import ObjectStore

__all__ = ["copy_ledger"]


def copy_ledger(source: Ledger, target: ObjectStore, *, anchors: Iterable[Anchor]) -> Verification:
    """Copy a ledger and every blob that it names; verify it before and after.

    Args:
        source: where it is; its pinned genesis, if any, must hold.
        target: the other store.
        anchors: what is known of the ledger from outside.

    Returns:
        What was verified in the target.

    Raises:
        TamperedError: the source is not right; nothing was written.
        IllegalOperationError: the target holds another ledger of this model, or a longer one.
    """
    anchors, model = tuple(anchors), source.model
    found = source.verify(anchors)
    if found.seq == 0:
        raise RegistryError(f"{source.store.uri} has no ledger of {model}")
    entries = source.entries()
    _demand_room(target, model, [entry.to_bytes() for entry in entries])
    for entry in entries:
        for attempt, blob in blobs_of(entry):
            data = read_blob(source.store, model, attempt, blob)
            write_blobs(target, model, attempt, {blob.name: data})
    for entry in entries:
        _create(target, log_key(model, entry.seq), entry.to_bytes())
    arrived = Ledger(target, model, pinned_genesis=source.state().genesis)
    newest = Anchor(model=model, seq=found.seq, digest=found.digest)
    return arrived.verify((*anchors, newest))


def _demand_room(target: ObjectStore, model: str, entries: list[bytes]) -> None:
    """What the target has of this log must be a beginning of it."""
    for seq, data in enumerate(entries, start=1):
        there = target.get(log_key(model, seq))
        if there is None:
            return
        if there != data:
            raise IllegalOperationError(
                f"the store {target.uri} holds another ledger of {model}: {log_key(model, seq)} "
                "differs; nothing was written"
            )
    if target.get(log_key(model, len(entries) + 1)) is not None:
        raise IllegalOperationError(
            f"the store {target.uri} holds a longer ledger of {model}; nothing was written"
        )


def _create(target: ObjectStore, key: str, data: bytes) -> None:
    if not target.create(key, data) and target.get(key) != data:
        raise StoreError(f"somebody else writes {key} in {target.uri}; copy into a quiet store")
