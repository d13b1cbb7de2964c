"""A column that moves in long runs, as a calendar's do, is no fault for standing still."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from modelwarrant import drift
from modelwarrant.records import Gate
from modelwarrant.windows import Feature, FeatureSchema, Kind, Window, typed_window

HOURS = 24
KINDS: tuple[Kind, ...] = ("number", "category", "boolean")


def table(first: int, last: int, period: int, *, kind: Kind = "number") -> pa.Table:
    """Return 24 rows a day; ``c`` changes every ``period`` days and goes on for ever.

    Two values take turns where it is a category or boolean.
    """
    day = np.repeat(np.arange(first, last), HOURS)
    at = np.datetime64("2020-01-01", "us") + (np.arange(first * HOURS, last * HOURS) * 3600).astype(
        "timedelta64[s]"
    )
    steps = day // period
    values = {
        "number": steps.astype(np.float64),
        "category": np.where(steps % 2, "odd", "even"),
        "boolean": steps % 2 == 1,
    }[kind]
    random = np.random.default_rng(first)
    return pa.table({"c": values, "x": random.normal(size=len(day)), "at": at})


def window(first: int, last: int, period: int, *, kind: Kind = "number", add: float = 0) -> Window:
    """Return the table with its time; ``add`` is added to ``x``."""
    rows = table(first, last, period, kind=kind)
    rows = rows.set_column(1, "x", pc.add(rows["x"], add))
    features = Feature(name="c", kind=kind), Feature(name="x", kind="number")
    return typed_window(rows, FeatureSchema(features=features, time="at"))


def gates(reference: Window, current: Window) -> list[Gate]:
    """Return what gates found of ``c``."""
    return [gate for gate in drift.compare(reference, current).gates if gate.column == "c"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("period", [7, 30, 91])
def test_a_window_within_one_run_is_noticed(kind: Kind, period: int) -> None:
    """A quarter of a year, then a window that lies in one week, month or season."""
    begin = 5 * period
    found = gates(
        window(0, 90 + period, period, kind=kind), window(begin, begin + period, period, kind=kind)
    )

    assert ["notice"] == [gate.level for gate in found if "constant at" in gate.detail]
    assert "may show one value by chance" in found[0].detail


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_stops_moving_blocks(kind: Kind) -> None:
    """It changed every day for 90 days, then not once in thirty."""
    stuck = window(90, 120, 1000, kind=kind)

    assert ["block"] == [gate.level for gate in gates(window(0, 90, 1, kind=kind), stuck)]


def test_without_a_time_rows_are_independent() -> None:
    """Nothing says that the column moves in runs, so its constancy is a fault."""
    reference, current = (table(*days, 30).drop_columns(["at"]) for days in ((0, 90), (90, 120)))
    found = [gate for gate in drift.compare(reference, current).gates if gate.column == "c"]

    assert ["block"] == [gate.level for gate in found]


def test_later_months_are_no_unit() -> None:
    """Months 7 to 9 look like months 0 to 2 plus 7; three runs have no shape."""
    assert [] == gates(window(0, 90, 30), window(210, 300, 30))


def test_a_unit_change_of_a_moving_column_blocks() -> None:
    """Kelvin for Celsius blocks with a time as it does without."""
    found = drift.compare(window(0, 90, 30), window(90, 180, 30, add=273.15)).gates

    assert [("G3", "block")] == [(gate.gate, gate.level) for gate in found if gate.column == "x"]


def test_row_order_changes_no_run() -> None:
    """Rows of one instant hold both values; however they stand, the report is the same."""
    reference = window(0, 90, 7)
    order = np.random.default_rng(1).permutation(len(reference))
    current = window(91, 98, 7)

    assert gates(reference, current) == gates(reference.take(order), current)


def weather(first: int, last: int, *, kelvin: bool = False) -> Window:
    """Return hourly degrees of a year with a summer 28 degrees above its winter."""
    random = np.random.default_rng(first)
    hours = np.arange(first * HOURS, last * HOURS)
    slow = np.repeat(2 * random.normal(size=last - first), HOURS)
    degrees = 12 - 14 * np.cos(2 * np.pi * hours / HOURS / 365) + slow
    degrees += random.normal(0, 2.5, len(hours)) + (273.15 if kelvin else 0)
    at = np.datetime64("2020-01-01", "us") + (hours * 3600).astype("timedelta64[s]")
    features = (Feature(name="c", kind="number"),)
    return typed_window(
        pa.table({"c": degrees, "at": at}), FeatureSchema(features=features, time="at")
    )


@pytest.mark.parametrize("days", [45, 70, 91])
def test_a_summer_is_no_unit_of_a_winter(days: int) -> None:
    """Degrees that move within each window by a third of what parts the two."""
    assert [] == gates(weather(0, days), weather(182, 182 + days))


@pytest.mark.parametrize("days", [14, 30, 45])
def test_another_unit_of_the_weather_blocks(days: int) -> None:
    """Kelvin is far beyond what weather does."""
    found = gates(weather(0, days), weather(days, 2 * days, kelvin=True))

    assert [("G3", "block")] == [(gate.gate, gate.level) for gate in found]


def daily(first: int, days: int, *, kind: Kind, is_stuck: bool = False) -> Window:
    """Return 1,000 rows a day that know their day alone, with values that do not depend on it."""
    random = np.random.default_rng(first)
    codes = random.integers(0, 3, 1000 * days) * (0 if is_stuck else 1)
    values = {"number": codes.astype(np.float64), "category": codes.astype(str)}[kind]
    at = np.datetime64("2020-01-01", "us") + np.repeat(np.arange(first, first + days), 1000) * (
        np.timedelta64(1, "D")
    )
    features = (Feature(name="c", kind=kind),)
    return typed_window(
        pa.table({"c": values, "at": at}), FeatureSchema(features=features, time="at")
    )


@pytest.mark.parametrize("days", [1, 5])
@pytest.mark.parametrize("kind", ["number", "category"])
def test_rows_of_one_instant_are_no_run(kind: Kind, days: int) -> None:
    """A day's file against the day before: a column that is stuck all day is a fault."""
    found = gates(daily(0, days, kind=kind), daily(days, days, kind=kind, is_stuck=True))

    assert ["block"] == [gate.level for gate in found]


@pytest.mark.parametrize("options", [{}, {"time": "at"}])
@pytest.mark.parametrize(("step", "level"), [("D", "notice"), ("h", "block")])
def test_an_instant_stands_still_for_its_own_run(
    options: dict[str, str], step: str, level: str
) -> None:
    """Of a month of days, one day is the next file; of a month of hours, a clock that stopped."""
    minutes = np.arange(30 * 1440) * np.timedelta64(60, "s")
    at = (np.datetime64("2024-01-01", "s") + minutes).astype(f"datetime64[{step}]")
    today = np.full(1440, np.datetime64("2024-02-01", "us"))
    x = np.random.default_rng(1).normal(size=len(minutes))
    windows = (
        pa.table({"at": at.astype("datetime64[us]"), "x": x}),
        pa.table({"at": today, "x": x[: len(today)]}),
    )
    found = drift.compare(*windows, **options).gates

    assert [level] == [gate.level for gate in found if "constant at" in gate.detail]
