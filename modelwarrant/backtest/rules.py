"""Which rules are compared, and what does each do with a candidate?"""

import re
from collections.abc import Callable
from typing import Final

from modelwarrant import policy
from modelwarrant.backtest.acts import Act, Rule, Standing
from modelwarrant.backtest.baselines import BASELINES
from modelwarrant.backtest.course import Course, EvaluationTerms
from modelwarrant.errors import PolicyError
from modelwarrant.policy import ENGINE_VERSION, Policy
from modelwarrant.records import Decision, History

__all__ = ["RULES", "rule_of"]

RULES: Final = (
    "policy-approved",
    "policy-refused",
    "policy-reviewed",
    "never",
    "always",
    "periodic-3",
    *BASELINES,
    "oracle",
)
"""The rules of the benchmark. The promotion policy stands in it three times: what it leaves to a
person is approved always, never, or exactly where the next window will be better."""


_PERIODIC: Final = re.compile(r"periodic-([1-9]\d?)")


def rule_of(name: str, rules: Policy) -> Rule:
    """Return the rule of that name.

    Args:
        name: one of ``RULES``, or ``periodic-N`` for another N below 100.
        rules: the promotion policy that stands behind ``policy-*``.

    Raises:
        PolicyError: there is no such rule.
    """
    if match := _PERIODIC.fullmatch(name):
        return lambda course, standing, lap: _act(lap % int(match[1]) == 0)
    reviewers: dict[str, Callable[[Course, Standing, int], bool]] = {
        "policy-approved": lambda course, standing, lap: True,
        "policy-refused": lambda course, standing, lap: False,
        "policy-reviewed": _is_better_next,
    }
    if name in reviewers:
        return _by_policy(rules, reviewers[name])
    plain: dict[str, Rule] = {
        "never": lambda course, standing, lap: _act(False),
        "always": lambda course, standing, lap: _act(True),
        **BASELINES,
        "oracle": lambda course, standing, lap: Act(True, _is_better_next(course, standing, lap)),
    }
    if name not in plain:
        raise PolicyError(
            f"there is no rule {name!r} to compare; take one of {', '.join(RULES)} or periodic-N"
        )
    return plain[name]


def _act(goes: bool) -> Act:
    """Return the act of a rule that trains only what it promotes."""
    return Act(trained=goes, promoted=goes)


def _is_better_next(course: Course, standing: Standing, lap: int) -> bool:
    return course.loss(lap, lap + 1) < course.loss(standing.production, lap + 1)


def _by_policy(rules: Policy, approves: Callable[[Course, Standing, int], bool]) -> Rule:
    """Return the rule that asks the promotion policy, and a person where the policy does."""

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        decision = _decide(rules, course, standing, lap)
        if decision is None:
            return Act(trained=True, promoted=False, verdict="HOLD", row="contract")
        asks = decision.verdict == "NEEDS_APPROVAL"
        goes = decision.verdict == "PROMOTE" or (asks and approves(course, standing, lap))
        return Act(True, goes, decision.verdict, decision.rule, reviewed=asks)

    return rule


def _decide(rules: Policy, course: Course, standing: Standing, lap: int) -> Decision | None:
    """Decide as the stages do; None where the window's broken contract ends the run before."""
    validation = course.laps[lap].validation
    if validation is None:
        return None
    production = course.model(standing.production)
    history = History(
        model=production.manifest.model,
        production_version=1,
        production_digest=production.digest,
        anchor_version=1,
        anchor_digest=course.model(standing.anchor).digest,
        candidates=standing.candidates,
        looks=len(standing.candidates),
        policy_digest=rules.digest,
        engine_version=ENGINE_VERSION,
    )
    terms = EvaluationTerms(
        alpha=policy.alpha_for(rules, history, course.model(lap).digest),
        margin_non_inferiority=rules.thresholds.margin_ni,
        margin_slices=rules.thresholds.margin_slices,
        policy_digest=rules.digest,
    )
    return policy.decide(
        rules,
        manifest=course.manifest(lap, production=standing.production),
        drift=course.drift(standing.production, lap),
        evaluation=course.evaluation(
            lap, production=standing.production, anchor=standing.anchor, terms=terms
        ),
        validation=validation,
        history=history,
    )
