"""The season that the demo plays, and the benchmark that plays many."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from modelwarrant.cli.season_weeks import BATCH, BEGIN, WEEK, Drawn


def warrant(*words: str, folder: Path) -> str:
    """Run a command in a folder and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "modelwarrant", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_a_request_names_its_week_and_holds_a_batch() -> None:
    """Of 600 rows the third request has the last hundred."""
    import pyarrow as pa

    rows = pa.table({"asked": [0] * 600, "defaulted": ["no"] * 600, "debt": range(600)})
    drawn = Drawn(rows, [BEGIN + n * WEEK / 600 for n in range(600)])
    batches = list(drawn.batches("week-00"))

    assert ["week-00-b00", "week-00-b01", "week-00-b02"] == [each.request_id for each in batches]
    assert [BATCH, BATCH, 100] == [len(each.rows) for each in batches]
    assert Counter(id for id, _ in drawn.ids("week-00")) == {
        each.request_id: len(each.rows) for each in batches
    }


@pytest.mark.slow
def test_a_season_goes_as_it_is_told(tmp_path: Path) -> None:
    """Silence, labels, a retraining, a rollback; the command refuses any other course by itself."""
    told = warrant("demo", "--season", "--folder", "demo", folder=tmp_path)
    page = tmp_path / "demo" / "season" / "loan-default.html"

    assert [1, 1, 1] == [told.count(f"  {act}: ") for act in ("LABEL", "RETRAIN", "ROLLBACK")]
    assert "once it took a promotion back" in page.read_text()


@pytest.mark.slow
def test_the_benchmark_prints_every_figure(tmp_path: Path) -> None:
    """Two seasons of each kind and 600 predictions; nothing is left in the folder."""
    words = ("benchmark", "monitoring", "--seasons", "2", "--predictions", "600", "--json")
    told = json.loads(warrant(*words, folder=tmp_path))

    assert 4 == len(told["figures"])
    assert [] == [each["what"] for each in told["passes"] if each["value"] <= 0]
    assert "one pass over 750 logged predictions" == told["passes"][0]["what"]
    assert [] == list(tmp_path.iterdir())
