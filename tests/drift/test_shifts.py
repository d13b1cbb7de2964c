"""The kind of shift is named from what the detectors found, and only from that."""

import numpy as np
import pandas as pd

from modelwarrant import drift
from modelwarrant.records import DriftReport

ROWS = 1500


def frame(seed: int) -> pd.DataFrame:
    """Return three numbers, a category and a flag."""
    random = np.random.default_rng(seed)
    data = {f"x{index}": random.normal(size=ROWS) for index in range(3)}
    return pd.DataFrame(
        data | {"town": random.choice(["ash", "oak"], ROWS), "new": random.random(ROWS) < 0.4}
    )


def kinds(report: DriftReport) -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Return level, columns and detectors of each kind."""
    return {s.kind: (s.level, s.columns, s.detectors) for s in report.shifts}


def test_without_drift_no_kind_is_named() -> None:
    """The list is empty, not full of quiet entries."""
    assert () == drift.compare(frame(1), frame(2)).shifts


def test_a_moved_feature_is_a_covariate_shift() -> None:
    """By D1, and by D3 beside it."""
    current = frame(2).assign(x1=lambda data: data.x1 + 1)

    assert {"covariate": ("drift", ("x1",), ("D1", "D3"))} == kinds(
        drift.compare(frame(1), current)
    )


def test_a_changed_correlation_is_a_covariate_shift_of_all_together() -> None:
    """Every feature is quiet by itself, and the support says so."""
    current = frame(2).assign(x1=lambda data: 0.95 * data.x0 + 0.31 * data.x1)
    (shift,) = drift.compare(frame(1), current).shifts

    assert ("covariate", ("D3",)) == (shift.kind, shift.detectors)
    assert "no feature by itself" in shift.support
    assert {"x0", "x1"} == set(shift.columns)


def test_missing_values_are_a_missingness_shift() -> None:
    """By G2; from ten points up a data fault, too."""
    some, many = (
        frame(2).assign(x2=lambda data, n=n: data.x2.where(data.index >= n)) for n in (75, 600)
    )

    assert {"missingness": ("notice", ("x2",), ("G2",))} == kinds(drift.compare(frame(1), some))
    assert ("blocked", ("x2",), ("G2",)) == kinds(drift.compare(frame(1), many))["missingness"]
    assert "blocked" == kinds(drift.compare(frame(1), many))["data fault"][0]


def test_a_unit_change_is_a_data_fault() -> None:
    """It comes first, before the drift that it looks like."""
    report = drift.compare(frame(1), frame(2).assign(x0=lambda data: 1000 * data.x0))

    assert ("data fault", "blocked", ("x0",), ("G3",)) == (
        report.shifts[0].kind,
        report.shifts[0].level,
        report.shifts[0].columns,
        report.shifts[0].detectors,
    )


def test_the_weight_that_drifted_is_told() -> None:
    """A shift in a feature that production hardly uses weighs little."""
    current = frame(2).assign(x1=lambda data: data.x1 + 1)
    weights = {"x0": 0.7, "x1": 0.1, "x2": 0.2, "town": 0.0, "new": 0.0}

    assert 0.1 == round(drift.compare(frame(1), current, weights=weights).drifted_weight, 9)
    assert drift.compare(frame(1), current).drifted_weight is None
