"""A stream whose seasons alone change is never called lasting drift, window by window."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant import drift
from modelwarrant.drift.pair import pair_windows
from modelwarrant.drift.report import feature_drift
from modelwarrant.sources import read_table
from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window

DATA = Path(os.environ.get("WARRANT_STREAMS", Path(__file__).parents[3] / "shared" / "data"))
BEIJING = DATA / "beijing_pm25.csv.gz"
ADULT = DATA / "adult_control.csv.gz"
YEAR = timedelta(days=365)
NUMBERS = ("month", "day", "hour", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir")
SCHEMA = FeatureSchema(
    features=(
        *(Feature(name=name, kind="number", missing=True) for name in NUMBERS),
        Feature(name="cbwd", kind="category", missing=True),
    ),
    time="timestamp",
)


def beijing(days: int) -> list[Window]:
    """Return Beijing's weather in windows of so many days, oldest first."""
    window = typed_window(read_table(str(BEIJING), base=Path("/")), SCHEMA)
    places = (window.order - window.order.min()) // (days * 86_400_000_000)
    parts = [window.take(places == place) for place in range(int(places.max()) + 1)]
    return [part for part in parts if len(part) >= 500]


@pytest.mark.statistical
@pytest.mark.skipif(not BEIJING.exists(), reason=f"{BEIJING} is not there; set WARRANT_STREAMS")
@pytest.mark.parametrize("days", [91, 365])
def test_beijings_seasons_are_no_lasting_drift(days: int) -> None:
    """Five years against the first window; with a season of a year, quarters and years alike."""
    parts = beijing(days)
    whole = typed_window(read_table(str(BEIJING), base=Path("/")), SCHEMA)
    verdicts, levels = [], []
    for current in parts[1:]:
        history = drift.History(whole.take(whole.order < current.order.min()))
        report = drift.compare(parts[0], current, season=YEAR, history=history)
        assert report.season is not None
        verdicts.append(report.season.verdict)
        levels.append(report.level)

    assert "lasting" not in verdicts
    assert "drift" not in levels
    assert len(levels) == len(parts) - 1 >= 4


@pytest.mark.statistical
@pytest.mark.skipif(not ADULT.exists(), reason=f"{ADULT} is not there; set WARRANT_STREAMS")
def test_adult_stays_quiet() -> None:
    """Eight windows of 4,000 rows without any drift: every report says 'none'."""
    table = read_table(str(ADULT), base=Path("/"))
    reports = [
        drift.compare(table.slice(0, 4000), table.slice(start, 4000))
        for start in range(4000, table.num_rows - 4000, 4000)
    ]

    assert {"none"} == {report.level for report in reports}
    assert len(reports) == np.ceil((table.num_rows - 8000) / 4000)


def weather(seed: int, *, days: int = 730) -> np.ndarray:
    """Return hourly degrees of two years, (24 days,), with summers 28 degrees above winters.

    Days follow each other with a correlation of .8, hours swing by 8 degrees.
    """
    random = np.random.default_rng(seed)
    slow = np.zeros(days)
    for day in range(1, days):
        slow[day] = 0.8 * slow[day - 1] + 1.8 * random.normal()
    hours = np.arange(24 * days)
    season = -14 * np.cos(2 * np.pi * hours / 24 / 365) + 4 * np.sin(2 * np.pi * hours / 24)
    return np.asarray(12 + season + np.repeat(slow, 24) + 2.5 * random.normal(size=len(hours)))


def is_unit_change(degrees: np.ndarray, first: int, current: int, days: int, add: float) -> bool:
    """Return whether G3 blocks days from ``current`` against days from ``first``."""
    windows = []
    for start, plus in ((first, 0.0), (current, add)):
        hours = np.arange(24 * start, 24 * (start + days))
        at = np.datetime64("2020-01-01", "us") + (hours * 3600).astype("timedelta64[s]")
        schema = FeatureSchema(features=(Feature(name="degrees", kind="number"),), time="at")
        windows.append(typed_window(pa.table({"degrees": degrees[hours] + plus, "at": at}), schema))
    _, gates = feature_drift(pair_windows(*windows, None))
    return any((gate.gate, gate.level) == ("G3", "block") for gate in gates)


@pytest.mark.statistical
@pytest.mark.parametrize(("days", "most"), [(14, 0.02), (30, 0.06), (70, 0.0), (91, 0.0)])
def test_no_season_is_a_unit(days: int, most: float) -> None:
    """Windows of 12 series of weather against their first, with no season declared."""
    blocked = []
    for seed in range(12):
        degrees = weather(seed)
        starts = range(days, 730 - days, days)
        blocked += [is_unit_change(degrees, 0, start, days, 0.0) for start in starts]
    sys.stdout.write(f"\n{days} days: {sum(blocked)} of {len(blocked)} windows blocked by G3")

    assert sum(blocked) <= most * len(blocked)


@pytest.mark.statistical
@pytest.mark.parametrize("days", [14, 30])
def test_kelvin_is_a_unit(days: int) -> None:
    """The window after the first, 273.15 above what it was: blocked in all 12 series."""
    found = [is_unit_change(weather(seed), 0, days, days, 273.15) for seed in range(12)]

    assert all(found)
