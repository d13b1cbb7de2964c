"""D1 and D2: each feature gets a level, and each undefined number a reason."""

import numpy as np
import pytest

from modelwarrant.drift import features
from modelwarrant.drift.features import (
    DRIFT_PSI,
    EXACT_ROWS,
    MIN_ROWS,
    Measured,
    category_drift,
    judged,
    number_drift,
    time_drift,
)
from modelwarrant.profiles import category_profile, number_edges, number_profile, sorted_numbers
from modelwarrant.records import FeatureDrift


def number(reference: object, current: object) -> Measured:
    """Measure one number."""
    before, after = (
        sorted_numbers(np.asarray(values, dtype=np.float64)) for values in (reference, current)
    )
    return number_drift("x", before, after, edges=number_edges(before.values), alpha=0.01)


def category(before: dict[str, int], after: dict[str, int], *, missing: int = 0) -> Measured:
    """Measure one category."""
    return category_drift(
        "c",
        "category",
        category_profile(before, missing=0),
        category_profile(after, missing=missing),
    )


def verdict(measured: Measured) -> FeatureDrift:
    """Judge one feature alone."""
    return judged([measured], alpha=0.01, weights={})[0]


def normal(rows: int, *, seed: int, shift: float = 0.0) -> np.ndarray:
    """Return a normal column."""
    return np.random.default_rng(seed).normal(shift, 1.0, rows)


@pytest.mark.parametrize(
    ("shift", "level"), [(0.0, "none"), (0.25, "notice"), (0.6, "drift"), (3.0, "drift")]
)
def test_the_level_follows_the_size_of_the_shift(shift: float, level: str) -> None:
    """PSI is about the squared shift in standard deviations; the floors are .02 and .10."""
    found = verdict(number(normal(5000, seed=1), normal(5000, seed=2, shift=shift)))

    assert level == found.level
    assert DRIFT_PSI == found.psi_threshold


def test_rows_do_not_turn_a_small_shift_into_drift() -> None:
    """A tenth of a standard deviation is no drift, however many rows prove it."""
    found = verdict(number(normal(150_000, seed=1), normal(150_000, seed=2, shift=0.1)))

    assert "none" == found.level
    assert found.ks_lower is not None
    assert found.ks_lower > 0  # it is proven to be there, and it is too small to matter


@pytest.mark.parametrize("sizes", [(MIN_ROWS - 1, 5000), (5000, MIN_ROWS - 1), (1, 1)])
def test_below_the_floor_the_level_is_unknown_and_the_numbers_stand(
    sizes: tuple[int, int],
) -> None:
    """Too few rows is not 'no drift', and not silence either."""
    found = verdict(number(normal(sizes[0], seed=1), normal(sizes[1], seed=2, shift=2.0)))

    assert "unknown" == found.level
    assert None not in (found.psi, found.psi_p_value, found.ks, found.wasserstein)
    assert found.psi_p_value_adjusted is None
    assert f"{min(sizes)} rows in the smaller window, 500 are needed" in str(found.reason)


def test_the_floor_itself_is_enough() -> None:
    """500 rows in both windows are judged."""
    rows = normal(MIN_ROWS, seed=1)

    assert "none" == verdict(number(rows, rows)).level


@pytest.mark.parametrize(
    ("reference", "current", "reason"),
    [
        ([np.nan] * 600, [1.0] * 600, "the reference window holds no value"),
        ([1.0] * 600, [np.nan] * 600, "the current window holds no value"),
        ([np.inf] * 600, [-np.inf] * 600, "infinite values are left out"),
        ([], [], "the reference window holds no value"),
    ],
    ids=["reference missing", "current missing", "infinite", "empty"],
)
def test_a_window_without_a_value_is_unknown(
    reference: list[float], current: list[float], reason: str
) -> None:
    """Nothing to compare is never 'no drift'."""
    found = verdict(number(reference, current))

    assert ("unknown", None, None) == (found.level, found.psi, found.ks)
    assert reason in str(found.reason)


@pytest.mark.parametrize(
    ("reference", "current", "level"),
    [
        ([5.0] * 600, [5.0] * 600, "none"),
        ([5.0] * 600, [4.0] * 600, "drift"),
        ([5.0] * 600, [6.0] * 600, "drift"),
        ([0.0] * 450 + [1.0] * 150, [-1.0] * 450 + [1.0] * 150, "drift"),
        ([0.0] * 600, [0.0] * 540 + [-3.0] * 60, "drift"),
    ],
)
def test_constants_and_atoms_that_move_are_seen(
    reference: list[float], current: list[float], level: str
) -> None:
    """A value below a lowest decile that is the minimum does not share its bin."""
    assert level == verdict(number(reference, current)).level


def test_support_without_overlap_is_drift() -> None:
    """Smoothing keeps empty bins finite."""
    found = verdict(number(normal(600, seed=1), normal(600, seed=2, shift=50.0)))

    assert ("drift", 1.0) == (found.level, found.ks)


def test_an_interquartile_range_of_zero_scales_nothing() -> None:
    """The raw distance stands; the scaled one has a reason."""
    found = verdict(number([0.0] * 600, [0.0] * 300 + [1.0] * 300))

    assert (0.5, None) == (found.wasserstein, found.wasserstein_scaled)
    assert "interquartile range is 0" in str(found.reason)


def test_a_spread_beyond_float64_leaves_wasserstein_undefined() -> None:
    """The other numbers stand."""
    found = verdict(number([-1.5e308, 1.5e308] * 300, [1.5e308] * 600))

    assert (None, 0.5) == (found.wasserstein, found.ks)
    assert "more than float64 holds" in str(found.reason)


def test_scaled_wasserstein_is_in_standard_deviations_of_a_normal() -> None:
    """One outlier moves the raw distance, not the scale it is read on."""
    found = verdict(number(normal(20_000, seed=1) * 7, normal(20_000, seed=1) * 7 + 7))

    assert pytest.approx(7.0) == found.wasserstein
    assert pytest.approx(1.0, rel=0.03) == found.wasserstein_scaled


def test_the_method_is_named_and_changes_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact up to 200,000 rows of either window, from edges above; both say nearly the same."""
    rows = normal(20_000, seed=1), normal(20_000, seed=2, shift=0.3)
    exact = verdict(number(*rows))
    monkeypatch.setattr(features, "EXACT_ROWS", 19_999)
    edges = verdict(number(*rows))

    assert EXACT_ROWS == 200_000
    assert ("exact", "edges") == (exact.method, edges.method)
    assert pytest.approx(exact.ks, abs=1 / 1024) == edges.ks
    assert pytest.approx(exact.wasserstein, rel=1e-3) == edges.wasserstein
    assert exact.psi == edges.psi


def test_rows_and_profiles_give_the_same_numbers() -> None:
    """A reference that is only a profile is compared as its rows would be."""
    before, after = (sorted_numbers(normal(5000, seed=seed)) for seed in (1, 2))
    edges = number_edges(before.values)
    profiles = number_profile(before, edges), number_profile(after, edges)
    rows = verdict(number_drift("x", before, after, edges=edges, alpha=0.01))
    counted = verdict(number_drift("x", *profiles, edges=edges, alpha=0.01))

    assert (rows.psi, rows.jensen_shannon) == (counted.psi, counted.jensen_shannon)
    assert pytest.approx(rows.wasserstein_scaled, rel=0.05) == counted.wasserstein_scaled


@pytest.mark.parametrize(
    ("after", "level"),
    [({"a": 500, "b": 300, "c": 200}, "none"), ({"a": 200, "b": 300, "c": 500}, "drift")],
)
def test_categories_are_judged_as_numbers_are(after: dict[str, int], level: str) -> None:
    """With distances of numbers left out."""
    found = verdict(category({"a": 500, "b": 300, "c": 200}, after))

    assert level == found.level
    assert (None, None, None) == (found.ks, found.wasserstein, found.method)
    assert found.distribution is not None
    assert ("a", "b", "c") == found.distribution.labels


def test_unseen_levels_are_counted_by_rows() -> None:
    """The share of current rows with a level that the reference never showed."""
    found = verdict(category({"a": 900, "b": 100}, {"a": 900, "c": 60, "d": 40}))

    assert 0.1 == found.unseen_share


def test_a_category_of_rare_levels_is_unknown_with_a_reason() -> None:
    """Neither window has a level of 1 % to compare."""
    found = verdict(
        category({f"id {i}": 1 for i in range(900)}, {f"id {i}": 1 for i in range(900)})
    )

    assert ("unknown", None) == (found.level, found.psi)
    assert "no level holds 1 %" in str(found.reason)


def test_an_identifier_is_compared_by_buckets() -> None:
    """Beyond 10,000 levels nothing is said of unseen ones."""
    found = verdict(category({f"id {i}": 1 for i in range(10_001)}, {"id 0": 800}))

    assert None is found.unseen_share
    assert "identifier" in str(found.reason)
    assert "drift" == found.level


def test_one_level_in_both_windows_is_no_drift() -> None:
    """PSI over one bin is zero by nature."""
    found = verdict(category({"a": 600}, {"a": 700}))

    assert ("none", 0.0, 1.0) == (found.level, found.psi, found.psi_p_value)


def test_instants_are_not_judged() -> None:
    """They advance from window to window; their missing values are still counted."""
    before, after = (sorted_numbers(np.array([1.0, 2.0, np.nan]) + shift) for shift in (0, 9))
    found = verdict(time_drift("at", before, after))

    assert ("unknown", None) == (found.level, found.psi)
    assert pytest.approx(1 / 3) == found.missing_current
    assert "advances" in str(found.reason)


def test_holm_counts_only_features_that_are_tested() -> None:
    """Features below the floor or without PSI do not dilute alpha."""
    moved = number(normal(5000, seed=1), normal(5000, seed=2, shift=0.41))
    short = number(normal(10, seed=1), normal(10, seed=2))
    empty = number([np.nan], [np.nan])
    alone = judged([moved], alpha=0.01, weights={})[0]
    among = judged([short, moved, empty], alpha=0.01, weights={})[1]
    tested = judged([moved, *[moved] * 9], alpha=0.01, weights={})[0]

    assert alone.psi_p_value_adjusted == among.psi_p_value_adjusted == alone.psi_p_value
    assert pytest.approx(10 * moved.p_drift) == tested.psi_p_value_adjusted


def test_weights_stand_beside_their_feature_and_decide_nothing() -> None:
    """Importance is for the reader: a heavy feature drifts by the same rule."""
    moved = number(normal(5000, seed=1), normal(5000, seed=2, shift=1.0))
    light, heavy = (judged([moved], alpha=0.01, weights={"x": w})[0] for w in (0.0, 0.9))

    assert (0.0, 0.9) == (light.weight, heavy.weight)
    assert light.level == heavy.level == "drift"


def test_shares_for_plots_are_raw_and_add_to_one() -> None:
    """Over the bins that the index compares, missing rows left out."""
    found = verdict(number([*normal(999, seed=1), np.nan], normal(1000, seed=2)))

    assert found.distribution is not None
    assert pytest.approx(1.0) == sum(found.distribution.reference)
    assert pytest.approx(1.0) == sum(found.distribution.current)
    assert len(found.distribution.edges) + 1 == len(found.distribution.reference)
