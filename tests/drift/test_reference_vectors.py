"""The statistics reach values that other libraries computed for fixed vectors."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from modelwarrant.drift.bins import category_bins, number_bins
from modelwarrant.drift.statistics import (
    benjamini_hochberg,
    cramers_v,
    distances,
    edge_distances,
    holm,
    homogeneity,
    jensen_shannon,
    ks_p_value,
    minimum_effect_p_value,
    psi,
    total_variation,
)
from modelwarrant.profiles import category_profile, number_edges, number_profile, sorted_numbers
from tests.drift.commanding import drift_json

PRINTED = 5e-7  # the vectors are printed with six decimals

NORMAL = stats.norm.ppf((np.arange(1, 1001) - 0.5) / 1000)
STRETCHED = 1.2 * NORMAL + 0.3
GRID = np.arange(101) / 100

NUMBERS = {
    "V1": (
        np.repeat([0.0, 1, 2, 3], [40, 30, 20, 10]),
        np.repeat([0.0, 1, 2, 3, 4], [25, 30, 25, 15, 5]),
    ),
    "V2": (GRID, GRID**2),
    "V3": (NORMAL, STRETCHED),
    "V4": (NORMAL, np.append(STRETCHED[:-1], 1000.0)),
    "V5": (NORMAL, NORMAL[::-1]),
    "V6": (np.exp(NORMAL), np.exp(NORMAL + 0.2)),
}
KS = {"V1": 0.15, "V2": 0.247525, "V3": 0.128, "V4": 0.128, "V5": 0.0, "V6": 0.08}
KS_P = {"V1": 0.190264, "V2": 0.003484, "V3": 0.0, "V4": 0.0, "V5": 1.0, "V6": 0.003131}
"""Asymptotic; the design page prints V3 and V4 as below 1e-6."""
WASSERSTEIN = {
    "V1": 0.45,
    "V2": 0.165,
    "V3": 0.311687,
    "V4": 1.307439,
    "V5": 0.0,
    "V6": 0.364242,
}
PSI = {
    "V1": 0.142233,
    "V2": 0.317713,
    "V3": 0.109482,
    "V4": 0.109482,
    "V5": 0.0,
    "V6": 0.037769,
}
JENSEN_SHANNON = {
    "V1": 0.163895,
    "V2": 0.246017,
    "V3": 0.140028,
    "V4": 0.140028,
    "V5": 0.0,
    "V6": 0.082793,
}

CATEGORIES = {
    "C1": ({"a": 50, "b": 30, "c": 20}, {"a": 30, "b": 40, "c": 30}),
    "C2": ({"a": 50, "b": 30, "c": 20}, {"a": 30, "b": 30, "c": 30, "d": 10}),
    "C3": ({"a": 50, "b": 30, "c": 20}, {"a": 60, "b": 40}),
    "C4": (
        dict(zip("abcdef", [16, 18, 16, 14, 12, 12], strict=True)),
        dict(zip("abcdef", [16, 16, 16, 16, 16, 8], strict=True)),
    ),
    "C5": ({"a": 500, "b": 300, "c": 200}, {"a": 30, "b": 40, "c": 30}),
}
CATEGORY_PSI = {"C1": 0.166440, "C2": 0.436306, "C3": 0.777477, "C4": 0.034510, "C5": 0.170299}
CATEGORY_JENSEN_SHANNON = {
    "C1": 0.175097,
    "C2": 0.274752,
    "C3": 0.329323,
    "C4": 0.081734,
    "C5": 0.175097,
}
CATEGORY_CHI2 = {
    "C1": 8.428571,
    "C2": 17.0,
    "C3": 22.337662,
    "C4": 1.622409,
    "C5": 14.836172,
}
CATEGORY_V = {"C1": 0.205287, "C2": 0.291548, "C3": 0.334198, "C4": 0.096012, "C5": 0.116135}
CATEGORY_P = {"C1": 0.014783, "C2": 0.000707, "C3": 1.4e-5, "C4": 0.898526, "C5": 0.0006}
CATEGORY_VARIATION = {"C1": 0.2, "C2": 0.2, "C3": 0.2, "C4": 0.068182, "C5": 0.2}


@pytest.mark.parametrize("name", NUMBERS)
def test_distances_of_numbers(name: str) -> None:
    """Kolmogorov-Smirnov and raw Wasserstein, exact."""
    ks, area = distances(*(np.sort(values) for values in NUMBERS[name]))

    assert pytest.approx(KS[name], abs=PRINTED) == ks
    assert pytest.approx(WASSERSTEIN[name], abs=PRINTED) == area


@pytest.mark.parametrize("name", NUMBERS)
def test_distances_of_numbers_from_edges(name: str) -> None:
    """On samples of at most 1,000 rows the edges resolve every step, outliers included."""
    reference, current = (sorted_numbers(values) for values in NUMBERS[name])
    edges = number_edges(reference.values)
    ks, area = edge_distances(number_profile(reference, edges), number_profile(current, edges))

    assert pytest.approx(KS[name], abs=PRINTED) == ks
    assert pytest.approx(WASSERSTEIN[name], abs=2 * PRINTED) == area


@pytest.mark.parametrize("name", NUMBERS)
def test_psi_and_jensen_shannon_of_numbers(name: str) -> None:
    """On the reference's distinct deciles; one outlier among 1,000 rows (V4) changes nothing."""
    reference, current = (sorted_numbers(values) for values in NUMBERS[name])
    bins = number_bins(reference, current, number_edges(reference.values).decile_array)

    assert pytest.approx(PSI[name], abs=PRINTED) == psi(bins.reference, bins.current)
    assert pytest.approx(JENSEN_SHANNON[name], abs=PRINTED) == jensen_shannon(
        bins.reference, bins.current
    )
    assert len(bins.reference) == (7 if name == "V1" else 10)


@pytest.mark.parametrize("name", CATEGORIES)
def test_statistics_of_categories(name: str) -> None:
    """PSI with half a row in each bin, Jensen-Shannon to base 2, two-sample chi-squared."""
    bins = category_bins(*(category_profile(counts, missing=0) for counts in CATEGORIES[name]))
    counts = bins.reference, bins.current

    assert pytest.approx(CATEGORY_PSI[name], abs=PRINTED) == psi(*counts)
    assert pytest.approx(CATEGORY_JENSEN_SHANNON[name], abs=PRINTED) == jensen_shannon(*counts)
    found = homogeneity(*counts)
    rows = int(sum(part.sum() for part in counts))
    assert pytest.approx(CATEGORY_CHI2[name], abs=PRINTED) == found.chi2
    assert pytest.approx(CATEGORY_P[name], abs=PRINTED) == found.p_value
    assert pytest.approx(CATEGORY_V[name], abs=PRINTED) == cramers_v(found.chi2, rows)
    assert pytest.approx(CATEGORY_VARIATION[name], abs=PRINTED) == total_variation(*counts)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_through_the_command(tmp_path: Path, name: str) -> None:
    """What ``warrant drift --json`` says of a file with one column."""
    reference, current = ({"x": values} for values in NUMBERS[name])
    (found,) = drift_json(tmp_path, reference, current)["features"]
    expected = KS[name], KS_P[name], WASSERSTEIN[name], PSI[name], JENSEN_SHANNON[name]

    assert pytest.approx(expected, abs=2 * PRINTED) == (
        found["ks"],
        found["ks_p_value"],
        found["wasserstein"],
        found["psi"],
        found["jensen_shannon"],
    )
    assert "exact" == found["method"]


@pytest.mark.parametrize("name", CATEGORIES)
def test_categories_through_the_command(tmp_path: Path, name: str) -> None:
    """The same of one category."""
    reference, current = (
        {"x": [level for level, rows in counts.items() for _ in range(rows)]}
        for counts in CATEGORIES[name]
    )
    (found,) = drift_json(tmp_path, reference, current)["features"]
    expected = (
        CATEGORY_PSI[name],
        CATEGORY_JENSEN_SHANNON[name],
        CATEGORY_CHI2[name],
        CATEGORY_P[name],
        CATEGORY_V[name],
        CATEGORY_VARIATION[name],
    )

    assert pytest.approx(expected, abs=PRINTED) == (
        found["psi"],
        found["jensen_shannon"],
        found["chi2"],
        found["chi2_p_value"],
        found["cramers_v"],
        found["total_variation"],
    )


def test_the_kolmogorov_smirnov_p_value_is_that_of_scipy() -> None:
    """Its asymptotic method, at unequal sizes too."""
    reference, current = NORMAL, STRETCHED[::3]
    expected = stats.ks_2samp(reference, current, method="asymp")
    found = ks_p_value(float(expected.statistic), n=len(reference), m=len(current))

    assert pytest.approx(expected.pvalue, rel=1e-9) == found


def test_benjamini_and_hochberg_adjust_as_statsmodels_does() -> None:
    """The design's table, made with statsmodels 0.15."""
    raw = [0.001, 0.008, 0.039, 0.041, 0.042, 0.060, 0.074, 0.205, 0.212, 0.216]
    expected = [0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105714, 0.216, 0.216, 0.216]

    assert pytest.approx(expected, abs=PRINTED) == benjamini_hochberg(raw)


def test_holm_adjusts_as_statsmodels_does() -> None:
    """The design's table, made with statsmodels 0.15."""
    raw = [0.001, 0.008, 0.039, 0.041, 0.042, 0.060, 0.074, 0.205, 0.212, 0.216]
    expected = [0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615]

    assert pytest.approx(expected, abs=1e-12) == holm(raw)


@pytest.mark.parametrize("index", [0.001, 0.05, 0.1, 0.25, 3.0])
@pytest.mark.parametrize(("n", "m", "bins"), [(500, 500, 10), (1000, 90_000, 2), (10**6, 10**6, 7)])
def test_the_minimum_effect_test_is_the_noncentral_chi_squared_law(
    index: float, n: int, m: int, bins: int
) -> None:
    """Its p-value is ncx2.sf(n_e PSI, B - 1, n_e PSI0)."""
    size = n * m / (n + m)
    expected = stats.ncx2.sf(size * index, bins - 1, size * 0.1)

    assert expected == minimum_effect_p_value(index, n=n, m=m, bins=bins, floor=0.1)


def _null_psi(sizes: tuple[int, int], *, repeats: int) -> npt.NDArray[np.float64]:
    random = np.random.default_rng(20_240_101)
    values = []
    for _ in range(repeats):
        reference, current = (sorted_numbers(random.normal(size=size)) for size in sizes)
        bins = number_bins(reference, current, number_edges(reference.values).decile_array)
        values.append(psi(bins.reference, bins.current))
    return np.array(values)


@pytest.mark.statistical
def test_psi_without_drift_has_the_quantiles_of_the_design() -> None:
    """With 1,000 rows and ten bins: mean .0177, 95 % point .0337, 99 % point .0417, to 6 %."""
    values = _null_psi((1000, 1000), repeats=2000)
    found = [values.mean(), *np.quantile(values, [0.95, 0.99])]

    assert pytest.approx([0.0177, 0.0337, 0.0417], rel=0.06) == found
