"""References to windows: absolute bounds, order, growth and change."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelwarrant.canonical import digest_json
from modelwarrant.errors import ChangedDataError, SourceError, TargetError, WindowError
from modelwarrant.sources import (
    batches,
    find_classes,
    read_ref,
    read_window,
    source_digest,
    verify_ref,
)
from modelwarrant.windows import Bounds, Feature, FeatureSchema, cut, parse_bounds

Write = Callable[[str, str], Path]

SCHEMA = FeatureSchema(features=(Feature(name="x", kind="number"),), time="at")


def days(*numbers: int) -> str:
    """One row a day of January 2013: the day's number is the value."""
    return "at,x\n" + "".join(f"2013-01-{day:02},{day}\n" for day in numbers)


@pytest.mark.parametrize(
    ("bounds", "absolute", "values"),
    [
        ("2013-01-02..2013-01-04", "2013-01-02..2013-01-04", [2, 3]),
        ("2013-01-04..", "2013-01-04..2013-01-05T00:00:00.000001Z", [4, 5]),
        ("..2013-01-02", "2013-01-01..2013-01-02", [1]),
        ("last 2d", "2013-01-03T00:00:00.000001Z..2013-01-05T00:00:00.000001Z", [4, 5]),
        ("1:3", "1:3", [2, 3]),
        ("3:", "3:5", [4, 5]),
        (":99", "0:5", [1, 2, 3, 4, 5]),
    ],
)
def test_bounds_are_recorded_in_absolute_form(
    write: Write, bounds: str, absolute: str, values: list[float]
) -> None:
    """Whatever way a window is named, its reference names the same rows for ever."""
    path = write("d.csv", days(3, 1, 2, 5, 4))

    window, ref = read_window("d.csv", SCHEMA, parse_bounds(bounds), base=path.parent, final=0.3)

    assert values == window.numbers("x").tolist()
    assert absolute == ref.bounds
    assert values == read_ref(ref, SCHEMA, base=path.parent).numbers("x").tolist()


def test_no_bounds_are_all_rows(write: Write) -> None:
    """Without bounds the reference still has an end, so that later rows stay outside."""
    path = write("d.csv", days(1, 2))

    _, ref = read_window("d.csv", SCHEMA, None, base=path.parent, final=0.3)

    assert "2013-01-01..2013-01-02T00:00:00.000001Z" == ref.bounds


@pytest.mark.parametrize(
    "bounds", ["2013-01-02..2013-01-09", "last 3d", "1:4", "2:", "..2013-01-04"]
)
def test_reading_is_cutting_the_whole(write: Write, bounds: str) -> None:
    """A window that is read by its bounds equals the whole, cut by them."""
    path = write("d.csv", days(3, 1, 2, 2, 5, 4, 8))
    whole, _ = read_window("d.csv", SCHEMA, None, base=path.parent, final=0.3)

    window, _ = read_window("d.csv", SCHEMA, parse_bounds(bounds), base=path.parent, final=0.3)

    assert cut(whole, parse_bounds(bounds))[0].table.equals(window.table)


def test_rows_out_of_order_are_counted_and_sorted(write: Write) -> None:
    """A row behind a newer one is late; equal instants are not."""
    path = write("d.csv", days(1, 3, 2, 3, 3, 1))

    window, ref = read_window("d.csv", SCHEMA, None, base=path.parent, final=0.3)

    assert 2 == ref.out_of_order
    assert [1, 1, 2, 3, 3, 3] == window.numbers("x").tolist()
    assert (window.order[0], window.order[-1]) == (ref.first, ref.last)


def test_batches_are_the_rows_of_the_window(write: Write) -> None:
    """Streaming gives the same rows, in the order in which they lie."""
    path = write("d.csv", days(3, 1, 2, 5, 4))

    found = [
        value
        for window in batches("d.csv", SCHEMA, base=path.parent, bounds=parse_bounds("last 3d"))
        for value in window.numbers("x").tolist()
    ]

    assert [3, 5, 4] == found


@pytest.mark.parametrize(
    ("bounds", "held"),
    [
        ("2014-01-01..2014-02-01", "2013-01-01..2013-01-02T00:00:00.000001Z"),
        ("7:9", "0:2"),
    ],
)
def test_an_empty_window_says_what_the_data_holds(write: Write, bounds: str, held: str) -> None:
    """The message names the window and the bounds of the data."""
    path = write("d.csv", days(1, 2))

    with pytest.raises(WindowError, match=rf"d\.csv: window '{bounds}' holds no row; .*{held}"):
        read_window("d.csv", SCHEMA, parse_bounds(bounds), base=path.parent, final=0.3)


def test_time_bounds_need_a_time_column(write: Write, rows_schema: FeatureSchema) -> None:
    """Without a time column a window in time cannot be cut."""
    path = write("d.csv", days(1))

    with pytest.raises(WindowError, match="names no time column"):
        read_window("d.csv", rows_schema, parse_bounds("last 1d"), base=path.parent, final=0.3)


def test_growth_outside_the_bounds_changes_nothing(write: Write) -> None:
    """New rows after the window, and new files, leave the reference valid."""
    path = write("d.csv", days(1, 2, 3))
    _, ref = read_window("d.csv", SCHEMA, parse_bounds("last 3d"), base=path.parent, final=0.3)
    write("d.csv", days(1, 2, 3, 4, 5))

    assert 3 == len(read_ref(ref, SCHEMA, base=path.parent))


def test_a_changed_value_is_refused_with_both_digests(write: Write) -> None:
    """One changed value behind a reference is found; source, window and digests are named."""
    path = write("d.csv", days(1, 2, 3))
    _, ref = read_window("d.csv", SCHEMA, None, base=path.parent, final=0.3)
    write("d.csv", days(1, 2, 3).replace(",2\n", ",7\n"))
    changed, new = read_window("d.csv", SCHEMA, None, base=path.parent, final=0.3)

    with pytest.raises(ChangedDataError) as caught:
        verify_ref(ref, changed)

    for part in ("d.csv", ref.bounds, ref.window_digest, new.window_digest):
        assert part in str(caught.value)


def test_rows_that_are_gone_are_a_change(write: Write) -> None:
    """An emptied window is a change of data, not a badly named window."""
    path = write("d.csv", days(1, 2, 3))
    _, ref = read_window("d.csv", SCHEMA, parse_bounds("2013-01-02.."), base=path.parent, final=0.3)
    write("d.csv", days(1))

    with pytest.raises(ChangedDataError, match="its 2 rows are gone"):
        read_ref(ref, SCHEMA, base=path.parent)


def test_a_changed_schema_is_told_from_changed_data(write: Write) -> None:
    """A corrected project file is not blamed on the data."""
    path = write("d.csv", days(1, 2, 3))
    _, ref = read_window("d.csv", SCHEMA, None, base=path.parent, final=0.3)
    other = SCHEMA.model_copy(
        update={"features": (Feature(name="x", kind="number", missing=True),)}
    )

    with pytest.raises(ChangedDataError, match="the project's features, classes or time column"):
        read_ref(ref, other, base=path.parent)


def test_the_sources_digest_is_that_of_the_references_files(write: Write) -> None:
    """A caller can compare the bytes it saw with those that were read."""
    path = write("d.csv", days(1, 2, 3))
    _, ref = read_window("d.csv", SCHEMA, None, base=path.parent, final=0.3)

    assert digest_json([file.digest for file in ref.files]) == source_digest(
        "d.csv", base=path.parent
    )


def test_a_file_written_to_while_it_is_read_is_refused(write: Write) -> None:
    """Rows of two states of a file never make one window."""
    path = write("d.csv", "at,x\n" + "2013-01-01,1\n" * 600_000)
    pieces = batches("d.csv", SCHEMA, base=path.parent)
    next(pieces)
    with path.open("a") as file:
        file.write("2013-01-01,1\n")

    with pytest.raises(ChangedDataError, match="changed while it was read"):
        list(pieces)


def test_a_source_without_a_row_is_refused(write: Write) -> None:
    """Column names alone are no data."""
    path = write("d.csv", "at,x\n")

    with pytest.raises(SourceError, match="has column names and no row"):
        read_window("d.csv", SCHEMA, parse_bounds("last 1d"), base=path.parent, final=0.3)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "b,a,,b", ("a", "b")),
        ("integer", "10,2,,1.0", ("1", "2", "10")),
        ("boolean", "True,false,,1", ("false", "true")),
    ],
)
def test_classes_are_found_in_the_windows(
    write: Write, kind: str, text: str, expected: tuple[str, ...]
) -> None:
    """Labels are sorted, whole numbers by size, and missing ones are none."""
    lines = "".join(f"{label},1\n" for label in text.split(","))
    path = write("y.csv", f"y,x\n{lines}")

    found = find_classes(
        "y.csv",
        target="y",
        base=path.parent,
        bounds=[Bounds("rows", 0, 2), Bounds("rows", 2, 4)],
        class_kind=kind,  # type: ignore[arg-type]  # the parameters are the Literal's values
    )

    assert expected == found


def test_one_class_alone_is_refused(write: Write) -> None:
    """A window that holds one label has nothing to classify."""
    path = write("y.csv", "y,x\na,1\na,2\n")

    with pytest.raises(TargetError, match="holds one class only, 'a'"):
        find_classes("y.csv", target="y", base=path.parent, bounds=[Bounds("rows")])
