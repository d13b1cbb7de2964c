"""The life of a request: recorded, waiting, promoted, or ended another way."""

import subprocess
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gate.gate import Gate
from gate.opening import ratify, ratify_signers
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import (
    IllegalOperationError,
    RecordError,
    RequestError,
    TamperedError,
    UnknownModelError,
)
from modelwarrant.policy import load, read_documents, replay
from modelwarrant.records import Decision, PromotionRequest
from modelwarrant.registry import gc, read_blobs, ssh
from modelwarrant.storage import ObjectStore
from tests.gate.desk import MODEL, NOW, Desk, make_package
from tests.policy.conftest import Case
from tests.registry.world import finish, perform, steps

SHIPPED = Case().policy.to_bytes()
TWO = load(SHIPPED.replace(b'"approvals_required":1', b'"approvals_required":2'), name="two")
MILD = load(SHIPPED.replace(b'"min_labels":500', b'"min_labels":5'), name="mild")


def ops(desk: Desk) -> list[str]:
    """The operations after the ledger's beginning."""
    return [entry.op for entry in desk.ledger.entries()][2:]


def test_a_first_model_waits_for_a_person(desk: Desk) -> None:
    """Candidate and decision are recorded, and nothing is in production."""
    request = desk.process(desk.submit())

    assert (request.verdict, request.outcome) == ("NEEDS_APPROVAL", None)
    assert ops(desk) == ["register", "decide"]
    assert desk.state.production is None


def test_an_approval_promotes(desk: Desk) -> None:
    """The entry names the decision and the person; the request names the entry."""
    request = desk.approve(desk.process(desk.submit()))
    entry = desk.ledger.entries()[-1]

    assert (request.outcome, request.version) == ("promoted", desk.state.production)
    assert (request.ledger_seq, request.ledger_digest) == (entry.seq, entry.digest)
    assert entry.payload["decision"] == 4
    assert [use["approver"] for use in entry.payload["approvals"]] == ["bob"]
    assert request.outcome_reason == "approved by bob"


def test_promote_needs_nobody_where_it_is_automatic(desk: Desk) -> None:
    """A better candidate replaces production on the authority of its decision."""
    desk.promoted("one")
    request = desk.process(desk.submit("two"))

    assert (request.verdict, request.outcome) == ("PROMOTE", "promoted")
    assert desk.ledger.entries()[-1].payload["approvals"] == []


def test_promote_waits_where_automatic_promotion_is_off(desk: Desk) -> None:
    """As on clusters: the verdict is PROMOTE, and a person still answers."""
    desk.promoted("one")
    gate = Gate(desk.store, desk.home, is_automatic=False)
    request = gate.process(desk.submit("two").id, now=NOW)

    assert (request.verdict, request.outcome) == ("PROMOTE", None)
    answered = gate.answer(
        request.id,
        "Approved",
        approver="bob",
        reason="fine",
        candidate_digest=request.candidate_digest,
        evidence_digest=request.evidence_digest,
        now=NOW,
    )
    assert answered.outcome == "promoted"


@pytest.mark.parametrize(
    ("case", "verdict", "outcome"),
    [
        (Case(n_rows=10, gain=0.2), "HOLD", "held"),
        (Case(gain=-0.2), "REJECT", "rejected"),
    ],
)
def test_hold_and_reject_are_recorded_and_end_the_request(
    desk: Desk, case: Case, verdict: str, outcome: str
) -> None:
    """The decision is in the ledger, no version is registered, and nobody is asked."""
    desk.promoted("one")
    before = len(ops(desk))
    request = desk.process(desk.submit("two", case=case))
    entry = desk.ledger.entries()[-1]

    assert (request.verdict, request.outcome) == (verdict, outcome)
    assert ops(desk)[before:] == ["decide"]
    assert (request.ledger_seq, request.outcome_reason) == (entry.seq, entry.payload["reason"])
    with pytest.raises(RequestError, match=f"ended as {outcome} already"):
        desk.approve(request)


def test_a_failed_decision_keeps_no_copy_of_its_model(desk: Desk) -> None:
    """Evidence of HOLD is kept, the candidate's bytes are not."""
    desk.process(desk.submit("one", case=Case(n_rows=10, gain=0.2)))
    [decided] = desk.state.decisions.values()
    names = {blob.name for blob in decided.blobs}

    assert {"decision.json", "evaluation_report.json", "policy.json", "report.html"} <= names
    assert "model.onnx" not in names
    assert not any(digest_bytes(b"model one")[7:] in key for key in desk.store.list("m/"))


def test_every_recorded_decision_can_be_replayed(desk: Desk) -> None:
    """The documents that an entry names are enough to decide again, with the same bytes."""
    desk.promoted("one")
    desk.process(desk.submit("two", case=Case(n_rows=10, gain=0.2)))
    for decided in desk.state.decisions.values():
        files = read_blobs(desk.store, MODEL, decided.attempt, decided.blobs)
        decision = Decision.from_bytes(files["decision.json"], name="decision.json")
        rules = load(files["policy.json"], name="policy.json")

        assert decision.digest == decided.decision_digest
        assert decision == replay(rules, decision, read_documents(files))


def test_running_the_same_again_finds_the_waiting_request(desk: Desk) -> None:
    """Another run of the same candidate on the same evidence asks no second question."""
    first = desk.process(desk.submit("one", run="run-1"))
    again = desk.submit("one", run="run-2")

    assert first.id == again.id
    assert list(desk.store.list(f"in/{MODEL}/run-2/")) == []
    assert len(desk.waiting()) == 1


def test_another_candidate_is_another_request(desk: Desk) -> None:
    """Two requests wait at once, and one's answer is not the other's."""
    one = desk.process(desk.submit("one"))
    two = desk.process(desk.submit("two"))
    desk.reject(two)

    assert one.id != two.id
    assert [request.id for request in desk.waiting()] == [one.id]


def test_the_other_request_is_superseded_by_a_promotion(desk: Desk) -> None:
    """Its baseline is gone; an approval of it comes too late."""
    one = desk.process(desk.submit("one"))
    two = desk.process(desk.submit("two"))
    desk.approve(one)
    late = desk.approve(two)

    assert late.outcome == "superseded"
    assert "production changed in entry" in (late.outcome_reason or "")
    assert desk.state.production == 3


def test_a_request_is_superseded_by_a_ratification(desk: Desk) -> None:
    """The rule it was decided by is no longer in force."""
    request = desk.process(desk.submit("one"))
    ratify(desk.ledger, TWO, author="eve", approver="ada", reason="two see more", now=NOW)
    late = desk.approve(request)

    assert late.outcome == "superseded"
    assert "a policy was ratified" in (late.outcome_reason or "")


def test_stale_history_is_superseded_before_it_is_recorded(desk: Desk) -> None:
    """A decision by another run in between changes the error budget: measure again."""
    package = desk.package("one", run="run-1")
    desk.process(desk.submit("two"))
    request = desk.process(desk.submit("one", run="run-1", files=package))

    assert request.outcome == "superseded"
    assert "its evidence is stale" in (request.outcome_reason or "")
    assert desk.submit("one", run="run-3").id != request.id


def test_one_rejection_ends_a_request(desk: Desk) -> None:
    """With its reason, fenced in the ledger, and no later approval counts."""
    request = desk.reject(desk.process(desk.submit("one")))

    assert request.outcome == "rejected"
    assert request.outcome_reason == "rejected by bob: looked at the page"
    assert desk.ledger.entries()[-1].payload == {
        "attempt": request.id,
        "reason": "rejected: rejected by bob: looked at the page",
    }
    with pytest.raises(RequestError, match="ended as rejected already"):
        desk.approve(request, "eve")
    assert desk.submit("one", run="run-2").id == request.id


def test_a_request_expires(desk: Desk) -> None:
    """After its time nobody answers it; asked again it is a new request of a new run."""
    request = desk.process(desk.submit("one"))
    late = NOW + timedelta(days=7)
    with pytest.raises(RequestError, match="expired at 2026-03-08"):
        desk.approve(request, now=late)
    ended = desk.process(request, now=late)
    again = desk.submit("one", run="run-2", now=late)

    assert ended.outcome == "expired"
    assert again.id != request.id
    assert desk.approve(desk.process(again, now=late), now=late).outcome == "promoted"


def test_an_unrecorded_request_expires_without_an_entry(desk: Desk) -> None:
    """What was never decided on leaves nothing in the ledger."""
    request = desk.process(desk.submit("one"), now=NOW + timedelta(days=8))

    assert (request.outcome, ops(desk)) == ("expired", [])


def test_the_requester_withdraws(desk: Desk) -> None:
    """Cancelled with the reason; nobody else may, and it may be asked again."""
    request = desk.process(desk.submit("one"))
    with pytest.raises(RequestError, match="bob may reject it instead"):
        desk.gate.withdraw(request.id, requester="bob", reason="no", now=NOW)
    ended = desk.gate.withdraw(request.id, requester="Ada", reason="wrong data", now=NOW)

    assert (ended.outcome, ended.outcome_reason) == ("cancelled", "withdrawn by ada: wrong data")
    assert desk.submit("one", run="run-2").id != request.id


def test_two_approvals_where_the_policy_asks_for_two(desk: Desk) -> None:
    """The first one waits for the second; one person does not count twice."""
    ratify(desk.ledger, TWO, author="eve", approver="ada", reason="two see more", now=NOW)
    request = desk.process(desk.submit("one", case=Case(policy=TWO, gain=0.2)))

    assert desk.approve(request, "bob").outcome is None
    with pytest.raises(RequestError, match="BOB has answered"):
        desk.approve(request, "BOB")
    promoted = desk.approve(request, "eve")
    assert promoted.outcome_reason == "approved by bob, eve"


def test_the_requester_approves_only_by_saying_so(desk: Desk) -> None:
    """On a laptop, with the flag, and recorded as such."""
    request = desk.process(desk.submit("one"))
    with pytest.raises(RequestError, match="or --self-approve, recorded as such"):
        desk.approve(request, "ada")
    promoted = desk.approve(request, "ada", self_approve=True)

    assert promoted.outcome == "promoted"
    assert desk.ledger.entries()[-1].payload["approvals"][0]["self_approved"] is True


def test_the_flag_without_being_the_requester_changes_nothing(desk: Desk) -> None:
    """Somebody else's approval is not recorded as a self-approval."""
    promoted = desk.approve(desk.process(desk.submit("one")), "bob", self_approve=True)

    assert promoted.approvals[0].self_approved is False


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"candidate_digest": "sha256:other"}, "the answer is about sha256:other"),
        ({"evidence_digest": None}, "the answer is about"),
        ({"reason": "  "}, "a reason is needed"),
        ({"reason": "x" * 2001}, "at most 2000"),
        ({"approver": ""}, "the approver's name is needed"),
    ],
)
def test_an_answer_is_about_what_was_looked_at(
    desk: Desk, changes: dict[str, Any], match: str
) -> None:
    """Another candidate, other evidence, no reason or no name: refused, and nothing is kept."""
    request = desk.process(desk.submit("one"))
    with pytest.raises(RequestError, match=match):
        desk.approve(request, **changes)

    assert desk.gate.process(request.id, now=NOW).approvals == ()


def test_a_package_that_was_changed_is_refused(desk: Desk) -> None:
    """Late evidence is no evidence: held, naming the file, with nothing in the ledger."""
    for name in ("model.onnx", "evaluation_report.json", "report.html"):
        request = desk.submit(name.replace(".", "-"))
        desk.store.put(f"{request.package}{name}", b"other bytes")
        ended = desk.process(request)

        assert ended.outcome == "held"
        assert f"{request.package}{name} was changed after request" in (ended.outcome_reason or "")
    assert ops(desk) == []


def test_a_package_that_is_gone_is_refused(desk: Desk) -> None:
    """The request says what is missing, and may be asked again."""
    request = desk.submit("one")
    desk.store.delete(f"{request.package}model.onnx")
    ended = desk.process(request)

    assert ended.outcome == "held"
    assert "model.onnx is gone" in (ended.outcome_reason or "")
    assert desk.process(desk.submit("one", run="run-2")).outcome is None


def test_a_claimed_verdict_is_computed_again(desk: Desk) -> None:
    """A run that claims PROMOTE for a candidate that is no better changes nothing."""
    desk.promoted("one")
    package = desk.package("two", run="run-two", case=Case(gain=-0.2))
    honest = Decision.from_bytes(package["decision.json"], name="decision")
    lie = honest.model_copy(update={"verdict": "PROMOTE", "rule": "better"})
    ended = desk.process(desk.submit("two", files={**package, "decision.json": lie.to_bytes()}))

    assert (honest.verdict, ended.verdict, ended.outcome) == ("REJECT", "PROMOTE", "rejected")
    assert desk.ledger.entries()[-1].payload["verdict"] == "REJECT"
    assert desk.state.production == 3


def test_a_claimed_decision_must_follow_from_its_evidence(desk: Desk) -> None:
    """Even where the verdict is the same: what people read must be what the gate computed."""
    desk.promoted("one")
    package = desk.package("two", run="run-two")
    honest = Decision.from_bytes(package["decision.json"], name="decision")
    lie = honest.model_copy(update={"reason": "it is wonderful"})
    ended = desk.process(desk.submit("two", files={**package, "decision.json": lie.to_bytes()}))

    assert ended.outcome == "held"
    assert "does not follow from its evidence" in (ended.outcome_reason or "")
    assert ops(desk)[-1] == "abort"
    assert desk.state.production == 3


def test_an_unratified_policy_is_held(desk: Desk) -> None:
    """A milder policy of the run's own is recorded and promotes nothing."""
    case = Case(policy=MILD, gain=0.2)
    ended = desk.process(desk.submit("one", case=case))
    ratify(
        desk.ledger,
        MILD,
        author="ada",
        approver="ada",
        reason="little data",
        now=NOW,
        self_approve=True,
    )

    assert ended.outcome == "held"
    assert "the ratified one is" in (ended.outcome_reason or "")
    assert desk.process(desk.submit("one", run="run-2", case=case)).outcome is None


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"model.onnx": None}, "has no model.onnx"),
        ({"model.onnx": b"other"}, "model.onnx is sha256"),
        ({"schema.json": b"other"}, "schema.json is sha256"),
        ({"decision.json": None}, "no decision"),
        ({"decision.json": b"{}"}, "no decision"),
        ({"history.json": None}, "no history.json"),
        ({"evaluation_report.json": b"[]"}, "not a EvaluationReport"),
        ({"policy.json": None}, "no policy.json or policy.yaml"),
        ({"policy.json": b"rows: 1"}, "policy cannot be read"),
    ],
)
def test_an_incomplete_package_is_not_taken(
    desk: Desk, change: dict[str, bytes | None], match: str
) -> None:
    """What is missing or does not fit is named before anything is written."""
    changed = {**desk.package("one", run="run-1"), **change}
    files = {name: data for name, data in changed.items() if data is not None}
    with pytest.raises(RequestError, match=match):
        desk.submit("one", run="run-1", files=files)

    assert list(desk.store.list("in/")) == list(desk.store.list("requests/")) == []


def test_a_document_must_be_canonical(desk: Desk) -> None:
    """A report spelled another way has another digest than the evidence names."""
    package = desk.package("one", run="run-1")
    package["validation_report.json"] += b"\n"

    with pytest.raises(RequestError, match=r"validation_report\.json is not canonical"):
        desk.submit("one", run="run-1", files=package)


def test_documents_of_another_package_do_not_fit(desk: Desk) -> None:
    """Evidence that the decision does not name is refused."""
    one, two = desk.package("one", run="run-1"), desk.package("two", run="run-2")

    with pytest.raises(RequestError, match="the decision's evidence is"):
        desk.submit("one", files={**one, "evaluation_report.json": two["evaluation_report.json"]})


def test_the_same_run_hands_in_once(desk: Desk) -> None:
    """Other bytes under the same run are refused."""
    desk.submit("one", run="run-1")

    with pytest.raises(RequestError, match="holds other bytes of the same run"):
        desk.submit("two", run="run-1")


def test_a_rollback_is_applied_at_once(desk: Desk) -> None:
    """A former production version is back, and the request names the entry."""
    desk.promoted("one")
    desk.promoted("two")
    request = desk.gate.rollback(MODEL, to=3, reason="complaints", actor="ada", now=NOW)

    assert (request.outcome, request.version) == ("applied", 3)
    assert desk.state.production == 3
    assert request.ledger_seq == desk.state.seq


@pytest.mark.parametrize(
    ("to", "reason", "error", "match"),
    [
        (3, "r", IllegalOperationError, "is in production already"),
        (99, "r", IllegalOperationError, "no version 99"),
        (0, "r", RecordError, "rollback of 0"),
        (3, " ", RequestError, "a reason is needed"),
    ],
)
def test_an_impossible_rollback_is_refused(
    desk: Desk, to: int, reason: str, error: type[Exception], match: str
) -> None:
    """With what is wrong, and no request is left behind."""
    desk.promoted("one")
    with pytest.raises(error, match=match):
        desk.gate.rollback(MODEL, to=to, reason=reason, actor="ada", now=NOW)

    assert desk.waiting() == ()


def test_a_tombstone_bars_a_version(desk: Desk) -> None:
    """It cannot come back, and production cannot be barred."""
    desk.promoted("one")
    desk.promoted("two")
    request = desk.gate.tombstone(MODEL, version=3, reason="bad data", actor="ada", now=NOW)

    assert request.outcome == "applied"
    with pytest.raises(IllegalOperationError, match="is tombstoned"):
        desk.gate.rollback(MODEL, to=3, reason="r", actor="ada", now=NOW)
    with pytest.raises(IllegalOperationError, match="roll back first"):
        desk.gate.tombstone(MODEL, version=6, reason="r", actor="ada", now=NOW)


def test_a_finished_request_is_processed_again_without_effect(desk: Desk) -> None:
    """Another pass changes nothing."""
    request = desk.promoted("one")
    before = {key: desk.store.get(key) for key in desk.store.list("")}

    assert request == desk.process(request)
    assert before == {key: desk.store.get(key) for key in desk.store.list("")}


def test_an_anchor_is_remembered_outside_the_store(desk: Desk) -> None:
    """After a promotion the laptop vouches for it, and the head in the store is a witness."""
    desk.promoted("one")
    pin = desk.home.pin(desk.store.uri, MODEL)
    desk.store.delete(f"m/{MODEL}/log/000000000005.json")

    assert pin is not None
    assert pin.anchor_seq == 5
    with pytest.raises(TamperedError, match="an anchor vouches for it"):
        desk.ledger.verify([pin.anchor])
    with pytest.raises(TamperedError, match=r"head\.json: .*000000000005"):
        desk.ledger.verify()


def test_requests_are_found_by_a_unique_beginning(desk: Desk) -> None:
    """A few digits are enough; an ambiguous or unknown beginning is an error."""
    requests = [desk.submit(f"c{number}") for number in range(17)]
    beginnings = {request.id[0] for request in requests}
    doubled = next(b for b in beginnings if sum(r.id[0] == b for r in requests) > 1)

    assert desk.gate.process(requests[0].id[:12], now=NOW).id == requests[0].id
    with pytest.raises(RequestError, match="is the beginning of"):
        desk.gate.process(doubled, now=NOW)
    for unknown in ("zz", "", "../x"):
        with pytest.raises(UnknownModelError, match="there is no request"):
            desk.gate.process(unknown, now=NOW)


def test_a_collection_during_a_run_makes_it_start_again(desk: Desk) -> None:
    """The gate's attempt was fenced before it was recorded: it copies again under another."""
    request = desk.submit("one")
    attempts = iter(["first", "second"])

    def process(store: ObjectStore) -> PromotionRequest:
        gate = Gate(store, desk.home, new_attempt=lambda: next(attempts))
        return gate.process(request.id, now=NOW)

    processing = steps(process)
    call = processing.send(None)
    while not (call[0] == "create" and "/log/" in call[1][0]):
        call = processing.send(perform(desk.store, call))
    collected = gc(desk.ledger, actor="eve", now=NOW)
    finish(desk.store, processing, call)

    assert collected.attempts == ("first",)
    assert [version.attempt for version in desk.state.versions.values()] == ["second"]
    desk.ledger.verify()


@pytest.mark.skipif(not ssh.is_available(), reason="ssh-keygen is not installed")
def test_a_signed_approval_must_be_by_an_allowed_key(desk: Desk, tmp_path: Path) -> None:
    """With ratified signers a stranger's signature is refused, and the right one is proof."""
    lines = []
    for name in ("bob", "eve"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True
        )
        kind, public, _ = (tmp_path / f"{name}.pub").read_text().split()
        lines.append(f"{name} {kind} {public}")
    ratify_signers(
        desk.ledger,
        "\n".join(lines).encode(),
        author="eve",
        approver="ada",
        reason="the team",
        now=NOW,
    )
    request = desk.process(desk.submit("one"))
    with pytest.raises(RequestError, match="not by a key that the ratified signers allow bob"):
        desk.approve(request, "bob", sign=partial(ssh.sign, key=tmp_path / "eve"))
    promoted = desk.approve(request, "bob", sign=partial(ssh.sign, key=tmp_path / "bob"))

    assert promoted.outcome == "promoted"
    assert [each.proof for each in desk.ledger.verify().approvals] == ["proven"]


def test_packages_of_an_empty_ledger_are_of_a_first_model(desk: Desk) -> None:
    """The builder's evidence is true of the ledger it is made for."""
    files = make_package(desk.state, "one", run="run-1")

    assert Decision.from_bytes(files["decision.json"], name="d").levels["production"] == "none"
