"""Fetch what is in production, the window that made it, and what the ledger says."""

import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from modelwarrant.bundle import read_bundle
from modelwarrant.records import ModelManifest, WindowRef
from modelwarrant.registry import LaptopHome, Ledger, State, history_record
from modelwarrant.registry.overdue import duties_of
from modelwarrant.sources import read_ref, read_window, save_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.stores import open_told_store
from modelwarrant.stage.versions import write_version
from modelwarrant.storage import ObjectStore
from modelwarrant.windows import FeatureSchema, Window, parse_bounds

_NONE_YET = "no version has been promoted yet"


def fetch(task: Task) -> None:
    """Read the ledger, then the bundles and the reference window that it leads to."""
    model = task.parameter("model")
    store = open_told_store(task.parameter("store"))
    pin = LaptopHome(task.settings.home).pin(store.uri, model)
    genesis = task.settings.genesis if pin is None else pin.genesis
    state = Ledger(store, model, pinned_genesis=genesis).state()
    production, anchor = state.production_version, state.anchor_version
    for name, version in (("production", production), ("anchor", anchor)):
        write_version(task.output(name), store, state, version, absent=_NONE_YET)
    window, ref = _first_reference(task) if production is None else _its_window(task)
    save_window(task.output("reference"), window)
    task.write("reference_ref", ref)
    task.write("history", history_record(state, model, overdue=_overdue(task, store, state)))
    task.set("digest", ref.window_digest)


def _overdue(task: Task, store: ObjectStore, state: State) -> tuple[str, ...]:
    """Say what is overdue: it bars a promotion without a person."""
    review_by = task.parameter("review_by")
    every = task.parameter("monitor_every_s")
    return duties_of(
        store,
        state,
        review_by=date.fromisoformat(review_by) if review_by else None,
        monitor_every=timedelta(seconds=every) if every else None,
        now=task.now,
    ).overdue


def _first_reference(task: Task) -> tuple[Window, WindowRef]:
    """Read the reference window that the project file names."""
    return read_window(
        task.parameter("source"),
        FeatureSchema.model_validate(task.parameter("contract")),
        parse_bounds(task.parameter("bounds")),
        base=Path(task.parameter("base")),
        final=task.parameter("final"),
    )


def _its_window(task: Task) -> tuple[Window, WindowRef]:
    """Read the production model's current window again; it must be the one its manifest names."""
    bundle = read_bundle(task.output("production"))
    manifest: ModelManifest = bundle.manifest
    base = Path(task.parameter("base"))
    contract = FeatureSchema.model_validate(task.parameter("contract"))
    recorded = manifest.current
    if contract.digest == recorded.schema_digest:
        return read_ref(recorded, contract, base=base), recorded
    # The project's columns changed since: the rows must be those that were recorded, and are then
    # typed as the project says now.
    read_ref(recorded, bundle.declared_schema, base=base)
    return read_window(
        recorded.source, contract, parse_bounds(recorded.bounds), base=base, final=recorded.final
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("fetch_production", fetch, argv)


if __name__ == "__main__":
    sys.exit(main())
