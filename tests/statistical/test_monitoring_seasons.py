"""How often does a monitor act where it should, and stay silent where it should?

``pytest -s`` prints the table of retrainings against a timer and an error threshold.
"""

import sys
from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.monitoring.losses import degradation
from modelwarrant.records import MonitoringAction, MonitoringThresholds
from tests.statistical.seasons import ROWS, STEADY, Regime, logistic, play

MODEL = logistic(2.0)
SEEDS = 200
HARMLESS = ((0.0, 1.0), (0.4, 0.0), (0.0, 0.6), (0.3, 0.8))
"""Moves of the inputs under which the model stays right."""

SHIFTS = {
    "effect weaker (+.064 of the loss's range)": logistic(1.0),
    "effect much weaker (+.084)": logistic(0.8),
    "cause shared with another column (+.060)": logistic(1.4, 1.4),
}

EVERY = 4
"""Windows after which the timer retrains."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _first(actions: Iterable[MonitoringAction], act: str) -> int | None:
    return next((place for place, found in enumerate(actions) if found.action == act), None)


def _shifted(regime: Regime, *, before: int = 4, after: int) -> list[Regime]:
    return [STEADY] * before + [regime] * after


def _threshold(actions: Sequence[MonitoringAction]) -> int:
    """Count retrainings of a rule without a test: mean loss of the window 10 % above the first."""
    means = [found.evidence.degradation.mean or 0.0 for found in actions]
    windows = np.diff([0.0, *(mean * (place + 1) for place, mean in enumerate(means))])
    return int((windows[1:] > 1.1 * windows[0]).sum())


@pytest.mark.statistical
def test_a_harmless_shift_gets_a_retraining_in_five_percent_of_seasons_at_most():
    """Eight of twelve windows are shifted; each season counts with any retraining."""
    retrained, by_threshold, asked = [], [], []
    for seed in range(SEEDS):
        regimes = _shifted(Regime(MODEL, HARMLESS[seed % len(HARMLESS)]), after=8)
        actions = list(play(regimes, seed=seed, production=MODEL))
        retrained.append(_first(actions, "retrain") is not None)
        by_threshold.append(_threshold(actions))
        asked.append(sum(found.action == "label" for found in actions))
    _say(f"\nharmless shift, {SEEDS} seasons of 12 windows of {ROWS} labels")
    _say(f"  monitor: {np.mean(retrained):.1%} of seasons retrained")
    _say(f"  timer: 100 % of seasons, {12 // EVERY} retrainings each")
    _say(
        f"  threshold: {np.mean(np.array(by_threshold) > 0):.1%}, {np.mean(by_threshold):.1f} each"
    )
    _say(f"  windows in which labels were asked for: {np.mean(asked):.1f}")

    assert np.mean(retrained) <= 0.05


@pytest.mark.statistical
@pytest.mark.parametrize("name", SHIFTS)
def test_a_concept_shift_is_acted_on_within_three_windows(name: str):
    """A retraining after the shift, at most 1,500 labels later, in at least 80 % of seasons."""
    found = [
        _first(
            play(_shifted(Regime(SHIFTS[name]), after=3), seed=1000 + seed, production=MODEL),
            "retrain",
        )
        for seed in range(SEEDS)
    ]
    in_time = np.mean([place is not None and place >= 4 for place in found])
    early = np.mean([place is not None and place < 4 for place in found])
    _say(f"\n{name}: {in_time:.1%} retrained within three windows, {early:.1%} before the shift")

    assert in_time >= 0.8
    assert early <= 0.02


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("parent", "new"),
    [(MODEL, logistic(1.0, 1.0)), (MODEL, logistic(0.7)), (MODEL, logistic(3.5, 1.0))],
)
def test_a_bad_promotion_is_rolled_back_within_its_watch(parent, new):
    """In at least 95 % of seasons, by 1,500 labels."""
    found = [
        _first(play([STEADY] * 3, seed=5000 + seed, production=new, parent=parent), "rollback")
        for seed in range(SEEDS)
    ]
    share = np.mean([place is not None for place in found])
    _say(f"\nbad promotion: {share:.1%} rolled back")

    assert share >= 0.95


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("parent", "new"),
    [(logistic(1.5, 0.5), MODEL), (logistic(1.9, 0.5), logistic(1.9, -0.5)), (MODEL, MODEL)],
)
def test_a_good_promotion_is_hardly_ever_rolled_back(parent, new):
    """Better, equally good but different, and the very same: in at most 1 % of seasons."""
    found = [
        _first(play([STEADY] * 3, seed=9000 + seed, production=new, parent=parent), "rollback")
        for seed in range(SEEDS)
    ]
    share = np.mean([place is not None for place in found])
    _say(f"\ngood promotion: {share:.1%} rolled back")

    assert share <= 0.01


@pytest.mark.statistical
def test_a_growth_by_eight_points_of_an_error_rate_is_mostly_found():
    """The hardest losses, 0 or 1: in 70 % of streams within three windows after four sound ones."""
    rng, found = np.random.default_rng(1), 0
    earlier = Blocks(np.arange(3000) // 50, "days")
    for _ in range(SEEDS):
        reference = (rng.random(3000) < 0.2).astype(float)
        losses = (rng.random(7 * ROWS) < np.repeat([0.2, 0.28], [4 * ROWS, 3 * ROWS])).astype(float)
        levels = [
            degradation(
                losses[:n],
                Blocks(np.arange(n) // 50, "days"),
                reference,
                earlier,
                bound=1.0,
                thresholds=MonitoringThresholds(),
            ).level
            for n in range(ROWS, 7 * ROWS + 1, ROWS)
        ]
        found += "reached" in levels[4:] and "reached" not in levels[:4]
    _say(f"\nerror rate .20 to .28: {found / SEEDS:.1%} within three windows")

    assert found / SEEDS >= 0.7
