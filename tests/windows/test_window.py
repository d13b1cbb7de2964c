"""A raw table gets the schema's types, or one error that names column and row."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from modelwarrant.errors import SchemaMismatchError
from modelwarrant.windows import ORDER, Feature, FeatureSchema, Kind, Window, typed_window
from tests.windows.frames_of_rows import ROWS, SCHEMA, Row, chunked, encoded, plain, window


def one_column(values: object, kind: Kind) -> Window:
    """Type a table of one column."""
    return typed_window(
        pa.table({"x": values}), FeatureSchema(features=(Feature(name="x", kind=kind),))
    )


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2, None]),
        pa.array([1.0, 2.0, float("nan")]),
        pa.array(["1", " 2 ", ""]),
        pa.array(["1", "2", "NaN"]),
        pa.array([b"1", b"2", None]),
        pa.array(["1", "2", None]).dictionary_encode(),
        pa.array([], pa.int8()),
        pa.array(["1", "2", None], pa.large_string()),
    ],
    ids=str,
)
def test_a_number_is_read_from_any_type(values: pa.Array) -> None:
    """Integers, floats, text and dictionaries become float64 with NaN for missing."""
    expected = [1.0, 2.0, np.nan][: len(values)]

    np.testing.assert_array_equal(expected, one_column(values, "number").numbers("x"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", None], ["b", "a", None]),
        ([2, 10, None], ["2", "10", None]),
        ([2.0, 2.5, float("nan")], ["2", "2.5", None]),
        ([0.0, -0.0], ["0", "0"]),
        ([True, False, None], ["true", "false", None]),
        (["", " "], ["", " "]),
        ([datetime.date(2024, 1, 2)], ["2024-01-02"]),
    ],
    ids=str,
)
def test_a_level_has_one_text_form(values: list[object], expected: list[str | None]) -> None:
    """Whatever type the reader gave, equal values become equal levels."""
    codes, levels = one_column(pa.array(values), "category").levels("x")

    assert expected == [None if code < 0 else levels[code] for code in codes]


@given(ROWS)
def test_levels_are_sorted_and_all_stand_in_a_row(rows: list[Row]) -> None:
    """Codes run over the sorted levels that are present, -1 is missing, in any encoding."""
    expected = sorted({colour for _, colour, _, _ in rows if colour is not None})
    for table in (plain(rows), encoded(rows)):
        codes, levels = typed_window(table, SCHEMA).levels("colour")
        read = [None if code < 0 else levels[code] for code in codes]

        assert expected == list(levels)
        assert [colour for _, colour, _, _ in rows] == read


@given(ROWS)
def test_level_counts_agree_with_codes(rows: list[Row]) -> None:
    """Counting without writing codes gives the same counts."""
    typed = typed_window(chunked(rows), SCHEMA)
    codes, levels = typed.levels("colour")
    counts, missing = typed.level_counts("colour")

    assert dict(zip(levels, np.bincount(codes[codes >= 0]).tolist(), strict=True)) == counts
    assert int((codes < 0).sum()) == missing


def test_booleans_are_counted_as_true_and_false() -> None:
    """A boolean's levels have the text form of every other boolean."""
    typed = one_column(pa.array([True, None, True, False]), "boolean")

    assert ({"false": 1, "true": 2}, 1) == typed.level_counts("x")


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "True"])
def test_a_boolean_is_read_from_text(text: str) -> None:
    """The spellings that readers meet."""
    assert [1.0] == one_column(pa.array([text]), "boolean").numbers("x").tolist()


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["1970-01-02", None]),
        pa.array(["1970-01-02T00:00:00Z", None]),
        pa.array(["1970-01-02T01:00:00+01:00", None]),
        pa.array([datetime.date(1970, 1, 2), None]),
        pa.array([86_400, None], pa.timestamp("s")),
        pa.array([86_400_000_000_000, None], pa.timestamp("ns", tz="Europe/Berlin")),
    ],
    ids=str,
)
def test_an_instant_is_read_as_utc_seconds(values: pa.Array) -> None:
    """Without a zone an instant is UTC; with one it is converted."""
    np.testing.assert_array_equal([86_400.0, np.nan], one_column(values, "time").numbers("x"))


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (pa.array(["1", "2", "three"]), "number", "'x' cannot be read as number.*row 2"),
        (pa.array(["true", "maybe"]), "boolean", "'x' cannot be read as boolean.*row 1"),
        (pa.array(["1970-01-01", "1970-13-01"]), "time", "'x' cannot be read as time.*row 1"),
        (pa.array([1.5]), "time", "'x' cannot be read as time"),
        (pa.array([2]), "boolean", "'x' cannot be read as boolean"),
        (pa.array([datetime.datetime(2024, 1, 1)]), "number", "'x' cannot be read as number"),
        (pa.array([[1]]), "number", "'x' cannot be read as number"),
    ],
    ids=str,
)
def test_a_column_that_cannot_be_read_is_named(values: pa.Array, kind: Kind, message: str) -> None:
    """The error names the column, and the row where a text does not parse."""
    with pytest.raises(SchemaMismatchError, match=message):
        one_column(values, kind)


def test_an_absent_column_is_named_with_what_is_there() -> None:
    """The error lists the columns that the data has."""
    with pytest.raises(SchemaMismatchError, match=r"'size' is not in the data \(it has y\)"):
        typed_window(pa.table({"y": [1]}), SCHEMA)


def test_a_doubled_column_is_refused() -> None:
    """Two columns of one name leave open which is meant."""
    table = pa.table([pa.array([1.0]), pa.array([2.0])], names=["x", "x"])
    with pytest.raises(SchemaMismatchError, match="'x' stands 2 times"):
        typed_window(table, FeatureSchema(features=(Feature(name="x", kind="number"),)))


def test_the_name_of_the_order_column_is_reserved() -> None:
    """A feature of that name would be overwritten."""
    schema = FeatureSchema(features=(Feature(name=ORDER, kind="number"),))
    with pytest.raises(SchemaMismatchError, match="reserved"):
        typed_window(pa.table({ORDER: [1.0]}), schema)


@pytest.mark.parametrize(
    ("instants", "message"),
    [([0, None], "row 1 has no time"), ([0, 2**62], "row 1 lies outside the years 1 to 9999")],
)
def test_rows_need_a_time_that_a_calendar_names(instants: list[int | None], message: str) -> None:
    """A window is cut along its time, so every row has one."""
    schema = FeatureSchema(features=(Feature(name="x", kind="number"),), time="at")
    table = pa.table({"x": [1.0, 2.0], "at": pa.array(instants, pa.timestamp("us"))})
    with pytest.raises(SchemaMismatchError, match=message):
        typed_window(table, schema)


def test_a_column_without_any_value_is_read_as_missing() -> None:
    """Readers give such a column the null type, whatever it is meant to be."""
    kinds: list[Kind] = ["number", "category", "boolean", "time"]
    schema = FeatureSchema(features=tuple(Feature(name=kind, kind=kind) for kind in kinds))
    typed = typed_window(pa.table({kind: pa.nulls(2) for kind in kinds}), schema)

    assert [2, 2, 2, 2] == [typed.table.column(kind).null_count for kind in kinds]


@given(ROWS)
def test_taken_rows_keep_their_values(rows: list[Row]) -> None:
    """Rows come in the order asked for, by index or by mask."""
    typed = window(rows)
    backwards = np.arange(len(rows))[::-1].astype(np.int64)
    kept = typed.take(backwards).table.column("colour").to_pylist()
    masked = typed.take(np.zeros(len(rows), dtype=np.bool_))

    assert [colour for _, colour, _, _ in reversed(rows)] == kept
    assert len(masked) == 0


def test_concatenated_windows_share_their_levels() -> None:
    """Two windows with dictionaries of their own read as one column."""
    parts = [window([(1.0, "b", True, 1)]), window([(2.0, "a", True, 1), (2.0, None, None, 0)])]
    joined = Window(SCHEMA, pa.concat_tables([part.table for part in parts]))
    codes, levels = joined.levels("colour")

    assert ([1, 0, -1], ("a", "b")) == (codes.tolist(), levels)
