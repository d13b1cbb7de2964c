"""What changed between two windows: data faults, features, all of them together, and predictions?

``compare`` is the door: it takes pandas frames, Arrow tables or windows and returns a
``DriftReport``. Gates G1 to G4 find data faults, D1 and D2 measure each feature, D3 all features
together, P1 and P2 the production model's answers, and, where labels are at hand, P3, P4 and the
loss what only labels show. With a season declared a second reference is asked. ``shifts`` names
the kind of shift.
"""

from modelwarrant.drift.labelled import Labelled
from modelwarrant.drift.report import compare, compare_profiles
from modelwarrant.drift.seasons import History, standing

__all__ = ["History", "Labelled", "compare", "compare_profiles", "standing"]
