"""How is a long ledger opened fast?

A snapshot is the fold of the first entries, signed. It is a cache: deleting one changes nothing,
and a reader takes only those signed by a key it trusts for that, its own above all. A key in force
is not enough: one that was removed later could vouch for a state in which it still is.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from modelwarrant.canonical import canonical_json
from modelwarrant.errors import RecordError, TamperedError
from modelwarrant.records.base import Record
from modelwarrant.registry.keys import Signer, is_signed_by
from modelwarrant.registry.layout import snapshot_key
from modelwarrant.registry.state import State

__all__ = ["SNAPSHOT_EVERY", "Snapshot", "parse_snapshot", "signed_snapshot"]

SNAPSHOT_EVERY = 256
"""Entries between two snapshots: at most that many are verified one by one at a start, 0.1 s."""


class Snapshot(Record):
    """The signed fold at ``snap/<seq>.json``."""

    schema_version: Literal[1] = 1
    model: str
    seq: int
    state: dict[str, Any]
    key: str
    signature: str


def signed_snapshot(state: State, signer: Signer) -> Snapshot:
    """Sign a state."""
    snapshot = Snapshot(
        model=state.model,
        seq=state.seq,
        state=_states().dump_python(state, mode="json"),
        key=signer.public.id,
        signature="",
    )
    return snapshot.model_copy(update={"signature": signer.sign(_signed_bytes(snapshot))})


def parse_snapshot(data: bytes, *, model: str, seq: int, keys: Mapping[str, str]) -> State:
    """Read the bytes that lie at ``snap/<seq>``.

    Args:
        data: the bytes.
        model: whose it must be.
        seq: up to which entry.
        keys: keys whose signature counts, id to public bytes.

    Raises:
        TamperedError: its bytes are not right, or no key that counts signed it.
    """
    name = snapshot_key(model, seq)
    try:
        snapshot = Snapshot.from_bytes(data, name=name)
        is_canonical = snapshot.to_bytes() == data
    except RecordError as error:
        raise TamperedError(f"{name} was altered: {error}") from error
    public = keys.get(snapshot.key)
    if not is_canonical or (snapshot.model, snapshot.seq) != (model, seq):
        raise TamperedError(f"{name} was altered")
    if public is None or not is_signed_by(public, snapshot.signature, _signed_bytes(snapshot)):
        raise TamperedError(f"{name} is not signed by a key that counts here (key {snapshot.key})")
    try:
        state = _states().validate_python(snapshot.state)
    except ValidationError as error:
        raise TamperedError(f"{name} holds no state: {error.error_count()} errors") from error
    if (state.model, state.seq) != (model, seq):
        raise TamperedError(f"{name} holds the state of {state.model} at {state.seq}")
    return state


@cache
def _states() -> TypeAdapter[State]:
    """Built on first use: most processes open short ledgers."""
    return TypeAdapter(State)


def _signed_bytes(snapshot: Snapshot) -> bytes:
    return canonical_json({"snapshot": snapshot.model_dump(mode="json", exclude={"signature"})})
