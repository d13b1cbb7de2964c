"""Add the profiles of a window's parts."""

import sys
from collections.abc import Sequence

from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import DataError
from modelwarrant.profiles import WindowProfile, add_profiles
from modelwarrant.stage import Task, run_stage


def merge(task: Task) -> None:
    """Add, and refuse a sum that lacks a part."""
    parts = [
        WindowProfile.from_bytes(path.read_bytes(), name=f"profile {number}")
        for number, path in enumerate(task.paths("profiles"))
    ]
    expected = int(task.parameter("rows"))
    found = sum(part.rows for part in parts)
    if found != expected:
        raise DataError(
            f"{len(parts)} profiles hold {found:,} rows, the window has {expected:,}: "
            "a part is missing or stands twice"
        )
    whole = add_profiles(parts).to_bytes()
    task.write("profile", whole.decode())
    task.set("digest", digest_bytes(whole))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("merge_profiles", merge, argv)


if __name__ == "__main__":
    sys.exit(main())
