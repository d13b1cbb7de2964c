"""What stands in the log of predictions, and which of its rows make the current window?

Files are immutable and read one at a time, so memory is bounded by the window and one file. A torn
or foreign file is named and left out. Which rows belong together is told by their version, never by
a clock; clocks only put rows in order.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelwarrant.canonical import digest_json
from modelwarrant.errors import SchemaMismatchError
from modelwarrant.records import LogCounts
from modelwarrant.storage import ObjectStore
from modelwarrant.windows import FeatureSchema, Window, typed_window
from modelwarrant.windows.logged import logged_features

__all__ = ["KEYS", "Collected", "LogReader", "collect", "keys_digest", "log_keys", "window_of"]

KEYS: Final = ("request_id", "row", "time")
"""Columns that name a logged row and put it in order."""

_FILE: Final = re.compile(r"payload/[^/]+/(?P<day>\d{4}-\d\d-\d\d)/[^/]+\.parquet")
_MARGIN: Final = timedelta(days=1)
"""A pod's clock may be so far behind the ledger's."""


@dataclass(frozen=True)
class Collected:
    """The current window of production's predictions, oldest row first."""

    table: pa.Table
    """As logged: keys, features, answers."""
    counts: LogCounts


@dataclass
class LogReader:
    """Reads a model's log, file by file, and notes what cannot be read.

    Args:
        store: where it lies.
        keys: of the files.
    """

    store: ObjectStore
    keys: Sequence[str]
    torn: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield each file's rows; one that is gone since it was listed has expired."""
        for key in self.keys:
            data = self.store.get(key)
            if data is None:
                continue
            table = _parsed(data)
            if table is None:
                self.torn.append(key)
            else:
                yield table


def log_keys(store: ObjectStore, model: str, *, since: datetime | None) -> tuple[str, ...]:
    """Return the keys of a model's log, sorted, from the day before a moment on."""
    first = date.min.isoformat() if since is None else (since - _MARGIN).date().isoformat()
    found = ((key, _FILE.fullmatch(key)) for key in store.list(f"payload/{model}/"))
    return tuple(key for key, match in found if match and match["day"] >= first)


def keys_digest(keys: Sequence[str]) -> str:
    """Return the digest of a list of keys of immutable objects: equal lists hold equal bytes."""
    return digest_json(list(keys))


def collect(
    reader: LogReader,
    *,
    version: int,
    known: Mapping[int, bool],
    rows: int,
    now: datetime,
) -> Collected:
    """Count the log and take the newest rows that the version in production answered.

    Args:
        reader: of the log.
        version: in production.
        known: versions of the ledger, and whether each is barred.
        rows: of the window at most.
        now: rows dated after its day (UTC) show that clocks disagree; by day, so that passes
            over one situation count alike.
    """
    kept: list[pa.Table] = []
    held = total = production = others = future = files = repeated = 0
    gone: dict[str, int] = {}
    tomorrow = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    latest = int(tomorrow.timestamp() * 1_000_000)
    for table in reader:
        files, total = files + 1, total + len(table)
        versions = np.asarray(table.column("version"))
        for number, count in zip(*np.unique(versions, return_counts=True), strict=True):
            if number == version:
                production += int(count)
            elif known.get(int(number), True):
                gone[str(number)] = gone.get(str(number), 0) + int(count)
            else:
                others += int(count)
        future += int((_micros(table) >= latest).sum())
        mine = table.filter(pa.array(versions == version))
        if len(mine):
            kept, held = [*kept, mine], held + len(mine)
        if held > 4 * rows:
            window, doubled = _newest(kept, rows)
            kept, held, repeated = [window], len(window), repeated + doubled
    window, doubled = _newest(kept, rows)
    times = _micros(window) if len(window) else np.zeros(0, dtype=np.int64)
    return Collected(
        window,
        LogCounts(
            files=files,
            torn=tuple(reader.torn),
            rows=total,
            production=production,
            others=others,
            gone=dict(sorted(gone.items())),
            window=len(window),
            repeated=repeated + doubled,
            future=future,
            first=_text(times[0]) if len(times) else None,
            last=_text(times[-1]) if len(times) else None,
        ),
    )


def window_of(table: pa.Table, schema: FeatureSchema, *, target: pa.Array | None = None) -> Window:
    """Return logged rows as a window, ordered by the time of their answers.

    Args:
        table: as logged, oldest row first.
        schema: of the model that answered.
        target: the rows' labels, where they are known.

    Raises:
        SchemaMismatchError: a feature is not in the log, because serving keeps it private.
    """
    columns = logged_features(schema)
    private = sorted(name for name, column in columns.items() if column not in table.column_names)
    if private and len(table):
        raise SchemaMismatchError(
            f"the log of predictions does not hold the feature {private[0]!r} (serving keeps it "
            "private), and without it nothing can be compared: take it out of WARRANT_PRIVATE"
        )
    found = {
        name: table.column(column) if column in table.column_names else pa.nulls(0)
        for name, column in columns.items()
    }
    if target is not None and schema.target is not None:
        found[schema.target] = target
    return typed_window(pa.table(found), schema, order=pa.array(_micros(table)))


def _parsed(data: bytes) -> pa.Table | None:
    """Read one file; None where it is torn or not what serving writes."""
    try:
        table = pq.read_table(io.BytesIO(data), use_threads=False)
        pa.types.is_timestamp(table.schema.field("time").type)
        keys = {
            "request_id": pc.cast(table.column("request_id"), pa.string()),
            "row": pc.cast(table.column("row"), pa.int64()),
            "time": pc.cast(table.column("time"), pa.timestamp("us", tz="UTC")),
            "version": pc.cast(table.column("version"), pa.int64()),
        }
        if any(column.null_count for column in keys.values()):
            return None
        levels = {
            field.name: pc.cast(table.column(field.name), field.type.value_type)
            for field in table.schema
            if pa.types.is_dictionary(field.type)  # as older versions of the service wrote them
        }
        for name, column in (levels | keys).items():
            table = table.set_column(table.schema.get_field_index(name), name, column)
    except (pa.ArrowException, OSError, KeyError, ValueError):
        return None
    return table


def _newest(tables: Sequence[pa.Table], rows: int) -> tuple[pa.Table, int]:
    """Return the newest rows, oldest first, each key once: its first answer stands."""
    if not tables:
        empty = {"request_id": pa.string(), "row": pa.int64(), "time": pa.timestamp("us", tz="UTC")}
        return pa.schema(empty).empty_table(), 0
    table = pa.concat_tables(tables, promote_options="permissive")
    by_key = [(name, "ascending") for name in KEYS]
    table = table.take(pc.sort_indices(table, sort_keys=by_key))
    first = is_first_of_key(table)
    doubled = int((~first).sum())
    table = table.filter(pa.array(first))
    in_time = table.take(pc.sort_indices(table, sort_keys=[("time", "ascending"), *by_key[:2]]))
    return in_time.slice(max(0, len(in_time) - rows)).combine_chunks(), doubled


def is_first_of_key(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which rows of a table that is sorted by its keys begin a new request and row."""
    first = np.ones(len(table), dtype=np.bool_)
    if len(table) > 1:
        same = [
            np.asarray(pc.equal(column[1:], column[:-1]))
            for column in (table.column(name).combine_chunks() for name in KEYS[:2])
        ]
        first[1:] = ~(same[0] & same[1])
    return first


def _micros(table: pa.Table) -> npt.NDArray[np.int64]:
    return np.asarray(pc.cast(table.column("time"), pa.int64()).to_numpy())


def _text(micros: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
