"""How does a ledger begin, and which rule and keys are in force in it?

First entry, ratification of the shipped policy, further keys. Each is safe to repeat.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from modelwarrant.canonical import digest_json
from modelwarrant.errors import (
    IllegalOperationError,
    PolicyError,
    RegistryError,
    RequestError,
    TamperedError,
)
from modelwarrant.policy import ENGINE_VERSION, Policy, lint
from modelwarrant.records import LedgerEntry
from modelwarrant.registry import (
    LaptopHome,
    Ledger,
    Pin,
    Ratified,
    Signer,
    State,
    write_blobs,
)
from modelwarrant.registry.approvals import (
    is_signed_by_allowed,
    ratification_statement,
    ratified,
)
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.layout import log_key, model_prefix
from modelwarrant.registry.payloads import Genesis, Keys, Mode, PublicKey, Ratify, parse_payload
from modelwarrant.storage import DirectoryStore, ObjectStore, probe, refuse_unfit

__all__ = [
    "Answered",
    "Home",
    "Opened",
    "change_keys",
    "ensure_ledger",
    "open_ledger",
    "ratify",
    "ratify_signers",
    "sign_at_terminal",
]

SHIPPED_BY = "modelwarrant"
"""Author of the shipped policy."""


class Home(Protocol):
    """What a writer keeps outside the store: its key, and what it saw of each ledger."""

    def signer(self) -> Signer:
        """Return the key that signs entries."""
        ...

    def pin(self, store_uri: str, model: str) -> Pin | None:
        """Return what is remembered of a ledger, None for one never seen."""
        ...

    def remember(self, pin: Pin) -> None:
        """Remember a ledger as it is now."""
        ...


@dataclass(frozen=True)
class Answered:
    """What a ratification's approver answered, and how it is proven."""

    request: str
    """A request's id, or one made up for the occasion."""
    answered: str
    """When, as ``utc_text`` writes it."""
    answer: str | None = None
    """The approver's own reason, where somebody else asked."""
    signature: str | None = None


@dataclass(frozen=True)
class Opened:
    """A ledger, ready to be written."""

    ledger: Ledger
    is_new: bool
    """The first entry was written just now."""
    replaced_genesis: str | None = None
    """First entry of the ledger that was remembered here and is gone with its whole store; worth
    telling a person, who alone knows whether the store was removed on purpose."""


def open_ledger(store: ObjectStore, model: str, *, home: Home, readers: int = 1) -> Ledger:
    """Open a ledger with this laptop's key and what the laptop remembers of it.

    Raises:
        RegistryError: the laptop's folder lies inside the store.
    """
    _demand_apart(store, home)
    pin = home.pin(store.uri, model)
    if pin is None:
        return Ledger(store, model, home.signer(), readers=readers)
    return Ledger(store, model, home.signer(), pin.genesis, anchor=pin.anchor, readers=readers)


def ensure_ledger(
    store: ObjectStore,
    model: str,
    *,
    home: Home,
    policy: Policy,
    actor: str,
    now: datetime,
    mode: Mode = "laptop",
    approver: str | None = None,
) -> Opened:
    """Open a ledger; begin it where there is none.

    Args:
        store: where it lies.
        model: whose it is.
        home: the writer's key and memory.
        policy: the shipped policy, ratified where no policy was yet, marked as the default; on a
            laptop as self-approved.
        actor: who runs.
        now: advisory.
        mode: of a new ledger.
        approver: who ratifies the shipped policy for every new model, on a cluster its installer;
            None: the actor on a laptop, nobody on a cluster, where its decisions are then HOLD.

    Raises:
        TamperedError: the ledger that is remembered is gone, but the rest of it is not; or it
            was set back or replaced.
        IllegalOperationError: the ledger is somebody else's, and this laptop's key not in force.
        StoreError: there is no ledger yet, and this store cannot carry one.
    """
    _demand_apart(store, home)
    pin = home.pin(store.uri, model)
    gone = pin is not None and store.get(log_key(model, 1)) is None
    if pin is not None and gone and any(True for _ in store.list(model_prefix(model))):
        raise TamperedError(
            f"{log_key(model, 1)} is gone from the store {store.uri}: its first entry was "
            f"{pin.genesis}; restore the log from a backup"
        )
    signer = home.signer()
    ledger = Ledger(store, model, signer)
    if pin is not None and not gone:
        ledger = Ledger(store, model, signer, pin.genesis, anchor=pin.anchor)
    is_new = ledger.state().seq == 0
    if is_new:
        if "://" in store.uri:  # a folder's promises are our own code
            refuse_unfit(store, probe(store))
        ledger.append(
            "genesis",
            Genesis(mode=mode, keys=(signer.public,)),
            txn="genesis",
            actor=actor,
            now=now,
        )
    if mode == "laptop":
        approver = actor
    if ledger.state().policy is None and approver is not None:
        _ratify(
            ledger,
            "policy",
            "policy.json",
            policy.to_bytes(),
            actor=actor,
            now=now,
            author=SHIPPED_BY,
            approver=approver,
            reason="the policy that came with the program, at first use",
            self_approved=mode == "laptop",
            shipped_default=True,
        )
    remember(home, ledger)
    ledger.pinned_genesis = ledger.state().genesis
    replaced = pin.genesis if pin is not None and gone else None
    return Opened(ledger, is_new, replaced)


def remember(home: Home, ledger: Ledger) -> None:
    """Note a ledger's first and newest entry outside the store."""
    state = ledger.state()
    if state.genesis is None:
        return
    home.remember(
        Pin(
            store=ledger.store.uri,
            model=ledger.model,
            genesis=state.genesis,
            anchor_seq=state.seq,
            anchor_digest=state.head,
        )
    )


def ratify(
    ledger: Ledger,
    policy: Policy,
    *,
    author: str,
    approver: str,
    reason: str,
    now: datetime,
    self_approve: bool = False,
    backtest_digest: str | None = None,
    answered: Answered | None = None,
) -> Ratified:
    """Put a policy in force; where it is in force already, say by whom.

    Args:
        ledger: of the model it is for.
        policy: must pass the linter.
        author: who wrote it.
        approver: who ratifies it: somebody else, unless ``self_approve`` on a laptop's ledger.
        reason: why.
        now: advisory.
        self_approve: author and approver are one person, recorded as such.
        backtest_digest: of a backtest that was looked at.
        answered: what the approver signed, or answered to a request.

    Raises:
        PolicyError: the linter's findings.
        IllegalOperationError: the approver is the author.
    """
    findings = lint(policy)
    if findings:
        raise PolicyError(f"policy {policy.name!r} cannot be ratified: " + "; ".join(findings))
    state = ledger.state()
    in_force = state.policy
    if in_force is None or (in_force.digest, in_force.engine_version) != (
        policy.digest,
        ENGINE_VERSION,
    ):
        _ratify(
            ledger,
            "policy",
            "policy.json",
            policy.to_bytes(),
            actor=approver,
            now=now,
            author=author,
            approver=approver,
            reason=reason,
            self_approved=self_approve,
            backtest_digest=backtest_digest,
            **({} if answered is None else asdict(answered)),
        )
    return _demand_ratified(ledger.state().policy)


def ratify_signers(
    ledger: Ledger,
    allowed_signers: bytes,
    *,
    author: str,
    approver: str,
    reason: str,
    now: datetime,
    self_approve: bool = False,
    answered: Answered | None = None,
) -> Ratified:
    """Put a list of allowed SSH signers (``man ssh-keygen``, ALLOWED SIGNERS) in force.

    Approvals that are signed from here on must be signed by a key of that list.
    """
    if not allowed_signers.strip():
        raise RegistryError("the list of allowed signers is empty")
    _ratify(
        ledger,
        "signers",
        "allowed_signers",
        allowed_signers,
        actor=approver,
        now=now,
        author=author,
        approver=approver,
        reason=reason,
        self_approved=self_approve,
        **({} if answered is None else asdict(answered)),
    )
    return _demand_ratified(ledger.state().signers)


def sign_at_terminal(
    model: str,
    kind: Literal["policy", "signers"],
    digest: str,
    *,
    author: str,
    approver: str,
    reason: str,
    now: datetime,
    sign: Callable[[bytes], str],
) -> Answered:
    """Sign a ratification that nobody asked for by a request, under an id made up for it.

    Args:
        model: whose policy or signers.
        kind: of the document.
        digest: of the document.
        author: who wrote it.
        approver: who signs.
        reason: why.
        now: when.
        sign: for example ``registry.ssh.sign`` with a key.
    """
    unsigned = Answered(request=f"ratify-{secrets.token_hex(8)}", answered=utc_text(now))
    said = ratification_statement(
        model=model,
        kind=kind,
        digest=digest,
        author=author,
        reason=reason,
        verdict="Approved",
        approver=approver,
        request=unsigned.request,
        answer=unsigned.answer,
        answered=unsigned.answered,
    )
    return replace(unsigned, signature=sign(said))


def change_keys(
    ledger: Ledger,
    *,
    add: Iterable[PublicKey] = (),
    remove: Iterable[str] = (),
    actor: str,
    now: datetime,
) -> State:
    """Let another laptop sign, or one no longer; what holds already is left alone.

    Raises:
        IllegalOperationError: the last key would go.
    """
    state = ledger.state()
    payload = Keys(
        add=tuple(key for key in add if key.id not in state.keys),
        remove=tuple(id for id in remove if id in state.keys),
    )
    if payload.add or payload.remove:
        change = digest_json({**payload.model_dump(mode="json"), "after": state.seq})
        ledger.append("keys", payload, txn=f"keys/{change}", actor=actor, now=now)
    return ledger.state()


def _ratify(
    ledger: Ledger,
    kind: str,
    file_name: str,
    data: bytes,
    *,
    actor: str,
    now: datetime,
    **said: object,
) -> LedgerEntry:
    state = ledger.state()
    before = state.policy if kind == "policy" else state.signers
    attempt = secrets.token_hex(8)
    [blob] = write_blobs(ledger.store, ledger.model, attempt, {file_name: data})
    payload = parse_payload(
        "ratify",
        {
            "kind": kind,
            "digest": blob.digest,
            "engine_version": ENGINE_VERSION,
            "attempt": attempt,
            "blobs": (blob,),
            **said,
        },
        name=f"the ratification of {kind} {blob.digest}",
    )
    assert isinstance(payload, Ratify)  # noqa: S101 - by its operation
    _demand_allowed(ledger, state, payload)
    # After a later ratification the same document may be ratified again.
    txn = f"ratify/{kind}/{blob.digest}/{0 if before is None else before.seq}"
    return ledger.append("ratify", payload, txn=txn, actor=actor, now=now)


def _demand_allowed(ledger: Ledger, state: State, payload: Ratify) -> None:
    """A signature that ``verify`` would call forged is not written."""
    if payload.signature is None or state.signers is None:
        return
    if not is_signed_by_allowed(
        ledger.store,
        state,
        ratified(ledger.model, payload),
        payload.signature,
        signer=payload.approver,
        at=payload.answered or "",
    ):
        raise RequestError(
            f"the signature is not by a key that the ratified signers allow {payload.approver}; "
            "without --key the ratification is recorded as asserted"
        )


def _demand_ratified(ratified: Ratified | None) -> Ratified:
    if ratified is None:
        raise IllegalOperationError("nothing was ratified")
    return ratified


def _demand_apart(store: ObjectStore, home: Home) -> None:
    if not isinstance(store, DirectoryStore) or not isinstance(home, LaptopHome):
        return
    if home.folder.is_relative_to(store.root):
        raise RegistryError(
            f"the keys in {home.folder} lie inside the store {store.root}: whoever can write the "
            "store could sign for you; set WARRANT_HOME to another folder"
        )
