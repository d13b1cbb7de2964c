"""``warrant benchmark decisions``: the same code in a pool of processes."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from modelwarrant.backtest import Setting, Stream, score
from modelwarrant.cli.app import app
from modelwarrant.errors import DataError, PolicyError
from modelwarrant.policy import default_policy


def warrant(*arguments: str) -> str:
    """Run the command and return its stdout; an error of ours is raised."""
    result = CliRunner().invoke(app, ["benchmark", "decisions", *arguments], catch_exceptions=False)

    return result.stdout


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


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
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
