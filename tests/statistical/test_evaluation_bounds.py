"""How often do bounds fail, and how often is a candidate promoted that is no better?

Seeded; each limit is the nominal rate plus three standard errors of the simulated share, or the
rate stated in ``bounds``.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from modelwarrant.evaluation import mean_bounds
from modelwarrant.evaluation.blocks import Blocks

Make = Callable[[np.random.Generator, int], np.ndarray]

QUICK = 400
THOROUGH = 3000


def _blocks(n: int, count: int) -> Blocks:
    return Blocks(np.arange(n) * count // n, "days")


def _failures(
    make: Make, n: int, blocks: Blocks, *, alpha: float, runs: int
) -> tuple[float, float]:
    """Return the shares of runs in which the lower and the upper bound miss a mean of 0."""
    rng = np.random.default_rng(20_240_301)
    missed = np.zeros(2)
    for _ in range(runs):
        found = mean_bounds(make(rng, n), blocks, alpha=alpha)
        if found.lower is not None:
            missed += (found.lower > 0, found.upper < 0)
    return tuple(missed / runs)


def _normal(rng, n):
    return rng.standard_normal(n)


def _rare_losses(rng, n):
    return 1 - rng.exponential(size=n)


def _clipped_log_loss(rng, n):
    """Difference of two equally good models' log losses, clipped."""
    z = 1.5 * rng.standard_normal(n)
    y = rng.random(n) < 1 / (1 + np.exp(-z))
    seen = [z + rng.standard_normal(n) for _ in range(2)]
    losses = [np.minimum(np.logaddexp(0, np.where(y, -s, s)), 3.0) for s in seen]
    return losses[0] - losses[1]


def _error_rate(rng, n):
    return rng.choice([-1.0, 0.0, 1.0], n, p=[0.05, 0.9, 0.05])


def _few_errors(rng, n):
    return rng.choice([-1.0, 0.0, 1.0], n, p=[0.01, 0.98, 0.01])


def _autocorrelated(correlation):
    def make(rng, n):
        noise = rng.standard_normal(n)
        noise[1:] *= np.sqrt(1 - correlation**2)
        return lfilter([1], [1, -correlation], noise)

    return make


def _daily(rng, n):
    return rng.standard_normal(n) + rng.standard_normal(60)[np.arange(n) * 60 // n]


def _limit(rate: float, runs: int) -> float:
    return rate + 3 * np.sqrt(rate * (1 - rate) / runs)


@pytest.mark.parametrize("make", [_clipped_log_loss, _error_rate])
def test_bounds_hold_their_level_in_a_quick_look(make):
    """At 5 % neither bound fails more often, over 400 windows of 500 rows."""
    missed = _failures(make, 500, _blocks(500, 64), alpha=0.05, runs=QUICK)

    assert max(missed) <= _limit(0.05, QUICK)


def test_dependent_rows_do_not_fool_the_bounds_in_a_quick_look():
    """AR(1) losses with correlation .8, where a row bootstrap fails in 29 % of windows."""
    missed = _failures(_autocorrelated(0.8), 500, _blocks(500, 64), alpha=0.05, runs=QUICK)

    assert max(missed) <= _limit(0.06, QUICK)


@pytest.mark.statistical
@pytest.mark.parametrize("blocks", [19, 64])
@pytest.mark.parametrize("alpha", [0.05, 0.0304, 0.0034])
@pytest.mark.parametrize(
    "make", [_normal, _rare_losses, _clipped_log_loss, _error_rate, _few_errors]
)
def test_bounds_of_independent_rows_hold_their_level(make, alpha, blocks):
    """Skewed, clipped and sparse differences, at the alphas of the first looks."""
    missed = _failures(make, 500, _blocks(500, blocks), alpha=alpha, runs=THOROUGH)

    assert max(missed) <= _limit(alpha, THOROUGH)


@pytest.mark.statistical
@pytest.mark.parametrize("n", [500, 2000])
@pytest.mark.parametrize("correlation", [0.3, 0.5, 0.8, 0.9])
def test_bounds_of_autocorrelated_rows_stay_near_their_level(correlation, n):
    """At 5 % at most 6 to 6.5 % where neighbouring rows move together."""
    make = _autocorrelated(correlation)
    missed = _failures(make, n, _blocks(n, 64), alpha=0.05, runs=THOROUGH)

    assert max(missed) <= _limit(0.0575, THOROUGH)


@pytest.mark.statistical
def test_bounds_of_hard_and_easy_days_stay_near_their_level():
    """Day effects as large as the spread of the rows."""
    missed = _failures(_daily, 2000, _blocks(2000, 60), alpha=0.05, runs=THOROUGH)

    assert max(missed) <= _limit(0.05, THOROUGH)


@pytest.mark.statistical
@pytest.mark.parametrize("make", [_normal, _autocorrelated(0.8)])
def test_bounds_find_a_gain_of_the_size_the_power_formula_promises(make):
    """At n_req a true gain is seen in about 80 % of windows."""
    z, gain = 1.645 + 0.8416, 0.1
    probe = [
        mean_bounds(make(np.random.default_rng(s), 4000), _blocks(4000, 64), alpha=0.05).deviation
        for s in range(40)
    ]
    n = int(np.ceil((z * np.mean(probe) * np.sqrt(4000) / gain) ** 2))
    rng, seen = np.random.default_rng(5), 0
    for _ in range(500):
        seen += mean_bounds(make(rng, n) + gain, _blocks(n, 64), alpha=0.05).lower > 0

    assert 0.72 <= seen / 500 <= 0.88
