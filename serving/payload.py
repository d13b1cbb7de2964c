"""Which predictions were given, for the monitor to read later?

Each flush writes ``payload/<model>/<day>/<pod>-<boot>-<n>.parquet``, one file a version and day.
Columns: request_id, row, time, version, decision_id, one a feature, prediction (label as text, or
float64), and ``score.<class>`` a class. A feature whose name is one of those others is written as
``feature.<name>``. Recording never waits: what the buffer cannot hold is dropped and counted.
"""

import io
import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from modelwarrant.errors import PermanentError, TemporaryError
from modelwarrant.storage import ObjectStore
from modelwarrant.windows import Kind, Predictions
from modelwarrant.windows.logged import logged_features, score_column
from serving.columns import booleans, floats, instants, integers, texts
from serving.rows import Rows
from serving.served import Served

__all__ = ["Counts", "Recorder", "payload_columns"]

_FILE_TRIES = 3
"""Tries for one file at shutdown; while running, a file is tried at each flush until it lands."""


@dataclass(frozen=True)
class Recorded:
    """One answered request."""

    served: Served
    request_id: str
    time: datetime
    rows: Rows
    predictions: Predictions


@dataclass(frozen=True)
class Counts:
    """Rows by what became of them."""

    written: int
    dropped: int
    waiting: int


@dataclass(frozen=True)
class _File:
    """Bytes that are to lie at a key; no other process chooses this key."""

    key: str
    data: bytes
    rows: int


def payload_columns(served: Served) -> dict[str, str]:
    """Return, for each feature of a version, its column in the log."""
    return logged_features(served.schema)


class Recorder:
    """Holds answered requests and writes them to the store from a thread of its own.

    Args:
        store: where the log goes; only ``create`` is called.
        prefix: of every file's name: the pod, and a boot id that no other process has.
        private: features that are left out.
        flush_s: longest time between two flushes.
        flush_rows: rows at which a flush begins at once.
        buffer_rows: rows held at most, those of files that could not be written included.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        model: str,
        prefix: str,
        private: frozenset[str],
        flush_s: float,
        flush_rows: int,
        buffer_rows: int,
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._model = model
        self._prefix = prefix
        self._private = private
        self._flush_s = flush_s
        self._flush_rows = flush_rows
        self._buffer_rows = buffer_rows
        self._log = log
        self._lock = threading.Lock()
        self._buffer: deque[Recorded] = deque()
        self._buffered = 0
        self._unwritten: deque[_File] = deque()
        self._written = 0
        self._dropped = 0
        self._files = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write in the background."""
        self._thread = threading.Thread(target=self._run, name="payload-log", daemon=True)
        self._thread.start()

    def record(self, recorded: Recorded) -> None:
        """Remember one answered request, or drop it where the buffer is full; never waits."""
        rows = len(recorded.rows)
        with self._lock:
            if self._waiting() + rows > self._buffer_rows:
                self._dropped += rows
                return
            self._buffer.append(recorded)
            self._buffered += rows
            is_due = self._buffered >= self._flush_rows
        if is_due:
            self._wake.set()

    def counts(self) -> Counts:
        """Return what became of the rows so far."""
        with self._lock:
            return Counts(self._written, self._dropped, self._waiting())

    def close(self, *, timeout_s: float) -> None:
        """Write what waits, then end; what the store refuses is dropped and counted."""
        self._closing.set()
        self._wake.set()
        if self._thread is None:
            self._finish()
        else:
            self._thread.join(timeout_s)

    def flush(self) -> None:
        """Write what waits; files that the store could not take now are kept for the next flush."""
        with self._lock:
            taken = list(self._buffer)
            self._buffer.clear()
        self._unwritten_from(taken)
        while self._unwritten:
            file = self._unwritten[0]
            try:
                self._store.create(file.key, file.data)
            except TemporaryError as error:
                self._warn("payload_waits", error)
                return
            except PermanentError as error:
                self._warn("payload_refused", error)
                self._end_file(file, is_written=False)
            else:  # False means that an earlier try of ours had landed: the key is ours alone
                self._end_file(file, is_written=True)

    def _unwritten_from(self, taken: Sequence[Recorded]) -> None:
        """Turn requests into files; where that fails their rows are dropped."""
        rows = sum(len(one.rows) for one in taken)
        files: list[_File] = []
        try:
            files += self._encode(taken)
        finally:
            with self._lock:
                self._buffered -= rows
                self._unwritten.extend(files)
                self._dropped += rows - sum(file.rows for file in files)

    def _waiting(self) -> int:
        return self._buffered + sum(file.rows for file in self._unwritten)

    def _end_file(self, file: _File, *, is_written: bool) -> None:
        with self._lock:
            self._unwritten.popleft()
            self._written += file.rows if is_written else 0
            self._dropped += 0 if is_written else file.rows

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._flush_s)
            self._wake.clear()
            self._flush_safely()
        self._finish()

    def _finish(self) -> None:
        """Flush a few times, then give up on what is left."""
        for _ in range(_FILE_TRIES):
            self._flush_safely()
        with self._lock:
            self._dropped += self._waiting()
            self._buffer.clear()
            self._unwritten.clear()
            self._buffered = 0

    def _flush_safely(self) -> None:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - the recorder's edge: predictions must go on
            self._warn("payload_broke", error)

    def _warn(self, event: str, error: Exception) -> None:
        self._log.warning(event, extra={"fields": {"error": str(error)}})

    def _encode(self, taken: Sequence[Recorded]) -> Iterator[_File]:
        """Encode one file for each version and day among the requests."""

        def version_and_day(one: Recorded) -> tuple[int, str]:
            return one.served.seq, one.time.astimezone(UTC).strftime("%Y-%m-%d")

        for (_, day), group in groupby(sorted(taken, key=version_and_day), key=version_and_day):
            requests = list(group)
            table = _table(requests, self._private)
            sink = io.BytesIO()
            pq.write_table(table, sink, compression="zstd")
            key = f"payload/{self._model}/{day}/{self._prefix}-{self._files}.parquet"
            self._files += 1
            yield _File(key, sink.getvalue(), table.num_rows)


def _table(requests: Sequence[Recorded], private: frozenset[str]) -> pa.Table:
    """Return the rows of requests that one version answered."""
    served = requests[0].served
    sizes = [len(one.rows) for one in requests]
    n_rows = sum(sizes)
    columns: dict[str, pa.Array] = {
        "request_id": texts(_spread([one.request_id for one in requests], sizes)),
        "row": integers([row for size in sizes for row in range(size)]),
        "time": instants(_spread([one.time for one in requests], sizes)),
        "version": integers([served.version] * n_rows),
        "decision_id": texts([served.decision_id] * n_rows),
    }
    named = payload_columns(served)
    for position, feature in enumerate(served.schema.features):
        if feature.name not in private:
            values = [value for one in requests for value in one.rows.columns[position]]
            columns[named[feature.name]] = _feature(feature.kind, values)
    columns |= _answers(served, [one.predictions for one in requests])
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _spread(values: Sequence[Any], sizes: Sequence[int]) -> list[Any]:
    """Repeat each request's value for each of its rows."""
    return [each for value, size in zip(values, sizes, strict=True) for each in repeat(value, size)]


def _feature(kind: Kind, values: list[Any]) -> pa.Array:
    if kind == "category":
        return texts(values).dictionary_encode()
    if kind == "time":
        return instants(values)
    return floats(values) if kind == "number" else booleans(values)


def _answers(served: Served, predictions: Sequence[Predictions]) -> dict[str, pa.Array]:
    if served.schema.task == "regression":
        return {"prediction": floats([v for one in predictions for v in one.values.tolist()])}
    labels = [one.classes[code] for one in predictions for code in one.codes.tolist()]
    scores = np.concatenate([one.values for one in predictions])
    return {"prediction": texts(labels)} | {
        score_column(label): floats(scores[:, position].tolist())
        for position, label in enumerate(served.schema.classes or ())
    }
