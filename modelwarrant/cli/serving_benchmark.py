"""The command that compares our prediction service with others: benchmark serving."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from modelwarrant.cli.options import JsonOption, answer_json
from modelwarrant.errors import PermanentError

__all__ = ["serving"]

_ROOT = Path(__file__).resolve().parents[2]


def serving(
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Length of a load.")] = 4.0,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="SERVER",
            help="modelwarrant, fastapi, mlserver, bentoml or mlflow (again).",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="MODEL", help="logistic, forest or boosting (again)."),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of the other servers' environments.")
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the environments, measure nothing.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="File for the results, JSON; adds to what it holds."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare requests a second with FastAPI, MLServer, BentoML and mlflow, side by side.

    Needs wrk, and a network on the first run; from a source tree only. Takes about ten minutes, or
    less a piece: runs with one --out are joined.
    """
    program = _ROOT / "ci" / "benchmark_serving.py"
    if not program.exists():
        raise PermanentError(f"{program} is not there: run this in a checkout of the project")
    arguments = ["--seconds", str(seconds)]
    for name in only or ():
        arguments += ["--only", name]
    for name in model or ():
        arguments += ["--model", name]
    if prepare:
        arguments += ["--prepare"]
    if cache is not None:
        arguments += ["--cache", str(cache.absolute())]
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json" if to is None else to.absolute()
        command = [sys.executable, "-m", "ci.benchmark_serving", *arguments, "--json", str(found)]
        done = subprocess.run(  # noqa: S603 - our own program
            command, cwd=_ROOT, check=False, stdout=sys.stderr if as_json else None
        )
        if done.returncode:
            raise typer.Exit(done.returncode)
        if as_json and found.exists():
            answer_json(json.loads(found.read_text()))
