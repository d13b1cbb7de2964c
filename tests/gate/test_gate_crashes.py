"""A crash or a lost answer at any store call, then another pass: the same end."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gate import requests
from gate.checking import check_everything
from gate.gate import Gate
from gate.opening import ensure_ledger
from gate.packages import submit
from modelwarrant.errors import TemporaryError
from modelwarrant.policy import default_policy
from modelwarrant.records import PromotionRequest
from modelwarrant.registry import LaptopHome, Ledger, gc
from modelwarrant.storage import ObjectStore
from tests.gate.desk import MODEL, NOW, make_package
from tests.policy.conftest import Case
from tests.registry.world import Died, MemoryStore, Request, failure, perform

CRASHES = ("dies before", "dies after")
LOSSES = ("refused", "lost before", "lost after", "late")
SOON = NOW + timedelta(hours=1)
LATER = NOW + timedelta(days=8)


class FaultyStore:
    """Does what another store does, but for one call."""

    def __init__(self, inner: ObjectStore, *, place: int, fault: str) -> None:
        self.uri = inner.uri
        self.inner, self.place, self.fault = inner, place, fault
        self.late: list[Request] = []
        self.is_dead = False

    def _call(self, name: str, *arguments: Any) -> Any:
        request = (name, arguments)
        if self.is_dead:
            raise Died
        self.place -= 1
        if self.place != -1:
            return perform(self.inner, request)
        if self.fault in ("dies after", "lost after"):
            perform(self.inner, request)
        if self.fault == "late" and name not in ("get", "list"):
            self.late.append(request)
        if self.fault in CRASHES:
            self.is_dead = True
            raise Died
        raise failure(request, self.fault)

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


class Stage:
    """A laptop with one model in production, and what somebody does next, which may be repeated."""

    def __init__(self, home: Path) -> None:
        self.home = LaptopHome(home)
        self.store = MemoryStore()
        self.places = count(1)
        self.ensure(self.store)
        first = self.ask(self.store, "one")
        self.approve(self.store, first)

    def copy(self) -> MemoryStore:
        """The store as it is now; in another place, or the laptop would miss what it saw here."""
        copied = MemoryStore()
        copied.uri = f"memory-{next(self.places)}"
        copied.objects = dict(self.store.objects)
        return copied

    def ensure(self, store: ObjectStore) -> None:
        """Open the ledger as a run does."""
        ensure_ledger(store, MODEL, home=self.home, policy=default_policy(), actor="ada", now=NOW)

    def gate(self, store: ObjectStore) -> Gate:
        """The gate as a new process has it."""
        return Gate(store, self.home)

    def ask(self, store: ObjectStore, name: str, case: Case | None = None) -> str:
        """Hand in and record; return the request's id."""
        request = self.submitted(store, name, case)
        self.gate(store).process(request.id, now=NOW)
        return request.id

    def submitted(
        self, store: ObjectStore, name: str, case: Case | None = None
    ) -> PromotionRequest:
        """Hand in only."""
        state = self.gate(store).ledger(MODEL).state()
        files = make_package(state, name, run=f"run-{name}", case=case)
        return submit(store, state, run=f"run-{name}", requester="ada", files=files, now=NOW)

    def approve(self, store: ObjectStore, id: str) -> None:
        """Bob approves unless he has; then the gate goes on."""
        self._answer(store, id, "Approved")

    def reject(self, store: ObjectStore, id: str) -> None:
        """Bob rejects unless he has; then the gate goes on."""
        self._answer(store, id, "Rejected")

    def _answer(self, store: ObjectStore, id: str, verdict: Any) -> None:
        request = requests.get(store, id)
        if request.outcome is None and not request.approvals:
            self.gate(store).answer(
                id,
                verdict,
                approver="bob",
                reason="looked at it",
                candidate_digest=request.candidate_digest,
                evidence_digest=request.evidence_digest,
                now=SOON,
            )
        else:
            self.gate(store).process(id, now=SOON)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """One model in production."""
    return Stage(tmp_path / "home")


NEEDS = Case(gain=0.2, anchor_gain=-0.2)
"""Better than production, worse than the anchor: a person decides."""

Act = Callable[[Stage, ObjectStore], None]


def _submit(stage: Stage, store: ObjectStore) -> None:
    stage.submitted(store, "two")


def _second(store: ObjectStore) -> PromotionRequest:
    """Return the request of the second run, whatever their ids' order."""
    found = requests.list_requests(store, model=MODEL)
    [second] = [request for request in found if request.run != "run-one"]
    return second


def _process(stage: Stage, store: ObjectStore) -> None:
    waiting = _second(store)
    stage.gate(store).process(waiting.id, now=NOW)


def _better(stage: Stage) -> None:
    stage.submitted(stage.store, "two")


def _short(stage: Stage) -> None:
    stage.submitted(stage.store, "two", Case(n_rows=10))


def _answered(answer: str) -> Act:
    def act(stage: Stage, store: ObjectStore) -> None:
        waiting = _second(store)
        getattr(stage, answer)(store, waiting.id)

    return act


def _expire(stage: Stage, store: ObjectStore) -> None:
    waiting = _second(store)
    stage.gate(store).process(waiting.id, now=LATER)


def _withdraw(stage: Stage, store: ObjectStore) -> None:
    waiting = _second(store)
    if waiting.withdrawn or waiting.outcome:
        stage.gate(store).process(waiting.id, now=SOON)
    else:
        stage.gate(store).withdraw(waiting.id, requester="ada", reason="mistake", now=SOON)


def _wait(stage: Stage) -> None:
    stage.ask(stage.store, "two", NEEDS)


def _two_promoted(stage: Stage) -> None:
    stage.ask(stage.store, "two")


def _rollback(stage: Stage, store: ObjectStore) -> None:
    if stage.gate(store).ledger(MODEL).state().production != 3 or _waiting(store):
        stage.gate(store).rollback(MODEL, to=3, reason="complaints", actor="ada", now=SOON)


def _waiting(store: ObjectStore) -> bool:
    return bool(requests.list_requests(store, model=MODEL, waiting_only=True))


def _begin(stage: Stage, store: ObjectStore) -> None:
    stage.ensure(store)


def _empty(stage: Stage) -> None:
    stage.store = MemoryStore()


def _nothing(stage: Stage) -> None:
    pass


SCENES: dict[str, tuple[Callable[[Stage], None], Act]] = {
    "submit": (_nothing, _submit),
    "promote": (_better, _process),
    "hold": (_short, _process),
    "approve": (_wait, _answered("approve")),
    "reject": (_wait, _answered("reject")),
    "expire": (_wait, _expire),
    "withdraw": (_wait, _withdraw),
    "rollback": (_two_promoted, _rollback),
    "begin": (_empty, _begin),
}


def end_of(stage: Stage, store: MemoryStore) -> dict[str, Any]:
    """What must be the same however one came there: attempts and times are not."""
    state = Ledger(store, MODEL).state()
    return {
        "ops": [(entry.op, entry.txn) for entry in Ledger(store, MODEL).entries()],
        "production": state.production,
        "requests": [
            (request.id, request.outcome, request.outcome_reason, request.version)
            for request in requests.list_requests(store, model=MODEL)
        ],
        "approvals": dict(state.approvals),
    }


def check_scene(stage: Stage, scene: str, faults: tuple[str, ...], *, step: int) -> int:
    """Interrupt at every so many calls, go on, and compare; return the number of calls."""
    prepare, act = SCENES[scene]
    prepare(stage)
    undisturbed = stage.copy()
    act(stage, undisturbed)
    expected = end_of(stage, undisturbed)
    for place in range(0, 10_000, step):
        for fault in faults:
            inner = stage.copy()
            faulty = FaultyStore(inner, place=place, fault=fault)
            with suppress(Died, TemporaryError):
                act(stage, faulty)
            act(stage, inner)
            for request in faulty.late:
                perform(inner, request)

            assert expected == end_of(stage, inner), f"{fault} at call {place}"
            check_everything(Ledger(inner, MODEL))
            if faulty.place >= 0:
                return place
    raise AssertionError("endless")


@pytest.mark.parametrize("scene", ["promote", "approve", "reject", "rollback"])
def test_a_crash_anywhere_ends_the_same(stage: Stage, scene: str) -> None:
    """Killed before or after any store call, the next pass finishes what was begun."""
    assert check_scene(stage, scene, CRASHES, step=4) > 15


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scene", sorted(SCENES))
def test_any_fault_anywhere_ends_the_same(stage: Stage, scene: str) -> None:
    """The same for refused, lost and late calls, and for every way a request can end."""
    assert check_scene(stage, scene, CRASHES + LOSSES, step=1) > 8


def test_garbage_of_crashes_is_collected(stage: Stage) -> None:
    """What crashed passes left behind is fenced and removed, and nothing else."""
    _better(stage)
    inner = stage.copy()
    for place in (30, 40, 50):
        with pytest.raises(Died):
            _process(stage, FaultyStore(inner, place=place, fault="dies after"))
    _process(stage, inner)
    ledger = stage.gate(inner).ledger(MODEL)
    collected = gc(ledger, actor="ada", now=NOW)

    assert collected.blobs > 0
    check_everything(ledger)
    assert gc(ledger, actor="ada", now=NOW).blobs == 0
