"""Every changed byte is found and named, and so is every well-made forgery."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.errors import TamperedError
from modelwarrant.records import LedgerEntry
from modelwarrant.registry import Anchor, Ledger, Signer
from modelwarrant.registry.entries import signed_entry
from modelwarrant.registry.layout import head_key, log_key, snapshot_key
from modelwarrant.registry.payloads import Genesis, Payload
from modelwarrant.registry.snapshots import signed_snapshot
from tests.registry.world import MODEL, NOW, MemoryStore, Scribe, action

UNNAMED = "m/flights/blob/nobody/" + "0" * 64
"""A blob that no entry names; nothing vouches for it."""


@pytest.fixture
def full(scribe: Scribe) -> Scribe:
    """A ledger with every kind of object in it."""
    first = scribe.promote("run-1", "bob")
    scribe.decide("run-2", None, verdict="HOLD")
    scribe.promote("run-3")
    scribe.ledger.write_snapshot()
    scribe.rollback(first)
    scribe.ledger.publish_head()
    scribe.store.create(UNNAMED, b"an orphan")
    return scribe


def pinned(scribe: Scribe) -> Ledger:
    """The ledger as somebody opens it who remembers its first entry."""
    return Ledger(scribe.store, MODEL, pinned_genesis=scribe.ledger.state().genesis)


def forge(scribe: Scribe, payload: Payload, *, txn: str, signer: Signer) -> LedgerEntry:
    """A well-chained entry at the end of the log that no writer would have made."""
    state = scribe.ledger.state()
    return signed_entry(
        payload,
        model=MODEL,
        seq=state.seq + 1,
        prev=state.head,
        txn=txn,
        actor="ada",
        now=NOW,
        signer=signer,
    )


def plant(scribe: Scribe, entry: LedgerEntry) -> str:
    """Write an entry past the ledger; return its key."""
    key = log_key(MODEL, entry.seq)
    assert scribe.store.create(key, entry.to_bytes())
    return key


def flips(data: bytes, step: int) -> Iterator[bytes]:
    """The bytes with one bit of one byte changed; another bit each time."""
    for place in range(0, len(data), step):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        yield bytes(changed)


def undetected(scribe: Scribe, *, step: int) -> list[str]:
    """The objects in which some flipped byte was not found, or not named."""
    memory = scribe.store
    assert isinstance(memory, MemoryStore)
    ledger, missed = pinned(scribe), []
    for key, data in list(memory.objects.items()):
        if key == UNNAMED:
            continue
        for changed in flips(data, step):
            memory.objects[key] = changed
            try:
                ledger.verify()
                missed.append(key)
            except TamperedError as error:
                if key not in str(error):
                    missed.append(f"{key}: {error}")
        memory.objects[key] = data
    return missed


def test_an_untouched_ledger_verifies(full: Scribe) -> None:
    """Nothing is found where nothing is wrong, and the result says what was checked."""
    found = pinned(full).verify([full.ledger.anchor()])

    assert found.seq == found.vouched_seq == full.ledger.state().seq
    assert found.snapshots == 1
    assert found.blobs == 8
    assert [(each.approver, each.proof) for each in found.approvals] == [("bob", "asserted")]


def test_a_flipped_byte_is_found_and_named(full: Scribe) -> None:
    """One changed bit in an entry, blob, snapshot or the head is found; a sample of all bytes."""
    assert undetected(full, step=97) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_flipped_byte_is_found_and_named(full: Scribe) -> None:
    """The same for every byte of every object."""
    assert undetected(full, step=1) == []


def test_every_byte_of_the_newest_entry_is_guarded(full: Scribe) -> None:
    """No later entry is chained to the newest one: its signature alone must guard every byte."""
    memory, seq = full.store, full.ledger.state().seq
    assert isinstance(memory, MemoryStore)
    memory.delete(head_key(MODEL))
    key = log_key(MODEL, seq)
    data = memory.objects[key]
    for changed in flips(data, 1):
        memory.objects[key] = changed
        with pytest.raises(TamperedError, match=key):
            Ledger(memory, MODEL).state()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\n",
        lambda data: json.dumps(json.loads(data)).encode(),
        lambda data: json.dumps(json.loads(data), indent=1).encode(),
        lambda data: data.replace(b'"seq":3', b'"seq":3.0'),
        lambda data: data.replace(b'"seq":3', b'"seq":"3"'),
        lambda data: data.replace(b'{"actor"', b'{"actor":"eve","actor"'),
        lambda data: data.decode().encode("utf-16"),
        lambda data: b"",
        lambda data: b"[]",
        lambda data: b"\xff",
    ],
)
def test_another_spelling_of_the_same_entry_is_found(scribe: Scribe, change: object) -> None:
    """Only the canonical bytes are the entry."""
    scribe.act("x")
    key = log_key(MODEL, 3)
    assert callable(change)
    scribe.store.put(key, change(scribe.store.get(key)))

    with pytest.raises(TamperedError, match=key):
        Ledger(scribe.store, MODEL).verify()


def test_a_second_spelling_of_a_signature_is_found(scribe: Scribe) -> None:
    """Base64 has unused bits: another text of the same signature is another entry."""
    key = log_key(MODEL, 2)
    entry = json.loads(scribe.store.get(key) or b"")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = entry["signature"][-3]
    entry["signature"] = entry["signature"][:-3] + letters[letters.index(last) ^ 1] + "=="
    scribe.store.put(key, canonical_json(entry))

    with pytest.raises(TamperedError, match="wrong signature"):
        Ledger(scribe.store, MODEL).verify()


@pytest.mark.parametrize("seq", [1, 2, 4])
def test_a_missing_entry_is_named(full: Scribe, seq: int) -> None:
    """A hole is named by the entry that is gone."""
    full.store.delete(log_key(MODEL, seq))

    with pytest.raises(TamperedError, match=f"{log_key(MODEL, seq)} is gone"):
        Ledger(full.store, MODEL).verify()


def test_a_log_that_was_cut_off_is_found_by_an_anchor(full: Scribe) -> None:
    """Whoever removes the newest entries removes what an anchor vouches for."""
    anchor = full.ledger.anchor()
    full.store.delete(log_key(MODEL, anchor.seq))
    full.store.delete(head_key(MODEL))

    assert Ledger(full.store, MODEL).verify().seq == anchor.seq - 1
    with pytest.raises(TamperedError, match="an anchor vouches for it"):
        Ledger(full.store, MODEL).verify([anchor])


def test_a_log_that_was_cut_off_is_found_by_the_signed_head(full: Scribe) -> None:
    """The head in the store is a witness too, as long as it is there."""
    full.store.delete(log_key(MODEL, full.ledger.state().seq))

    with pytest.raises(TamperedError, match=head_key(MODEL)):
        Ledger(full.store, MODEL).verify()


def test_an_anchor_of_another_entry_is_found(full: Scribe) -> None:
    """An anchor vouches for one digest, and for one model."""
    anchor = full.ledger.anchor()
    for wrong, match in (
        (anchor.model_copy(update={"digest": digest_bytes(b"")}), "not the entry that an anchor"),
        (anchor.model_copy(update={"model": "other"}), "the anchor is of 'other'"),
        (Anchor(model=MODEL, seq=0, digest=anchor.digest), "an anchor vouches"),
    ):
        with pytest.raises(TamperedError, match=match):
            pinned(full).verify([wrong])


def test_a_well_chained_entry_by_a_stranger_is_found(full: Scribe) -> None:
    """Who can write the store can chain an entry, but not sign it."""
    key = plant(full, forge(full, action("x"), txn="x", signer=Signer.generate()))

    with pytest.raises(TamperedError, match=f"{key} is not signed by a key in force"):
        Ledger(full.store, MODEL).verify()


def test_a_strangers_signature_under_a_known_key_is_found(full: Scribe) -> None:
    """Naming a key that is in force does not help."""
    forged = forge(full, action("x"), txn="x", signer=Signer.generate())
    key = plant(full, forged.model_copy(update={"key": full.signer.public.id}))

    with pytest.raises(TamperedError, match=f"{key} has a wrong signature"):
        Ledger(full.store, MODEL).state()


def test_a_signed_but_illegal_entry_is_found(full: Scribe) -> None:
    """A stolen program may sign what the rules forbid; every reader refuses it."""
    again = Genesis(mode="laptop", keys=(full.signer.public,))
    key = plant(full, forge(full, again, txn="again", signer=full.signer))

    with pytest.raises(TamperedError, match=f"{key} is not a legal entry: flights already has"):
        Ledger(full.store, MODEL).state()


def test_a_txn_that_stands_twice_is_found(full: Scribe) -> None:
    """Exactly once is a rule for readers too."""
    key = plant(full, forge(full, action("x"), txn="run-1/promote", signer=full.signer))

    with pytest.raises(TamperedError, match=f"{key} .*'run-1/promote' is in entry 5"):
        Ledger(full.store, MODEL).state()


def test_a_replaced_ledger_is_found_by_the_pinned_first_entry(full: Scribe) -> None:
    """A whole new log, well made, is not the one that is remembered."""
    ledger = pinned(full)
    forger = Scribe(MemoryStore())
    forger.begin()
    forger.promote("run-1")
    ledger.store = forger.store

    with pytest.raises(TamperedError, match="not the first entry of the ledger"):
        ledger.verify()
    assert Ledger(forger.store, MODEL).verify().seq == 5


def test_a_log_that_is_gone_is_found_by_the_pinned_first_entry(full: Scribe) -> None:
    """An empty store is not a new beginning for who remembers the old one."""
    ledger = pinned(full)
    ledger.store = MemoryStore()

    for call in (ledger.verify, ledger.state):
        with pytest.raises(TamperedError, match=r"000000000001\.json is gone"):
            call()


def test_an_entry_of_another_model_is_found(full: Scribe) -> None:
    """Logs of two models by the same key do not mix."""
    other = Ledger(full.store, "electricity", full.signer)
    payload = Genesis(mode="laptop", keys=(full.signer.public,))
    other.append("genesis", payload, txn="genesis", actor="ada", now=NOW)
    moved = MemoryStore()
    moved.put(log_key(MODEL, 1), full.store.get(log_key("electricity", 1)) or b"")

    with pytest.raises(TamperedError, match="model is 'electricity', expected 'flights'"):
        Ledger(moved, MODEL).state()


@pytest.mark.parametrize("name", ["000000000000.json", "000000000003.json.bak", "notes.txt"])
def test_what_does_not_belong_into_the_log_is_named(full: Scribe, name: str) -> None:
    """A listing shows nothing but entries."""
    full.store.create(f"m/{MODEL}/log/{name}", b"x")

    with pytest.raises(TamperedError, match=f"{name} is no entry"):
        pinned(full).verify()


def test_a_missing_blob_is_named_with_the_entry_that_names_it(full: Scribe) -> None:
    """The message says which file, where, and which entry needs it."""
    blob = full.ledger.state().version(3).blobs[0]
    key = f"m/{MODEL}/blob/at-run-1/{blob.digest[7:]}"
    full.store.delete(key)

    with pytest.raises(TamperedError, match=f"manifest.json is gone: .*{key} .register in m/"):
        pinned(full).verify()


def test_a_snapshot_by_a_stranger_is_found(full: Scribe) -> None:
    """A true state signed by nobody who counts is named."""
    Scribe(full.store, Signer.generate()).ledger.write_snapshot()

    with pytest.raises(TamperedError, match=f"{snapshot_key(MODEL, 10)} is not signed by a key"):
        pinned(full).verify()


def test_a_signed_snapshot_of_another_state_is_found(full: Scribe) -> None:
    """A key in force does not make a state true."""
    state = replace(full.ledger.state(), production=7)
    snapshot = signed_snapshot(state, full.signer)
    full.store.put(snapshot_key(MODEL, 10), snapshot.to_bytes())

    with pytest.raises(TamperedError, match=f"{snapshot_key(MODEL, 10)} is not what the log says"):
        pinned(full).verify()


def test_a_snapshot_beyond_the_log_is_found(full: Scribe) -> None:
    """A snapshot of entries that are not there is named."""
    full.store.put(snapshot_key(MODEL, 99), full.store.get(snapshot_key(MODEL, 9)) or b"")

    with pytest.raises(TamperedError, match=f"{snapshot_key(MODEL, 99)} is beyond the log"):
        pinned(full).verify()
