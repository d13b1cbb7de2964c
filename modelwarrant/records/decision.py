"""Which verdict follows from the evidence, by which row, and what would change it?"""

from typing import Literal

from modelwarrant.records.base import Part, Record

__all__ = ["Change", "Decision", "Evidence", "History", "Verdict"]

Verdict = Literal["PROMOTE", "NEEDS_APPROVAL", "HOLD", "REJECT"]
"""``HOLD``: the evidence is too weak, stale or missing."""


class History(Record):
    """What the ledger says that a decision must know."""

    schema_version: Literal[1] = 1
    model: str
    production_version: int | None
    production_digest: str | None
    """Model digest of what is in production; None before the first promotion."""
    anchor_version: int | None
    anchor_digest: str | None
    """Model digest of the last version a person approved."""
    candidates: tuple[str, ...]
    """Model digests decided on since the last promotion, in order, each once for each window."""
    looks: int
    """Decisions since the last promotion."""
    policy_digest: str | None
    """Digest of the policy in force; None before the first ratification."""
    engine_version: str | None
    """Decision engine the policy in force was ratified with."""
    overdue: tuple[str, ...] = ()
    """What is overdue (monitoring, review), each as a sentence."""


class Evidence(Part):
    """The documents a decision rests on, by digest. Its own digest is the evidence digest."""

    manifest: str
    drift: str | None
    evaluation: str
    validation: str
    history: str


class Change(Part):
    """The nearest change of one level that gives another verdict."""

    level: str
    now: str
    then: str
    verdict: Verdict
    detail: str
    """In words, with the number that is missing."""


class Decision(Record):
    """A verdict with its reasons: a pure function of evidence and policy, free of clocks."""

    schema_version: Literal[1] = 1
    model: str
    verdict: Verdict
    rule: str
    """Name of the policy row that matched first."""
    reason: str
    """One sentence with the numbers that made the row match."""
    levels: dict[str, str]
    """Every level the table was asked with."""
    candidate_digest: str
    baseline_digest: str | None
    """Model digest of production when the evidence was measured."""
    evidence: Evidence
    evidence_digest: str
    policy_digest: str
    engine_version: str
    n_labels: int
    n_required: int | None
    """Labels below which power is short, if defined: while the comparison is unclear, those at
    which a true gain of ``min_gain`` is seen with the policy's ``power``; else its
    ``min_labels``."""
    approvals_required: int
    """Persons who must approve, where the verdict is ``NEEDS_APPROVAL``."""
    would_change: tuple[Change, ...] = ()

    @property
    def outcome_hint(self) -> Literal["promote", "wait", "record"]:
        """What a gate does with the verdict: promote, wait for a person, or only record."""
        hints: dict[str, Literal["promote", "wait", "record"]] = {
            "PROMOTE": "promote",
            "NEEDS_APPROVAL": "wait",
        }
        return hints.get(self.verdict, "record")
