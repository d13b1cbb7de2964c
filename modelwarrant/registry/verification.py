"""Does every byte that the ledger stands for still match?

Everything is read from the first entry on; no snapshot is believed. The first object that is not
right is named: entries in their order, then what lies beyond the log, the anchors, the head, the
snapshots, and every blob that an entry names.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from modelwarrant.errors import RecordError, TamperedError
from modelwarrant.records import Blob, LedgerEntry
from modelwarrant.registry.anchors import Anchor, parse_head
from modelwarrant.registry.approvals import ApprovalProof, prove_approvals
from modelwarrant.registry.blobs import read_blob
from modelwarrant.registry.layout import (
    head_key,
    log_key,
    log_prefix,
    seq_of,
    snapshot_key,
    snapshot_prefix,
)
from modelwarrant.registry.payloads import Act, Decide, Ratify, Register, parse_payload
from modelwarrant.registry.snapshots import parse_snapshot
from modelwarrant.registry.state import State
from modelwarrant.storage import ObjectStore

__all__ = ["Verification", "verify"]


@dataclass(frozen=True)
class Verification:
    """A ledger of which every byte was checked."""

    model: str
    seq: int
    digest: str
    """Digest of the newest entry."""
    vouched_seq: int
    """Up to here an anchor from outside the store vouches; 0 without one. What comes after is
    signed by keys in force, but a log cut off after it would look as right."""
    blobs: int
    snapshots: int
    approvals: tuple[ApprovalProof, ...]
    """How each used approval is proven."""
    ratifications: tuple[ApprovalProof, ...]
    """How it is proven who put each policy and each list of signers in force."""


def verify(
    store: ObjectStore,
    model: str,
    walk: Iterable[tuple[LedgerEntry, State]],
    *,
    anchors: Iterable[Anchor],
    pinned_genesis: str | None,
) -> Verification:
    """Check entries, chain, signatures, legality, anchors, head, snapshots and blobs.

    Args:
        store: where the ledger lies.
        model: whose it is.
        walk: each entry with the state after it, verified on the way; see ``Ledger.walk``.
        anchors: entries that somebody saw and remembered outside the store.
        pinned_genesis: remembered digest of the first entry; vouches for it as an anchor does.

    Raises:
        TamperedError: names the first object that is not right.
    """
    # Read before the walk: what writers add meanwhile is then in the walk, not beyond it.
    listed = list(store.list(log_prefix(model)))
    head = store.get(head_key(model))
    snapshots = dict(_snapshots(store, model))
    walked = _Walked(store, model, walk, keep=snapshots)
    walked.demand_whole(listed, pinned_genesis)
    vouched = max((walked.demand_anchor(anchor) for anchor in anchors), default=0)
    if head is not None:
        walked.demand_head(head)
    for seq, data in snapshots.items():
        walked.demand_snapshot(seq, data)
    return Verification(
        model=model,
        seq=walked.state.seq,
        digest=walked.state.head,
        vouched_seq=max(vouched, int(pinned_genesis is not None)),
        blobs=walked.demand_blobs(),
        snapshots=len(snapshots),
        approvals=tuple(walked.approvals),
        ratifications=tuple(walked.ratifications),
    )


def _snapshots(store: ObjectStore, model: str) -> Iterator[tuple[int, bytes]]:
    prefix = snapshot_prefix(model)
    for key in store.list(prefix):
        seq = seq_of(key, prefix)
        if seq is None:
            raise TamperedError(f"{key} is no snapshot and does not belong there")
        data = store.get(key)
        if data is not None:  # else collected since it was listed
            yield seq, data


class _Walked:
    """The whole log, verified, and of it what the other checks need."""

    def __init__(
        self,
        store: ObjectStore,
        model: str,
        walk: Iterable[tuple[LedgerEntry, State]],
        *,
        keep: Container[int],
    ) -> None:
        self.store, self.model = store, model
        self.state = State.empty(model)
        self.digests = [self.state.head]
        self.blobs: dict[tuple[str, str], tuple[Blob, LedgerEntry]] = {}
        self.approvals: list[ApprovalProof] = []
        self.ratifications: list[ApprovalProof] = []
        self.keys: dict[str, str] = {}
        self.kept: dict[int, State] = {}
        for entry, state in walk:
            proofs = self.ratifications if entry.op == "ratify" else self.approvals
            proofs.extend(prove_approvals(store, entry, self.state))
            for attempt, blob in blobs_of(entry):
                self.blobs.setdefault((attempt, blob.digest), (blob, entry))
            self.state = state
            self.digests.append(state.head)
            self.keys.update(state.keys)
            if state.seq in keep:
                self.kept[state.seq] = state

    def demand_whole(self, listed: Iterable[str], pinned_genesis: str | None) -> None:
        """Nothing lies in the log that the walk did not reach."""
        if self.state.seq == 0 and pinned_genesis is not None:
            raise TamperedError(f"{log_key(self.model, 1)} is gone: a ledger is remembered here")
        prefix = log_prefix(self.model)
        for key in listed:
            seq = seq_of(key, prefix)
            if seq is None or seq == 0:
                raise TamperedError(f"{key} is no entry and does not belong into the log")
            if seq > self.state.seq:
                missing = log_key(self.model, self.state.seq + 1)
                raise TamperedError(f"{missing} is gone: {key} lies beyond it")

    def demand_anchor(self, anchor: Anchor) -> int:
        """Return the anchor's seq if the log bears it out."""
        name = log_key(self.model, anchor.seq)
        if anchor.model != self.model:
            raise TamperedError(f"the anchor is of {anchor.model!r}, not of {self.model!r}")
        if not 1 <= anchor.seq <= self.state.seq:
            raise TamperedError(
                f"{name} is gone: an anchor vouches for it, the log ends at {self.state.seq}"
            )
        if self.digests[anchor.seq] != anchor.digest:
            raise TamperedError(f"{name} is not the entry that an anchor vouches for")
        return anchor.seq

    def demand_head(self, data: bytes) -> None:
        head = parse_head(data, model=self.model, keys=self.keys)
        try:
            self.demand_anchor(head.anchor)
        except TamperedError as error:
            raise TamperedError(f"{head_key(self.model)}: {error}") from error

    def demand_snapshot(self, seq: int, data: bytes) -> None:
        name, folded = snapshot_key(self.model, seq), self.kept.get(seq)
        if folded is None:
            raise TamperedError(f"{name} is beyond the log, which ends at {self.state.seq}")
        if parse_snapshot(data, model=self.model, seq=seq, keys=folded.keys) != folded:
            raise TamperedError(f"{name} is not what the log says")

    def demand_blobs(self) -> int:
        for (attempt, _), (blob, entry) in self.blobs.items():
            try:
                read_blob(self.store, self.model, attempt, blob)
            except TamperedError as error:
                name = log_key(self.model, entry.seq)
                raise TamperedError(f"{error} ({entry.op} in {name} names it)") from error
        return len(self.blobs)


def blobs_of(entry: LedgerEntry) -> Iterator[tuple[str, Blob]]:
    """Yield the blobs that an entry names, each with its attempt."""
    try:
        payload = parse_payload(entry.op, entry.payload, name=f"entry {entry.seq}")
    except RecordError as error:
        raise TamperedError(str(error)) from error
    if isinstance(payload, Register | Decide | Act | Ratify) and payload.attempt is not None:
        yield from ((payload.attempt, blob) for blob in payload.blobs)
