"""Which verdict does a policy give for a set of levels?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.errors import PolicyError
from modelwarrant.policy.levels import BARRIERS
from modelwarrant.records import Verdict

__all__ = ["Condition", "Policy", "Row", "Thresholds"]

Condition = Mapping[str, tuple[str, ...]]
"""Level to the values that meet it; all levels must be met. Empty: always met."""


@dataclass(frozen=True)
class Thresholds:
    """The numbers that turn evidence into levels. Margins are shares of the baseline's loss."""

    alpha: float = 0.05
    """Level of every one-sided bound for the first candidate since a promotion, in (0, 0.5)."""
    margin: float = 0.0
    """``better`` needs a lower bound of the gain above it, in [0, 1)."""
    margin_ni: float = 0.01
    """``not worse`` needs a lower bound above minus it, in [0, 1)."""
    min_gain: float = 0.02
    """The gain worth finding: labels must suffice to see it, or the larger difference that is
    already proven; in (margin, 1)."""
    margin_total: float = 0.02
    """What a chain of promotions may lose against the last human-approved model, in [0, 1)."""
    margin_slices: float = 0.10
    """A slice is ``ok`` once a harm beyond it is ruled out, in [0, 1)."""
    power: float = 0.8
    """Probability with which a gain of ``min_gain`` must be seen, in [0.5, 1)."""
    min_labels: int = 500
    """Labels without which nothing is decided, at least 1."""


@dataclass(frozen=True)
class Row:
    """One row: if any of its conditions is met, its verdict holds."""

    name: str
    any_of: tuple[Condition, ...]
    verdict: Verdict
    reason: str
    """Sentence with placeholders such as ``{current}``; see ``facts.FACTS``."""

    def matches(self, levels: Mapping[str, str]) -> bool:
        """Return whether one of the conditions is met."""
        return any(
            all(levels[name] in values for name, values in condition.items())
            for condition in self.any_of
        )


@dataclass(frozen=True)
class Policy:
    """Thresholds and rows; the first matching row wins."""

    name: str
    rows: tuple[Row, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)
    approvals_required: int = 1
    """Persons who must approve what needs approval, 1 to 10."""

    def row_for(self, levels: Mapping[str, str]) -> Row | None:
        """Return the first row that matches, if any."""
        return next((row for row in self.rows if row.matches(levels)), None)

    def first_match(self, levels: Mapping[str, str]) -> Row:
        """Return the row that decides.

        Raises:
            PolicyError: no row matches, or the row goes further than its evidence may lead. The
                linter finds both; this is the second lock on the door.
        """
        row = self.row_for(levels)
        if row is None:
            said = ", ".join(f"{name} {value}" for name, value in levels.items())
            raise PolicyError(f"policy {self.name!r}: no row matches {said}; add a last row")
        for barrier in BARRIERS:
            if barrier.stops(levels, row.verdict):
                raise PolicyError(
                    f"policy {self.name!r}, row {row.name!r}: says {row.verdict} although "
                    f"{barrier.why}; at most {barrier.most} is possible"
                )
        return row

    def to_json(self) -> dict[str, Any]:
        """Return the policy as plain values, every default written out."""
        return {
            "schema_version": 1,
            "policy": self.name,
            "thresholds": asdict(self.thresholds),
            "approvals_required": self.approvals_required,
            "rows": [
                {
                    "name": row.name,
                    "if": [
                        {name: list(values) for name, values in condition.items()}
                        for condition in row.any_of
                    ],
                    "verdict": row.verdict,
                    "reason": row.reason,
                }
                for row in self.rows
            ],
        }

    def to_bytes(self) -> bytes:
        """Return the policy's canonical JSON; ``document.load`` reads it back."""
        return canonical_json(self.to_json())

    @cached_property
    def digest(self) -> str:
        """Digest of the parsed policy: comments and layout of the file do not count."""
        return digest_bytes(self.to_bytes())
