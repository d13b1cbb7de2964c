"""Bounds are read from text, written back, and cut a window along time or rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarrant.errors import WindowError
from modelwarrant.windows import ORDER, Bounds, cut, parse_bounds
from tests.windows.frames_of_rows import timed, window

FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_998
INSTANTS = st.integers(FIRST_US, LAST_US)


@given(INSTANTS, INSTANTS)
def test_time_bounds_survive_their_text(first: int, second: int) -> None:
    """Any two instants of the years 1 to 9999 are written and read back exactly."""
    bounds = Bounds("time", min(first, second), max(first, second) + 1)

    assert bounds == parse_bounds(str(bounds))


@given(st.none() | st.integers(0, 10**9), st.none() | st.integers(1, 10**9))
def test_row_bounds_survive_their_text(start: int | None, length: int | None) -> None:
    """Open and closed row bounds are written and read back."""
    bounds = Bounds("rows", start, None if length is None else (start or 0) + length)

    assert bounds == parse_bounds(str(bounds))


@pytest.mark.parametrize(
    ("text", "seconds"), [("last 30d", 2592000), ("last 2w", 1209600), ("last  90 m", 5400)]
)
def test_a_duration_before_the_newest_row_survives_its_text(text: str, seconds: int) -> None:
    """``last`` is written in seconds."""
    bounds = parse_bounds(text)

    assert f"last {seconds}s" == str(bounds)
    assert bounds == parse_bounds(str(bounds))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1996",
        "a..b",
        "2024-02-30..",
        "1..2..3",
        "5:5",
        "9:1",
        "2024-02-01..2024-01-01",
        "last 0d",
        "last d",
        "last 3y",
        "-5:3",
    ],
)
def test_text_that_names_no_window_is_refused(text: str) -> None:
    """The error repeats the text."""
    with pytest.raises(WindowError, match="window") as caught:
        parse_bounds(text)

    assert repr(text) in str(caught.value)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(0, 50))
def test_cuts_at_one_instant_share_no_row_and_lose_none(instants: list[int], at: int) -> None:
    """Half-open bounds: everything before an instant, and everything from it on."""
    rows = timed(instants)
    held = []
    for bounds in (Bounds("time", None, at * 1_000_000), Bounds("time", at * 1_000_000, None)):
        try:
            held += cut(rows, bounds)[0].numbers("row").tolist()
        except WindowError:
            continue

    assert list(range(len(instants))) == sorted(held)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_a_cut_is_in_time_order_and_ties_keep_theirs(instants: list[int]) -> None:
    """Rows come oldest first; equal instants as they came."""
    rows, _ = cut(timed(instants), parse_bounds("0:"))
    expected = sorted(range(len(instants)), key=instants.__getitem__)

    assert expected == rows.numbers("row").astype(int).tolist()


def test_last_is_resolved_against_the_newest_row() -> None:
    """The resolved bounds are absolute and hold the newest row."""
    rows, resolved = cut(timed([0, 86_400, 172_800]), parse_bounds("last 1d"))

    assert [2.0] == rows.numbers("row").tolist()
    assert resolved == Bounds("time", 86_400_000_001, 172_800_000_001)


def test_a_duration_longer_than_the_calendar_is_cut_at_its_start() -> None:
    """The resolved bounds have a text whatever was asked for."""
    rows, resolved = cut(timed([0, 1]), parse_bounds("last 99999999999d"))

    assert len(rows) == 2
    assert resolved == parse_bounds(str(resolved))


def test_an_empty_cut_says_what_the_data_holds() -> None:
    """The error names the asked and the held range."""
    with pytest.raises(WindowError, match=r"2000-01-01\.\..*holds no row.*1970-01-01\.\."):
        cut(timed([0, 60]), parse_bounds("2000-01-01.."))
    with pytest.raises(WindowError, match="holds no row; the data holds 0:1"):
        cut(window([(1.0, "a", True, 1)]), parse_bounds("5:9"))


def test_time_bounds_need_a_time_column() -> None:
    """Without one the error says how to cut instead."""
    with pytest.raises(WindowError, match="names no time column"):
        cut(window([(1.0, "a", True, 1)]), parse_bounds("1996-01-01.."))


def test_row_bounds_resolve_to_rows_that_exist() -> None:
    """Open ends become numbers, so that a recorded window names the same rows again."""
    rows, resolved = cut(timed([5, 4, 3]), parse_bounds("1:99"))

    assert Bounds("rows", 1, 3) == resolved
    assert [1.0, 0.0] == rows.numbers("row").tolist()
    assert ORDER in rows.table.column_names
