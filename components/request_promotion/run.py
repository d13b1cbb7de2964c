"""Hand candidate and evidence in, and ask the gate."""

import sys
from collections.abc import Mapping, Sequence

from gate.packages import submit
from modelwarrant.policy import read_documents
from modelwarrant.records import BUNDLE_FILES, Decision, PromotionRequest
from modelwarrant.registry import LaptopHome, Ledger
from modelwarrant.reports import run_page
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.stores import open_told_store

EVIDENCE = ("decision", "drift_report", "evaluation_report", "validation_report", "history")


def request(task: Task) -> None:
    """Read the package together, submit it, and draw the page with the command that approves it."""
    model = task.parameter("model")
    files = {f"{name}.json": task.path(name).read_bytes() for name in EVIDENCE}
    files |= {name: (task.path("candidate") / name).read_bytes() for name in BUNDLE_FILES}
    files["policy.json"] = task.parameter("policy").encode()
    gate = task.parameter("gate")
    asked = _ask_cluster(task, files, gate) if gate else _ask_store(task, files, model)
    decision = Decision.from_bytes(files["decision.json"], name="decision.json")
    documents = vars(read_documents(files))
    task.write("page", run_page(decision, **documents, request=asked, approvals=asked.approvals))
    task.set("request", asked.id)


def _ask_store(task: Task, files: Mapping[str, bytes], model: str) -> PromotionRequest:
    store = open_told_store(task.parameter("store"))
    pin = LaptopHome(task.settings.home).pin(store.uri, model)
    genesis = task.settings.genesis if pin is None else pin.genesis
    return submit(
        store,
        Ledger(store, model, pinned_genesis=genesis).state(),
        run=task.parameter("run"),
        requester=task.parameter("requester"),
        files=files,
        now=task.now,
    )


def _ask_cluster(task: Task, files: Mapping[str, bytes], gate: str) -> PromotionRequest:
    from gate.asking import ask_gate
    from gate.cluster import Cluster

    return ask_gate(
        Cluster.connect(gate),
        open_told_store(task.parameter("store")),
        files=files,
        run=task.parameter("run"),
        uid=task.parameter("uid"),
        workflow=task.parameter("workflow"),
        now=task.now,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("request_promotion", request, argv)


if __name__ == "__main__":
    sys.exit(main())
