"""Which predictions were given, for the monitor to read later?

Each flush writes ``payload/<model>/<day>/<pod>-<boot>-<n>.parquet``, one file a version and day.
Columns: request_id, row, time, version, decision_id, one a feature, prediction (label as text, or
float64), and ``score.<class>`` a class. A feature whose name is one of those others is written as
``feature.<name>``. Recording never waits: what the ring of segments cannot hold is dropped and
counted. A thread waits for the store; files are made in ``slices``.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import modelwarrant
from modelwarrant.errors import PermanentError, StoreUnavailableError, TemporaryError
from modelwarrant.storage import ObjectStore
from serving.parquet import parquet_file
from serving.rows import Rows
from serving.segment import Segment
from serving.served import Served
from serving.slices import Slices, step_behind

__all__ = ["Counts", "Recorder"]

_FILE_TRIES = 3
"""Tries for one file at shutdown; while running, a file is tried at each flush until it lands."""

_BULK = 16
"""Rows a request from which on files are made beside the event loop: few requests hardly delay a
thread, and on a second core it writes four times as many rows."""

_DAY_NS = 86_400 * 10**9
_WRITER = f"modelwarrant version {modelwarrant.__version__}"
_SMALLEST_SEGMENT = 256
"""Rows a segment has room for at least."""


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


class Recorder:
    """Holds answered rows and writes them to the store from a thread of its own.

    Args:
        store: where the log goes; nothing in it is changed.
        beside: key of an object that lies in the store before anything is logged; where it is
            gone, so is the store, and a folder is not made anew. None asks for none.
        prefix: of every file's name: the pod, and a boot id that no other process has.
        private: features that are left out.
        flush_s: longest time between two flushes.
        flush_rows: rows at which a flush begins at once, and the size of a segment.
        buffer_rows: rows held at most, those of files that could not be written included.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        model: str,
        prefix: str,
        beside: str | None = None,
        private: frozenset[str],
        flush_s: float,
        flush_rows: int,
        buffer_rows: int,
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._model = model
        self._prefix = prefix
        self._beside = beside
        self._private = private
        self._flush_s = flush_s
        self._flush_rows = flush_rows
        self._buffer_rows = buffer_rows
        self._log = log
        self._lock = threading.Lock()
        self._segments: list[Segment] = []
        """Filled ones, and at the end the one that is being filled."""
        self._buffered = 0
        """Rows in segments."""
        self._waiting = 0
        """Rows in segments and in files that were not written yet."""
        self._unwritten: deque[_File] = deque()
        self._written = 0
        self._dropped = 0
        self._files = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self.slices = Slices()
        """Where rows become files; may be attached to the event loop that answers."""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write in the background."""
        self._thread = threading.Thread(target=self._run, name="payload-log", daemon=True)
        self._thread.start()

    def record(
        self,
        served: Served,
        request_id: str,
        now_ns: int,
        rows: Rows,
        scores: npt.NDArray[np.float64],
    ) -> None:
        """Remember one answered request, or drop it where the ring is full; never waits.

        Args:
            served: what answered.
            request_id: as it was answered.
            now_ns: nanoseconds since 1970, UTC.
            rows: what was asked.
            scores: (n, k) float64, what was answered.
        """
        n_rows = len(rows.values)
        with self._lock:
            if self._waiting + n_rows > self._buffer_rows:
                self._dropped += n_rows
                return
            self._waiting += n_rows
            last = self._segments[-1] if self._segments else None
            if last is None or not last.takes(served, now_ns, n_rows):
                size = max(min(self._flush_rows, self._buffer_rows), n_rows, _SMALLEST_SEGMENT)
                last = Segment(served, now_ns // _DAY_NS, size)
                self._segments.append(last)
            last.add(request_id, now_ns, rows, scores)
            self._buffered += n_rows
            is_due = self._buffered >= self._flush_rows
        if is_due:
            self._wake.set()

    def counts(self) -> Counts:
        """Return what became of the rows so far."""
        return Counts(self._written, self._dropped, self._waiting)

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
            taken, self._segments, self._buffered = self._segments, [], 0
        self._encode(taken)
        while self._unwritten:
            file = self._unwritten[0]
            try:
                self._check_store()
                self._store.create(file.key, file.data)
            except TemporaryError as error:
                self._warn("payload_waits", error)
                return
            except PermanentError as error:
                self._warn("payload_refused", error)
                self._end_file(file, is_written=False)
            else:  # False means that an earlier try of ours had landed: the key is ours alone
                self._end_file(file, is_written=True)

    def _check_store(self) -> None:
        """Refuse to write into a store that vanished, such as a disk that is not mounted now."""
        if self._beside is not None and self._store.get(self._beside) is None:
            raise StoreUnavailableError(f"the store {self._store.uri} holds no {self._beside} now")

    def _encode(self, taken: Sequence[Segment]) -> None:
        """Turn segments into files; where that fails their rows are dropped."""
        todo = list(taken)
        try:
            while todo:
                self._unwritten.append(self._file(todo[0]))
                todo.pop(0)
        finally:
            self._end(sum(segment.rows for segment in todo), is_written=False)

    def _file(self, segment: Segment) -> _File:
        columns = segment.columns(self._private)
        steps = parquet_file(columns, rows=segment.rows, writer=_WRITER)
        is_bulk = segment.rows >= _BULK * segment.requests
        data = self.slices.run(steps, beside=is_bulk)
        key = f"payload/{self._model}/{segment.day}/{self._prefix}-{self._files}.parquet"
        self._files += 1
        return _File(key, data, segment.rows)

    def _end_file(self, file: _File, *, is_written: bool) -> None:
        self._unwritten.popleft()
        self._end(file.rows, is_written=is_written)

    def _end(self, rows: int, *, is_written: bool) -> None:
        with self._lock:
            self._waiting -= rows
            self._written += rows if is_written else 0
            self._dropped += 0 if is_written else rows

    def _run(self) -> None:
        step_behind()
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
            left, self._segments, self._buffered = self._waiting, [], 0
            self._unwritten.clear()
        self._end(left, is_written=False)

    def _flush_safely(self) -> None:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - the recorder's edge: predictions must go on
            self._warn("payload_broke", error)

    def _warn(self, event: str, error: Exception) -> None:
        self._log.warning(event, extra={"fields": {"error": str(error)}})
