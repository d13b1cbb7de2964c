"""Garbage is fenced before it is deleted, and nothing else is touched."""

import pytest

from modelwarrant.errors import IllegalOperationError
from modelwarrant.registry import gc
from tests.registry.world import (
    MODEL,
    NOW,
    MemoryStore,
    Scribe,
    advance_to,
    finish,
    registration,
    steps,
)


def test_what_no_entry_names_is_removed(scribe: Scribe, memory: MemoryStore) -> None:
    """An attempt that died is closed by an entry, and its blobs are gone."""
    registration(memory, "run-1", "orphan")
    found = gc(scribe.ledger, actor="ada", now=NOW)

    assert (found.attempts, found.blobs) == (("orphan",), 2)
    assert list(memory.list(f"m/{MODEL}/blob/orphan/")) == []
    assert [entry.op for entry in scribe.ledger.entries()][-1] == "abort"


def test_what_an_entry_names_stays(scribe: Scribe, memory: MemoryStore) -> None:
    """Blobs of versions, decisions, acts and policies are never collected."""
    scribe.promote("run-1")
    scribe.decide("run-2", None, verdict="HOLD")
    before = dict(memory.objects)

    assert gc(scribe.ledger, actor="ada", now=NOW).attempts == ()
    assert before == memory.objects
    scribe.ledger.verify()


def test_collecting_again_finds_nothing(scribe: Scribe, memory: MemoryStore) -> None:
    """A second collection writes no second fence."""
    registration(memory, "run-1", "orphan")
    gc(scribe.ledger, actor="ada", now=NOW)
    seq = scribe.ledger.state().seq

    assert gc(scribe.ledger, actor="ada", now=NOW).blobs == 0
    assert seq == scribe.ledger.state().seq


def test_a_writer_that_was_fenced_starts_again(scribe: Scribe, memory: MemoryStore) -> None:
    """A registration that comes after the fence is refused, so no version lacks its blobs."""
    payload = registration(memory, "run-1", "slow")
    gc(scribe.ledger, actor="eve", now=NOW)

    with pytest.raises(IllegalOperationError, match="attempt slow was closed"):
        scribe.append(payload, "run-1/register")
    scribe.append(registration(memory, "run-1", "again"), "run-1/register")
    scribe.ledger.verify()


def test_late_blobs_of_a_fenced_attempt_are_removed_later(
    scribe: Scribe, memory: MemoryStore
) -> None:
    """What a slow writer adds behind the fence goes with the next collection."""
    registration(memory, "run-1", "slow")
    gc(scribe.ledger, actor="eve", now=NOW)
    registration(memory, "run-1", "slow")

    assert gc(scribe.ledger, actor="eve", now=NOW).blobs == 2


def test_a_registration_that_comes_first_wins(scribe: Scribe, memory: MemoryStore) -> None:
    """The fence loses against an entry that was written while it was on its way."""
    payload = registration(memory, "run-1", "fast")
    collecting = steps(lambda store: gc(Scribe(store, scribe.signer).ledger, actor="e", now=NOW))
    request = advance_to(memory, collecting, "create")
    scribe.append(payload, "run-1/register")
    finish(memory, collecting, request)

    assert list(memory.list(f"m/{MODEL}/blob/fast/")) != []
    scribe.ledger.verify()


def test_old_snapshots_are_removed(scribe: Scribe, memory: MemoryStore) -> None:
    """The newest two stay."""
    for number in range(4):
        scribe.act(f"act-{number}")
        scribe.ledger.write_snapshot()

    assert gc(scribe.ledger, actor="ada", now=NOW).snapshots == 2
    assert len(list(memory.list(f"m/{MODEL}/snap/"))) == 2
