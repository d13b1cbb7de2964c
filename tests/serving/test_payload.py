"""The prediction log holds what was asked and answered, and never holds a prediction up."""

import asyncio
import io
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelwarrant.bundle import open_bundle
from modelwarrant.errors import StoreError, StoreUnavailableError
from modelwarrant.storage import DirectoryStore
from modelwarrant.windows import Feature
from serving.payload import Recorder
from serving.rows import Rows
from serving.segment import payload_columns
from serving.served import Served
from tests.serving.tiny import (
    FEATURES,
    ROW,
    air_time_model,
    bundle_files,
    late_model,
    linear_model,
    regression,
)

NOW = datetime(2026, 3, 1, 23, 59, 59, 250_000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECISION = "sha256:" + "d" * 64


class FailingStore(DirectoryStore):
    """A folder whose writes fail while ``failure`` is set."""

    failure: Exception | None = None

    def create(self, key: str, data: bytes) -> bool:
        """Write, or fail."""
        if self.failure is not None:
            raise self.failure
        return super().create(key, data)


class WaitingStore(DirectoryStore):
    """A folder whose writes wait for a sign."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.may_write = threading.Event()

    def create(self, key: str, data: bytes) -> bool:
        """Wait, then write."""
        self.may_write.wait(10)
        return super().create(key, data)


@pytest.fixture
def store(tmp_path: Path) -> FailingStore:
    """A store that works until it is told to fail."""
    return FailingStore(tmp_path)


def served(model: Any = None, *, version: int = 2, seq: int = 4) -> Served:
    """Return a loaded model; by default the classifier."""
    schema, onnx_bytes = model or late_model()
    bundle = open_bundle(bundle_files(schema, onnx_bytes), name="tiny")
    return Served(model="flights", version=version, decision_id=DECISION, seq=seq, bundle=bundle)


def answered(
    one: Served, *rows: dict[str, Any], request_id: str = "r-1", at: datetime = NOW
) -> tuple[Served, str, int, Rows, Any]:
    """Return an answered request, as ``record`` takes it."""
    read = one.reader.read({"rows": list(rows)}, max_rows=10_000, problems_shown=1)
    now_ns = (at - EPOCH) // timedelta(microseconds=1) * 1000
    return one, request_id, now_ns, read, one.scores(read)


def recorder(store: DirectoryStore, **limits: Any) -> Recorder:
    """Return a recorder that flushes when it is told to."""
    chosen: dict[str, Any] = {
        "private": frozenset(),
        "flush_s": 60.0,
        "flush_rows": 1000,
        "buffer_rows": 2000,
        **limits,
    }
    return Recorder(
        store, model="flights", prefix="pod-1a2b", log=logging.getLogger("test"), **chosen
    )


def files(store: DirectoryStore) -> dict[str, pa.Table]:
    """Return every file of the log."""
    return {key: pq.read_table(io.BytesIO(store.get(key) or b"")) for key in store.list("payload/")}


def test_one_row_is_logged_with_its_answer(store: FailingStore) -> None:
    """Every column the monitor joins and compares is there, typed."""
    log = recorder(store)
    log.record(*answered(served(), ROW))

    log.close(timeout_s=5)

    [(key, table)] = files(store).items()
    assert "payload/flights/2026-03-01/pod-1a2b-0.parquet" == key
    assert [
        {
            "request_id": "r-1",
            "row": 0,
            "time": NOW,
            "version": 2,
            "decision_id": DECISION,
            **ROW,
            "month": "2",
            "departure": datetime(2013, 1, 1, 5, 15, tzinfo=UTC),
            "prediction": "0",
            "score.0": pytest.approx(0.75),
            "score.1": pytest.approx(0.25),
        }
    ] == table.to_pylist()


def test_rows_of_a_batch_keep_their_position(store: FailingStore) -> None:
    """Labels name a request and the row in it."""
    log = recorder(store)
    one = served(air_time_model())
    log.record(*answered(one, ROW, {**ROW, "distance": 800}, request_id="a"))
    log.record(*answered(one, ROW, request_id="b"))

    log.flush()

    [table] = files(store).values()
    assert ["a", "a", "b"] == table["request_id"].to_pylist()
    assert [0, 1, 0] == table["row"].to_pylist()
    assert [62.5, 100.0, 62.5] == table["prediction"].to_pylist()


def test_private_columns_are_left_out(store: FailingStore) -> None:
    """A feature on the deny-list is in no file."""
    log = recorder(store, private=frozenset({"carrier"}))
    log.record(*answered(served(), ROW))

    log.flush()

    [table] = files(store).values()
    assert "carrier" not in table.column_names


def test_each_version_and_day_has_files_of_its_own(store: FailingStore) -> None:
    """A file has one schema and lies under the day of its rows."""
    log = recorder(store)
    old, new = served(), served(version=5, seq=7)
    next_day = datetime(2026, 3, 2, tzinfo=UTC)
    for one, at in ((old, NOW), (old, NOW), (new, NOW), (new, next_day)):
        log.record(*answered(one, ROW, at=at))

    log.flush()

    assert {
        ("2026-03-01", 2, 2),
        ("2026-03-01", 5, 1),
        ("2026-03-02", 5, 1),
    } == {
        (key.split("/")[2], table["version"][0].as_py(), table.num_rows)
        for key, table in files(store).items()
    }


def test_feature_named_like_a_column_of_the_log_is_renamed(store: FailingStore) -> None:
    """Both are kept: the log's own under its name, the feature under ``feature.<name>``."""
    names = ("time", "feature.time", "score.0")
    schema = regression([Feature(name=name, kind="number") for name in names])
    one = served((schema, linear_model(schema, weights={}, bias=[1.0])))
    log = recorder(store)
    log.record(*answered(one, {"time": 1.0, "feature.time": 2.0, "score.0": 3.0}))

    log.flush()

    [table] = files(store).values()
    assert {
        "time": "feature.time",
        "feature.time": "feature.feature.time",
        "score.0": "score.0",
    } == payload_columns(one)
    assert [1.0] == table["feature.time"].to_pylist()
    assert [2.0] == table["feature.feature.time"].to_pylist()
    assert [NOW] == table["time"].to_pylist()


def test_store_that_vanished_is_not_made_anew(tmp_path: Path) -> None:
    """A disk that is not mounted now would come back to a folder in its place; rows wait for it."""
    store = FailingStore(tmp_path / "store")
    store.create("m/flights/first", b"genesis")
    log = recorder(store, beside="m/flights/first")
    log.record(*answered(served(), ROW))
    store.root.rename(tmp_path / "elsewhere")

    log.flush()
    assert not store.root.exists()
    assert (0, 0, 1) == (log.counts().written, log.counts().dropped, log.counts().waiting)

    (tmp_path / "elsewhere").rename(store.root)
    log.flush()
    assert (1, 0, 0) == (log.counts().written, log.counts().dropped, log.counts().waiting)
    assert 1 == len(files(store))


def test_what_the_buffer_cannot_hold_is_dropped_and_counted(store: FailingStore) -> None:
    """Nothing waits and nothing raises; the count says how much is not there."""
    log = recorder(store, buffer_rows=3)
    for _ in range(3):
        log.record(*answered(served(), ROW, ROW))

    assert (0, 4, 2) == (log.counts().written, log.counts().dropped, log.counts().waiting)


def test_store_outage_keeps_rows_until_it_ends(store: FailingStore) -> None:
    """Files that could not be written are written later, once."""
    log = recorder(store)
    store.failure = StoreUnavailableError("no answer")
    log.record(*answered(served(), ROW))
    log.flush()
    assert 1 == log.counts().waiting

    store.failure = None
    log.record(*answered(served(), ROW))
    log.flush()

    assert (2, 0, 0) == (log.counts().written, log.counts().dropped, log.counts().waiting)
    assert 2 == len(files(store))


def test_store_that_refuses_costs_the_rows_only(store: FailingStore) -> None:
    """A read-only store drops and counts; it is not tried for ever."""
    log = recorder(store)
    store.failure = StoreError("read-only")
    log.record(*answered(served(), ROW))

    log.close(timeout_s=5)

    assert (0, 1, 0) == (log.counts().written, log.counts().dropped, log.counts().waiting)


def test_outage_at_the_end_is_counted(store: FailingStore) -> None:
    """A service that stops without its store says how many rows it lost."""
    log = recorder(store)
    log.start()
    store.failure = StoreUnavailableError("no answer")
    log.record(*answered(served(), ROW))

    log.close(timeout_s=5)

    assert (0, 1, 0) == (log.counts().written, log.counts().dropped, log.counts().waiting)


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[WaitingStore]:
    """A store that hangs."""
    store = WaitingStore(tmp_path)
    yield store
    store.may_write.set()


def test_recording_never_waits_for_the_store(waiting: WaitingStore) -> None:
    """While a write hangs, requests are recorded until the buffer is full, then dropped."""
    log = recorder(waiting, flush_rows=1, buffer_rows=5)
    log.start()
    one = served()
    for _ in range(20):
        log.record(*answered(one, ROW))
    assert 15 == log.counts().dropped

    waiting.may_write.set()
    log.close(timeout_s=5)

    assert (5, 15, 0) == (log.counts().written, log.counts().dropped, log.counts().waiting)
    assert 5 == sum(table.num_rows for table in files(waiting).values())


def test_file_is_written_when_enough_rows_wait(store: FailingStore) -> None:
    """A busy service does not wait for the clock."""
    log = recorder(store, flush_rows=2, flush_s=60)
    log.start()
    for _ in range(2):
        log.record(*answered(served(), ROW))

    log.close(timeout_s=5)

    assert 2 == log.counts().written


def test_missing_values_of_every_kind_are_null(store: FailingStore) -> None:
    """A missing value is null in the log, whatever the feature's kind."""
    schema = regression([feature.model_copy(update={"missing": True}) for feature in FEATURES])
    one = served((schema, linear_model(schema, weights={}, bias=[1.0])))
    log = recorder(store)
    log.record(*answered(one, dict.fromkeys(ROW)))

    log.flush()

    [table] = files(store).values()
    assert dict.fromkeys(ROW) == {name: table[name][0].as_py() for name in ROW}


def test_columns_have_the_types_that_readers_expect(store: FailingStore) -> None:
    """Labels, ids and levels are text, numbers are double, times are instants in UTC."""
    log = recorder(store)
    log.record(*answered(served(), ROW))

    log.flush()

    [table] = files(store).values()
    text = {"request_id", "decision_id", "prediction", "carrier", "month"}
    assert text == {field.name for field in table.schema if field.type == pa.string()}
    instants = {field.name for field in table.schema if pa.types.is_timestamp(field.type)}
    assert {"time", "departure"} == instants
    assert pa.timestamp("us", tz="UTC") == table.schema.field("time").type


def test_ids_of_many_requests_of_one_row_are_all_there(store: FailingStore) -> None:
    """They are written in pieces."""
    log = recorder(store, flush_rows=3000, buffer_rows=3000)
    one = served()
    ids = [f"request-{number}" for number in range(1300)]
    for each in ids:
        log.record(*answered(one, ROW, request_id=each))

    log.flush()

    [table] = files(store).values()
    assert ids == table["request_id"].to_pylist()


def test_files_are_made_on_the_event_loop_in_pieces(tmp_path: Path) -> None:
    """The rows of five thousand requests are never one piece of work, and nothing is lost."""
    one = answered(served(), ROW)
    stores = [DirectoryStore(tmp_path / name) for name in ("whole", "pieces")]
    whole, log = (recorder(store, flush_rows=6000, buffer_rows=6000) for store in stores)
    for _ in range(5000):
        whole.record(*one)
        log.record(*one)
    began = time.thread_time()
    whole.flush()
    whole_s = time.thread_time() - began

    async def run() -> None:
        log.slices.attach(asyncio.get_running_loop())
        await asyncio.to_thread(log.flush)
        log.slices.detach()

    asyncio.run(run())

    assert files(stores[0]) == files(stores[1])
    assert 5000 == log.counts().written
    assert 0 < log.slices.longest_s < whole_s / 2


def test_a_file_that_was_begun_on_a_loop_is_ended_where_that_stops(store: FailingStore) -> None:
    """The thread that waits for the file gets it, and the next one is made without a loop."""
    one = answered(served(), ROW)
    log = recorder(store)

    async def run() -> None:
        log.slices.attach(asyncio.get_running_loop())
        for _ in range(900):
            log.record(*one)
        writing = asyncio.ensure_future(asyncio.to_thread(log.flush))
        while not log.slices.longest_s:  # until a first step was done
            await asyncio.sleep(0)
        log.slices.detach()
        await writing

    asyncio.run(run())
    log.record(*one)
    log.flush()

    assert 901 == log.counts().written
    assert [900, 1] == sorted((len(table) for table in files(store).values()), reverse=True)
