"""Which documents pass between the stages, and what stands in them?

Frozen, strict about unknown fields and versions, and written as canonical JSON: a record's digest
is the digest of its bytes. Inputs are named by digest.
"""

from modelwarrant.records.backtest import (
    BacktestScore,
    BacktestStep,
    BacktestSummary,
    RuleFigures,
)
from modelwarrant.records.base import Record
from modelwarrant.records.decision import Change, Decision, Evidence, History, Verdict
from modelwarrant.records.drift import (
    CalibrationDrift,
    Distribution,
    DriftLevel,
    DriftReport,
    FeatureDrift,
    Gate,
    JointDrift,
    LabelledDrift,
    PredictionDrift,
    ResidualDecile,
    ResidualDrift,
    SeasonReport,
    Shift,
    ShiftKind,
    SliceLoss,
)
from modelwarrant.records.estimation import (
    EstimateCheck,
    EstimateLevel,
    EstimateMethod,
    LossEstimate,
    PerformanceEstimate,
    RealisedLoss,
)
from modelwarrant.records.evaluation import (
    Calibration,
    ChampionState,
    Comparison,
    EvaluationReport,
    Interval,
    MetricValue,
    ReliabilityBin,
    SliceComparison,
)
from modelwarrant.records.ledger import Blob, LedgerEntry, Operation
from modelwarrant.records.manifest import BUNDLE_FILES, ModelManifest, ParityReport, Recipe
from modelwarrant.records.monitoring import (
    LabelCounts,
    LogCounts,
    LossTest,
    MonitorAct,
    MonitoringAction,
    MonitoringEvidence,
    MonitoringThresholds,
    PredictionLog,
    Situation,
    Stratum,
)
from modelwarrant.records.request import Approval, Outcome, PromotionRequest
from modelwarrant.records.simulation import StreamTruth
from modelwarrant.records.window import ValidationReport, WindowRef

__all__ = [
    "BUNDLE_FILES",
    "Approval",
    "BacktestScore",
    "BacktestStep",
    "BacktestSummary",
    "Blob",
    "Calibration",
    "CalibrationDrift",
    "ChampionState",
    "Change",
    "Comparison",
    "Decision",
    "Distribution",
    "DriftLevel",
    "DriftReport",
    "EstimateCheck",
    "EstimateLevel",
    "EstimateMethod",
    "EvaluationReport",
    "Evidence",
    "FeatureDrift",
    "Gate",
    "History",
    "Interval",
    "JointDrift",
    "LabelCounts",
    "LabelledDrift",
    "LedgerEntry",
    "LogCounts",
    "LossEstimate",
    "LossTest",
    "MetricValue",
    "ModelManifest",
    "MonitorAct",
    "MonitoringAction",
    "MonitoringEvidence",
    "MonitoringThresholds",
    "Operation",
    "Outcome",
    "ParityReport",
    "PerformanceEstimate",
    "PredictionDrift",
    "PredictionLog",
    "PromotionRequest",
    "RealisedLoss",
    "Recipe",
    "Record",
    "ReliabilityBin",
    "ResidualDecile",
    "ResidualDrift",
    "RuleFigures",
    "SeasonReport",
    "Shift",
    "ShiftKind",
    "Situation",
    "SliceComparison",
    "SliceLoss",
    "Stratum",
    "StreamTruth",
    "ValidationReport",
    "Verdict",
    "WindowRef",
]
