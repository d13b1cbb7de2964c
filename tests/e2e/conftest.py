"""A project on a laptop: data with a change in the middle, and the command line around it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

PROJECT = """\
model: demand
task: classification
source: demand.csv
target: busy
classes: [0, 1]
positive: 1
time: when
features:
  temperature: {kind: number}
  load: {kind: number}
  place: {kind: category, categories: [north, south]}
windows:
  {reference: 2024-01-01..2024-03-01, current: 2024-03-01..2024-06-01, final: 0.4, train: current}
recipe: {model: hist_gradient_boosting, seed: 7, parameters: {max_iter: 40}}
slices: [place]
"""


def demand(*, days: int = 300, change_day: int = 152, seed: int = 1) -> pd.DataFrame:
    """Return hourly rows whose rule for ``busy`` turns around on the day of the change."""
    rng = np.random.default_rng(seed)
    rows = days * 24
    temperature, load = rng.normal(15, 5, rows), rng.normal(50, 10, rows)
    is_late = np.arange(rows) >= change_day * 24
    pull = (load - 50) / 5
    signal = np.where(is_late, -pull, pull)
    busy = rng.random(rows) < 1 / (1 + np.exp(-signal))
    return pd.DataFrame(
        {
            "when": pd.date_range("2024-01-01", periods=rows, freq="h").strftime("%Y-%m-%d %H:%M"),
            "temperature": temperature.round(3),
            "load": load.round(3),
            "place": rng.choice(["north", "south"], rows),
            "busy": busy.astype(int),
        }
    )


@dataclass(frozen=True)
class Laptop:
    """A project folder, a store and a key, and the command that works on them."""

    folder: Path

    def __call__(self, *words: str, actor: str = "ada", expect: int | None = 0) -> str:
        """Run ``warrant`` and return its stdout; the exit code must be the expected one."""
        result = self.run(*words, actor=actor)
        if expect is not None:
            assert expect == result.returncode, f"{words}: {result.stdout}\n{result.stderr}"
        return result.stdout

    def run(self, *words: str, actor: str = "ada") -> subprocess.CompletedProcess[str]:
        """Run ``warrant`` as somebody and return all of it."""
        environment = {
            **os.environ,
            "WARRANT_HOME": str(self.folder / "home"),
            "WARRANT_ACTOR": actor,
            "NO_COLOR": "1",
        }
        environment.pop("WARRANT_STORE", None)
        return subprocess.run(
            [sys.executable, "-m", "modelwarrant", *words],
            cwd=self.folder / "project",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *words: str, actor: str = "ada", expect: int | None = 0) -> Any:
        """Run ``warrant ... --json`` and return the document."""
        return json.loads(self(*words, "--json", actor=actor, expect=expect))

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.folder / "project"


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """A project that has not run yet."""
    (tmp_path / "project").mkdir()
    demand().to_csv(tmp_path / "project" / "demand.csv", index=False)
    (tmp_path / "project" / "warrant.yaml").write_text(PROJECT)
    return Laptop(tmp_path)


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """A project whose first model was approved; tests must not change it."""
    folder = tmp_path_factory.mktemp("promoted")
    (folder / "project").mkdir()
    demand().to_csv(folder / "project" / "demand.csv", index=False)
    (folder / "project" / "warrant.yaml").write_text(PROJECT)
    laptop = Laptop(folder)
    asked = laptop.json("run", expect=10)
    laptop("approve", asked["request"], "--reason", "first model", actor="grace")
    return laptop


@pytest.fixture
def edit(laptop: Laptop) -> Callable[[str, str], None]:
    """Replace a piece of the project file."""

    def replace(old: str, new: str) -> None:
        path = laptop.project / "warrant.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return replace
