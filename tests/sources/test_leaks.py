"""Columns that give the target away, and columns that only look like it."""

import numpy as np
import pytest

from modelwarrant.sources.columns import Column
from modelwarrant.sources.leaks import giveaways, skill

ROWS = 4000
RNG = np.random.default_rng(7)


def number(name: str, values: np.ndarray) -> Column:
    """A column of numbers."""
    return Column(name, "number", numbers=np.asarray(values, dtype=float))


def category(name: str, codes: np.ndarray) -> Column:
    """A column of levels."""
    codes = np.asarray(codes, dtype=np.int32)
    return Column(name, "category", codes=codes, levels=tuple(map(str, range(codes.max() + 1))))


DELAY = np.round(RNG.exponential(30, ROWS) - 15)
LATE = number("late", DELAY > 15)
DISTANCE = RNG.uniform(100, 3000, ROWS)
SPEED = RNG.uniform(200, 600, ROWS)
AIR = number("air", DISTANCE / SPEED * 60)


def test_the_amount_behind_a_class_is_a_leak() -> None:
    """A delay tells without error whether it was longer than 15 minutes."""
    found = giveaways([number("delay", DELAY)], LATE, "classification")

    assert found["delay"].is_leak


def test_a_copy_of_the_target_is_a_leak_whatever_it_is_called() -> None:
    """Renamed labels are labels."""
    found = giveaways([category("other", 1 - LATE.numbers)], LATE, "classification")

    assert found["other"].is_leak


def test_a_strong_feature_is_pointed_out_and_kept() -> None:
    """Most errors removed is suspicious, and a person decides."""
    noisy = np.where(RNG.random(ROWS) < 0.93, LATE.numbers, 1 - LATE.numbers)

    found = giveaways([number("hint", noisy)], LATE, "classification")

    assert not found["hint"].is_leak
    assert "% of the errors in late" in found["hint"].reason


def test_unique_values_tell_nothing() -> None:
    """An identifier fits every row it has seen and no other."""
    share = skill(category("id", RNG.permutation(ROWS)), LATE.numbers, "classification")

    assert share is not None
    assert share <= 0


def test_noise_is_no_leak() -> None:
    """Fifty columns of noise raise no suspicion."""
    columns = [number(f"n{i}", RNG.normal(size=ROWS)) for i in range(50)]

    assert {} == giveaways(columns, LATE, "classification")
    assert {} == giveaways(columns, AIR, "regression")


@pytest.mark.parametrize(
    ("one", "other", "made"),
    [
        (DISTANCE, SPEED, DISTANCE + SPEED),
        (DISTANCE, SPEED, DISTANCE - SPEED),
        (DISTANCE, SPEED, DISTANCE * SPEED),
        (DISTANCE, SPEED, DISTANCE / SPEED * 60),
        (SPEED, DISTANCE, DISTANCE / SPEED * 60),
    ],
)
def test_a_pair_that_makes_the_target_is_a_leak(
    one: np.ndarray, other: np.ndarray, made: np.ndarray
) -> None:
    """Casual and registered riders add up to all of them."""
    found = giveaways([number("a", one), number("b", other)], number("y", made), "regression")

    assert found["a"].is_leak
    assert found["b"].is_leak
    assert found["a"].reason.startswith("y follows from ")


def test_the_parts_of_a_noisy_sum_are_kept() -> None:
    """A sum that holds up to noise is what a model is for."""
    noisy = number("y", DISTANCE + SPEED + RNG.normal(0, 50, ROWS))

    found = giveaways([number("a", DISTANCE), number("b", SPEED)], noisy, "regression")

    assert not any(giveaway.is_leak for giveaway in found.values())


def test_a_feature_that_explains_most_of_an_amount_is_kept() -> None:
    """Distance explains .98 of an air time, and is known beforehand."""
    air = number("air", DISTANCE / 7 + RNG.normal(0, 16, ROWS))

    found = giveaways([number("distance", DISTANCE)], air, "regression")

    assert not found["distance"].is_leak


def test_an_amount_in_another_unit_is_a_leak() -> None:
    """Hours are minutes."""
    found = giveaways([number("hours", AIR.numbers / 60)], AIR, "regression")

    assert found["hours"].is_leak


def test_rows_without_a_target_are_left_out() -> None:
    """Missing targets neither hide nor make a leak."""
    goal = LATE.numbers.copy()
    goal[::3] = np.nan

    assert giveaways([number("delay", DELAY)], number("late", goal), "classification")[
        "delay"
    ].is_leak


def test_a_few_rows_are_chance() -> None:
    """Below forty rows nothing is called a leak."""
    assert {} == giveaways(
        [number("delay", DELAY[:30])], number("late", LATE.numbers[:30]), "classification"
    )
