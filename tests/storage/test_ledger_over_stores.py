"""A ledger over every kind of store: the contract is enough to carry it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from modelwarrant.errors import IllegalOperationError
from modelwarrant.registry import Ledger, gc
from modelwarrant.storage import ObjectStore
from tests.registry.world import MODEL, NOW, Scribe, promotion, registration


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


def test_two_gates_that_promote_at_once_have_one_winner(store: ObjectStore) -> None:
    """Both had a right decision; the other one is told that production changed."""
    scribe = Scribe(store)
    scribe.begin()
    scribe.promote("run-0", "bob")
    decided = []
    for run in ("run-1", "run-2"):
        version = scribe.register(run)
        decided.append(scribe.decide(run, version, verdict="NEEDS_APPROVAL").seq)
    payloads = [promotion(scribe.ledger, seq, ("bob",)) for seq in decided]
    together = Barrier(2)

    def promote(number: int) -> str:
        gate = Ledger(store, MODEL, scribe.signer)
        gate.state()
        together.wait()
        try:
            gate.append("promote", payloads[number], txn=f"p{number}", actor="gate", now=NOW)
        except IllegalOperationError as error:
            return str(error)
        return "won"

    with ThreadPoolExecutor(2) as gates:
        said = sorted(gates.map(promote, range(2)), key=len)

    assert "won" == said[0]
    assert "production changed after it was decided on; run again" in said[1]
    assert Ledger(store, MODEL).verify().seq == scribe.ledger.state().seq
