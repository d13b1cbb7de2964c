"""What does a rule know before it decides on a window, and what may it do?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelwarrant.backtest.course import Course
from modelwarrant.records import Verdict

__all__ = ["Act", "Rule", "Standing"]


@dataclass(frozen=True)
class Standing:
    """What the ledger would say before a decision."""

    production: int
    """Window of the model in production."""
    anchor: int
    """Window of the last model that a person approved."""
    candidates: tuple[str, ...] = ()
    """Digests decided on since the last promotion."""

    def after(self, act: "Act", lap: int, digest: str | None) -> "Standing":
        """Return the standing after an act on a window's model."""
        if act.promoted:
            return Standing(lap, lap if act.reviewed else self.anchor)
        if act.verdict is None or digest is None or digest in self.candidates:
            return self
        return replace(self, candidates=(*self.candidates, digest))


@dataclass(frozen=True)
class Act:
    """What a rule did with a window."""

    trained: bool
    promoted: bool
    verdict: Verdict | None = None
    row: str | None = None
    reviewed: bool = False
    labels: int | None = None
    """Labelled rows that were read; None takes all of the window where it trained, else none."""
    asked: int = 0
    """Of them, labels that would not have come by themselves."""


Rule = Callable[[Course, Standing, int], Act]
"""The course, the standing, and the number of the window to decide on. A rule is asked only where a
candidate exists; of the window after it only the oracle and the perfect reviewer know."""
