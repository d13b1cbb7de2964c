"""A ledger moves into another store whole and right, or not at all."""

import pytest

from modelwarrant.errors import (
    IllegalOperationError,
    OutcomeUnknownError,
    RegistryError,
    StoreUnavailableError,
    TamperedError,
)
from modelwarrant.registry import Ledger, Signer
from modelwarrant.registry.entries import signed_entry
from modelwarrant.registry.layout import log_key
from modelwarrant.registry.moving import copy_ledger
from modelwarrant.registry.payloads import Upgrade
from tests.registry.world import MODEL, NOW, MemoryStore, Scribe, perform, run_with_fault, steps


@pytest.fixture
def full(scribe: Scribe) -> Scribe:
    """A ledger with blobs."""
    scribe.promote("run-1", "bob")
    scribe.act("seen")
    return scribe


def test_a_copy_is_the_same_ledger(full: Scribe) -> None:
    """Entries and the blobs that they name arrive; the same key writes on."""
    target = MemoryStore()
    found = copy_ledger(full.ledger, target, anchors=[full.ledger.anchor()])

    assert found.vouched_seq == full.ledger.state().seq
    assert full.ledger.state() == Ledger(target, MODEL).state()
    assert Scribe(target, full.signer).act("next").seq == found.seq + 1


@pytest.mark.parametrize("fault", ["refused", "lost before", "lost after", "late", "dies after"])
def test_a_broken_copy_is_finished_by_another(full: Scribe, fault: str) -> None:
    """Whatever one request of the target meets, doing it again ends in the whole ledger."""
    for place in range(1000):
        target = MemoryStore()
        copying = steps(lambda store: copy_ledger(full.ledger, store, anchors=()))
        went = run_with_fault(target, copying, place=place, fault=fault)
        if not went.is_met:
            break
        assert went.error is None or isinstance(
            went.error, StoreUnavailableError | OutcomeUnknownError
        )
        copy_ledger(full.ledger, target, anchors=())
        for request in went.late:
            perform(target, request)

        assert full.ledger.state() == Ledger(target, MODEL).state()
    assert place > 20


def test_another_ledger_is_left_alone(full: Scribe) -> None:
    """A target that holds a ledger of its own keeps it."""
    other = Scribe(MemoryStore())
    other.begin()
    assert isinstance(other.store, MemoryStore)
    before = dict(other.store.objects)

    with pytest.raises(IllegalOperationError, match="holds another ledger of flights"):
        copy_ledger(full.ledger, other.store, anchors=())
    assert before == other.store.objects


def test_a_longer_ledger_is_left_alone(full: Scribe) -> None:
    """An old export does not go over what was written since."""
    target = MemoryStore()
    copy_ledger(full.ledger, target, anchors=())
    Scribe(target, full.signer).act("since")

    with pytest.raises(IllegalOperationError, match="holds a longer ledger"):
        copy_ledger(full.ledger, target, anchors=())


def test_a_ledger_that_is_not_right_is_not_copied(full: Scribe, memory: MemoryStore) -> None:
    """Nothing is written where the source does not verify."""
    memory.objects[log_key(MODEL, 4)] += b" "
    target = MemoryStore()

    with pytest.raises(TamperedError, match=log_key(MODEL, 4)):
        copy_ledger(Ledger(memory, MODEL), target, anchors=())
    assert {} == target.objects


def test_no_ledger_is_no_copy() -> None:
    """A model that is not there is said not to be there."""
    with pytest.raises(RegistryError, match="has no ledger of flights"):
        copy_ledger(Ledger(MemoryStore(), MODEL), MemoryStore(), anchors=())


def upgraded(scribe: Scribe, signer: Signer) -> str:
    """A newer program's upgrade, as it lies in the log."""
    state = scribe.ledger.state()
    entry = signed_entry(
        Upgrade(to_schema=2),
        model=MODEL,
        seq=state.seq + 1,
        prev=state.head,
        txn="upgrade/2",
        actor="ada",
        now=NOW,
        signer=signer,
    )
    scribe.store.create(log_key(MODEL, entry.seq), entry.to_bytes())
    return log_key(MODEL, entry.seq)


def test_a_ledger_of_a_newer_schema_is_refused_and_not_written(full: Scribe) -> None:
    """The message says which program is needed; it is no tampering."""
    key = upgraded(full, full.signer)
    before = dict(full.store.objects)  # type: ignore[attr-defined] # a MemoryStore

    with pytest.raises(RegistryError, match=f"{key}.*newer modelwarrant, in schema 2") as refused:
        Scribe(full.store, full.signer).act("mine")
    assert not isinstance(refused.value, TamperedError)
    assert before == full.store.objects  # type: ignore[attr-defined] # a MemoryStore


def test_a_strangers_upgrade_is_tampering(full: Scribe) -> None:
    """Nobody stops a ledger by writing an unsigned upgrade and having it believed."""
    key = upgraded(full, Signer.generate())

    with pytest.raises(TamperedError, match=f"{key} is not signed by a key in force"):
        Ledger(full.store, MODEL).state()
