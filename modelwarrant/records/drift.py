"""What changed between two windows?"""

from typing import Literal

from pydantic import Field

from modelwarrant.records.base import Part, Record

__all__ = [
    "CalibrationDrift",
    "Distribution",
    "DriftLevel",
    "DriftReport",
    "FeatureDrift",
    "Finding",
    "Gate",
    "JointDrift",
    "LabelledDrift",
    "PredictionDrift",
    "ResidualDecile",
    "ResidualDrift",
    "SeasonReport",
    "Shift",
    "ShiftKind",
    "SliceLoss",
]

DriftLevel = Literal["none", "notice", "drift", "unknown", "blocked"]
"""``unknown``: too few rows to say. ``blocked``: a gate found a data fault."""

ShiftKind = Literal[
    "data fault", "missingness", "covariate", "prediction", "prior", "concept", "subpopulation"
]
"""What kind of change it is: the first five need no labels, the last two do."""


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
    n_effective: float | None = None
    """n m / (n + m), the size at which both windows count as one; None without rows. Smaller where
    a time is known and neighbours resemble each other (design effect)."""
    bins: int | None = None
    """Bins of ``psi``, ``jensen_shannon`` and ``chi2``."""
    psi: float | None = None
    psi_p_value: float | None = None
    """Minimum-effect p-value against ``psi_threshold``: H0 is PSI <= threshold; see D1."""
    psi_p_value_adjusted: float | None = None
    """The same after Holm over the features; compared with the report's ``alpha``."""
    psi_q_value: float | None = None
    """The same after Benjamini and Hochberg: for reading, no level rests on it."""
    psi_threshold: float
    """The effect floor of the level ``drift``."""
    notice_p_value_adjusted: float | None = None
    """Minimum-effect p-value against ``notice_threshold``, after Holm."""
    notice_threshold: float | None = None
    """The effect floor of the level ``notice``."""
    ks: float | None = None
    """Kolmogorov-Smirnov distance, in [0, 1]; None for categories."""
    ks_p_value: float | None = None
    """H0 'the same law', asymptotic; conservative with ties. For reading: no level rests on it."""
    ks_lower: float | None = None
    """Distribution-free (DKW) lower bound of the true distance."""
    wasserstein: float | None = None
    """Raw, in the feature's unit."""
    wasserstein_scaled: float | None = None
    """Divided by the reference's IQR / 1.349."""
    jensen_shannon: float | None = None
    """Base-2 distance, in [0, 1]."""
    chi2: float | None = None
    """Pearson's statistic of homogeneity over the bins; None for numbers."""
    chi2_p_value: float | None = None
    """H0 'the same shares'. For reading: no level rests on it."""
    cramers_v: float | None = None
    """sqrt(chi2 / (n + m)), in [0, 1]: the windows are one of the two variables."""
    total_variation: float | None = None
    """Half the summed difference of the bins' shares, in [0, 1]; None for numbers."""
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
    """What made the level, what a gate found, and why a number is undefined."""
    undefined: dict[str, str] = Field(default_factory=dict)
    """For each of the numbers above that is None, why."""
    distribution: Distribution | None = None


class Finding(Part):
    """What a detector says; an undefined number is None."""

    undefined: dict[str, str] = Field(default_factory=dict)
    """For each number that is None, why."""


class Gate(Finding):
    """One deterministic check of the data (G1 to G4)."""

    gate: Literal["G1", "G2", "G3", "G4"]
    column: str | None
    """None where the whole window is meant."""
    level: Literal["ok", "notice", "warn", "block"]
    detail: str
    value: float | None = None
    threshold: float | None = None
    p_value: float | None = None
    """Of the gate's test, or of chance; None where the gate is a rule without chance in it."""
    n_reference: int | None = None
    """Rows that the gate looked at; None for an entry that speaks of all columns."""
    n_current: int | None = None


class JointDrift(Finding):
    """D3: can a classifier tell the windows apart?"""

    level: DriftLevel
    auc: float | None = None
    """Out-of-fold area under the ROC curve."""
    auc_lower: float | None = None
    """Lower confidence bound that is compared with the thresholds."""
    auc_threshold: float | None = None
    """What ``auc_lower`` must exceed for the level ``drift``; .55 for a notice."""
    p_value: float | None = None
    """H0 'the classifier guesses'; no level rests on it."""
    n_reference: int
    n_current: int
    features: tuple[str, ...] = ()
    """The features that tell the windows apart most, the strongest first."""
    reason: str | None = None


class PredictionDrift(Finding):
    """P1 and P2: did the production model's answers change?"""

    level: DriftLevel
    psi: float | None = None
    psi_p_value: float | None = None
    psi_threshold: float | None = None
    """The effect floor of the level ``drift``."""
    total_variation: float | None = None
    """Between predicted class shares, in [0, 1]; None for regression."""
    total_variation_p_value: float | None = None
    total_variation_threshold: float | None = None
    label_shift_weights: tuple[float, ...] | None = None
    """BBSE estimate of q(y) / p(y) by class; None unless the joint detector is quiet."""
    condition_number: float | None = None
    n_reference: int
    n_current: int
    n_effective: float | None = None
    """Of the score, as a feature's."""
    reason: str | None = None
    distribution: Distribution | None = None


class ResidualDecile(Finding):
    """Residuals where production predicts about the same: between two deciles of its answers."""

    lower: float | None
    """None: open."""
    upper: float | None
    n_reference: int
    n_current: int
    bias: float
    """Growth of the mean residual, in standard deviations of the reference's residuals."""
    p_value_adjusted: float | None = None
    """H0 'the mean did not move', Holm over the deciles; None with too few rows."""


class ResidualDrift(Finding):
    """P3: what production of a regression misses by, observed minus predicted."""

    level: DriftLevel
    n_reference: int
    n_current: int
    mean_reference: float
    mean_current: float
    deviation_reference: float
    deviation_current: float
    bias: float | None = None
    """Growth of the mean in standard deviations of the reference."""
    bias_p_value: float | None = None
    """H0 'the mean did not move', after Holm with the variance's; None below ten groups of rows."""
    bias_threshold: float
    variance_ratio: float | None = None
    """Current over reference."""
    variance_p_value: float | None = None
    """H0 'the ratio is 1', after Holm with the bias's."""
    variance_threshold: float
    """The ratio, or its reciprocal, must exceed it."""
    wasserstein: float | None = None
    """Between the residuals of both windows, in the target's unit."""
    deciles: tuple[ResidualDecile, ...] = ()
    reason: str | None = None


class CalibrationDrift(Finding):
    """P4: does production of a classification still mean the probabilities that it says?

    Of the positive class with two classes, of the answered class with more.
    """

    level: DriftLevel
    n_reference: int
    n_current: int
    spiegelhalter_z: float | None = None
    """Of the current window; 0 where probabilities are exact."""
    spiegelhalter_p_value: float | None = None
    slope: float | None = None
    """Of the outcome on the log odds, current window: 1 is calibrated, below 1 overconfident."""
    intercept: float | None = None
    """0 is calibrated."""
    ece_reference: float | None = None
    """Expected calibration error over ten bins of equal width."""
    ece_current: float | None = None
    ece_growth_lower: float | None = None
    """Bootstrap bounds of the growth."""
    ece_growth_upper: float | None = None
    accuracy_estimated: float | None = None
    """Of the current window without its labels (CBPE, calibrated on the reference)."""
    accuracy_labelled: float | None = None
    gap: float | None = None
    """Estimated minus labelled accuracy."""
    gap_lower: float | None = None
    gap_upper: float | None = None
    threshold: float
    """What a lower bound of the absolute gap, or of the growth, must exceed."""
    reason: str | None = None


class SliceLoss(Finding):
    """Production's loss within one slice of the rows, in units of the loss's range."""

    level: DriftLevel
    column: str
    value: str
    n_reference: int
    n_current: int
    loss_reference: float
    loss_current: float
    p_value: float | None = None
    """H0 'the loss grew by at most the threshold'."""
    p_value_adjusted: float | None = None
    """After Holm over the slices."""


class LabelledDrift(Finding):
    """What labels say of the production model since its reference: no unlabelled signal can.

    The report's own ``level`` does not rest on it: whether a degradation leads to a retraining is
    decided by a sequential test (E2) that may be looked at again and again, as this may not.
    """

    level: DriftLevel
    """The worst of loss, residuals, calibration and slices."""
    n_reference: int
    n_current: int
    metric: str
    """The loss: log_loss or squared_error, clipped at the reference's 99.5 % quantile, over it."""
    loss_level: DriftLevel = "unknown"
    loss_reference: float | None = None
    loss_current: float | None = None
    loss_threshold: float
    """Growth that is no degradation."""
    loss_p_value: float | None = None
    """H0 'the loss grew by at most the threshold'."""
    class_variation: float | None = None
    """Total variation between the classes' shares, in [0, 1]; None for regression."""
    class_variation_p_value: float | None = None
    residuals: ResidualDrift | None = None
    calibration: CalibrationDrift | None = None
    slices: tuple[SliceLoss, ...] = ()
    reason: str | None = None


class Shift(Part):
    """One kind of shift that the detectors support, and what supports it."""

    kind: ShiftKind
    level: Literal["notice", "drift", "blocked"]
    columns: tuple[str, ...] = ()
    """Features it stands in; empty where it is of all rows."""
    detectors: tuple[str, ...]
    """Of the design page: G1 to G4, D1, D3, P1 to P4, E2's loss, slices."""
    support: str
    """The numbers, in words."""


class SeasonReport(Finding):
    """Is what changed more than the season?

    With a season declared, drift against the training window counts as lasting only where the
    current window also differs from the last one at the same place of the season.
    """

    period: str
    """As declared, such as ``7d``."""
    verdict: Literal["no drift", "lasting", "seasonal", "unknown"]
    """Of the drift that the training window alone would give."""
    is_whole: bool
    """Both windows are whole seasons long: no season can tell them apart."""
    n_rows: int | None = None
    """Of the previous window of the same season; None where the history does not hold it."""
    digest: str | None = None
    seasonal: tuple[str, ...] = ()
    """Features that differ from the training window and not from the same season before."""
    reason: str


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
    labelled: LabelledDrift | None = None
    """None without labels of both windows and a production model."""
    shifts: tuple[Shift, ...] = ()
    """The kinds of shift that are supported, the loudest first; empty where none is."""
    drifted_weight: float | None = None
    """Share of the features' importance for production that drifted features hold; None without."""
    season: SeasonReport | None = None
    """None where no season is declared."""
    calibrated_pairs: int = 0
    """Disjoint pairs of reference windows that effect floors rest on; 0: the shipped floors."""
    alpha: float
    """Familywise level over the features, in (0, 1)."""
    undefined: dict[str, str] = Field(default_factory=dict)
    """For each of the parts above that is None, why."""
    reference_digest: str
    current_digest: str
    production_digest: str | None = None
    schema_digest: str
