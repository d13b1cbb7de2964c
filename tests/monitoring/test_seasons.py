"""Seasons whose truth is known: each rule lives through the same ones."""

import pytest

from modelwarrant.cli.season_benchmark import _figure
from modelwarrant.monitoring.seasons import (
    EVERY,
    FIRST,
    LABELLED,
    RETRAINED_ON,
    STEADY,
    Regime,
    Weights,
    play,
    shifted,
)

CALLS = Regime(FIRST, (0.0, 1.0))
TURNED = Regime(Weights(0.5, 1.5))


def test_a_harmless_shift_asks_for_labels_at_most() -> None:
    """The idle input moves by a standard deviation."""
    course = play("monitor", shifted(CALLS, before=2, after=4), seed=1)

    assert {"none", "label"} >= set(course.acts)
    assert course.labels >= 6 * LABELLED


def test_a_harmful_shift_is_retrained_on_once() -> None:
    """The new model is right again, and stays."""
    course = play("monitor", shifted(TURNED, before=2, after=6), seed=1)

    assert 2 == course.first("retrain")
    assert 1 == course.retrainings
    assert course.labels >= 8 * LABELLED + RETRAINED_ON


def test_a_bad_promotion_is_taken_back() -> None:
    """And the model before, which is right, is left alone."""
    course = play("monitor", [STEADY] * 3, seed=1, production=Weights(0.5, -0.5), parent=FIRST)

    assert ("rollback", "none", "none") == course.acts


def test_a_timer_retrains_whatever_happens() -> None:
    """Every fourth window."""
    course = play("timer", [STEADY] * 8, seed=1)

    assert 8 // EVERY == course.retrainings
    assert 8 * LABELLED + 2 * RETRAINED_ON == course.labels


def test_every_rule_sees_the_same_windows() -> None:
    """Until one retrains their losses are alike."""
    steady = [STEADY] * (EVERY - 1)

    assert play("monitor", steady, seed=3).excess == play("timer", steady, seed=3).excess


@pytest.mark.parametrize(
    ("hits", "ends"), [((True,) * 10, (0.6915, 1.0)), ((True, False) * 10, (0.272, 0.728))]
)
def test_a_share_has_its_exact_interval(hits: tuple[bool, ...], ends: tuple[float, float]) -> None:
    """By Clopper and Pearson: 10 of 10, and 10 of 20."""
    found = _figure("share", hits, least=0.5)

    assert ends == pytest.approx((found.lower, found.upper), abs=5e-4)
    assert found.is_met
