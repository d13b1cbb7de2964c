"""What the fold tells: production, anchor, looks, and how it was at an earlier time."""

from datetime import timedelta

import pytest

from modelwarrant.errors import RegistryError, UnknownModelError
from modelwarrant.registry import Ledger, State, history_record, is_current, write_blobs
from modelwarrant.registry.payloads import Rollback, Tombstone
from tests.registry.world import MODEL, NOW, POLICY, MemoryStore, Scribe, action, digest


def test_before_the_first_entry_there_is_nothing(memory: MemoryStore) -> None:
    """A model without a ledger has no production, anchor or policy."""
    state = Ledger(memory, MODEL).state()
    history = history_record(state, MODEL)

    assert state == State.empty(MODEL)
    assert (history.production_version, history.anchor_version, history.looks) == (None, None, 0)
    assert history.policy_digest is None


def test_history_names_production_anchor_and_policy(scribe: Scribe) -> None:
    """Versions with their digests, and the rule in force with its engine."""
    approved = scribe.promote("run-1", "bob")
    automatic = scribe.promote("run-2")
    history = history_record(scribe.ledger.state(), MODEL, overdue=["monitoring is overdue"])

    assert (history.production_version, history.production_digest) == (
        automatic,
        digest("model of run-2"),
    )
    assert (history.anchor_version, history.anchor_digest) == (approved, digest("model of run-1"))
    assert (history.policy_digest, history.engine_version) == (digest(POLICY.decode()), "1")
    assert history.overdue == ("monitoring is overdue",)


def test_history_counts_candidates_and_looks_since_the_last_promotion(scribe: Scribe) -> None:
    """Every decision is a look; a candidate counts once; a promotion begins anew."""
    scribe.decide("run-1", None, verdict="HOLD", candidate_digest=digest("a"))
    scribe.decide("run-2", None, verdict="HOLD", candidate_digest=digest("b"))
    scribe.decide("run-3", None, verdict="REJECT", candidate_digest=digest("a"))
    before = history_record(scribe.ledger.state(), MODEL)
    scribe.promote("run-4")
    after = history_record(scribe.ledger.state(), MODEL)

    assert (before.candidates, before.looks) == ((digest("a"), digest("b")), 3)
    assert (after.candidates, after.looks) == ((), 0)


def test_a_rollback_does_not_begin_the_count_anew(scribe: Scribe) -> None:
    """Going back gives no new error budget."""
    first = scribe.promote("run-1")
    scribe.promote("run-2")
    scribe.decide("run-3", None, verdict="HOLD")
    scribe.rollback(first)

    assert history_record(scribe.ledger.state(), MODEL).looks == 1


def test_history_is_current_until_the_ledger_moves(scribe: Scribe) -> None:
    """A decision, a promotion or a policy makes it stale; what is overdue does not."""
    history = history_record(scribe.ledger.state(), MODEL, overdue=["review"])
    scribe.act("look")

    assert is_current(history, scribe.ledger.state())
    scribe.decide("run-1", None, verdict="HOLD")
    assert not is_current(history, scribe.ledger.state())


def test_history_of_another_model_is_refused(scribe: Scribe) -> None:
    """A state and a model's name must belong together."""
    with pytest.raises(RegistryError, match="not of electricity"):
        history_record(scribe.ledger.state(), "electricity")


def test_the_anchor_goes_back_with_a_rollback(scribe: Scribe) -> None:
    """An approval of what was rolled back no longer counts."""
    first = scribe.promote("run-1", "bob")
    second = scribe.promote("run-2")
    scribe.promote("run-3", "bob")
    scribe.rollback(second)
    anchor = scribe.ledger.state().anchor_version

    assert anchor is not None
    assert first == anchor.number


def test_the_anchor_passes_over_tombstones(scribe: Scribe) -> None:
    """A barred version anchors nothing."""
    first = scribe.promote("run-1", "bob")
    second = scribe.promote("run-2", "bob")
    scribe.promote("run-3")
    scribe.append(Tombstone(version=second, reason="bad data"), "bury")
    anchor = scribe.ledger.state().anchor_version

    assert anchor is not None
    assert first == anchor.number


def test_without_an_approval_there_is_no_anchor(scribe: Scribe) -> None:
    """Automatic promotions alone anchor nothing."""
    scribe.promote("run-1")

    assert scribe.ledger.state().anchor_version is None


def test_as_of_a_seq(scribe: Scribe) -> None:
    """The state as the first entries left it."""
    first = scribe.promote("run-1")
    scribe.promote("run-2")

    assert first == scribe.ledger.state(as_of=5).production
    assert scribe.ledger.state(as_of=4).production is None
    assert scribe.ledger.state(as_of=0) == State.empty(MODEL)
    assert scribe.ledger.state(as_of=999) == scribe.ledger.state()


def test_as_of_a_moment(scribe: Scribe) -> None:
    """The state after the last entry written by then."""
    first = scribe.promote("run-1")
    second = scribe.promote("run-2")
    scribe.append(Rollback(to=first, reason="r", actor="ada"), "back", now=NOW + timedelta(hours=1))

    assert second == scribe.ledger.state(as_of=NOW).production
    assert first == scribe.ledger.state(as_of=NOW + timedelta(hours=1)).production
    assert scribe.ledger.state(as_of=NOW - timedelta(seconds=1)).seq == 0


def test_an_unknown_version_is_named(scribe: Scribe) -> None:
    """Asking for what was never registered says so."""
    with pytest.raises(UnknownModelError, match="flights has no version 7"):
        scribe.ledger.state().version(7)


@pytest.mark.parametrize("model", ["", "../x", "a/b", ".hidden", "x" * 101, "a b"])
def test_an_odd_model_name_is_refused(memory: MemoryStore, model: str) -> None:
    """A model's name is part of every key."""
    with pytest.raises(RegistryError, match="no model name"):
        Ledger(memory, model)


def test_a_reader_never_goes_back(scribe: Scribe, memory: MemoryStore) -> None:
    """A store that was set back does not set back who has seen more."""
    reader = Ledger(memory, MODEL)
    scribe.promote("run-1")
    seen = reader.state()
    for seq in (4, 5):
        memory.delete(f"m/{MODEL}/log/{seq:012d}.json")

    assert seen == reader.state()


def test_a_decision_is_found_by_its_request(scribe: Scribe) -> None:
    """Replay starts from a request's decision."""
    seq = scribe.decide("run-1", None, verdict="HOLD").seq
    found = scribe.ledger.state().decision_of("ask-run-1")

    assert found is not None
    assert seq == found.seq
    assert scribe.ledger.state().decision_of("nobody") is None


def test_entries_come_in_order(scribe: Scribe) -> None:
    """The whole log, from the first entry on."""
    scribe.append(action("x"), "x")

    assert [entry.op for entry in scribe.ledger.entries()] == ["genesis", "ratify", "act"]


def test_history_counts_a_candidate_once_for_each_window(scribe: Scribe) -> None:
    """The validation report tells windows apart: it is the same for a re-run, in any run."""
    for run, window in (("run-1", b"may"), ("run-2", b"may"), ("run-3", b"june")):
        attempt = f"at-{run}-decide"
        files = {"decision.json": run.encode(), "validation_report.json": window}
        blobs = write_blobs(scribe.store, MODEL, attempt, files)
        scribe.decide(
            run,
            None,
            verdict="HOLD",
            candidate_digest=digest("a"),
            decision_digest=digest(run),
            blobs=blobs,
        )
    history = history_record(scribe.ledger.state(), MODEL)

    assert ((digest("a"), digest("a")), 3) == (history.candidates, history.looks)
