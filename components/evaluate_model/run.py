"""Score candidate and production again on the same final rows of both windows."""

import sys
from collections.abc import Sequence

from modelwarrant import evaluation, policy
from modelwarrant.bundle import Bundle, read_bundle
from modelwarrant.evaluation import Scored
from modelwarrant.records import EvaluationReport, History
from modelwarrant.reports import evaluation_page
from modelwarrant.sources import load_final, load_training
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.presence import read_bundle_if_any
from modelwarrant.windows import FinalSplit


def evaluate(task: Task) -> None:
    """Load each bundle, predict on both final splits, compare."""
    current = load_final(task.path("current_final"))
    reference = load_final(task.path("reference_final"))
    train = load_training(task.path("current_train"))
    candidate = read_bundle(task.path("candidate"))
    production = read_bundle_if_any(task.path("production"))
    anchor = read_bundle_if_any(task.path("anchor"))
    rules = policy.load(task.parameter("policy").encode(), name="policy")
    history = History.from_bytes(task.path("history").read_bytes(), name="history")
    metric = task.parameter("metric")
    report = evaluation.compare(
        current,
        reference,
        candidate=_score(candidate, current, reference),
        production=None if production is None else _score(production, current, reference),
        anchor=None if anchor is None else _score(anchor, current, reference),
        trivial=Scored(
            digest="trivial",
            current=evaluation.trivial(train, current, metric),
            reference=evaluation.trivial(train, reference, metric),
        ),
        metric=metric,
        alpha=policy.alpha_for(
            rules, history, candidate.digest, own=candidate.manifest.train == "own"
        ),
        margin_non_inferiority=rules.thresholds.margin_ni,
        margin_slices=rules.thresholds.margin_slices,
        slices=task.parameter("slices"),
        policy_digest=rules.digest,
    )
    _write(task, report)


def _score(bundle: Bundle, current: FinalSplit, reference: FinalSplit) -> Scored:
    return Scored(
        digest=bundle.digest,
        current=bundle.predict(current.window),
        reference=bundle.predict(reference.window),
    )


def _write(task: Task, report: EvaluationReport) -> None:
    task.write("evaluation_report", report)
    task.write("page", evaluation_page(report))
    task.output("metrics").touch()
    for value in report.metrics:
        if value.window == "current" and value.candidate is not None:
            task.annotate("metrics", **{f"candidate_{value.name}": value.candidate})
        if value.window == "current" and value.baseline is not None:
            task.annotate("metrics", **{f"baseline_{value.name}": value.baseline})
    gain = report.current.gain
    low, high = ("?" if bound is None else f"{bound:.4g}" for bound in (gain.lower, gain.upper))
    task.set("gain", f"{gain.estimate:.4g} in [{low}, {high}]")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("evaluate_model", evaluate, argv)


if __name__ == "__main__":
    sys.exit(main())
