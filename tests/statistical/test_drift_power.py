"""Drift that matters is found, more surely with more rows, and small drift is not called large."""

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant import drift
from modelwarrant.drift.features import Measured, number_drift
from modelwarrant.profiles import number_edges, sorted_numbers


def measured(random: np.random.Generator, rows: int, *, shift: float) -> Measured:
    """Measure a normal column that moved by a share of its standard deviation."""
    before = sorted_numbers(random.normal(size=rows))
    after = sorted_numbers(random.normal(shift, 1.0, rows))
    return number_drift("x", before, after, edges=number_edges(before.values), alpha=0.01)


def share(rows: int, shift: float, *, floor: str, repeats: int = 60) -> float:
    """Return the share of pairs that are called drift, or notice."""
    found = 0
    for seed in range(repeats):
        one = measured(np.random.default_rng([seed, rows]), rows, shift=shift)
        p_value = one.p_drift if floor == "drift" else one.p_notice
        found += p_value is not None and p_value < 0.01
    return found / repeats


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("rows", "shift", "least"), [(500, 0.7, 0.9), (2000, 0.5, 0.9), (10_000, 0.4, 0.9)]
)
def test_drift_is_found(rows: int, shift: float, least: float) -> None:
    """A PSI well above .10; what 'well' means shrinks with the rows."""
    assert share(rows, shift, floor="drift") >= least


@pytest.mark.statistical
@pytest.mark.parametrize(("rows", "shift"), [(500, 0.45), (2000, 0.3), (10_000, 0.2)])
def test_smaller_shifts_are_noticed(rows: int, shift: float) -> None:
    """A PSI above .02 is a notice in nine of ten pairs."""
    assert share(rows, shift, floor="notice") >= 0.9


@pytest.mark.statistical
@pytest.mark.parametrize("rows", [500, 2000, 10_000, 50_000])
def test_shifts_below_the_floor_are_never_drift(rows: int) -> None:
    """A quarter of a standard deviation is PSI .06: not drift, at any size."""
    assert share(rows, 0.25, floor="drift", repeats=40) == 0


@pytest.mark.statistical
def test_power_rises_with_the_rows() -> None:
    """At PSI .16 (0.4 standard deviations)."""
    found = [share(rows, 0.4, floor="drift") for rows in (500, 2000, 8000)]

    assert found == sorted(found)
    assert found[-1] > found[0]


@pytest.mark.statistical
def test_a_changed_correlation_is_found_by_the_joint_detector() -> None:
    """Correlation .9 in place of 0 among ten columns, 2,000 rows: 10 of 10 reports."""
    levels = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        before, after = random.normal(size=(2, 2000, 10))
        after[:, 1] = 0.9 * after[:, 0] + np.sqrt(1 - 0.81) * after[:, 1]
        tables = [pa.table({f"x{i}": part[:, i] for i in range(10)}) for part in (before, after)]
        report = drift.compare(*tables)
        levels.append(report.joint.level)

        assert {"none"} == {feature.level for feature in report.features}

    assert {"notice", "drift"} >= set(levels)


def test_power_in_brief() -> None:
    """One clear shift, for every run of the tests."""
    assert share(1000, 0.7, floor="drift", repeats=10) == 1.0
