"""How fast and how safe is the registry on this store?

Everything happens below a prefix of its own, which is removed at the end. A figure that misses its
goal is printed as missed; a broken promise ends the command.
"""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context

from modelwarrant.canonical import digest_bytes
from modelwarrant.cli.children import end_with_parent
from modelwarrant.errors import OutcomeUnknownError, StoreError, TamperedError, WarrantError
from modelwarrant.registry import Ledger, Signer, write_blobs
from modelwarrant.registry.entries import signed_entry
from modelwarrant.registry.layout import attempts_prefix, log_key
from modelwarrant.registry.packs import write_missing
from modelwarrant.registry.payloads import Act, Genesis, Payload
from modelwarrant.registry.state import State
from modelwarrant.stage.stores import open_told_store
from modelwarrant.storage import DirectoryStore, ObjectStore

__all__ = ["Figure", "Size", "measure_registry"]

MODEL = "benchmark"
READERS = 16
_BLOB = 1 << 20


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    what: str
    value: float
    unit: str
    goal: str
    is_met: bool | None
    """None: nothing was promised."""


@dataclass(frozen=True)
class Size:
    """How much is tried."""

    writers: int
    entries: int
    """Of each writer."""
    racers: int
    keys: int
    ledger: int
    """Entries of the ledger that is opened and verified."""
    blobs_mb: int


def measure_registry(uri: str, size: Size, *, show: Callable[[str], None]) -> Iterator[Figure]:
    """Measure one figure after another.

    Args:
        uri: a folder or S3 address.
        size: how much is tried.
        show: told what is being done.

    Raises:
        StoreError: two writers won one key.
        TamperedError: an entry was lost, doubled or left a gap.
    """
    with _place(uri) as (address, store):
        show(f"{size.racers} writers race for {size.keys} keys")
        yield _race(store, size)
        show(f"one writer appends {size.entries} entries")
        signer = _begun(open_told_store(f"{address}/one"))
        yield _alone(open_told_store(f"{address}/one"), signer, size.entries)
        show(f"{size.writers} processes append {size.entries} entries each")
        yield from _together(f"{address}/many", size)
        show(f"a ledger of {size.ledger} entries is written")
        long = open_told_store(f"{address}/long")
        signer = _long_ledger(long, size)
        show("it is opened and verified")
        yield from _opened(long, signer, size)


@contextmanager
def _place(uri: str) -> Iterator[tuple[str, ObjectStore]]:
    """A place of its own in the store, removed afterwards as far as the store allows."""
    address = f"{uri.rstrip('/')}/benchmark-{secrets.token_hex(6)}"
    store = open_told_store(address)
    try:
        yield address, store
    finally:
        with suppress(WarrantError):
            if isinstance(store, DirectoryStore):
                shutil.rmtree(store.root, ignore_errors=True)
            else:
                with ThreadPoolExecutor(READERS) as pool:
                    list(pool.map(store.delete, store.list("")))


def _race(store: ObjectStore, size: Size) -> Figure:
    def attempt(task: tuple[str, int]) -> bool:
        key, racer = task
        try:
            return store.create(key, str(racer).encode())
        except OutcomeUnknownError:
            return store.get(key) == str(racer).encode()

    keys = [f"race/{number}" for number in range(size.keys)]
    tasks = [(key, racer) for key in keys for racer in range(size.racers)]
    started = time.perf_counter()
    with ThreadPoolExecutor(size.racers) as racers:
        won = list(racers.map(attempt, tasks))
    seconds = time.perf_counter() - started
    for key in keys:
        winners = [
            racer for (of, racer), is_won in zip(tasks, won, strict=True) if of == key if is_won
        ]
        if len(winners) != 1 or store.get(key) != str(winners[0]).encode():
            raise StoreError(f"{len(winners)} of {size.racers} writers won {key}")
    what = f"{size.racers} writers on {size.keys} keys, one winner each"
    return Figure(what, len(tasks) / seconds, "creates/s", "one winner a key", True)


def _action(name: str) -> Act:
    return Act(action="none", evidence_digest=digest_bytes(name.encode()), reason="benchmark")


def _begun(store: ObjectStore) -> Signer:
    signer = Signer.generate()
    first = Genesis(mode="laptop", keys=(signer.public,))
    Ledger(store, MODEL, signer).append(
        "genesis", first, txn="genesis", actor="benchmark", now=datetime.now(UTC)
    )
    return signer


def _write(
    address: str, pem: bytes, writer: str, count: int
) -> tuple[float, float, dict[str, int]]:
    """Append entries; return when it began and ended, and what was acknowledged."""
    ledger = Ledger(open_told_store(address), MODEL, Signer.from_pem(pem, name="benchmark"))
    ledger.state()
    acknowledged: dict[str, int] = {}
    started = time.time()
    for number in range(count):
        txn = f"{writer}-{number}"
        now = datetime.now(UTC)
        entry = ledger.append("act", _action(txn), txn=txn, actor=writer, now=now)
        acknowledged[txn] = entry.seq
    return started, time.time(), acknowledged


def _alone(store: ObjectStore, signer: Signer, count: int) -> Figure:
    ledger = Ledger(store, MODEL, signer)
    started = time.perf_counter()
    for number in range(count):
        now = datetime.now(UTC)
        ledger.append("act", _action(str(number)), txn=str(number), actor="benchmark", now=now)
    rate = count / (time.perf_counter() - started)
    return Figure("one writer", rate, "commits/s", "", None)


def _together(address: str, size: Size) -> Iterator[Figure]:
    pem = _begun(open_told_store(address)).to_pem()
    names = [f"writer-{number}" for number in range(size.writers)]
    spawn = get_context("spawn")
    with ProcessPoolExecutor(size.writers, spawn, initializer=end_with_parent) as pool:
        waiting = [pool.submit(_write, address, pem, name, 1) for name in names]  # all are up
        warm = [each.result() for each in waiting]
        waiting = [pool.submit(_write, address, pem, f"{n}-again", size.entries) for n in names]
        done = [each.result() for each in waiting]
    told = {txn: seq for *_, acknowledged in (*warm, *done) for txn, seq in acknowledged.items()}
    ledger = Ledger(open_told_store(address), MODEL, readers=READERS)
    ledger.verify()
    there = {entry.txn: entry.seq for entry in ledger.entries() if entry.op == "act"}
    if there != told:
        wrong = sorted(set(there.items()) ^ set(told.items()))[0][0]
        raise TamperedError(f"{wrong} was acknowledged elsewhere than it is, lost or doubled")
    seconds = max(end for _, end, _ in done) - min(start for start, _, _ in done)
    count = size.writers * size.entries
    rate = count / seconds
    is_asked = size.writers == 16 and "://" in address
    yield Figure(
        f"{size.writers} processes, {count} entries; 0 lost, 0 double, 0 gaps",
        rate,
        "commits/s",
        ">= 100 on MinIO, 16 writers",
        rate >= 100 if is_asked else None,
    )


def _long_ledger(store: ObjectStore, size: Size) -> Signer:
    """Write a long ledger fast: its bytes are made here, one after another, and stored at once."""
    signer, state = Signer.generate(), State.empty(MODEL)
    objects: dict[str, bytes] = {}
    attempt = "blobs"
    files = {f"part-{n}": secrets.token_bytes(_BLOB) for n in range(size.blobs_mb)}
    blobs = write_blobs(store, MODEL, attempt, files)
    head = state.head
    for seq in range(1, size.ledger + 1):
        payload: Payload = _action(str(seq))
        if seq == 1:
            payload = Genesis(mode="laptop", keys=(signer.public,))
        if seq == 2 and blobs:
            payload = Act(**{**dict(_action("2")), "attempt": attempt, "blobs": blobs})
        entry = signed_entry(
            payload,
            model=MODEL,
            seq=seq,
            prev=head,
            txn=str(seq),
            actor="benchmark",
            now=datetime.now(UTC),
            signer=signer,
        )
        data = entry.to_bytes()
        objects[log_key(MODEL, seq)], head = data, digest_bytes(data)
    with ThreadPoolExecutor(READERS) as pool:
        list(pool.map(store.create, objects, objects.values()))
    write_missing(store, MODEL, size.ledger)  # as the writers of these entries would have
    return signer


def _opened(store: ObjectStore, signer: Signer, size: Size) -> Iterator[Figure]:
    readers = 1 if isinstance(store, DirectoryStore) else READERS
    seconds = _timed(lambda: Ledger(store, MODEL, readers=readers).state())
    what = f"cold start of a reader, {size.ledger} entries"
    is_met = seconds <= 2 if size.ledger >= 5000 else None
    yield Figure(what, seconds, "s", "<= 2 at 5,000", is_met)
    Ledger(store, MODEL, signer, readers=readers).write_snapshot()
    seconds = _timed(lambda: Ledger(store, MODEL, signer, readers=readers).state())
    yield Figure("the same by the gate, from its snapshot", seconds, "s", "", None)
    if size.blobs_mb:
        what = f"read and hash {size.blobs_mb} MB of blobs, one after another"
        yield Figure(what, _timed(lambda: _hash_blobs(store)), "s", "", None)
    seconds = _timed(lambda: Ledger(store, MODEL, readers=readers).verify())
    what = f"verify {size.ledger} entries and {size.blobs_mb} MB"
    yield Figure(what, seconds, "s", "", None)


def _hash_blobs(store: ObjectStore) -> None:
    """What no verification can do without."""
    for key in store.list(attempts_prefix(MODEL)):
        digest_bytes(store.get(key) or b"")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
