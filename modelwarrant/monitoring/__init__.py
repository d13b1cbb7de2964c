"""What should a monitor do about what it saw: nothing, label, retrain, hold or roll back?

Pure: tests over losses, a sample to label, and one table from evidence to action. What is in the
log and which labels arrived, ``telemetry`` reads.
"""

from modelwarrant.monitoring.deciding import RULES, action_of, is_consistent
from modelwarrant.monitoring.losses import degradation, harm, labels_to_settle, restarted_e_value
from modelwarrant.monitoring.sampling import Asked, sample_rows

__all__ = [
    "RULES",
    "Asked",
    "action_of",
    "degradation",
    "harm",
    "is_consistent",
    "labels_to_settle",
    "restarted_e_value",
    "sample_rows",
]
