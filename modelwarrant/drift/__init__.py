"""What changed between two windows: data faults, features, all of them together, and predictions?

``compare`` is the door: it takes pandas frames, Arrow tables or windows and returns a
``DriftReport``. Gates G1 to G4 find data faults, D1 and D2 measure each feature, D3 all features
together, P1 and P2 the production model's answers.
"""

from modelwarrant.drift.report import compare, compare_profiles

__all__ = ["compare", "compare_profiles"]
