"""Read one window of a source, typed by the contract."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from modelwarrant.canonical import digest_json
from modelwarrant.errors import ChangedDataError, WindowError
from modelwarrant.sources import read_window, save_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.windows import (
    FeatureSchema,
    Window,
    is_whole_seasons,
    parse_bounds,
    previous_season,
    span_of,
)


def ingest(task: Task) -> None:
    """Read the window, and refuse a source other than the caller saw."""
    window, ref = read_window(
        task.parameter("source"),
        FeatureSchema.model_validate(task.parameter("contract")),
        parse_bounds(task.parameter("bounds")),
        base=Path(task.parameter("base")),
        final=task.parameter("final"),
    )
    seen = task.parameter("data_digest")
    found = digest_json([file.digest for file in ref.files])
    if seen and seen != found:
        raise ChangedDataError(
            f"source {ref.source}: its bytes changed since the run was asked for "
            f"({seen} then, {found} now); start the run again"
        )
    save_window(task.output("window"), window)
    save_window(task.output("history"), _history(task, window))
    task.write("window_ref", ref)
    task.set("digest", ref.window_digest)


def _history(task: Task, window: Window) -> Window:
    """Read the rows before at the same place of the season, as far as the source holds them."""
    nothing = window.take(np.zeros(0, dtype=np.int64))
    period = timedelta(seconds=task.parameter("season_s"))
    if not period or window.schema.time is None:
        return nothing
    span = span_of(window)
    if is_whole_seasons(*span, period):
        return nothing
    try:
        earlier, _ = read_window(
            task.parameter("source"),
            window.schema,
            previous_season(*span, period),
            base=Path(task.parameter("base")),
            final=task.parameter("final"),
        )
    except WindowError:  # no row lies there
        return nothing
    return earlier


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("ingest_window", ingest, argv)


if __name__ == "__main__":
    sys.exit(main())
