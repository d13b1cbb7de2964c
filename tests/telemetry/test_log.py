"""The log of predictions: every row is counted once, and a bad file never makes a wrong number."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelwarrant.errors import SchemaMismatchError
from modelwarrant.storage import DirectoryStore
from modelwarrant.telemetry import (
    Collected,
    LogReader,
    collect,
    fold_statements,
    join,
    log_keys,
    statements_of,
    window_of,
)
from modelwarrant.windows import ORDER, Feature, FeatureSchema
from modelwarrant.windows.logged import logged_features

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMA = FeatureSchema(
    features=(Feature(name="x", kind="number"), Feature(name="row", kind="category")),
    task="classification",
    target="y",
    classes=("0", "1"),
)


def log(
    store: DirectoryStore,
    ids: list[str],
    *,
    version: int = 2,
    at: datetime = NOW,
    name: str = "pod-a-0",
    **more: Any,
) -> str:
    """Write a file of the log, a row a second; return its key."""
    n = len(ids)
    columns: dict[str, Any] = {
        "request_id": ids,
        "row": np.zeros(n, dtype=np.int64),
        "time": pa.array([at + timedelta(seconds=k) for k in range(n)], pa.timestamp("us", "UTC")),
        "version": np.full(n, version),
        "x": np.arange(n, dtype=float),
        "feature.row": pa.array(["a"] * n).dictionary_encode(),
        **more,
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    key = f"payload/demand/{at.date().isoformat()}/{name}.parquet"
    store.put(key, sink.getvalue())
    return key


def collected(store: DirectoryStore, *, rows: int = 1000, now: datetime = NOW) -> Collected:
    """Collect everything; versions 1 and 2 are known, 4 is barred."""
    keys = log_keys(store, "demand", since=None)
    return collect(
        LogReader(store, keys),
        version=2,
        known={1: False, 2: False, 4: True},
        rows=rows,
        now=now + timedelta(hours=1),
    )


def test_the_window_is_the_newest_rows_of_production(tmp_path: Path) -> None:
    """Files come in any order; time decides."""
    store = DirectoryStore(tmp_path)
    log(store, ["new-0", "new-1"], name="pod-a-0")
    log(store, ["old-0", "old-1"], at=NOW - timedelta(hours=1), name="pod-b-7")

    found = collected(store, rows=3)

    assert ["old-1", "new-0", "new-1"] == found.table.column("request_id").to_pylist()
    assert (4, 3) == (found.counts.production, found.counts.window)


def test_rows_of_other_versions_are_counted_and_not_used(tmp_path: Path) -> None:
    """A version the ledger does not know, or has barred, is gone."""
    store = DirectoryStore(tmp_path)
    for place, (version, rows) in enumerate(((1, 3), (2, 2), (4, 5), (9, 1))):
        log(store, [f"{place}-{k}" for k in range(rows)], version=version, name=f"pod-{place}")

    counts = collected(store).counts

    assert (11, 2, 3) == (counts.rows, counts.production, counts.others)
    assert {"4": 5, "9": 1} == counts.gone


def test_a_request_answered_twice_counts_once(tmp_path: Path) -> None:
    """Its first answer stands, wherever the second one lies."""
    store = DirectoryStore(tmp_path)
    log(store, ["a", "b"], name="pod-a-0")
    log(store, ["b", "c"], at=NOW + timedelta(minutes=1), name="pod-b-0")

    found = collected(store)

    assert ["a", "b", "c"] == found.table.column("request_id").to_pylist()
    assert (3, 1) == (found.counts.window, found.counts.repeated)
    assert [0.0, 1.0, 1.0] == found.table.column("x").to_pylist()


def test_torn_and_foreign_files_are_named(tmp_path: Path) -> None:
    """Nothing of them is read, and the others are."""
    store = DirectoryStore(tmp_path)
    torn, foreign = (log(store, ["a"], name=name) for name in ("torn", "foreign"))
    log(store, ["b"], name="whole")
    store.put(torn, (store.get(torn) or b"")[:-7])
    sink = io.BytesIO()
    pq.write_table(pa.table({"request_id": ["z"]}), sink)
    store.put(foreign, sink.getvalue())

    found = collected(store)

    assert (foreign, torn) == found.counts.torn
    assert (1, 1) == (found.counts.files, found.counts.rows)


def test_rows_of_the_future_show_that_clocks_disagree(tmp_path: Path) -> None:
    """They are counted, and used: what was answered was answered."""
    store = DirectoryStore(tmp_path)
    log(store, ["a", "b"], at=NOW + timedelta(days=2))

    counts = collected(store).counts

    assert (2, 2) == (counts.future, counts.window)


def test_days_before_the_version_are_not_read(tmp_path: Path) -> None:
    """One day more is, for a pod whose clock is behind."""
    store = DirectoryStore(tmp_path)
    for day in range(4):
        log(store, ["a"], at=NOW - timedelta(days=day), name=f"pod-{day}")

    keys = log_keys(store, "demand", since=NOW - timedelta(days=1))

    assert ["2026-02-27", "2026-02-28", "2026-03-01"] == [key.split("/")[2] for key in keys]


def test_no_file_is_an_empty_window(tmp_path: Path) -> None:
    """A model that nobody called."""
    found = collected(DirectoryStore(tmp_path))

    assert 0 == len(window_of(found.table, SCHEMA))
    assert (None, 0) == (found.counts.first, found.counts.window)


def test_a_window_has_the_features_under_their_own_names(tmp_path: Path) -> None:
    """A feature that is called like a column of the log is found again."""
    store = DirectoryStore(tmp_path)
    log(store, ["a", "b"])

    window = window_of(collected(store).table, SCHEMA)

    assert {"x": "x", "row": "feature.row"} == logged_features(SCHEMA)
    assert ["a", "a"] == window.table.column("row").to_pylist()
    assert [0, 1_000_000] == (window.order - window.table.column(ORDER)[0].as_py()).tolist()


def test_a_private_feature_is_named(tmp_path: Path) -> None:
    """Without it nothing can be compared."""
    store = DirectoryStore(tmp_path)
    log(store, ["a"])
    wider = FeatureSchema(features=(*SCHEMA.features, Feature(name="age", kind="number")))

    with pytest.raises(SchemaMismatchError, match="'age'"):
        window_of(collected(store).table, wider)


def labels(*lines: tuple[str, str], when: str | None = None) -> Any:
    """Return the labels that count."""
    columns = {"request_id": [line[0] for line in lines], "label": [line[1] for line in lines]}
    dated = columns if when is None else {**columns, "time": [when] * len(lines)}
    table, _ = statements_of(pa.table(dated), SCHEMA, key="request_id", label="label", now=NOW)
    return fold_statements(table, parts=1)


def test_labels_meet_the_answers_of_production(tmp_path: Path) -> None:
    """Those of other versions and of unknown requests are counted, once each."""
    store = DirectoryStore(tmp_path)
    log(store, ["a", "b", "c"], name="mine")
    log(store, ["b", "c"], at=NOW + timedelta(minutes=1), name="again")
    log(store, ["o"], version=1, name="other")
    known = labels(("a", "1"), ("b", "0"), ("o", "1"), ("nobody", "1"))

    found = join(
        LogReader(store, log_keys(store, "demand", since=None)), known, version=2, schema=SCHEMA
    )

    assert ["a", "b"] == found.keys.column("request_id").to_pylist()
    assert ["1", "0"] == found.window.table.column("y").to_pylist()
    counts = found.counts
    assert (2, 1, 1) == (counts.joined, counts.of_other_versions, counts.unknown_requests)


def test_a_label_before_its_answer_shows_that_clocks_disagree(tmp_path: Path) -> None:
    """It is counted, and used."""
    store = DirectoryStore(tmp_path)
    log(store, ["a"])

    found = join(
        LogReader(store, log_keys(store, "demand", since=None)),
        labels(("a", "1"), when="2026-02-01"),
        version=2,
        schema=SCHEMA,
    )

    assert (1, 1) == (found.counts.joined, found.counts.early)


def test_without_a_label_nothing_is_joined(tmp_path: Path) -> None:
    """The labelled window is empty, not absent."""
    store = DirectoryStore(tmp_path)
    log(store, ["a"])

    found = join(
        LogReader(store, log_keys(store, "demand", since=None)),
        labels(("nobody", "1")),
        version=2,
        schema=SCHEMA,
    )

    assert (0, 0, 1) == (len(found.window), found.counts.joined, found.counts.unknown_requests)
