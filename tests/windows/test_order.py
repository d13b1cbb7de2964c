"""Digests and canonical orders depend on values, not on files, row order or encodings."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarrant.windows import (
    Feature,
    FeatureSchema,
    Window,
    canonical_order,
    count_duplicates,
    typed_window,
    window_digest,
)
from modelwarrant.windows import order as order_module
from tests.windows.frames_of_rows import (
    ROWS,
    SCHEMA,
    Row,
    as_text,
    chunked,
    encoded,
    plain,
    timed,
    window,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_changes_no_digest(rows: list[Row], random: st.DrawFn) -> None:
    """Shuffled rows are the same window."""
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert window_digest(window(rows)) == window_digest(window(shuffled))


@given(ROWS)
@pytest.mark.parametrize("form", [as_text, encoded, chunked])
def test_the_reader_changes_no_digest(form: object, rows: list[Row]) -> None:
    """Text columns, dictionaries and chunks of the same values give the same digest."""
    retyped = typed_window(form(rows), SCHEMA)

    assert window_digest(window(rows)) == window_digest(retyped)


@given(ROWS.filter(len), st.data())
def test_any_changed_value_changes_the_digest(rows: list[Row], data: st.DataObject) -> None:
    """A digest tells two windows apart that differ in one cell."""
    index = data.draw(st.integers(0, len(rows) - 1))
    size, colour, is_new, label = rows[index]
    changed = data.draw(
        st.sampled_from(
            [
                (12345.0 if size != 12345.0 else 1.0, colour, is_new, label),
                (size, "other", is_new, label),
                (size, colour, None if is_new else True, label),
                (size, colour, is_new, None if label else 1),
            ]
        )
    )
    other = [*rows[:index], changed, *rows[index + 1 :]]

    assert window_digest(window(rows)) != window_digest(window(other))


def test_a_digest_does_not_change_between_releases() -> None:
    """The digest of a fixed window is a promise: recorded digests must stay checkable."""
    rows: list[Row] = [(1.5, "red", True, 1), (None, None, None, None), (-0.0, "é", False, 0)]

    assert window_digest(window(rows)) == (
        "sha256:4fbc1357dfad2b4bd0c5ce3bd56ea75b4800e2e2f7d4849d3c4607df4126ca7f"
    )


def test_missing_text_is_not_the_empty_text() -> None:
    """A missing level and an empty one are different values."""
    empty, missing = window([(1.0, "", True, 1)]), window([(1.0, None, True, 1)])

    assert window_digest(empty) != window_digest(missing)


def test_values_do_not_slide_between_columns() -> None:
    """The same values in swapped columns are another window."""
    schema = FeatureSchema(features=tuple(Feature(name=n, kind="number") for n in "ab"))
    one = typed_window(pa.table({"a": [1.0, 2.0], "b": [2.0, 1.0]}), schema)
    other = typed_window(pa.table({"a": [1.0, 2.0], "b": [1.0, 2.0]}), schema)

    assert window_digest(one) != window_digest(other)


def test_time_is_part_of_the_digest_and_row_numbers_are_not() -> None:
    """Moving the rows in time makes another window; renumbering them does not."""
    rows = window([(1.0, "red", True, 1), (2.0, "red", True, 1)])
    renumbered = typed_window(
        plain([(1.0, "red", True, 1), (2.0, "red", True, 1)]),
        SCHEMA,
        order=pa.array([7, 9], pa.int64()),
    )

    assert window_digest(timed([1, 2])) != window_digest(timed([1, 3]))
    assert window_digest(rows) == window_digest(renumbered)


@given(ROWS)
def test_a_canonical_order_names_each_row_once(rows: list[Row]) -> None:
    """It is a permutation."""
    assert list(range(len(rows))) == sorted(canonical_order(window(rows)).tolist())


@given(ROWS, st.randoms(use_true_random=False))
def test_canonical_rows_are_the_same_from_any_order(rows: list[Row], random: st.DrawFn) -> None:
    """Taken in canonical order, shuffled rows are row for row the same."""
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert _canonical_rows(window(rows)) == _canonical_rows(window(shuffled))


def test_equal_rows_stay_in_the_order_they_came_in() -> None:
    """Ties are stable, so that an order is the same on every machine."""
    rows: list[Row] = [(1.0, "red", True, 1), (2.0, "red", True, 1)] * 50
    order = canonical_order(window(rows))
    places = [order[order % 2 == parity].tolist() for parity in (0, 1)]

    assert [list(range(0, 100, 2)), list(range(1, 100, 2))] == places


def test_rows_that_share_a_mix_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the 64-bit mixes collide, the values themselves decide."""
    rows: list[Row] = [(float(i % 3), "red", True, 1) for i in range(9)]
    monkeypatch.setattr(order_module, "_mixes", lambda w: np.zeros(len(w), dtype=np.uint64))
    order = canonical_order(window(rows))

    assert [0.0] * 3 + [1.0] * 3 + [2.0] * 3 == window(rows).numbers("size")[order].tolist()
    assert count_duplicates(window(rows)) == 6


@given(ROWS)
def test_duplicates_are_rows_beyond_the_first_of_their_kind(rows: list[Row]) -> None:
    """The count is rows minus distinct rows; -0.0 and 0.0 are one number."""
    distinct = {(None if s is None else s + 0.0, c, n, label) for s, c, n, label in rows}

    assert len(rows) - len(distinct) == count_duplicates(window(rows))


def test_a_known_order_gives_the_same_answers() -> None:
    """Passing the canonical order saves time and changes nothing."""
    rows = window([(float(i % 7), "red", i % 2 == 0, 1) for i in range(100)])
    order = canonical_order(rows)

    assert window_digest(rows) == window_digest(rows, order=order)
    assert count_duplicates(rows) == count_duplicates(rows, order=order)


def _canonical_rows(rows: Window) -> list[dict[str, object]]:
    ordered = rows.take(canonical_order(rows)).table.drop_columns(["__order"])
    return [
        {name: 0.0 if value == 0.0 and name == "size" else value for name, value in row.items()}
        for row in ordered.to_pylist()
    ]
