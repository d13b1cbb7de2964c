"""A store in memory, a person with a key, and operations that stop at every store request."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import OutcomeUnknownError, StoreUnavailableError, WarrantError
from modelwarrant.records import LedgerEntry
from modelwarrant.registry import Ledger, Signer, write_blobs
from modelwarrant.registry.payloads import (
    Act,
    ApprovalUse,
    Decide,
    Genesis,
    Payload,
    Promote,
    Ratify,
    Register,
    Rollback,
    Tombstone,
    operation_of,
)
from modelwarrant.storage import ObjectStore, checked_key, checked_prefix

MODEL = "flights"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = b'{"policy":"tiny"}'

T = TypeVar("T")


class MemoryStore:
    """A store that keeps its promises, in a dict."""

    uri = "memory"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """Return the object's bytes, or None."""
        return self.objects.get(checked_key(key))

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none."""
        if checked_key(key) in self.objects:
            return False
        self.objects[key] = data
        return True

    def put(self, key: str, data: bytes) -> None:
        """Write or overwrite the object."""
        self.objects[checked_key(key)] = data

    def list(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with the prefix."""
        checked_prefix(prefix)
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def delete(self, key: str) -> None:
        """Remove the object."""
        self.objects.pop(checked_key(key), None)


def digest(text: str) -> str:
    """Return the digest of a document that only its name stands for."""
    return digest_bytes(text.encode())


class Scribe:
    """Writes a ledger in whole steps: begin, register, decide, promote, roll back.

    Args:
        store: where.
        signer: whose key; a new one without.
    """

    def __init__(self, store: ObjectStore, signer: Signer | None = None) -> None:
        self.store = store
        self.signer = signer or Signer.generate()
        self.ledger = Ledger(store, MODEL, self.signer)

    def append(self, payload: Payload, txn: str, *, now: datetime = NOW) -> LedgerEntry:
        """Append one entry."""
        return self.ledger.append(operation_of(payload), payload, txn=txn, actor="ada", now=now)

    def begin(self, mode: Any = "laptop", *others: Signer) -> None:
        """Write the first entry and ratify a policy."""
        keys = tuple(signer.public for signer in (self.signer, *others))
        self.append(Genesis(mode=mode, keys=keys), "genesis")
        self.ratify(POLICY)

    def ratify(self, policy: bytes, kind: Any = "policy", **changes: Any) -> LedgerEntry:
        """Put a document in force."""
        return self.append(ratification(self.store, policy, kind, **changes), digest_bytes(policy))

    def register(self, run: str) -> int:
        """Register a version and return its number."""
        return self.append(registration(self.store, run, f"at-{run}"), f"{run}/register").seq

    def decide(self, run: str, version: int | None, **changes: Any) -> LedgerEntry:
        """Record a decision."""
        payload = decision(self.store, self.ledger, run, version, **changes)
        return self.append(payload, f"{run}/decide")

    def promote(self, run: str, *approvers: str, **changes: Any) -> int:
        """Register, decide and promote; return the version."""
        version = self.register(run)
        verdict = "NEEDS_APPROVAL" if approvers else "PROMOTE"
        seq = self.decide(run, version, verdict=verdict).seq
        self.append(promotion(self.ledger, seq, approvers, **changes), f"{run}/promote")
        return version

    def rollback(self, version: int) -> LedgerEntry:
        """Put a former version back."""
        seq = self.ledger.state().seq
        return self.append(Rollback(to=version, reason="complaints", actor="ada"), f"back-{seq}")

    def tombstone(self, version: int) -> LedgerEntry:
        """Bar a version."""
        return self.append(Tombstone(version=version, reason="bad data"), f"bury-{version}")

    def act(self, name: str) -> LedgerEntry:
        """Record something small."""
        return self.append(action(name), name)


def action(name: str) -> Act:
    """A monitor's entry that is always legal."""
    return Act(action="none", evidence_digest=digest(name), reason="nothing happened")


def ratification(store: ObjectStore, data: bytes, kind: Any = "policy", **changes: Any) -> Ratify:
    """A ratification, its document written."""
    attempt = f"rat-{digest_bytes(data)[-8:]}"
    [blob] = write_blobs(store, MODEL, attempt, {f"{kind}.json": data})
    known: dict[str, Any] = {
        "kind": kind,
        "digest": blob.digest,
        "engine_version": "1",
        "author": "eve",
        "approver": "ada",
        "reason": "it is right",
        "self_approved": False,
        "attempt": attempt,
        "blobs": (blob,),
    }
    return Ratify(**{**known, **changes})


def registration(store: ObjectStore, run: str, attempt: str) -> Register:
    """A registration, its blobs written."""
    files = {"model.onnx": f"model of {run}".encode(), "manifest.json": f"made {run}".encode()}
    blobs = write_blobs(store, MODEL, attempt, files)
    return Register(
        run=run,
        attempt=attempt,
        digest=digest(f"model of {run}"),
        blobs=blobs,
        schema_digest=digest("schema"),
        evidence_digest=digest(f"evidence of {run}"),
    )


def decision(
    store: ObjectStore, ledger: Ledger, run: str, version: int | None, **changes: Any
) -> Decide:
    """A decision that fits the ledger as it is, its document written."""
    state = ledger.state()
    production = state.production_version
    attempt, document = f"at-{run}-decide", f"decision on {run}".encode()
    known: dict[str, Any] = {
        "run": run,
        "request": f"ask-{run}",
        "requester": "ada",
        "version": version,
        "verdict": "PROMOTE",
        "rule": "better",
        "reason": "better on both windows",
        "candidate_digest": digest(f"model of {run}"),
        "baseline_digest": None if production is None else production.digest,
        "decision_digest": digest_bytes(document),
        "evidence_digest": digest(f"evidence of {run}"),
        "policy_digest": digest("none") if state.policy is None else state.policy.digest,
        "engine_version": "1",
        "approvals_required": 1,
        "attempt": attempt,
        "blobs": write_blobs(store, MODEL, attempt, {"decision.json": document}),
    }
    return Decide(**{**known, **changes})


def promotion(ledger: Ledger, seq: int, approvers: tuple[str, ...] = (), **changes: Any) -> Promote:
    """A promotion on the authority of a recorded decision, approved by these persons."""
    decided = ledger.state().decisions[seq]
    approvals = tuple(
        approval(ledger, seq, approver, **changes.pop(f"by_{approver}", {}))
        for approver in approvers
    )
    known: dict[str, Any] = {
        "version": decided.version or 1,
        "decision": seq,
        "attempt": decided.request,
        "approvals": approvals,
    }
    return Promote(**{**known, **changes})


def approval(ledger: Ledger, seq: int, approver: str, **changes: Any) -> ApprovalUse:
    """An approval of a recorded decision."""
    decided = ledger.state().decisions[seq]
    known: dict[str, Any] = {
        "uid": f"{decided.request}:{approver}",
        "requester": decided.requester,
        "approver": approver,
        "candidate_digest": decided.candidate_digest,
        "baseline_digest": decided.baseline_digest,
        "evidence_digest": decided.evidence_digest,
        "policy_digest": decided.policy_digest,
        "request": decided.request,
        "reason": "looked at it",
        "time": "2026-03-01T12:00:00.000Z",
        "self_approved": approver == decided.requester,
    }
    return ApprovalUse(**{**known, **changes})


class Died(BaseException):
    """The client's process is gone: nothing of it runs any more, no handler either."""


Request = tuple[str, tuple[Any, ...]]
"""A store call: its name and arguments."""


class SteppedStore:
    """Hands every call to whoever drives the operation, and waits for the answer."""

    uri = "memory"

    def __init__(self) -> None:
        self.calls: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self.answers: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._is_dead = False

    def _call(self, name: str, *arguments: Any) -> Any:
        if not self._is_dead:
            self.calls.put(("call", (name, arguments)))
            kind, value = self.answers.get()
            if kind == "value":
                return value
            if not isinstance(value, Died):
                raise value
            self._is_dead = True
        raise Died

    def get(self, key: str) -> bytes | None:
        """See ``ObjectStore``."""
        found: bytes | None = self._call("get", key)
        return found

    def create(self, key: str, data: bytes) -> bool:
        """See ``ObjectStore``."""
        return bool(self._call("create", key, data))

    def put(self, key: str, data: bytes) -> None:
        """See ``ObjectStore``."""
        self._call("put", key, data)

    def list(self, prefix: str) -> Iterator[str]:
        """See ``ObjectStore``."""
        return iter(self._call("list", prefix))

    def delete(self, key: str) -> None:
        """See ``ObjectStore``."""
        self._call("delete", key)


def steps(function: Callable[[ObjectStore], T]) -> Generator[Request, Any, T]:
    """Run a function so that it stops at each store request.

    Yields the requests; ``send`` answers one, ``throw`` makes it fail, ``close`` kills the client.
    The code under test runs unchanged, in a thread that only runs while the driver waits for it.
    """
    store = SteppedStore()

    def work() -> None:
        try:
            store.calls.put(("done", function(store)))
        except BaseException as error:  # noqa: BLE001 - handed on to the driver
            store.calls.put(("failed", error))

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            kind, value = store.calls.get()
            if kind == "done":
                return value  # type: ignore[no-any-return] # the function's own result
            if kind == "failed":
                raise value
            try:
                answer = yield value
            except GeneratorExit:
                store.answers.put(("error", Died()))
                raise
            except Exception as error:  # noqa: BLE001 - any failure of a store
                store.answers.put(("error", error))
            else:
                store.answers.put(("value", answer))
    finally:
        thread.join()


def perform(store: ObjectStore, request: Request) -> Any:
    """Carry a request out."""
    name, arguments = request
    answer = getattr(store, name)(*arguments)
    return list(answer) if name == "list" else answer


def advance_to(store: ObjectStore, operation: Generator[Request, Any, Any], name: str) -> Request:
    """Run an operation that has not begun up to its first call of that name; return the call."""
    request = operation.send(None)
    while request[0] != name:
        request = operation.send(perform(store, request))
    return request


def finish(
    store: ObjectStore, operation: Generator[Request, Any, T], request: Request | None = None
) -> T:
    """Run an operation to its end without faults.

    Args:
        store: carries the requests out.
        operation: not begun, or stopped at a request.
        request: where it is stopped.
    """
    try:
        while True:
            request = operation.send(None if request is None else perform(store, request))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return] # the operation's own result


FAULTS = ("refused", "lost before", "lost after", "late", "dies before", "dies after")
"""What can happen to one request: the store says no and means it; the request or its answer is
lost; it arrives after everything else; the client is killed before or after it is carried out."""


@dataclass
class Faulted:
    """How an operation went that met one fault."""

    is_met: bool = False
    """The operation came as far as the fault."""
    error: WarrantError | None = None
    late: list[Request] = field(default_factory=list)
    """Requests that are still under way."""


def run_with_fault(
    store: ObjectStore, operation: Generator[Request, Any, Any], *, place: int, fault: str
) -> Faulted:
    """Run an operation that has not begun, with one fault at its ``place``-th request."""
    went = Faulted()
    try:
        request = operation.send(None)
        while True:
            if place != 0:
                request = operation.send(perform(store, request))
            else:
                went.is_met = True
                if fault in ("lost after", "dies after"):
                    perform(store, request)
                if fault == "late":
                    went.late.append(request)
                if fault.startswith("dies"):
                    operation.close()
                    return went
                request = operation.throw(failure(request, fault))
            place -= 1
    except StopIteration:
        return went
    except WarrantError as error:
        went.error = error
        return went


def failure(request: Request, fault: str) -> WarrantError:
    """What the client of a failed request sees: of a read always that nothing happened."""
    if fault == "refused" or request[0] in ("get", "list"):
        return StoreUnavailableError("no answer")
    return OutcomeUnknownError("no answer")
