"""Which labels belong to which predictions of the version in production?

The log is read once more, file by file; only rows with a label are kept. A request's row is counted
once, its first answer, however often the log holds it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelwarrant.records import LabelCounts
from modelwarrant.telemetry.log import KEYS, LogReader, is_first_of_key, window_of
from modelwarrant.telemetry.statements import Labels
from modelwarrant.windows import FeatureSchema, Window

__all__ = ["Joined", "join"]

_BATCH = 50_000
"""Rows of the log looked up at a time: the labels' index is built once for each batch."""

_FIRST = 5_000
"""Oldest labelled rows that are kept: the watch of a promotion looks at them."""

_NEWEST = 100_000
"""Newest labelled rows that are kept: the test of the loss follows 20,000."""


@dataclass(frozen=True)
class Joined:
    """Labelled rows of the version in production, oldest answer first."""

    window: Window
    """Features and target, ordered by the time of the answer."""
    keys: pa.Table
    """request_id, row, time of each row."""
    counts: LabelCounts


def join(reader: LogReader, labels: Labels, *, version: int, schema: FeatureSchema) -> Joined:
    """Find the answers that labels are about.

    Args:
        reader: of the log.
        labels: those that count.
        version: in production.
        schema: of its model.
    """
    names = _names(labels.table)
    is_known = np.zeros(len(names), dtype=np.bool_)
    found: list[pa.Table] = []
    for table in _batched(reader):
        place = pc.index_in(_names(table), value_set=names)
        rows = np.flatnonzero(np.asarray(place.is_valid()))
        if not len(rows):
            continue
        at = np.asarray(place.take(pa.array(rows)).to_numpy(zero_copy_only=False), dtype=np.int64)
        is_known[at] = True
        labelled = table.take(pa.array(rows)).append_column("__label", pa.array(at))
        found.append(labelled.filter(pc.equal(labelled.column("version"), version)))
    whole = _once(found)
    known_to_mine = len(np.unique(np.asarray(whole.column("__label"))))
    mine = _kept(whole)
    at = np.asarray(mine.column("__label")) if len(mine) else np.zeros(0, dtype=np.int64)
    stated = labels.table.take(pa.array(at))
    target, is_readable = _target(stated.column("label"), schema)
    is_early = _is_early(stated, mine)
    mine, target = mine.filter(is_readable), target.filter(is_readable)
    window = window_of(mine, schema, target=target)
    return Joined(
        window,
        mine.select(list(KEYS)) if len(mine) else _no_keys(),
        LabelCounts(
            parts=labels.parts,
            broken=labels.broken,
            rows=labels.rows,
            keys=labels.keys,
            corrected=labels.corrected,
            conflicting=labels.conflicting,
            joined=len(whole) - (len(stated) - len(mine)),
            of_other_versions=int(is_known.sum()) - known_to_mine,
            unknown_requests=int((~is_known).sum()),
            unreadable=len(stated) - len(mine),
            early=int(is_early.sum()),
            state_digest=labels.digest,
        ),
    )


def _batched(reader: LogReader) -> Iterator[pa.Table]:
    """Join the log's many small files to batches; files of other columns begin a new one."""
    held: list[pa.Table] = []
    for table in reader:
        held.append(table)
        if sum(map(len, held)) >= _BATCH:
            yield _concat(held)
            held = []
    if held:
        yield _concat(held)


def _concat(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()


def _names(table: pa.Table) -> pa.Array:
    """Return request and row as one text each."""
    rows = pc.cast(table.column("row"), pa.string())
    named = pc.binary_join_element_wise(table.column("request_id"), rows, "\x1f")
    return named.combine_chunks() if isinstance(named, pa.ChunkedArray) else named


def _once(tables: list[pa.Table]) -> pa.Table:
    """Return the labelled rows, each key once, oldest answer first."""
    if not tables or not sum(map(len, tables)):
        return pa.table({**{name: [] for name in KEYS}, "__label": []})
    table = _concat(tables)
    by_key = [(name, "ascending") for name in KEYS]
    table = table.take(pc.sort_indices(table, sort_keys=by_key))
    table = table.filter(pa.array(is_first_of_key(table)))
    in_time = pc.sort_indices(table, sort_keys=[("time", "ascending"), *by_key[:2]])
    return table.take(in_time).combine_chunks()


def _kept(table: pa.Table) -> pa.Table:
    """Return the first and the newest rows, all of them where they are not too many."""
    if len(table) <= _FIRST + _NEWEST:
        return table
    parts = [table.slice(0, _FIRST), table.slice(len(table) - _NEWEST)]
    return pa.concat_tables(parts).combine_chunks()


def _target(texts: pa.ChunkedArray, schema: FeatureSchema) -> tuple[pa.Array, pa.Array]:
    """Return labels in the target's type, and which of them the model can be judged by."""
    labels = pc.cast(texts.combine_chunks(), pa.string())
    if schema.task != "regression":
        classes = pa.array(list(schema.classes or ()), pa.string())
        return labels, pc.is_in(labels, value_set=classes)
    values = np.array([_number(text) for text in labels.to_pylist()], dtype=np.float64)
    return pa.array(values), pa.array(np.isfinite(values))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _is_early(stated: pa.Table, mine: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which labels are dated, and before their answer."""
    if not len(mine):
        return np.zeros(0, dtype=np.bool_)
    dated = np.asarray(stated.column("time"))
    answered = np.asarray(pc.cast(mine.column("time"), pa.int64()))
    return np.asarray((dated != np.iinfo(np.int64).min) & (dated < answered))


def _no_keys() -> pa.Table:
    types = {"request_id": pa.string(), "row": pa.int64(), "time": pa.timestamp("us", tz="UTC")}
    return pa.schema(types).empty_table()
