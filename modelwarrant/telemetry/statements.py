"""What does a label mean that arrived late, twice, corrected, or in pieces?

A statement says that a request's row had a label, perhaps when that became known. Statements lie in
the store as parts, whose names are digests of what they say. What counts is a fold over the set of
all statements: of two about one row the later counts, and two of one time that differ count for
nothing until one is dated. So order and partition of the parts cannot change it.
"""

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelwarrant.errors import DataError, SchemaMismatchError
from modelwarrant.storage import ObjectStore
from modelwarrant.windows import Feature, FeatureSchema, label_text, typed_window

__all__ = [
    "Added",
    "Labels",
    "add_statements",
    "fold_statements",
    "label_keys",
    "read_statements",
    "statements_of",
]

COLUMNS: Final = ("request_id", "row", "label", "time")

_UNDATED: Final = np.iinfo(np.int64).min
"""Time of a statement that states none: older than every other."""

_SCHEMA: Final = pa.schema(
    [
        ("request_id", pa.string()),
        ("row", pa.int64()),
        ("label", pa.string()),
        ("time", pa.int64()),
    ]
)
_AHEAD: Final = timedelta(days=1)
"""A label may be dated so far ahead of this machine's clock."""

_PART: Final = re.compile(r"[0-9a-f]{64}\.parquet")


@dataclass(frozen=True)
class Added:
    """What became of a file of labels."""

    key: str
    """Of the part."""
    is_new: bool
    """False: every statement of it had been handed in together before."""
    statements: int
    missing: int
    """Rows without a label, which say nothing."""
    repeated: int
    """Rows that say the same as another one."""


@dataclass(frozen=True)
class Labels:
    """The labels that count, sorted by request and row, and what was found on the way."""

    table: pa.Table
    """request_id, row, label, time: one line a key; time is microseconds, or ``int64``'s least."""
    parts: int
    broken: tuple[str, ...]
    rows: int
    keys: int
    corrected: int
    conflicting: int

    @property
    def digest(self) -> str:
        """Digest of the table's values."""
        return f"sha256:{hashlib.sha256(_bytes(self.table)).hexdigest()}"

    def to_bytes(self) -> bytes:
        """Return the table in Arrow's stream format; the same labels give the same bytes."""
        return _bytes(self.table)


def statements_of(
    table: pa.Table, schema: FeatureSchema, *, key: str, label: str, now: datetime
) -> tuple[pa.Table, int]:
    """Read a table of labels, as somebody handed it in.

    Args:
        table: ``key`` and ``label``, and ``row`` (default 0) and ``time`` where they are there.
        schema: of the model in production: labels are its classes, or numbers.
        key: column of the request's id.
        label: column of the label.
        now: labels cannot be dated later.

    Returns:
        The statements, and the number of rows without a label.

    Raises:
        SchemaMismatchError: a column is absent or of another type; names it and the first bad row.
        DataError: a row without a request, a label that is no class, or a date in the future.
    """
    for name in (key, label):
        if name not in table.column_names:
            raise SchemaMismatchError(
                f"the labels have no column {name!r}; they have {', '.join(table.column_names)}: "
                "say which is the request's id, and which the label"
            )
    if len({key, label, "row", "time"}) < 4:
        raise SchemaMismatchError(f"{key!r} cannot be read as request id and as something else")
    given = [key, label, *(n for n in ("row", "time") if n in table.column_names)]
    features = [Feature(name=key, kind="category")]
    features += [Feature(name="row", kind="number")] if "row" in given else []
    features += [Feature(name="time", kind="time")] if "time" in given else []
    read = FeatureSchema(features=tuple(features), task=schema.task, target=label)
    typed = typed_window(table.select(given), read).table
    ids = _texts(typed.column(key))
    _demand(pc.and_(ids.is_valid(), pc.not_equal(pc.fill_null(ids, ""), "")), "has no request id")
    stated = {
        "request_id": ids,
        "row": _whole_rows(typed.column("row")) if "row" in given else _zeros(len(ids)),
        "label": _label_texts(typed.column(label), schema),
        "time": _times(typed.column("time"), now) if "time" in given else _undated(len(ids)),
    }
    found = pa.table(stated, schema=_SCHEMA)
    kept = found.filter(found.column("label").is_valid())
    return kept, len(found) - len(kept)


def add_statements(
    store: ObjectStore, model: str, statements: pa.Table, *, missing: int = 0
) -> Added:
    """Keep statements as one immutable part; the same ones again change nothing.

    Args:
        store: where labels lie.
        model: whose they are.
        statements: as ``statements_of`` returns them.
        missing: rows without a label, to be told.

    Raises:
        DataError: there is no statement.
    """
    kept = _unique(statements)
    if not len(kept):
        raise DataError("the file holds no label: every row's label is missing")
    key = f"{_prefix(model)}{hashlib.sha256(_bytes(kept)).hexdigest()}.parquet"
    sink = io.BytesIO()
    pq.write_table(kept, sink, compression="zstd")
    is_new = store.create(key, sink.getvalue())
    return Added(key, is_new, len(kept), missing, len(statements) - len(kept))


def label_keys(store: ObjectStore, model: str) -> tuple[str, ...]:
    """Return the keys of a model's parts, sorted."""
    keys = store.list(_prefix(model))
    return tuple(key for key in keys if _PART.fullmatch(key.rpartition("/")[2]))


def read_statements(store: ObjectStore, keys: Sequence[str]) -> Labels:
    """Read parts and return the labels that count.

    A part whose content is not what its name states is named and not used.
    """
    tables, broken = [_SCHEMA.empty_table()], []
    for key in keys:
        table = _part(store.get(key) or b"", key)
        if table is None:
            broken.append(key)
        else:
            tables.append(table)
    return fold_statements(
        pa.concat_tables(tables), parts=len(keys) - len(broken), broken=tuple(broken)
    )


def fold_statements(statements: pa.Table, *, parts: int, broken: tuple[str, ...] = ()) -> Labels:
    """Return the labels that count, whatever the statements' order and repetition.

    >>> said = {"request_id": ["b", "a", "a"], "row": [0] * 3, "label": ["1", "0", "1"]}
    >>> labels = fold_statements(pa.table({**said, "time": [5, 7, 9]}, _SCHEMA), parts=1)
    >>> labels.table.to_pylist()[0]
    {'request_id': 'a', 'row': 0, 'label': '1', 'time': 9}
    """
    said = _unique(statements)
    same_key, same_time = (_as_before(said, columns) for columns in (COLUMNS[:2], _TIMED))
    is_last = np.append(~same_key[1:], [True]) if len(said) else np.zeros(0, dtype=np.bool_)
    is_disputed = is_last & same_time
    winners = said.filter(pa.array(is_last & ~is_disputed)).combine_chunks()
    return Labels(
        table=winners,
        parts=parts,
        broken=broken,
        rows=len(said),
        keys=int(is_last.sum()),
        corrected=_corrected(said, same_key, is_last, is_disputed),
        conflicting=int(is_disputed.sum()),
    )


_TIMED: Final = ("request_id", "row", "time")


def _corrected(
    said: pa.Table,
    same_key: npt.NDArray[np.bool_],
    is_last: npt.NDArray[np.bool_],
    is_disputed: npt.NDArray[np.bool_],
) -> int:
    """Count keys of which an older statement says something else than the one that counts."""
    changes = same_key & ~_as_before(said, ("request_id", "row", "label"))
    key = np.cumsum(~same_key) - 1
    changed = np.zeros(int(is_last.sum()), dtype=np.bool_)
    changed[key[changes]] = True
    return int((changed & ~is_disputed[is_last]).sum())


def _as_before(table: pa.Table, columns: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return whether each row has the same values as the one before."""
    same = np.ones(len(table), dtype=np.bool_)
    same[:1] = False
    for name in columns:
        column = table.column(name).combine_chunks()
        if len(column) > 1:
            same[1:] &= np.asarray(pc.equal(column[1:], column[:-1]))
    return same


def _unique(statements: pa.Table) -> pa.Table:
    """Sort by request, row, time and label; drop repetitions."""
    keys = [(name, "ascending") for name in (*_TIMED, "label")]
    in_order = statements.select(list(COLUMNS)).take(pc.sort_indices(statements, sort_keys=keys))
    return in_order.filter(pa.array(~_as_before(in_order, COLUMNS))).combine_chunks()


def _part(data: bytes, key: str) -> pa.Table | None:
    try:
        table = pq.read_table(io.BytesIO(data), use_threads=False).cast(_SCHEMA)
    except (pa.ArrowException, OSError, ValueError):
        return None
    name = key.rpartition("/")[2].removesuffix(".parquet")
    return table if hashlib.sha256(_bytes(table)).hexdigest() == name else None


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    plain = table.replace_schema_metadata(None).combine_chunks()
    with pa.ipc.new_stream(sink, plain.schema) as writer:
        writer.write_table(plain)
    return bytes(sink.getvalue())


def _prefix(model: str) -> str:
    return f"labels/{model}/"


def _texts(column: pa.ChunkedArray) -> pa.Array:
    return pc.cast(column.combine_chunks(), pa.string())


def _label_texts(column: pa.ChunkedArray, schema: FeatureSchema) -> pa.Array:
    if schema.task == "regression":
        values = column.combine_chunks()
        _demand(pc.fill_null(pc.is_finite(values), True), "has a label that is not finite")
        return pa.array(
            [None if value is None else repr(value) for value in values.to_pylist()], pa.string()
        )
    texts = _texts(column)
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    known = pa.array([label_text(each) for each in schema.classes or ()], pa.string())
    is_class = pc.or_(pc.is_in(texts, known), texts.is_null())
    _demand(is_class, f"has a label that is none of {', '.join(known.to_pylist())}")
    return texts


def _whole_rows(column: pa.ChunkedArray) -> pa.Array:
    values = pc.fill_null(column.combine_chunks(), -1.0)
    whole = pc.and_(pc.greater_equal(values, 0), pc.equal(values, pc.floor(values)))
    _demand(whole, "has no whole number of 0 or more in 'row'")
    return pc.cast(values, pa.int64())


def _times(column: pa.ChunkedArray, now: datetime) -> pa.Array:
    micros = pc.cast(column.combine_chunks(), pa.int64())
    latest = int((now + _AHEAD).timestamp() * 1_000_000)
    _demand(pc.fill_null(pc.less_equal(micros, latest), True), "is dated in the future")
    return pc.fill_null(micros, _UNDATED)


def _undated(rows: int) -> pa.Array:
    return pa.array(np.full(rows, _UNDATED))


def _zeros(rows: int) -> pa.Array:
    return pa.array(np.zeros(rows, dtype=np.int64))


def _demand(holds: pa.Array, problem: str) -> None:
    """Refuse the file, naming its first bad row; rows are counted from 0."""
    bad = np.flatnonzero(~np.asarray(holds, dtype=np.bool_))
    if len(bad):
        others = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise DataError(f"the labels' row {bad[0]} {problem}{others}; nothing was added")
