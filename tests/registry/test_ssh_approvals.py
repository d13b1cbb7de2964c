"""Approvals signed with SSH keys: proven, asserted, or forged."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelwarrant.errors import RegistryError, TamperedError
from modelwarrant.registry import statement
from modelwarrant.registry.payloads import ApprovalUse
from modelwarrant.registry.ssh import is_available, is_signed, sign
from tests.registry.world import MODEL, MemoryStore, Scribe, approval, promotion

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
    )


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
