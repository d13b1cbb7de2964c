"""A pack saves requests and is never believed."""

import pytest

from modelwarrant.errors import TamperedError
from modelwarrant.registry import Ledger, State, gc
from modelwarrant.registry.layout import log_key, pack_key
from modelwarrant.registry.packs import PACKED
from tests.registry.world import MODEL, NOW, MemoryStore, Scribe

KEY = pack_key(MODEL, PACKED)


class CountingStore(MemoryStore):
    """Counts requests."""

    requests = 0

    def get(self, key: str) -> bytes | None:
        """See ``ObjectStore``."""
        self.requests += 1
        return super().get(key)


@pytest.fixture(scope="module")
def objects() -> dict[str, bytes]:
    """A ledger with two packs and a few entries more; tests must not change it."""
    memory = MemoryStore()
    scribe = Scribe(memory)
    scribe.begin()
    version = scribe.promote("run-1", "bob")
    for number in range(2 * PACKED + 3 - scribe.ledger.state().seq):
        scribe.act(f"act-{number}")
    assert version == scribe.ledger.state().production
    return memory.objects


def opened(objects: dict[str, bytes]) -> tuple[State, int]:
    """What a reader who trusts nobody sees, and with how many requests."""
    store = CountingStore()
    store.objects = dict(objects)
    return Ledger(store, MODEL).state(), store.requests


def without_packs(objects: dict[str, bytes]) -> dict[str, bytes]:
    """The same log without packs."""
    return {key: data for key, data in objects.items() if "/pack/" not in key}


def test_writers_leave_packs(objects: dict[str, bytes]) -> None:
    """Whoever writes the last entry of a pack writes the pack."""
    entries = [objects[log_key(MODEL, seq)] for seq in range(1, PACKED + 1)]

    assert b"\n".join(entries) == objects[KEY]
    assert pack_key(MODEL, 2 * PACKED) in objects


def test_a_pack_saves_requests_and_changes_nothing(objects: dict[str, bytes]) -> None:
    """Two packs, the entries they end with, three entries, and twice nothing."""
    packed, few = opened(objects)
    plain, many = opened(without_packs(objects))

    assert plain == packed
    assert (9, 2 * PACKED + 5) == (few, many)


@pytest.mark.parametrize("place", [0, 900, 40_000, -2])
def test_a_wrong_pack_is_passed_over(objects: dict[str, bytes], place: int) -> None:
    """A flipped byte anywhere in it costs time, nothing else."""
    spoiled = bytearray(objects[KEY])
    spoiled[place] ^= 1

    assert opened(without_packs(objects))[0] == opened(objects | {KEY: bytes(spoiled)})[0]


def test_a_pack_of_another_log_is_passed_over(objects: dict[str, bytes]) -> None:
    """It must end with the entry that lies in this log."""
    other = MemoryStore()
    scribe = Scribe(other)
    scribe.begin()
    for number in range(PACKED):
        scribe.act(f"act-{number}")

    assert opened(objects)[0] == opened(objects | {KEY: other.objects[KEY]})[0]


def test_verification_reads_the_entries_themselves(objects: dict[str, bytes]) -> None:
    """A right pack does not hide a changed entry."""
    store = MemoryStore()
    key = log_key(MODEL, 9)
    store.objects = objects | {key: objects[key] + b" "}

    with pytest.raises(TamperedError, match=key):
        Ledger(store, MODEL).verify()


def test_gc_writes_missing_packs(objects: dict[str, bytes]) -> None:
    """An old ledger, or one whose writer died, is read fast after the next collection."""
    store = MemoryStore()
    scribe = Scribe(store)
    scribe.begin()
    for number in range(PACKED):
        scribe.act(f"act-{number}")
    whole = store.objects.pop(KEY)
    found = gc(scribe.ledger, actor="ada", now=NOW)

    assert (1, whole) == (found.packs, store.objects[KEY])
    assert gc(scribe.ledger, actor="ada", now=NOW).packs == 0
