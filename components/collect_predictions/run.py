"""Take the newest predictions of the version in production from the log."""

import sys
from collections.abc import Sequence

import pyarrow.parquet as pq

from gate.acting import ACTION_FILE
from gate.requests import list_requests
from gate.situation import name_of_pass, production_of, situation_of
from modelwarrant.bundle import read_bundle
from modelwarrant.errors import BusyError, RecordError
from modelwarrant.monitoring import is_degraded, is_drifting
from modelwarrant.records import MonitoringAction, MonitoringThresholds, PredictionLog, Situation
from modelwarrant.registry import LaptopHome, Ledger, State, read_blob
from modelwarrant.registry.acts import acts
from modelwarrant.sources import save_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.stores import open_told_store
from modelwarrant.stage.versions import write_version
from modelwarrant.storage import ObjectStore
from modelwarrant.telemetry import LogReader, collect, window_of
from modelwarrant.telemetry.log import KEYS
from modelwarrant.windows import window_digest


def work(task: Task) -> None:
    """Read the ledger and the log; write the window and what it was taken from."""
    model = task.parameter("model")
    store = open_told_store(task.parameter("store"))
    pin = LaptopHome(task.settings.home).pin(store.uri, model)
    genesis = task.settings.genesis if pin is None else pin.genesis
    state = Ledger(store, model, pinned_genesis=genesis).state()
    version = production_of(state)
    bundle = read_bundle(task.path("production"))
    if bundle.digest != version.digest:
        raise BusyError(f"{model}: production moved while this pass began; try again")
    situation, keys = situation_of(
        store,
        state,
        open_run=_open_run(task, store, model),
        metric=task.parameter("metric"),
        thresholds=MonitoringThresholds.model_validate(task.parameter("thresholds")),
        now=task.now,
    )
    found = collect(
        LogReader(store, keys),
        version=version.number,
        known={number: each.is_tombstoned for number, each in state.versions.items()},
        rows=situation.thresholds.window_rows,
        now=task.now,
    )
    window = window_of(found.table, bundle.declared_schema)
    was_drifting, was_degraded = _before(store, state, situation)
    log = PredictionLog(
        situation=situation,
        keys=keys,
        counts=found.counts,
        window_digest=window_digest(window),
        was_drifting=was_drifting,
        was_degraded=was_degraded,
    )
    save_window(task.output("window"), window)
    pq.write_table(found.table.select(list(KEYS)), task.output("rows"), compression="zstd")
    parent = None if situation.parent is None else state.versions[situation.parent]
    write_version(task.output("parent"), store, state, parent, absent="no version is watched")
    task.write("prediction_log", log)
    task.set("digest", log.window_digest)


def _open_run(task: Task, store: ObjectStore, model: str) -> str | None:
    """Return a promotion of this model that waits, on the cluster or in the store."""
    gate = task.parameter("gate")
    if gate:
        from gate.asking import waiting_run
        from gate.cluster import Cluster

        return waiting_run(Cluster.connect(gate), model)
    waiting = list_requests(store, model=model, waiting_only=True)
    return next((f"request {each.id}" for each in waiting if each.operation == "promote"), None)


def _before(store: ObjectStore, state: State, situation: Situation) -> tuple[bool, bool]:
    """Return whether the last action about this version saw drift, and a degradation."""
    this_pass = name_of_pass(situation)
    for acted in acts(store, state):
        blobs = [blob for blob in acted.act.blobs if blob.name == ACTION_FILE]
        if this_pass in acted.request or not blobs or acted.act.attempt is None:
            continue
        data = read_blob(store, state.model, acted.act.attempt, blobs[0])
        try:
            seen = MonitoringAction.from_bytes(data, name=ACTION_FILE).evidence
        except RecordError:  # of another version of modelwarrant
            return False, False
        if seen.situation.moved != situation.moved:
            return False, False
        return is_drifting(seen), is_degraded(seen)
    return False, False


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("collect_predictions", work, argv)


if __name__ == "__main__":
    sys.exit(main())
