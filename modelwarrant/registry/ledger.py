"""How is an operation recorded exactly once, and what does the log say?

One commit point and one primitive: the entry at ``log/<seq + 1>`` is created only where none is.
Everything else is reading: forward from the last verified entry with plain GETs until one is
missing; a listing is never trusted.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import (
    BusyError,
    IllegalOperationError,
    OutcomeUnknownError,
    RegistryError,
    StoreError,
    TamperedError,
    TemporaryError,
    WarrantError,
)
from modelwarrant.records import LedgerEntry, Operation
from modelwarrant.registry.anchors import Anchor, signed_head
from modelwarrant.registry.entries import signed_entry, utc_text
from modelwarrant.registry.fold import accept
from modelwarrant.registry.keys import Signer
from modelwarrant.registry.layout import (
    checked_model,
    head_key,
    log_key,
    pack_key,
    seq_of,
    snapshot_key,
    snapshot_prefix,
)
from modelwarrant.registry.packs import PACKED, ends_pack, packed_entries, read_pack
from modelwarrant.registry.payloads import Genesis, Payload, operation_of
from modelwarrant.registry.rules import check
from modelwarrant.registry.snapshots import SNAPSHOT_EVERY, parse_snapshot, signed_snapshot
from modelwarrant.registry.state import Landed, State
from modelwarrant.registry.verification import Verification, verify
from modelwarrant.storage import ObjectStore

__all__ = ["Ledger"]

RESENDS = 3
"""Times the same bytes go to the same key again when the answer was lost."""

ROUNDS = 1000
"""Lost races after which an append gives up; 16 writers need about 16."""

FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.5
"""Back-off from the second conflict on, full jitter: [0, min(longest, first * 2^conflicts))."""

_RANDOM = secrets.SystemRandom()


class Ledger:
    """One model's log. Not for two threads at a time; any number of instances may write.

    Args:
        store: where it lies.
        model: whose it is.
        signer: signs what is appended; None opens for reading.
        pinned_genesis: digest the first entry must have; None trusts the first one seen.
        anchor: an entry seen before, which must still be there when the log is first read.
        snapshot_keys: further public keys (id to base64) whose snapshots are trusted; the
            signer's own always are.
        readers: GETs in flight at a time; 1 is right for a folder, 16 for S3.
        sleep: waits that many seconds.
        jitter: a random number in [0, 1).
    """

    def __init__(
        self,
        store: ObjectStore,
        model: str,
        signer: Signer | None = None,
        pinned_genesis: str | None = None,
        *,
        anchor: Anchor | None = None,
        snapshot_keys: Mapping[str, str] | None = None,
        readers: int = 1,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self.store = store
        self.model = checked_model(model)
        self.pinned_genesis = pinned_genesis
        self._signer = signer
        self._anchor = anchor
        own = {} if signer is None else {signer.public.id: signer.public.public}
        self._snapshot_keys = {**(snapshot_keys or {}), **own}
        self._readers = readers
        self._sleep = sleep
        self._jitter = jitter
        self._state: State | None = None
        self._recent: list[bytes] = []

    def state(self, *, as_of: int | datetime | None = None) -> State:
        """Return the verified fold; it never goes back within one instance.

        Args:
            as_of: up to this seq, or up to the last entry written by this moment as the entries'
                own (advisory) times say.

        Raises:
            TamperedError: names the first entry that is not right.
        """
        if as_of is None:
            return self._refresh()
        return self._state_as_of(as_of)

    def entries(self) -> tuple[LedgerEntry, ...]:
        """Return every entry, each verified from the first on."""
        return tuple(entry for entry, _ in self.walk())

    def walk(self) -> Iterator[tuple[LedgerEntry, State]]:
        """Yield each entry with the state after it, verified from the first on."""
        return self._forward(State.empty(self.model))

    def append(
        self, op: Operation, payload: Payload, *, txn: str, actor: str, now: datetime
    ) -> LedgerEntry:
        """Record an operation exactly once.

        Args:
            op: the operation; must be the payload's.
            payload: what it says.
            txn: names this operation: run id and step. An entry that has it is returned instead
                of a second one being written, so a retry is always safe.
            actor: who asks.
            now: advisory.

        Returns:
            The entry, durable and read back.

        Raises:
            IllegalOperationError: the log does not allow it, and it is not in the log.
            OutcomeUnknownError: it may or may not be in the log; call again with the same txn.
            StoreUnavailableError: it is not in the log; it may work later.
            BusyError: other writers won every round.
        """
        if operation_of(payload) != op:
            raise IllegalOperationError(f"{self.model}: the payload is no {op!r}")
        signer = self._demand_signer()
        in_doubt: int | None = None
        for conflicts in range(ROUNDS):
            state = self._refresh_to_append(in_doubt)
            landed = state.txns.get(txn)
            if landed is not None:
                return self._landed(landed, txn, op)
            check(state, payload)
            self._demand_in_force(state, payload, signer)
            entry = signed_entry(
                payload,
                model=self.model,
                seq=state.seq + 1,
                prev=state.head,
                txn=txn,
                actor=actor,
                now=now,
                signer=signer,
            )
            if self._send(entry):
                return self._confirm(state, entry)
            in_doubt = entry.seq
            self._back_off(conflicts)
        raise BusyError(f"{self.model}: other writers were faster {ROUNDS} times; try again")

    def verify(self, anchors: Iterable[Anchor] = ()) -> Verification:
        """Read and check every byte the ledger stands for; see ``verification.verify``.

        Args:
            anchors: entries that somebody saw and remembered outside the store.

        Raises:
            TamperedError: names the first object that is not right.
        """
        return verify(
            self.store, self.model, self.walk(), anchors=anchors, pinned_genesis=self.pinned_genesis
        )

    def publish_head(self) -> Anchor:
        """Write the newest verified entry's anchor to ``head.json`` and return it."""
        anchor = self.anchor()
        head = signed_head(anchor, self._demand_signer())
        self.store.put(head_key(self.model), head.to_bytes())
        return anchor

    def anchor(self) -> Anchor:
        """Return an anchor at the newest entry."""
        state = self._refresh()
        return Anchor(model=self.model, seq=state.seq, digest=state.head)

    def write_snapshot(self) -> None:
        """Write the present fold as a snapshot, so that others open the ledger faster."""
        self._write_snapshot(self._refresh())

    def _write_snapshot(self, state: State) -> None:
        snapshot = signed_snapshot(state, self._demand_signer())
        self.store.put(snapshot_key(self.model, state.seq), snapshot.to_bytes())

    def _demand_signer(self) -> Signer:
        if self._signer is None:
            raise RegistryError(f"{self.model}: the ledger is open for reading only; no key")
        return self._signer

    def _demand_in_force(self, state: State, payload: Payload, signer: Signer) -> None:
        key = signer.public
        allowed = state.keys
        if isinstance(payload, Genesis):
            allowed = {each.id: each.public for each in payload.keys}
        if key.id not in allowed:
            raise IllegalOperationError(
                f"{self.model}: your key {key.id} is not in force in this ledger; "
                f"somebody whose key is must add it (public key {key.public})"
            )

    def _refresh(self) -> State:
        if self._state is None:
            self._state = self._newest_snapshot() or State.empty(self.model)
        while packed := read_pack(self.store, self.model, self._state.seq):
            try:
                self._state = self._folded(self._state, packed)
            except RegistryError:  # a cache; the entries themselves are what counts
                break
        for data in self._read_from(self._state.seq + 1):
            self._state = self._folded(self._state, (data,))
            self._note(self._state.seq, data)
        if self._state.seq == 0 and self.pinned_genesis is not None:
            raise TamperedError(
                f"{log_key(self.model, 1)} is gone: the store {self.store.uri} held a ledger that "
                f"is remembered here (first entry {self.pinned_genesis}); if you removed the whole "
                "store on purpose, the next run begins a new ledger"
            )
        self._demand_anchor(self._state)
        return self._state

    def _folded(self, state: State, entries: Iterable[bytes]) -> State:
        for data in entries:
            _, state = accept(
                state, data, digest=digest_bytes(data), pinned_genesis=self.pinned_genesis
            )
        return state

    def _note(self, seq: int, data: bytes) -> None:
        """Keep the bytes of entries since the last pack, for the one that writes the next."""
        if ends_pack(seq - 1):
            self._recent.clear()
        self._recent.append(data)

    def _demand_anchor(self, state: State) -> None:
        anchor = self._anchor
        if anchor is not None and state.digest_at(anchor.seq) != anchor.digest:
            raise TamperedError(
                f"{log_key(self.model, anchor.seq)} is gone or changed: it was seen here as "
                f"{anchor.digest}; the store {self.store.uri} was set back or rewritten"
            )
        self._anchor = None

    def _refresh_to_append(self, in_doubt: int | None) -> State:
        """Read on before a write; failing while a write of ours may still land leaves doubt."""
        before = self._state
        try:
            state = self._refresh()
            if before is not None and state.seq == before.seq:
                self._demand_unchanged(state)
            return state
        except TemporaryError as error:
            if in_doubt is None or (self._state is not None and self._state.seq >= in_doubt):
                raise
            raise self._unknown(in_doubt, error) from error

    def _demand_unchanged(self, state: State) -> None:
        """The entry to be chained to must still be there: a store set back would get a gap.

        Asked only where nothing new was read; what is new is chained to it.
        """
        if state.seq == 0:
            return
        data = self.store.get(log_key(self.model, state.seq))
        if data is None or digest_bytes(data) != state.head:
            raise TamperedError(
                f"{log_key(self.model, state.seq)} was changed or removed after it had been read"
            )

    def _state_as_of(self, as_of: int | datetime) -> State:
        found = State.empty(self.model)
        for entry, state in self.walk():
            if isinstance(as_of, datetime):
                is_later = entry.time > utc_text(as_of)
            else:
                is_later = entry.seq > as_of
            if is_later:
                break
            found = state
        return found

    def _forward(self, state: State) -> Iterator[tuple[LedgerEntry, State]]:
        """Verify entry after entry from a state on, until one is missing."""
        for data in self._read_from(state.seq + 1):
            entry, state = accept(
                state, data, digest=digest_bytes(data), pinned_genesis=self.pinned_genesis
            )
            yield entry, state

    def _read_from(self, seq: int) -> Iterator[bytes]:
        if self._readers == 1:
            while (data := self.store.get(log_key(self.model, seq))) is not None:
                yield data
                seq += 1
            return
        with ThreadPoolExecutor(self._readers) as pool:
            while True:
                ahead = range(seq, seq + 2 * self._readers)
                keys = (log_key(self.model, each) for each in ahead)
                for data in pool.map(self.store.get, keys):
                    if data is None:
                        return
                    yield data
                seq = ahead.stop

    def _newest_snapshot(self) -> State | None:
        """The newest trusted snapshot that the log still bears out, if any."""
        prefix = snapshot_prefix(self.model)
        if not self._snapshot_keys:
            return None
        for key in reversed(list(self.store.list(prefix))):
            seq = seq_of(key, prefix)
            if seq is None:
                continue
            with suppress(TamperedError):  # a cache; verify names the broken one
                return self._trusted_snapshot(seq)
        return None

    def _trusted_snapshot(self, seq: int) -> State:
        data = self.store.get(snapshot_key(self.model, seq)) or b""
        state = parse_snapshot(data, model=self.model, seq=seq, keys=self._snapshot_keys)
        entry = self.store.get(log_key(self.model, seq)) or b""
        if digest_bytes(entry) != state.head or self.pinned_genesis not in (None, state.genesis):
            raise TamperedError(f"{snapshot_key(self.model, seq)} is not of this log")
        return state

    def _send(self, entry: LedgerEntry) -> bool:
        """Ask the store to create the entry; again with the same bytes where the answer is lost.

        Returns:
            Whether these bytes lie there; False says to read who is there, it may be this entry.
        """
        key, data = log_key(self.model, entry.seq), entry.to_bytes()
        lost: WarrantError | None = None
        for resends in range(1 + RESENDS):
            self._back_off(resends)
            try:
                return self.store.create(key, data)
            except OutcomeUnknownError as error:
                lost = error
            except (TemporaryError, StoreError) as error:
                if lost is None:
                    raise
                lost = error
        raise self._unknown(entry.seq, lost) from lost

    def _unknown(self, seq: int, error: WarrantError | None) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"{log_key(self.model, seq)} may or may not have been written: {error}; "
            "running the same again is safe"
        )

    def _confirm(self, state: State, entry: LedgerEntry) -> LedgerEntry:
        """Read the entry back: a store that ignores the condition shows another writer's."""
        key, data = log_key(self.model, entry.seq), entry.to_bytes()
        try:
            found = self.store.get(key)
        except TemporaryError as error:
            raise self._unknown(entry.seq, error) from error
        if found != data:
            raise StoreError(
                f"the store {self.store.uri} acknowledged {key} and now shows "
                f"{'nothing' if found is None else 'other bytes'}; "
                "it cannot carry a ledger: see warrant store probe"
            )
        self._state = self._folded(state, (data,))
        self._note(entry.seq, data)
        with suppress(WarrantError):  # caches; the entry is what counts
            self._write_caches(self._state)
        return entry

    def _write_caches(self, state: State) -> None:
        if state.seq % SNAPSHOT_EVERY == 0:
            self._write_snapshot(state)
        if ends_pack(state.seq) and len(self._recent) == PACKED:
            self.store.create(pack_key(self.model, state.seq), packed_entries(self._recent))

    def _landed(self, landed: Landed, txn: str, op: Operation) -> LedgerEntry:
        """Return the entry that has this txn, durable: whoever wrote it may have died unsynced."""
        key = log_key(self.model, landed.seq)
        data = self.store.get(key)
        if data is None or digest_bytes(data) != landed.digest:
            raise TamperedError(f"{key} was changed or removed after it had been read")
        self.store.create(key, data)
        entry = LedgerEntry.from_bytes(data, name=key)
        if entry.op != op:
            raise IllegalOperationError(
                f"{self.model}: {txn!r} is in entry {landed.seq} as {entry.op!r}, not {op!r}"
            )
        return entry

    def _back_off(self, conflicts: int) -> None:
        if conflicts > 0:
            longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(conflicts, 20))
            self._sleep(self._jitter() * longest)
