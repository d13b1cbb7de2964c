"""What do a monitor, a timer and an error threshold do in seasons whose truth is known?

A season is a dozen windows of 2,500 predictions, of which 500 are labelled when the window ends;
what a rule asks for beside them is labelled before the next one. Who retrains labels 3,000 rows:
one half trains, the other is the new model's reference. Nothing is read or written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.optimize import minimize
from scipy.special import expit

from modelwarrant.drift.pair import pair_windows
from modelwarrant.drift.report import feature_drift
from modelwarrant.monitoring.assessing import Answered, Candidates, Seen, assess
from modelwarrant.monitoring.deciding import action_of
from modelwarrant.records import (
    DriftReport,
    JointDrift,
    LabelCounts,
    LogCounts,
    MonitorAct,
    MonitoringAction,
    MonitoringThresholds,
    PredictionLog,
    Situation,
)
from modelwarrant.windows import Feature, FeatureSchema, Predictions, Window, typed_window

__all__ = [
    "ANSWERED",
    "FIRST",
    "LABELLED",
    "STEADY",
    "Course",
    "Regime",
    "Rule",
    "Weights",
    "play",
    "shifted",
]

Floats = npt.NDArray[np.float64]
Rule = Literal["monitor", "timer", "threshold"]

ANSWERED: Final = 2500
"""Predictions a window."""
LABELLED: Final = 500
"""Labels a window."""
RETRAINED_ON: Final = 3000
EVERY: Final = 4
"""Windows after which the timer retrains."""
LOUDER: Final = 1.1
"""Growth of a window's mean loss over the first one's at which the threshold retrains."""

_NOWHERE: Final = "sha256:" + "0" * 64
_SCHEMA: Final = FeatureSchema(
    features=(Feature(name="cause", kind="number"), Feature(name="idle", kind="number")),
    task="classification",
    target="y",
    classes=("0", "1"),
)


@dataclass(frozen=True)
class Weights:
    """A logistic model of two inputs."""

    cause: float
    idle: float = 0.0
    base: float = 0.0

    def answer(self, x: Floats) -> Floats:
        """Return the probability of 1 for (n, 2) inputs, (n,)."""
        return np.asarray(expit(self.base + self.cause * x[:, 0] + self.idle * x[:, 1]))


@dataclass(frozen=True)
class Regime:
    """How rows of a window come about."""

    truth: Weights
    moved: tuple[float, float] = (0.0, 0.0)
    """Added to the two inputs."""

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
        """Return (rows, 2) inputs and (rows,) labels, 0 or 1."""
        x = rng.standard_normal((rows, 2)) + np.array(self.moved)
        return x, (rng.random(rows) < self.truth.answer(x)).astype(np.float64)


FIRST: Final = Weights(2.0)
STEADY: Final = Regime(FIRST)
"""The first model is right in it."""


@dataclass(frozen=True)
class Course:
    """What a rule did in a season."""

    acts: tuple[MonitorAct, ...]
    """After each window."""
    labels: int
    excess: float
    """Mean loss of all answers beyond the true rule's, in nats."""
    actions: tuple[MonitoringAction, ...] = field(default=(), repr=False)
    """The monitor's, with their evidence."""

    @property
    def retrainings(self) -> int:
        """How often it retrained."""
        return self.acts.count("retrain")

    def first(self, act: MonitorAct) -> int | None:
        """Return the window after which it first did this, None for never."""
        return self.acts.index(act) if act in self.acts else None


@dataclass
class _World:
    """Who is in production, and what is known of it."""

    production: Weights
    parent: Weights | None
    reference: tuple[Floats, Floats]
    moved: int = 1
    """Which promotion put it there."""
    xs: list[Floats] = field(default_factory=list)
    """Labelled rows since then, a piece a window."""
    ys: list[Floats] = field(default_factory=list)
    keys: list[tuple[str, int]] = field(default_factory=list)

    def add(self, name: str, x: Floats, y: Floats, rows: npt.NDArray[np.int64]) -> None:
        """Take labels of a window's rows."""
        self.xs.append(x[rows])
        self.ys.append(y[rows])
        self.keys += [(name, row) for row in rows.tolist()]


def play(
    rule: Rule,
    regimes: Sequence[Regime],
    *,
    seed: int,
    production: Weights = FIRST,
    parent: Weights | None = None,
    metric: str = "log_loss",
) -> Course:
    """Let a rule live through a season.

    Args:
        rule: the monitor of this program, or one of two customary ones.
        regimes: one a window.
        seed: of every draw; the windows are the same for all rules until one retrains.
        production: the model that answers in the first window.
        parent: the one it replaced, where it is watched.
        metric: of the monitor's losses.
    """
    rng = np.random.default_rng(seed)
    world = _World(production, parent, STEADY.draw(rng, 3000))
    seeds = rng.spawn(len(regimes))
    acts, actions = list[MonitorAct](), list[MonitoringAction]()
    labels, excess, first = 0, 0.0, None
    for number, (regime, own) in enumerate(zip(regimes, seeds, strict=True)):
        x, y = regime.draw(own, ANSWERED)
        base = np.sort(own.permutation(ANSWERED)[:LABELLED])
        world.add(f"w{number}", x, y, base)
        labels += LABELLED
        excess += float(np.mean(_loss(world.production, x, y) - _loss(regime.truth, x, y)))
        if rule == "monitor":
            before = actions[-1] if actions else None
            action, asked = _look(world, f"w{number}", x, before, metric=metric)
            actions.append(action)
            act = action.action
            if act == "label":
                world.add(f"w{number}", x, y, asked)
                labels += len(asked)
        else:
            loss = float(_loss(world.production, x[base], y[base]).mean())
            first = loss if first is None else first
            is_due = (number + 1) % EVERY == 0 if rule == "timer" else loss > LOUDER * first
            act = "retrain" if is_due else "none"
        acts.append(act)
        if act == "retrain":
            world, first = _retrained(world, regime, own), None
            labels += RETRAINED_ON
        elif act == "rollback" and world.parent is not None:
            world = replace(_anew(world), production=world.parent, parent=None)
    return Course(tuple(acts), labels, excess / len(regimes), tuple(actions))


def _loss(model: Weights, x: Floats, y: Floats) -> Floats:
    p = np.clip(model.answer(x), 1e-9, 1 - 1e-9)
    return np.asarray(-np.where(y > 0, np.log(p), np.log1p(-p)))


def _anew(world: _World) -> _World:
    """Return the world after a move of production: no answer of it has a label yet."""
    return replace(world, moved=world.moved + 1, xs=[], ys=[], keys=[])


def _retrained(world: _World, regime: Regime, rng: np.random.Generator) -> _World:
    """Fit the present regime, and put the result into production; it is watched."""
    x, y = regime.draw(rng, RETRAINED_ON)
    half = RETRAINED_ON // 2

    def cost(w: Floats) -> float:
        return float(_loss(Weights(w[1], w[2], w[0]), x[:half], y[:half]).mean())

    found = minimize(cost, np.zeros(3), method="BFGS").x
    model = Weights(float(found[1]), float(found[2]), float(found[0]))
    reference = (x[half:], y[half:])
    return replace(_anew(world), production=model, parent=world.production, reference=reference)


def _look(
    world: _World, name: str, x: Floats, before: MonitoringAction | None, *, metric: str
) -> tuple[MonitoringAction, npt.NDArray[np.int64]]:
    """Make a pass of the monitor, and return the rows that it wants labelled."""
    situation = Situation(
        model="season",
        version=world.moved,
        moved=world.moved,
        parent=None if world.parent is None else world.moved - 1,
        is_watched=world.parent is not None,
        cooldown=False,
        open_run=None,
        log_digest=_NOWHERE,
        labels_digest=_NOWHERE,
        thresholds=MonitoringThresholds(window_rows=ANSWERED),
        metric=metric,
        day="2026-01-01",
        engine_version="0",
    )
    is_same = before is not None and before.evidence.situation.moved == world.moved
    labelled = sum(map(len, world.ys))
    log = PredictionLog(
        situation=situation,
        keys=(),
        counts=LogCounts(rows=ANSWERED, production=ANSWERED, window=ANSWERED),
        window_digest=_NOWHERE,
        was_drifting=before is not None and is_same and before.evidence.drift == "drift",
        was_degraded=before is not None
        and is_same
        and before.evidence.degradation.level == "reached",
    )
    rows = _window(x, np.zeros(len(x)))
    evidence, asked = assess(
        Seen(
            log=log,
            labels=LabelCounts(joined=labelled, state_digest=_NOWHERE),
            drift=_drift(_window(*world.reference), rows),
            labelled=_answered(np.concatenate(world.xs), np.concatenate(world.ys), world),
            labelled_keys=world.keys,
            reference=_answered(*world.reference, world),
            candidates=Candidates([(name, n) for n in range(len(x))], world.production.answer(x)),
            version_digest=_NOWHERE,
            parent_digest=None,
        )
    )
    wanted = np.zeros(0, dtype=np.int64) if asked is None else asked.rows
    return action_of(evidence), wanted


def _answered(x: Floats, y: Floats, world: _World) -> Answered:
    theirs = None if world.parent is None else _predictions(world.parent, x)
    return Answered(_window(x, y), _predictions(world.production, x), theirs)


def _predictions(model: Weights, x: Floats) -> Predictions:
    p = model.answer(x)
    return Predictions("classification", np.column_stack([1 - p, p]), ("0", "1"))


def _window(x: Floats, y: Floats) -> Window:
    """Return rows as a window, a minute apart."""
    labels = np.array(["0", "1"])[y.astype(np.int64)]
    table = pa.table({"cause": x[:, 0], "idle": x[:, 1], "y": labels.tolist()})
    return typed_window(table, _SCHEMA, order=pa.array(np.arange(len(y)) * 60_000_000))


def _drift(reference: Window, current: Window) -> DriftReport:
    """Return D1 and the gates of two windows; the joint detector is left out for its time."""
    features, gates = feature_drift(pair_windows(reference, current, _SCHEMA))
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
        reference_digest=_NOWHERE,
        current_digest=_NOWHERE,
        schema_digest=_SCHEMA.digest,
    )


def shifted(regime: Regime, *, before: int = 4, after: int = 8) -> list[Regime]:
    """Return a season whose first windows are steady.

    >>> len(shifted(STEADY, before=1, after=2))
    3
    """
    return [STEADY] * before + [regime] * after
