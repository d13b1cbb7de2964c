"""How fast is the prediction service beside other servers of the same scikit-learn models?

One machine, one worker each, the same three models (scaler and logistic regression, a forest of 200
full trees, histogram gradient boosting; 30 numbers a row), the same rows, wrk over 16 connections
on loopback. Nothing is asserted: a figure that misses its goal is printed as missed. A run takes
minutes; ``--only`` and ``--model`` measure a part of it, and parts with one ``--json`` file are
joined.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.datasets import make_classification

from ci.load import Server, require_wrk
from ci.rivals.servers import HERE, MODELS, REQUIREMENTS, RIVALS, Rival, environment
from ci.serving_ours import Ours
from ci.serving_table import OURS, table

PORT: Final = 18_700


def main(argv: list[str]) -> int:
    """Measure, print a table, and write JSON where it was asked for."""
    asked = _arguments(argv)
    document = _begun(asked)
    if asked.prepare:
        for name in REQUIREMENTS:
            environment(name, asked.cache)
        return 0
    require_wrk()
    rows, labels = make_classification(5000, 30, n_informative=10, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(rows, labels, folder=Path(folder), port=PORT, seconds=asked.seconds)
        if _is_asked(asked, OURS):
            for model in asked.model:
                print(f"{OURS}, {model} ...", flush=True)
                _add(document, asked, OURS, ours.versions, {model: ours.measure(model)})
        for rival in RIVALS:
            if _is_asked(asked, rival.environment):
                _rival(rival, rows, labels, Path(folder), asked, document)
    print(table(document, MODELS))
    return 0


def _is_asked(asked: argparse.Namespace, name: str) -> bool:
    return not asked.only or name in asked.only


def _begun(asked: argparse.Namespace) -> dict[str, Any]:
    """Return an empty document, or the one of the file that this run adds to.

    Raises:
        SystemExit: its figures cannot stand beside this run's.
    """
    document: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds_a_load": asked.seconds,
        "results": {},
    }
    if asked.json is None or not asked.json.exists():
        return document
    before: dict[str, Any] = json.loads(asked.json.read_text(encoding="utf-8"))
    for name in ("machine", "seconds_a_load"):
        if before.get(name) != document[name]:
            raise SystemExit(
                f"warrant: {asked.json} was measured with {name} {before.get(name)!r}, this run "
                f"has {document[name]!r}: name another file"
            )
    return before


def _add(
    document: dict[str, Any],
    asked: argparse.Namespace,
    name: str,
    versions: dict[str, str],
    found: dict[str, Any],
) -> None:
    """Put what was found by model beside what is known, and write it: a run may be stopped.

    How busy the machine was is noted: a figure among neighbours is not one of a quiet machine.
    """
    held = document["results"].setdefault(name, {})
    held["versions"] = versions
    for model, figures in found.items():
        held[model] = {**figures, "load_average": os.getloadavg()[0]}
    if asked.json is not None:
        text = json.dumps(document, indent=2)
        asked.json.write_text(text + "\n", encoding="utf-8")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="warrant benchmark serving", description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each load")
    parser.add_argument("--only", action="append", choices=(OURS, *REQUIREMENTS))
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--cache", type=Path, default=cache / "modelwarrant" / "rivals")
    parser.add_argument("--prepare", action="store_true", help="make the environments only")
    parser.add_argument("--json", type=Path, help="file for the results; adds to what it holds")
    asked = parser.parse_args(argv)
    asked.model = asked.model or list(MODELS)
    return asked


def _rival(
    rival: Rival,
    rows: Any,
    labels: Any,
    folder: Path,
    asked: argparse.Namespace,
    document: dict[str, Any],
) -> None:
    """Measure another server in one setting."""
    python, versions = environment(rival.environment, asked.cache)
    models = folder / rival.environment
    if not models.exists():
        np.savez(folder / "data.npz", rows=rows, labels=labels)
        _fit_there(python, folder / "data.npz", models)
    rival.prepare(models, PORT)
    for served in rival.serves:
        wanted = [model for model in served if model in asked.model]
        if not wanted:
            continue
        with _started(rival, python, models, served, rows) as server:
            for model in wanted:
                print(f"{rival.name}, {model} ...", flush=True)
                found = {"ready_s": server.ready_s} | {
                    size: asdict(server.load(rival.request(model, part), seconds=asked.seconds))
                    for size, part in (("1 row", rows[:1]), ("100 rows", rows[:100]))
                }
                _add(document, asked, rival.name, versions, {model: found})


@contextmanager
def _started(
    rival: Rival, python: Path, models: Path, served: Sequence[str], rows: Any
) -> Iterator[Server]:
    env = {
        "MODEL_FOLDER": str(models),
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",  # threads for one row cost each of them more than they give
    }
    command = rival.command(python, models, served, PORT)
    ready = rival.request(served[-1], rows[:1])
    with Server(command, port=PORT, ready=ready, env=env, cwd=HERE) as server:
        yield server


def _fit_there(python: Path, data: Path, models: Path) -> None:
    command = [str(python), str(HERE / "fit.py"), str(data), str(models)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
