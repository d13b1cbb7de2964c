"""May this candidate go to production, by which rule, and what would change the answer?

A policy is a table that people can read: thresholds turn evidence into named levels, the first row
that matches them gives the verdict, and the linter proves that no weak evidence can promote.
"""

from modelwarrant.policy.deciding import decide, explain, replay, what_if
from modelwarrant.policy.document import default_policy, default_text, load
from modelwarrant.policy.evidence import Documents, read_documents
from modelwarrant.policy.levels import LEVELS
from modelwarrant.policy.lint import lint
from modelwarrant.policy.measure import ENGINE_VERSION
from modelwarrant.policy.spending import alpha_for, labels_for_gain, labels_required
from modelwarrant.policy.table import Policy, Row, Thresholds

__all__ = [
    "ENGINE_VERSION",
    "LEVELS",
    "Documents",
    "Policy",
    "Row",
    "Thresholds",
    "alpha_for",
    "decide",
    "default_policy",
    "default_text",
    "explain",
    "labels_for_gain",
    "labels_required",
    "lint",
    "load",
    "read_documents",
    "replay",
    "what_if",
]
