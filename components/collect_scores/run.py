"""Put every score into one table, one summary and one page."""

import sys
from collections.abc import Sequence

import pyarrow.parquet as pq

from modelwarrant.backtest import scores_table, summarise
from modelwarrant.records import BacktestScore
from modelwarrant.reports import backtest_page
from modelwarrant.stage import Task, run_stage


def collect(task: Task) -> None:
    """Read every score, whatever the order in which they ended, and write the results."""
    scores = [
        BacktestScore.from_bytes(path.read_bytes(), name=f"score {number}")
        for number, path in enumerate(task.paths("scores"))
    ]
    summary = summarise(scores)
    pq.write_table(scores_table(scores), task.output("table"), compression="zstd")
    task.write("summary", summary)
    task.write("page", backtest_page(summary))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("collect_scores", collect, argv)


if __name__ == "__main__":
    sys.exit(main())
