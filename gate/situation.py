"""What would a monitoring pass look at now, and was it looked at already?

A situation is made of the ledger, the keys of immutable objects, and facts about time; nothing of
it is read row by row. Its digest names the pass, and so the entry that the pass makes: the same
situation is recorded once, however often and wherever a pass is killed.
"""

from datetime import datetime

from gate.acting import is_cooling_down, is_watched
from modelwarrant import __version__
from modelwarrant.errors import UnknownModelError
from modelwarrant.records import MonitoringThresholds, Situation
from modelwarrant.registry import State, Version
from modelwarrant.storage import ObjectStore
from modelwarrant.telemetry import keys_digest, label_keys, log_keys

__all__ = ["keys_of_log", "name_of_pass", "production_of", "situation_of"]


def situation_of(
    store: ObjectStore,
    state: State,
    *,
    open_run: str | None,
    metric: str,
    thresholds: MonitoringThresholds,
    now: datetime,
) -> tuple[Situation, tuple[str, ...]]:
    """Return the situation, and the keys of the log that belong to it.

    Args:
        store: of ledger, log and labels.
        state: the ledger's verified fold.
        open_run: a request of the model that waits; None where none does.
        metric: of the losses.
        thresholds: of the monitor.
        now: decides about cooldown and watch.

    Raises:
        UnknownModelError: nothing is in production.
    """
    version = production_of(state)
    keys = keys_of_log(store, version, state.model)
    watched = is_watched(store, state, thresholds, now=now)
    situation = Situation(
        model=state.model,
        version=version.number,
        moved=state.moved,
        parent=version.parent if watched else None,
        is_watched=watched,
        cooldown=is_cooling_down(store, state, thresholds, now=now),
        open_run=open_run,
        log_digest=keys_digest(keys),
        labels_digest=keys_digest(label_keys(store, state.model)),
        thresholds=thresholds,
        metric=metric,
        day=now.date().isoformat(),
        engine_version=__version__,
    )
    return situation, keys


def keys_of_log(store: ObjectStore, version: Version, model: str) -> tuple[str, ...]:
    """Return the keys of the log since a version could have answered."""
    return log_keys(store, model, since=datetime.fromisoformat(version.time))


def name_of_pass(situation: Situation) -> str:
    """Return the id of the request that a pass over this situation makes."""
    return situation.digest.removeprefix("sha256:")[:16]


def production_of(state: State) -> Version:
    """Return what is in production.

    Raises:
        UnknownModelError: nothing is.
    """
    version = state.production_version
    if version is None:
        raise UnknownModelError(f"{state.model} has nothing in production yet; nothing to monitor")
    return version
