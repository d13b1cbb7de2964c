"""``warrant drift`` on two tables, as a person types it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from typer.testing import CliRunner, Result

from modelwarrant.cli.app import app

__all__ = ["drift_command", "drift_json", "warrant"]


def warrant(*arguments: str) -> tuple[int, str]:
    """Run the command in a process of its own; return its exit code and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "modelwarrant", *arguments], capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def drift_command(folder: Path, reference: Any, current: Any, *arguments: str) -> Result:
    """Write both tables as Parquet and compare them."""
    files = []
    for name, table in (("reference", reference), ("current", current)):
        files.append(folder / f"{name}.parquet")
        pd.DataFrame(table).to_parquet(files[-1], index=False)
    names = [str(path) for path in files]
    return CliRunner().invoke(app, ["drift", *names, *arguments], catch_exceptions=False)


def drift_json(folder: Path, reference: Any, current: Any, *arguments: str) -> dict[str, Any]:
    """Return the document that the command writes."""
    result = drift_command(folder, reference, current, *arguments, "--json")
    assert 0 == result.exit_code, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document
