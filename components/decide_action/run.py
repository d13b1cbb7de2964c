"""Decide: nothing, label, retrain, hold or roll back."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelwarrant.bundle import Bundle, read_bundle
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import DataError
from modelwarrant.monitoring import action_of
from modelwarrant.monitoring.assessing import (
    Answered,
    Candidates,
    Seen,
    assess,
    in_time,
    sample_text,
)
from modelwarrant.records import (
    DriftReport,
    LabelCounts,
    PerformanceEstimate,
    PredictionLog,
    WindowRef,
)
from modelwarrant.reports import monitor_page
from modelwarrant.sources import load_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.presence import read_bundle_if_any
from modelwarrant.windows import Predictions, Window, split


def work(task: Task) -> None:
    """Let both models answer, weigh what was seen, and ask the table."""
    production = read_bundle(task.path("production"))
    parent = read_bundle_if_any(task.path("parent"))
    labelled = _answered(load_window(task.path("labelled")), production, parent)
    candidates = _candidates(task, production)
    drift = DriftReport.from_bytes(task.path("drift_report").read_bytes(), name="drift_report")
    log = PredictionLog.from_bytes(task.path("prediction_log").read_bytes(), name="prediction_log")
    counts = task.path("label_counts").read_bytes()
    evidence, asked = assess(
        Seen(
            log=log,
            labels=LabelCounts.model_validate_json(counts),
            drift=drift,
            labelled=labelled,
            labelled_keys=_keys(task.path("labelled_rows")),
            reference=_answered(_unseen(task), production, parent),
            candidates=candidates,
            version_digest=production.digest,
            parent_digest=None if parent is None else parent.digest,
            estimate=PerformanceEstimate.from_bytes(
                task.path("estimate").read_bytes(), name="estimate"
            ),
            expected=_expected(task.path("expected")),
        )
    )
    action, text = action_of(evidence), ""
    if action.action == "label" and asked is not None:
        text = sample_text(candidates, asked)
        evidence = evidence.model_copy(update={"sample_digest": digest_bytes(text.encode())})
        action = action_of(evidence)
    task.write("action", action)
    task.write("sample", text)
    task.write("page", monitor_page(action, drift))
    task.set("act", action.action)


def _answered(window: Window, production: Bundle, parent: Bundle | None) -> Answered:
    """Let both models answer; one that is watched against may be unable to."""
    answers, fault = None, None
    if parent is not None:
        try:
            answers = parent.predict(window)
        except DataError as error:
            fault = f"the version before cannot answer these rows: {error}"
    return Answered(window, production.predict(window), answers, fault)


def _unseen(task: Task) -> Window:
    """Return the reference's final rows, oldest first."""
    ref = WindowRef.from_bytes(task.path("reference_ref").read_bytes(), name="reference_ref")
    final = split(load_window(task.path("reference")), final=ref.final)[1].window
    return final.take(in_time(final))


def _candidates(task: Task, production: Bundle) -> Candidates:
    answers = production.predict(load_window(task.path("window")))
    return Candidates(_keys(task.path("rows")), _scores(answers, production.schema.positive))


def _scores(answers: Predictions, positive: str | None) -> npt.NDArray[np.float64]:
    """Return one number a row that orders the answers."""
    if answers.task == "regression":
        return answers.values
    if positive in answers.classes or len(answers.classes) == 2:
        place = answers.classes.index(positive) if positive in answers.classes else 1
        return np.asarray(answers.values[:, place])
    return np.asarray(answers.values.max(axis=1))


def _expected(path: Path) -> npt.NDArray[np.float64]:
    """Return the expected loss of each row of the window; NaN where there is none."""
    column = pq.read_table(path, use_threads=False).column("expected")
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), dtype=np.float64)


def _keys(path: Path) -> list[tuple[str, int]]:
    table = pq.read_table(path, columns=["request_id", "row"], use_threads=False)
    return list(
        zip(table.column("request_id").to_pylist(), table.column("row").to_pylist(), strict=True)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("decide_action", work, argv)


if __name__ == "__main__":
    sys.exit(main())
