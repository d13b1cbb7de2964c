"""Which streams have a shift that is known, because it was made on purpose?

Simulated streams with a known rule, and a way to put a shift into rows of one's own. Each comes
with its truth: what changed, where, by how much, and whether it matters. Seeded, and free of input
and output.
"""

from modelwarrant.simulation.bases import BASES, Base
from modelwarrant.simulation.scenario import (
    KINDS,
    SHAPES,
    TABLE,
    Kind,
    Scenario,
    Shape,
    change_points,
    intensity,
    parse_scenario,
)
from modelwarrant.simulation.streams import simulate
from modelwarrant.simulation.tables import inject

__all__ = [
    "BASES",
    "KINDS",
    "SHAPES",
    "TABLE",
    "Base",
    "Kind",
    "Scenario",
    "Shape",
    "change_points",
    "inject",
    "intensity",
    "parse_scenario",
    "simulate",
]
