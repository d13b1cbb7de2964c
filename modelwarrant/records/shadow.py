"""How did a version that only listens answer, beside the one in production?"""

from typing import Literal

from pydantic import Field

from modelwarrant.records.base import Record

__all__ = ["ShadowReport"]


class ShadowReport(Record):
    """What one service added up over the rows that both versions scored.

    Reports of several services about the same two versions add up to one.
    """

    schema_version: Literal[1] = 1
    model: str
    role: Literal["candidate", "previous"]
    """Why the other version stood beside production: it waits for a person, or it was replaced."""
    production: int
    production_digest: str
    version: int
    version_digest: str
    """Of the version that listened."""
    since: str
    until: str
    rows: int = Field(ge=1)
    dropped: int = Field(ge=0)
    """Rows that the shadow had no time for."""
    failures: int = Field(ge=0)
    """Rows for which the version that listened had no answer."""
    disagreements: int = Field(ge=0)
    """Rows with another label; of a regression, with another number."""
    difference: float = Field(ge=0)
    """Sum over rows of the largest difference of a score, or of the predicted value."""
    largest: float = Field(ge=0)
    seconds: float = Field(ge=0)
    """Time that the version took for all rows."""
    production_scores: tuple[float, ...]
    """Sum over rows of production's scores, by class, or of its predicted values."""
    scores: tuple[float, ...]

    @property
    def agreement(self) -> float:
        """Share of rows with the same label or number, in [0, 1]."""
        return 1 - self.disagreements / self.rows

    @property
    def mean_difference(self) -> float:
        """Mean over rows of the largest difference of a score, or of the predicted value."""
        return self.difference / self.rows

    @property
    def microseconds(self) -> float:
        """Time of the version that listened for one row."""
        return self.seconds / self.rows * 1e6

    def plus(self, other: "ShadowReport") -> "ShadowReport":
        """Return both reports as one; they are about the same two versions."""
        added = {
            name: getattr(self, name) + getattr(other, name)
            for name in ("rows", "dropped", "failures", "disagreements", "difference", "seconds")
        }
        sums = {
            "production_scores": _added(self.production_scores, other.production_scores),
            "scores": _added(self.scores, other.scores),
        }
        span = {"since": min(self.since, other.since), "until": max(self.until, other.until)}
        largest = max(self.largest, other.largest)
        return self.model_copy(update={**added, **sums, **span, "largest": largest})


def _added(first: tuple[float, ...], second: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(first, second, strict=True))
