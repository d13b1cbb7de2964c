"""What did a rule do with the windows before this one?

Rules are functions of the stream and of what stands in production. One that remembers more is told
its past again from the stream's beginning, which gives the same answer whoever asks.
"""

from collections.abc import Callable
from typing import TypeVar

from modelwarrant.backtest.acts import Act, Rule, Standing
from modelwarrant.backtest.course import Course

__all__ = ["acts_of", "remembering"]

State = TypeVar("State")
Step = Callable[[Course, Standing, int, State], tuple[Act, State]]


def acts_of(course: Course, rule: Rule, *, until: int) -> list[Act]:
    """Return what a rule does with windows 1 to ``until - 1``, where it is asked."""
    standing, acts = Standing(production=0, anchor=0), []
    for lap in range(1, until):
        found = course.candidate(lap)
        if found is not None:
            acts.append(rule(course, standing, lap))
            standing = standing.after(acts[-1], lap, found.digest)
    return acts


def remembering(step: Step[State], begin: Callable[[Course], State]) -> Rule:
    """Return a rule with a memory.

    Args:
        step: takes the state after the windows before, and returns the act and the state after it.
        begin: the state before the first window of a stream.
    """

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        state = begin(course)

        def earlier(course: Course, standing: Standing, lap: int) -> Act:
            nonlocal state
            act, state = step(course, standing, lap, state)
            return act

        acts_of(course, earlier, until=lap)
        return step(course, standing, lap, state)[0]

    return rule
