"""What does a monitoring pass cost where many predictions are logged?

The log is written by the service's own code and read by the command that anybody types. Memory is
that of all processes of a pass together, shared pages counted once.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from modelwarrant.cli.measuring import Figure
from modelwarrant.cli.monitoring import EXITS
from modelwarrant.cli.season_weeks import AS_LEARNT, BATCH, MODEL, Weeks
from modelwarrant.errors import WarrantError

__all__ = ["measure_passes"]

WEEK_ROWS: Final = 20_000
"""What the service holds at most before it writes."""

_PASS_S: Final = 20.0
_AGAIN_S: Final = 1.0
_MEMORY_MB: Final = 400.0
_EVERY_S: Final = 0.05


def measure_passes(predictions: int, *, show: Callable[[str], None]) -> Iterator[Figure]:
    """Log so many predictions in a folder of its own, and monitor them twice.

    Args:
        predictions: rounded up to whole weeks of 20,000.
        show: told a line of progress.
    """
    with tempfile.TemporaryDirectory(prefix="warrant-benchmark-") as folder:
        rows = min(WEEK_ROWS, -(-predictions // BATCH) * BATCH)
        count = -(-predictions // rows)
        weeks = Weeks(Path(folder) / "season", rows=rows, is_quiet=True)
        weeks.first_model()
        with weeks.service():
            for week in range(count):
                weeks.live(AS_LEARNT, labelled=0.2 if week == count - 1 else 0.0)
        show(f"{count * rows:,} predictions are logged")
        took, memory = _pass(weeks)
        again, _ = _pass(weeks)
    what = f"one pass over {count * rows:,} logged predictions"
    yield Figure(what, took, "s", f"at most {_PASS_S:g}", took <= _PASS_S)
    if memory is not None:
        yield Figure("its memory", memory, "MB", f"at most {_MEMORY_MB:g}", memory <= _MEMORY_MB)
    yield Figure("a pass over nothing new", again, "s", f"at most {_AGAIN_S:g}", again <= _AGAIN_S)


def _pass(weeks: Weeks) -> tuple[float, float | None]:
    """Make a pass as a command; return its seconds, and its most MB where Linux tells them."""
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "modelwarrant", "monitor", MODEL, "--no-start"],
        cwd=weeks.typist.folder,
        env=weeks.typist.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    most = 0
    while process.poll() is None:
        most = max(most, _resident_kb(process.pid))
        time.sleep(_EVERY_S)
    took = time.monotonic() - started
    if process.returncode not in EXITS.values():
        raise WarrantError(
            f"the benchmark stopped: `warrant monitor` ended with {process.returncode}"
        )
    return took, most / 1024 if most else None


def _resident_kb(session: int) -> int:
    """Return the proportional set size of a session's processes together; 0 where none is told."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) != session:
                continue
            lines = (folder / "smaps_rollup").read_text().splitlines()
        except OSError:  # it has ended
            continue
        found += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return found
