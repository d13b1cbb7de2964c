"""What does a model lose on rows whose labels are not known yet, as far as can be told?

Losses are in the decision's metric, clipped as in every test of it, unless said otherwise.
"""

from typing import Literal

from modelwarrant.records.base import Part, Record

__all__ = [
    "EstimateCheck",
    "EstimateLevel",
    "EstimateMethod",
    "LossEstimate",
    "MetricEstimate",
    "PerformanceEstimate",
    "RealisedLoss",
]

EstimateLevel = Literal["ok", "below", "void"]
"""``below``: the estimated performance is below the objective. ``void``: nothing can be said."""

EstimateMethod = Literal["CBPE", "PAPE", "DLE", "IW", "BBSE"]
"""Confidence-based; the same after weighting by the density ratio; direct loss estimation;
importance weighting; weighting by the shift of the classes (black-box shift estimation)."""


class EstimateCheck(Part):
    """One condition without which an estimate means nothing."""

    name: Literal["rows", "gates", "joint", "effective_sample", "calibration", "width"]
    holds: bool
    detail: str


class LossEstimate(Part):
    """What one method says of the mean loss of the window."""

    method: EstimateMethod
    value: float | None = None
    lower: float | None = None
    """Three standard errors below."""
    upper: float | None = None
    standard_error: float | None = None
    """Of the window's mean loss: its own rows', and the reference's."""
    is_valid: bool
    reason: str | None = None
    """Why it is not, or why there is none."""


class MetricEstimate(Part):
    """One metric of the window, three standard errors to both sides."""

    name: str
    value: float
    lower: float
    upper: float


class PerformanceEstimate(Record):
    """The estimated loss of the current window, whether it may be believed, and what it says."""

    schema_version: Literal[1] = 1
    level: EstimateLevel
    reason: str
    """One sentence with the numbers that made the level."""
    metric: str
    """Lower is better."""
    bound: float | None = None
    """Where losses are clipped, in the metric's unit: their range."""
    method: EstimateMethod
    """The method whose estimate makes the level."""
    value: float | None = None
    """Estimated mean loss of the window."""
    lower: float | None = None
    """Three standard errors below; see ``LossEstimate``."""
    upper: float | None = None
    objective: float | None = None
    """Loss up to which the service is as promised (SLO)."""
    objective_source: Literal["reference", "declared"] = "reference"
    change: float | None = None
    """Estimated loss minus the objective, as a share of the loss's range."""
    change_lower: float | None = None
    """Three standard errors of the change below it: sampling of rows on both sides."""
    change_upper: float | None = None
    allowance: float | None = None
    """Growth that is no finding, as a share of the loss's range."""
    reference_loss: float | None = None
    """Realised on the reference's final split."""
    n_reference: int
    """Labelled rows that production was not trained on."""
    n_current: int
    effective_share: float | None = None
    """Effective sample of the importance weights over the rows that have one, in [0, 1]."""
    checks: tuple[EstimateCheck, ...]
    estimates: tuple[LossEstimate, ...]
    """Of all methods that apply to the task."""
    metrics: tuple[MetricEstimate, ...]
    """Of the window, not clipped, by the method that makes the level."""
    production_digest: str
    reference_digest: str
    """Of the final split."""
    current_digest: str
    drift_report_digest: str


class RealisedLoss(Part):
    """Mean loss of those rows of the window whose labels have arrived."""

    value: float
    lower: float | None = None
    """One-sided 97.5 % bounds; None with too few independent rows."""
    upper: float | None = None
    n_labels: int
    estimated: float | None = None
    """What the estimate says of exactly these rows; None where there is none."""
