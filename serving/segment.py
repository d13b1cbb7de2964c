"""Where do answered rows wait, and how do they become a table?

A segment is a block of arrays that are allocated once and filled row by row: recording one row
copies some numbers. Codes become levels again only here, whole columns at a time.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import repeat

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.windows import Feature
from modelwarrant.windows.logged import logged_features, score_column
from serving.columns import coded, fixed, texts, truths
from serving.rows import Rows
from serving.served import Served
from serving.slices import Slices

__all__ = ["Segment", "payload_columns"]

_SLICE_ROWS = 512
"""Rows of a text column that are made in one piece of work: 0.2 ms."""

_US = 1_000
_DAY_NS = 86_400 * 10**9


def payload_columns(served: Served) -> dict[str, str]:
    """Return, for each feature of a version, its column in the log."""
    return logged_features(served.schema)


class Segment:
    """Rows that one version answered on one day.

    Args:
        served: that version.
        day: days since 1970, UTC.
        capacity: rows it can hold.
    """

    def __init__(self, served: Served, day: int, capacity: int) -> None:
        classes = served.schema.classes or ()
        self.served = served
        self._day = day
        self._values = np.empty((capacity, len(served.schema.features)))
        self._scores = np.empty((capacity, max(1, len(classes))))
        self._requests: list[tuple[str, int, int]] = []
        self._unseen: dict[int, dict[int, str]] = {}
        self.rows = 0
        """Rows it holds."""

    @property
    def day(self) -> str:
        """The day as ISO 8601 text."""
        return datetime.fromtimestamp(self._day * 86_400, UTC).strftime("%Y-%m-%d")

    def takes(self, served: Served, now_ns: int, n_rows: int) -> bool:
        """Whether these rows belong here and there is room for them."""
        return (
            self.served is served
            and now_ns // _DAY_NS == self._day
            and self.rows + n_rows <= len(self._values)
        )

    def add(
        self, request_id: str, now_ns: int, rows: Rows, scores: npt.NDArray[np.float64]
    ) -> None:
        """Copy one request's rows and scores."""
        begin, end = self.rows, self.rows + len(rows.values)
        self._values[begin:end] = rows.values
        self._scores[begin:end] = scores
        self._requests.append((request_id, now_ns, end - begin))
        for position, levels in rows.unseen.items():
            held = self._unseen.setdefault(position, {})
            held.update((begin + row, level) for row, level in levels.items())
        self.rows = end

    def table(self, private: frozenset[str], slices: Slices) -> pa.Table:
        """Return everything as one table.

        Args:
            private: features that are left out.
            slices: is told where one piece of work ends.
        """
        columns: dict[str, pa.Array | pa.ChunkedArray] = {}
        slices.begin()
        for name, column in self._columns(private):
            columns[name] = column
            slices.end()
        return pa.Table.from_arrays(list(columns.values()), names=list(columns))

    def _columns(self, private: frozenset[str]) -> Iterator[tuple[str, pa.Array]]:
        sizes = np.array([size for _, _, size in self._requests])
        ids = [request_id for request_id, _, _ in self._requests]
        yield "request_id", self._request_ids(ids, sizes)
        starts = np.cumsum(sizes) - sizes
        yield "row", fixed(pa.int64(), np.arange(self.rows) - np.repeat(starts, sizes))
        times = np.array([at // _US for _, at, _ in self._requests], dtype=np.int64)
        yield "time", fixed(pa.timestamp("us", tz="UTC"), np.repeat(times, sizes))
        yield "version", fixed(pa.int64(), np.full(self.rows, self.served.version, np.int64))
        decision = coded(np.zeros(self.rows, np.int32), [self.served.decision_id])
        yield "decision_id", decision.dictionary_decode()
        named = payload_columns(self.served)
        for position, feature in enumerate(self.served.schema.features):
            if feature.name not in private:
                yield named[feature.name], self._feature(feature, position)
        yield from self._answers()

    def _request_ids(self, ids: Sequence[str], sizes: npt.NDArray[np.int64]) -> pa.ChunkedArray:
        """Return each request's id for each of its rows, in chunks."""
        if len(ids) == self.rows:
            spread: Sequence[str] = ids
        else:
            spread = [
                one
                for each, size in zip(ids, sizes.tolist(), strict=True)
                for one in repeat(each, size)
            ]
        chunks = [
            texts(spread[start : start + _SLICE_ROWS])
            for start in range(0, len(spread), _SLICE_ROWS)
        ]
        return pa.chunked_array(chunks)

    def _feature(self, feature: Feature, position: int) -> pa.Array:
        values = self._values[: self.rows, position]
        missing = np.isnan(values)
        if feature.kind == "number":
            return fixed(pa.float64(), values, missing)
        if feature.kind == "boolean":
            return truths(values == 1.0, missing)
        with np.errstate(invalid="ignore"):  # what is missing is masked
            if feature.kind == "time":
                instants = np.round(values * 1e6).astype(np.int64)
                return fixed(pa.timestamp("us", tz="UTC"), instants, missing)
            codes = values.astype(np.int32)
        levels = list(feature.categories or ())
        for row, level in self._unseen.get(position, {}).items():
            if level not in levels:
                levels.append(level)
            codes[row] = levels.index(level)
        return coded(codes, levels, missing)

    def _answers(self) -> Iterator[tuple[str, pa.Array]]:
        scores = self._scores[: self.rows]
        classes = self.served.schema.classes or ()
        if not classes:
            yield "prediction", fixed(pa.float64(), scores[:, 0])
            return
        codes = np.argmax(scores, axis=1).astype(np.int32)
        yield "prediction", coded(codes, classes).dictionary_decode()
        for position, label in enumerate(classes):
            yield score_column(label), fixed(pa.float64(), scores[:, position])
