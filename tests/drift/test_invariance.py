"""What must not move a level: more rows, one outlier, another order of the rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modelwarrant import drift
from modelwarrant.records import DriftReport
from tests.drift.commanding import drift_json

SIZES = (500, 1000, 4000, 16_000, 64_000)


def columns(seed: int, rows: int) -> pd.DataFrame:
    """Return one column of each shape."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "normal": random.normal(size=rows),
            "heavy": random.standard_cauchy(rows),
            "count": random.poisson(4, rows),
            "zeros": np.where(random.random(rows) < 0.74, 0.0, random.lognormal(size=rows)),
            "flag": random.random(rows) < 0.03,
            "town": random.choice([f"town {i}" for i in range(60)], rows),
        }
    )


def levels(report: DriftReport) -> dict[str, str]:
    """Return the level of each feature, and of the whole."""
    return {feature.name: feature.level for feature in report.features} | {"": report.level}


@pytest.mark.parametrize("seed", range(3))
def test_more_rows_give_no_unshifted_feature_a_drift_level(seed: int) -> None:
    """From 500 rows up, as the windows grow: every level stays 'none'."""
    reference, current = columns(2 * seed, SIZES[-1]), columns(2 * seed + 1, SIZES[-1])

    for rows in SIZES:
        found = levels(drift.compare(reference[:rows], current[:rows]))
        assert {"none"} == set(found.values()), rows


@pytest.mark.statistical
@pytest.mark.parametrize("rows", SIZES)
def test_unshifted_features_stay_quiet_at_every_size(rows: int) -> None:
    """40 pairs of six columns a size: none is drift or blocked."""
    for seed in range(40):
        report = drift.compare(columns(2 * seed + 100, rows), columns(2 * seed + 101, rows))
        assert not {"drift", "blocked"} & set(levels(report).values())


@pytest.mark.parametrize("outlier", [1e3, -1e6, 1e12, 1e300])
@pytest.mark.parametrize("window", ["reference", "current"])
@pytest.mark.parametrize("shift", [0.0, 0.6])
def test_one_outlier_in_a_thousand_moves_no_level(
    outlier: float, window: str, shift: float
) -> None:
    """Whether the column is quiet or drifted; the distance in its unit may move, and does."""
    random = np.random.default_rng(8)
    frames = {
        "reference": pd.DataFrame({"x": random.normal(size=1000), "y": random.normal(size=1000)}),
        "current": pd.DataFrame(
            {"x": random.normal(shift, 1, 1000), "y": random.normal(size=1000)}
        ),
    }
    clean = drift.compare(frames["reference"], frames["current"])
    frames[window].loc[17, "x"] = outlier
    dirty = drift.compare(frames["reference"], frames["current"])
    psi = clean.features[0].psi or 0.0

    assert levels(clean) == levels(dirty)
    assert dirty.features[0].psi == pytest.approx(psi, abs=0.01)
    assert dirty.features[0].wasserstein != pytest.approx(clean.features[0].wasserstein)


@pytest.mark.parametrize("outlier", [-0.5, 7.3, 1e3, -1e15, 1e300])
@pytest.mark.parametrize("window", [0, 1])
def test_one_outlier_moves_no_level_of_any_shape(outlier: float, window: int) -> None:
    """Heavy tails, counts and zeros, alike or with a mean two deviations off."""
    names = ["normal", "heavy", "count", "zeros"]
    for shift in (0.0, 2.0):
        frames = [columns(seed, 1000)[names].astype(float) + shift * seed for seed in (0, 1)]
        clean = levels(drift.compare(*frames))
        frames[window].loc[17, names] = outlier

        assert clean == levels(drift.compare(*frames))


def test_one_new_level_in_a_thousand_rows_moves_no_level() -> None:
    """A typo is no drift."""
    frames = columns(1, 1000), columns(2, 1000)
    clean = levels(drift.compare(*frames))
    frames[1].loc[5, "town"] = "twon 3"

    assert clean == levels(drift.compare(*frames))


def test_row_order_changes_no_byte_through_the_command(tmp_path: Path) -> None:
    """The whole document, digests included."""
    frames = [columns(seed, 1500) for seed in (1, 2)]
    random = np.random.default_rng(3)
    mixed = [frame.iloc[random.permutation(len(frame))] for frame in frames]

    assert drift_json(tmp_path, *frames) == drift_json(tmp_path, *mixed)


@pytest.mark.parametrize("options", [["--time", "at"], ["--time", "at", "--season", "10d"]])
def test_the_order_of_rows_of_one_day_changes_no_byte(tmp_path: Path, options: list[str]) -> None:
    """With a time that many rows share, and values that move from day to day."""
    random = np.random.default_rng(3)
    frames = []
    for seed in (0, 1):
        day = random.integers(0, 40, 1500)
        frame = columns(seed, 1500).assign(at=pd.Timestamp("2024-01-01"))
        frame["at"] += pd.to_timedelta(day + 40 * seed, "D")
        frame["normal"] += np.sin(day) + seed
        frames.append(frame)
    mixed = [frame.iloc[random.permutation(len(frame))] for frame in frames]

    found = drift_json(tmp_path, *frames, *options)
    assert "drift" == found["level"]
    assert found == drift_json(tmp_path, *mixed, *options)
