"""Bad input through ``warrant drift``: a level and a reason, never a silent 0 or a traceback."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.drift.commanding import drift_command, drift_json, warrant

ROWS = 800


def frame(seed: int, rows: int = ROWS) -> pd.DataFrame:
    """Return a number, a count, a category and a flag."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "price": random.lognormal(0, 1, rows),
            "rooms": random.integers(1, 8, rows),
            "town": random.choice(["oslo", "bergen", "voss"], rows, p=[0.5, 0.3, 0.2]),
            "is_new": random.random(rows) < 0.3,
        }
    )


def feature(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one feature of the report; every number of it that is null has its reason."""
    found: dict[str, Any] = next(f for f in document["features"] if f["name"] == name)
    said = {"method", "reason", "distribution", "weight", "notice_threshold"}
    nulls = {key for key, value in found.items() if value is None} - said
    if found["psi"] is None:
        assert found["reason"]
    assert nulls <= set(found["undefined"])
    assert all(found["undefined"].values())
    return found


def finite(value: Any) -> bool:
    """Return whether no number in a document is NaN or infinite."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def test_a_column_that_becomes_constant_is_blocked(tmp_path: Path) -> None:
    """A stuck sensor, not a drift."""
    found = drift_json(tmp_path, frame(1), frame(2).assign(price=3.5))

    assert "blocked" == found["level"] == feature(found, "price")["level"]
    assert "G1: constant at 3.5" in feature(found, "price")["reason"]


def test_a_column_that_was_always_constant_is_quiet_and_says_so(tmp_path: Path) -> None:
    """Nothing can differ: the index is 0, and the reason says why."""
    found = drift_json(tmp_path, frame(1).assign(price=3.5), frame(2).assign(price=3.5))

    assert "none" == found["level"]
    assert "constant at 3.5" in feature(found, "price")["reason"]


def test_a_column_that_loses_every_value_is_blocked(tmp_path: Path) -> None:
    """The numbers are null, not 0."""
    found = drift_json(tmp_path, frame(1), frame(2).assign(price=np.nan, town=None))

    assert ("blocked", "blocked") == (
        feature(found, "price")["level"],
        feature(found, "town")["level"],
    )
    assert feature(found, "price")["psi"] is None
    assert "every value is missing" in feature(found, "price")["reason"]


def test_a_column_without_any_value_is_unknown(tmp_path: Path) -> None:
    """In both windows: there is nothing to compare, which is not 'no drift'."""
    found = drift_json(tmp_path, frame(1).assign(price=np.nan), frame(2).assign(price=np.nan))

    assert "unknown" == feature(found, "price")["level"]
    assert "holds no value" in feature(found, "price")["reason"]


def test_an_unseen_level_is_blocked_and_named(tmp_path: Path) -> None:
    """A tenth of the rows."""
    current = frame(2)
    current.loc[: ROWS // 10, "town"] = "tromsø"
    found = drift_json(tmp_path, frame(1), current)

    assert "blocked" == feature(found, "town")["level"]
    assert "'tromsø'" in feature(found, "town")["reason"]
    assert 0.1 == pytest.approx(feature(found, "town")["unseen_share"], abs=0.01)


def test_three_rows_are_unknown(tmp_path: Path) -> None:
    """Never 'none': every feature says how many rows are needed."""
    found = drift_json(tmp_path, frame(1), frame(2, rows=3))

    assert "unknown" == found["level"]
    assert {"unknown"} == {each["level"] for each in found["features"]}
    assert all("500 are needed" in each["reason"] for each in found["features"])
    assert "500 are needed" in found["joint"]["reason"]


def test_a_file_without_a_row_is_named(tmp_path: Path) -> None:
    """It is no window; one line says which file."""
    frame(1).to_csv(tmp_path / "a.csv", index=False)
    frame(2).iloc[:0].to_csv(tmp_path / "b.csv", index=False)
    code, said = warrant("drift", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))

    assert 2 == code
    assert "b.csv: has column names and no row" in said


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_one_infinite_value_is_blocked(tmp_path: Path, value: float) -> None:
    """And no number of the report becomes infinite itself."""
    current = frame(2)
    current.loc[7, "price"] = value
    found = drift_json(tmp_path, frame(1), current)

    assert "blocked" == feature(found, "price")["level"]
    assert "1 infinite values in the current window" in feature(found, "price")["reason"]
    assert finite(found)


def test_a_category_that_comes_as_a_number_is_read_as_what_it_was(tmp_path: Path) -> None:
    """The reference says what a column is: codes are levels that it never showed."""
    current = frame(2)
    current["town"] = current["town"].map({"oslo": 1, "bergen": 2, "voss": 3})
    found = drift_json(tmp_path, frame(1), current)

    assert "blocked" == feature(found, "town")["level"]
    assert 1.0 == feature(found, "town")["unseen_share"]


def test_a_number_that_comes_as_text_is_blocked(tmp_path: Path) -> None:
    """It cannot be read as what the reference says it is, and the row is named."""
    current = frame(2).assign(price=lambda data: data.price.map(lambda value: f"{value:.2f} EUR"))
    found = drift_json(tmp_path, frame(1), current)

    assert "blocked" == feature(found, "price")["level"]
    assert any("row 0 does not parse" in gate["detail"] for gate in found["gates"])


def test_a_hundred_thousand_levels_are_an_identifier(tmp_path: Path) -> None:
    """Compared by buckets, unseen ones not counted, and the reason says so; no false drift."""
    rows = 100_000
    data = [
        frame(seed, rows).assign(town=[f"id {seed} {i}" for i in range(rows)]) for seed in (1, 2)
    ]
    found = drift_json(tmp_path, *data)

    assert feature(found, "town")["level"] in ("none", "unknown")
    assert "an identifier" in feature(found, "town")["reason"]
    assert feature(found, "town")["unseen_share"] is None


def test_values_that_repeat_are_noticed(tmp_path: Path) -> None:
    """Rows that came twice: a notice in the gates, not a level."""
    current = pd.concat([frame(2), frame(2)])
    found = drift_json(tmp_path, frame(1), current)

    assert any("repeat another row" in gate["detail"] for gate in found["gates"])


def told(document: dict[str, Any]) -> list[str]:
    """Return what gates found of whole windows."""
    return [g["detail"] for g in document["gates"] if g["column"] is None and g["level"] != "ok"]


def test_a_window_against_itself_is_told(tmp_path: Path) -> None:
    """Nothing can differ, which is no proof of anything."""
    found = drift_json(tmp_path, frame(1), frame(1)[::-1])

    assert "none" == found["level"]
    assert ["both windows hold the same rows, which may hide a difference"] == told(found)


@pytest.mark.parametrize(("start", "shared"), [(200, 600), (799, 0), (900, 0)])
def test_windows_that_overlap_in_time_are_told(tmp_path: Path, start: int, shared: int) -> None:
    """With the number of rows; windows that meet in one instant do not overlap."""
    hours = pd.date_range("2024-01-01", periods=2000, freq="h")
    reference = frame(1).assign(at=hours[:ROWS])
    current = frame(2).assign(at=hours[start : start + ROWS])
    said = told(drift_json(tmp_path, reference, current, "--time", "at"))

    assert (["600 of 800"] if shared else []) == [
        text.split("overlap: ")[1][:10] for text in said if "overlap" in text
    ]


def test_a_column_that_is_gone_is_blocked(tmp_path: Path) -> None:
    """It has its entry, and the reason says where it is not."""
    found = drift_json(tmp_path, frame(1), frame(2).drop(columns="rooms"))

    assert "blocked" == feature(found, "rooms")["level"]
    assert "current window: column 'rooms' is not in the data" in feature(found, "rooms")["reason"]


def test_a_season_without_a_time_is_told_what_to_do(tmp_path: Path) -> None:
    """One line, exit code 2."""
    result = drift_command(tmp_path, frame(1), frame(2), "--season", "7d")

    assert 2 == result.exit_code
    assert "--season needs --time COLUMN" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--time", "sold"], "the time column 'sold' is not in the reference window"),
        (["--time", "town"], "column 'town' cannot be read as time"),
    ],
)
def test_a_time_column_that_is_none_is_named(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    """In which window, too."""
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    for seed, name in enumerate(files):
        frame(seed).to_csv(name, index=False)
    code, message = warrant("drift", *files, *arguments)

    assert 2 == code
    assert said in message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One line that names it."""
    code, said = warrant("drift", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"))

    assert 2 == code
    assert "a.csv: no such file" in said
