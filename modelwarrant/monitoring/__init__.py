"""What should a monitor do about what it saw: nothing, label, retrain, hold or roll back?

Pure: one table from evidence to action, which the gate asks again; it needs no scipy. Beside it
``losses`` tests what labels say, and ``sampling`` chooses rows to label. What is in the log and
which labels arrived, ``telemetry`` reads.
"""

from modelwarrant.monitoring.deciding import (
    RULES,
    action_of,
    is_consistent,
    is_degraded,
    is_drifting,
    labels_wanted,
)

__all__ = [
    "RULES",
    "action_of",
    "is_consistent",
    "is_degraded",
    "is_drifting",
    "labels_wanted",
]
