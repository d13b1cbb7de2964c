"""What does a rule know before it decides on a window, and what may it do?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelwarrant.backtest.course import Course
from modelwarrant.records import Verdict

__all__ = ["Act", "Memory", "Rule", "Standing"]


@dataclass(frozen=True)
class Memory:
    """What the whole system remembers of its trainings; see ``system``."""

    promoted: int = 0
    """Window at whose end production was promoted."""
    replaced: int | None = None
    """The model that was in production before; None where it is the first."""
    waiting: int | None = None
    """Candidate that was held and waits for labels."""
    judged_on: int = 0
    """Rows on which it was judged last."""
    learned_from: int | None = None
    """Rows that were there at the last training; None before the first."""
    in_vain: int = 0
    """Trainings since the last promotion."""
    level: int | None = None
    """The model on whose own final split the loss was lowest before it grew: what production is
    to come back to. None while no growth was shown."""


@dataclass(frozen=True)
class Standing:
    """What the ledger would say before a decision."""

    production: int
    """The model in production: its window, or a number of ``Course.spanning``."""
    anchor: int
    """The last model that a person approved."""
    candidates: tuple[str, ...] = ()
    """Digests decided on since the last promotion, one a look."""
    memory: Memory = Memory()

    def after(self, act: "Act", lap: int, digest: str | None) -> "Standing":
        """Return the standing after an act on a window's model.

        Args:
            act: what the rule did.
            lap: number of the window.
            digest: of the window's own model, which a rule without ``looks`` decided on.
        """
        memory = self.memory if act.memory is None else act.memory
        if act.promoted:
            model = lap if act.candidate is None else act.candidate
            return Standing(model, model if act.reviewed else self.anchor, memory=memory)
        if act.looks:
            return replace(self, candidates=(*self.candidates, *act.looks), memory=memory)
        if act.verdict is None or digest is None or digest in self.candidates:
            return replace(self, memory=memory)
        return replace(self, candidates=(*self.candidates, digest), memory=memory)


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
    candidate: int | None = None
    """The model that was decided on, where it is not the window's own."""
    looks: tuple[str, ...] = ()
    """Digests of models on which unseen rows were spent, one a look."""
    why: str = ""
    """What led to the training, or why there was none, in words."""
    memory: Memory | None = None


Rule = Callable[[Course, Standing, int], Act]
"""The course, the standing, and the number of the window to decide on. A rule is asked only where a
candidate exists; of the window after it only the oracle and the perfect reviewer know."""
