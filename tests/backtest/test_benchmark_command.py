"""``warrant benchmark decisions``: the same code in a pool of processes."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from modelwarrant.backtest import Setting, Stream, score
from modelwarrant.cli.app import app
from modelwarrant.errors import DataError, PolicyError
from modelwarrant.policy import default_policy


def run(*arguments: str) -> Result:
    """Run the command; an error of ours is raised."""
    return CliRunner().invoke(app, ["benchmark", "decisions", *arguments], catch_exceptions=False)


def warrant(*arguments: str) -> str:
    """Run the command and return its stdout."""
    return run(*arguments).stdout


@pytest.mark.slow
def test_the_pool_scores_as_one_process_does(tmp_path: Path) -> None:
    """Table, summary and page are written, and a loss in the table is the library's own."""
    told = warrant(
        *("--scenario", "rents/none", "--seeds", "1", "--workers", "1"),
        *("--rule", "always", "--rule", "never", "--out", str(tmp_path), "--json"),
    )
    table = pq.read_table(tmp_path / "decisions.parquet").to_pylist()
    (alone,) = score(Stream("rents/none/abrupt/0", 0), Setting(), ["never"], default_policy())

    assert ["always", "never"] == json.loads(told)["rules"]
    assert [step.loss for step in alone.steps] == [
        row["loss"] for row in table if row["rule"] == "never"
    ]
    assert json.loads(told) == json.loads((tmp_path / "summary.json").read_bytes())
    assert "always promote" in (tmp_path / "index.html").read_text()


def test_what_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    """A second run computes the new seed only, and tells the results of both."""
    arguments = ("--scenario", "rents/none", "--rule", "never", "--rule", "oracle")
    to = ("--workers", "1", "--out", str(tmp_path))
    first = run(*arguments, "--seeds", "1", *to)
    again = run(*arguments, "--seeds", "2", *to)

    assert "[1/1] rents/none/abrupt/0, seed 0" in first.stderr
    assert "1 of 2 streams lie in" in again.stderr
    assert "[1/1] rents/none/abrupt/0, seed 1" in again.stderr
    assert {0, 1} == set(pq.read_table(tmp_path / "decisions.parquet").column("seed").to_pylist())


def test_a_shift_is_put_into_a_real_table(tmp_path: Path) -> None:
    """Columns known only after the target are left out: a count is not told by its parts."""
    rng, rows = np.random.default_rng(1), 8000
    casual = rng.integers(0, 50, rows)
    hour = rng.integers(0, 24, rows)
    table = {"hr": hour, "hum": rng.random(rows), "casual": casual, "registered": 2 * hour}
    table |= {"instant": np.arange(rows), "dteday": hour, "timestamp": hour}
    table["cnt"] = casual + 2 * hour
    pa.csv.write_csv(pa.table(table), tmp_path / "bike.csv")
    name = "bike_sharing_hour.csv.gz"
    (tmp_path / name).write_bytes(gzip.compress((tmp_path / "bike.csv").read_bytes()))
    warrant(
        *("--scenario", "bike/concept", "--seeds", "1", "--workers", "1", "--rule", "never"),
        *("--rule", "oracle", "--tables", str(tmp_path), "--out", str(tmp_path / "out")),
    )
    found = pq.read_table(tmp_path / "out" / "decisions.parquet").to_pylist()

    assert {"bike/concept/abrupt/1"} == {row["scenario"] for row in found}
    assert 150 < min(row["loss"] for row in found)  # variance of casual, 208: nobody knows it


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        (["--scenario", "bike/concept"], DataError, "--tables"),
        (["--tables", "."], DataError, "holds none of electricity"),
        (["--rule", "sometimes"], PolicyError, "metric-only"),
        (["--scenario", "moon/concept"], DataError, "no stream 'moon'"),
        (["--streams", "3"], DataError, "fewer than 20 seeds"),
    ],
)
def test_a_wrong_grid_is_refused_before_anything_runs(
    arguments: list[str], error: type[Exception], named: str, tmp_path: Path
) -> None:
    """The error names rule, scenario or number, and no folder is made."""
    with pytest.raises(error, match=named):
        warrant(*arguments, "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
