"""``warrant benchmark drift --false-alarms``: the same tables twice, counted as they are drawn."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from scipy import stats
from typer.testing import CliRunner

from modelwarrant.cli import drift_tables
from modelwarrant.cli.app import app
from modelwarrant.cli.drift_tables import Alarms, exact_interval, pooled


@pytest.mark.parametrize(("count", "pairs"), [(0, 400), (3, 400), (200, 400), (400, 400)])
def test_intervals_are_those_of_scipy(count: int, pairs: int) -> None:
    """Clopper and Pearson's, 95 %."""
    expected = stats.binomtest(count, pairs).proportion_ci(0.95, "exact")

    assert (expected.low, expected.high) == pytest.approx(exact_interval(count, pairs), abs=1e-12)


def test_cells_add_up() -> None:
    """By size, with reports and columns apart."""
    cells = [
        Alarms("normal", 10, 500, "columns", 60, 1, 0, 2),
        Alarms("tied", 10, 500, "columns", 40, 0, 3, 0),
        Alarms("normal", 10, 500, "report", 5, 0, 0, 0),
    ]
    columns, report = pooled(cells, by="rows")

    assert (100, 1, 3, 2) == (columns.pairs, columns.drift, columns.blocked, columns.notice)
    assert (500, 5) == (report.rows, report.pairs)


def test_a_shift_is_found_and_no_shift_is_not() -> None:
    """The cells count what the detectors say: half a deviation at 10,000 rows, in every pair."""
    cell = drift_tables._Power("mean by 0.5 sd", 10_000, 5)
    quiet = drift_tables._Cell(0, "tied", 10, 500, "columns", 5)

    assert (5, 5, 0) == (
        drift_tables._found(cell).drift,
        drift_tables._found(cell).notice,
        drift_tables._found(cell).blocked,
    )
    assert (5, 0, 0) == (
        drift_tables._alarms(quiet).pairs,
        drift_tables._alarms(quiet).drift,
        drift_tables._alarms(quiet).blocked,
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_command_writes_the_same_tables_twice(tmp_path: Path) -> None:
    """Parquet, page and JSON, from the least share of the declared pairs."""
    told = []
    for name in ("a", "b"):
        arguments = ["--false-alarms", "--share", "0.001", "--out", str(tmp_path / name), "--json"]
        told.append(CliRunner().invoke(app, ["benchmark", "drift", *arguments]).stdout)
    tables = json.loads(told[0])

    assert told[0] == told[1]
    assert tables["power"] == pq.read_table(tmp_path / "a" / "power.parquet").to_pylist()
    assert (tmp_path / "a" / "index.md").read_text() == (tmp_path / "b" / "index.md").read_text()
