"""Is an operation legal on this state?

Legality depends on the log alone, never on a clock: every reader comes to the same answer at any
time. It is checked by whoever appends, and again by every reader for every entry.
"""

from collections.abc import Callable, Mapping
from typing import Any

from modelwarrant.errors import IllegalOperationError
from modelwarrant.records import Blob
from modelwarrant.registry.entries import SCHEMA_VERSION
from modelwarrant.registry.names import is_machine, person_of, same_person
from modelwarrant.registry.payloads import (
    Abort,
    Act,
    ApprovalUse,
    Decide,
    Genesis,
    Keys,
    Payload,
    Promote,
    Ratify,
    Register,
    Rollback,
    Tombstone,
    Upgrade,
)
from modelwarrant.registry.state import Decided, State, Version

__all__ = ["approval_uid", "approvals_at_least", "check", "may_approve"]


def may_approve(state: State, approver: str, requester: str) -> bool:
    """Return whether this ledger lets this person approve what that one asked for."""
    if state.mode == "laptop":
        return True
    return not is_machine(approver) and not same_person(approver, requester)


def approvals_at_least(state: State, decided: Decided) -> int:
    """Return how many persons must approve a promotion that a rule leaves to persons.

    On a cluster two of them, where no person asked for it.
    """
    nobody_asked = state.mode == "cluster" and is_machine(decided.requester)
    return max(2 if nobody_asked else 1, decided.approvals_required)


def approval_uid(request: str | None, approver: str) -> str:
    """Return what one person's answer to one request is called; it is used up once."""
    return f"{request}:{approver}"


def check(state: State, payload: Payload) -> None:
    """Refuse an operation that the log does not allow.

    Raises:
        IllegalOperationError: says which rule, of which model and version.
    """
    if (state.seq == 0) != isinstance(payload, Genesis):
        what = "already has a ledger" if state.seq else "has no ledger yet"
        raise IllegalOperationError(f"{state.model} {what}")
    _RULES[type(payload)](_Rule(state), payload)


class _Rule:
    """The rules of one state; each method refuses or returns."""

    def __init__(self, state: State) -> None:
        self.state = state

    def demand(self, holds: bool, message: str) -> None:
        if not holds:
            raise IllegalOperationError(f"{self.state.model}: {message}")

    def genesis(self, payload: Genesis) -> None:
        ids = [key.id for key in payload.keys]
        self.demand(len(set(ids)) == len(ids), "a key stands twice in the first entry")

    def keys(self, payload: Keys) -> None:
        present, added = set(self.state.keys), [key.id for key in payload.add]
        removed = set(payload.remove)
        self.demand(bool(added or removed), "no key to add or remove")
        self.demand(len(set(added)) == len(added), "a key is added twice")
        self.demand(not present & set(added), "a key to add is in force already")
        self.demand(removed <= present, "a key to remove is not in force")
        self.demand(bool((present - removed) | set(added)), "the last key cannot be removed")

    def register(self, payload: Register) -> None:
        taken = self.state.run_versions.get(payload.run)
        self.demand(taken is None, f"run {payload.run} has version {taken} already")
        self._demand_open(payload.attempt)
        self._demand_blob(payload.blobs, "model.onnx", payload.digest)

    def decide(self, payload: Decide) -> None:
        self._demand_open(payload.attempt)
        self._demand_blob(payload.blobs, "decision.json", payload.decision_digest)
        decided = self.state.run_decisions.get(payload.run)
        self.demand(decided is None, f"run {payload.run} was decided in entry {decided}")
        if payload.version is not None:
            version = self._registered(payload.version)
            self.demand(version.run == payload.run, f"{_of(version)} is of another run")
            self.demand(
                version.digest == payload.candidate_digest,
                f"{_of(version)} has digest {version.digest}, decided was "
                f"{payload.candidate_digest}",
            )
        if payload.verdict in ("PROMOTE", "NEEDS_APPROVAL"):
            self.demand(payload.version is not None, f"{payload.verdict} without a version")
            self._demand_current(payload.baseline_digest, payload.policy_digest)

    def promote(self, payload: Promote) -> None:
        version = self._registered(payload.version)
        decided = self.state.decisions.get(payload.decision)
        if decided is None:
            raise IllegalOperationError(f"{self.state.model}: no decision {payload.decision}")
        of = _of(version)
        self.demand(decided.version == version.number, f"decision {decided.seq} is not of {of}")
        self.demand(
            decided.verdict in ("PROMOTE", "NEEDS_APPROVAL"),
            f"{of}: {decided.verdict} cannot be approved into production",
        )
        self.demand(not version.is_tombstoned, f"{of} is tombstoned")
        self.demand(version.promoted is None, f"{of} was in production before: roll back to it")
        self.demand(payload.attempt not in self.state.fenced, f"{of}: its request was closed")
        self.demand(
            payload.attempt == decided.request, f"{of}: decided for request {decided.request}"
        )
        self.demand(
            decided.seq > self.state.moved,
            f"{of}: production changed after it was decided on; run again",
        )
        self.demand(
            self.state.policy is not None and decided.seq > self.state.policy.seq,
            f"{of}: a policy was ratified after it was decided on; run again",
        )
        self._demand_current(decided.baseline_digest, decided.policy_digest)
        self._demand_approvals(decided, payload.approvals)

    def rollback(self, payload: Rollback) -> None:
        version = self._registered(payload.to)
        of = _of(version)
        self.demand(version.promoted is not None, f"{of} was never in production")
        self.demand(not version.is_tombstoned, f"{of} is tombstoned")
        self.demand(payload.to != self.state.production, f"{of} is in production already")

    def act(self, payload: Act) -> None:
        if payload.attempt is not None:
            self._demand_open(payload.attempt)
        self.demand(payload.attempt is not None or not payload.blobs, "evidence without an attempt")

    def tombstone(self, payload: Tombstone) -> None:
        version = self._registered(payload.version)
        self.demand(not version.is_tombstoned, f"{_of(version)} is tombstoned already")
        self.demand(
            payload.version != self.state.production,
            f"{_of(version)} is in production: roll back first",
        )

    def abort(self, payload: Abort) -> None:
        self.demand(
            payload.attempt not in self.state.fenced, f"{payload.attempt} is closed already"
        )
        self.demand(
            payload.attempt not in self.state.attempts, f"{payload.attempt} is in the ledger"
        )

    def ratify(self, payload: Ratify) -> None:
        self._demand_open(payload.attempt)
        uid = approval_uid(payload.request, payload.approver)
        self.demand(
            payload.request is None or uid not in self.state.approvals,
            f"the answer of {payload.approver} to {payload.request} was used before",
        )
        digest = payload.blobs[0].digest
        self.demand(digest == payload.digest, f"the {payload.kind} blob is {digest}")
        is_self = same_person(payload.author, payload.approver)
        self.demand(
            not is_self or payload.self_approved,
            f"{payload.approver} wrote this {payload.kind}: somebody else must ratify it, or "
            "it is marked as self-approved",
        )
        self.demand(
            not payload.self_approved or self.state.mode == "laptop",
            "self-approval is for a laptop's ledger only",
        )

    def upgrade(self, payload: Upgrade) -> None:
        self.demand(
            self.state.schema < payload.to_schema <= SCHEMA_VERSION,
            f"this program writes entries of schema {SCHEMA_VERSION}, not {payload.to_schema}; "
            "a newer modelwarrant may",
        )

    def _registered(self, number: int) -> Version:
        version = self.state.versions.get(number)
        if version is None:
            raise IllegalOperationError(
                f"{self.state.model}: there is no version {number}; {self.state.said_versions}"
            )
        return version

    def _demand_open(self, attempt: str) -> None:
        self.demand(attempt not in self.state.fenced, f"attempt {attempt} was closed")

    def _demand_blob(self, blobs: tuple[Blob, ...], name: str, digest: str) -> None:
        found = {blob.name: blob.digest for blob in blobs}
        self.demand(found.get(name) == digest, f"{name} is {found.get(name)}, expected {digest}")

    def _demand_current(self, baseline_digest: str | None, policy_digest: str) -> None:
        """What was compared with is in production, and the rule used is in force."""
        production = self.state.production_version
        present = None if production is None else production.digest
        self.demand(
            baseline_digest == present,
            f"compared with {baseline_digest}, in production is {present}",
        )
        policy = self.state.policy
        in_force = None if policy is None else policy.digest
        self.demand(
            policy_digest == in_force, f"decided by policy {policy_digest}, ratified is {in_force}"
        )

    def _demand_approvals(self, decided: Decided, approvals: tuple[ApprovalUse, ...]) -> None:
        for approval in approvals:
            self._demand_approval(decided, approval)
        uids = {approval.uid for approval in approvals}
        persons = {person_of(approval.approver) for approval in approvals}
        self.demand(len(uids) == len(persons) == len(approvals), "an approval stands twice")
        least = approvals_at_least(self.state, decided)
        if decided.verdict != "NEEDS_APPROVAL":
            least = 0
        self.demand(
            len(approvals) >= least, f"{len(approvals)} of {least} approvals, as the policy asks"
        )

    def _demand_approval(self, decided: Decided, approval: ApprovalUse) -> None:
        who = f"the approval of {approval.approver}"
        self.demand(approval.uid not in self.state.approvals, f"{who} was used before")
        for name in (
            "request",
            "requester",
            "candidate_digest",
            "baseline_digest",
            "evidence_digest",
            "policy_digest",
        ):
            given, expected = getattr(approval, name), getattr(decided, name)
            self.demand(given == expected, f"{who} is for {name} {given}, decided was {expected}")
        is_self = same_person(approval.approver, approval.requester)
        self.demand(
            is_self == approval.self_approved,
            f"{who}: the requester's own approval must be marked as one, and no other",
        )
        self.demand(
            not is_self or self.state.mode == "laptop",
            f"{who}: the requester may approve on a laptop's ledger only",
        )
        self.demand(
            may_approve(self.state, approval.approver, approval.requester),
            f"{who}: on a cluster a person approves, no service account",
        )


def _of(version: Version) -> str:
    return f"version {version.number}"


_RULES: Mapping[type[Any], Callable[[_Rule, Any], None]] = {
    Genesis: _Rule.genesis,
    Keys: _Rule.keys,
    Register: _Rule.register,
    Decide: _Rule.decide,
    Promote: _Rule.promote,
    Rollback: _Rule.rollback,
    Act: _Rule.act,
    Tombstone: _Rule.tombstone,
    Abort: _Rule.abort,
    Ratify: _Rule.ratify,
    Upgrade: _Rule.upgrade,
}
