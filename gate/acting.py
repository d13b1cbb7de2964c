"""Is an action of a monitor what its evidence says, and does the ledger still allow it?

The gate decides again by the evidence that was handed in; it keeps the evidence as blobs, records
the action, and, where that is allowed without a person, puts the former version back. A retraining
while the last one is too young is refused here, so no fault of a monitor makes a storm of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from modelwarrant import monitoring
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import IllegalOperationError, RequestError
from modelwarrant.records import MonitoringAction, MonitoringThresholds
from modelwarrant.registry import Ledger, State, write_blobs
from modelwarrant.registry.acts import ACT_STEP, acts, entry_at
from modelwarrant.registry.payloads import Act, Rollback
from modelwarrant.registry.state import Landed
from modelwarrant.storage import ObjectStore

__all__ = [
    "ACTION_FILE",
    "EVIDENCE_FILES",
    "Recorded",
    "is_cooling_down",
    "is_watched",
    "is_whole",
    "place_of",
    "read_evidence",
    "record",
]

ACTION_FILE: Final = "action.json"
EVIDENCE_FILES: Final = (ACTION_FILE, "drift_report.json", "sample.csv")
"""The first must be there; the others are there where the action names their digests."""

_ROLLBACK_STEP: Final = "/rollback"


@dataclass(frozen=True)
class Recorded:
    """An action in the ledger."""

    landed: Landed
    version: int | None
    """That was put back; None where none was."""
    note: str
    """What a person should know of it."""


def place_of(model: str, name: str) -> str:
    """Return the prefix below which the evidence of an action is handed in."""
    return f"in/{model}/{name}/"


def read_evidence(store: ObjectStore, place: str) -> dict[str, bytes]:
    """Return the files of an action's evidence; empty where nothing was handed in."""
    found = {name: store.get(f"{place}{name}") for name in EVIDENCE_FILES}
    return {name: data for name, data in found.items() if data is not None}


def record(
    ledger: Ledger,
    files: Mapping[str, bytes],
    *,
    id: str,
    requester: str,
    is_automatic: bool,
    now: datetime,
    claimed: str | None = None,
) -> Recorded:
    """Record an action once, however often it is asked for, and carry a rollback out.

    Args:
        ledger: of the model.
        files: the evidence, ``action.json`` among it.
        id: of the request.
        requester: who asks.
        is_automatic: whether a rollback needs no person.
        now: when.
        claimed: the action that the request names; None where there is no request.

    Raises:
        RequestError: the evidence is not whole, or leads to another action.
        IllegalOperationError: production moved since, or a retraining came too soon.
    """
    action = _action(files)
    state = ledger.state()
    _demand_consistent(action, files, state.model)
    if claimed not in (None, action.action):
        raise RequestError(f"the request is to {claimed}, the evidence leads to {action.action}")
    if f"{id}{ACT_STEP}" not in state.txns:
        _demand_current(action, ledger.store, state, now)
    blobs = write_blobs(ledger.store, state.model, id, files)
    digest = action.digest
    entry = ledger.append(
        "act",
        Act(
            action=action.action,
            evidence_digest=digest,
            reason=action.reason[:2000],
            attempt=id,
            blobs=blobs,
        ),
        txn=f"{id}{ACT_STEP}",
        actor=requester,
        now=now,
    )
    landed = Landed(entry.seq, entry.digest)
    if action.action != "rollback":
        return Recorded(landed, None, action.reason)
    return _roll_back(ledger, action, landed, id, requester, is_automatic, now)


def is_whole(state: State, id: str, action: str) -> bool:
    """Return whether nothing of a recorded action is left to do, as far as the ledger knows."""
    return action != "rollback" or f"{id}{_ROLLBACK_STEP}" in state.txns


def is_cooling_down(
    store: ObjectStore, state: State, thresholds: MonitoringThresholds, *, now: datetime
) -> bool:
    """Return whether the last retraining is too young for another one."""
    since = now - timedelta(days=thresholds.cooldown_days)
    for acted in acts(store, state):
        if acted.time <= since:
            return False
        if acted.act.action == "retrain":
            return True
    return False


def is_watched(
    store: ObjectStore, state: State, thresholds: MonitoringThresholds, *, now: datetime
) -> bool:
    """Return whether what is in production was promoted lately and could be taken back."""
    version = state.production_version
    if version is None or state.moved != state.promoted or version.parent is None:
        return False
    promoted = datetime.fromisoformat(entry_at(store, state, state.moved).time)
    is_young = now - promoted < timedelta(days=thresholds.watch_days)
    return is_young and not state.versions[version.parent].is_tombstoned


def _action(files: Mapping[str, bytes]) -> MonitoringAction:
    if ACTION_FILE not in files:
        raise RequestError(f"the monitor's evidence has no {ACTION_FILE}")
    return MonitoringAction.from_bytes(files[ACTION_FILE], name=ACTION_FILE)


def _demand_consistent(action: MonitoringAction, files: Mapping[str, bytes], model: str) -> None:
    if action.model != model or action.evidence.situation.model != model:
        raise RequestError(f"the monitor's evidence is of {action.model}, the ledger of {model}")
    if not monitoring.is_consistent(action):
        expected = monitoring.action_of(action.evidence)
        raise RequestError(
            f"the monitor claims {action.action} ({action.rule}), and its own evidence leads to "
            f"{expected.action} ({expected.rule})"
        )
    named = {
        "drift_report.json": action.evidence.drift_report_digest,
        "sample.csv": action.evidence.sample_digest,
    }
    for name, digest in named.items():
        found = digest_bytes(files[name]) if name in files else None
        if found != digest:
            raise RequestError(
                f"the monitor's {name} has digest {found}, its action names {digest}"
            )


def _demand_current(
    action: MonitoringAction, store: ObjectStore, state: State, now: datetime
) -> None:
    situation = action.evidence.situation
    if (state.production, state.moved) != (situation.version, situation.moved):
        raise IllegalOperationError(
            f"{state.model}: production moved while the monitor looked at version "
            f"{situation.version}; the next pass looks again"
        )
    if action.action == "retrain" and is_cooling_down(store, state, situation.thresholds, now=now):
        raise IllegalOperationError(
            f"{state.model}: the last retraining is younger than "
            f"{situation.thresholds.cooldown_days} days"
        )
    if action.action == "rollback":
        version = state.versions[situation.version]
        if version.parent != situation.parent or not is_watched(
            store, state, situation.thresholds, now=now
        ):
            raise IllegalOperationError(
                f"{state.model}: version {situation.version} is not under watch, so no monitor "
                "takes it back"
            )


def _roll_back(
    ledger: Ledger,
    action: MonitoringAction,
    landed: Landed,
    id: str,
    requester: str,
    is_automatic: bool,
    now: datetime,
) -> Recorded:
    """Put the former version back, unless a person must or somebody moved production since."""
    situation = action.evidence.situation
    target = situation.parent
    state = ledger.state()
    if target is None or f"{id}{_ROLLBACK_STEP}" in state.txns:
        return Recorded(landed, target, action.reason)
    if not is_automatic:
        note = f"a person must: warrant rollback {state.model} --to {target}; {action.reason}"
        return Recorded(landed, None, note)
    if (state.production, state.moved) != (situation.version, situation.moved):
        return Recorded(landed, None, f"production was moved meanwhile; {action.reason}")
    ledger.append(
        "rollback",
        Rollback(to=target, reason=action.reason[:2000], actor=requester),
        txn=f"{id}{_ROLLBACK_STEP}",
        actor=requester,
        now=now,
    )
    return Recorded(landed, target, action.reason)
