"""What is written without a library is read by one, value for value."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.parquet import (
    Column,
    floats,
    instants,
    integers,
    levels,
    parquet_file,
    plain_texts,
    texts,
    truths,
)
from serving.slices import Slices

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(**columns: Column) -> pa.Table:
    """Write columns and read them with pyarrow."""
    rows = next(iter(columns.values())).rows
    data = Slices().run(parquet_file(columns.items(), rows=rows, writer="test version 1"))
    return pq.read_table(io.BytesIO(data))


def masked(values: list[Any], missing: list[bool]) -> list[Any]:
    """Return the values, with None where they are missing."""
    return [None if gone else value for value, gone in zip(values, missing, strict=True)]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False),
            st.booleans(),
            st.integers(-(2**53), 2**53),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            st.booleans(),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_every_kind_of_column_is_read_back(rows: list[tuple[Any, ...]]) -> None:
    """Any values, any of them missing: numbers, truths, instants, texts, levels."""
    numbers, flags, wholes, words, missing = (list(column) for column in zip(*rows, strict=True))
    names = sorted(set(words))
    codes = np.array([names.index(word) for word in words], dtype=np.int32)
    gone = np.array(missing)

    table = read(
        number=floats(np.array(numbers), gone),
        flag=truths(np.array(flags), gone),
        instant=instants(np.array(wholes), gone),
        whole=integers(np.array(wholes)),
        word=texts([plain_texts(words)], len(words)),
        level=levels(codes, names, gone),
    )

    assert masked(numbers, missing) == table["number"].to_pylist()
    assert masked(flags, missing) == table["flag"].to_pylist()
    assert masked(wholes, missing) == table["instant"].cast(pa.int64()).to_pylist()
    assert wholes == table["whole"].to_pylist()
    assert words == table["word"].to_pylist()
    assert masked(words, missing) == table["level"].to_pylist()


@pytest.mark.parametrize("count", [1, 255, 256, 257, 70_000])
def test_any_number_of_levels(count: int) -> None:
    """Codes take one, two or four bytes."""
    names = [f"level {number}" for number in range(count)]
    codes = np.arange(count, dtype=np.int32)[::-1]

    assert names[::-1] == read(level=levels(codes, names))["level"].to_pylist()


def test_column_in_which_nothing_is_there() -> None:
    """A category without a level, and numbers that are all missing."""
    gone = np.ones(9, dtype=np.bool_)

    table = read(a=levels(np.zeros(9, np.int32), [], gone), b=floats(np.zeros(9), gone))

    assert [None] * 9 == table["a"].to_pylist() == table["b"].to_pylist()


def test_types_are_those_of_the_format() -> None:
    """Text is UTF-8 text and not bytes; an instant is one in UTC, in microseconds."""
    table = read(
        text=texts([plain_texts(["é"])], 1), at=instants(np.array([1_700_000_000_000_001]))
    )

    assert [pa.string(), pa.timestamp("us", tz="UTC")] == table.schema.types
    assert EPOCH + timedelta(microseconds=1_700_000_000_000_001) == table["at"][0].as_py()


def test_what_repeats_is_compressed_and_what_does_not_is_left() -> None:
    """Compression that saves nothing costs the service time."""
    rng = np.random.default_rng(0)
    columns = {"random": floats(rng.normal(size=1000)), "round": floats(np.arange(1000.0) % 7)}
    data = Slices().run(parquet_file(columns.items(), rows=1000, writer="test version 1"))

    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)

    assert ["UNCOMPRESSED", "GZIP"] == [group.column(place).compression for place in range(2)]
    assert group.column(1).total_compressed_size < 2000


def test_more_columns_than_a_short_list_holds() -> None:
    """The footer counts beyond 14."""
    columns = {f"column {number}": integers(np.array([number])) for number in range(300)}

    table = read(**columns)

    assert list(columns) == table.column_names
    assert list(range(300)) == [column[0].as_py() for column in table.columns]
