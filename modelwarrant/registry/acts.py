"""What did the monitor of a model do, the newest first, as its ledger says?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import TamperedError
from modelwarrant.records import LedgerEntry
from modelwarrant.registry.layout import log_key
from modelwarrant.registry.payloads import Act, parse_payload
from modelwarrant.registry.state import State
from modelwarrant.storage import ObjectStore

__all__ = ["ACT_STEP", "Acted", "acts", "entry_at"]

ACT_STEP = "/act"
"""How the txn of a monitor's entry ends; what stands before is the request's id."""


@dataclass(frozen=True)
class Acted:
    """One entry of a monitor."""

    seq: int
    request: str
    time: datetime
    act: Act


def acts(store: ObjectStore, state: State) -> Iterator[Acted]:
    """Yield the monitor's entries, the newest first; each is read only when it is asked for.

    Args:
        store: where the ledger lies.
        state: its verified fold: an entry is compared with the digest that it names.

    Raises:
        TamperedError: an entry was changed after it had been verified.
    """
    landed = {txn: at for txn, at in state.txns.items() if txn.endswith(ACT_STEP)}
    for txn, at in sorted(landed.items(), key=lambda each: each[1].seq, reverse=True):
        entry = entry_at(store, state, at.seq)
        payload = parse_payload(entry.op, entry.payload, name=log_key(state.model, at.seq))
        if isinstance(payload, Act):
            yield Acted(
                at.seq, txn.removesuffix(ACT_STEP), datetime.fromisoformat(entry.time), payload
            )


def entry_at(store: ObjectStore, state: State, seq: int) -> LedgerEntry:
    """Return an entry that the fold has verified.

    Raises:
        TamperedError: it was changed or removed since.
    """
    key = log_key(state.model, seq)
    data = store.get(key)
    if data is None or digest_bytes(data) != state.digest_at(seq):
        raise TamperedError(f"{key} was changed or removed after it had been read")
    return LedgerEntry.from_bytes(data, name=key)
