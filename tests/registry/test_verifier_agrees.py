"""What a reader of ours refuses, the bundle's verifier refuses too, and neither refuses more."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.errors import RegistryError
from modelwarrant.registry import Signer
from modelwarrant.registry.evidence import evidence_files
from modelwarrant.registry.fold import accept
from modelwarrant.registry.names import person_of
from modelwarrant.registry.payloads import Abort, Keys, Rollback, Tombstone
from modelwarrant.registry.verify_bundle import main
from modelwarrant.registry.verify_bundle import person_of as as_verified
from tests.registry.test_evidence_bundle import said, summed, written
from tests.registry.world import (
    MODEL,
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

MACHINE = "system:serviceaccount:kubeflow:runner"


@cache
def begun(mode: str) -> Scribe:
    """One version in production, one decided on, one not; a REJECT; a closed attempt.

    On a cluster the decision waits that a machine asked for.
    """
    scribe = Scribe(MemoryStore())
    scribe.begin(mode)
    scribe.promote("run-1", "bob")
    scribe.decide("run-2", None, verdict="REJECT")
    requester = MACHINE if mode == "cluster" else "ada"
    scribe.decide("run-3", scribe.register("run-3"), verdict="NEEDS_APPROVAL", requester=requester)
    scribe.register("run-4")
    scribe.append(Abort(attempt="gone", reason="r"), "fence")
    scribe.ratify(b"signers", "signers", request="ask-signers")
    return scribe


FIRST, PROMOTED, REJECTED, THIRD, DECIDED, FOURTH = 3, 4, 6, 7, 8, 9
"""Version 1, its decision, the REJECT, version 3, its decision, version 4."""

Making = tuple[str, Callable[[Scribe], dict[str, Any]]]


def dumped(op: str, make: Callable[[Scribe], Any], **changes: Any) -> Making:
    """A payload as an entry holds it, some of its fields changed past every check."""
    return op, lambda scribe: {**make(scribe).model_dump(mode="json"), **changes}


def promoting(*approvers: str, decided: int = DECIDED, **changes: Any) -> Making:
    """A promotion with these approvals; ``use`` changes each of them."""
    use = changes.pop("use", {})

    def make(scribe: Scribe) -> dict[str, Any]:
        uses = [approval(scribe.ledger, decided, name, **use) for name in approvers]
        payload = promotion(scribe.ledger, decided, approvals=tuple(uses))
        return {**payload.model_dump(mode="json"), **changes}

    return "promote", make


def deciding(version: int | None, run: str = "run-4", **changes: Any) -> Making:
    """A decision."""
    return dumped(
        "decide", lambda scribe: decision(scribe.store, scribe.ledger, run, version), **changes
    )


def registering(run: str = "run-9", attempt: str = "new", **changes: Any) -> Making:
    """A registration."""
    return dumped("register", lambda scribe: registration(scribe.store, run, attempt), **changes)


def ratifying(**changes: Any) -> Making:
    """A ratification."""
    return dumped("ratify", lambda scribe: ratification(scribe.store, b"other"), **changes)


def own_key(scribe: Scribe) -> Any:
    """The only key in force."""
    return scribe.signer.public


STRANGER = Signer.generate().public
BAD_KEY = {"id": digest("x"), "public": STRANGER.public}

LEGAL: dict[str, Making] = {
    "a key": dumped("keys", lambda scribe: Keys(add=(STRANGER,))),
    "a registration": registering(),
    "a decision": deciding(FOURTH),
    "a HOLD on anything": deciding(None, "run-8", verdict="HOLD", baseline_digest=digest("x")),
    "a promotion": promoting("bob", "eve"),
    "an act": dumped("act", lambda scribe: action("x")),
    "an abort": dumped("abort", lambda scribe: Abort(attempt="orphan", reason="r")),
    "a tombstone": dumped("tombstone", lambda scribe: Tombstone(version=FOURTH, reason="r")),
    "a ratification": ratifying(),
}
ILLEGAL: dict[str, Making] = {
    "a second beginning": ("genesis", lambda s: {"mode": "laptop", "keys": [dict(own_key(s))]}),
    "no change of keys": dumped("keys", lambda scribe: Keys()),
    "a key that is in force": dumped("keys", lambda scribe: Keys(add=(own_key(scribe),))),
    "a key twice": dumped("keys", lambda scribe: Keys(add=(STRANGER, STRANGER))),
    "a key under another id": ("keys", lambda scribe: {"add": [BAD_KEY], "remove": []}),
    "a stranger's key removed": dumped("keys", lambda scribe: Keys(remove=(STRANGER.id,))),
    "the last key removed": dumped("keys", lambda scribe: Keys(remove=(own_key(scribe).id,))),
    "a run's second version": registering("run-1"),
    "a closed attempt's version": registering(attempt="gone"),
    "another model than its blob": registering(digest=digest("x")),
    "a run's second decision": deciding(THIRD, "run-3"),
    "a closed attempt's decision": deciding(FOURTH, attempt="gone"),
    "another decision than its blob": deciding(FOURTH, decision_digest=digest("x")),
    "a decision on no version": deciding(99),
    "a decision on another run's version": deciding(
        THIRD, candidate_digest=digest("model of run-3")
    ),
    "a decision on another model": deciding(FOURTH, candidate_digest=digest("x")),
    "a PROMOTE without a version": deciding(None),
    "an old baseline": deciding(FOURTH, baseline_digest=None),
    "an old policy": deciding(FOURTH, policy_digest=digest("x")),
    "an unknown verdict": deciding(FOURTH, verdict="MAYBE"),
    "a promotion on no decision": promoting("bob", "eve", decision=99),
    "a promotion on a REJECT": promoting("bob", "eve", decision=REJECTED),
    "a promotion of another version": promoting("bob", "eve", version=FOURTH),
    "a second promotion": promoting("carl", "eve", decided=PROMOTED),
    "a promotion for another request": promoting("bob", "eve", attempt="other"),
    "a promotion without approvals": promoting(),
    "one person twice": promoting("bob", "B\u043eb"),
    "an approval of another candidate": promoting(
        "bob", "eve", use={"candidate_digest": digest("x")}
    ),
    "an approval of other evidence": promoting("bob", "eve", use={"evidence_digest": digest("x")}),
    "an approval on another baseline": promoting("bob", "eve", use={"baseline_digest": None}),
    "an approval by another policy": promoting("bob", "eve", use={"policy_digest": digest("x")}),
    "an approval of another request": promoting("bob", "eve", use={"request": "x"}),
    "an approval for somebody else": promoting("bob", "eve", use={"requester": "x"}),
    "two approvals by one name": promoting("bob", "eve", use={"uid": "same"}),
    "an approval that was used": promoting("bob", "eve", use={"uid": "ask-run-1:bob"}),
    "self-approval, unmarked": promoting("ada", "eve", use={"self_approved": False}),
    "self-approval under a look-alike": promoting("\u0430da", "eve", use={"self_approved": False}),
    "another's approval as one's own": promoting("bob", "eve", use={"self_approved": True}),
    "a rollback to what was never there": dumped(
        "rollback", lambda scribe: Rollback(to=FOURTH, reason="r", actor="ada")
    ),
    "a rollback to what is there": dumped(
        "rollback", lambda scribe: Rollback(to=FIRST, reason="r", actor="ada")
    ),
    "a closed attempt's act": dumped("act", lambda scribe: action("x"), attempt="gone"),
    "evidence without a place": dumped(
        "act",
        lambda scribe: action("x"),
        blobs=[{"name": "a", "digest": digest("a"), "size": 1}],
    ),
    "a tombstone on production": dumped(
        "tombstone", lambda scribe: Tombstone(version=FIRST, reason="r")
    ),
    "a tombstone on nothing": dumped("tombstone", lambda s: Tombstone(version=99, reason="r")),
    "a second fence": dumped("abort", lambda scribe: Abort(attempt="gone", reason="r")),
    "a fence around an entry": dumped("abort", lambda s: Abort(attempt="at-run-1", reason="r")),
    "a fence around a promotion": dumped("abort", lambda s: Abort(attempt="ask-run-1", reason="r")),
    "another policy than its blob": ratifying(digest=digest("x")),
    "a policy without a blob": ratifying(blobs=[]),
    "one's own policy, unmarked": ratifying(author="Ada"),
    "one's own policy under a look-alike": ratifying(author="\u0430da"),
    "an answer that was used": ratifying(request="ask-signers"),
    "neither policy nor signers": ratifying(kind="other"),
    "a closed attempt's policy": ratifying(attempt="gone"),
    "a newer schema": ("upgrade", lambda scribe: {"to_schema": 2}),
    "a field too many": dumped("act", lambda scribe: action("x"), more=1),
    "a truth value for a version": dumped(
        "tombstone", lambda scribe: Tombstone(version=FOURTH, reason="r"), version=True
    ),
    "a text for a version": dumped(
        "tombstone", lambda scribe: Tombstone(version=FOURTH, reason="r"), version="9"
    ),
}
ON_A_CLUSTER: dict[str, tuple[Making, bool]] = {
    "two persons": (promoting("bob", "eve"), True),
    "one person, where nobody asked": (promoting("bob"), False),
    "one person and a machine": (promoting("bob", "system:node:n"), False),
    "a person twice, where nobody asked": (promoting("bob", "bob\u200b"), False),
    "the machine that asked": (promoting("bob", MACHINE), False),
    "a policy that its author ratifies": (ratifying(author="ada", self_approved=True), False),
    "a policy that somebody ratifies": (ratifying(), True),
}


def forged(scribe: Scribe, op: str, payload: dict[str, Any], **changes: Any) -> bytes:
    """A well-chained entry, signed by the key in force, whatever it says."""
    state = scribe.ledger.state()
    entry = {
        "schema_version": 1,
        "model": MODEL,
        "seq": state.seq + 1,
        "prev": state.head,
        "op": op,
        "txn": "forged",
        "actor": "eve",
        "time": "2026-03-01T12:00:00.000Z",
        "payload": payload,
        "key": scribe.signer.public.id,
        **changes,
    }
    return canonical_json({**entry, "signature": scribe.signer.sign(canonical_json(entry))})


def is_taken(scribe: Scribe, data: bytes) -> bool:
    """Whether a reader of ours takes an entry in."""
    try:
        accept(scribe.ledger.state(), data, digest=digest_bytes(data), pinned_genesis=None)
    except RegistryError as error:
        assert "000000000012.json" in str(error)
        return False
    return True


def is_verified(
    scribe: Scribe, data: bytes, folder: Path, capsys: pytest.CaptureFixture[str]
) -> bool:
    """Whether the bundle's verifier takes it in."""
    files = dict(bundle(scribe))
    about = json.loads(files["bundle.json"]) | {"head": digest_bytes(data)}
    entry = {"ledger/000000000012.json": data, "bundle.json": canonical_json(about)}
    blobs = json.loads(data)["payload"].get("blobs", []) if b'"op":"ratify"' in data else []
    attempt = json.loads(data)["payload"].get("attempt")
    for blob in blobs:
        found = scribe.store.get(f"m/{MODEL}/blob/{attempt}/{blob['digest'][7:]}")
        entry[f"documents/000000000012/{blob['name']}"] = found or b""
    heard = said(capsys, written(summed(files | entry), folder))
    assert heard.startswith("verified") or "NOT VERIFIED: ledger/000000000012.json" in heard, heard
    return heard.startswith("verified")


@cache
def bundle(scribe: Scribe) -> dict[str, bytes]:
    """The legal ledger's bundle."""
    return evidence_files(scribe.ledger, FIRST)


@pytest.mark.parametrize("what", LEGAL)
def test_what_is_legal_is_taken_by_both(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each operation, as a writer makes it."""
    scribe, (op, make) = begun("laptop"), LEGAL[what]
    data = forged(scribe, op, make(scribe))

    assert is_taken(scribe, data)
    assert is_verified(scribe, data, tmp_path, capsys)


@pytest.mark.parametrize("what", ILLEGAL)
def test_what_is_illegal_is_refused_by_both(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Signed by a key in force, chained as it should be, and wrong."""
    scribe, (op, make) = begun("laptop"), ILLEGAL[what]
    data = forged(scribe, op, make(scribe))

    assert not is_taken(scribe, data)
    assert not is_verified(scribe, data, tmp_path, capsys)


@pytest.mark.parametrize("what", ON_A_CLUSTER)
def test_both_know_a_clusters_rules(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two persons where nobody asked, no machine, nobody's own policy."""
    scribe, ((op, make), expected) = begun("cluster"), ON_A_CLUSTER[what]
    data = forged(scribe, op, make(scribe))

    assert expected == is_taken(scribe, data)
    assert expected == is_verified(scribe, data, tmp_path, capsys)


@pytest.mark.parametrize(
    "changes",
    [
        {"txn": "run-1/promote"},
        {"seq": True},
        {"seq": 13},
        {"model": "other"},
        {"schema_version": 2},
        {"schema_version": True},
        {"key": digest("x")},
        {"prev": digest("x")},
        {"more": 1},
        {"actor": 7},
        {"time": "yesterday"},
        {"time": "2026-02-30T12:00:00.000Z"},
    ],
)
def test_an_odd_frame_is_refused_by_both(
    changes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands around the payload is checked as strictly."""
    scribe = begun("laptop")
    data = forged(scribe, "act", action("x").model_dump(mode="json"), **changes)

    assert not is_taken(scribe, data)
    assert not is_verified(scribe, data, tmp_path, capsys)


@settings(max_examples=200, deadline=None)
@given(name=st.text(max_size=12))
@example("\u0410\u043d\u043d\u0430")
@example("\uff21\uff24\uff21\u3164\u200d \u00a0x")
def test_names_are_compared_alike(name: str) -> None:
    """The verifier's reading of a name is ours, and is stable under another case."""
    assert person_of(name) == as_verified(name)
    assert person_of(person_of(name)) == person_of(name)


def test_the_verifier_needs_no_argument(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A folder that holds no bundle is one line and exit code 1."""
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith("NOT VERIFIED: it cannot be read")
