"""What is true of a stream whose shift was made on purpose?"""

from typing import Literal

from modelwarrant.records.base import Record

__all__ = ["StreamTruth"]


class StreamTruth(Record):
    """The known shift of a stream; lies beside it."""

    schema_version: Literal[1] = 1
    scenario: str
    """As ``simulation.parse_scenario`` reads it."""
    base: str
    kind: str
    shape: str
    size: float
    onset: float
    """Share of the stream before the shift."""
    width: float
    seed: int
    rows: int
    task: Literal["classification", "regression"]
    target: str
    change_points: tuple[int, ...]
    """Rows at which something begins or ends; none where nothing changes."""
    columns: tuple[str, ...]
    """Features whose values the shift touched."""
    shifted_rows: int
    """Rows in which the shift was in force."""
    rule_moves: bool
    """Whether P(y | x) changes."""
    is_fault: bool
    """Whether the world is as before, and only the data of it is wrong."""
    noise_before: float | None
    """Mean loss of the true rule before the first change point (log loss, or squared error): no
    model can do better. None where nobody knows the rule."""
    noise_after: float | None
    about: str
    """What the size means, in words."""
