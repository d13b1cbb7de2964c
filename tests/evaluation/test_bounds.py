"""Blocks follow the calendar, and bounds know how few independent observations there are."""

import numpy as np
import pytest
from scipy import stats

from modelwarrant.evaluation import mean_bounds
from modelwarrant.evaluation.blocks import Blocks, block_rows, effective_count
from modelwarrant.evaluation.bounds import merged_means


def _single(n):
    return Blocks(np.arange(n), "runs of rows")


def test_rows_of_one_calendar_day_are_one_block(world):
    """With a time column the unit is the day."""
    blocks = block_rows(world(1000, days=30).final.window)

    assert ("days", 30) == (blocks.unit, len(blocks.sizes))
    assert 1000 == blocks.sizes.sum()


def test_a_window_of_few_days_is_cut_into_hours(world):
    """Less than ten days' worth of rows."""
    blocks = block_rows(world(1000, days=4).final.window)

    assert "hours" == blocks.unit
    assert 90 < len(blocks.sizes) <= 96


def test_a_window_without_time_is_cut_into_runs_of_its_rows(world):
    """Row order is the only clock."""
    blocks = block_rows(world(1000, timed=False).final.window)

    assert ("runs of rows", 64) == (blocks.unit, len(blocks.sizes))
    assert (np.diff(blocks.codes) >= 0).all()


def test_blocks_of_a_subset_have_no_gaps():
    """Blocks left empty vanish."""
    blocks = Blocks(np.array([0, 0, 1, 2, 2]), "days").take(np.array([1, 0, 0, 1, 1], dtype=bool))

    assert [0, 1, 1] == blocks.codes.tolist()


def test_one_heavy_day_does_not_count_as_ten():
    """What counts is the effective number of equal blocks."""
    assert pytest.approx(1.04, abs=0.01) == effective_count(np.array([98.0, 1.0, 1.0]))


def test_bounds_of_independent_symmetric_rows_are_students():
    """Where nothing is skewed or dependent the interval is the textbook's."""
    rng = np.random.default_rng(8)
    half = rng.standard_normal(50)
    rows = rng.permutation(np.concatenate([half, -half]) + 0.3)
    found = mean_bounds(rows, _single(100), alpha=0.05)
    expected = stats.t.interval(0.9, 99, loc=rows.mean(), scale=stats.sem(rows))

    assert pytest.approx(expected, abs=1e-9) == (found.lower, found.upper)


def test_skewness_widens_a_bound_and_never_narrows_it():
    """The rare large loss that was not seen yet may lie on the long side."""
    rows = np.random.default_rng(9).exponential(size=200)
    students = stats.t.interval(0.9, 199, loc=rows.mean(), scale=stats.sem(rows))
    found = mean_bounds(rows, _single(200), alpha=0.05)

    assert pytest.approx(students[0], abs=1e-9) == found.lower
    assert found.upper > students[1]


def test_bounds_turn_with_the_sign():
    """The lower bound of a gain is minus the upper bound of the loss."""
    rows = np.random.default_rng(10).exponential(size=90)
    one, other = (mean_bounds(s * rows, _single(90), alpha=0.05) for s in (1, -1))

    assert pytest.approx(one.lower) == -other.upper
    assert pytest.approx(one.upper) == -other.lower


def test_dependent_rows_give_wider_bounds_than_the_same_rows_shuffled():
    """An autocorrelated series holds fewer observations than rows."""
    rng = np.random.default_rng(11)
    rows = np.convolve(rng.standard_normal(1020), np.ones(20) / 20, mode="valid")[:1000]
    blocks = Blocks(np.arange(1000) * 64 // 1000, "runs of rows")
    ordered = mean_bounds(rows, blocks, alpha=0.05)
    shuffled = mean_bounds(rng.permutation(rows), blocks, alpha=0.05)

    assert ordered.deviation > 2 * shuffled.deviation


def test_neighbouring_blocks_that_move_together_are_joined():
    """A slow swing over 60 days leaves few independent stretches."""
    days = np.sin(np.arange(60) / 10) + 0.1 * np.random.default_rng(12).standard_normal(60)
    found = mean_bounds(days, Blocks(np.arange(60), "days"), alpha=0.05)

    assert "skewness-corrected t, 60 days joined by 4" == found.method
    assert 15 == found.n_blocks == len(merged_means(days, Blocks(np.arange(60), "days")))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.arange(9.0), "9 runs of rows weigh as 9.0 independent blocks and a bound needs 10"),
        (np.zeros(40), "losses differ in 0 of 40 blocks"),
        ((np.arange(64) % 16 == 5) * 1.0, "losses differ in 4 of 64 blocks"),
    ],
)
def test_too_little_to_bound_is_said_and_not_guessed(rows, said):
    """Undefined bounds are None with a reason."""
    found = mean_bounds(rows, _single(len(rows)), alpha=0.05)

    assert (None, None, None) == (found.lower, found.upper, found.deviation)
    assert said in found.reason
    assert found.p_below(0) is None


def test_a_smaller_alpha_gives_wider_bounds():
    """At every level that looks may be given."""
    rows = np.random.default_rng(13).standard_normal(64)
    lowers = [mean_bounds(rows, _single(64), alpha=a).lower for a in (0.2, 0.05, 0.005, 1e-5)]

    assert sorted(lowers, reverse=True) == lowers


def test_the_p_value_agrees_with_the_bound():
    """A threshold at the upper bound has a p-value of alpha."""
    rows = np.random.default_rng(14).gamma(2.0, size=128)
    found = mean_bounds(rows, _single(128), alpha=0.05)

    assert pytest.approx(0.05, abs=1e-9) == found.p_below(found.upper)
    assert found.p_below(found.upper + 0.1) < 0.05 < found.p_below(found.estimate)


@pytest.mark.parametrize("unit", [1e-150, 1e-3, 1e150])
def test_bounds_scale_with_the_unit(unit):
    """Losses may be as large or small as a float64 is."""
    rows = np.random.default_rng(15).gamma(2.0, size=128)
    one, other = (mean_bounds(u * rows, _single(128), alpha=0.05) for u in (1, unit))

    assert pytest.approx(unit * one.lower, rel=1e-9) == other.lower
    assert pytest.approx(unit * one.deviation, rel=1e-9) == other.deviation
