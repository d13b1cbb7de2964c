"""What exactly does a person sign, and is it proven who approved?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from modelwarrant.canonical import canonical_json
from modelwarrant.errors import TamperedError
from modelwarrant.records import LedgerEntry, Verdict
from modelwarrant.registry import ssh
from modelwarrant.registry.blobs import read_blob
from modelwarrant.registry.layout import log_key
from modelwarrant.registry.payloads import ApprovalUse, Promote, parse_payload
from modelwarrant.registry.state import Ratified, State
from modelwarrant.storage import ObjectStore

__all__ = ["ApprovalProof", "Proof", "allowed_signers", "prove_approvals", "statement"]

Proof = Literal["proven", "asserted", "unverifiable"]
"""``asserted``: no signature. ``unverifiable``: signed, but no signers were ratified or there is no
ssh-keygen here. A signature that is wrong is no proof but a TamperedError."""


@dataclass(frozen=True)
class ApprovalProof:
    """How one used approval is proven."""

    seq: int
    """The promote entry that used it."""
    approver: str
    proof: Proof
    self_approved: bool


def statement(
    *,
    request: str,
    model: str,
    candidate_digest: str | None,
    baseline_digest: str | None,
    evidence_digest: str | None,
    policy_digest: str | None,
    verdict: Verdict | Literal["Approved", "Rejected", "Ratified"],
    approver: str,
    reason: str,
) -> bytes:
    """Return the canonical bytes that an answer or a ratification is signed over."""
    return canonical_json(
        {
            "statement": "modelwarrant approval v1",
            "request": request,
            "model": model,
            "candidate_digest": candidate_digest,
            "baseline_digest": baseline_digest,
            "evidence_digest": evidence_digest,
            "policy_digest": policy_digest,
            "verdict": verdict,
            "approver": approver,
            "reason": reason,
        }
    )


def allowed_signers(store: ObjectStore, model: str, signers: Ratified) -> bytes:
    """Return the ratified allowed-signers file."""
    return read_blob(store, model, signers.attempt, signers.blobs[0])


def prove_approvals(
    store: ObjectStore, entry: LedgerEntry, before: State
) -> Iterator[ApprovalProof]:
    """Say of each approval that an entry uses how it is proven.

    It is judged by the signers in force when it was used: a key retired later leaves its old
    approvals valid.

    Args:
        store: holds the signers' file.
        entry: of any operation.
        before: the state before it.

    Raises:
        TamperedError: an approval's signature is not by an allowed key of its approver.
    """
    if entry.op != "promote":
        return
    payload = parse_payload("promote", entry.payload, name=log_key(entry.model, entry.seq))
    if isinstance(payload, Promote):
        for use in payload.approvals:
            proof = _proof(store, entry, before, use)
            yield ApprovalProof(entry.seq, use.approver, proof, use.self_approved)


def _proof(store: ObjectStore, entry: LedgerEntry, state: State, use: ApprovalUse) -> Proof:
    if use.signature is None:
        return "asserted"
    if state.signers is None or not ssh.is_available():
        return "unverifiable"
    signed = statement(
        request=use.request,
        model=entry.model,
        candidate_digest=use.candidate_digest,
        baseline_digest=use.baseline_digest,
        evidence_digest=use.evidence_digest,
        policy_digest=use.policy_digest,
        verdict="Approved",
        approver=use.approver,
        reason=use.reason,
    )
    if not ssh.is_signed(
        signed,
        use.signature,
        signer=use.approver,
        allowed_signers=allowed_signers(store, entry.model, state.signers),
        at=datetime.fromisoformat(use.time),
    ):
        raise TamperedError(
            f"{log_key(entry.model, entry.seq)}: the approval of {use.approver} has a signature "
            "that no allowed key of that person made"
        )
    return "proven"
