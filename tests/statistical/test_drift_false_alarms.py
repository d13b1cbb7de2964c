"""Without drift the detectors stay quiet, whatever the shape and the size of the columns."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant import drift
from modelwarrant.drift.features import Measured, category_drift, number_drift
from modelwarrant.drift.gates import category_gates, number_gates
from modelwarrant.drift.scale import scale_gate
from modelwarrant.profiles import category_profile, number_edges, sorted_numbers
from modelwarrant.records import Gate

Draw = Callable[[np.random.Generator, int], np.ndarray]

NUMBERS: dict[str, Draw] = {
    "normal": lambda random, rows: random.normal(size=rows),
    "cauchy": lambda random, rows: random.standard_cauchy(rows),
    "poisson": lambda random, rows: random.poisson(4, rows).astype(float),
    "rare ones": lambda random, rows: (random.random(rows) < 0.02).astype(float),
    "74 % zeros": lambda random, rows: np.where(
        random.random(rows) < 0.74, 0.0, random.lognormal(0, 1, rows)
    ),
}
SHARES = np.arange(1, 1001.0) ** -1.3
CATEGORIES: dict[str, Draw] = {
    "5 equal": lambda random, rows: random.integers(0, 5, rows),
    "50 equal": lambda random, rows: random.integers(0, 50, rows),
    "200 equal": lambda random, rows: random.integers(0, 200, rows),
    "1000 by Zipf": lambda random, rows: random.choice(1000, rows, p=SHARES / SHARES.sum()),
}
SIZES = [(500, 500), (500, 5000), (5000, 500), (5000, 5000)]


def measured_number(reference: np.ndarray, current: np.ndarray) -> tuple[Measured, list[Gate]]:
    """Measure a number and run its gates."""
    before, after = sorted_numbers(reference), sorted_numbers(current)
    one = number_drift("x", before, after, edges=number_edges(before.values), alpha=0.01)
    gates = number_gates("x", before, after, n_features=1)
    return one, gates + scale_gate("x", before, after)


def measured_category(reference: np.ndarray, current: np.ndarray) -> tuple[Measured, list[Gate]]:
    """Measure a category and run its gates."""
    before, after = (
        category_profile(Counter(column.astype(str).tolist()), missing=0)
        for column in (reference, current)
    )
    gates = category_gates("c", before, after, n_features=1)
    return category_drift("c", "category", before, after), gates


def alarms(
    measure: Callable[[np.ndarray, np.ndarray], tuple[Measured, list[Gate]]],
    draw: Draw,
    sizes: tuple[int, int],
    *,
    repeats: int,
) -> tuple[float, float, float]:
    """Return the shares of pairs with drift, with a notice, and with a warning or block."""
    counts = np.zeros(3)
    for seed in range(repeats):
        random = np.random.default_rng([seed, *sizes])
        one, gates = measure(draw(random, sizes[0]), draw(random, sizes[1]))
        if one.p_drift is not None and one.p_notice is not None:
            counts += [one.p_drift < 0.01, one.p_notice < 0.01, 0]
        counts[2] += any(gate.level in ("warn", "block") for gate in gates)
    drifts, notices, faults = counts / repeats
    return drifts, notices, faults


@pytest.mark.statistical
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("shape", NUMBERS)
def test_numbers_without_drift(shape: str, sizes: tuple[int, int]) -> None:
    """Of 300 pairs none is drift or blocked, and at most 1 % a notice (the nominal level)."""
    drifts, notices, faults = alarms(measured_number, NUMBERS[shape], sizes, repeats=300)

    assert (0, 0) == (drifts, faults)
    assert notices <= 0.01


@pytest.mark.statistical
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("shape", CATEGORIES)
def test_categories_without_drift(shape: str, sizes: tuple[int, int]) -> None:
    """Of 200 pairs none is drift, at most 1 % a notice, at most 2 % have too many new levels."""
    drifts, notices, faults = alarms(measured_category, CATEGORIES[shape], sizes, repeats=200)

    assert 0 == drifts
    assert notices <= 0.01
    assert faults <= 0.02


def test_numbers_without_drift_in_brief() -> None:
    """The same on 20 pairs of each shape, for every run of the tests."""
    for draw in NUMBERS.values():
        assert (0, 0, 0) == alarms(measured_number, draw, (500, 500), repeats=20)


def table(random: np.random.Generator, rows: int) -> pa.Table:
    """Return ten columns without any drift."""
    columns = {name: draw(random, rows) for name, draw in NUMBERS.items()}
    columns |= {name: draw(random, rows).astype(str) for name, draw in CATEGORIES.items()}
    return pa.table(columns)


@pytest.mark.statistical
@pytest.mark.parametrize("rows", [500, 2000])
def test_whole_reports_without_drift(rows: int) -> None:
    """Of 40 reports over nine columns none says drift, and at most one a notice."""
    random = np.random.default_rng(rows)
    reports = [drift.compare(table(random, rows), table(random, rows)) for _ in range(40)]
    levels = Counter(report.level for report in reports)

    assert levels["none"] >= 39
    assert levels["drift"] == levels["blocked"] == 0
    assert {"none"} == {report.joint.level for report in reports}
