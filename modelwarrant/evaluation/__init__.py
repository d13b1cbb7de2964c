"""Is a candidate better than what is in production, on rows that neither was trained on?

``compare`` is the door: it re-scores both models on the same rows of the current and the reference
window and bounds the difference. Nothing here reads a file or a clock.
"""

from modelwarrant.evaluation.auc import AucDifference, delong, roc_auc
from modelwarrant.evaluation.bounds import MeanBounds, mean_bounds
from modelwarrant.evaluation.champion import loss_e_value
from modelwarrant.evaluation.comparison import MARGIN_SLICES, compare
from modelwarrant.evaluation.losses import (
    DECISION_METRICS,
    DEFAULT_METRIC,
    REPORTED_METRICS,
    require_decision_metric,
)
from modelwarrant.evaluation.scoring import Scored
from modelwarrant.evaluation.significance import McNemar, holm, mcnemar, sign_e_value
from modelwarrant.evaluation.trivial import trivial

__all__ = [
    "DECISION_METRICS",
    "DEFAULT_METRIC",
    "MARGIN_SLICES",
    "REPORTED_METRICS",
    "AucDifference",
    "McNemar",
    "MeanBounds",
    "Scored",
    "compare",
    "delong",
    "holm",
    "loss_e_value",
    "mcnemar",
    "mean_bounds",
    "require_decision_metric",
    "roc_auc",
    "sign_e_value",
    "trivial",
]
