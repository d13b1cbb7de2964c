"""Bring labels and the predictions they are about together."""

import sys
from collections.abc import Sequence

import pyarrow.parquet as pq

from modelwarrant.bundle import read_bundle
from modelwarrant.canonical import canonical_json
from modelwarrant.records import PredictionLog
from modelwarrant.sources import save_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.stores import open_told_store
from modelwarrant.telemetry import LogReader, join, label_keys, read_statements


def work(task: Task) -> None:
    """Fold the labels, read the log's files again, write the rows that have both."""
    model = task.parameter("model")
    store = open_told_store(task.parameter("store"))
    log = PredictionLog.from_bytes(task.path("prediction_log").read_bytes(), name="prediction_log")
    found = join(
        LogReader(store, log.keys),
        read_statements(store, label_keys(store, model)),
        version=log.situation.version,
        schema=read_bundle(task.path("production")).declared_schema,
    )
    save_window(task.output("labelled"), found.window)
    pq.write_table(found.keys, task.output("labelled_rows"), compression="zstd")
    counts = canonical_json(found.counts.model_dump(mode="json"))
    task.write("label_counts", counts.decode())
    task.set("n_labels", str(found.counts.joined))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("join_labels", work, argv)


if __name__ == "__main__":
    sys.exit(main())
