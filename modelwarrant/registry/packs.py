"""How is a long log read with few requests?

A pack holds the bytes of 256 entries, one a line. It is a cache that nobody has to trust: each line
is verified as if it had been read from its place in the log, and the last one must be the entry
that lies there. Where a pack is absent or wrong, the entries are read one by one; ``verify`` always
does so.
"""

from collections.abc import Sequence

from modelwarrant.registry.layout import log_key, pack_key
from modelwarrant.storage import ObjectStore

__all__ = ["PACKED", "ends_pack", "packed_entries", "read_pack", "write_missing"]

PACKED = 256
"""Entries in a pack; as many as between two snapshots."""


def ends_pack(seq: int) -> bool:
    """Return whether an entry is the last one of a pack."""
    return seq % PACKED == 0


def packed_entries(entries: Sequence[bytes]) -> bytes:
    """Return the pack of so many entries; canonical JSON holds no line break."""
    return b"\n".join(entries)


def read_pack(store: ObjectStore, model: str, after: int) -> Sequence[bytes]:
    """Return the entries that follow, where a pack of this log begins there; else none.

    Args:
        store: where the log lies.
        model: whose it is.
        after: seq of the entry before.
    """
    if not ends_pack(after):
        return ()
    last = after + PACKED
    data = store.get(pack_key(model, last))
    entries = [] if data is None else data.split(b"\n")
    if len(entries) != PACKED or store.get(log_key(model, last)) != entries[-1]:
        return ()
    return entries


def write_missing(store: ObjectStore, model: str, seq: int) -> int:
    """Write the packs that are not there yet, of a log that was verified up to an entry.

    Returns:
        How many were written.
    """
    written = 0
    for last in range(PACKED, seq + 1, PACKED):
        key = pack_key(model, last)
        if store.get(key) is None:
            places = range(last - PACKED + 1, last + 1)
            entries = [store.get(log_key(model, place)) or b"" for place in places]
            written += store.create(key, packed_entries(entries))
    return written
