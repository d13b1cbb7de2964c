"""A number's profile counts exactly, adds exactly, and survives its JSON."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarrant.errors import RecordError
from modelwarrant.profiles import (
    NumberProfile,
    number_edges,
    number_profile,
    ordered_quantiles,
    sorted_numbers,
)

VALUES = st.floats(allow_nan=False, allow_infinity=False, width=64)
TAME = st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, -0.0, 1.0, 2.0])
COLUMN = st.lists(TAME | VALUES | st.sampled_from([np.nan, np.inf, -np.inf]), max_size=40)


def profile(values: list[float], reference: list[float]) -> NumberProfile:
    """Profile values along the edges of a reference."""
    edges = number_edges(sorted_numbers(np.array(reference, dtype=float)).values)
    return number_profile(sorted_numbers(np.array(values, dtype=float)), edges)


@given(COLUMN, COLUMN, COLUMN, COLUMN)
def test_profiles_of_parts_add_to_the_profile_of_the_whole(
    first: list[float], second: list[float], third: list[float], reference: list[float]
) -> None:
    """Counts, sums, extremes and missing values of parts are those of all rows, in any grouping."""
    parts = [profile(part, reference) for part in (first, second, third)]
    whole = profile([*first, *second, *third], reference)

    assert whole == parts[0] + parts[1] + parts[2]
    assert whole == parts[2] + (parts[1] + parts[0])


@given(COLUMN, st.randoms(use_true_random=False))
def test_row_order_changes_no_profile(values: list[float], random: st.DrawFn) -> None:
    """A shuffled column has the same edges and the same profile."""
    shuffled = list(values)
    random.shuffle(shuffled)

    assert profile(values, values) == profile(shuffled, shuffled)


@given(COLUMN, COLUMN)
def test_counts_at_edges_are_exact(values: list[float], reference: list[float]) -> None:
    """How many values are at most an edge is counted, not estimated."""
    counted = profile(values, reference)
    edges = np.array(counted.edges.fine)
    expected = [int(np.count_nonzero(np.isfinite(values) & (values <= edge))) for edge in edges]

    assert expected == counted.at_most(edges).tolist()
    assert len(values) == counted.rows + counted.missing + counted.infinite


@given(st.lists(TAME, min_size=1, max_size=40), st.lists(TAME, min_size=1, max_size=40))
def test_sums_are_exact_sums_of_rounded_units(values: list[float], reference: list[float]) -> None:
    """Each value is rounded to a whole unit once; adding them loses nothing."""
    counted = profile(values, reference)
    unit, anchor = Fraction(counted.edges.unit), counted.edges.anchor
    total = sum((Fraction(v) for v in np.array(values) - anchor), Fraction(0))

    assert abs(sum(counted.sums) * unit - total) <= len(values) * unit / 2


def test_sums_beyond_float64_precision_are_exact() -> None:
    """Where whole floats stop being exact, integers of any length take over."""
    counted = profile([1e17, 1.0, -1e17], [0.0, 1.0, 2.0, 3.0, 4.0])
    unit = counted.edges.unit

    assert round(1 / unit) * -1 == sum(counted.sums)


@given(
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_quantiles_are_those_of_numpy(values: list[float], levels: list[float]) -> None:
    """Bit for bit, since the design fixes D1's edges as numpy's."""
    expected = np.quantile(values, levels)

    np.testing.assert_array_equal(
        expected, ordered_quantiles(np.sort(np.array(values)), np.array(levels))
    )


@given(st.lists(TAME, min_size=1, max_size=60))
def test_deciles_are_the_distinct_ones_of_numpy(values: list[float]) -> None:
    """They stand among the fine edges, with the extremes."""
    edges = number_edges(np.sort(np.array(values)))

    assert np.unique(np.quantile(values, np.arange(1, 10) / 10)).tolist() == list(edges.deciles)
    assert {*edges.deciles, min(values), max(values)} <= set(edges.fine)


def test_a_common_value_has_a_bin_of_its_own() -> None:
    """Zeros that fill a column are counted apart from what lies just below them."""
    values = [0.0] * 740 + [float(i) for i in range(260)]
    counted = profile(values, values)

    assert counted.commonest_share == pytest.approx(741 / 1000)
    assert counted.zeros == 741
    assert sorted_numbers(np.array(values)).commonest_share == counted.commonest_share


def test_a_profile_is_silent_between_its_edges() -> None:
    """Counts at another edge are unknown, and saying so is an error."""
    counted = profile([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(KeyError, match="was not counted over these edges"):
        counted.at_most(np.array([1.2345]))


def test_profiles_over_other_edges_do_not_add() -> None:
    """Their bins mean different things."""
    with pytest.raises(ValueError, match="different edges"):
        profile([1.0], [1.0, 2.0]) + profile([1.0], [5.0, 9.0])


@given(COLUMN)
def test_a_profile_survives_its_json(values: list[float]) -> None:
    """Every field is read back as it was."""
    counted = profile(values, values)

    assert counted == NumberProfile.from_json(counted.to_json())


@pytest.mark.parametrize(
    "change", [{"counts": [1]}, {"edges": None}, {"zeros": "many"}, {"sums": ["x"]}], ids=str
)
def test_json_that_is_no_profile_is_refused(change: dict[str, object]) -> None:
    """The error says what is read."""
    value = profile([1.0, 2.0], [1.0, 2.0]).to_json()
    with pytest.raises(RecordError, match="not a number's profile"):
        NumberProfile.from_json(value | change)


def test_an_empty_column_has_a_profile() -> None:
    """Without a finite value there are no edges and no extremes."""
    counted = profile([np.nan, np.inf], [])

    assert (0, 1, 1, None) == (counted.rows, counted.missing, counted.infinite, counted.minimum)
    assert counted.edges.fine == ()
    assert counted.commonest_share == 0.0
