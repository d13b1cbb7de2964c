"""The benchmark of the stated figure runs, and prints what it measures."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "ci" / "benchmark_drift.py"


def test_the_benchmark_prints_its_table() -> None:
    """On few rows the figure means nothing, so only the table is looked at."""
    done = subprocess.run(
        [sys.executable, PROGRAM, "--rows", "3000", "--columns", "4", "--repeats", "1"],
        capture_output=True,
        text=True,
    )

    assert "" == done.stderr
    assert done.returncode in (0, 1)
    for step in ("read of both windows", "profiles, D1, D2", "D3", "duplicates", "digests"):
        assert step in done.stdout
