"""Estimate production's loss on the window, whose labels are not known yet."""

import sys
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from modelwarrant.bundle import read_bundle
from modelwarrant.estimation import Answered, estimate_performance
from modelwarrant.records import DriftReport, PredictionLog, WindowRef
from modelwarrant.sources import load_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.windows import split


def work(task: Task) -> None:
    """Let production answer both windows; write what it is expected to lose on the newer one."""
    production = read_bundle(task.path("production"))
    ref = WindowRef.from_bytes(task.path("reference_ref").read_bytes(), name="reference_ref")
    unseen = split(load_window(task.path("reference")), final=ref.final)[1].window
    window = load_window(task.path("window"))
    drift = DriftReport.from_bytes(task.path("drift_report").read_bytes(), name="drift_report")
    log = PredictionLog.from_bytes(task.path("prediction_log").read_bytes(), name="prediction_log")
    found = estimate_performance(
        Answered(unseen, production.predict(unseen)),
        Answered(window, production.predict(window)),
        drift,
        metric=log.situation.metric,
        production_digest=production.digest,
        objective=log.situation.thresholds.slo,
        effect=log.situation.thresholds.effect,
    )
    task.write("estimate", found.record)
    rows = pa.table({"expected": pa.array(found.rows, from_pandas=True)})
    pq.write_table(rows, task.output("expected"), compression="zstd")
    task.set("level", found.record.level)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("estimate_performance", work, argv)


if __name__ == "__main__":
    sys.exit(main())
