"""Evidence that belongs together, with one thing changed at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from modelwarrant.policy import ENGINE_VERSION, Documents, Policy, alpha_for, decide, default_policy
from modelwarrant.records import (
    Calibration,
    ChampionState,
    Comparison,
    Decision,
    DriftReport,
    EvaluationReport,
    FeatureDrift,
    Gate,
    History,
    Interval,
    JointDrift,
    ModelManifest,
    ParityReport,
    Recipe,
    SliceComparison,
    ValidationReport,
    WindowRef,
)

CANDIDATE = "sha256:" + "c" * 64
PRODUCTION = "sha256:" + "b" * 64
ANCHOR = "sha256:" + "a" * 64


def ref(name: str, **changes: Any) -> WindowRef:
    """Return the reference of a window whose digests carry its name."""
    known: dict[str, Any] = {
        "source": "data/flights.csv",
        "bounds": "2013-02-01..2013-03-01" if name == "current" else "2013-01-01..2013-02-01",
        "rows": 10_000,
        "window_digest": f"sha256:window-{name}",
        "schema_digest": "sha256:schema",
        "final": 0.3,
        "final_digest": f"sha256:final-{name}",
        "first": 100,
        "final_first": 1_359_700_000_000_000,
        "last": 1_362_000_000_000_000,
    }
    return WindowRef(**{**known, **changes})


def comparison(
    gain: float,
    half_width: float | None,
    *,
    window: str = "current",
    baseline: str = "production",
    loss: float = 0.5,
    alpha: float = 0.05,
    n_rows: int = 3000,
    deviation: float | None = 0.1,
) -> Comparison:
    """Return a comparison with symmetric bounds around its gain."""
    undefined = half_width is None
    return Comparison(
        window=window,
        baseline=baseline,
        n_rows=n_rows,
        n_blocks=30,
        baseline_loss=loss,
        candidate_loss=loss - gain,
        gain=Interval(
            estimate=gain,
            lower=None if undefined else gain - half_width,
            upper=None if undefined else gain + half_width,
            alpha=alpha,
            method="planted",
        ),
        deviation=None if undefined else deviation,
        reason="7 days are too few" if undefined else None,
    )


@dataclass(frozen=True)
class Case:
    """Documents of a candidate that is better in every respect; ``but`` changes one of them."""

    policy: Policy = field(default_factory=default_policy)
    manifest: dict[str, Any] = field(default_factory=dict)
    drift: dict[str, Any] | None = field(default_factory=dict)
    evaluation: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] = field(default_factory=dict)
    first: bool = False
    """Whether there is no production model yet."""
    gain: float = 0.05
    reference_gain: float = 0.05
    anchor_gain: float = 0.05
    half_width: float | None = 0.005
    n_rows: int = 3000
    deviation: float | None = 0.1

    def but(self, **changes: Any) -> "Case":
        """Return the case with changes; document names take a dict that is merged."""
        merged = {
            name: {**(getattr(self, name) or {}), **value} if isinstance(value, dict) else value
            for name, value in changes.items()
        }
        return replace(self, **merged)

    @property
    def documents(self) -> Documents:
        """Return the five records."""
        history = self._history()
        manifest = self._manifest()
        alpha = alpha_for(self.policy, history, manifest.model_digest)
        return Documents(
            manifest=manifest,
            drift=None if self.drift is None else self._drift(history),
            evaluation=self._evaluation(history, alpha),
            validation=ValidationReport(
                **{
                    "window_digest": "sha256:window-current",
                    "rows": 10_000,
                    "labelled_rows": 10_000,
                    **self.validation,
                }
            ),
            history=history,
        )

    def decide(self) -> Decision:
        """Decide on the documents."""
        return decide(self.policy, **vars(self.documents))

    def _history(self) -> History:
        known: dict[str, Any] = {
            "model": "flights",
            "production_version": None if self.first else 3,
            "production_digest": None if self.first else PRODUCTION,
            "anchor_version": None if self.first else 2,
            "anchor_digest": None if self.first else ANCHOR,
            "candidates": (),
            "looks": 0,
            "policy_digest": self.policy.digest,
            "engine_version": ENGINE_VERSION,
        }
        return History(**{**known, **self.history})

    def _manifest(self) -> ModelManifest:
        known: dict[str, Any] = {
            "model": "flights",
            "model_digest": CANDIDATE,
            "feature_schema_digest": "sha256:schema",
            "recipe": Recipe(model="linear"),
            "train": "both",
            "current": ref("current"),
            "reference": ref("reference"),
            "training_digest": "sha256:training",
            "training_rows": 14_000,
            "training_metrics": {},
            "parity": ParityReport(
                rows=10,
                hard_rows=10,
                label_differences=0,
                ties=0,
                max_difference=0.0,
                tolerance=1e-9,
                path="double",
            ),
            "run": "run-1",
            "requester": "ada",
            "code_commit": None,
            "code_dirty": None,
            "lock_digest": "sha256:lock",
            "image_digest": None,
            "cpu": "x86_64",
            "engine_version": "0.1.0",
        }
        return ModelManifest(**{**known, **self.manifest})

    def _drift(self, history: History) -> DriftReport:
        known: dict[str, Any] = {
            "n_reference": 10_000,
            "n_current": 10_000,
            "level": "none",
            "features": (),
            "joint": JointDrift(level="none", n_reference=5000, n_current=5000),
            "gates": (),
            "alpha": 0.01,
            "reference_digest": "sha256:window-reference",
            "current_digest": "sha256:window-current",
            "production_digest": history.production_digest,
            "schema_digest": "sha256:schema",
        }
        return DriftReport(**{**known, **(self.drift or {})})

    def _evaluation(self, history: History, alpha: float) -> EvaluationReport:
        loss, thresholds = 0.5, self.policy.thresholds
        baseline = "trivial" if self.first else "production"
        shape = {"alpha": alpha, "n_rows": self.n_rows, "deviation": self.deviation}
        width = self.half_width
        known: dict[str, Any] = {
            "task": "classification",
            "metric": "log_loss",
            "alpha": alpha,
            "margin_non_inferiority": thresholds.margin_ni * loss,
            "margin_slices": thresholds.margin_slices * loss,
            "candidate_digest": self._manifest().model_digest,
            "production_digest": history.production_digest,
            "anchor_digest": history.anchor_digest,
            "current_final_digest": "sha256:final-current",
            "reference_final_digest": "sha256:final-reference",
            "policy_digest": self.policy.digest,
            "current": comparison(self.gain, width, baseline=baseline, **shape),
            "reference": comparison(
                self.reference_gain, width, window="reference", baseline=baseline, **shape
            ),
            "anchor": None
            if self.first
            else comparison(self.anchor_gain, width, baseline="anchor", **shape),
            "floor": comparison(self.gain, width, baseline="trivial", **shape)
            if self.first
            else comparison(0.2, 0.01, baseline="trivial", **shape),
            "slices": (),
            "calibration": Calibration(
                level="unclear" if self.first else "ok",
                candidate_error=0.02,
                baseline_error=None if self.first else 0.02,
                difference=None
                if self.first
                else Interval(estimate=0.0, lower=-0.01, upper=0.01, alpha=alpha, method="planted"),
            ),
            "champion": ChampionState(level="ok", e_value=0.3, n_reference=3000, n_current=3000),
        }
        return EvaluationReport(**{**known, **self.evaluation})


@pytest.fixture
def good() -> Case:
    """A candidate that is better in every respect."""
    return Case()


@pytest.fixture
def first() -> Case:
    """A first model that beats the trivial predictor."""
    return Case(first=True, gain=0.2)


@pytest.fixture
def compared() -> Callable[..., Comparison]:
    """Make a comparison; see ``comparison``."""
    return comparison


@pytest.fixture
def window_ref() -> Callable[..., WindowRef]:
    """Make a window reference; see ``ref``."""
    return ref


@pytest.fixture
def drifted() -> dict[str, Any]:
    """Fields of a drift report in which one feature drifted."""
    feature = FeatureDrift(
        name="distance",
        kind="number",
        level="drift",
        n_reference=10_000,
        n_current=10_000,
        psi=0.4,
        psi_threshold=0.1,
        missing_reference=0.0,
        missing_current=0.0,
    )
    return {"level": "drift", "features": (feature,)}


@pytest.fixture
def blocked() -> dict[str, Any]:
    """Fields of a drift report in which a gate found a data fault."""
    gate = Gate(gate="G3", column="distance", level="block", detail="scale ratio 1.6")
    return {"level": "blocked", "gates": (gate,)}


@pytest.fixture
def a_slice() -> Callable[[str], tuple[SliceComparison, ...]]:
    """Make the only slice of a report, at a level."""

    def make(level: str) -> tuple[SliceComparison, ...]:
        gain = Interval(estimate=-0.05, lower=-0.1, upper=-0.01, alpha=0.05, method="planted")
        return (
            SliceComparison(
                column="origin",
                value="JFK",
                n_rows=900,
                gain=gain,
                p_harm=0.001,
                p_harm_adjusted=0.003,
                level=level,
                reason="planted",
            ),
        )

    return make
