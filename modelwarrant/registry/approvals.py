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
from modelwarrant.registry.payloads import (
    ApprovalUse,
    Payload,
    Promote,
    Ratify,
    parse_payload,
)
from modelwarrant.registry.state import Ratified, State
from modelwarrant.storage import ObjectStore

__all__ = [
    "Answer",
    "ApprovalProof",
    "Proof",
    "allowed_signers",
    "answered_at",
    "is_signed_by_allowed",
    "prove_approvals",
    "ratification_statement",
    "ratified",
    "signed_statements",
    "statement",
]

Proof = Literal["proven", "asserted", "unverifiable"]
"""``asserted``: no signature. ``unverifiable``: signed, but no signers were ratified or there is no
ssh-keygen here. A signature that is wrong is no proof but a TamperedError."""

Answer = Literal["Approved", "Rejected"]


@dataclass(frozen=True)
class ApprovalProof:
    """How one approval in the ledger is proven."""

    seq: int
    """The entry that holds it: a promotion that used it, or a ratification."""
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
    verdict: Verdict | Answer,
    approver: str,
    reason: str,
    time: str,
) -> bytes:
    """Return the canonical bytes that an answer to a promotion is signed over."""
    return canonical_json(
        {
            "statement": "modelwarrant approval v2",
            "request": request,
            "model": model,
            "candidate_digest": candidate_digest,
            "baseline_digest": baseline_digest,
            "evidence_digest": evidence_digest,
            "policy_digest": policy_digest,
            "verdict": verdict,
            "approver": approver,
            "reason": reason,
            "time": time,
        }
    )


def ratification_statement(
    *,
    request: str,
    model: str,
    kind: str,
    digest: str,
    author: str,
    reason: str,
    verdict: Answer,
    approver: str,
    answer: str | None,
    answered: str,
) -> bytes:
    """Return the canonical bytes that a ratification, or a refusal of it, is signed over."""
    return canonical_json(
        {
            "statement": "modelwarrant ratification v2",
            "request": request,
            "model": model,
            "kind": kind,
            "digest": digest,
            "author": author,
            "reason": reason,
            "verdict": verdict,
            "approver": approver,
            "answer": answer,
            "answered": answered,
        }
    )


def ratified(model: str, payload: Ratify) -> bytes:
    """Return what the approver of a ratification has signed."""
    return ratification_statement(
        request=payload.request or "",
        model=model,
        kind=payload.kind,
        digest=payload.digest,
        author=payload.author,
        reason=payload.reason,
        verdict="Approved",
        approver=payload.approver,
        answer=payload.answer,
        answered=payload.answered or "",
    )


def allowed_signers(store: ObjectStore, model: str, signers: Ratified) -> bytes:
    """Return the ratified allowed-signers file."""
    return read_blob(store, model, signers.attempt, signers.blobs[0])


def is_signed_by_allowed(
    store: ObjectStore, state: State, said: bytes, signature: str, *, signer: str, at: str
) -> bool:
    """Return whether a key that the signers in force allow this person signed a statement.

    Args:
        store: holds the signers' file.
        state: signers must be ratified in it.
        said: the statement.
        signature: armored.
        signer: who is said to have signed.
        at: when, as ``utc_text`` writes it; the key must have been valid then.

    Raises:
        RegistryError: ssh-keygen is missing.
    """
    assert state.signers is not None  # noqa: S101 - the caller has looked
    return ssh.is_signed(
        said,
        signature,
        signer=signer,
        allowed_signers=allowed_signers(store, state.model, state.signers),
        at=datetime.fromisoformat(at),
    )


def answered_at(said: str, *, asked: str) -> str:
    """Return when an answer was given, for asking whether its key was valid.

    The time is the approver's word, and no answer is older than what it answers: whoever finds a
    key that has expired gains nothing by setting a clock back.

    Args:
        said: by the answer, as ``utc_text`` writes it.
        asked: when the decision that it answers was recorded.
    """
    return max(said, asked)


def prove_approvals(
    store: ObjectStore, entry: LedgerEntry, before: State
) -> Iterator[ApprovalProof]:
    """Say of each approval that an entry holds how it is proven.

    It is judged by the signers in force when it was used: a key retired later leaves its old
    approvals valid. The policy that came with the program was approved by nobody.

    Args:
        store: holds the signers' file.
        entry: of any operation.
        before: the state before it.

    Raises:
        TamperedError: a signature is not by an allowed key of its approver.
    """
    judge = _Judge(store, entry, before)
    payload = _payload(entry)
    if isinstance(payload, Promote):
        asked = before.decisions[payload.decision].time
        for use in payload.approvals:
            at = answered_at(use.time, asked=asked)
            proof = judge.proof(
                use.signature, _approved(entry.model, use), signer=use.approver, at=at
            )
            yield ApprovalProof(entry.seq, use.approver, proof, use.self_approved)
    elif isinstance(payload, Ratify) and not payload.shipped_default:
        at, said = payload.answered or entry.time, ratified(entry.model, payload)
        proof = judge.proof(payload.signature, said, signer=payload.approver, at=at)
        yield ApprovalProof(entry.seq, payload.approver, proof, payload.self_approved)


def signed_statements(entry: LedgerEntry) -> Iterator[tuple[bytes, str]]:
    """Yield what people signed in an entry, each with the signature."""
    payload = _payload(entry)
    if isinstance(payload, Promote):
        for use in payload.approvals:
            if use.signature is not None:
                yield _approved(entry.model, use), use.signature
    elif isinstance(payload, Ratify) and payload.signature is not None:
        yield ratified(entry.model, payload), payload.signature


def _payload(entry: LedgerEntry) -> Payload | None:
    """What an entry says, where it may hold approvals."""
    if entry.op not in ("promote", "ratify"):
        return None
    return parse_payload(entry.op, entry.payload, name=log_key(entry.model, entry.seq))


def _approved(model: str, use: ApprovalUse) -> bytes:
    """Return what the approver of a recorded approval has signed."""
    return statement(
        request=use.request,
        model=model,
        candidate_digest=use.candidate_digest,
        baseline_digest=use.baseline_digest,
        evidence_digest=use.evidence_digest,
        policy_digest=use.policy_digest,
        verdict="Approved",
        approver=use.approver,
        reason=use.reason,
        time=use.time,
    )


@dataclass(frozen=True)
class _Judge:
    """Holds signatures against the signers in force before one entry."""

    store: ObjectStore
    entry: LedgerEntry
    before: State

    def proof(self, signature: str | None, said: bytes, *, signer: str, at: str) -> Proof:
        if signature is None:
            return "asserted"
        if self.before.signers is None or not ssh.is_available():
            return "unverifiable"
        if not is_signed_by_allowed(self.store, self.before, said, signature, signer=signer, at=at):
            raise TamperedError(
                f"{log_key(self.entry.model, self.entry.seq)}: the approval of {signer} has a "
                "signature that no allowed key of that person made"
            )
        return "proven"
