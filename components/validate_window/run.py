"""Hold a window against its contract."""

import shutil
import sys
from collections.abc import Sequence

from modelwarrant.contract import check
from modelwarrant.errors import ChangedDataError
from modelwarrant.records import WindowRef
from modelwarrant.sources import load_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.windows import window_digest


def validate(task: Task) -> None:
    """Check digest and contract, and pass the rows on."""
    window = load_window(task.path("window"))
    ref = WindowRef.from_bytes(task.path("window_ref").read_bytes(), name="window_ref")
    found = window_digest(window)
    if found != task.parameter("digest"):
        raise ChangedDataError(
            f"window {ref.bounds} of {ref.source}: its rows have the digest {found}, "
            f"but {task.parameter('digest')} was ingested; run again"
        )
    task.write("validation_report", check(window, ref))
    shutil.copyfile(task.path("window"), task.output("validated"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("validate_window", validate, argv)


if __name__ == "__main__":
    sys.exit(main())
