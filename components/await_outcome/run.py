"""Return how the request ended; without an outcome end with 75, to be tried again."""

import sys
from collections.abc import Sequence

from gate.requests import get
from modelwarrant.errors import WaitingError
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.stores import open_told_store


def await_outcome(task: Task) -> None:
    """Read the request; the gate alone writes its outcome."""
    found = get(open_told_store(task.parameter("store")), task.parameter("request"))
    if found.outcome is None:
        raise WaitingError(f"request {found.id} waits for a decision", retry_after_s=30)
    task.set("outcome", found.outcome)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("await_outcome", await_outcome, argv)


if __name__ == "__main__":
    sys.exit(main())
