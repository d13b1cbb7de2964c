"""An operation is recorded exactly once, whatever the store answers."""

from datetime import datetime
from typing import Any

import pytest

from modelwarrant.errors import (
    BusyError,
    IllegalOperationError,
    OutcomeUnknownError,
    StoreError,
    StoreUnavailableError,
    TamperedError,
)
from modelwarrant.registry import Ledger, Signer
from modelwarrant.registry.layout import log_key
from tests.registry.world import (
    FAULTS,
    MODEL,
    NOW,
    MemoryStore,
    Scribe,
    action,
    advance_to,
    finish,
    perform,
    run_with_fault,
    steps,
)


def ledger_on(store: Any, signer: Signer) -> Ledger:
    """A ledger that waits for nobody."""
    return Ledger(store, MODEL, signer, sleep=lambda seconds: None, jitter=lambda: 0.0)


def append(store: Any, signer: Signer, txn: str) -> int:
    """Append something small; return its seq."""
    ledger = ledger_on(store, signer)
    return ledger.append("act", action(txn), txn=txn, actor="ada", now=NOW).seq


def txns(store: MemoryStore) -> list[str]:
    """The transactions in the log."""
    return [entry.txn for entry in Ledger(store, MODEL).entries()]


def test_a_retried_txn_is_one_entry(scribe: Scribe) -> None:
    """The same txn again returns the entry that is there."""
    first = scribe.act("once")

    assert first == scribe.act("once")
    assert first == Scribe(scribe.store, scribe.signer).act("once")


def test_a_txn_names_one_operation(scribe: Scribe) -> None:
    """The same txn for another operation is a mistake, not a retry."""
    version = scribe.register("run-1")

    with pytest.raises(IllegalOperationError, match="is in entry 3 as 'register', not 'act'"):
        scribe.append(action("x"), "run-1/register")
    assert version == 3


def test_who_loses_the_race_writes_behind(scribe: Scribe, memory: MemoryStore) -> None:
    """An entry that another writer took is read, and the operation goes to the next place."""
    late = steps(lambda store: append(store, scribe.signer, "late"))
    request = advance_to(memory, late, "create")
    scribe.act("early")

    assert finish(memory, late, request) == 4
    assert txns(memory)[2:] == ["early", "late"]


@pytest.mark.parametrize("fault", FAULTS)
def test_any_request_of_an_append_may_fail(fault: str) -> None:
    """After one fault anywhere, a retry with the same txn gives exactly one entry."""
    for place in range(1000):
        memory = MemoryStore()
        scribe = Scribe(memory)
        scribe.begin()
        mine = steps(lambda store, key=scribe.signer: append(store, key, "mine"))
        went = run_with_fault(memory, mine, place=place, fault=fault)
        if not went.is_met:
            break
        seq = append(memory, scribe.signer, "mine")
        for request in went.late:
            perform(memory, request)

        assert txns(memory).count("mine") == 1
        assert append(memory, scribe.signer, "mine") == seq
    assert place >= 5


@pytest.mark.parametrize("fault", ["lost before", "lost after", "late"])
def test_a_lost_answer_is_asked_for_again(scribe: Scribe, memory: MemoryStore, fault: str) -> None:
    """One lost answer is no news for the caller: the same bytes go to the same key again."""
    mine = steps(lambda store: append(store, scribe.signer, "mine"))
    request = advance_to(memory, mine, "create")
    if fault == "lost after":
        perform(memory, request)
    again = mine.throw(OutcomeUnknownError("no answer"))

    assert again == request
    assert finish(memory, mine, again) == 3


def test_a_silent_store_leaves_the_outcome_unknown(scribe: Scribe) -> None:
    """When no answer comes at all, the error says that repeating is safe, and nothing is undone."""

    class Silent(MemoryStore):
        def create(self, key: str, data: bytes) -> bool:
            super().create(key, data)
            raise OutcomeUnknownError("no answer")

    silent = Silent()
    silent.objects = scribe.store.objects  # type: ignore[attr-defined] # a MemoryStore
    with pytest.raises(OutcomeUnknownError, match="running the same again is safe"):
        append(silent, scribe.signer, "mine")

    assert append(scribe.store, scribe.signer, "mine") == 3


def test_a_refusal_after_a_lost_answer_is_still_unknown(scribe: Scribe) -> None:
    """Credentials that expire between two tries say nothing about the first one."""

    class Expiring(MemoryStore):
        is_first = True

        def create(self, key: str, data: bytes) -> bool:
            was_first, self.is_first = self.is_first, False
            raise OutcomeUnknownError("no answer") if was_first else StoreError("403")

    expiring = Expiring()
    expiring.objects = scribe.store.objects  # type: ignore[attr-defined] # a MemoryStore
    with pytest.raises(OutcomeUnknownError, match="403"):
        append(expiring, scribe.signer, "mine")


@pytest.mark.parametrize("error", [StoreUnavailableError("full"), StoreError("read-only")])
def test_a_clear_refusal_is_passed_on(scribe: Scribe, error: Exception) -> None:
    """A full or read-only store is that error, not an unknown outcome."""

    class Refusing(MemoryStore):
        def create(self, key: str, data: bytes) -> bool:
            raise error

    refusing = Refusing()
    refusing.objects = dict(scribe.store.objects)  # type: ignore[attr-defined] # a MemoryStore
    with pytest.raises(type(error), match=str(error)):
        append(refusing, scribe.signer, "mine")


def test_a_store_that_shows_other_bytes_is_refused(scribe: Scribe) -> None:
    """Reading back catches a store that overwrote, and the message says what to run."""

    class Overwriting(MemoryStore):
        def create(self, key: str, data: bytes) -> bool:
            self.objects[key] = b"another writer's"
            return True

    overwriting = Overwriting()
    overwriting.objects = dict(scribe.store.objects)  # type: ignore[attr-defined] # a MemoryStore
    with pytest.raises(StoreError, match=r"now shows other bytes.*warrant store probe"):
        append(overwriting, scribe.signer, "mine")


def test_a_writer_gives_up_after_many_lost_races(scribe: Scribe) -> None:
    """A store that always says 'taken' and never shows by whom ends in BusyError."""

    class Taken(MemoryStore):
        def create(self, key: str, data: bytes) -> bool:
            return False

    taken = Taken()
    taken.objects = dict(scribe.store.objects)  # type: ignore[attr-defined] # a MemoryStore
    with pytest.raises(BusyError, match="other writers were faster"):
        append(taken, scribe.signer, "mine")


def test_a_store_that_was_set_back_gets_no_gap(scribe: Scribe, memory: MemoryStore) -> None:
    """A writer whose last entry is gone stops instead of writing behind the hole."""
    last = scribe.act("last")
    memory.delete(log_key(MODEL, last.seq))

    with pytest.raises(TamperedError, match="was changed or removed after it had been read"):
        scribe.act("next")
    assert log_key(MODEL, last.seq + 1) not in memory.objects


def test_pauses_begin_with_the_second_conflict(scribe: Scribe, memory: MemoryStore) -> None:
    """The first lost race is repeated at once, then pauses grow up to a bound."""
    pauses: list[float] = []

    class Contended(MemoryStore):
        rounds = 12

        def create(self, key: str, data: bytes) -> bool:
            if self.rounds:
                self.rounds -= 1
                Scribe(memory, scribe.signer).act(f"other-{self.rounds}")
                return False
            return super().create(key, data)

    contended = Contended()
    contended.objects = memory.objects
    ledger = Ledger(contended, MODEL, scribe.signer, sleep=pauses.append, jitter=lambda: 1.0)
    ledger.append("act", action("mine"), txn="mine", actor="ada", now=NOW)

    assert len(pauses) == 11
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(0.004)
    assert pauses[-1] == pytest.approx(0.5)


def test_a_moment_without_a_time_zone_is_refused(scribe: Scribe) -> None:
    """Times in the ledger are UTC, so a naive one is a mistake of the caller."""
    with pytest.raises(ValueError, match="has no time zone"):
        scribe.append(action("x"), "x", now=datetime(2026, 1, 1))
