"""Who asked for what, and what did people answer?"""

from typing import Literal

from modelwarrant.records.base import Part, Record
from modelwarrant.records.decision import Verdict
from modelwarrant.records.ledger import Blob

__all__ = ["Approval", "Outcome", "PromotionRequest"]

Outcome = Literal["promoted", "applied", "rejected", "expired", "superseded", "cancelled", "held"]
"""How a request ended."""


class Approval(Part):
    """One person's answer; it holds for one candidate and one evidence digest only."""

    verdict: Literal["Approved", "Rejected"]
    approver: str
    candidate_digest: str
    evidence_digest: str
    reason: str
    time: str
    """UTC, ISO 8601; advisory."""
    self_approved: bool = False
    """The requester approved; legal on a laptop's ledger only, and shown everywhere."""
    signature: str | None = None
    """SSH signature of the canonical statement; None reads as 'asserted, not proven'."""
    named_by: str | None = None
    """Who vouches for the name: a cluster's API server; None on a laptop, where nobody does."""

    @property
    def proof(self) -> str:
        """What shows that this person answered, in a few words."""
        if self.signature:
            return "signed"
        return "asserted, not proven" if self.named_by is None else f"named by {self.named_by}"


class PromotionRequest(Record):
    """A request to the gate. On a cluster the same document is a custom resource."""

    schema_version: Literal[1] = 1
    id: str
    operation: Literal["promote", "rollback", "tombstone", "act", "ratify", "abort", "upgrade"]
    model: str
    run: str
    requester: str
    reason: str | None = None
    target: str | None = None
    """What it is about: a version, or the digest of a policy or of a monitor's evidence."""
    action: Literal["none", "label", "retrain", "hold", "rollback"] | None = None
    """What a monitor did."""
    document: str | None = None
    """Text of the policy to be ratified; None where it is the shipped one."""
    candidate_digest: str | None = None
    baseline_digest: str | None = None
    evidence_digest: str | None = None
    policy_digest: str | None = None
    package: str | None = None
    """Store prefix below which the run handed in candidate and evidence."""
    files: tuple[Blob, ...] = ()
    """What lies there: frozen before anybody reviews it, and the gate takes nothing else."""
    verdict: Verdict | None = None
    """Claimed by the run; the gate recomputes it."""
    created: str
    expires: str
    approvals: tuple[Approval, ...] = ()
    withdrawn: bool = False
    outcome: Outcome | None = None
    outcome_reason: str | None = None
    version: int | None = None
    """The version that was registered: the seq of its register entry."""
    ledger_seq: int | None = None
    ledger_digest: str | None = None
