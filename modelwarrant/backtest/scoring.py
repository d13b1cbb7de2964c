"""What did a rule's decisions cost on one stream, against an oracle that knows the next window?"""

from collections.abc import Callable
from typing import Final

from modelwarrant.backtest.acts import Act, Rule, Standing
from modelwarrant.backtest.course import Course
from modelwarrant.backtest.rules import rule_of
from modelwarrant.errors import TrainingError
from modelwarrant.policy import Policy
from modelwarrant.records.backtest import BacktestScore, BacktestStep, Prices

__all__ = ["run_backtest"]

_PRICES: Final = Prices()

Watch = Callable[[Standing, Act, int], None]


def run_backtest(
    course: Course,
    rule: str,
    rules: Policy,
    *,
    scenario: str,
    seed: int,
    shifted: int | None = None,
    prices: Prices = _PRICES,
    watch: Watch | None = None,
) -> BacktestScore:
    """Run a rule over a stream, window by window, and score each decision on the next window.

    The model of the first window is in production, approved by a person. The last window only
    judges. A promotion is wrong where the next window does not find the candidate better; a
    candidate is missed where it was left and the next window finds it better by more than the
    policy's ``min_gain``.

    Args:
        course: the stream.
        rule: one of ``RULES``.
        rules: the promotion policy.
        scenario: name of the stream's shift, for the record.
        seed: seed of the stream, for the record.
        shifted: window in which the stream's shift begins, for the record; None without one.
        prices: what a training must be worth to ``warrant-*``.
        watch: told of each window's act, with the standing before it.

    Raises:
        PolicyError: there is no such rule.
        TrainingError: no model can be made of the first window.
    """
    decide, oracle = rule_of(rule, rules, prices), rule_of("oracle", rules)
    if course.candidate(0) is None:
        raise TrainingError(
            f"{scenario}: no model can be made of the first window: {course.refusal(0)}"
        )
    standing = best = Standing(production=0, anchor=0)
    steps = []
    for lap in range(1, len(course.laps) - 1):
        best = best.after(_ask(oracle, course, best, lap), lap, None)
        act = _ask(decide, course, standing, lap)
        if watch is not None:
            watch(standing, act, lap)
        steps.append(_step(course, standing, act, lap, rules, oracle=best.production))
        found = course.candidate(lap)
        standing = standing.after(act, lap, None if found is None else found.digest)
    schema = course.laps[0].window.schema
    return BacktestScore(
        scenario=scenario,
        seed=seed,
        rule=rule,
        task=schema.task or "regression",
        metric=course.metric,
        windows=len(course.laps),
        rows=sum(len(lap.window) for lap in course.laps),
        worthwhile=rules.thresholds.min_gain,
        steps=tuple(steps),
        unit=course.loss_bound(0),
        shifted=shifted,
    )


def _ask(rule: Rule, course: Course, standing: Standing, lap: int) -> Act:
    """Ask the rule, unless no candidate can be made of this window."""
    if course.candidate(lap) is None:
        return Act(trained=True, promoted=False, why="no model can be made of this window")
    return rule(course, standing, lap)


def _step(
    course: Course, standing: Standing, act: Act, lap: int, rules: Policy, *, oracle: int
) -> BacktestStep:
    following = lap + 1
    candidate = lap if act.candidate is None else act.candidate
    theirs = course.loss(standing.production, following)
    ours = None if course.candidate(candidate) is None else course.loss(candidate, following)
    gain = 0.0 if ours is None else theirs - ours
    return BacktestStep(
        window=lap,
        trained=act.trained,
        verdict=act.verdict,
        row=act.row,
        reviewed=act.reviewed,
        promoted=act.promoted,
        production_loss=theirs,
        candidate_loss=ours,
        oracle_loss=course.loss(oracle, following),
        wrong=act.promoted and gain <= 0,
        missed=not act.promoted and gain > rules.thresholds.min_gain * theirs,
        rows=len(course.row_losses(standing.production, following)),
        labels=_labels(course, act, lap),
        asked=act.asked,
        why=act.why,
    )


def _labels(course: Course, act: Act, lap: int) -> int:
    if act.labels is not None:
        return act.labels
    return len(course.laps[lap].window.labelled()) if act.trained else 0
