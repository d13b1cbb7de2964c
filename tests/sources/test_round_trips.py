"""The same rows are the same window, whatever file they lie in."""

import csv
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarrant.errors import WindowError
from modelwarrant.sources import load_window, read_ref, read_window, save_window
from modelwarrant.windows import (
    Bounds,
    Feature,
    FeatureSchema,
    cut,
    typed_window,
    window_digest,
)

SCHEMA = FeatureSchema(
    features=(
        Feature(name="n", kind="number", missing=True),
        Feature(name="c, d", kind="category", missing=True),
        Feature(name="b", kind="boolean", missing=True),
        Feature(name="t", kind="time", missing=True),
    ),
    task="classification",
    target="y",
    classes=("0", "1"),
    class_kind="integer",
    time="at",
)

INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)
)
TEXTS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\r\0"), min_size=1, max_size=8
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "c, d": st.none() | TEXTS,
            "b": st.none() | st.booleans(),
            "t": st.none() | INSTANTS,
            "y": st.none() | st.integers(0, 1),
            "at": INSTANTS,
        }
    ),
    min_size=1,
    max_size=20,
)


def field(value: Any) -> str:
    """Write a value as a CSV field."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV, columns in reverse order."""
    names = list(rows[0])[::-1]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([field(row[name]) for name in names] for row in rows)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as Parquet with natural types."""
    types = {
        "n": pa.float64(),
        "c, d": pa.dictionary(pa.int16(), pa.string()),
        "b": pa.bool_(),
        "t": pa.timestamp("us", tz="UTC"),
        "y": pa.int8(),
        "at": pa.timestamp("us", tz="UTC"),
    }
    columns = {
        name: pa.array([row[name] for row in rows], pa.string()).dictionary_encode()
        if name == "c, d"
        else pa.array([row[name] for row in rows], kind)
        for name, kind in types.items()
    }
    pq.write_table(pa.table(columns), path, row_group_size=7)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_csv_and_parquet_give_the_same_window(rows: list[dict[str, Any]]) -> None:
    """Values, missing values and instants survive both formats; so do they as an artifact."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        write_csv(base / "rows.csv", rows)
        write_parquet(base / "rows.parquet", rows[::-1])

        from_csv, one = read_window("rows.csv", SCHEMA, None, base=base, final=0.3)
        _, other = read_window("rows.parquet", SCHEMA, None, base=base, final=0.3)
        save_window(base / "w", from_csv)

        assert (one.window_digest, one.bounds) == (other.window_digest, other.bounds)
        assert one.window_digest == window_digest(load_window(base / "w"))
        assert len(rows) == len(from_csv)


PLAIN = FeatureSchema(features=(Feature(name="n", kind="number"),), time="at")
DAY_US = 86_400_000_000


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    """Any window over about ten days, or ten rows."""
    unit = draw(st.sampled_from(["time", "rows", "last"]))
    if unit == "last":
        return Bounds("last", last_us=draw(st.integers(1, 10)) * DAY_US)
    scale = DAY_US if unit == "time" else 1
    low, high = sorted(draw(st.lists(st.integers(0, 12), min_size=2, max_size=2, unique=True)))
    start = draw(st.sampled_from([None, low * scale]))
    return Bounds(unit, start, draw(st.sampled_from([None, high * scale])))


@settings(max_examples=100, deadline=None)
@given(days=st.lists(st.integers(0, 10), min_size=1, max_size=15), wanted=bounds())
def test_reading_a_window_is_cutting_the_whole(days: list[int], wanted: Bounds) -> None:
    """Whatever the order of the rows and the bounds, the rows, their order and the bounds agree."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        instants = pa.array([day * DAY_US for day in days], pa.timestamp("us", tz="UTC"))
        table = pa.table({"at": instants, "n": [float(row) for row in range(len(days))]})
        pq.write_table(table, base / "rows.parquet", row_group_size=4)
        try:
            expected, absolute = cut(typed_window(table, PLAIN), wanted)
        except WindowError:
            with pytest.raises(WindowError, match="holds no row"):
                read_window("rows.parquet", PLAIN, wanted, base=base, final=0.3)
            return

        window, ref = read_window("rows.parquet", PLAIN, wanted, base=base, final=0.3)
        again = read_ref(ref, PLAIN, base=base)

        assert expected.table.equals(window.table)
        assert expected.table.equals(again.table)
        if None not in (wanted.start, wanted.end) or wanted.unit == "last":
            assert str(absolute) == ref.bounds
