"""G3: a unit change blocks; a change of shape does not, however large it is."""

import numpy as np
import pytest

from modelwarrant.drift.scale import scale_gate
from modelwarrant.profiles import sorted_numbers


def blocks(reference: np.ndarray, current: np.ndarray) -> bool:
    """Return whether G3 blocks."""
    found = scale_gate("x", sorted_numbers(reference), sorted_numbers(current))

    assert all((gate.gate, gate.level) == ("G3", "block") for gate in found)
    return bool(found)


def draw(seed: int, rows: int = 2000) -> dict[str, np.ndarray]:
    """Return columns of many shapes."""
    random = np.random.default_rng(seed)
    zeros = random.random(rows) < 0.74
    return {
        "normal": random.normal(20, 5, rows),
        "skewed": random.lognormal(0, 1, rows),
        "hours": random.integers(0, 24, rows).astype(float),
        "counts": random.poisson(4, rows).astype(float),
        "zeros": np.where(zeros, 0.0, random.lognormal(0, 1, rows)),
        "mostly zeros": np.where(random.random(rows) < 0.8, 0.0, random.lognormal(0, 1, rows)),
    }


SHAPES = list(draw(0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [1000.0, 0.001, 60.0, 1 / 3.6 / 2, 100.0])
def test_a_factor_blocks(shape: str, factor: float) -> None:
    """Kilograms for grams: the shape returns when the factor is undone."""
    assert blocks(draw(1)[shape], factor * draw(2)[shape])


@pytest.mark.parametrize("shape", ["normal", "skewed", "hours"])
def test_an_offset_blocks(shape: str) -> None:
    """Kelvin for Celsius."""
    assert blocks(draw(1)[shape], draw(2)[shape] + 273.15)


def test_a_factor_with_an_offset_blocks() -> None:
    """Fahrenheit for Celsius."""
    assert blocks(draw(1)["normal"], 1.8 * draw(2)["normal"] + 32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [100, 300, 2000])
def test_no_drift_never_blocks(shape: str, rows: int) -> None:
    """A column with 74 % zeros has an interquartile range of chance, and is left alone."""
    found = [blocks(draw(s, rows)[shape], draw(s + 500, rows)[shape]) for s in range(40)]

    assert 0 == sum(found)


@pytest.mark.parametrize(
    "current",
    [
        np.random.default_rng(3).uniform(-100, 100, 2000),
        np.random.default_rng(3).exponential(60, 2000) + 20,
        np.append(np.random.default_rng(3).normal(20, 5, 1000), np.full(1000, 95.0)),
        np.random.default_rng(3).choice([-50.0, 90.0], 2000),
    ],
    ids=["uniform", "exponential", "stuck half", "two values"],
)
def test_another_shape_does_not_block(current: np.ndarray) -> None:
    """Spread or median tripled, but no unit explains it: that is drift, for D1 to say."""
    assert not blocks(draw(1)["normal"], current)


@pytest.mark.parametrize("shift", [0.0, 5.0, 14.0])
def test_a_moderate_shift_does_not_block(shift: float) -> None:
    """Up to 3 interquartile ranges (of 6.7 here) and a factor of 3 a change is drift."""
    assert not blocks(draw(1)["normal"], draw(2)["normal"] + shift)


def test_a_constant_has_no_unit() -> None:
    """Without a spread there is nothing to compare; G1 sees constants."""
    assert not blocks(np.zeros(2000), np.full(2000, 7.0))
    assert not blocks(draw(1)["normal"], np.full(2000, 7.0))


def test_a_few_rows_have_no_unit() -> None:
    """Below 100 rows a spread is too noisy."""
    assert not blocks(draw(1)["normal"][:99], 1000 * draw(2)["normal"])


def test_the_ends_of_float64_are_no_error() -> None:
    """Ratios that overflow or vanish are no unit."""
    rows = draw(1)["normal"]

    assert not blocks(rows * 1e300, rows * 1e-300)
    assert not blocks(rows * 1e-300, rows * 1e300)


def test_the_change_is_described() -> None:
    """Factor and offset are for the person who finds the fault."""
    found = scale_gate(
        "mass", *(sorted_numbers(v) for v in (draw(1)["skewed"], 1000 * draw(1)["skewed"]))
    )

    assert "current = 1000 x reference +0" in found[0].detail
    assert pytest.approx(1000) == found[0].value
