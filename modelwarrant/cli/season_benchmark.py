"""How often does the monitor act where it should, beside a timer and an error threshold?"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any, Final

from scipy.stats import beta

from modelwarrant.cli.children import end_with_parent
from modelwarrant.monitoring.seasons import (
    FIRST,
    STEADY,
    Course,
    Regime,
    Rule,
    Weights,
    play,
    shifted,
)

__all__ = ["Figure", "RuleRow", "SeasonResults", "measure_seasons"]

RULES: Final[Mapping[Rule, str]] = {
    "monitor": "modelwarrant",
    "timer": "every 4 windows",
    "threshold": "error 10 % up",
}

_STEADY_WINDOWS: Final = 4
_IN_TIME: Final = 3
"""Windows of 500 labels within which a shift must be acted on."""

HARMLESS: Final = ((0.0, 1.0), (0.4, 0.0), (0.0, 0.6), (0.3, 0.8))
"""Moves of the inputs under which the model stays right."""
HARMFUL: Final = (Weights(1.0), Weights(0.8), Weights(1.4, 1.4))
"""Rules that come instead: the loss grows by .060 to .084 of its range."""
BAD: Final = (
    (FIRST, Weights(1.0, 1.0)),
    (FIRST, Weights(0.7)),
    (FIRST, Weights(3.5, 1.0)),
)
"""What was in production, and the worse model that replaced it."""
GOOD: Final = (
    (Weights(1.5, 0.5), FIRST),
    (Weights(1.9, 0.5), Weights(1.9, -0.5)),
    (FIRST, FIRST),
)
"""Better, equally good but different, and the very same."""

_BASE: Final = {"harmless": 10_000, "harmful": 20_000, "bad": 30_000, "good": 40_000}
"""First seed of each kind of season."""


@dataclass(frozen=True)
class Figure:
    """A share of seasons, with its exact 95 % interval (Clopper and Pearson 1934)."""

    what: str
    share: float
    lower: float
    upper: float
    goal: str
    is_met: bool


@dataclass(frozen=True)
class RuleRow:
    """What one rule did, in the mean of all seasons of a kind."""

    rule: str
    season: str
    retrained: float
    """Share of seasons with any retraining."""
    retrainings: float
    in_time: float | None
    """Share acted on within three windows, not before; None where there is nothing to act on."""
    labels: float
    excess: float
    """Mean loss beyond the true rule's, in thousandths of a nat."""


@dataclass(frozen=True)
class SeasonResults:
    """Figures against their goals, and the rules beside each other."""

    seasons: int
    figures: tuple[Figure, ...]
    rows: tuple[RuleRow, ...]

    def document(self) -> dict[str, Any]:
        """Return the results as JSON."""
        return asdict(self)


def measure_seasons(
    seasons: int, *, workers: int | None, show: Callable[[str], None]
) -> SeasonResults:
    """Play so many seasons of each kind with each rule, in a pool of processes.

    Args:
        seasons: of each kind; a season of the same seed is the same for every rule.
        workers: processes; None for one a core.
        show: told a line of progress.
    """
    rows, monitor = list[RuleRow](), dict[str, list[Course]]()
    count, spawn = workers or os.cpu_count(), get_context("spawn")
    with ProcessPoolExecutor(count, spawn, initializer=end_with_parent) as pool:

        def courses(kind: str, rule: Rule) -> list[Course]:
            jobs = [(kind, rule, seed) for seed in range(seasons)]
            found = list(pool.map(_play, jobs, chunksize=8))
            show(f"{kind}, {RULES[rule]}: {seasons} seasons")
            return found

        for kind in ("harmless", "harmful"):
            for rule in RULES:
                found = courses(kind, rule)
                rows.append(_row(kind, rule, found))
                if rule == "monitor":
                    monitor[kind] = found
        for kind in ("bad", "good"):
            monitor[kind] = courses(kind, "monitor")
    return SeasonResults(seasons, tuple(_figures(monitor)), tuple(rows))


def _play(job: tuple[str, Rule, int]) -> Course:
    """Play one season; the kinds' variants take turns."""
    kind, rule, number = job
    seed = _BASE[kind] + number
    if kind == "harmless":
        regime = Regime(FIRST, HARMLESS[number % len(HARMLESS)])
        course = play(rule, shifted(regime, before=_STEADY_WINDOWS), seed=seed)
    elif kind == "harmful":
        regime = Regime(HARMFUL[number % len(HARMFUL)])
        course = play(rule, shifted(regime, before=_STEADY_WINDOWS), seed=seed)
    else:
        pairs = BAD if kind == "bad" else GOOD
        parent, new = pairs[number % len(pairs)]
        course = play(rule, [STEADY] * _IN_TIME, seed=seed, production=new, parent=parent)
    return Course(course.acts, course.labels, course.excess)


def _is_in_time(course: Course) -> bool:
    first = course.first("retrain")
    return first is not None and 0 <= first - _STEADY_WINDOWS < _IN_TIME


def _row(kind: str, rule: Rule, courses: Sequence[Course]) -> RuleRow:
    n = len(courses)
    return RuleRow(
        rule=RULES[rule],
        season=kind,
        retrained=sum(each.retrainings > 0 for each in courses) / n,
        retrainings=sum(each.retrainings for each in courses) / n,
        in_time=sum(map(_is_in_time, courses)) / n if kind == "harmful" else None,
        labels=sum(each.labels for each in courses) / n,
        excess=1000 * sum(each.excess for each in courses) / n,
    )


def _figures(monitor: Mapping[str, Sequence[Course]]) -> list[Figure]:
    retrained = [each.retrainings > 0 for each in monitor["harmless"]]
    in_time = [_is_in_time(each) for each in monitor["harmful"]]
    back = {kind: ["rollback" in each.acts for each in monitor[kind]] for kind in ("bad", "good")}
    return [
        _figure("harmless shift: retrained at all", retrained, most=0.05),
        _figure("harmful shift: acted on within three windows of 500 labels", in_time, least=0.8),
        _figure("bad promotion: rolled back within its watch", back["bad"], least=0.95),
        _figure("good promotion: rolled back", back["good"], most=0.01),
    ]


def _figure(
    what: str, hits: Sequence[bool], *, least: float | None = None, most: float | None = None
) -> Figure:
    k, n = sum(hits), len(hits)
    lower = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    upper = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    goal = f"at least {least:.0%}" if least is not None else f"at most {most:.0%}"
    share = k / n
    is_met = share >= least if least is not None else most is not None and share <= most
    return Figure(what, share, lower, upper, goal, is_met)
