"""Draw a stream whose shift is known."""

import sys
from collections.abc import Sequence

from modelwarrant.simulation import parse_scenario, simulate
from modelwarrant.sources import save_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.windows import window_digest


def draw(task: Task) -> None:
    """Draw the stream and write it beside its truth."""
    scenario = parse_scenario(task.parameter("scenario"), onset=task.parameter("onset"))
    stream, truth = simulate(scenario, rows=task.parameter("rows"), seed=task.parameter("seed"))
    save_window(task.output("stream"), stream)
    task.write("truth", truth)
    task.set("digest", window_digest(stream))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("simulate_stream", draw, argv)


if __name__ == "__main__":
    sys.exit(main())
