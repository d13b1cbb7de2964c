"""Return how the request ended; without an outcome end with 75, to be tried again."""

import sys
from collections.abc import Sequence

from gate.requests import get
from modelwarrant.errors import WaitingError
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.stores import open_told_store


def await_outcome(task: Task) -> None:
    """Read the request; the gate alone writes its outcome."""
    request, gate = task.parameter("request"), task.parameter("gate")
    task.set("outcome", _at_cluster(task, request, gate) if gate else _in_store(task, request))


def _in_store(task: Task, request: str) -> str:
    found = get(open_told_store(task.parameter("store")), request)
    if found.outcome is None:
        raise WaitingError(f"request {found.id} waits for a decision", retry_after_s=30)
    return found.outcome


def _at_cluster(task: Task, request: str, gate: str) -> str:
    from gate.asking import outcome_of
    from gate.cluster import Cluster
    from gate.resource import name_of

    cluster = Cluster.connect(gate)
    return outcome_of(cluster, name_of(request), workflow=task.parameter("workflow"), now=task.now)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("await_outcome", await_outcome, argv)


if __name__ == "__main__":
    sys.exit(main())
