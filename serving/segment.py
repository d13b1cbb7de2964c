"""Where do answered rows wait, and how do they become the columns of a table?

A segment is a block of arrays that are allocated once and filled row by row: recording one row
copies some numbers. Codes become levels again only here, whole columns at a time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from modelwarrant.windows import Feature
from modelwarrant.windows.logged import logged_features, score_column
from serving.parquet import (
    Column,
    floats,
    instants,
    integers,
    levels,
    plain_texts,
    texts,
    truths,
)
from serving.rows import Rows
from serving.served import Served

__all__ = ["Segment", "payload_columns"]

_SLICE_ROWS = 512
"""Texts that are made in one piece of work: 0.1 ms."""

_Columns = Iterator[tuple[str, Column] | None]
"""By name; None is a place to rest."""

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
        self._ids: list[str] = []
        """One a request, with its time and its rows at the same place."""
        self._micros = np.empty(capacity, dtype=np.int64)
        self._sizes = np.empty(capacity, dtype=np.int64)
        self._unseen: dict[int, dict[int, str]] = {}
        self.rows = 0
        """Rows it holds."""

    @property
    def requests(self) -> int:
        """Requests it holds rows of."""
        return len(self._ids)

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
        place = len(self._ids)
        self._micros[place], self._sizes[place] = now_ns // _US, end - begin
        self._ids.append(request_id)
        for position, unseen in rows.unseen.items():
            held = self._unseen.setdefault(position, {})
            held.update((begin + row, level) for row, level in unseen.items())
        self.rows = end

    def columns(self, private: frozenset[str]) -> _Columns:
        """Yield every column by its name, and None in between where that is much work.

        Args:
            private: features that are left out.
        """
        sizes = self._sizes[: len(self._ids)]
        yield from self._request_ids(sizes)
        starts = np.cumsum(sizes) - sizes
        yield "row", integers(np.arange(self.rows) - np.repeat(starts, sizes))
        yield "time", instants(np.repeat(self._micros[: len(sizes)], sizes))
        yield "version", integers(np.full(self.rows, self.served.version, np.int64))
        yield "decision_id", levels(np.zeros(self.rows, np.int32), [self.served.decision_id])
        named = payload_columns(self.served)
        for position, feature in enumerate(self.served.schema.features):
            if feature.name not in private:
                yield named[feature.name], self._feature(feature, position)
        yield from self._answers()

    def _request_ids(self, sizes: npt.NDArray[np.int64]) -> _Columns:
        """Yield each request's id for each of its rows; of batches every id once."""
        if len(self._ids) < self.rows:
            codes = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
            yield "request_id", levels(codes, self._ids)
            return
        pieces = []
        for start in range(0, len(self._ids), _SLICE_ROWS):
            pieces.append(plain_texts(self._ids[start : start + _SLICE_ROWS]))
            yield None
        yield "request_id", texts(pieces, self.rows)

    def _feature(self, feature: Feature, position: int) -> Column:
        values = self._values[: self.rows, position]
        missing = np.isnan(values)
        if feature.kind == "number":
            return floats(values, missing)
        if feature.kind == "boolean":
            return truths(values == 1.0, missing)
        with np.errstate(invalid="ignore"):  # what is missing is masked
            if feature.kind == "time":
                return instants(np.round(values * 1e6).astype(np.int64), missing)
            codes = values.astype(np.int32)
        names = list(feature.categories or ())
        for row, level in self._unseen.get(position, {}).items():
            if level not in names:
                names.append(level)
            codes[row] = names.index(level)
        return levels(codes, names, missing)

    def _answers(self) -> _Columns:
        scores = self._scores[: self.rows]
        classes = self.served.schema.classes or ()
        if not classes:
            yield "prediction", floats(scores[:, 0])
            return
        yield "prediction", levels(np.argmax(scores, axis=1).astype(np.int32), classes)
        for position, label in enumerate(classes):
            yield score_column(label), floats(scores[:, position])
