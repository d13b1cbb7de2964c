"""Small windows with known truth, and models of known quality."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant.evaluation import Scored, compare
from modelwarrant.records import EvaluationReport
from modelwarrant.windows import (
    Feature,
    FeatureSchema,
    FinalSplit,
    Predictions,
    typed_window,
)

FEATURES = (
    Feature(name="x", kind="number", missing=True),
    Feature(name="town", kind="category", missing=True),
    Feature(name="rain", kind="boolean"),
)


@dataclass(frozen=True)
class World:
    """One window: its final split and the signal z behind the target."""

    final: FinalSplit
    z: np.ndarray

    @property
    def task(self) -> str:
        """Task of the window."""
        return self.final.window.schema.task

    def answers(self, noise: float, seed: int, *, bias: float = 0.0) -> Predictions:
        """Return a model that sees the signal through noise."""
        blurred = self.z + bias + noise * np.random.default_rng(seed).standard_normal(len(self.z))
        if self.task == "regression":
            return Predictions("regression", blurred)
        p = 1 / (1 + np.exp(-blurred))
        return Predictions("classification", np.column_stack([1 - p, p]), ("no", "yes"))

    def constant(self) -> Predictions:
        """Return the answer of a predictor that knows nothing."""
        if self.task == "regression":
            return Predictions("regression", np.zeros(len(self.z)))
        return Predictions("classification", np.full((len(self.z), 2), 0.5), ("no", "yes"))


def make_world(
    n: int = 1200,
    *,
    seed: int = 0,
    task: str = "classification",
    timed: bool = True,
    days: int = 40,
    row_range: tuple[int, int] | None = None,
) -> World:
    """Make a window of ``n`` rows over ``days`` days, or without a time column."""
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal(n)
    columns: dict[str, Any] = {
        "x": z + rng.standard_normal(n),
        "town": rng.choice(["ash", "birch", "cedar"], n),
        "rain": rng.random(n) < 0.3,
    }
    if task == "classification":
        columns["y"] = np.where(rng.random(n) < 1 / (1 + np.exp(-z)), "yes", "no")
    else:
        columns["y"] = z + rng.standard_normal(n)
    if timed:
        seconds = np.sort(rng.integers(0, days * 86_400, n))
        columns["t"] = np.datetime64("2024-03-01", "s") + seconds.astype("timedelta64[s]")
    schema = FeatureSchema(
        features=FEATURES,
        task=task,
        target="y",
        classes=("no", "yes") if task == "classification" else None,
        positive="yes" if task == "classification" else None,
        time="t" if timed else None,
    )
    return World(FinalSplit(typed_window(pa.table(columns), schema)), z)


@pytest.fixture
def world() -> Callable[..., World]:
    """Make a window; see ``make_world``."""
    return make_world


@pytest.fixture
def report() -> Callable[..., EvaluationReport]:
    """Compare a candidate with production over two fresh windows."""

    def make(
        *,
        candidate_noise: float = 0.3,
        production_noise: float = 1.5,
        task: str = "classification",
        metric: str | None = None,
        first: bool = False,
        with_reference: bool = True,
        **changes: Any,
    ) -> EvaluationReport:
        here, there = make_world(task=task, seed=1), make_world(task=task, seed=2)

        def model(digest: str, noise: float, seed: int) -> Scored:
            return Scored(digest, here.answers(noise, seed), there.answers(noise, seed + 100))

        arguments: dict[str, Any] = {
            "candidate": model("sha256:candidate", candidate_noise, 11),
            "production": None if first else model("sha256:production", production_noise, 12),
            "anchor": None if first else model("sha256:anchor", 1.6, 13),
            "trivial": Scored("trivial", here.constant(), there.constant()),
            "metric": metric or ("log_loss" if task == "classification" else "squared_error"),
            "alpha": 0.05,
            "margin_non_inferiority": 0.01,
            "policy_digest": "sha256:policy",
        }
        reference = there.final if with_reference else None
        return compare(here.final, reference, **{**arguments, **changes})

    return make
