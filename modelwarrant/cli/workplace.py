"""How does one process at a time work in a model's folder, and what is kept there?"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from modelwarrant.errors import BusyError

__all__ = ["hold_lock", "prune"]

_KEPT_RUNS: Final = 3
"""Runs whose stages' outputs are kept; older ones are removed after a run."""


@contextmanager
def hold_lock(folder: Path, *, what: str) -> Iterator[None]:
    """Hold the model's lock; the kernel lets go of it when this process ends, however it ends.

    Raises:
        BusyError: another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BusyError(f"another {what} is at work (process {holder}); wait for it") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def prune(work: Path) -> None:
    """Remove stages' outputs that none of the newest runs used."""
    stages = work / "stages"
    folders = sorted(stages.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    seen: dict[str, int] = {}
    for folder in folders:
        task = folder.name.rpartition("-")[0]
        seen[task] = seen.get(task, 0) + 1
        if seen[task] > _KEPT_RUNS:
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)
