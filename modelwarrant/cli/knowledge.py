"""What does the command line know of a store: its ledgers, its models, its past?"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import IllegalOperationError, RecordError, RequestError, UnknownModelError
from modelwarrant.project import Project
from modelwarrant.records import LedgerEntry, PromotionRequest
from modelwarrant.registry import (
    Anchor,
    LaptopHome,
    Ledger,
    Signer,
    State,
    Version,
    gc,
)
from modelwarrant.registry.acts import acts
from modelwarrant.registry.entries import SCHEMA_VERSION, utc_text
from modelwarrant.registry.overdue import duties_of
from modelwarrant.registry.payloads import PublicKey, Upgrade
from modelwarrant.stage.settings import Settings, read_settings
from modelwarrant.stage.stores import open_told_store
from modelwarrant.storage import ObjectStore

__all__ = [
    "Place",
    "bury",
    "change_ledger_keys",
    "collect_garbage",
    "model_history",
    "model_status",
    "models",
    "open_place",
    "parse_name",
    "roll_back",
    "upgrade_ledger",
    "verify_model",
]

_WORK = "work"


@dataclass(frozen=True)
class Place:
    """A store, and the person who works on it."""

    store: ObjectStore
    settings: Settings
    home: LaptopHome
    work: Path
    """Folder of stages' outputs and pages; beside the objects of a folder store."""

    @property
    def now(self) -> datetime:
        """The present moment, or the one that is played."""
        return self.settings.now

    def ledger(self, model: str, signer: Signer | None = None) -> Ledger:
        """Open a model's ledger; its first entry must be the one remembered here."""
        pin = self.home.pin(self.store.uri, model)
        genesis = self.settings.genesis if pin is None else pin.genesis
        anchor = None if pin is None else pin.anchor
        return Ledger(self.store, model, signer, genesis, anchor=anchor)

    def signing_ledger(self, model: str) -> Ledger:
        """Open a model's ledger for writing with this person's key."""
        return self.ledger(model, self.home.signer())

    def state(self, model: str) -> State:
        """Return the verified fold of a model's ledger.

        Raises:
            UnknownModelError: the store has no such model.
        """
        state = self.ledger(model).state()
        if state.seq == 0:
            known = ", ".join(models(self)) or "none yet"
            raise UnknownModelError(f"{self.store.uri} has no model {model!r}; it has {known}")
        return state

    def remember(self, ledger: Ledger) -> None:
        """Keep the ledger's first entry and newest anchor outside the store."""
        from gate.opening import remember

        remember(self.home, ledger)


def open_place(store: str | None) -> Place:
    """Open the store that the command or the environment names.

    Raises:
        RequestError: another time is played, and the store is more than a folder.
    """
    settings = read_settings()
    uri = store or settings.store
    if settings.at is not None and "://" in uri:
        raise RequestError(f"WARRANT_NOW plays another time, and {uri} is no folder; unset it")
    folder = Path(".warrant") if "://" in uri else Path(uri)
    return Place(
        open_told_store(uri), settings, LaptopHome(settings.home), folder.resolve() / _WORK
    )


def models(place: Place) -> list[str]:
    """Return the models that the store has a ledger of."""
    found = {key.split("/")[1] for key in place.store.list("m/")}
    return sorted(found)


def parse_name(name: str) -> tuple[str, int]:
    """Read ``MODEL@V``.

    Raises:
        UnknownModelError: not of that form.
    """
    model, at, version = name.rpartition("@")
    if not at or not model or not version.isdecimal():
        raise UnknownModelError(f"{name!r} names no version; write MODEL@V, for example demand@3")
    return model, int(version)


def model_status(place: Place, model: str, project: Project | None) -> dict[str, Any]:
    """Say what is in production, since when, by whose decision, what waits and what is overdue.

    Args:
        place: the store.
        model: the model's name.
        project: its project, which alone knows what is due when; None where it is not at hand.
    """
    from gate import requests

    state = place.state(model)
    waiting = requests.list_requests(place.store, model=model, waiting_only=True)
    last = list(state.decisions.values())[-1] if state.decisions else None
    acted = next(acts(place.store, state), None)
    return {
        "model": model,
        "production": _production(place, state, state.production_version),
        "last_decision": None if last is None else f"{last.verdict} ({last.rule}) at {last.time}",
        "last_action": None
        if acted is None
        else f"{acted.act.action} at {utc_text(acted.time)}: {acted.act.reason}",
        "waiting": [request.id for request in waiting],
        "policy": None if state.policy is None else state.policy.digest,
        "entries": state.seq,
        "overdue": [
            *duties_of(
                place.store,
                state,
                review_by=None if project is None else project.review_by,
                monitor_every=None if project is None else project.monitor_every,
                now=place.now,
            ).overdue
        ],
    }


def _production(place: Place, state: State, version: Version | None) -> dict[str, Any] | None:
    if version is None:
        return None
    moved = next(entry for entry in place.ledger(state.model).entries() if entry.seq == state.moved)
    decided = None if version.decision is None else state.decisions.get(version.decision)
    return {
        "version": version.number,
        "digest": version.digest,
        "since": moved.time,
        "by": moved.op,
        "actor": moved.actor,
        "approvers": list(version.approvers),
        "decision": None if decided is None else decided.decision_digest,
        "verdict": None if decided is None else decided.verdict,
    }


def model_history(place: Place, model: str, *, as_of: str | None) -> dict[str, Any]:
    """Tell the ledger, up to a moment."""
    place.state(model)
    ledger = place.ledger(model)
    state = ledger.state(as_of=None if as_of is None else _moment(as_of))
    entries = [entry for entry in ledger.entries() if entry.seq <= state.seq]
    policy = state.policy
    return {
        "model": model,
        "as_of": as_of,
        "entries": [
            {
                "seq": entry.seq,
                "time": entry.time,
                "op": entry.op,
                "actor": entry.actor,
                "summary": "; ".join(_words(entry, state.mode)),
                "digest": entry.digest,
                "payload": entry.payload,
            }
            for entry in entries
        ],
        "production": state.production,
        "policy": None
        if policy is None
        else {
            "digest": policy.digest,
            "author": policy.author,
            "ratified_by": policy.approver,
            "self_approved": policy.self_approved,
            "shipped_default": policy.shipped_default,
            "time": policy.time,
            "reason": policy.reason,
        },
    }


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordError(f"--as-of {text!r} is not an ISO 8601 time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(entry: LedgerEntry, mode: str | None) -> Iterator[str]:
    """Put an entry's payload into words; on a cluster the API server vouches for names."""
    payload = entry.payload
    if entry.op == "register":
        yield f"version {entry.seq}, model {payload['digest'][:19]}"
    elif entry.op == "decide":
        yield f"{payload['verdict']} by {payload['rule']}"
    elif entry.op == "promote":
        yield f"version {payload['version']} to production"
        for used in payload["approvals"]:
            how = "self-approved" if used["self_approved"] else "a second person"
            unsigned = "asserted, not proven" if mode == "laptop" else "named by the API server"
            proof = "signed" if used.get("signature") else unsigned
            yield f"approved by {used['approver']} ({how}, {proof}): {used['reason']}"
    elif entry.op == "rollback":
        yield f"back to version {payload['to']}: {payload['reason']}"
    elif entry.op == "ratify":
        default = ", the shipped default" if payload["shipped_default"] else ""
        by_self = ", self-approved" if payload["self_approved"] else ""
        signed = ", signed" if payload.get("signature") else ""
        how = f"{default}{by_self}{signed}"
        yield f"{payload['kind']} {payload['digest'][:19]}{how}: {payload['reason']}"
    elif entry.op == "tombstone":
        yield f"version {payload['version']} barred: {payload['reason']}"
    elif entry.op == "act":
        yield f"{payload['action']}: {payload['reason']}"
    elif entry.op == "genesis":
        yield f"{payload['mode']} ledger begins"
    else:
        yield ", ".join(f"{key} {value}" for key, value in payload.items() if value)


def verify_model(place: Place, model: str, *, anchors: list[Path]) -> dict[str, Any]:
    """Hash everything again, held against every anchor that is known outside the store."""
    from gate.checking import check_everything

    place.state(model)
    pin = place.home.pin(place.store.uri, model)
    known = [_anchor(path, model) for path in anchors]
    if pin is not None:
        known.append(pin.anchor)
    ledger = place.ledger(model)
    checked = check_everything(ledger, anchors=known)
    place.remember(ledger)
    found = checked.ledger
    return {
        "model": model,
        "entries": found.seq,
        "digest": found.digest,
        "vouched": found.vouched_seq,
        "blobs": found.blobs,
        "snapshots": found.snapshots,
        "requests": checked.requests,
        "package_files": checked.files,
    }


def _anchor(path: Path, model: str) -> Anchor:
    try:
        value = json.loads(path.read_bytes())
        return Anchor(model=model, seq=value["seq"], digest=value.get("digest") or value["hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: not an anchor; it must hold seq and hash") from error


def roll_back(place: Place, model: str, *, to: int, reason: str) -> dict[str, Any]:
    """Put a former production version back, through the gate."""
    from gate.gate import Gate

    place.state(model)
    request = Gate(place.store, place.home).rollback(
        model, to=to, reason=reason, actor=place.settings.actor, now=place.now
    )
    return _applied(request)


def bury(place: Place, model: str, *, version: int, reason: str) -> dict[str, Any]:
    """Bar a version for ever, through the gate."""
    from gate.gate import Gate

    place.state(model)
    request = Gate(place.store, place.home).tombstone(
        model, version=version, reason=reason, actor=place.settings.actor, now=place.now
    )
    return _applied(request)


def _applied(request: PromotionRequest) -> dict[str, Any]:
    """Tell an operation that needs no answer.

    Raises:
        IllegalOperationError: the ledger moved meanwhile, and it was not applied.
    """
    if request.outcome != "applied":
        raise IllegalOperationError(f"{request.operation}: {request.outcome_reason}")
    return {
        "model": request.model,
        "version": request.version,
        "seq": request.ledger_seq,
        "request": request.id,
    }


def change_ledger_keys(
    place: Place, model: str, *, add: str | None, remove: str | None
) -> list[str]:
    """Change whose keys are in force, and return the ids of those that are now.

    Raises:
        RecordError: what shall be added is no public key.
    """
    from gate.opening import change_keys

    place.state(model)
    ledger = place.signing_ledger(model)
    state = change_keys(
        ledger,
        add=() if add is None else (_public_key(add),),
        remove=() if remove is None else (remove,),
        actor=place.settings.actor,
        now=place.now,
    )
    place.remember(ledger)
    return sorted(state.keys)


def _public_key(text: str) -> PublicKey:
    try:
        raw = base64.b64decode(text, validate=True)
        return PublicKey(id=digest_bytes(raw), public=text)
    except ValueError as error:
        raise RecordError(f"{text!r} is no public key; see `warrant keys show`") from error


def collect_garbage(place: Place, model: str) -> dict[str, Any]:
    """Fence and remove what no entry names."""
    place.state(model)
    ledger = place.signing_ledger(model)
    found = gc(ledger, actor=place.settings.actor, now=place.now)
    place.remember(ledger)
    return {"model": model, **vars(found)}


def upgrade_ledger(place: Place, model: str) -> dict[str, Any]:
    """Have later entries written in the newest schema that this program knows."""
    state = place.state(model)
    if state.schema >= SCHEMA_VERSION:
        return {"model": model, "schema": state.schema, "seq": None}
    ledger = place.signing_ledger(model)
    entry = ledger.append(
        "upgrade",
        Upgrade(to_schema=SCHEMA_VERSION),
        txn=f"upgrade/{SCHEMA_VERSION}",
        actor=place.settings.actor,
        now=place.now,
    )
    place.remember(ledger)
    return {"model": model, "schema": SCHEMA_VERSION, "seq": entry.seq}
