"""The ledger under any interleaving: operations as generators, one store request a step.

Hypothesis picks who runs next and whether the request is answered, lost before or after it was
carried out, delayed and delivered later, or the client dies. After every step the invariants I1 to
I11 of the design are asserted by a second, independent reading of the log; I12 at the end.
"""

import json
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import (
    IllegalOperationError,
    OutcomeUnknownError,
    RegistryError,
    StoreUnavailableError,
    TamperedError,
    WarrantError,
)
from modelwarrant.registry import Ledger, Signer, State, gc
from modelwarrant.registry.layout import log_key, log_prefix
from modelwarrant.registry.payloads import Abort, Payload, Rollback, Tombstone, operation_of
from modelwarrant.storage import ObjectStore
from tests.registry.world import (
    MODEL,
    NOW,
    MemoryStore,
    Request,
    Scribe,
    action,
    approval,
    decision,
    failure,
    perform,
    promotion,
    registration,
    steps,
)

CLIENTS = 3
PEOPLE = ("ada", "bob", "eve")
KINDS = ("act", "register", "decide", "promote", "rollback", "tombstone", "close", "gc")
FATES = (
    "",
    "unanswered",
    "unanswered, done",
    "unanswered, late",
    "refused",
    "killed",
    "killed, done",
    "killed, retried",
    "killed, done, retried",
    "killed, late, retried",
)
"""What may happen to a request and its client; the empty one: it waits."""

SIGNERS = (Signer.generate(), Signer.generate())
"""Two gates; a signer costs 50 us, an example makes none."""


class WatchedStore(MemoryStore):
    """Remembers what was deleted, and under which log."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[tuple[str, frozenset[str]]] = []

    def delete(self, key: str) -> None:
        """See ``ObjectStore``; note the fences that stood."""
        log = [json.loads(data) for key, data in self.objects.items() if "/log/" in key]
        fences = frozenset(e["payload"]["attempt"] for e in log if e["op"] == "abort")
        self.deleted.append((key, fences))
        super().delete(key)


@dataclass
class Work:
    """An operation under way."""

    txn: str
    make: Callable[["Writer", str], None]
    """Repeats the same operation, for a retry."""
    operation: Generator[Request, Any, Any]
    request: Request | None = None


@dataclass
class Writer:
    """A client's process: its ledger, and what it was told."""

    store: ObjectStore
    ledger: Ledger
    acknowledged: dict[str, int]
    refused: set[str]
    collect: Callable[[Ledger], None]

    def append(self, payload: Payload, txn: str) -> None:
        """Append, and note what the client was told."""
        try:
            entry = self.ledger.append(
                operation_of(payload), payload, txn=txn, actor="ada", now=NOW
            )
        except IllegalOperationError:
            self.refused.add(txn)
        else:
            self.acknowledged[txn] = entry.seq


class Interleaving(RuleBasedStateMachine):
    """Clients, a reader, and a store that does what hypothesis says."""

    store_type: ClassVar[type[WatchedStore]] = WatchedStore
    ledger_type: ClassVar[type[Ledger]] = Ledger
    kinds: ClassVar[tuple[str, ...]] = KINDS
    retry_suffix: ClassVar[str] = ""
    """What a careless client appends to the txn of a retry."""

    def __init__(self) -> None:
        super().__init__()
        self.world = self.store_type()
        self.clients: list[Work | None] = [None] * CLIENTS
        self.writers: list[Writer | None] = [None] * CLIENTS
        self.late: list[Request] = []
        self.acknowledged: dict[str, int] = {}
        self.refused: set[str] = set()
        self.seen: dict[str, bytes] = {}
        self.reader = Ledger(self.world, MODEL)
        self.reader_seq = 0
        self.count = 0
        self.parsed: dict[str, dict[str, Any]] = {}

    @initialize()
    def begin(self) -> None:
        """Two gates share one ledger; one version is in production."""
        scribe = Scribe(self.world, SIGNERS[0])
        scribe.begin("laptop", SIGNERS[1])
        scribe.promote("run-0", "bob")

    @staticmethod
    def collect(ledger: Ledger) -> None:
        """Collect garbage as the product does."""
        gc(ledger, actor="gc", now=NOW)

    # What clients do. Each takes what it needs from the ledger as its own client sees it.

    def _start(self, client: int, txn: str, work: Callable[[Writer, str], None]) -> None:
        def run(store: ObjectStore) -> None:
            writer = self.writers[client]
            if writer is None:
                writer = self.writers[client] = self._writer(client, store)
            writer.ledger.store = writer.store = store
            work(writer, txn)

        self.clients[client] = self._advance(Work(txn, work, steps(run)), None)

    def _writer(self, client: int, store: ObjectStore) -> Writer:
        """A new process: it has read nothing yet."""
        ledger = self.ledger_type(
            store, MODEL, SIGNERS[client % 2], sleep=lambda seconds: None, jitter=lambda: 0.0
        )
        return Writer(store, ledger, self.acknowledged, self.refused, self.collect)

    def _advance(self, work: Work, answer: Any) -> Work | None:
        """Answer a client's request, with an error or a value; None where it is done."""
        try:
            if isinstance(answer, WarrantError):
                work.request = work.operation.throw(answer)
            else:
                work.request = work.operation.send(answer)
        except StopIteration:
            return None
        except (StoreUnavailableError, OutcomeUnknownError, RegistryError) as error:
            assert not isinstance(error, TamperedError), error
            return None
        return work

    def _name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}-{self.count}"

    @rule(
        client=st.integers(0, CLIENTS - 1),
        choice=st.integers(0, len(KINDS) - 1),
        pick=st.integers(0, 3),
        approver=st.sampled_from(PEOPLE),
        way=st.sampled_from(("to the end", "to a write", "some")),
        count=st.integers(0, 12),
        fate=st.sampled_from(FATES),
    )
    def move(
        self, client: int, choice: int, pick: int, approver: str, way: str, count: int, fate: str
    ) -> None:
        """A client goes on, or begins something; then its next request may meet a fate."""
        if self.clients[client] is None:
            kind = self.kinds[choice % len(self.kinds)]
            txn = self._name(kind)
            self._start(client, txn, _work(kind, txn, pick, approver))
        for _ in range({"to the end": 999, "to a write": 999, "some": count}[way]):
            work = self.clients[client]
            if work is None or work.request is None:
                return
            if way == "to a write" and work.request[0] not in ("get", "list"):
                break
            self.clients[client] = self._advance(work, perform(self.world, work.request))
        work = self.clients[client]
        if work is not None and work.request is not None:
            self._meet(client, work, work.request, fate)

    def _meet(self, client: int, work: Work, request: Request, fate: str) -> None:
        how = fate.split(", ")
        if "done" in how:
            perform(self.world, request)
        if "late" in how and request[0] not in ("get", "list"):
            self.late.append(request)
        if "unanswered" in how:
            self.clients[client] = self._advance(work, failure(request, "lost"))
        if "refused" in how:
            self.clients[client] = self._advance(work, failure(request, "refused"))
        if "killed" in how:
            work.operation.close()
            self.clients[client] = self.writers[client] = None
        if "retried" in how:
            self._start(client, work.txn + self.retry_suffix, work.make)

    @precondition(lambda self: self.late)
    @rule(pick=st.integers(0, 10))
    def deliver(self, pick: int) -> None:
        """A request that was given up arrives after all."""
        perform(self.world, self.late.pop(pick % len(self.late)))

    def teardown(self) -> None:
        """Kill who is left, let everything arrive, and verify (I12)."""
        for work in self.clients:
            if work is not None:
                work.operation.close()
        for request in self.late:
            perform(self.world, request)
        self.the_log_keeps_its_promises()
        if not self.log():
            return
        ledger = Ledger(self.world, MODEL)
        anchor = ledger.anchor()
        ledger.verify([anchor])
        for key in (log_key(MODEL, anchor.seq), log_key(MODEL, 1)):
            data = self.world.objects[key]
            self.world.objects[key] = data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]
            try:
                Ledger(self.world, MODEL).verify([anchor])
            except TamperedError:
                self.world.objects[key] = data
            else:
                raise AssertionError(f"I12: a change of {key} was not found")

    # The invariants, by a reading of the log that shares nothing with the library.

    def log(self) -> list[dict[str, Any]]:
        """The entries as plain JSON."""
        keys = sorted(key for key in self.world.objects if key.startswith(log_prefix(MODEL)))
        for key in keys:
            if key not in self.parsed:
                self.parsed[key] = json.loads(self.world.objects[key])
        return [self.parsed[key] for key in keys]

    @invariant()
    def the_log_keeps_its_promises(self) -> None:
        """I1 to I11."""
        objects = self.world.objects
        for key, data in self.seen.items():
            assert objects.get(key) == data, f"I1: {key} changed"
        log = self.log()
        if not log:
            return
        self.seen = {key: objects[key] for key in objects if "/log/" in key}
        for number, entry in enumerate(log, start=1):
            assert log_key(MODEL, number) in objects, f"I2: entry {number} is missing"
            if number > 1:
                before = objects[log_key(MODEL, number - 1)]
                assert entry["prev"] == digest_bytes(before), f"I3: entry {number}"
        self._exactly_once(log)
        self._told_the_truth(log)
        self._versions(log)
        for key, fences in self.world.deleted:
            attempt = key.split("/")[3]
            assert "/snap/" in key or ("/blob/" in key and attempt in fences), f"I11: {key}"
        state = self.reader.state()
        assert state.seq >= self.reader_seq, "I8: a reader went back"
        self.reader_seq = state.seq

    def _exactly_once(self, log: list[dict[str, Any]]) -> None:
        """A txn once, a run one version, and what was meant once happened once."""
        for what, names in (
            ("txn", [entry["txn"] for entry in log]),
            ("run", [e["payload"]["run"] for e in log if e["op"] == "register"]),
            ("act", [e["payload"]["evidence_digest"] for e in log if e["op"] == "act"]),
        ):
            doubled = [name for name, count in Counter(names).items() if count > 1]
            assert not doubled, f"I4: {what} {doubled}"

    def _told_the_truth(self, log: list[dict[str, Any]]) -> None:
        """Acknowledged is there, refused is not."""
        places = {entry["txn"]: entry["seq"] for entry in log}
        for txn, seq in self.acknowledged.items():
            assert places.get(txn) == seq, f"I5: {txn} was acknowledged at {seq}"
        for txn in self.refused - self.acknowledged.keys():
            assert txn not in places, f"I6: {txn} was refused and is in the log"

    def _versions(self, log: list[dict[str, Any]]) -> None:
        """Blobs, approvals, promotions and rollbacks, folded once more."""
        objects, prefix = self.world.objects, f"m/{MODEL}/blob"
        registered: dict[int, dict[str, Any]] = {}
        decided: dict[int, dict[str, Any]] = {}
        promoted: set[int] = set()
        buried: set[int] = set()
        used: set[str] = set()
        production = 0
        for entry in log:
            op, said = entry["op"], entry["payload"]
            if op in ("register", "decide", "ratify"):
                for blob in said["blobs"]:
                    data = objects.get(f"{prefix}/{said['attempt']}/{blob['digest'][7:]}")
                    assert data is not None, f"I7: {blob['name']} of entry {entry['seq']} is gone"
                    assert digest_bytes(data) == blob["digest"], f"I7: entry {entry['seq']}"
            if op == "register":
                registered[entry["seq"]] = said
            elif op == "decide":
                decided[entry["seq"]] = said
            elif op == "promote":
                choice = decided[said["decision"]]
                assert said["version"] in registered, "I10: not registered"
                assert said["version"] not in buried, "I10: tombstoned"
                for use in said["approvals"]:
                    assert use["uid"] not in used, "I9: used twice"
                    used.add(use["uid"])
                    is_self = use["approver"] == use["requester"]
                    assert is_self == use["self_approved"], "I9: not marked"
                    for name in ("candidate_digest", "baseline_digest", "evidence_digest"):
                        assert use[name] == choice[name], f"I9: {name}"
                production = said["version"]
                promoted.add(production)
            elif op == "rollback":
                assert said["to"] in promoted, "I10: never in production"
                assert said["to"] not in buried, "I10: tombstoned"
                production = said["to"]
            elif op == "tombstone":
                buried.add(said["version"])
        assert (self.reader.state().production or 0) == production, "I8: production"


def _work(kind: str, name: str, pick: int, approver: str) -> Callable[[Writer, str], None]:
    """What a client does, all in all; its name says what is meant, the txn which try it is."""
    chosen: list[Callable[[Writer], Payload] | None] = []

    def work(writer: Writer, txn: str) -> None:
        if not chosen:  # a retry means the same, whatever the log says by then
            chosen.append(_choose(kind, name, pick, approver, writer.ledger.state()))
        make = chosen[0]
        if make is None:
            writer.collect(writer.ledger)
        else:
            writer.append(make(writer), txn)

    return work


def _choose(
    kind: str, name: str, pick: int, approver: str, state: State
) -> Callable[[Writer], Payload] | None:
    """What to append, made from a ledger when it comes to it; None to collect garbage."""
    undecided = [n for n, v in state.versions.items() if v.run not in state.run_decisions]
    open_decisions = [
        seq
        for seq, decided in state.decisions.items()
        if state.versions[decided.version or 0].promoted is None
    ]
    if kind == "gc":
        return None
    if kind == "act":
        return lambda writer: action(name)
    if kind == "rollback":
        to = _one(list(state.versions), pick)
        return lambda writer: Rollback(to=to, reason="r", actor="ada")
    if kind == "tombstone":
        barred = _one(list(state.versions), pick)
        return lambda writer: Tombstone(version=barred, reason="r")
    if kind == "decide" and undecided:
        version = state.versions[_one(undecided, pick)]
        verdict = "NEEDS_APPROVAL" if pick % 2 else "PROMOTE"
        return lambda writer: decision(
            writer.store, writer.ledger, version.run, version.number, verdict=verdict
        )
    if kind in ("promote", "close") and open_decisions:
        seq = _one(open_decisions, pick)
        if kind == "close":
            request = state.decisions[seq].request
            return lambda writer: Abort(attempt=request, reason="expired")
        return lambda writer: promotion(
            writer.ledger, seq, approvals=(approval(writer.ledger, seq, approver),)
        )
    return lambda writer: registration(writer.store, name, f"at-{name}")


def _one(numbers: list[int], pick: int) -> int:
    """One of them, the newer ones first."""
    return sorted(numbers)[-1 - pick % len(numbers)]
