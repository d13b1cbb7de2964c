"""What is the state after one more entry?

Pure: the state before, the entry, and the digest of its bytes give the state after. Who signed and
what is chained to what is ``ledger.py``'s question; whether the operation is legal is asked here.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from modelwarrant.errors import IllegalOperationError, RecordError, RegistryError, TamperedError
from modelwarrant.records import LedgerEntry
from modelwarrant.registry.entries import SCHEMA_VERSION, parse_entry, verified_by
from modelwarrant.registry.layout import log_key
from modelwarrant.registry.payloads import (
    Abort,
    Act,
    Decide,
    Genesis,
    Keys,
    Payload,
    Promote,
    Ratify,
    Register,
    Rollback,
    Tombstone,
    Upgrade,
    parse_payload,
)
from modelwarrant.registry.rules import approval_uid, check
from modelwarrant.registry.state import Decided, Landed, Ratified, State, Version

__all__ = ["accept", "after"]


def accept(
    state: State, data: bytes, *, digest: str, pinned_genesis: str | None
) -> tuple[LedgerEntry, State]:
    """Verify the bytes at the next place of the log and fold them in.

    Args:
        state: the verified state before.
        data: the bytes at ``log/<state.seq + 1>``.
        digest: of these bytes.
        pinned_genesis: digest the first entry must have, if one is remembered.

    Raises:
        TamperedError: names the entry and what is wrong: bytes, chain, signature or legality.
        RegistryError: a newer program writes this ledger.
    """
    name = log_key(state.model, state.seq + 1)
    entry = parse_entry(data, model=state.model, seq=state.seq + 1, prev=state.head)
    if entry.seq == 1 and pinned_genesis not in (None, digest):
        raise TamperedError(
            f"{name} is not the first entry of the ledger that is remembered here: "
            f"it is {digest}, remembered is {pinned_genesis}"
        )
    try:
        payload = parse_payload(entry.op, entry.payload, name=name)
        is_newer = isinstance(payload, Upgrade) and payload.to_schema > SCHEMA_VERSION
        if not is_newer:
            check(state, payload)
    except (RecordError, IllegalOperationError) as error:
        raise TamperedError(f"{name} is not a legal entry: {error}") from error
    keys = state.keys
    if isinstance(payload, Genesis):
        keys = {key.id: key.public for key in payload.keys}
    public = keys.get(entry.key)
    if public is None or not verified_by(entry, data, public):
        why = "is not signed by a key in force" if public is None else "has a wrong signature"
        raise TamperedError(f"{name} {why} (key {entry.key})")
    if is_newer:
        raise RegistryError(
            f"{name}: from here on this ledger is written by a newer modelwarrant, in schema "
            f"{entry.payload['to_schema']}; this one reads schema {SCHEMA_VERSION}: install the "
            "newer one. Nothing was written"
        )
    if entry.txn in state.txns:
        raise TamperedError(
            f"{name} is not a legal entry: {entry.txn!r} is in entry {state.txns[entry.txn].seq}"
        )
    return entry, after(state, entry, payload, digest=digest)


def after(state: State, entry: LedgerEntry, payload: Payload, *, digest: str) -> State:
    """Return the state after a legal entry."""
    landed = replace(
        state,
        seq=entry.seq,
        head=digest,
        txns={**state.txns, entry.txn: Landed(entry.seq, digest)},
    )
    return _FOLDS[type(payload)](landed, entry, payload)


def _genesis(state: State, entry: LedgerEntry, payload: Genesis) -> State:
    keys = {key.id: key.public for key in payload.keys}
    return replace(state, genesis=state.head, mode=payload.mode, keys=keys)


def _keys(state: State, entry: LedgerEntry, payload: Keys) -> State:
    kept = {id: public for id, public in state.keys.items() if id not in payload.remove}
    return replace(state, keys=kept | {key.id: key.public for key in payload.add})


def _register(state: State, entry: LedgerEntry, payload: Register) -> State:
    version = Version(
        number=entry.seq,
        digest=payload.digest,
        schema_digest=payload.schema_digest,
        evidence_digest=payload.evidence_digest,
        run=payload.run,
        attempt=payload.attempt,
        blobs=payload.blobs,
        actor=entry.actor,
        time=entry.time,
    )
    return replace(
        state,
        versions={**state.versions, entry.seq: version},
        run_versions={**state.run_versions, payload.run: entry.seq},
        attempts=_named(state, payload.attempt),
    )


def _decide(state: State, entry: LedgerEntry, payload: Decide) -> State:
    decided = Decided(seq=entry.seq, time=entry.time, **dict(payload))
    return replace(
        state,
        decisions={**state.decisions, entry.seq: decided},
        run_decisions={**state.run_decisions, payload.run: entry.seq},
        attempts=_named(state, payload.attempt),
    )


def _promote(state: State, entry: LedgerEntry, payload: Promote) -> State:
    version = replace(
        state.versions[payload.version],
        promoted=entry.seq,
        decision=payload.decision,
        parent=state.production,
        approvers=tuple(approval.approver for approval in payload.approvals),
    )
    return replace(
        state,
        versions={**state.versions, payload.version: version},
        production=payload.version,
        promoted=entry.seq,
        moved=entry.seq,
        attempts=_named(state, payload.attempt),
        approvals={**state.approvals, **{use.uid: entry.seq for use in payload.approvals}},
    )


def _rollback(state: State, entry: LedgerEntry, payload: Rollback) -> State:
    return replace(state, production=payload.to, moved=entry.seq)


def _act(state: State, entry: LedgerEntry, payload: Act) -> State:
    if payload.attempt is None:
        return state
    return replace(state, attempts=_named(state, payload.attempt))


def _tombstone(state: State, entry: LedgerEntry, payload: Tombstone) -> State:
    version = replace(state.versions[payload.version], is_tombstoned=True)
    return replace(state, versions={**state.versions, payload.version: version})


def _abort(state: State, entry: LedgerEntry, payload: Abort) -> State:
    return replace(state, fenced={**state.fenced, payload.attempt: entry.seq})


def _ratify(state: State, entry: LedgerEntry, payload: Ratify) -> State:
    values = {
        name: value for name, value in dict(payload).items() if name not in _ONLY_IN_THE_ENTRY
    }
    ratified = Ratified(seq=entry.seq, time=entry.time, **values)
    changed = replace(state, attempts=_named(state, payload.attempt))
    if payload.request is not None:
        uid = approval_uid(payload.request, payload.approver)
        changed = replace(changed, approvals={**state.approvals, uid: entry.seq})
    if payload.kind == "policy":
        return replace(changed, policy=ratified)
    return replace(changed, signers=ratified)


_ONLY_IN_THE_ENTRY = frozenset({"kind", "backtest_digest", "request", "answer", "answered"})


def _upgrade(state: State, entry: LedgerEntry, payload: Upgrade) -> State:
    return replace(state, schema=payload.to_schema)


def _named(state: State, attempt: str) -> Mapping[str, int]:
    """The attempts that entries name, this one among them."""
    if attempt in state.attempts:
        return state.attempts
    return {**state.attempts, attempt: state.seq}


_FOLDS: Mapping[type[Any], Callable[[State, LedgerEntry, Any], State]] = {
    Genesis: _genesis,
    Keys: _keys,
    Register: _register,
    Decide: _decide,
    Promote: _promote,
    Rollback: _rollback,
    Act: _act,
    Tombstone: _tombstone,
    Abort: _abort,
    Ratify: _ratify,
    Upgrade: _upgrade,
}
