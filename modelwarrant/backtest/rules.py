"""Which rules are compared, and what does each do with a candidate?"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from modelwarrant.backtest.acts import Act, Rule, Standing
from modelwarrant.backtest.baselines import BASELINES
from modelwarrant.backtest.controls import identical_candidate, permuted_drift
from modelwarrant.backtest.course import Course, Span
from modelwarrant.backtest.deciding import decide
from modelwarrant.backtest.matched import with_reviews_of
from modelwarrant.backtest.system import Approves, whole_system
from modelwarrant.errors import PolicyError
from modelwarrant.policy import Policy
from modelwarrant.records import Prices

__all__ = ["RULES", "rule_of"]

RULES: Final = (
    "warrant-approved",
    "warrant-refused",
    "warrant-reviewed",
    "policy-approved",
    "policy-refused",
    "policy-reviewed",
    "never",
    "always",
    "always-all",
    "periodic-3",
    "periodic-3-all",
    *BASELINES,
    "metric-only-as-policy",
    "metric-only-as-warrant",
    "control-identical",
    "control-drift-permuted",
    "control-drift-relabelled",
    "oracle",
)
"""The rules of the benchmark. ``warrant-*`` is the whole system, which says when to train; with
``policy-*`` every window has a candidate, and the promotion policy decides on it. Each stands there
three times: what is left to a person is approved always, never, or exactly where the next window
will be better."""

_PRICES: Final = Prices()
_PERIODIC: Final = re.compile(r"periodic-([1-9]\d?)(-all)?")


def _is_better_next(course: Course, standing: Standing, lap: int, candidate: int) -> bool:
    return course.loss(candidate, lap + 1) < course.loss(standing.production, lap + 1)


_REVIEWERS: Final[Mapping[str, Approves]] = MappingProxyType(
    {
        "approved": lambda course, standing, lap, candidate: True,
        "refused": lambda course, standing, lap, candidate: False,
        "reviewed": _is_better_next,
    }
)
"""What the person says who is asked."""


def rule_of(name: str, rules: Policy, prices: Prices = _PRICES) -> Rule:
    """Return the rule of that name.

    Args:
        name: one of ``RULES``, or ``periodic-N`` or ``periodic-N-all`` for another N below 100.
        rules: the promotion policy that stands behind ``warrant-*`` and ``policy-*``.
        prices: what a training must be worth to ``warrant-*``.

    Raises:
        PolicyError: there is no such rule.
    """
    if match := _PERIODIC.fullmatch(name):
        return _scheduled(int(match[1]), whole=match[2] is not None)
    who, _, person = name.partition("-")
    if who in ("warrant", "policy") and person in _REVIEWERS:
        if who == "warrant":
            return whole_system(rules, _REVIEWERS[person], prices)
        return _by_policy(rules, _REVIEWERS[person])
    plain: dict[str, Rule] = {
        "never": lambda course, standing, lap: Act(trained=False, promoted=False),
        "always": _scheduled(1, whole=False),
        "always-all": _scheduled(1, whole=True),
        **BASELINES,
        **{
            f"metric-only-as-{who}": with_reviews_of(
                rule_of(f"{who}-reviewed", rules, prices), BASELINES["metric-only"]
            )
            for who in ("policy", "warrant")
        },
        "control-identical": identical_candidate(rules),
        "control-drift-permuted": permuted_drift(rules, relabelled=False),
        "control-drift-relabelled": permuted_drift(rules, relabelled=True),
        "oracle": lambda course, standing, lap: Act(
            True, _is_better_next(course, standing, lap, lap)
        ),
    }
    if name not in plain:
        raise PolicyError(
            f"there is no rule {name!r} to compare; take one of {', '.join(RULES)} or periodic-N"
        )
    return plain[name]


def _scheduled(every: int, *, whole: bool) -> Rule:
    """Return the rule that trains and promotes at every so many windows.

    Args:
        every: windows.
        whole: learn from all rows so far instead of the window's own.
    """

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        if lap % every:
            return Act(trained=False, promoted=False)
        if not whole:
            return Act(trained=True, promoted=True)
        home = course.lap_of(standing.production)
        return Act(True, True, candidate=course.spanning(Span(first=0, lap=lap, without=home)))

    return rule


def _by_policy(rules: Policy, approves: Approves) -> Rule:
    """Return the rule that asks the promotion policy, and a person where the policy does."""

    def rule(course: Course, standing: Standing, lap: int) -> Act:
        decision = decide(rules, course, standing, lap)
        if decision is None:
            return Act(trained=True, promoted=False, verdict="HOLD", row="contract")
        asks = decision.verdict == "NEEDS_APPROVAL"
        goes = decision.verdict == "PROMOTE" or (asks and approves(course, standing, lap, lap))
        return Act(True, goes, decision.verdict, decision.rule, reviewed=asks)

    return rule
