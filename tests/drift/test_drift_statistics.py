"""The statistics agree with scipy's and statsmodels' and have the properties they claim."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from modelwarrant.drift.bins import category_bins, number_bins
from modelwarrant.drift.statistics import (
    distances,
    dkw_lower_bound,
    edge_distances,
    holm,
    homogeneity,
    jensen_shannon,
    minimum_effect_p_value,
    proportions_p_value,
    psi,
    total_variation,
    unseen_p_value,
)
from modelwarrant.profiles import category_profile, number_edges, number_profile, sorted_numbers

SAMPLE = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=50)
PLAIN = st.lists(st.integers(-(10**6), 10**6).map(lambda v: v / 1000), min_size=1, max_size=50)
COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8).filter(
    lambda pairs: all(sum(column) for column in zip(*pairs, strict=True))
)


@given(SAMPLE, SAMPLE)
def test_exact_distances_are_their_definitions(first: list[float], second: list[float]) -> None:
    """The largest gap over all values, and scipy's area; ties and unequal sizes included."""
    x, y = np.array(first), np.array(second)
    ks, area = distances(np.sort(x), np.sort(y))
    gaps = [abs((x <= value).mean() - (y <= value).mean()) for value in (*x, *y)]

    assert pytest.approx(max(gaps), abs=1e-12) == ks
    assert pytest.approx(stats.wasserstein_distance(first, second), rel=1e-9, abs=1e-9) == area


@given(SAMPLE, SAMPLE)
def test_edge_distances_are_never_above_the_exact_ones(
    first: list[float], second: list[float]
) -> None:
    """A profile may miss a difference inside a bin, and invents none."""
    reference, current = (sorted_numbers(np.array(values)) for values in (first, second))
    edges = number_edges(reference.values)
    ks, area = edge_distances(number_profile(reference, edges), number_profile(current, edges))
    exact_ks, exact_area = distances(reference.values, current.values)

    assert ks <= exact_ks + 1e-12
    assert area <= exact_area * (1 + 1e-6) + 2 * edges.unit


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.5])
def test_edge_distances_are_close_to_the_exact_ones(shift: float) -> None:
    """On 50,000 rows: KS to one bin (1/1024), Wasserstein to 1 % of the spread's thousandth."""
    random = np.random.default_rng(5)
    reference = sorted_numbers(random.normal(size=50_000))
    current = sorted_numbers(np.append(random.normal(shift, 1.0, 49_999), 1e6))
    edges = number_edges(reference.values)
    ks, area = edge_distances(number_profile(reference, edges), number_profile(current, edges))
    exact_ks, exact_area = distances(reference.values, current.values)

    assert exact_ks - 1 / 1024 <= ks <= exact_ks
    assert pytest.approx(exact_area, abs=1e-4) == area


def test_a_distance_beyond_float64_is_not_finite_and_warns_nobody() -> None:
    """Callers turn it into a reason."""
    reference, current = np.array([-1.5e308]), np.array([1.5e308])

    assert not np.isfinite(distances(reference, current)[1])


@given(COUNTS)
def test_jensen_shannon_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    """Base 2, on raw shares; empty bins cost nothing."""
    reference, current = np.array(pairs).T
    expected = jensenshannon(reference, current, base=2)

    assert pytest.approx(float(np.nan_to_num(expected)), abs=1e-7) == jensen_shannon(
        reference, current
    )


@given(COUNTS)
def test_psi_is_symmetric_in_windows_and_zero_only_without_difference(
    pairs: list[tuple[int, int]],
) -> None:
    """It is a divergence between the smoothed shares."""
    reference, current = np.array(pairs).T

    assert pytest.approx(psi(reference, current), abs=1e-12) == psi(current, reference)
    assert psi(reference, current) >= 0
    assert psi(reference, reference) == 0


@given(PLAIN, PLAIN, st.integers(-20, 20))
def test_scale_changes_no_psi(first: list[float], second: list[float], exponent: int) -> None:
    """Any unit gives the same index: deciles move with the values. Powers of two keep ties."""
    scale = 2.0**exponent
    found = []
    for factor in (1.0, scale):
        reference, current = (sorted_numbers(np.array(v) * factor) for v in (first, second))
        bins = number_bins(reference, current, number_edges(reference.values).decile_array)
        found.append(psi(bins.reference, bins.current))

    assert found[0] == found[1]


@given(COUNTS)
def test_homogeneity_is_the_chi_squared_test_of_scipy(pairs: list[tuple[int, int]]) -> None:
    """Two samples, no continuity correction, empty bins left out."""
    kept = np.array([pair for pair in pairs if sum(pair)]).T
    expected = stats.chi2_contingency(kept, correction=False).pvalue if kept.shape[1] > 1 else 1.0

    assert (
        pytest.approx(float(expected), rel=1e-9, abs=1e-12)
        == homogeneity(*np.array(pairs).T).p_value
    )


def test_homogeneity_of_an_empty_window_is_no_evidence() -> None:
    """Without rows there is nothing to tell apart."""
    assert homogeneity(np.array([0, 0]), np.array([3, 4])).p_value == 1.0


@given(st.integers(0, 80), st.integers(0, 60))
def test_proportions_are_compared_as_statsmodels_does(first: int, second: int) -> None:
    """Pooled two-sided z-test."""
    p_value = proportions_p_value(first, 80, second, 60)
    if first + second in (0, 140):
        assert p_value == 1.0
    else:
        expected = proportions_ztest([first, second], [80, 60])[1]

        assert pytest.approx(float(expected), rel=1e-9, abs=1e-15) == p_value


@settings(max_examples=30)  # statsmodels takes 30 ms each time
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    """And it never makes a p-value smaller."""
    adjusted = holm(p_values)

    assert pytest.approx(multipletests(p_values, method="holm")[1].tolist(), abs=1e-12) == adjusted
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))


def test_holm_of_nothing_is_nothing() -> None:
    """A report may have no tested feature."""
    assert holm([]) == []


def test_unseen_rows_are_no_surer_than_dealing_the_rows_out_again() -> None:
    """The bound is above the share of 4,000 permutations with as many unseen rows, and not far."""
    random = np.random.default_rng(1)
    codes = np.repeat(np.arange(40), random.poisson(6, 40) + 1)
    size, found, bounds = len(codes) // 2, [], []
    for _ in range(4000):
        dealt = random.permutation(codes)
        counts = [np.bincount(part, minlength=40) for part in (dealt[:size], dealt[size:])]
        found.append(counts[1][counts[0] == 0].sum())
        bounds.append(unseen_p_value(*counts))
    order = np.argsort(found)
    shares = 1 - np.searchsorted(np.array(found)[order], found) / 4000

    assert all(bound >= share for bound, share in zip(bounds, shares, strict=True))
    assert max(np.array(bounds) - shares) < 0.75
    assert np.mean(np.array(bounds) < 0.001) <= 0.001


def test_a_new_level_is_surer_with_more_rows() -> None:
    """Half a percent of 1,000 rows may be chance, five percent is not."""
    p_values = [unseen_p_value(np.array([1000, 0]), np.array([1000 - k, k])) for k in (5, 15, 50)]

    assert p_values[0] > 0.01 > p_values[1] > 1e-12 > p_values[2]


def test_no_unseen_row_is_no_evidence() -> None:
    """Nor is an empty window."""
    assert (1.0, 1.0, 1.0) == (
        unseen_p_value(np.array([3, 4]), np.array([1, 0])),
        unseen_p_value(np.array([0, 0]), np.array([1, 2])),
        unseen_p_value(np.array([3, 4]), np.array([0, 0])),
    )


def test_ten_thousand_levels_overflow_nothing() -> None:
    """Singletons on both sides: as many unseen rows as there can be, and no evidence."""
    halves = np.repeat([1, 0], 5000), np.repeat([0, 1], 5000)

    assert 1.0 == unseen_p_value(*halves)


def test_one_bin_can_show_no_effect() -> None:
    """There is nothing to compare."""
    assert minimum_effect_p_value(0.0, n=10, m=10, bins=1, floor=0.1) == 1.0


@given(
    st.just(0.0) | st.floats(1e-15, 20),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.integers(2, 100),
    st.sampled_from([0.02, 0.1]),
)
@example(1.1401359060615237e-13, 16_367, 16_368, 2, 0.1)  # scipy 1.17 raises OverflowError here
def test_the_minimum_effect_test_always_has_an_answer(
    index: float, n: int, m: int, bins: int, floor: float
) -> None:
    """In [0, 1], and near 1 where the index is far below the floor and the sample is large."""
    p_value = minimum_effect_p_value(index, n=n, m=m, bins=bins, floor=floor)

    assert 0 <= p_value <= 1
    assert p_value > 0.5 or index > floor / 2 or min(n, m) < 1000


@given(st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_lower_bound_is_below_the_distance(distance: float, n: int, m: int) -> None:
    """And it stays in [0, 1]."""
    assert 0 <= dkw_lower_bound(distance, n=n, m=m, alpha=0.01) <= distance


@given(COUNTS)
def test_total_variation_is_half_the_summed_difference(pairs: list[tuple[int, int]]) -> None:
    """In [0, 1], and 0 for equal shares."""
    reference, current = np.array(pairs).T

    assert 0 <= total_variation(reference, current) <= 1
    assert total_variation(reference, reference * 3) == pytest.approx(0, abs=1e-12)


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 300), min_size=1),
    st.dictionaries(st.sampled_from("defghijk"), st.integers(1, 300), min_size=1),
)
def test_category_bins_lose_no_row_and_pool_only_rare_levels(
    before: dict[str, int], after: dict[str, int]
) -> None:
    """Each bin but the pool holds 1 % of both windows and is expected 5 times in either."""
    bins = category_bins(*(category_profile(counts, missing=0) for counts in (before, after)))
    n, m = sum(before.values()), sum(after.values())

    assert (n, m) == (bins.reference.sum(), bins.current.sum())
    for label, *counts in zip(bins.labels, bins.reference, bins.current, strict=True):
        share = sum(counts) / (n + m)
        assert label == "(other)" or (share >= 0.01 and share * min(n, m) >= 5)
