"""Approvals signed with SSH keys: proven, asserted, or forged."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import IllegalOperationError, RegistryError, TamperedError
from modelwarrant.registry import statement
from modelwarrant.registry.approvals import ratified
from modelwarrant.registry.payloads import ApprovalUse, Ratify
from modelwarrant.registry.ssh import is_available, is_signed, sign
from tests.registry.world import MODEL, MemoryStore, Scribe, approval, promotion, ratification

pytestmark = pytest.mark.skipif(not is_available(), reason="ssh-keygen is not installed")

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def key(tmp_path: Path) -> Callable[[str], Path]:
    """Make a key pair of that name."""

    def make(name: str) -> Path:
        path = tmp_path / name
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True
        )
        return path

    return make


def allowed(name: str, key: Path, options: str = "") -> bytes:
    """A line of an allowed-signers file."""
    kind, public, _ = key.with_suffix(".pub").read_text().split()
    return f"{name} {options}{' ' if options else ''}{kind} {public}\n".encode()


def approved(scribe: Scribe, run: str, sign_with: Path | None) -> ApprovalUse:
    """Register, decide and promote with Bob's approval; return it."""
    version = scribe.register(run)
    seq = scribe.decide(run, version, verdict="NEEDS_APPROVAL").seq
    use = approval(scribe.ledger, seq, "bob")
    if sign_with is not None:
        use = use.model_copy(update={"signature": sign(stated(use), key=sign_with)})
    scribe.append(promotion(scribe.ledger, seq, approvals=(use,)), f"{run}/promote")
    return use


def stated(use: ApprovalUse) -> bytes:
    """What Bob signs."""
    return statement(
        request=use.request,
        model=MODEL,
        candidate_digest=use.candidate_digest,
        baseline_digest=use.baseline_digest,
        evidence_digest=use.evidence_digest,
        policy_digest=use.policy_digest,
        verdict="Approved",
        approver=use.approver,
        reason=use.reason,
        time=use.time,
    )


def signed_ratification(
    scribe: Scribe, key: Path, policy: bytes, *, at: str = "2026-03-01T12:00:00.000Z"
) -> Ratify:
    """A policy that Bob ratifies with a key, as the terminal makes it; not yet in the ledger."""
    payload = ratification(
        scribe.store, policy, approver="bob", request=f"ratify-{policy[-9:-2].hex()}", answered=at
    )
    return payload.model_copy(update={"signature": sign(ratified(MODEL, payload), key=key)})


def ratify_signed(scribe: Scribe, key: Path, policy: bytes, **changes: str) -> None:
    """Put a policy in force with Bob's signature."""
    scribe.append(signed_ratification(scribe, key, policy, **changes), digest_bytes(policy))


def ratifications(scribe: Scribe) -> list[str]:
    """How each of Bob's ratifications is proven."""
    found = scribe.ledger.verify().ratifications
    return [each.proof for each in found if each.approver == "bob"]


def proofs(scribe: Scribe) -> list[str]:
    """How each approval in the ledger is proven."""
    return [each.proof for each in scribe.ledger.verify().approvals]


def test_a_signature_holds_for_its_statement_and_signer(key: Callable[[str], Path]) -> None:
    """Another text, another person, another key or a broken armor do not."""
    bob, eve = key("bob"), key("eve")
    signers = allowed("bob", bob) + allowed("eve", eve)
    signature = sign(b"text", key=bob)

    assert is_signed(b"text", signature, signer="bob", allowed_signers=signers, at=NOW)
    for text, signed, who in (
        (b"other", signature, "bob"),
        (b"text", signature, "eve"),
        (b"text", sign(b"text", key=eve), "bob"),
        (b"text", "broken", "bob"),
    ):
        assert not is_signed(text, signed, signer=who, allowed_signers=signers, at=NOW)


def test_a_signature_for_another_program_does_not_count(
    key: Callable[[str], Path], tmp_path: Path
) -> None:
    """The namespace keeps a signed file or commit from being an approval."""
    bob = key("bob")
    (tmp_path / "text").write_bytes(b"text")
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", bob, tmp_path / "text"], check=True
    )
    foreign = (tmp_path / "text.sig").read_text()

    assert not is_signed(
        b"text", foreign, signer="bob", allowed_signers=allowed("bob", bob), at=NOW
    )


def test_a_key_that_is_no_key_is_named(tmp_path: Path) -> None:
    """Signing with what is not there says so."""
    with pytest.raises(RegistryError, match="absent did not sign"):
        sign(b"text", key=tmp_path / "absent")


def test_a_signed_approval_is_proven(scribe: Scribe, key: Callable[[str], Path]) -> None:
    """With ratified signers a right signature is proof; without one it stays an assertion."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    approved(scribe, "run-1", bob)
    approved(scribe, "run-2", None)

    assert proofs(scribe) == ["proven", "asserted"]


def test_a_signature_before_any_signers_is_unverifiable(
    scribe: Scribe, key: Callable[[str], Path]
) -> None:
    """Nobody said whose key it is; a list ratified later does not reach back."""
    bob = key("bob")
    approved(scribe, "run-1", bob)
    scribe.ratify(allowed("bob", bob), "signers")

    assert proofs(scribe) == ["unverifiable"]


def test_a_key_retired_later_leaves_its_approvals_valid(
    scribe: Scribe, key: Callable[[str], Path]
) -> None:
    """The signers in force when an approval was used judge it."""
    bob, new = key("bob"), key("new")
    scribe.ratify(allowed("bob", bob), "signers")
    approved(scribe, "run-1", bob)
    scribe.ratify(allowed("bob", new), "signers")
    approved(scribe, "run-2", new)

    assert proofs(scribe) == ["proven", "proven"]


def test_a_key_counts_while_it_is_valid(scribe: Scribe, key: Callable[[str], Path]) -> None:
    """An allowed-signers file may end a key's time; an approval within it stays proven."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob, 'valid-before="20270101Z"'), "signers")
    approved(scribe, "run-1", bob)

    assert proofs(scribe) == ["proven"]


def test_an_approval_with_a_wrong_signature_is_named(
    scribe: Scribe, memory: MemoryStore, key: Callable[[str], Path]
) -> None:
    """A signature by somebody else's key is not an assertion but a forgery."""
    bob, eve = key("bob"), key("eve")
    scribe.ratify(allowed("bob", bob), "signers")
    approved(scribe, "run-1", eve)

    with pytest.raises(TamperedError, match=r"000000000006\.json: the approval of bob"):
        proofs(scribe)


def test_a_signed_ratification_is_proven(scribe: Scribe, key: Callable[[str], Path]) -> None:
    """By the list in force before it; one without a signature is asserted."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    ratify_signed(scribe, bob, b'{"policy":"one"}')
    scribe.ratify(b'{"policy":"two"}', approver="bob")

    assert ratifications(scribe) == ["proven", "asserted"]


def test_a_retired_key_leaves_its_ratifications_valid(
    scribe: Scribe, key: Callable[[str], Path]
) -> None:
    """Off the list, or past its time: what it signed before stays proven."""
    bob, new = key("bob"), key("new")
    scribe.ratify(allowed("bob", bob, 'valid-before="20260302Z"'), "signers")
    ratify_signed(scribe, bob, b'{"policy":"one"}')
    scribe.ratify(allowed("bob", new), "signers")
    ratify_signed(scribe, new, b'{"policy":"two"}')

    assert ratifications(scribe) == ["proven", "proven"]


@pytest.mark.parametrize(
    ("options", "signer"),
    [('valid-before="20260228Z"', "bob"), ("", "eve"), ('namespaces="git"', "bob")],
)
def test_a_ratification_with_a_wrong_signature_is_named(
    scribe: Scribe, key: Callable[[str], Path], options: str, signer: str
) -> None:
    """An expired key, somebody else's, one for another program."""
    keys = {name: key(name) for name in ("bob", "eve")}
    scribe.ratify(allowed("bob", keys["bob"], options), "signers")
    ratify_signed(scribe, keys[signer], b'{"policy":"one"}')

    with pytest.raises(TamperedError, match=r"000000000004\.json: the approval of bob"):
        ratifications(scribe)


def test_a_ratification_is_used_once(scribe: Scribe, key: Callable[[str], Path]) -> None:
    """Whoever holds the ledger's key cannot put an old policy back under an old signature."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    payload = signed_ratification(scribe, bob, b'{"policy":"one"}')
    scribe.append(payload, "first")
    scribe.ratify(b'{"policy":"two"}')

    with pytest.raises(IllegalOperationError, match=r"the answer of bob to .* was used before"):
        scribe.append(payload, "again")


def test_a_signed_ratification_names_request_and_time(scribe: Scribe) -> None:
    """Else nobody could say what was signed."""
    with pytest.raises(ValueError, match="names its request and its time"):
        ratification(scribe.store, b"x", signature="s", request="r")


@pytest.mark.parametrize(
    ("said", "proven"), [("2026-02-20T12:00:00.000Z", False), ("2026-03-01T12:00:00.000Z", True)]
)
def test_no_approval_is_older_than_what_it_approves(
    scribe: Scribe, key: Callable[[str], Path], said: str, proven: bool
) -> None:
    """A key that expired before the decision is not revived by a clock that was set back."""
    bob = key("bob")
    end = "20260302Z" if proven else "20260228Z"
    scribe.ratify(allowed("bob", bob, f'valid-before="{end}"'), "signers")
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version, verdict="NEEDS_APPROVAL").seq
    use = approval(scribe.ledger, seq, "bob", time=said)
    use = use.model_copy(update={"signature": sign(stated(use), key=bob)})
    scribe.append(promotion(scribe.ledger, seq, approvals=(use,)), "run-1/promote")

    if proven:
        assert proofs(scribe) == ["proven"]
    else:
        with pytest.raises(TamperedError, match="the approval of bob"):
            proofs(scribe)


def test_the_time_of_an_approval_is_signed(scribe: Scribe, key: Callable[[str], Path]) -> None:
    """The ledger's writer cannot move an approval to a time at which its key was valid."""
    bob = key("bob")
    scribe.ratify(allowed("bob", bob), "signers")
    version = scribe.register("run-1")
    seq = scribe.decide("run-1", version, verdict="NEEDS_APPROVAL").seq
    use = approval(scribe.ledger, seq, "bob")
    signature = sign(stated(use), key=bob)
    moved = use.model_copy(update={"signature": signature, "time": "2026-03-02T12:00:00.000Z"})
    scribe.append(promotion(scribe.ledger, seq, approvals=(moved,)), "run-1/promote")

    with pytest.raises(TamperedError, match="the approval of bob"):
        proofs(scribe)
