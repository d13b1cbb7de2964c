"""The gate table of the design, rule by rule: what blocks, what warns, what is only noticed."""

import numpy as np
import pytest

from modelwarrant.drift.gates import (
    category_gates,
    duplicate_gate,
    number_gates,
    quiet_gates,
    row_gates,
)
from modelwarrant.profiles import category_profile, number_edges, number_profile, sorted_numbers
from modelwarrant.records import Gate

Found = list[tuple[str, str]]


def brief(gates: list[Gate]) -> Found:
    """Return gate and level of each finding."""
    return [(gate.gate, gate.level) for gate in gates]


def number(reference: object, current: object, *, n_features: int = 1) -> Found:
    """Run a number's gates on its rows; a profile of them must say the same."""
    before, after = (
        sorted_numbers(np.asarray(values, dtype=np.float64)) for values in (reference, current)
    )
    edges = number_edges(before.values)
    found = number_gates("x", before, after, n_features=n_features)
    counted = number_gates(
        "x", number_profile(before, edges), number_profile(after, edges), n_features=n_features
    )

    assert brief(found) == brief(counted)
    assert all(gate.column == "x" for gate in found)
    return brief(found)


def category(
    before: dict[str, int], after: dict[str, int], *, missing: tuple[int, int] = (0, 0)
) -> list[Gate]:
    """Run a category's gates."""
    return category_gates(
        "c",
        category_profile(before, missing=missing[0]),
        category_profile(after, missing=missing[1]),
        n_features=1,
    )


def mixed(rows: int, missing: int) -> np.ndarray:
    """Return a normal column with that many missing values."""
    values = np.random.default_rng(7).normal(size=rows)
    values[:missing] = np.nan
    return values


PLAIN = mixed(1000, 0)


class TestRowsAndColumns:
    """G1."""

    @pytest.mark.parametrize(
        ("n", "m", "levels"),
        [(500, 500, []), (0, 500, ["block"]), (500, 0, ["block"]), (499, 1, ["notice", "notice"])],
    )
    def test_an_empty_window_blocks_and_a_short_one_is_noticed(
        self, n: int, m: int, levels: list[str]
    ) -> None:
        """The floor is D1's 500 rows."""
        assert levels == [gate.level for gate in row_gates(n, m)]

    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_infinity_blocks_in_either_window(self, value: float) -> None:
        """One value is enough."""
        assert ("G1", "block") in number(PLAIN, np.append(PLAIN, value))
        assert ("G1", "block") in number(np.append(PLAIN, value), PLAIN)

    def test_a_newly_missing_column_blocks(self) -> None:
        """Every value is gone that used to be there."""
        assert ("G1", "block") in number(PLAIN, [np.nan] * 1000)
        assert ("G1", "block") in brief(category({"a": 600, "b": 400}, {}, missing=(0, 1000)))

    def test_a_column_that_was_always_missing_is_noticed(self) -> None:
        """Nothing changed."""
        assert [("G1", "notice")] == number([np.nan] * 1000, [np.nan] * 1000)

    def test_a_column_that_is_filled_for_the_first_time_is_noticed(self) -> None:
        """G2 blocks it: its missing share changed by 100 points."""
        assert [("G1", "notice"), ("G2", "block")] == number([np.nan] * 1000, PLAIN)

    def test_a_new_constant_blocks_where_the_reference_varied(self) -> None:
        """The commonest value held less than 90 % of the reference."""
        assert [("G1", "block")] == number([0.0] * 899 + [1.0] * 101, [0.0] * 1000)
        assert [("G1", "block")] == brief(category({"a": 899, "b": 101}, {"a": 1000}))

    def test_a_seasonal_constant_is_noticed(self) -> None:
        """Where one value filled 90 % before, a window of it alone is no fault."""
        assert [("G1", "notice")] == number([0.0] * 900 + [1.0] * 100, [0.0] * 1000)
        assert [("G1", "notice")] == brief(category({"a": 900, "b": 100}, {"a": 1000}))

    def test_a_few_equal_rows_may_be_chance(self) -> None:
        """One row is constant in every column, and 20 rows at 80 % easily are."""
        assert [("G1", "notice")] == number([0.0] * 800 + [1.0] * 200, [0.0] * 20)
        assert ("G1", "block") not in number(PLAIN, [PLAIN[0]])

    def test_duplicate_rows_are_noticed(self) -> None:
        """The share is the value."""
        assert [] == duplicate_gate(0, 100)
        found = duplicate_gate(25, 100)

        assert [("G1", "notice")] == brief(found)
        assert 0.25 == found[0].value


class TestMissingShare:
    """G2."""

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            (0, 10, []),
            (0, 19, []),
            (0, 20, [("G2", "warn")]),
            (0, 99, [("G2", "warn")]),
            (0, 100, [("G2", "block")]),
            (100, 0, [("G2", "block")]),
            (500, 520, []),
            (500, 650, [("G2", "block")]),
        ],
    )
    def test_the_change_must_be_large_and_proven(
        self, before: int, after: int, expected: Found
    ) -> None:
        """2 points warn and 10 block, either way, where the proportions differ."""
        assert expected == number(mixed(1000, before), mixed(1000, after))

    def test_a_large_change_in_few_rows_is_chance(self) -> None:
        """One missing value in ten is 10 points, and no evidence."""
        assert [] == number(PLAIN[:10], mixed(10, 1))

    def test_many_features_ask_for_more_evidence(self) -> None:
        """The level is .01 over the number of features."""
        windows = mixed(1000, 0), mixed(300, 6)

        assert [("G2", "warn")] == number(*windows, n_features=1)
        assert [] == number(*windows, n_features=10**6)

    def test_categories_are_watched_too(self) -> None:
        """Missing levels count as missing numbers do."""
        found = category({"a": 600, "b": 400}, {"a": 500, "b": 300}, missing=(0, 200))

        assert [("G2", "block")] == brief(found)


class TestUnseenLevels:
    """G4."""

    @pytest.mark.parametrize(
        ("unseen", "expected"),
        [(0, []), (9, []), (15, [("G4", "warn")]), (49, [("G4", "warn")]), (50, [("G4", "block")])],
    )
    def test_the_share_must_exceed_what_the_reference_promises(
        self, unseen: int, expected: Found
    ) -> None:
        """With no level seen once nothing new is expected; half a percent and proof are needed."""
        after = {"a": 600, "b": 400 - unseen, "new": unseen}

        assert expected == brief(category({"a": 600, "b": 400}, after))

    def test_the_unseen_levels_are_named(self) -> None:
        """The commonest first."""
        found = category({"a": 900, "b": 100}, {"a": 800, "z": 120, "y": 80})

        assert "'z', 'y'" in found[0].detail
        assert 0.2 == found[0].value

    def test_a_reference_full_of_singletons_expects_new_levels(self) -> None:
        """Identifiers are new by nature (Good-Turing)."""
        before, after = ({f"id {i}": 1 for i in range(s, s + 1000)} for s in (0, 1000))

        assert [] == brief(category(before, after))

    def test_a_few_new_rows_beside_a_small_reference_prove_nothing(self) -> None:
        """A hundred rows may well have missed a level that five rows show now."""
        assert [] == brief(category({"a": 60, "b": 40}, {"a": 55, "b": 40, "new": 5}))

    def test_an_empty_window_has_no_unseen_level(self) -> None:
        """G1 says what is wrong."""
        assert ("G4", "block") not in brief(category({}, {"a": 1000}))


def test_every_gate_is_seen_to_have_run() -> None:
    """A gate without a finding has one ``ok`` entry."""
    found = row_gates(10, 1000)

    assert [("G2", "ok"), ("G3", "ok"), ("G4", "ok")] == brief(quiet_gates(found, 5))
