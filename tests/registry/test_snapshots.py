"""A snapshot makes opening fast and changes nothing else."""

from dataclasses import replace

import pytest

from modelwarrant.registry import Ledger, Signer, State
from modelwarrant.registry.layout import log_key, snapshot_key
from modelwarrant.registry.payloads import Keys
from modelwarrant.registry.snapshots import SNAPSHOT_EVERY, signed_snapshot
from tests.registry.world import MODEL, MemoryStore, Scribe


class CountingStore(MemoryStore):
    """Counts reads of the log."""

    reads = 0

    def get(self, key: str) -> bytes | None:
        """See ``ObjectStore``."""
        self.reads += "/log/" in key
        return super().get(key)


@pytest.fixture
def full(scribe: Scribe) -> Scribe:
    """A ledger with a bit of everything, and a snapshot before its newest entry."""
    first = scribe.promote("run-1", "bob")
    scribe.promote("run-2")
    scribe.tombstone(scribe.register("run-3"))
    scribe.ratify(b"ada ssh-ed25519 AAAA", "signers")
    scribe.ledger.write_snapshot()
    scribe.rollback(first)
    return scribe


def opened(scribe: Scribe, signer: Signer | None) -> tuple[State, int]:
    """Open the ledger anew; return its state and how many entries were read for it."""
    counting = CountingStore()
    counting.objects = scribe.store.objects  # type: ignore[attr-defined] # a MemoryStore
    return Ledger(counting, MODEL, signer).state(), counting.reads


def test_a_snapshot_holds_the_whole_state(full: Scribe) -> None:
    """The state from a snapshot equals the one from the first entry on."""
    quick, _ = opened(full, full.signer)
    slow, _ = opened(full, None)

    assert slow == quick


def test_ones_own_snapshot_saves_reading(full: Scribe) -> None:
    """Only the entry it stands on, the newer ones and the missing one are read."""
    assert opened(full, full.signer)[1] == 3


def test_somebody_elses_snapshot_is_not_believed(full: Scribe) -> None:
    """A reader without that key reads the whole log."""
    assert opened(full, None)[1] == full.ledger.state().seq + 1
    assert opened(full, Signer.generate())[1] == full.ledger.state().seq + 1


def test_a_configured_key_makes_snapshots_believed(full: Scribe) -> None:
    """A service that signs nothing may trust the gate's snapshots."""
    key = full.signer.public
    counting = CountingStore()
    counting.objects = full.store.objects  # type: ignore[attr-defined] # a MemoryStore
    Ledger(counting, MODEL, snapshot_keys={key.id: key.public}).state()

    assert counting.reads == 3


def test_a_removed_keys_snapshot_is_not_believed(full: Scribe, memory: MemoryStore) -> None:
    """Who lost the right to sign cannot vouch for a state in which it still has it."""
    other = Signer.generate()
    full.append(Keys(add=(other.public,)), "join")
    forged = replace(full.ledger.state(), production=6)
    full.append(Keys(remove=(other.public.id,)), "leave")
    memory.put(snapshot_key(MODEL, forged.seq), signed_snapshot(forged, other).to_bytes())

    assert opened(full, full.signer)[0].production == 3


def test_a_snapshot_of_another_log_is_not_believed(full: Scribe, memory: MemoryStore) -> None:
    """A snapshot must stand on the entry that is in the log, and on the remembered first one."""
    foreign = Scribe(MemoryStore(), full.signer)
    foreign.begin()
    foreign.promote("run-9")
    seq = foreign.ledger.state().seq
    memory.put(
        snapshot_key(MODEL, 99),
        signed_snapshot(replace(foreign.ledger.state(), seq=99), full.signer).to_bytes(),
    )
    memory.put(snapshot_key(MODEL, 98), b"broken")

    assert opened(full, full.signer)[0] == full.ledger.state()
    assert seq != 99
    pinned = Ledger(memory, MODEL, full.signer, "sha256:" + "0" * 64)
    with pytest.raises(Exception, match=log_key(MODEL, 1)):
        pinned.state()


def test_deleting_snapshots_changes_nothing(full: Scribe, memory: MemoryStore) -> None:
    """It is a cache."""
    before = full.ledger.state()
    for key in list(memory.list(f"m/{MODEL}/snap/")):
        memory.delete(key)

    assert before == opened(full, full.signer)[0]


def test_a_snapshot_is_written_now_and_then(scribe: Scribe, memory: MemoryStore) -> None:
    """Every so many entries, by whoever writes that entry."""
    for number in range(SNAPSHOT_EVERY - scribe.ledger.state().seq):
        scribe.act(f"act-{number}")

    assert list(memory.list(f"m/{MODEL}/snap/")) == [snapshot_key(MODEL, SNAPSHOT_EVERY)]
    assert opened(scribe, scribe.signer)[1] == 2


def test_a_parallel_reader_sees_the_same(full: Scribe) -> None:
    """Reading ahead changes nothing but the waiting."""
    assert full.ledger.state() == Ledger(full.store, MODEL, readers=8).state()
    assert full.ledger.entries() == Ledger(full.store, MODEL, readers=3).entries()
