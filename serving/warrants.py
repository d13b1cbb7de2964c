"""Which version may be served, on whose authority?

The ledger's fold has checked chain, signatures and the legality of every entry before a ``State``
exists. What is read from it here is the one thing a server must never get wrong, so it is checked
once more, and the decision document itself is held against the entry about it.
"""

from dataclasses import dataclass

from modelwarrant.errors import RegistryError, TamperedError, WaitingError
from modelwarrant.records import Decision
from modelwarrant.registry import Decided, State, Version

__all__ = [
    "Warrant",
    "candidate_of",
    "check_decision",
    "digest_at",
    "required_warrant",
    "warrant_of",
]


@dataclass(frozen=True)
class Warrant:
    """Why a version is in production."""

    version: Version
    decided: Decided
    """The decision that allowed its promotion; a rollback goes back to a version that had one."""
    seq: int
    """The entry that put it there: a promotion, or a rollback."""


def warrant_of(state: State) -> Warrant | None:
    """Return the warrant of the version in production, None where there is none.

    Raises:
        RegistryError: the version is not one that a decision, or persons, allowed.
    """
    version = state.production_version
    if version is None:
        return None
    of = f"version {version.number} of {state.model}"
    decided = None if version.decision is None else state.decisions.get(version.decision)
    if decided is None:
        raise RegistryError(f"{of} is in production without a decision")
    if (decided.version, decided.candidate_digest) != (version.number, version.digest):
        raise RegistryError(f"{of} is in production by a decision about another one")
    if version.is_tombstoned:
        raise RegistryError(f"{of} is in production although it is tombstoned")
    if decided.verdict == "NEEDS_APPROVAL":
        asked, given = max(1, decided.approvals_required), len(set(version.approvers))
        if given < asked:
            raise RegistryError(f"{of} is in production with {given} of {asked} approvals")
    elif decided.verdict != "PROMOTE":
        raise RegistryError(f"{of} is in production although its decision says {decided.verdict}")
    return Warrant(version, decided, state.moved)


def required_warrant(state: State) -> Warrant:
    """Return the warrant of the version in production.

    Raises:
        WaitingError: there is none, and a version waits for a person.
        RegistryError: there is none, and nothing waits; says what was decided last.
    """
    warrant = warrant_of(state)
    if warrant is not None:
        return warrant
    nothing = f"no version of {state.model!r} is in production"
    waiting = candidate_of(state)
    if waiting is not None:
        raise WaitingError(
            f"{nothing}; version {waiting.version.number} waits for a person: see warrant requests"
        )
    decided = max(state.decisions.values(), key=lambda one: one.seq, default=None)
    if decided is None:
        raise RegistryError(f"{nothing}, and none was decided on; warrant run makes a candidate")
    raise RegistryError(
        f"{nothing}; the policy's last verdict was {decided.verdict}, by its rule "
        f"{decided.rule!r}: {decided.reason}"
    )


def candidate_of(state: State) -> Warrant | None:
    """Return the newest version that waits for a person's approval, None where none does.

    What it says is not a warrant to answer: such a version is only ever compared.
    """
    for decided in reversed(tuple(state.decisions.values())):
        if decided.seq <= state.moved:
            return None  # production changed since: it can be promoted no more
        version = None if decided.version is None else state.versions.get(decided.version)
        if version is None or decided.verdict != "NEEDS_APPROVAL":
            continue
        is_open = not version.is_tombstoned and decided.request not in state.fenced
        is_meant = version.promoted is None and version.digest == decided.candidate_digest
        if is_open and is_meant:
            return Warrant(version, decided, state.seq)
    return None


def digest_at(state: State, seq: int) -> str:
    """Return the digest of the bytes of an entry that the state was folded from.

    Raises:
        TamperedError: the ledger is shorter.
    """
    for landed in state.txns.values():
        if landed.seq == seq:
            return landed.digest
    raise TamperedError(f"the ledger of {state.model} has no entry {seq}")


def check_decision(warrant: Warrant, data: bytes, *, manifest_digest: str, name: str) -> None:
    """Check that the decision document says what the ledger's entry says of it.

    Args:
        warrant: whose decision it is said to be.
        data: the document's bytes; their digest was compared with the entry's.
        manifest_digest: digest of the bundle's manifest.
        name: the document, for the error message.

    Raises:
        RegistryError: they differ.
    """
    decision, decided = Decision.from_bytes(data, name=name), warrant.decided
    for field in (
        "verdict",
        "candidate_digest",
        "baseline_digest",
        "evidence_digest",
        "policy_digest",
    ):
        if getattr(decision, field) != getattr(decided, field):
            raise RegistryError(f"{name} has another {field} than the ledger's entry about it")
    if decision.evidence.manifest != manifest_digest:
        raise RegistryError(
            f"{name} is about another manifest than version {warrant.version.number}'s"
        )
