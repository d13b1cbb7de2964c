"""How does the command line find, replay and try decisions and policies?"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gate.opening import Answered, ratify, ratify_signers, sign_at_terminal
from modelwarrant import policy
from modelwarrant.canonical import digest_bytes
from modelwarrant.cli.knowledge import Place, models, parse_name
from modelwarrant.errors import PolicyError, RegistryError, UnknownModelError
from modelwarrant.policy import Policy
from modelwarrant.records import Decision, PromotionRequest
from modelwarrant.registry import Decided, Ratified, State, read_blobs, ssh

if TYPE_CHECKING:
    from gate.clusterdesk import ClusterDesk

__all__ = [
    "Changed",
    "ask_for_policy",
    "backtest_policy",
    "find_decision",
    "load_policy",
    "policy_text",
    "ratify_list",
    "ratify_policy",
    "recorded",
    "replay_decision",
    "try_policy",
]


def policy_text(path: Path | None) -> str:
    """Return a policy file's text; without a file the shipped one's."""
    if path is None:
        return policy.default_text()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: cannot be read: {error}") from error


def load_policy(path: Path | None) -> Policy:
    """Read a policy file; without a file the shipped one."""
    return policy.load(policy_text(path).encode(), name=str(path or "the shipped policy"))


def ratify_policy(
    place: Place,
    model: str,
    path: Path | None,
    *,
    reason: str,
    author: str | None,
    self_approve: bool,
    key: Path | None = None,
) -> dict[str, Any]:
    """Put a policy in force for a model."""
    place.state(model)
    rules = load_policy(path)
    author = author or place.settings.actor
    answered = _signed(place, model, "policy", rules.digest, author=author, reason=reason, key=key)
    ledger = place.signing_ledger(model)
    found = ratify(
        ledger,
        rules,
        author=author,
        approver=place.settings.actor,
        reason=reason,
        now=place.now,
        self_approve=self_approve,
        answered=answered,
    )
    place.remember(ledger)
    return _told(model, found)


def ask_for_policy(
    desk: "ClusterDesk", model: str, path: Path | None, *, reason: str
) -> PromotionRequest:
    """Ask a cluster's gate to put a policy in force; somebody else approves it.

    Raises:
        PolicyError: the linter's findings.
    """
    from modelwarrant.cli.desks import ask_cluster

    rules = load_policy(path)
    findings = policy.lint(rules)
    if findings:
        raise PolicyError(f"{path or 'the shipped policy'}: {'; '.join(findings)}")
    document = None if path is None else rules.to_bytes().decode()
    return ask_cluster(desk, "ratify", model, target=rules.digest, reason=reason, document=document)


def ratify_list(
    place: Place,
    model: str,
    path: Path,
    *,
    reason: str,
    author: str | None,
    self_approve: bool,
    key: Path | None = None,
) -> dict[str, Any]:
    """Put a list of allowed SSH signers in force for a model.

    Raises:
        RegistryError: the file cannot be read, or the ledger is a cluster's.
    """
    if place.settings.gate is not None:
        raise RegistryError(
            f"a list of signers cannot be ratified through the gate in {place.settings.gate}: "
            "there the API server proves who approved; for a laptop's ledger unset WARRANT_GATE"
        )
    place.state(model)
    try:
        listed = path.read_bytes()
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}") from error
    author, digest = author or place.settings.actor, digest_bytes(listed)
    answered = _signed(place, model, "signers", digest, author=author, reason=reason, key=key)
    ledger = place.signing_ledger(model)
    found = ratify_signers(
        ledger,
        listed,
        author=author,
        approver=place.settings.actor,
        reason=reason,
        now=place.now,
        self_approve=self_approve,
        answered=answered,
    )
    place.remember(ledger)
    return _told(model, found)


def _signed(
    place: Place,
    model: str,
    kind: Literal["policy", "signers"],
    digest: str,
    *,
    author: str,
    reason: str,
    key: Path | None,
) -> Answered | None:
    """Sign a ratification with this person's SSH key; None without a key."""
    if key is None:
        return None
    return sign_at_terminal(
        model,
        kind,
        digest,
        author=author,
        approver=place.settings.actor,
        reason=reason,
        now=place.now,
        sign=partial(ssh.sign, key=key),
    )


def _told(model: str, found: Ratified) -> dict[str, Any]:
    return {
        "model": model,
        "digest": found.digest,
        "seq": found.seq,
        "author": found.author,
        "ratified_by": found.approver,
        "self_approved": found.self_approved,
    }


def recorded(place: Place, name: str) -> dict[str, bytes]:
    """Return every document of a recorded decision, hashed.

    Args:
        place: the store.
        name: digest of the decision (or a beginning of it), id of its request or run, or MODEL@V.

    Raises:
        UnknownModelError: no such decision.
    """
    if "@" in name:
        model, version = parse_name(name)
        state = place.state(model)
        state.version(version)
        wanted = [d for d in state.decisions.values() if d.version == version]
        return _documents(place, state, wanted[-1:], name)
    for model in models(place):
        state = place.state(model)
        digest = name if name.startswith("sha256:") else f"sha256:{name}"
        wanted = [
            d
            for d in state.decisions.values()
            if d.decision_digest.startswith(digest) or d.request.startswith(name) or d.run == name
        ]
        if wanted:
            return _documents(place, state, wanted[-1:], name)
    raise UnknownModelError(f"no recorded decision is named {name!r}; see warrant history MODEL")


def _documents(place: Place, state: State, found: list[Decided], name: str) -> dict[str, bytes]:
    if not found:
        raise UnknownModelError(f"{name} has no recorded decision")
    return read_blobs(place.store, state.model, found[0].attempt, found[0].blobs)


def find_decision(place: Place, name: str) -> Decision:
    """Return a recorded decision; see ``recorded``."""
    return Decision.from_bytes(recorded(place, name)["decision.json"], name="decision.json")


def _policy_of(files: dict[str, bytes]) -> Policy:
    name = next(name for name in ("policy.json", "policy.yaml") if name in files)
    return policy.load(files[name], name=name)


def replay_decision(place: Place, name: str) -> dict[str, Any]:
    """Decide again from the recorded evidence."""
    files = recorded(place, name)
    decision = Decision.from_bytes(files["decision.json"], name="decision.json")
    again = policy.replay(_policy_of(files), decision, policy.read_documents(files))
    return {
        "verdict": again.verdict,
        "rule": again.rule,
        "digest": again.digest,
        "recorded_digest": decision.digest,
        "is_identical": again.to_bytes() == decision.to_bytes(),
    }


def try_policy(place: Place, name: str, path: Path) -> tuple[Decision, Decision]:
    """Return the recorded decision, and what another policy would have said."""
    files = recorded(place, name)
    decision = Decision.from_bytes(files["decision.json"], name="decision.json")
    return decision, policy.what_if(load_policy(path), policy.read_documents(files))


@dataclass(frozen=True)
class Changed:
    """A recorded decision that another policy would have made otherwise."""

    model: str
    decision: Decision
    tried: Decision
    run: str
    time: str

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "model": self.model,
            "decision": self.decision.digest,
            "run": self.run,
            "time": self.time,
            "recorded": {"verdict": self.decision.verdict, "rule": self.decision.rule},
            "tried": {"verdict": self.tried.verdict, "rule": self.tried.rule},
            "reason": self.tried.reason,
        }


def backtest_policy(
    place: Place, path: Path, *, model: str | None
) -> tuple[int, tuple[Changed, ...]]:
    """Decide every recorded decision of the store again, by another policy.

    Args:
        place: the store.
        path: the policy to try.
        model: only decisions about this one; None takes every model.

    Returns:
        How many decisions there are, and those whose verdict or row would be another, oldest first.

    Raises:
        PolicyError: the linter's findings: such a policy decides nothing.
        UnknownModelError: the store has no such model.
    """
    rules = load_policy(path)
    if findings := policy.lint(rules):
        raise PolicyError(f"{path}: {'; '.join(findings)}")
    names = models(place) if model is None else [model]
    looked_at, changed = 0, []
    for name in names:
        state = place.state(name)
        for found in state.decisions.values():
            looked_at += 1
            files = _documents(place, state, [found], found.decision_digest)
            decision = Decision.from_bytes(files["decision.json"], name="decision.json")
            tried = policy.what_if(rules, policy.read_documents(files))
            if (tried.verdict, tried.rule) != (decision.verdict, decision.rule):
                changed.append(Changed(name, decision, tried, found.run, found.time))
    return looked_at, tuple(changed)
