"""Labels mean the same in whatever order and pieces they arrive, and bad files add nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwarrant.errors import DataError, SchemaMismatchError
from modelwarrant.storage import DirectoryStore
from modelwarrant.telemetry import (
    Labels,
    add_statements,
    fold_statements,
    label_keys,
    read_statements,
    statements_of,
)
from modelwarrant.windows import Feature, FeatureSchema

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CLASSES = FeatureSchema(
    features=(Feature(name="x", kind="number"),),
    task="classification",
    target="y",
    classes=("0", "1"),
)
NUMBERS = FeatureSchema(features=(Feature(name="x", kind="number"),), task="regression", target="y")


def read(columns: dict[str, Any], schema: FeatureSchema = CLASSES) -> pa.Table:
    """Return the statements of a table."""
    return statements_of(pa.table(columns), schema, key="request_id", label="label", now=NOW)[0]


def state(store: DirectoryStore, *tables: pa.Table) -> Labels:
    """Add each table as a part and return the labels that count."""
    for table in tables:
        add_statements(store, "demand", table)
    return read_statements(store, label_keys(store, "demand"))


def said(*lines: tuple[str, int, str, int | None]) -> pa.Table:
    """Return statements: request, row, label and, in seconds since 1970, time."""
    columns = {
        "request_id": [line[0] for line in lines],
        "row": [line[1] for line in lines],
        "label": [line[2] for line in lines],
    }
    times = [None if line[3] is None else datetime.fromtimestamp(line[3], UTC) for line in lines]
    return read({**columns, "time": pa.array(times, pa.timestamp("us", tz="UTC"))})


LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ä", "a b"]),
        st.integers(0, 2),
        st.sampled_from(["0", "1"]),
        st.sampled_from([None, 1, 2]),
    ),
    min_size=1,
    max_size=12,
)


@given(lines=LINES, data=st.data())
@settings(max_examples=60, deadline=None)
def test_order_and_partition_change_no_byte(
    tmp_path_factory: pytest.TempPathFactory, lines: Any, data: Any
) -> None:
    """Any permutation, cut anywhere and with pieces repeated, folds to the same bytes."""
    whole = state(DirectoryStore(tmp_path_factory.mktemp("whole")), said(*lines))
    mixed = data.draw(st.permutations(lines))
    cut = data.draw(st.integers(0, len(lines)))
    pieces = [piece for piece in (mixed[:cut], mixed[cut:], mixed[: cut // 2]) if piece]

    store = DirectoryStore(tmp_path_factory.mktemp("pieces"))
    found = state(store, *(said(*piece) for piece in pieces))

    assert whole.to_bytes() == found.to_bytes()
    assert (whole.corrected, whole.conflicting) == (found.corrected, found.conflicting)


def test_the_later_of_two_labels_counts(tmp_path: Path) -> None:
    """A correction that arrives first is a correction all the same."""
    found = state(DirectoryStore(tmp_path), said(("a", 0, "1", 9)), said(("a", 0, "0", 5)))

    assert [{"request_id": "a", "row": 0, "label": "1", "time": 9_000_000}] == (
        found.table.to_pylist()
    )
    assert 1 == found.corrected


def test_labels_that_contradict_each_other_undated_count_for_nothing(tmp_path: Path) -> None:
    """Which of them was meant nobody can tell; a dated one settles it."""
    store = DirectoryStore(tmp_path)
    disputed = state(store, said(("a", 0, "1", None)), said(("a", 0, "0", None)))
    settled = state(store, said(("a", 0, "1", 3)))

    assert (0, 1) == (len(disputed.table), disputed.conflicting)
    assert (["1"], 0) == (settled.table.column("label").to_pylist(), settled.conflicting)


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    """The second time the part is there already."""
    store = DirectoryStore(tmp_path)
    first = add_statements(store, "demand", said(("a", 0, "1", 1), ("a", 0, "1", 1)))
    second = add_statements(store, "demand", said(("a", 0, "1", 1)))

    assert (True, 1) == (first.is_new, first.repeated)
    assert (False, first.key) == (second.is_new, second.key)


def test_rows_without_a_label_are_counted_and_left_out() -> None:
    """A partial file is welcome."""
    kept, missing = statements_of(
        pa.table({"request_id": ["a", "b"], "label": ["1", None]}),
        CLASSES,
        key="request_id",
        label="label",
        now=NOW,
    )

    assert (["a"], 1) == (kept.column("request_id").to_pylist(), missing)


def test_numbers_are_labels_of_a_regression() -> None:
    """Whole numbers and fractions are written in one form."""
    assert ["2.0", "0.1"] == read({"request_id": [1, 2], "label": [2, 0.1]}, NUMBERS).column(
        "label"
    ).to_pylist()


@pytest.mark.parametrize(
    ("columns", "schema", "message"),
    [
        ({"id": ["a"], "label": ["1"]}, CLASSES, "no column 'request_id'; they have id, label"),
        ({"request_id": ["a"], "y": ["1"]}, CLASSES, "no column 'label'"),
        ({"request_id": ["a", "b"], "label": ["1", "maybe"]}, CLASSES, "row 1 .* none of 0, 1"),
        ({"request_id": ["a", None], "label": ["1", "0"]}, CLASSES, "row 1 has no request id"),
        ({"request_id": ["a"], "label": ["warm"]}, NUMBERS, "'label' cannot be read as number"),
        ({"request_id": ["a"], "label": [float("inf")]}, NUMBERS, "not finite"),
        ({"request_id": ["a"], "label": ["1"], "row": [0.5]}, CLASSES, "no whole number"),
        ({"request_id": ["a"], "label": ["1"], "time": ["soon"]}, CLASSES, "'time' cannot be read"),
        ({"request_id": ["a"], "label": ["1"], "time": ["2027-01-01"]}, CLASSES, "in the future"),
    ],
)
def test_a_bad_file_is_refused_by_name(
    columns: dict[str, Any], schema: FeatureSchema, message: str
) -> None:
    """The message names the column or the first bad row."""
    with pytest.raises((DataError, SchemaMismatchError), match=message):
        read(columns, schema)


def test_a_torn_part_is_named_and_not_used(tmp_path: Path) -> None:
    """The other parts count."""
    store = DirectoryStore(tmp_path)
    torn = add_statements(store, "demand", said(("a", 0, "1", 1))).key
    state(store, said(("b", 0, "0", 1)))
    store.put(torn, (store.get(torn) or b"")[:40])

    found = read_statements(store, label_keys(store, "demand"))

    assert ((torn,), ["b"]) == (found.broken, found.table.column("request_id").to_pylist())


def test_no_label_at_all_is_an_empty_state() -> None:
    """Nothing arrived yet."""
    assert 0 == len(fold_statements(said(("a", 0, "1", 1)).slice(0, 0), parts=0).table)
