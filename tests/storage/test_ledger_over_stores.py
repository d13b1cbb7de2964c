"""A ledger over every kind of store: the contract is enough to carry it."""

from concurrent.futures import ThreadPoolExecutor

from modelwarrant.registry import Ledger, gc
from modelwarrant.storage import ObjectStore
from tests.registry.world import MODEL, NOW, Scribe, registration


def test_a_ledger_lives_on_any_store(store: ObjectStore) -> None:
    """Promotion, rollback, collection and verification, and a fresh reader agrees."""
    scribe = Scribe(store)
    scribe.begin()
    first = scribe.promote("run-1", "bob")
    scribe.promote("run-2")
    scribe.rollback(first)
    registration(store, "run-3", "orphan")
    collected = gc(scribe.ledger, actor="ada", now=NOW)
    scribe.ledger.publish_head()
    verified = Ledger(store, MODEL, readers=8).verify([scribe.ledger.anchor()])

    assert collected.attempts == ("orphan",)
    assert verified.seq == verified.vouched_seq == 10
    assert first == Ledger(store, MODEL).state().production


def test_writers_at_once_lose_nothing(store: ObjectStore) -> None:
    """Six writers of one ledger: every entry once, where it was acknowledged."""
    scribe = Scribe(store)
    scribe.begin()

    def write(number: int) -> dict[str, int]:
        writer = Scribe(store, scribe.signer)
        names = [f"writer{number}-{count}" for count in range(4)]
        return {name: writer.act(name).seq for name in names}

    with ThreadPoolExecutor(6) as writers:
        promised = {txn: seq for told in writers.map(write, range(6)) for txn, seq in told.items()}
    written = {entry.txn: entry.seq for entry in Ledger(store, MODEL).entries()[2:]}

    assert len(promised) == 24
    assert promised == written
