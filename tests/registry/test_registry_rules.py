"""What the log allows: every operation, legal and illegal."""

from collections.abc import Callable
from typing import Any

import pytest

from modelwarrant.errors import IllegalOperationError, RecordError
from modelwarrant.registry import Ledger, Signer
from modelwarrant.registry.payloads import (
    Abort,
    Genesis,
    Keys,
    Payload,
    Rollback,
    Tombstone,
    Upgrade,
    parse_payload,
)
from tests.registry.world import (
    MODEL,
    NOW,
    MemoryStore,
    Scribe,
    action,
    approval,
    decision,
    digest,
    promotion,
    ratification,
    registration,
)


def refused(scribe: Scribe, payload: Payload, match: str) -> None:
    """The operation is refused, and leaves no entry."""
    before = dict(scribe.store.objects)  # type: ignore[attr-defined] # a MemoryStore
    with pytest.raises(IllegalOperationError, match=match):
        scribe.append(payload, "refused")

    assert before == scribe.store.objects  # type: ignore[attr-defined] # a MemoryStore


def test_nothing_comes_before_the_first_entry(memory: MemoryStore) -> None:
    """A model without a ledger takes no other operation."""
    refused(Scribe(memory), action("early"), "has no ledger yet")


def test_there_is_one_first_entry(scribe: Scribe) -> None:
    """A ledger is not begun twice."""
    refused(scribe, Genesis(mode="laptop", keys=(scribe.signer.public,)), "already has a ledger")


def test_a_key_that_is_not_in_force_signs_nothing(scribe: Scribe, memory: MemoryStore) -> None:
    """Another laptop is told which key somebody must add."""
    other = Scribe(memory)

    refused(other, action("x"), f"your key {other.signer.public.id} is not in force")


def test_another_laptop_joins_and_leaves(scribe: Scribe, memory: MemoryStore) -> None:
    """A key in force adds another, which may then sign, and removes it again."""
    other = Scribe(memory)
    scribe.append(Keys(add=(other.signer.public,)), "join")
    other.act("hello")
    scribe.append(Keys(remove=(other.signer.public.id,)), "leave")

    refused(other, action("x"), "is not in force")


@pytest.mark.parametrize(
    ("payload", "match"),
    [
        (lambda key, new: Keys(), "no key to add or remove"),
        (lambda key, new: Keys(add=(key,)), "in force already"),
        (lambda key, new: Keys(add=(new, new)), "added twice"),
        (lambda key, new: Keys(remove=(new.id,)), "not in force"),
        (lambda key, new: Keys(remove=(key.id,)), "last key"),
    ],
)
def test_odd_changes_of_keys_are_refused(
    scribe: Scribe, payload: Callable[[Any, Any], Keys], match: str
) -> None:
    """Keys are added and removed once, and one always stays."""
    refused(scribe, payload(scribe.signer.public, Signer.generate().public), match)


def test_a_run_has_one_version(scribe: Scribe, memory: MemoryStore) -> None:
    """A second registration of the same run is refused."""
    version = scribe.register("run-1")

    refused(scribe, registration(memory, "run-1", "other"), f"run-1 has version {version} already")


def test_a_model_that_is_not_among_the_blobs_is_refused(
    scribe: Scribe, memory: MemoryStore
) -> None:
    """A version's digest is that of the model it keeps."""
    payload = registration(memory, "run-1", "at-1")

    refused(scribe, payload.model_copy(update={"digest": digest("x")}), "model.onnx is sha256")


def test_a_fenced_attempt_registers_nothing(scribe: Scribe, memory: MemoryStore) -> None:
    """After the fence a registration of that attempt comes too late."""
    payload = registration(memory, "run-1", "at-1")
    scribe.append(Abort(attempt="at-1", reason="gone"), "fence")

    refused(scribe, payload, "attempt at-1 was closed")


def test_a_named_attempt_is_not_fenced(scribe: Scribe) -> None:
    """What an entry names cannot be collected."""
    scribe.register("run-1")

    refused(scribe, Abort(attempt="at-run-1", reason="gone"), "is in the ledger")


def test_an_attempt_is_fenced_once(scribe: Scribe) -> None:
    """A second fence says nothing new."""
    scribe.append(Abort(attempt="at-1", reason="gone"), "fence")

    refused(scribe, Abort(attempt="at-1", reason="gone"), "closed already")


def test_a_run_is_decided_once(scribe: Scribe, memory: MemoryStore) -> None:
    """A second decision on the same run is refused."""
    scribe.decide("run-1", None, verdict="HOLD")
    payload = decision(memory, scribe.ledger, "run-1", None, verdict="REJECT", request="other")

    refused(scribe, payload, "run-1 was decided in entry 3")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"version": None}, "PROMOTE without a version"),
        ({"version": 99}, "no version 99"),
        ({"candidate_digest": digest("x")}, "decided was sha256"),
        ({"baseline_digest": digest("x")}, "in production is None"),
        ({"policy_digest": digest("x")}, "ratified is sha256"),
        ({"decision_digest": digest("x")}, "decision.json is sha256"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(
    scribe: Scribe, memory: MemoryStore, changes: dict[str, Any], match: str
) -> None:
    """A decision to promote is about a version, what is in production and the rule in force."""
    version = scribe.register("run-1")

    payload = decision(memory, scribe.ledger, "run-1", version)

    refused(scribe, payload.model_copy(update=changes), match)


def test_a_hold_may_be_about_anything(scribe: Scribe) -> None:
    """HOLD and REJECT are recorded whatever policy and production were."""
    scribe.decide("run-1", None, verdict="HOLD", policy_digest=digest("x"))
    scribe.decide("run-2", None, verdict="REJECT", baseline_digest=digest("y"))

    assert len(scribe.ledger.state().decisions) == 2


@pytest.mark.parametrize("verdict", ["HOLD", "REJECT"])
def test_a_failed_gate_cannot_be_approved(scribe: Scribe, verdict: str) -> None:
    """No approval turns HOLD or REJECT into a promotion."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version, verdict=verdict).seq

    refused(scribe, promotion(scribe.ledger, seq, ("bob",)), "cannot be approved into production")


def test_approvals_must_be_as_many_as_the_policy_asks(scribe: Scribe) -> None:
    """Two were asked for: one is not enough."""
    version = scribe.register("run-1")
    verdict = {"verdict": "NEEDS_APPROVAL", "approvals_required": 2}
    seq = scribe.decide("run-1", version, **verdict).seq

    refused(scribe, promotion(scribe.ledger, seq, ("bob",)), "1 of 2 approvals")
    scribe.append(promotion(scribe.ledger, seq, ("bob", "eve")), "enough")


def test_needs_approval_needs_one_whatever_the_record_says(scribe: Scribe) -> None:
    """A decision that asks for nobody still needs somebody."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version, verdict="NEEDS_APPROVAL", approvals_required=0).seq

    refused(scribe, promotion(scribe.ledger, seq), "0 of 1 approvals")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"candidate_digest": digest("x")}, "is for candidate_digest"),
        ({"baseline_digest": digest("x")}, "is for baseline_digest"),
        ({"evidence_digest": digest("x")}, "is for evidence_digest"),
        ({"policy_digest": digest("x")}, "is for policy_digest"),
        ({"request": "ask-other"}, "is for request"),
        ({"requester": "carl"}, "is for requester"),
        ({"self_approved": True}, "must be marked as one, and no other"),
        ({"approver": "Ada "}, "must be marked as one"),
    ],
)
def test_an_approval_holds_for_what_was_approved(
    scribe: Scribe, changes: dict[str, Any], match: str
) -> None:
    """Candidate, baseline, evidence, rule, request and person are those of the decision."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version, verdict="NEEDS_APPROVAL").seq
    use = approval(scribe.ledger, seq, "bob").model_copy(update=changes)
    payload = promotion(scribe.ledger, seq, approvals=(use,))

    refused(scribe, payload, match)


def test_an_approval_is_used_once(scribe: Scribe) -> None:
    """The uid of a used approval promotes nothing else."""
    scribe.promote("run-1", "bob")
    version = scribe.register("run-2")
    seq = scribe.decide("run-2", version, verdict="NEEDS_APPROVAL").seq

    refused(
        scribe,
        promotion(scribe.ledger, seq, ("bob",), by_bob={"uid": "ask-run-1:bob"}),
        "was used before",
    )


def test_one_person_is_one_approval(scribe: Scribe) -> None:
    """The same person under two uids or spellings does not count twice."""
    version = scribe.register("run-1")
    verdict = {"verdict": "NEEDS_APPROVAL", "approvals_required": 2}
    seq = scribe.decide("run-1", version, **verdict).seq

    refused(scribe, promotion(scribe.ledger, seq, ("bob", "Bob")), "stands twice")


def test_the_requester_approves_on_a_laptop_only(memory: MemoryStore) -> None:
    """A laptop's ledger takes a self-approval, a cluster's never."""
    for mode in ("laptop", "cluster"):
        scribe = Scribe(MemoryStore())
        scribe.begin(mode)
        version = scribe.register("run-1")
        seq = scribe.decide("run-1", version, verdict="NEEDS_APPROVAL").seq
        payload = promotion(scribe.ledger, seq, ("ada",))
        if mode == "laptop":
            scribe.append(payload, "promote")
        else:
            refused(scribe, payload, "on a laptop's ledger only")


def test_a_promotion_names_the_request_it_was_decided_for(scribe: Scribe) -> None:
    """Another request's decision is no authority, and a closed request promotes nothing."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version).seq

    refused(scribe, promotion(scribe.ledger, seq, attempt="other"), "decided for request")
    scribe.append(Abort(attempt="ask-run-1", reason="rejected"), "close")
    refused(scribe, promotion(scribe.ledger, seq), "its request was closed")


def test_a_decision_is_stale_after_another_promotion(scribe: Scribe) -> None:
    """What was decided against an earlier production promotes nothing."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version).seq
    scribe.promote("run-2")

    refused(scribe, promotion(scribe.ledger, seq), "production changed after")


def test_a_decision_is_stale_after_there_and_back_again(scribe: Scribe) -> None:
    """The same model is in production as when it was decided, but something happened between."""
    first = scribe.promote("run-1")
    version = scribe.register("run-3")
    seq = scribe.decide("run-3", version).seq
    scribe.promote("run-2")
    scribe.rollback(first)

    refused(scribe, promotion(scribe.ledger, seq), "production changed after")


def test_a_decision_is_stale_after_a_ratification(scribe: Scribe) -> None:
    """A newly ratified policy, were it the same, asks for a new decision."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version).seq
    scribe.append(ratification(scribe.store, b"{}"), "new rule")

    refused(scribe, promotion(scribe.ledger, seq), "a policy was ratified after")


def test_signers_do_not_make_a_decision_stale(scribe: Scribe) -> None:
    """A new list of signers is not a new rule."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version).seq
    scribe.ratify(b"ada ssh-ed25519 AAAA", "signers")
    scribe.append(promotion(scribe.ledger, seq), "promote")

    assert version == scribe.ledger.state().production


def test_a_former_production_version_is_rolled_back_to_not_promoted(scribe: Scribe) -> None:
    """The same version is promoted once."""
    scribe.promote("run-1")
    seq = scribe.ledger.state().version(3).decision

    refused(scribe, promotion(scribe.ledger, seq or 0), "was in production before")


def test_rollback_goes_to_former_production_versions_only(scribe: Scribe) -> None:
    """Not to one that was only registered, the present one, a barred or an unknown one."""
    first, second = scribe.promote("run-1"), scribe.promote("run-2")
    only_registered = scribe.register("run-3")
    third = scribe.promote("run-4")
    scribe.tombstone(first)

    for number, match in (
        (only_registered, "was never in production"),
        (third, "is in production already"),
        (first, "is tombstoned"),
        (99, "no version 99"),
    ):
        refused(scribe, Rollback(to=number, reason="r", actor="ada"), match)
    scribe.rollback(second)
    assert second == scribe.ledger.state().production


def test_an_unknown_version_is_answered_with_those_there_are(scribe: Scribe) -> None:
    """Versions are numbers of entries, so whoever guesses 1 is told which ones to name."""
    first, second = scribe.promote("run-1"), scribe.promote("run-2")

    refused(
        scribe,
        Rollback(to=99, reason="r", actor="ada"),
        f"no version 99; there are {first}, {second}",
    )


def test_a_tombstone_bars_a_version_but_not_production(scribe: Scribe) -> None:
    """What is in production is rolled back first; what is barred stays barred."""
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version).seq
    production = scribe.promote("run-2")
    scribe.tombstone(version)

    refused(scribe, promotion(scribe.ledger, seq), "is tombstoned")
    refused(scribe, Tombstone(version=version, reason="r"), "is tombstoned already")
    refused(scribe, Tombstone(version=production, reason="r"), "roll back first")


def test_somebody_else_ratifies(scribe: Scribe, memory: MemoryStore) -> None:
    """The author's own ratification must be marked, and counts on a laptop only."""
    refused(scribe, ratification(memory, b"1", author="ADA"), "somebody else must ratify it")
    scribe.append(ratification(memory, b"1", author="ada", self_approved=True), "self")
    cluster = Scribe(MemoryStore())
    cluster.append(Genesis(mode="cluster", keys=(cluster.signer.public,)), "genesis")

    refused(
        cluster,
        ratification(cluster.store, b"1", author="ada", self_approved=True),
        "for a laptop's ledger only",
    )


def test_a_ratified_digest_is_that_of_its_document(scribe: Scribe, memory: MemoryStore) -> None:
    """What is ratified is kept beside the log, whole."""
    refused(scribe, ratification(memory, b"1", digest=digest("x")), "the policy blob is")


def test_a_newer_schema_is_for_a_newer_program(scribe: Scribe) -> None:
    """This program does not promise what it cannot write."""
    refused(scribe, Upgrade(to_schema=2), "a newer modelwarrant may")


def test_an_operation_and_its_payload_belong_together(scribe: Scribe) -> None:
    """A payload is not recorded under another operation's name."""
    with pytest.raises(IllegalOperationError, match="no 'decide'"):
        scribe.ledger.append("decide", action("x"), txn="t", actor="ada", now=NOW)


@pytest.mark.parametrize(
    ("op", "value", "match"),
    [
        ("act", {"action": "none", "surprise": 1}, "surprise|evidence_digest"),
        ("act", {"action": "dance", "evidence_digest": digest("x"), "reason": "r"}, "action"),
        ("tombstone", {"version": 0, "reason": "r"}, "version"),
        ("abort", {"attempt": "../x", "reason": "r"}, "attempt"),
        ("rollback", {"to": 3, "reason": "", "actor": "ada"}, "reason"),
        ("keys", {"remove": ["sha256:12"]}, "remove"),
        (
            "keys",
            {"add": [{"id": digest("x"), "public": "AAAA"}]},
            "not the digest of the 32 key bytes",
        ),
        ("keys", {"add": [{"id": digest("x"), "public": "%"}]}, "not base64"),
    ],
)
def test_a_payload_is_taken_literally(op: Any, value: dict[str, Any], match: str) -> None:
    """Unknown fields, unknown values and malformed digests are refused by name."""
    with pytest.raises(RecordError, match=match):
        parse_payload(op, value, name="entry")


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", ".hidden", "a/b", ""])
def test_a_blob_has_a_safe_file_name(memory: MemoryStore, name: str) -> None:
    """Evidence is exported under these names, so they cannot leave a folder."""
    value = registration(memory, "run-1", "at-1").model_dump(mode="json")
    value["blobs"][0]["name"] = name

    with pytest.raises(RecordError, match="no safe file name"):
        parse_payload("register", value, name="entry")


def test_a_ledger_open_for_reading_writes_nothing(scribe: Scribe, memory: MemoryStore) -> None:
    """Without a key there is nothing to sign with."""
    from modelwarrant.errors import RegistryError

    with pytest.raises(RegistryError, match="open for reading only"):
        Ledger(memory, MODEL).append("act", action("x"), txn="t", actor="ada", now=NOW)


def test_the_longest_name_of_a_cluster_can_approve(scribe: Scribe) -> None:
    """A user name may have 253 characters there, and the request's id stands beside it."""
    name = "b" * 253
    version = scribe.promote("run-1", name, **{f"by_{name}": {"uid": f"{'r' * 80}:{name}"}})

    assert (name,) == scribe.ledger.state().version(version).approvers
