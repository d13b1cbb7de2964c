"""Which rows does a Parquet file hold?

Read row group by row group and column by column; row groups that lie outside a span of time, by
their own statistics, are not read at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from modelwarrant.errors import SourceError
from modelwarrant.sources.location import SourceData

__all__ = ["ParquetPart", "Span", "open_parquet"]

Span = tuple[str, int | None, int | None]
"""A time column and half-open bounds in microseconds since 1970 UTC, None for open."""

_BATCH_ROWS = 32_768
"""Rows decoded at a time: about 5 MB at 20 columns of numbers."""

_BUFFER_BYTES = 1 << 16
"""Bytes read ahead of each column; without a limit a whole row group is held, 21 MB more at 20
columns."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ParquetPart:
    """One Parquet file, its footer read."""

    data: SourceData
    names: tuple[str, ...]
    schema: pa.Schema

    def tables(
        self, columns: Sequence[str] | None, *, span: Span | None = None
    ) -> Iterator[tuple[int, pa.Table]]:
        """Yield (number of the first row, table) batch by batch, rows counted from 0.

        Args:
            columns: the columns to read; None reads all.
            span: rows outside may be left out.

        Raises:
            SourceError: the file is damaged.
        """
        wanted = None if columns is None else list(columns)
        try:
            with pq.ParquetFile(self.data.path, buffer_size=_BUFFER_BYTES) as file:
                first = 0
                for group in range(file.metadata.num_row_groups):
                    rows = file.metadata.row_group(group).num_rows
                    if span is None or _may_overlap(file.metadata.row_group(group), span):
                        yield from self._group(file, group, first, wanted)
                    first += rows
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"{self.data.uri}: the Parquet file is damaged: {error}") from error

    def _group(
        self, file: pq.ParquetFile, group: int, first: int, columns: list[str] | None
    ) -> Iterator[tuple[int, pa.Table]]:
        for batch in file.iter_batches(
            batch_size=_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False
        ):
            yield first, pa.Table.from_batches([batch])
            first += batch.num_rows


def open_parquet(data: SourceData) -> ParquetPart:
    """Read the footer of a Parquet file.

    Raises:
        SourceError: damaged, without a column, or with a doubled name.
    """
    try:
        with pq.ParquetFile(data.path) as file:
            schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{data.uri}: the Parquet file is damaged: {error}") from error
    names = tuple(schema.names)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise SourceError(f"{data.uri}: the column {doubled[0]!r} stands twice; rename one")
    if not names:
        raise SourceError(f"{data.uri}: the file has no column")
    return ParquetPart(data, names, schema)


def _may_overlap(group: pq.RowGroupMetaData, span: Span) -> bool:
    """Return False only where the group's statistics prove that no row lies inside."""
    name, start, end = span
    for index in range(group.num_columns):
        column = group.column(index)
        if column.path_in_schema != name:
            continue
        statistics = column.statistics
        if statistics is None or not statistics.has_min_max:
            return True
        try:
            low, high = _instant_us(statistics.min), _instant_us(statistics.max)
        except (TypeError, ValueError):  # text, or nanoseconds that Python cannot hold
            return True
        return (end is None or low < end) and (start is None or high >= start)
    return True


def _instant_us(value: object) -> int:
    if not isinstance(value, datetime):
        raise TypeError("not an instant")
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // timedelta(microseconds=1)
