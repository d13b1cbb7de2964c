"""A stream whose seasons alone change is never called lasting drift, window by window."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from modelwarrant import drift
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
