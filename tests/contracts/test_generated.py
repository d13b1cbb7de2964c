"""Committed generated files are what their sources give today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_compiled_pipelines_are_current() -> None:
    """The golden IR equals a fresh compilation; ``make generated`` writes it again."""
    result = subprocess.run(
        [sys.executable, str(ROOT / "ci" / "check_generated.py")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == result.returncode, result.stderr
