"""Ask the policy whether the candidate may replace what is in production."""

import sys
from collections.abc import Sequence

from modelwarrant import policy
from modelwarrant.reports import run_page
from modelwarrant.stage import Task, run_stage


def decide(task: Task) -> None:
    """Decide, and draw the page of the run."""
    rules = policy.load(task.parameter("policy").encode(), name="policy")
    files = {
        "drift_report.json": task.path("drift_report"),
        "evaluation_report.json": task.path("evaluation_report"),
        "validation_report.json": task.path("validation_report"),
        "manifest.json": task.path("candidate") / "manifest.json",
        "history.json": task.path("history"),
    }
    documents = vars(
        policy.read_documents({name: path.read_bytes() for name, path in files.items()})
    )
    decision = policy.decide(rules, **documents)
    task.write("decision", decision)
    task.write("page", run_page(decision, **documents))
    task.set("verdict", decision.verdict)
    task.set("rule", decision.rule)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("decide_promotion", decide, argv)


if __name__ == "__main__":
    sys.exit(main())
