"""Every request of every operation meets every fault, between us and a real store.

Each time the operation is done, refused or unknown, never wrong: what was acknowledged is there,
what was refused is not, doing it again ends in exactly one entry, and the ledger verifies.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from modelwarrant.errors import (
    IllegalOperationError,
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
    WarrantError,
)
from modelwarrant.records import LedgerEntry
from modelwarrant.registry import Ledger, Signer, gc
from modelwarrant.registry.payloads import (
    Abort,
    Genesis,
    Keys,
    Payload,
    Rollback,
    Tombstone,
    operation_of,
)
from modelwarrant.storage import ObjectStore, S3Settings, open_store
from tests.registry.world import (
    MODEL,
    NOW,
    MemoryStore,
    Scribe,
    action,
    decision,
    promotion,
    ratification,
    registration,
)
from tests.storage.conftest import Minio
from tests.storage.proxy import DELAY_S, FAULTS, PATIENCE_S, FaultProxy, fault_proxy

SIGNER = Signer.generate()
QUICK = ("drop after", "5xx after", "empty 200")
"""Those that lie about a write; the slow tests try all."""

ALLOWED = (StoreError, StoreUnavailableError, OutcomeUnknownError)

OPERATIONS: dict[str, Callable[[Ledger], Payload]] = {
    "keys": lambda ledger: Keys(add=(Signer.generate().public,)),
    "register": lambda ledger: registration(ledger.store, "run-9", "at-run-9"),
    "decide": lambda ledger: decision(ledger.store, ledger, "run-3", 9),
    "promote": lambda ledger: promotion(ledger, 11, ("bob",)),
    "rollback": lambda ledger: Rollback(to=3, reason="r", actor="ada"),
    "act": lambda ledger: action("seen"),
    "tombstone": lambda ledger: Tombstone(version=3, reason="r"),
    "abort": lambda ledger: Abort(attempt="orphan", reason="r"),
    "ratify": lambda ledger: ratification(ledger.store, b'{"policy":"other"}'),
}
"""What each operation appends to the ledger that ``BASE`` holds."""


def base() -> dict[str, bytes]:
    """Two versions were in production, a third waits, a fourth is decided on; one orphan."""
    memory = MemoryStore()
    scribe = Scribe(memory, SIGNER)
    scribe.begin()
    scribe.promote("run-1", "bob")
    scribe.promote("run-2")
    scribe.register("run-3")
    version = scribe.register("run-4")
    scribe.decide("run-4", version, verdict="NEEDS_APPROVAL")
    registration(memory, "run-5", "orphan")
    return memory.objects


def begun() -> dict[str, bytes]:
    """A ledger of two entries."""
    memory = MemoryStore()
    Scribe(memory, SIGNER).begin()
    return memory.objects


BASE, SMALL = base(), begun()


@dataclass
class Bench:
    """A proxy before a server, and a folder of the bucket for each try."""

    proxy: FaultProxy
    near: S3Settings
    """Through the proxy."""
    far: S3Settings
    bucket: str
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often an operation ended in a way, where a request of it met a fault."""

    def note(self, name: str, refusal: WarrantError | None) -> None:
        """Count how an operation ended whose request met the fault."""
        way = "done" if refusal is None else "refused"
        self.seen[name, "unknown" if isinstance(refusal, OutcomeUnknownError) else way] += 1

    def table(self) -> str:
        """One line an operation: tries, and how they ended as the caller was told."""
        lines = [f"\n{'operation':<10} {'tries':>6} {'done':>6} {'refused':>8} {'unknown':>8}"]
        for name in dict.fromkeys(name for name, _ in self.seen):
            done, refused, unknown = (
                self.seen[name, way] for way in ("done", "refused", "unknown")
            )
            tries = done + refused + unknown
            lines.append(f"{name:<10} {tries:>6} {done:>6} {refused:>8} {unknown:>8}")
        return "\n".join(lines)

    def plain(self, folder: str) -> ObjectStore:
        """The store past the proxy."""
        return open_store(f"s3://{self.bucket}/{folder}", s3=self.far)

    def spoiled(self, folder: str) -> ObjectStore:
        """The store through the proxy, to a client that waits for no delay."""
        patience = PATIENCE_S if self.proxy.fault == "delay" else self.far.read_timeout_s
        near = replace(self.near, read_timeout_s=patience)
        return open_store(f"s3://{self.bucket}/{folder}", s3=near)

    def prepare(self, objects: dict[str, bytes]) -> str:
        """Write a ledger into a new folder, past the proxy; return its address."""
        uri = f"faults-{time.time_ns()}"
        store = self.plain(uri)
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(store.create, objects.keys(), objects.values()))
        return uri


@pytest.fixture(scope="module")
def bench(minio: Minio) -> Iterator[Bench]:
    """A proxy before the session's server."""
    with fault_proxy(minio.settings.endpoint) as (proxy, address):
        near = replace(minio.settings, endpoint=address)
        made = Bench(proxy, near, minio.settings, minio.bucket)
        yield made
        sys.stdout.write(made.table() + "\n")


def ledger_in(store: ObjectStore) -> Ledger:
    """The ledger, opened by its gate, that waits for nobody."""
    return Ledger(store, MODEL, SIGNER, sleep=lambda seconds: None, jitter=lambda: 0.0)


def append(ledger: Ledger, make: Callable[[Ledger], Payload], name: str) -> LedgerEntry:
    """Append what an operation says."""
    payload = make(ledger)
    return ledger.append(operation_of(payload), payload, txn=name, actor="ada", now=NOW)


def check_operation(bench: Bench, name: str, fault: str, objects: dict[str, bytes]) -> int:
    """Let each request of one operation meet the fault; return how many there were."""
    make = OPERATIONS[name]
    for place in range(100):
        folder = bench.prepare(objects)
        bench.proxy.arm(place, fault)
        acknowledged: LedgerEntry | None = None
        refusal: WarrantError | None = None
        try:
            acknowledged = append(ledger_in(bench.spoiled(folder)), make, name)
        except ALLOWED as error:
            refusal = error
        is_met = bench.proxy.is_met
        if fault == "delay" and is_met:
            time.sleep(DELAY_S)  # what is under way arrives
        there = {entry.txn: entry for entry in ledger_in(bench.plain(folder)).entries()}
        if acknowledged is not None:
            assert acknowledged == there.get(name), f"{name}, request {place}, {fault}"
        if isinstance(refusal, StoreUnavailableError | StoreError):
            assert name not in there, f"{name}, request {place}, {fault}: {refusal}"
        again = ledger_in(bench.plain(folder))
        entry = there.get(name) or append(again, make, name)
        found = again.verify()
        assert [each.txn for each in again.entries()].count(name) == 1
        assert found.seq == entry.seq
        if not is_met:
            assert acknowledged is not None
            return place
        bench.note(name, refusal)
    raise AssertionError("the operation never ended")


@pytest.mark.parametrize("fault", QUICK)
def test_every_request_of_an_append_meets_a_fault(bench: Bench, fault: str) -> None:
    """Reading, looking again, writing, reading back."""
    assert check_operation(bench, "act", fault, SMALL) >= 6


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_request_of_every_operation_meets_every_fault(
    bench: Bench, name: str, fault: str
) -> None:
    """The same for what writes blobs first, and for every kind of entry."""
    assert check_operation(bench, name, fault, BASE) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_first_entry_meets_a_fault(bench: Bench, fault: str) -> None:
    """A ledger begins once, or not yet."""

    def begin(store: ObjectStore) -> LedgerEntry:
        payload = Genesis(mode="laptop", keys=(SIGNER.public,))
        return ledger_in(store).append("genesis", payload, txn="genesis", actor="ada", now=NOW)

    for place in range(100):
        folder = bench.prepare({})
        bench.proxy.arm(place, fault)
        refusal: WarrantError | None = None
        try:
            begin(bench.spoiled(folder))
        except ALLOWED as error:
            refusal = error
        else:
            assert len(ledger_in(bench.plain(folder)).entries()) == 1
        if not bench.proxy.is_met:
            break
        bench.note("genesis", refusal)
        time.sleep(DELAY_S if fault == "delay" else 0)

        assert begin(bench.plain(folder)) == ledger_in(bench.plain(folder)).entries()[0]
    assert place >= 3


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("what", ["gc", "head", "snapshot"])
def test_every_request_of_the_upkeep_meets_every_fault(bench: Bench, what: str, fault: str) -> None:
    """Collecting, publishing and snapshots break nothing, and can be done again."""

    def keep(store: ObjectStore) -> None:
        ledger = ledger_in(store)
        if what == "gc":
            gc(ledger, actor="ada", now=NOW)
        elif what == "head":
            ledger.publish_head()
        else:
            ledger.write_snapshot()

    for place in range(100):
        folder = bench.prepare(BASE)
        bench.proxy.arm(place, fault)
        refusal: WarrantError | None = None
        try:
            keep(bench.spoiled(folder))
        except ALLOWED as error:
            refusal = error
        if not bench.proxy.is_met:
            break
        bench.note(what, refusal)
        time.sleep(DELAY_S if fault == "delay" else 0)
        ledger_in(bench.plain(folder)).verify()
        keep(bench.plain(folder))

        ledger_in(bench.plain(folder)).verify()
        orphans = list(bench.plain(folder).list(f"m/{MODEL}/blob/orphan/"))
        assert what != "gc" or orphans == []
    assert place >= 13


@pytest.mark.parametrize("fault", QUICK)
def test_a_refused_promotion_is_refused_whatever_the_store_does(bench: Bench, fault: str) -> None:
    """A promotion that was decided on an outdated baseline never lands."""
    folder = bench.prepare(BASE)
    plain = Scribe(bench.plain(folder), SIGNER)
    payload = promotion(plain.ledger, 11, ("bob",))
    plain.rollback(3)
    for place in (0, 13, 14, 15):
        bench.proxy.arm(place, fault)
        with pytest.raises((IllegalOperationError, *ALLOWED)):
            append(ledger_in(bench.spoiled(folder)), lambda ledger: payload, "late")
    time.sleep(DELAY_S if fault == "delay" else 0)

    assert "late" not in {entry.txn for entry in ledger_in(bench.plain(folder)).entries()}
