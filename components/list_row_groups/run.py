"""Say which parts a large window has, and along which edges all of them are counted."""

import sys
from collections.abc import Sequence

from modelwarrant.profiles import profile_window
from modelwarrant.sources import load_row_group, row_groups
from modelwarrant.stage import Task, run_stage


def plan(task: Task) -> None:
    """Read the file's footer and its first row group."""
    sizes = row_groups(task.path("window"))
    first = profile_window(load_row_group(task.path("window"), 0))
    task.write("edges", first.to_bytes().decode())
    task.set("groups", list(range(len(sizes))))
    task.set("rows", str(sum(sizes)))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("list_row_groups", plan, argv)


if __name__ == "__main__":
    sys.exit(main())
