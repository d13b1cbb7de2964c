"""Production counts as degraded only with proof."""

import numpy as np
import pytest

from modelwarrant.evaluation import loss_e_value
from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.champion import champion_state


def _losses(mean, n, seed):
    return (np.random.default_rng(seed).random(n) < mean).astype(float)


def _blocks(n, rows=30):
    return Blocks(np.arange(n) // rows, "days")


def _state(current_mean, *, n_reference=3000, n=1500):
    reference = _losses(0.2, n_reference, 1)
    return champion_state(
        _losses(current_mean, n, 2), _blocks(n), reference, _blocks(n_reference), bound=1.0
    )


def test_a_loss_like_the_references_is_ok():
    """Nothing to bet on."""
    found = _state(0.2)

    assert "ok" == found.level
    assert found.e_value < 1


def test_a_growth_by_eight_points_is_found_in_1500_labels():
    """The size that the design wants found nearly always."""
    found = _state(0.28)

    assert "degraded" == found.level
    assert found.e_value >= 100


def test_a_growth_within_the_allowance_is_ok():
    """Two percent of the range are no degradation."""
    assert "ok" == _state(0.22).level


@pytest.mark.parametrize("n_reference", [0, 500, 1499])
def test_too_short_a_reference_is_unknown(n_reference):
    """With 500 labels the reference's own error made false alarms."""
    found = _state(0.5, n_reference=n_reference)

    assert ("unknown", None) == (found.level, found.e_value)
    assert "1500 are needed" in found.reason


def test_a_reference_whose_mean_is_uncertain_allows_more():
    """Twenty dependent days say less about the true loss than 3,000 rows seem to."""
    daily = np.repeat(np.random.default_rng(3).random(20) < 0.3, 150).astype(float)
    found = champion_state(
        _losses(0.34, 1500, 4), _blocks(1500), daily, _blocks(3000, 150), bound=1.0
    )

    assert "ok" == found.level


def test_a_reference_without_loss_has_no_range():
    """A model that was never wrong cannot be scaled."""
    found = champion_state(np.ones(100), _blocks(100), np.zeros(2000), _blocks(2000), bound=0.0)

    assert "unknown" == found.level


def test_the_e_value_of_nothing_is_one_and_never_infinite():
    """No observation, no evidence; and a document holds finite numbers."""
    assert 1.0 == loss_e_value(np.zeros(0), null_mean=0.3)
    assert pytest.approx(1e300, rel=1e-6) == loss_e_value(np.ones(10_000), null_mean=0.3)


def test_the_order_of_the_losses_does_not_matter():
    """Constant bets commute."""
    losses = np.random.default_rng(5).random(200)

    assert pytest.approx(loss_e_value(losses, null_mean=0.4)) == (
        loss_e_value(losses[::-1], null_mean=0.4)
    )
