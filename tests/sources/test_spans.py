"""The two windows that a stretch of data suggests."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarrant.sources.spans import MIN_FINAL_ROWS, Spans, row_spans, time_spans

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spans_of(start: datetime, step: timedelta, rows: int) -> Spans:
    """Suggest windows for evenly spaced rows."""
    first = (start - EPOCH) // timedelta(microseconds=1)
    order = first + np.arange(rows) * (step // timedelta(microseconds=1))
    return time_spans(order, labelled=np.ones(rows, dtype=np.bool_))


@pytest.mark.parametrize(
    ("start", "step", "rows", "reference", "current", "season"),
    [
        ("2010-01-01", "1h", 5 * 8766, "2010-01-01..2011-01-01", "2011-01-01..2012-01-01", 365),
        ("2011-01-01", "1h", 17_379, "2011-01-01..2011-05-07", "2011-05-07..2011-09-10", 7),
        (
            "2013-01-01T06:00",
            "1m",
            20 * 1440,
            "2013-01-01..2013-01-05",
            "2013-01-05..2013-01-09",
            1,
        ),
    ],
)
def test_windows_are_whole_seasons(
    start: str, step: str, rows: int, reference: str, current: str, season: int
) -> None:
    """Years where there are three, else weeks, else days, from midnight on."""
    unit = {"1h": timedelta(hours=1), "1m": timedelta(minutes=1)}[step]

    spans = spans_of(datetime.fromisoformat(start).replace(tzinfo=UTC), unit, rows)

    assert (reference, current) == (str(spans.reference), str(spans.current))
    assert timedelta(days=season) == spans.season
    assert spans.final_rows >= MIN_FINAL_ROWS


def test_windows_grow_until_they_can_decide() -> None:
    """With few rows a week, more weeks are taken than a sixth of the data."""
    spans = spans_of(datetime(2013, 1, 1, tzinfo=UTC), timedelta(hours=4), 4000)

    assert spans.final_rows >= MIN_FINAL_ROWS
    assert "40 whole weeks each" == spans.reason


def test_unlabelled_rows_do_not_count() -> None:
    """Windows are long enough in rows that can judge."""
    order = np.arange(8000) * 3_600_000_000
    every_other = np.arange(8000) % 2 == 0

    assert time_spans(order, labelled=every_other).final_rows >= MIN_FINAL_ROWS


def test_too_few_rows_are_halved() -> None:
    """A short history is compared half with half."""
    spans = spans_of(datetime(2013, 1, 1, tzinfo=UTC), timedelta(days=1), 300)

    assert "2013-01-01..2013-05-28" == str(spans.reference)
    assert spans.final_rows < MIN_FINAL_ROWS


@pytest.mark.parametrize(
    ("rows", "reference", "current"),
    [
        (32_561, "0:5500", "5500:11000"),
        (3_400, "0:1700", "1700:3400"),
        (569, "0:284", "284:568"),
        (2, "0:1", "1:2"),
    ],
)
def test_rows_are_cut_into_round_windows(rows: int, reference: str, current: str) -> None:
    """A sixth of the rows, rounded up, at least what a decision needs, at most half."""
    spans = row_spans(rows)

    assert (reference, current) == (str(spans.reference), str(spans.current))


@given(st.integers(2, 10**7))
def test_row_windows_lie_inside_the_data(rows: int) -> None:
    """Both windows are as long, follow each other and hold rows that exist."""
    spans = row_spans(rows)
    reference, current = spans.reference, spans.current

    assert (0, reference.end) == (reference.start, current.start)
    assert current.end is not None
    assert current.end <= rows


@given(
    st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=50).map(sorted),
)
def test_time_windows_start_with_the_data(instants: list[int]) -> None:
    """Whatever the instants, the first lies in the reference, and the windows meet."""
    order = np.array(instants, dtype=np.int64)

    spans = time_spans(order, labelled=np.ones(len(order), dtype=np.bool_))

    assert spans.reference.start is not None
    assert spans.reference.end is not None
    assert spans.reference.start <= order[0] < spans.reference.end
    assert spans.reference.end == spans.current.start
