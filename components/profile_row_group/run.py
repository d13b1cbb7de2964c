"""Count one part of a large window."""

import sys
from collections.abc import Sequence

from modelwarrant.profiles import WindowProfile, profile_window
from modelwarrant.sources import load_row_group
from modelwarrant.stage import Task, run_stage


def count(task: Task) -> None:
    """Read one row group and count it along the edges that all parts share."""
    shared = WindowProfile.from_bytes(task.path("edges").read_bytes(), name="edges")
    part = load_row_group(task.path("window"), task.parameter("group"))
    task.write("profile", profile_window(part, edges=shared.edges).to_bytes().decode())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("profile_row_group", count, argv)


if __name__ == "__main__":
    sys.exit(main())
