"""How often is a sound production model called degraded, and how often a decayed one found?"""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import ndtr

from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.champion import champion_state


def _autocorrelated(rng, n, *, shift=0.0, correlation=0.0, days=60):
    noise = rng.standard_normal(n)
    noise[1:] *= np.sqrt(1 - correlation**2)
    return (ndtr(lfilter([1], [1, -correlation], noise)) < 0.2 + shift).astype(float)


def _daily(rng, n, *, shift=0.0, spread=0.5, days=60):
    code = np.arange(n) * days // n
    p = ndtr(-0.84 * np.sqrt(1 + spread**2) + spread * rng.standard_normal(days))[code]
    return (rng.random(n) < p + shift).astype(float)


def _degraded(make, *, n_reference, n, runs, days=60, reference_days=60, **options):
    rng = np.random.default_rng(77)
    blocks = Blocks(np.arange(n) * days // n, "days")
    earlier = Blocks(np.arange(n_reference) * reference_days // n_reference, "days")
    shift = options.pop("shift", 0.0)
    found = 0
    for _ in range(runs):
        reference = make(rng, n_reference, days=reference_days, **options)
        current = make(rng, n, days=days, shift=shift, **options)
        state = champion_state(current, blocks, reference, earlier, bound=1.0)
        found += state.level == "degraded"
    return found / runs


def test_a_sound_champion_is_hardly_ever_degraded_in_a_quick_look():
    """One percent, for ever."""
    assert _degraded(_autocorrelated, n_reference=1500, n=5000, runs=200) <= 0.02


def test_a_decay_by_eight_points_is_mostly_found_in_a_quick_look():
    """3,000 labels against 3,000."""
    assert _degraded(_autocorrelated, n_reference=3000, n=3000, runs=50, shift=0.08) >= 0.9


@pytest.mark.statistical
@pytest.mark.parametrize("n", [1500, 20_000])
@pytest.mark.parametrize(
    ("make", "options"),
    [
        (_autocorrelated, {"correlation": 0.0}),
        (_autocorrelated, {"correlation": 0.5}),
        (_autocorrelated, {"correlation": 0.9}),
        (_daily, {"spread": 0.15}),
        (_daily, {"spread": 0.5}),
        (_daily, {"spread": 0.5, "days": 200, "reference_days": 20}),
    ],
)
def test_false_alarms_stay_below_two_percent(make, options, n):
    """Independent, autocorrelated and daily clustered losses; 20 reference days among them."""
    assert _degraded(make, n_reference=1500, n=n, runs=500, **options) <= 0.02


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("shift", "n_reference", "n", "least"),
    [(0.08, 1500, 1500, 0.72), (0.08, 3000, 3000, 0.97), (0.06, 1500, 20_000, 0.9)],
)
@pytest.mark.parametrize("days", [20, 60])
def test_a_decay_is_found(shift, n_reference, n, least, days):
    """Power for the sizes that the design names, whether the labels span 20 days or 60."""
    found = _degraded(
        _autocorrelated,
        n_reference=n_reference,
        n=n,
        runs=300,
        shift=shift,
        days=days,
        reference_days=days,
    )

    assert found >= least
