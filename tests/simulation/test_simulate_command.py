"""``warrant simulate``: a stream, its truth beside it, and one error where it cannot be."""

import json
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from modelwarrant.cli.app import app
from modelwarrant.errors import DataError
from modelwarrant.records import StreamTruth
from modelwarrant.simulation import parse_scenario, simulate


def warrant(*arguments: str) -> str:
    """Run the command and return its stdout; an error of ours is raised."""
    result = CliRunner().invoke(app, ["simulate", *arguments], catch_exceptions=False)

    return result.stdout


def test_a_stream_and_its_truth_are_written(tmp_path: Path) -> None:
    """The file holds the drawn rows, and the truth beside it is the one that is printed."""
    told = warrant("sea/concept", str(tmp_path / "s.parquet"), "--rows", "500", "--json")
    window, truth = simulate(parse_scenario("sea/concept"), rows=500, seed=0)
    table = pq.read_table(tmp_path / "s.parquet")

    assert truth == StreamTruth.from_bytes(
        (tmp_path / "s.truth.json").read_bytes(), name="s.truth.json"
    )
    assert truth.model_dump(mode="json") == json.loads(told)
    assert window.table.column("x1").to_pylist() == table.column("x1").to_pylist()
    assert ["x1", "x2", "x3", "spare", "site", "y"] == table.column_names


def test_csv_holds_the_same_rows(tmp_path: Path) -> None:
    """A CSV file reads back to the same numbers, a missing one as empty."""
    warrant("sea/missing", str(tmp_path / "s.csv"), "--rows", "500")
    window, _ = simulate(parse_scenario("sea/missing"), rows=500, seed=0)
    read = pyarrow.csv.read_csv(tmp_path / "s.csv")

    assert window.table.column("x1").to_pylist() == read.column("x1").to_pylist()
    assert 0 < read.column("x1").null_count


def test_a_shift_is_put_into_a_file(tmp_path: Path) -> None:
    """With --into the rows are those of the file, and no others."""
    warrant("rents/none", str(tmp_path / "own.csv"), "--rows", "600")
    told = warrant(
        "table/concept",
        str(tmp_path / "s.parquet"),
        *("--into", str(tmp_path / "own.csv"), "--target", "y"),
    )

    own = set(pyarrow.csv.read_csv(tmp_path / "own.csv").column("x1").to_pylist())
    assert own == set(pq.read_table(tmp_path / "s.parquet").column("x1").to_pylist())
    assert "changes at 300" in told


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["sea/concept", "s.txt"], ".csv or .parquet"),
        (["moon/concept", "s.csv"], "no stream 'moon'"),
        (["table/concept", "s.csv"], "--into DATA --target COLUMN"),
        (["sea/concept", "s.csv", "--into", "x.csv", "--target", "y"], "the base is 'table'"),
    ],
)
def test_what_cannot_be_written_is_named(
    arguments: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One error says what to change, and no file is left."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match=named):
        warrant(*arguments)
    assert [] == list(tmp_path.iterdir())
