"""Random windows and the forms in which readers hand out the same rows."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from modelwarrant.windows import Feature, FeatureSchema, Window, typed_window

SCHEMA = FeatureSchema(
    features=(
        Feature(name="size", kind="number"),
        Feature(name="colour", kind="category"),
        Feature(name="is_new", kind="boolean"),
    ),
    task="classification",
    target="label",
    classes=("0", "1"),
)

Row = tuple[float | None, str | None, bool | None, int | None]

ROWS = st.lists(
    st.tuples(
        st.none() | st.sampled_from([0.0, -0.0, 1.0, 2.5]) | st.floats(allow_nan=False, width=32),
        st.none() | st.sampled_from(["red", "blue", "a\x00", "a", "é", "Z"]),
        st.none() | st.booleans(),
        st.none() | st.integers(0, 1),
    ),
    max_size=20,
)


def plain(rows: Sequence[Row]) -> pa.Table:
    """Return rows as a Parquet reader would: typed columns, nulls for missing values."""
    size, colour, is_new, label = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "size": pa.array(size, pa.float64()),
            "colour": pa.array(colour, pa.string()),
            "is_new": pa.array(is_new, pa.bool_()),
            "label": pa.array(label, pa.int64()),
        }
    )


def as_text(rows: Sequence[Row]) -> pa.Table:
    """Return rows as a CSV reader without types would: every column text."""
    columns = plain(rows)
    spelled = [None if v is None else repr(v) for v in columns.column("size").to_pylist()]
    return pa.table(
        {
            "label": pa.array([None if v is None else str(v) for *_, v in rows], pa.string()),
            "is_new": pa.array(
                [None if v is None else str(v) for _, _, v, _ in rows], pa.large_string()
            ),
            "colour": columns.column("colour").cast(pa.large_string()),
            "size": pa.array(spelled, pa.string()),
        }
    )


def encoded(rows: Sequence[Row]) -> pa.Table:
    """Return rows as pandas categoricals come: an unsorted dictionary with an unused entry."""
    columns = plain(rows)
    levels = ["unused", *sorted({c for _, c, _, _ in rows if c is not None}, reverse=True)]
    codes = [None if c is None else levels.index(c) for _, c, _, _ in rows]
    colour = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(levels))
    numbers = [math.nan if v is None else v for v in columns.column("size").to_pylist()]
    return pa.table(
        {
            "colour": colour,
            "size": pa.array(numbers, pa.float64()),
            "is_new": columns.column("is_new"),
            "label": columns.column("label").cast(pa.float64()),
        }
    )


def chunked(rows: Sequence[Row]) -> pa.Table:
    """Return rows in three chunks, each with a dictionary of its own."""
    parts = [plain(rows[start::3]) for start in range(3)]
    split = [
        part.set_column(1, "colour", part.column("colour").dictionary_encode()) for part in parts
    ]
    return pa.concat_tables(split)


def window(rows: Sequence[Row]) -> Window:
    """Return the typed window of the rows."""
    return typed_window(plain(rows), SCHEMA)


def timed(instants: Sequence[int], labels: Sequence[int | None] | None = None) -> Window:
    """Return a window cut along time, in seconds since 1970, with a row number as its feature."""
    schema = FeatureSchema(
        features=(Feature(name="row", kind="number"),),
        task="regression",
        target="label",
        time="at",
    )
    labels = list(range(len(instants))) if labels is None else labels
    return typed_window(
        pa.table(
            {
                "row": np.arange(len(instants), dtype=np.float64),
                "label": pa.array(labels, pa.float64()),
                "at": pa.array([i * 1_000_000 for i in instants], pa.timestamp("us")),
            }
        ),
        schema,
    )
