"""Which streams does the benchmark of decisions run over, declared before anybody looks?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from modelwarrant.backtest.course import Course
from modelwarrant.backtest.laps import cut_into_laps
from modelwarrant.backtest.scoring import run_backtest
from modelwarrant.evaluation import DEFAULT_METRIC
from modelwarrant.policy import Policy
from modelwarrant.records import Recipe
from modelwarrant.records.backtest import BacktestScore
from modelwarrant.simulation import BASES, KINDS, SHAPES, parse_scenario, simulate
from modelwarrant.windows import Window

__all__ = [
    "QUICK",
    "RECIPE",
    "Setting",
    "Stream",
    "course_of",
    "declared_streams",
    "quick_streams",
    "score",
]

SIZES: Final = (0.125, 0.25, 0.5, 1.0, 2.0)
_QUICK_KINDS: Final = ("none", "covariate", "prior", "concept", "harmless", "unit")
_DRAW: Final = 20261125
"""Seed of the declared fraction; never changed for a result."""

RECIPE: Final = Recipe(model="hist_gradient_boosting", parameters={"max_iter": 40})
"""The models of the benchmark: small enough that a stream takes seconds."""


@dataclass(frozen=True)
class Stream:
    """One stream of the benchmark."""

    scenario: str
    seed: int


@dataclass(frozen=True)
class Setting:
    """How every stream is cut and every model made."""

    rows: int = 20_000
    windows: int = 10
    final: float = 0.3
    """600 rows judge each decision: above the policy's 500."""
    onset: float = 0.55
    """In the middle of a window: no window knows when the world changes."""
    recipe: Recipe = RECIPE


def declared_streams(*, seeds: int, most: int) -> tuple[Stream, ...]:
    """Return the declared fraction of bases x kinds x shapes x sizes x seeds.

    Each seed takes the same number of pairs of base and kind, drawn without looking, and one shape
    and size for each; over all seeds every pair comes about equally often.

    Args:
        seeds: at least 1.
        most: streams at most, at least one a seed.

    >>> streams = declared_streams(seeds=20, most=600)
    >>> len(streams), streams == declared_streams(seeds=20, most=600)
    (600, True)
    """
    rng = np.random.default_rng(_DRAW)
    pairs = list(product(BASES, KINDS))
    shapes = list(product(SHAPES, SIZES))
    found = []
    for seed in range(seeds):
        for index in rng.permutation(len(pairs))[: most // seeds]:
            base, kind = pairs[index]
            shape, size = shapes[rng.integers(len(shapes))]
            text = parse_scenario(f"{base}/{kind}/{shape}/{size}").text
            found.append(Stream(text, seed))
    return tuple(found)


def quick_streams() -> tuple[Stream, ...]:
    """Return one stream a base and kind that a change of code should not break: two minutes."""
    pairs = product(BASES, _QUICK_KINDS)
    return tuple(Stream(parse_scenario(f"{base}/{kind}").text, 1) for base, kind in pairs)


QUICK: Final = Setting(rows=14_000, windows=7)
"""Five decisions a stream; the same windows."""


def course_of(window: Window, setting: Setting, *, source: str) -> Course:
    """Return a stream's course, its decisions about the default metric of its task."""
    laps = cut_into_laps(window, windows=setting.windows, final=setting.final, source=source)
    metric = DEFAULT_METRIC[window.schema.task or "regression"]
    return Course(laps, setting.recipe, metric)


def score(
    stream: Stream, setting: Setting, rules: Sequence[str], policy: Policy
) -> tuple[BacktestScore, ...]:
    """Draw a stream and run every rule over it.

    Raises:
        DataError: no such scenario.
        PolicyError: no such rule.
    """
    scenario = parse_scenario(stream.scenario, onset=setting.onset)
    window, _ = simulate(scenario, rows=setting.rows, seed=stream.seed)
    course = course_of(window, setting, source=stream.scenario)
    return tuple(
        run_backtest(course, rule, policy, scenario=stream.scenario, seed=stream.seed)
        for rule in rules
    )
