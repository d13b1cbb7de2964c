"""Which blobs belong to nothing, and how are they removed without racing a writer?

First the fence, then the deletion: ``abort`` makes every later entry of that attempt illegal,
whenever its writer wakes up. So no clock and no grace period is needed.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from modelwarrant.errors import IllegalOperationError
from modelwarrant.registry.layout import attempts_prefix, seq_of, snapshot_prefix
from modelwarrant.registry.ledger import Ledger
from modelwarrant.registry.packs import write_missing
from modelwarrant.registry.payloads import Abort

__all__ = ["Collected", "gc"]

KEPT_SNAPSHOTS = 2
"""The newest one may be broken."""


@dataclass(frozen=True)
class Collected:
    """What a collection removed."""

    attempts: tuple[str, ...]
    """Attempts that are fenced and empty now."""
    blobs: int
    snapshots: int
    packs: int
    """Packs of old entries that were missing and are there now."""


def gc(ledger: Ledger, *, actor: str, now: datetime) -> Collected:
    """Remove blobs of attempts that no entry names, and old snapshots; write missing packs.

    A run that is at work right now and has not yet recorded its attempt starts that step again.

    Args:
        ledger: with a signer.
        actor: who collects.
        now: advisory.
    """
    store, prefix = ledger.store, attempts_prefix(ledger.model)
    attempts = sorted({key.removeprefix(prefix).split("/")[0] for key in store.list(prefix)})
    fenced = [name for name in attempts if _fence(ledger, name, actor=actor, now=now)]
    removed = 0
    for attempt in fenced:
        for key in store.list(f"{prefix}{attempt}/"):
            store.delete(key)
            removed += 1
    packs = write_missing(store, ledger.model, ledger.state().seq)
    return Collected(tuple(fenced), removed, _collect_snapshots(ledger), packs)


def _fence(ledger: Ledger, attempt: str, *, actor: str, now: datetime) -> bool:
    """Close an attempt unless an entry names it; return whether it is closed."""
    state = ledger.state()
    if attempt in state.attempts:
        return False
    if attempt not in state.fenced:
        payload = Abort(attempt=attempt, reason="no entry names it")
        with suppress(IllegalOperationError):  # named or fenced since
            ledger.append("abort", payload, txn=f"gc/{attempt}", actor=actor, now=now)
    return attempt in ledger.state().fenced


def _collect_snapshots(ledger: Ledger) -> int:
    prefix = snapshot_prefix(ledger.model)
    keys = [key for key in ledger.store.list(prefix) if seq_of(key, prefix) is not None]
    for key in keys[:-KEPT_SNAPSHOTS]:
        ledger.store.delete(key)
    return len(keys[:-KEPT_SNAPSHOTS])
