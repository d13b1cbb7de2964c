"""How does a candidate compare with what is in production, on the same rows?"""

from typing import Literal

from modelwarrant.records.base import Part, Record

__all__ = [
    "Calibration",
    "ChampionState",
    "Comparison",
    "Discordant",
    "EvaluationReport",
    "Interval",
    "MetricValue",
    "ReliabilityBin",
    "SliceComparison",
]


class Interval(Part):
    """An estimate with one-sided bounds, each at level ``alpha``."""

    estimate: float
    lower: float | None
    """Lower confidence bound; None where undefined, and the comparison's reason says why."""
    upper: float | None
    alpha: float
    method: str
    """For example ``block bootstrap-t, 19 days``."""


class Discordant(Part):
    """Rows that one of two classifiers answers rightly, taken as independent."""

    candidate_only: int
    baseline_only: int
    exact_p_value: float
    """McNemar, two-sided: H0 'both err equally often'."""
    mid_p_value: float
    chi2: float
    """Without a continuity correction."""
    chi2_p_value: float
    chi2_corrected: float
    chi2_corrected_p_value: float
    e_value: float
    """Uniform mixture over all chances of a win; may be looked at after any row."""


class Comparison(Part):
    """Baseline against candidate on one window's final split, in the decision's metric.

    ``gain`` is baseline loss minus candidate loss: positive where the candidate is better.
    """

    window: Literal["current", "reference"]
    baseline: Literal["production", "anchor", "trivial"]
    n_rows: int
    n_blocks: int
    """Independent units the interval rests on; equals ``n_rows`` where rows are independent."""
    baseline_loss: float
    candidate_loss: float
    gain: Interval
    deviation: float | None
    """Standard error of the gain times sqrt(n_rows): the spread per row, dependence included."""
    reason: str | None = None
    mcnemar_p_value: float | None = None
    """Two-sided mid-p of McNemar's test, where the metric is 0/1; rows taken as independent."""
    discordant: Discordant | None = None
    """The rows it rests on, where the metric is 0/1."""


class MetricValue(Part):
    """One metric of both models on one window; for reading, not for deciding."""

    window: Literal["current", "reference"]
    name: str
    baseline: float | None
    candidate: float | None
    higher_is_better: bool
    gain: Interval | None = None
    """Candidate against baseline, positive where the candidate is better; where a method exists
    beside the decision's own (DeLong for ROC AUC)."""


class SliceComparison(Part):
    """The gain within one slice of the current window."""

    column: str
    value: str
    """A level, or a bin such as ``(0.2, 0.4]``."""
    n_rows: int
    gain: Interval
    p_harm: float | None
    """One-sided p-value of H0 'the candidate is no worse than the margin here'."""
    p_harm_adjusted: float | None
    """After Holm over the slices."""
    level: Literal["ok", "harmed", "unclear"]
    reason: str | None = None


class ReliabilityBin(Part):
    """One bin of predicted probability, or of predicted value (regression)."""

    n_rows: int
    predicted: float
    observed: float
    deviation: float | None = None
    """Regression: standard deviation of the residuals in the bin."""


class Calibration(Part):
    """Does the candidate mean what it says?

    Classification: expected calibration error over the score; regression: residual bias.
    """

    level: Literal["ok", "harmed", "unclear"]
    candidate_error: float | None
    baseline_error: float | None
    """None without a production model."""
    difference: Interval | None
    """Candidate's error minus the baseline's; positive where the candidate is worse."""
    candidate_bins: tuple[ReliabilityBin, ...] = ()
    baseline_bins: tuple[ReliabilityBin, ...] = ()
    reason: str | None = None


class ChampionState(Part):
    """E2: has the production model's labelled loss degraded since its reference?"""

    level: Literal["ok", "degraded", "unknown"]
    e_value: float | None = None
    n_reference: int = 0
    n_current: int = 0
    reason: str | None = None


class EvaluationReport(Record):
    """Both models re-scored on the same rows of both windows."""

    schema_version: Literal[1] = 1
    task: Literal["classification", "regression"]
    metric: str
    """The one the decision is about, lower is better: log_loss, error_rate, squared_error ..."""
    alpha: float
    """Level of every one-sided bound, looks and candidates accounted for; see ``policy``."""
    margin_non_inferiority: float
    """Absolute, in the metric's unit: slices and calibration are judged with it."""
    candidate_digest: str
    production_digest: str | None
    anchor_digest: str | None
    current_final_digest: str
    reference_final_digest: str | None
    policy_digest: str
    current: Comparison
    """Against production, or the trivial predictor where there is none."""
    reference: Comparison | None
    anchor: Comparison | None
    """On the current window, against the last human-approved model; None without one."""
    slices: tuple[SliceComparison, ...] = ()
    calibration: Calibration
    champion: ChampionState
    metrics: tuple[MetricValue, ...] = ()
    floor: Comparison | None = None
    """On the current window, against the trivial predictor, with production or without."""
    loss_bound: float | None = None
    """Losses are clipped here before they are compared (log loss); None where they are not."""
    identical_answers: bool = False
    """Whether candidate and production answer alike on every row of the current final split."""
    margin_slices: float | None = None
    """Absolute: a slice is ``ok`` once a harm beyond it is ruled out."""
