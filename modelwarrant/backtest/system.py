"""What would modelwarrant do as a whole: when to train, on which rows, and what then?

At the end of each window a candidate that waits is looked at again, once the rows it has not seen
have doubled; each look takes a place of its own in the ledger of alpha. Where nothing was promoted,
``timing`` says whether a training is worth its price, ``spans`` how far back it learns, and the
promotion policy decides.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelwarrant.backtest.acts import Act, Memory, Rule, Standing
from modelwarrant.backtest.course import Course
from modelwarrant.backtest.deciding import decide
from modelwarrant.backtest.spans import available_rows, choose_span
from modelwarrant.backtest.timing import reason_to_train
from modelwarrant.policy import Policy
from modelwarrant.records import Decision, Prices

__all__ = ["Approves", "whole_system"]

Approves = Callable[[Course, Standing, int, int], bool]
"""Course, standing, window, candidate: what the person says who is asked."""


def whole_system(rules: Policy, approves: Approves, prices: Prices) -> Rule:
    """Return the rule of the whole system.

    Args:
        rules: the promotion policy.
        approves: what is left to a person.
        prices: what a training must be worth.
    """

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        answers = _Answers(rules, approves, course, standing, lap)
        labels = len(course.laps[lap].window.labelled())
        waited = answers.look_again()
        if waited is not None and waited.promoted:
            return replace(waited, labels=labels)
        if waited is not None:  # the look is spent, and the candidate may have been dropped
            standing = standing.after(waited, lap, None)
            answers = _Answers(rules, approves, course, standing, lap)
        reason = reason_to_train(course, standing, lap, prices=prices, alpha=rules.thresholds.alpha)
        if reason.level is not None:
            memory = replace(standing.memory, level=reason.level)
            standing = replace(standing, memory=memory)
            answers = _Answers(rules, approves, course, standing, lap)
        if not reason.trains:
            if waited is not None:
                words = f"{waited.why}; {reason.words}"
                return replace(waited, labels=labels, why=words, memory=standing.memory)
            return Act(False, False, labels=labels, why=reason.words, memory=standing.memory)
        spent = () if waited is None else waited.looks
        return replace(answers.train(reason.words, spent), labels=labels)

    return rule


@dataclass(frozen=True)
class _Answers:
    """What the policy, and a person where it asks one, say at the end of one window."""

    rules: Policy
    approves: Approves
    course: Course
    standing: Standing
    lap: int

    def look_again(self) -> Act | None:
        """Decide on the candidate that waits; None where there is none, or too little is new."""
        memory, waiting = self.standing.memory, self.standing.memory.waiting
        if waiting is None:
            return None
        since = self.course.lap_of(waiting)
        rows = len(self.course.pool(since, self.lap).final.window)
        if rows < 2 * memory.judged_on:
            return None
        why = f"the candidate of window {since} was looked at again on {rows:,} rows"
        return self._act(waiting, since, memory, why, trained=False)

    def train(self, why: str, spent: tuple[str, ...]) -> Act:
        """Train a candidate and decide on it."""
        home = self.course.lap_of(self.standing.production)
        model = choose_span(self.course, self.lap, without=home)
        memory = replace(
            self.standing.memory,
            learned_from=available_rows(self.course, self.lap),
            in_vain=self.standing.memory.in_vain + 1,
        )
        act = self._act(model, self.lap, memory, why, trained=True)
        return replace(act, looks=(*spent, *act.looks))

    def _act(self, model: int, since: int, memory: Memory, why: str, *, trained: bool) -> Act:
        decision = self._decision(model, since)
        if decision is None:
            return Act(trained, False, "HOLD", "contract", why=why, memory=memory)
        asks = decision.verdict == "NEEDS_APPROVAL"
        goes = decision.verdict == "PROMOTE" or (
            asks and self.approves(self.course, self.standing, self.lap, model)
        )
        return Act(
            trained,
            goes,
            decision.verdict,
            decision.rule,
            reviewed=asks,
            candidate=model,
            looks=(decision.candidate_digest,),
            why=why,
            memory=self._remembered(memory, model, since, decision, goes=goes),
        )

    def _remembered(
        self, memory: Memory, model: int, since: int, decision: Decision, *, goes: bool
    ) -> Memory:
        if goes:
            return replace(
                memory,
                promoted=self.lap,
                replaced=self.standing.production,
                waiting=None,
                judged_on=0,
                in_vain=0,
            )
        if decision.verdict != "HOLD":
            return replace(memory, waiting=None, judged_on=0)
        rows = len(self.course.pool(since, self.lap).final.window)
        return replace(memory, waiting=model, judged_on=rows)

    def _decision(self, model: int, since: int) -> Decision | None:
        if self.course.candidate(model) is None:
            return None
        return decide(
            self.rules, self.course, self.standing, self.lap, candidate=model, since=since
        )
