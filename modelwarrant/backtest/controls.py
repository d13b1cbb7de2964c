"""Does the promotion policy stay silent where there is nothing to say?

Controls are rules like the others: the policy decides, and whoever is asked approves, but one
input is not what it should be.
"""

from dataclasses import dataclass, fields

from modelwarrant.backtest.acts import Act, Rule, Standing
from modelwarrant.backtest.course import Course, Span
from modelwarrant.backtest.deciding import decide
from modelwarrant.policy import Policy
from modelwarrant.records import Decision, DriftReport

__all__ = ["identical_candidate", "permuted_drift"]


def identical_candidate(rules: Policy) -> Rule:
    """Return the A/A control: the candidate is production, trained again from the same rows."""

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        home = course.lap_of(standing.production)
        again = course.spanning(Span(first=home, lap=home, without=home))
        return _approved(decide(rules, course, standing, lap, candidate=again))

    return rule


def permuted_drift(rules: Policy, *, relabelled: bool) -> Rule:
    """Return the control whose drift report is that of another window.

    Args:
        rules: the promotion policy.
        relabelled: the report names the window that it is shown for, as no stage would write it;
            otherwise it names its own, and the evidence does not fit together.
    """

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        inner = {field.name: getattr(course, field.name) for field in fields(Course)}
        permuted = _Permuted(**inner, relabelled=relabelled)
        return _approved(decide(rules, permuted, standing, lap))

    return rule


@dataclass
class _Permuted(Course):
    """A course whose drift reports are dealt out to other windows, half a stream further on."""

    relabelled: bool = False

    def drift(self, production: int, lap: int, *, since: int | None = None) -> DriftReport:
        """Return another window's report; no window keeps its own."""
        decided = len(self.laps) - 2
        other = 1 + (lap - 1 + max(decided // 2, 1)) % decided
        report = super().drift(production, other)
        if not self.relabelled:
            return report
        own = self.laps[lap].ref.window_digest
        return report.model_copy(update={"current_digest": own})


def _approved(decision: Decision | None) -> Act:
    """Return what a decision leads to when everybody who is asked approves."""
    if decision is None:
        return Act(trained=True, promoted=False, verdict="HOLD", row="contract")
    asks = decision.verdict == "NEEDS_APPROVAL"
    goes = asks or decision.verdict == "PROMOTE"
    return Act(True, goes, decision.verdict, decision.rule, reviewed=asks)
