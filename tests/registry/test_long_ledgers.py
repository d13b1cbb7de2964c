"""A ledger of 200 entries: every byte of it is guarded; stale listings decide nothing."""

from collections.abc import Iterator

import pytest

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import TamperedError
from modelwarrant.registry import Ledger, State, gc
from modelwarrant.registry.fold import accept
from modelwarrant.registry.layout import log_key
from tests.registry.test_verification import flips
from tests.registry.world import MODEL, NOW, MemoryStore, Scribe, registration

ENTRIES = 200


def long_ledger() -> Scribe:
    """Registrations, decisions of every kind, promotions, rollbacks, and much in between."""
    scribe = Scribe(MemoryStore())
    scribe.begin()
    first = scribe.promote("run-0", "bob")
    for number in range(1, 1000):
        if scribe.ledger.state().seq >= ENTRIES - 10:
            break
        scribe.decide(f"held-{number}", None, verdict=("HOLD", "REJECT")[number % 2])
        scribe.promote(f"run-{number}", *(("bob",) if number % 3 else ()))
        if number % 5 == 0:
            scribe.rollback(first)
    while scribe.ledger.state().seq < ENTRIES:
        scribe.act(f"act-{scribe.ledger.state().seq}")
    return scribe


def undetected(scribe: Scribe, *, step: int) -> Iterator[str]:
    """The flips that a reader who has come so far does not find, or does not name."""
    state = State.empty(MODEL)
    for seq in range(1, ENTRIES + 1):
        data, name = scribe.store.get(log_key(MODEL, seq)) or b"", log_key(MODEL, seq)
        for changed in flips(data, step):
            try:
                accept(state, changed, digest=digest_bytes(changed), pinned_genesis=None)
                yield name
            except TamperedError as error:
                if name not in str(error):
                    yield f"{name}: {error}"
        _, state = accept(state, data, digest=digest_bytes(data), pinned_genesis=None)


def test_a_sample_of_all_bytes_is_guarded() -> None:
    """Each entry on its own, without help from the entries after it."""
    assert [] == list(undetected(long_ledger(), step=211))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_byte_of_two_hundred_entries_is_guarded() -> None:
    """100 % found, the first bad entry named."""
    assert [] == list(undetected(long_ledger(), step=1))


class StaleStore(MemoryStore):
    """Lists what was there a while ago."""

    def __init__(self, objects: dict[str, bytes], listed: list[str]) -> None:
        super().__init__()
        self.objects, self.listed = objects, listed

    def list(self, prefix: str) -> Iterator[str]:
        """See ``ObjectStore``; of another time."""
        return iter(sorted(key for key in self.listed if key.startswith(prefix)))


@pytest.mark.parametrize("when", ["before", "at the beginning", "for ever gone"])
def test_a_stale_listing_loses_nothing(scribe: Scribe, memory: MemoryStore, when: str) -> None:
    """Reading, writing, verifying and collecting are right on lists of another time."""
    old = [] if when == "before" else list(memory.objects)
    scribe.promote("run-1", "bob")
    registration(memory, "run-2", "orphan")
    if when == "for ever gone":
        old = [*memory.objects, "m/flights/blob/ghost/" + "0" * 64]
        for key in [key for key in memory.objects if "/orphan/" in key]:
            memory.delete(key)
    stale = StaleStore(memory.objects, old)
    writer = Scribe(stale, scribe.signer)
    writer.act("mine")
    gc(writer.ledger, actor="ada", now=NOW)

    assert Ledger(memory, MODEL).verify().blobs == 4
    assert Ledger(stale, MODEL).state() == Ledger(memory, MODEL).state()
    assert Ledger(stale, MODEL).verify().seq == Ledger(memory, MODEL).state().seq
