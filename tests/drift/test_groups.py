"""Errors of means hold where neighbours in time resemble each other."""

import numpy as np
import pytest
from scipy import stats

from modelwarrant.drift.groups import design_effect, mean_of, two_sided_p_value


def noise(random: np.random.Generator, rows: int, *, memory: float) -> np.ndarray:
    """Return an AR(1) series with variance 1."""
    values = np.empty(rows)
    values[0] = random.normal()
    steps = np.sqrt(1 - memory**2) * random.normal(size=rows)
    for row in range(1, rows):
        values[row] = memory * values[row - 1] + steps[row]
    return values


def test_equal_groups_give_the_error_of_their_means() -> None:
    """The ratio estimator is then the standard error of the groups' means."""
    values, groups = np.random.default_rng(1).normal(size=640), np.arange(640) // 10
    means = values.reshape(64, 10).mean(axis=1)

    assert stats.sem(means) == pytest.approx(mean_of(values, groups).deviation)


def test_fewer_than_ten_groups_have_no_error() -> None:
    """And then no p-value."""
    few = mean_of(np.arange(9.0), np.arange(9))

    assert (None, None) == (few.deviation, two_sided_p_value(few, few))


def test_values_without_spread_are_equal_or_not() -> None:
    """Without spread no division by 0: the means decide."""
    same, other = (mean_of(np.full(64, value), np.arange(64)) for value in (1.0, 2.0))

    assert (1.0, 0.0) == (two_sided_p_value(same, same), two_sided_p_value(same, other))


def test_independent_rows_have_a_design_effect_of_one() -> None:
    """On average 1.06, as it is never below 1; 1.3 is out of reach."""
    random = np.random.default_rng(2)
    groups = np.arange(2000) * 25 // 2000
    found = [design_effect(random.integers(0, 10, 2000), groups, count=10) for _ in range(100)]

    assert 1.0 <= np.mean(found) < 1.1
    assert max(found) < 1.4


def test_a_slow_series_has_a_design_effect_of_its_memory() -> None:
    """AR(1) with .9: an effect of about (1 + .9) / (1 - .9) = 19 for the mean, less for bins."""
    random = np.random.default_rng(3)
    groups, edges = np.arange(5000) * 25 // 5000, stats.norm.ppf(np.arange(1, 10) / 10)
    found = [
        design_effect(np.searchsorted(edges, noise(random, 5000, memory=0.9)), groups, count=10)
        for _ in range(20)
    ]

    assert 4 < np.mean(found) < 19
