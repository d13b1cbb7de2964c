"""How often does a monitor act where it should, and stay silent where it should?

``warrant benchmark monitoring`` prints the table that the documents state; ``pytest -s`` this one.
"""

import sys

import numpy as np
import pytest

from modelwarrant.cli.season_benchmark import measure_seasons
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.monitoring.losses import degradation
from modelwarrant.records import MonitoringThresholds

ROWS = 500
SEEDS = 200


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


@pytest.mark.statistical
def test_seasons_meet_their_goals_beside_a_timer_and_a_threshold():
    """Harmless and harmful shifts, bad and good promotions; nobody retrains less for as much."""
    found = measure_seasons(150, workers=1, show=_say)
    for figure in found.figures:
        _say(f"{figure.what}: {figure.share:.1%}, goal {figure.goal}")
    by_rule = {(row.rule, row.season): row for row in found.rows}
    ours, timer = (by_rule[rule, "harmful"] for rule in ("modelwarrant", "every 4 windows"))

    assert [] == [each.what for each in found.figures if not each.is_met]
    assert ours.retrainings < timer.retrainings
    assert ours.excess < timer.excess


@pytest.mark.statistical
@pytest.mark.parametrize(("before", "goal"), [(1, 0.8), (4, 0.8), (16, 0.7)])
def test_a_growth_by_eight_points_of_an_error_rate_is_mostly_found(before: int, goal: float):
    """The hardest losses, 0 or 1: within three windows, wherever between two beginnings it comes.

    After 8,000 sound labels each beginning has a smaller share of the budget of false alarms.
    """
    rng, found, early = np.random.default_rng(before), 0, 0
    earlier = Blocks(np.arange(3000) // 50, "days")
    for _ in range(SEEDS):
        reference = (rng.random(3000) < 0.2).astype(float)
        sound = before * ROWS + int(rng.integers(0, ROWS))
        shares = np.repeat([0.2, 0.28], [sound, 3 * ROWS])
        losses = (rng.random(len(shares)) < shares).astype(float)
        looks = [*range(ROWS, sound, ROWS), *(sound + n * ROWS for n in (1, 2, 3))]
        levels = [
            degradation(
                losses[:n],
                Blocks(np.arange(n) // 50, "days"),
                reference,
                earlier,
                bound=1.0,
                thresholds=MonitoringThresholds(),
            ).level
            for n in looks
        ]
        is_early = "reached" in levels[:-3]
        early += is_early
        found += "reached" in levels[-3:] and not is_early
    _say(
        f"\nerror rate .20 to .28 after {before} windows: {found / SEEDS:.1%} within three, "
        f"{early / SEEDS:.1%} before it"
    )

    assert found / SEEDS >= goal
    assert early / SEEDS <= 0.01
