"""Ask the policy whether the candidate may replace what is in production."""

import sys
from collections.abc import Sequence

from modelwarrant import policy
from modelwarrant.records import (
    DriftReport,
    EvaluationReport,
    History,
    ModelManifest,
    ValidationReport,
)
from modelwarrant.reports import run_page
from modelwarrant.stage import Task, run_stage


def decide(task: Task) -> None:
    """Decide, and draw the page of the run."""
    rules = policy.load(task.parameter("policy").encode(), name="policy")
    documents = {
        "manifest": ModelManifest.from_bytes(
            (task.path("candidate") / "manifest.json").read_bytes(), name="manifest"
        ),
        "drift": DriftReport.from_bytes(task.path("drift_report").read_bytes(), name="drift"),
        "evaluation": EvaluationReport.from_bytes(
            task.path("evaluation_report").read_bytes(), name="evaluation"
        ),
        "validation": ValidationReport.from_bytes(
            task.path("validation_report").read_bytes(), name="validation"
        ),
        "history": History.from_bytes(task.path("history").read_bytes(), name="history"),
    }
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
