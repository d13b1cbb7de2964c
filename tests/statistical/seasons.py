"""Seasons of a model left alone: windows of 500 predictions, labelled when the next one begins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from modelwarrant.drift.pair import pair_windows
from modelwarrant.drift.report import feature_drift
from modelwarrant.monitoring import action_of
from modelwarrant.monitoring.assessing import Answered, Candidates, Seen, assess
from modelwarrant.records import (
    DriftReport,
    JointDrift,
    LabelCounts,
    LogCounts,
    MonitoringAction,
    MonitoringThresholds,
    PredictionLog,
    Situation,
)
from modelwarrant.windows import Feature, FeatureSchema, Predictions, Window, typed_window

ROWS = 500
DIGEST = "sha256:" + "0" * 64
SCHEMA = FeatureSchema(
    features=(Feature(name="cause", kind="number"), Feature(name="idle", kind="number")),
    task="classification",
    target="y",
    classes=("0", "1"),
)
Model = Callable[[np.ndarray], np.ndarray]


def logistic(cause: float, idle: float = 0.0) -> Model:
    """Return a model: the probability of 1 for (n, 2) inputs."""
    return lambda x: 1 / (1 + np.exp(-(cause * x[:, 0] + idle * x[:, 1])))


@dataclass(frozen=True)
class Regime:
    """How rows of a window come about."""

    truth: Model
    moved: tuple[float, float] = (0.0, 0.0)
    """Added to the two features."""

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (rows, 2) inputs and (rows,) labels."""
        x = rng.standard_normal((rows, 2)) + np.array(self.moved)
        return x, (rng.random(rows) < self.truth(x)).astype(int)


STEADY = Regime(logistic(2.0))


def window_of(x: np.ndarray, y: np.ndarray, *, begin: int = 0) -> Window:
    """Return rows as a window, a minute apart."""
    table = pa.table({"cause": x[:, 0], "idle": x[:, 1], "y": [str(label) for label in y]})
    minutes = np.arange(begin, begin + len(y), dtype=np.int64) * 60_000_000
    return typed_window(table, SCHEMA, order=pa.array(minutes))


def answers(model: Model, x: np.ndarray) -> Predictions:
    """Return a model's predictions."""
    p = model(x)
    return Predictions("classification", np.column_stack([1 - p, p]), ("0", "1"))


def drift_report(reference: Window, current: Window) -> DriftReport:
    """Return D1 and the gates of two windows; the joint detector is left out for its time."""
    features, gates = feature_drift(pair_windows(reference, current, SCHEMA))
    levels = {feature.level for feature in features}
    worst = next(level for level in ("blocked", "drift", "notice", "none") if level in levels)
    return DriftReport(
        n_reference=len(reference),
        n_current=len(current),
        level=worst,
        features=features,
        joint=JointDrift(level="unknown", n_reference=len(reference), n_current=len(current)),
        gates=tuple(gates),
        alpha=0.01,
        reference_digest=DIGEST,
        current_digest=DIGEST,
        schema_digest=SCHEMA.digest,
    )


def play(
    regimes: list[Regime],
    *,
    seed: int,
    production: Model,
    parent: Model | None = None,
    n_reference: int = 3000,
    metric: str = "log_loss",
) -> Iterator[MonitoringAction]:
    """Yield what the monitor does after each window; all labels so far are there.

    Args:
        regimes: one a window.
        seed: of the draws.
        production: the model that answers.
        parent: the one it replaced, where it is watched.
        n_reference: labelled rows of the reference.
        metric: of the losses.
    """
    rng = np.random.default_rng(seed)
    x0, y0 = STEADY.draw(rng, n_reference)
    reference = window_of(x0, y0)
    thresholds = MonitoringThresholds(window_rows=ROWS)
    xs, ys = np.zeros((0, 2)), np.zeros(0, dtype=int)
    before: MonitoringAction | None = None
    for number, regime in enumerate(regimes):
        x, y = regime.draw(rng, ROWS)
        xs, ys = np.concatenate([xs, x]), np.concatenate([ys, y])
        keys = [(f"{number}-{row}", 0) for row in range(ROWS)]
        situation = Situation(
            model="season",
            version=3,
            moved=5,
            parent=None if parent is None else 2,
            is_watched=parent is not None,
            cooldown=False,
            open_run=None,
            log_digest=DIGEST,
            labels_digest=DIGEST,
            thresholds=thresholds,
            metric=metric,
            day="2026-01-01",
            engine_version="0",
        )
        log = PredictionLog(
            situation=situation,
            keys=(),
            counts=LogCounts(rows=len(ys), production=len(ys), window=ROWS),
            window_digest=DIGEST,
            was_drifting=before is not None and before.evidence.drift == "drift",
            was_degraded=before is not None and before.evidence.degradation.level == "reached",
        )
        evidence, _ = assess(
            Seen(
                log=log,
                labels=LabelCounts(joined=len(ys), state_digest=DIGEST),
                drift=drift_report(reference, window_of(x, y)),
                labelled=_answered(xs, ys, production, parent),
                labelled_keys=keys,
                reference=_answered(x0, y0, production, parent),
                candidates=Candidates(keys, production(x)),
                version_digest=DIGEST,
                parent_digest=None,
            )
        )
        before = action_of(evidence)
        yield before


def _answered(x: np.ndarray, y: np.ndarray, production: Model, parent: Model | None) -> Answered:
    theirs = None if parent is None else answers(parent, x)
    return Answered(window_of(x, y), answers(production, x), theirs)
