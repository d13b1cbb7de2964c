"""What does the log say, folded up to one entry?

Plain frozen values. ``fold.py`` makes the next state from an entry; nothing else makes one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelwarrant.errors import UnknownModelError
from modelwarrant.records import Blob, Verdict
from modelwarrant.registry.layout import first_prev
from modelwarrant.registry.payloads import Mode

__all__ = ["Decided", "Landed", "Ratified", "State", "Version"]


@dataclass(frozen=True)
class Landed:
    """Where a transaction is in the log."""

    seq: int
    digest: str
    """Digest of the entry's bytes."""


@dataclass(frozen=True)
class Version:
    """A registered model."""

    number: int
    """Seq of its register entry."""
    digest: str
    schema_digest: str
    evidence_digest: str
    run: str
    attempt: str
    blobs: tuple[Blob, ...]
    actor: str
    time: str
    promoted: int | None = None
    """Seq of the entry that promoted it."""
    decision: int | None = None
    """Seq of the decision that allowed the promotion."""
    parent: int | None = None
    """What was in production before it."""
    approvers: tuple[str, ...] = ()
    """Persons who approved the promotion; empty for an automatic one."""
    is_tombstoned: bool = False


@dataclass(frozen=True)
class Decided:
    """A recorded decision."""

    seq: int
    run: str
    request: str
    requester: str
    version: int | None
    verdict: Verdict
    rule: str
    reason: str
    candidate_digest: str
    baseline_digest: str | None
    decision_digest: str
    evidence_digest: str
    policy_digest: str
    engine_version: str
    approvals_required: int
    attempt: str
    blobs: tuple[Blob, ...]
    time: str


@dataclass(frozen=True)
class Ratified:
    """A policy or a list of signers, and who put it in force."""

    seq: int
    digest: str
    engine_version: str
    author: str
    approver: str
    reason: str
    self_approved: bool
    shipped_default: bool
    signature: str | None
    attempt: str
    blobs: tuple[Blob, ...]
    time: str


@dataclass(frozen=True)
class State:
    """The fold of a log's first ``seq`` entries. Treat the mappings as read-only."""

    model: str
    seq: int
    head: str
    """Digest of the bytes of entry ``seq``; what the next entry is chained to."""
    genesis: str | None = None
    """Digest of the first entry; None while there is no ledger."""
    mode: Mode | None = None
    schema: int = 1
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys in force: id to raw public bytes, base64."""
    versions: Mapping[int, Version] = field(default_factory=dict)
    decisions: Mapping[int, Decided] = field(default_factory=dict)
    """By the seq of the decide entry."""
    run_versions: Mapping[str, int] = field(default_factory=dict)
    run_decisions: Mapping[str, int] = field(default_factory=dict)
    production: int | None = None
    promoted: int = 0
    """Seq of the last promotion; 0 before the first."""
    moved: int = 0
    """Seq of the last promotion or rollback; 0 before the first."""
    policy: Ratified | None = None
    signers: Ratified | None = None
    attempts: Mapping[str, int] = field(default_factory=dict)
    """Attempts that an entry names, by the seq of the first one that does."""
    fenced: Mapping[str, int] = field(default_factory=dict)
    """Attempts of which nothing is legal any more."""
    approvals: Mapping[str, int] = field(default_factory=dict)
    """Approval uids that a promotion or a ratification used up."""
    txns: Mapping[str, Landed] = field(default_factory=dict)

    @classmethod
    def empty(cls, model: str) -> "State":
        """Return the state of a model that has no ledger yet."""
        return cls(model=model, seq=0, head=first_prev(model))

    def version(self, number: int) -> Version:
        """Return a registered version.

        Raises:
            UnknownModelError: no such version.
        """
        try:
            return self.versions[number]
        except KeyError:
            raise UnknownModelError(
                f"{self.model} has no version {number}; {self.said_versions}"
            ) from None

    @property
    def said_versions(self) -> str:
        """Which versions there are, the newest ten, for whoever named another one."""
        newest = [str(number) for number in sorted(self.versions)[-10:]]
        return f"there are {', '.join(newest)}" if newest else "none is registered yet"

    @property
    def production_version(self) -> Version | None:
        """What is in production; None before the first promotion."""
        return None if self.production is None else self.versions[self.production]

    @property
    def anchor_version(self) -> Version | None:
        """The last version that a person approved, seen from what is in production.

        Walks from production to what it replaced, and on: after a rollback, approvals of what was
        rolled back no longer count. Tombstoned versions are passed over.
        """
        number = self.production
        while number is not None:
            version = self.versions[number]
            if version.approvers and not version.is_tombstoned:
                return version
            number = version.parent
        return None

    @property
    def decided_since_promotion(self) -> tuple[Decided, ...]:
        """The decisions since the last promotion, in order."""
        return tuple(d for seq, d in self.decisions.items() if seq > self.promoted)

    def digest_at(self, seq: int) -> str | None:
        """Return the digest of an entry's bytes, None where the log is shorter."""
        found = (landed.digest for landed in self.txns.values() if landed.seq == seq)
        return next(found, None)

    def decision_of(self, request: str) -> Decided | None:
        """Return the decision recorded for a request, None where there is none yet."""
        found = (d for d in self.decisions.values() if d.request == request)
        return next(found, None)
