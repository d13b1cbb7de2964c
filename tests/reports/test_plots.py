"""A plot shows its numbers where they belong, and survives degenerate ones."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarrant.records import Distribution, Interval, ReliabilityBin
from modelwarrant.reports.plots import (
    Scale,
    forest_axis,
    forest_scale,
    forest_strip,
    histogram,
    reliability_plot,
    residual_plot,
    share_bars,
)


def interval(estimate: float, lower: float | None, upper: float | None) -> Interval:
    """Return an interval at 5 %."""
    return Interval(estimate=estimate, lower=lower, upper=upper, alpha=0.05, method="bootstrap")


@given(
    low=st.floats(-1e9, 1e9, allow_nan=False),
    width=st.floats(1e-3, 1e9, allow_nan=False),
)
def test_ticks_lie_on_the_axis(low: float, width: float) -> None:
    """Any axis has two to six ticks, rising, none of them beyond its ends."""
    scale = Scale(low, low + width)
    slack = 1e-6 * width + 1e-9 * abs(low)

    assert 2 <= len(scale.ticks) <= 6
    assert list(scale.ticks) == sorted(set(scale.ticks))
    assert scale.low - slack <= scale.ticks[0]
    assert scale.ticks[-1] <= scale.high + slack


def test_forest_axis_always_shows_zero_and_the_margin() -> None:
    """Intervals far from zero do not push zero or a margin off the axis."""
    scale = forest_scale([interval(5.0, 4.0, 6.0)], marks=(-0.5,))

    assert scale.low < -0.5
    assert scale.high > 6.0


def test_one_wide_interval_does_not_flatten_the_others() -> None:
    """An end beyond six times the largest estimate is cut, and an arrow says so."""
    wide, narrow = interval(0.01, -9.0, 9.0), interval(0.02, 0.01, 0.03)
    scale = forest_scale([wide, narrow])

    assert scale.high < 0.2
    assert 2 == forest_strip(wide, scale, title="wide").count('class="arrow"')
    assert 0 == forest_strip(narrow, scale, title="narrow").count('class="arrow"')


def test_an_unknown_bound_has_no_whisker() -> None:
    """A bound that is None is not drawn, least of all at zero."""
    one_sided = interval(0.02, 0.01, None)
    scale = forest_scale([one_sided])

    assert 2 == forest_strip(one_sided, scale, title="lower only").count('class="whisker"')
    assert 0 == forest_strip(interval(0.02, None, None), scale, title="").count("whisker")


@pytest.mark.parametrize("value", [0.0, 1e-300, 1e300])
def test_degenerate_intervals_are_drawn(value: float) -> None:
    """Intervals of no width, and very small or large ones, give an axis and a strip."""
    point = interval(value, value, value)
    scale = forest_scale([point])

    assert scale.low < scale.high
    assert "nan" not in forest_strip(point, scale, title="point")
    assert "nan" not in forest_axis(scale, left="l", right="r")


def test_histogram_heights_follow_the_shares() -> None:
    """The largest share reaches the top of the frame, the others stand in proportion."""
    svg = histogram(Distribution(edges=(1.0,), reference=(0.5, 0.5), current=(0.2, 0.8)))

    assert 'class="reference" d="M0 100V37.5H10V37.5H20V100Z"' in svg
    assert 'class="current" d="M0 100V75H10V0H20V100"' in svg


def test_histogram_says_the_largest_change() -> None:
    """The title names the bin that moved most, with both shares."""
    svg = histogram(
        Distribution(edges=(1.0, 2.0), reference=(0.2, 0.3, 0.5), current=(0.2, 0.6, 0.2))
    )

    title = re.findall("<title>(.*?)</title>", svg)[0].replace("\xa0", " ")
    assert "Largest change: from 1 to 2, 30.0 % of rows in the reference, 60.0 % now" == title


@pytest.mark.parametrize("shares", [(1.0,), (0.0,)])
def test_histogram_of_one_bin_is_drawn(shares: tuple[float, ...]) -> None:
    """A constant feature has one bin without an edge."""
    svg = histogram(Distribution(reference=shares, current=shares))

    assert "from the lowest to the highest" in svg


def test_share_bars_are_relative_to_the_largest() -> None:
    """The largest share of a category fills the bar's place."""
    svg = share_bars(0.1, 0.4, 0.4, title="x")

    assert 'width="25%"' in svg
    assert 'class="current-bar" x="0"' not in svg


def test_share_bars_without_rows_are_empty() -> None:
    """A category without rows in either window has bars of no length."""
    assert 2 == share_bars(0.0, 0.0, 0.0, title="x").count('width="0%"')


def bins(*triples: tuple[int, float, float]) -> list[ReliabilityBin]:
    """Return bins of (rows, predicted, observed), with a spread of 2."""
    return [ReliabilityBin(n_rows=n, predicted=p, observed=o, deviation=2.0) for n, p, o in triples]


def test_reliability_plot_places_points() -> None:
    """A bin on the diagonal lies in the middle of both axes."""
    svg = reliability_plot(bins((10, 0.5, 0.5)), [])

    assert 'class="candidate-dot" cx="56%" cy="114" r="6"' in svg


def test_residual_plot_draws_both_models_apart() -> None:
    """Candidate and production differ in shape, not in colour alone."""
    svg = residual_plot(bins((9, 1.0, 2.0), (9, 2.0, 2.0)), bins((9, 1.0, 1.0), (9, 2.0, 4.0)))

    assert 2 == svg.count('class="candidate-dot"')
    assert 2 == svg.count('class="baseline-dot"')
    assert "the bin furthest off is 1.00 off on average" in svg


def test_residual_plot_of_one_constant_bin_is_drawn() -> None:
    """A single bin without spread gives axes all the same."""
    flat = [ReliabilityBin(n_rows=0, predicted=3.0, observed=3.0)]

    assert "nan" not in residual_plot(flat, [])


def test_hostile_titles_are_escaped() -> None:
    """A title is text, whatever stands in it."""
    svg = forest_strip(interval(1.0, 0.0, 2.0), Scale(0, 2), title="</title><script>")

    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg
