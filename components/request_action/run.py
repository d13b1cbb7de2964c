"""Hand the evidence in, ask the cluster's gate to record the action, and draw the model's life."""

import sys
from collections.abc import Sequence

from gate.acting import ACTION_FILE, place_of
from gate.life import life_of, read_entries
from gate.packages import hand_in
from gate.situation import name_of_pass
from modelwarrant.records import MonitoringAction
from modelwarrant.registry import LaptopHome, Ledger
from modelwarrant.reports import life_page
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.stores import open_told_store
from modelwarrant.storage import ObjectStore


def work(task: Task) -> None:
    """Write the evidence, the action last; a pass that was killed finds what it wrote."""
    model = task.parameter("model")
    store = open_told_store(task.parameter("store"))
    action = MonitoringAction.from_bytes(task.path("action").read_bytes(), name="action")
    name = f"act-{name_of_pass(action.evidence.situation)}"
    action = _hand_in(task, store, place_of(model, name), action)
    gate = task.parameter("gate")
    if gate:
        from gate.asking import ask_to_act
        from gate.cluster import Cluster

        ask_to_act(Cluster.connect(gate), action, name=name, now=task.now)
    task.write("life", _life(task, store, action))
    task.set("request", name)


def _life(task: Task, store: ObjectStore, action: MonitoringAction) -> str:
    """Return the page of the model's life, this pass the last event of it."""
    pin = LaptopHome(task.settings.home).pin(store.uri, action.model)
    genesis = task.settings.genesis if pin is None else pin.genesis
    ledger = Ledger(store, action.model, pinned_genesis=genesis)
    state = ledger.state()
    life = life_of(
        store,
        action.model,
        read_entries(ledger.entries()),
        mode=state.mode,
        pages={},
        also=(action, task.now),
    )
    return life_page(life)


def _hand_in(
    task: Task, store: ObjectStore, place: str, action: MonitoringAction
) -> MonitoringAction:
    """Return the action that lies there: an earlier try of this pass may have handed it in."""
    earlier = store.get(f"{place}{ACTION_FILE}")
    if earlier is not None:
        return MonitoringAction.from_bytes(earlier, name=f"{place}{ACTION_FILE}")
    files = {"drift_report.json": task.path("drift_report").read_bytes()}
    if action.evidence.sample_digest is not None:
        files["sample.csv"] = task.path("sample").read_bytes()
    hand_in(store, place, files)
    hand_in(store, place, {ACTION_FILE: action.to_bytes()})
    return action


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("request_action", work, argv)


if __name__ == "__main__":
    sys.exit(main())
