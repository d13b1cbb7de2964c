"""What would modelwarrant have done on a project's own history, against the usual rules?

Every rule walks over the same windows through the real lifecycle. Walks are records of their own,
so that a backtest that was killed goes on with those that are missing.
"""

from collections.abc import Sequence
from typing import Final

from modelwarrant.backtest.acts import Act, Standing
from modelwarrant.backtest.course import Course
from modelwarrant.backtest.plan import Plan, length_text
from modelwarrant.backtest.scoring import run_backtest
from modelwarrant.policy import ENGINE_VERSION, Policy
from modelwarrant.records import (
    DriftReport,
    HistoryReport,
    HistoryWalk,
    HistoryWindow,
    Prices,
    RuleTotals,
    WalkedWindow,
)

__all__ = ["HISTORY_RULES", "MAIN", "history_report", "walk"]

MAIN: Final = "warrant-approved"
"""Whose decisions the report tells window by window."""

HISTORY_RULES: Final = (
    MAIN,
    "warrant-refused",
    "never",
    "periodic-3",
    "metric-only",
    "always",
    "oracle",
)
"""The rules of a backtest. What the policy leaves to a person is approved always, and never."""

_USUAL: Final = ("never", "periodic-3", "metric-only")
"""Rules that a cost is held against."""


def walk(course: Course, rule: str, rules: Policy, *, prices: Prices, name: str) -> HistoryWalk:
    """Run one rule over the history.

    Args:
        course: the windows.
        rule: one of ``RULES``.
        rules: the promotion policy.
        prices: what a training must be worth.
        name: of the model, for the record.

    Raises:
        PolicyError: there is no such rule.
        TrainingError: no model can be made of the first window.
    """
    seen: list[WalkedWindow] = []

    def watch(standing: Standing, act: Act, lap: int) -> None:
        seen.append(_seen(course, standing, act, lap))

    score = run_backtest(course, rule, rules, scenario=name, seed=0, prices=prices, watch=watch)
    return HistoryWalk(score=score, windows=tuple(seen))


def _seen(course: Course, standing: Standing, act: Act, lap: int) -> WalkedWindow:
    """Note what was seen of a window; only a rule that gives reasons looks for drift."""
    if act.memory is None:
        return WalkedWindow()
    report = course.drift(standing.production, lap)
    span = None if act.candidate is None or not act.trained else course.span_of(act.candidate)
    learned = None
    if act.candidate is not None and span is not None:
        manifest = course.manifest(lap, production=standing.production, candidate=act.candidate)
        learned = None if manifest.own is None else manifest.own.bounds
    return WalkedWindow(
        drift=report.level,
        drifted=_drifted(report),
        season=None if report.season is None else report.season.verdict,
        learned_from=learned,
    )


def _drifted(report: DriftReport) -> tuple[str, ...]:
    """Return what makes a report's level, the gates first."""
    if report.level in ("none", "unknown"):
        return ()
    wanted = "drift" if report.level == "blocked" else report.level
    gates = [f"{g.column or 'rows'} ({g.gate})" for g in report.gates if g.level == "block"]
    names = [each.name for each in report.features if each.level == wanted]
    joint = ["the features together"] if report.joint.level == wanted else []
    scored = report.predictions is not None and report.predictions.level == wanted
    return tuple(dict.fromkeys((*gates, *names, *joint, *(["the score"] if scored else []))))


def history_report(
    course: Course,
    plan: Plan,
    walks: Sequence[HistoryWalk],
    *,
    model: str,
    rules: Policy,
    prices: Prices,
    season: str | None,
    delay: str | None,
) -> HistoryReport:
    """Put every rule's walk into one report.

    Args:
        course: the windows.
        plan: how they were cut.
        walks: one a rule; ``MAIN`` among them.
        model: name of the project's model.
        rules: the promotion policy.
        prices: of acts and errors.
        season: as a person writes it; None where none is declared.
        delay: how long a label takes, likewise.
    """
    by_rule = {each.score.rule: each for each in walks}
    main = by_rule[MAIN]
    costs = {rule: each.score.cost(prices) for rule, each in by_rule.items()}
    cheapest = min((costs[rule] for rule in _USUAL if rule in costs), default=None)
    stream = course.laps[0].window
    return HistoryReport(
        model=model,
        task=main.score.task,
        metric=course.metric,
        source=course.laps[0].ref.source,
        window=length_text(stream, plan.length),
        is_default_window=plan.is_default,
        season=season,
        label_delay=delay,
        final=course.laps[0].ref.final,
        n_required=plan.n_required,
        smallest_gain=plan.smallest_gain,
        can_promote=plan.can_promote,
        remarks=plan.remarks,
        prices=prices,
        unit=main.score.unit,
        policy_digest=rules.digest,
        engine_version=ENGINE_VERSION,
        windows=tuple(_window(course, by_rule, place) for place in range(len(main.windows))),
        totals=tuple(_totals(each, costs[rule], cheapest) for rule, each in by_rule.items()),
    )


def _window(course: Course, walks: dict[str, HistoryWalk], place: int) -> HistoryWindow:
    step, seen = walks[MAIN].score.steps[place], walks[MAIN].windows[place]
    lap = course.laps[step.window]
    return HistoryWindow(
        number=step.window,
        bounds=lap.ref.bounds,
        rows=len(lap.window),
        labelled=len(lap.window.labelled()),
        final=len(lap.final.window),
        drift=seen.drift,
        drifted=seen.drifted,
        season=seen.season,
        trained=step.trained,
        learned_from=seen.learned_from,
        verdict=step.verdict,
        rule=step.row,
        promoted=step.promoted,
        why=step.why,
        losses={rule: each.score.steps[place].loss for rule, each in walks.items()},
    )


def _totals(found: HistoryWalk, cost: float, cheapest: float | None) -> RuleTotals:
    score = found.score
    rows = sum(step.rows for step in score.steps)
    return RuleTotals(
        rule=score.rule,
        loss=sum(step.rows * step.loss for step in score.steps) / max(rows, 1),
        trainings=score.trainings,
        promotions=score.promotions,
        reviews=score.reviews,
        labels=sum(step.labels for step in score.steps),
        labels_asked=sum(step.asked for step in score.steps),
        cost=cost,
        cost_ratio=None if not cheapest else cost / cheapest,
    )
