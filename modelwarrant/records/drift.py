"""What changed between two windows?"""

from typing import Literal

from modelwarrant.records.base import Part, Record

__all__ = [
    "Distribution",
    "DriftLevel",
    "DriftReport",
    "FeatureDrift",
    "Gate",
    "JointDrift",
    "PredictionDrift",
]

DriftLevel = Literal["none", "notice", "drift", "unknown", "blocked"]
"""``unknown``: too few rows to say. ``blocked``: a gate found a data fault."""


class Distribution(Part):
    """Both windows over the same bins, for plots; levels with few rows are pooled.

    For a number ``edges`` are the inner edges of right-closed bins with open ends, and ``labels``
    is empty; for a category or boolean ``labels`` names the bins. Shares are of non-missing rows.
    """

    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    reference: tuple[float, ...]
    current: tuple[float, ...]


class FeatureDrift(Part):
    """One feature in both windows. Undefined numbers are None, and ``reason`` says why."""

    name: str
    kind: Literal["number", "category", "boolean", "time"]
    level: DriftLevel
    n_reference: int
    """Non-missing rows of the reference."""
    n_current: int
    psi: float | None = None
    psi_p_value: float | None = None
    """Minimum-effect p-value against PSI .10: H0 is PSI <= .10; see the design of D1."""
    psi_p_value_adjusted: float | None = None
    """The same after Holm over the features."""
    psi_threshold: float
    """The effect floor of the level ``drift``."""
    ks: float | None = None
    """Kolmogorov-Smirnov distance, in [0, 1]; None for categories."""
    ks_lower: float | None = None
    """Distribution-free (DKW) lower bound of the true distance."""
    wasserstein: float | None = None
    """Raw, in the feature's unit."""
    wasserstein_scaled: float | None = None
    """Divided by the reference's IQR / 1.349."""
    jensen_shannon: float | None = None
    """Base-2 distance, in [0, 1]."""
    method: Literal["exact", "edges"] | None = None
    """How ``ks`` and ``wasserstein`` were computed."""
    missing_reference: float
    """Share of missing rows, in [0, 1]."""
    missing_current: float
    unseen_share: float | None = None
    """Share of current rows with a level the reference never showed; None for numbers."""
    weight: float | None = None
    """Importance of the feature for the production model, in [0, 1]; None without one."""
    reason: str | None = None
    """Why a number is undefined, or what made the level."""
    distribution: Distribution | None = None


class Gate(Part):
    """One deterministic check of the data (G1 to G4)."""

    gate: Literal["G1", "G2", "G3", "G4"]
    column: str | None
    """None where the whole window is meant."""
    level: Literal["ok", "notice", "warn", "block"]
    detail: str
    value: float | None = None
    threshold: float | None = None


class JointDrift(Part):
    """D3: can a classifier tell the windows apart?"""

    level: DriftLevel
    auc: float | None = None
    """Out-of-fold area under the ROC curve."""
    auc_lower: float | None = None
    """Lower confidence bound that is compared with the thresholds."""
    p_value: float | None = None
    n_reference: int
    n_current: int
    features: tuple[str, ...] = ()
    """The features that tell the windows apart most, the strongest first."""
    reason: str | None = None


class PredictionDrift(Part):
    """P1 and P2: did the production model's answers change?"""

    level: DriftLevel
    psi: float | None = None
    psi_p_value: float | None = None
    total_variation: float | None = None
    """Between predicted class shares, in [0, 1]; None for regression."""
    total_variation_p_value: float | None = None
    label_shift_weights: tuple[float, ...] | None = None
    """BBSE estimate of q(y) / p(y) by class; None unless the joint detector is quiet."""
    condition_number: float | None = None
    n_reference: int
    n_current: int
    reason: str | None = None
    distribution: Distribution | None = None


class DriftReport(Record):
    """Everything the detectors say of two windows."""

    schema_version: Literal[1] = 1
    n_reference: int
    n_current: int
    level: DriftLevel
    """The worst of gates, features, joint and predictions; see ``drift.compare``."""
    features: tuple[FeatureDrift, ...]
    joint: JointDrift
    gates: tuple[Gate, ...]
    predictions: PredictionDrift | None = None
    """None without a production model."""
    alpha: float
    """Familywise level over the features, in (0, 1)."""
    reference_digest: str
    current_digest: str
    production_digest: str | None = None
    schema_digest: str
