"""Which typed rows does a source hold, and are they still those that a record names?"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.canonical import digest_json
from modelwarrant.errors import ChangedDataError, SourceError, TargetError, WindowError
from modelwarrant.records import WindowRef
from modelwarrant.sources.columns import typed_by_content
from modelwarrant.sources.conversion import needed_columns, to_window
from modelwarrant.sources.delimited import CsvPart
from modelwarrant.sources.parts import (
    Part,
    check_columns,
    check_same_columns,
    column_names,
    opened,
    part_file,
    raw_tables,
)
from modelwarrant.sources.selection import Selection, held_text, selection
from modelwarrant.sources.settings import SourceSettings
from modelwarrant.windows import (
    Bounds,
    Feature,
    FeatureSchema,
    Kind,
    Window,
    label_text,
    parse_bounds,
    window_digest,
)

__all__ = [
    "batches",
    "find_classes",
    "read_ref",
    "read_table",
    "read_window",
    "source_digest",
    "verify_ref",
]


def read_window(
    source: str,
    schema: FeatureSchema,
    bounds: Bounds | None,
    *,
    base: Path,
    final: float,
    settings: SourceSettings | None = None,
) -> tuple[Window, WindowRef]:
    """Read the rows inside the bounds, oldest first, and say where they came from.

    Rows with equal order values keep the order in which they lie. The reference's bounds are
    absolute, so a source that grows outside them still gives the same window.

    Args:
        source: as in the project file.
        schema: only its columns are read; the target may be absent.
        bounds: None reads every row.
        base: folder that relative paths start from.
        final: share of the newest labelled rows that only evaluation may read, in (0, 1).
        settings: default the environment's.

    Raises:
        SourceError: missing, unreadable, neither CSV nor Parquet, or a broken row.
        SchemaMismatchError: a column is absent or cannot be read as its kind.
        WindowError: no row lies inside.
        ChangedDataError: a file changed while it was read.
        TemporaryError: a server did not answer.
    """
    with opened(source, base=base, settings=settings) as parts:
        check_columns(parts, schema)
        chosen = selection(parts, schema, bounds)
        windows = list(_windows(parts, chosen))
        if not windows:
            held = held_text(parts, chosen, source)
            raise WindowError(
                f"{source}: window '{chosen.bounds}' holds no row; the data holds {held}"
            )
        window = _joined(windows)
        late = _late_rows(window.order)
        if late:
            window = window.take(np.argsort(window.order, kind="stable"))
        ref = WindowRef(
            source=source,
            bounds=str(_absolute(chosen, window.order)),
            rows=len(window),
            window_digest=window_digest(window),
            schema_digest=schema.digest,
            files=tuple(part_file(part) for part in parts),
            final=final,
            first=int(window.order[0]),
            last=int(window.order[-1]),
            out_of_order=late,
            ignored_columns=_ignored(parts, schema),
        )
    return window, ref


def batches(
    source: str,
    schema: FeatureSchema,
    *,
    base: Path,
    bounds: Bounds | None = None,
    settings: SourceSettings | None = None,
) -> Iterator[Window]:
    """Yield the rows inside the bounds in bounded pieces, in the order in which they lie.

    A window larger than memory can be profiled from them: a piece holds at most 32,768 rows of
    Parquet, or 4 MiB of CSV. Arguments and errors are those of ``read_window``, but no row at all
    yields nothing.
    """
    with opened(source, base=base, settings=settings) as parts:
        check_columns(parts, schema)
        yield from _windows(parts, selection(parts, schema, bounds))


def read_table(source: str, *, base: Path, settings: SourceSettings | None = None) -> pa.Table:
    """Read every row and column of a source, typed by its own content.

    A CSV column becomes whole numbers, numbers, true and false or instants where every field
    reads as such, else text; whole numbers with leading zeros stay text.

    Raises:
        SourceError: missing, unreadable, neither CSV nor Parquet, a broken row, or no row.
        SchemaMismatchError: the files of a glob differ in their columns.
        ChangedDataError: a file changed while it was read.
        TemporaryError: a server did not answer.
    """
    with opened(source, base=base, settings=settings) as parts:
        check_same_columns(parts)
        names = column_names(parts[0])
        tables = [
            pa.concat_tables([table for _, table in raw_tables(part, None)] or [pa.table({})])
            for part in parts
        ]
        tables = [table.select(names) for table in tables if table.num_rows]
        if not tables:
            raise SourceError(f"{source}: has column names and no row")
        is_text = all(isinstance(part, CsvPart) for part in parts)
        try:
            table = pa.concat_tables(tables, promote_options="permissive")
        except pa.ArrowException as error:
            raise SourceError(f"{source}: its files hold different types: {error}") from error
    return typed_by_content(table) if is_text else table


def source_digest(source: str, *, base: Path, settings: SourceSettings | None = None) -> str:
    """Return one digest of the bytes of all the files of a source, sorted by name.

    It equals ``digest_json`` of the digests in ``WindowRef.files``.
    """
    with opened(source, base=base, settings=settings) as parts:
        return digest_json([part_file(part).digest for part in parts])


def read_ref(
    ref: WindowRef,
    schema: FeatureSchema,
    *,
    base: Path,
    settings: SourceSettings | None = None,
) -> Window:
    """Read again the window that a record names.

    Raises:
        ChangedDataError: the rows are no longer those.
    """
    try:
        window, _ = read_window(
            ref.source,
            schema,
            parse_bounds(ref.bounds),
            base=base,
            final=ref.final,
            settings=settings,
        )
    except WindowError as error:
        raise ChangedDataError(
            f"source {ref.source}, window {ref.bounds}: its {ref.rows} rows are gone: {error}"
        ) from error
    verify_ref(ref, window)
    return window


def verify_ref(ref: WindowRef, window: Window) -> None:
    """Refuse a window that is not the one a record names.

    Rows that the source gained outside the bounds change nothing.

    Raises:
        ChangedDataError: names source, window and both digests.
    """
    where = f"source {ref.source}, window {ref.bounds}"
    if ref.schema_digest != window.schema.digest:
        raise ChangedDataError(
            f"{where}: recorded with the schema {ref.schema_digest}, read with "
            f"{window.schema.digest}; the project's features, classes or time column changed since"
        )
    found = window_digest(window)
    if found != ref.window_digest:
        raise ChangedDataError(
            f"{where}: the data changed behind its record: {ref.rows} rows with digest "
            f"{ref.window_digest} then, {len(window)} rows with digest {found} now; "
            "restore the data, or name another window"
        )


def find_classes(
    source: str,
    *,
    target: str,
    base: Path,
    bounds: Sequence[Bounds],
    time: str | None = None,
    class_kind: Literal["text", "integer", "boolean"] = "text",
    settings: SourceSettings | None = None,
) -> tuple[str, ...]:
    """Return the labels that stand in some windows, sorted; whole numbers by size.

    For a project file that lists no classes. Reads target and time only.

    Args:
        source: as in the project file.
        target: the column of labels.
        base: folder that relative paths start from.
        bounds: the windows, for example reference and current.
        time: the column the windows are cut along.
        class_kind: how labels are read; see ``FeatureSchema``.
        settings: default the environment's.

    Raises:
        TargetError: fewer than two labels.
        SourceError, SchemaMismatchError, WindowError: see ``read_window``.
    """
    kinds: dict[str, Kind] = {"text": "category", "integer": "number", "boolean": "boolean"}
    schema = FeatureSchema(features=(Feature(name=target, kind=kinds[class_kind]),), time=time)
    found: set[str] = set()
    for some in bounds:
        for window in batches(source, schema, base=base, bounds=some, settings=settings):
            column = window.table.column(target).unique().drop_null().to_pylist()
            found |= {label_text(label) for label in column}
    if len(found) < 2:
        raise TargetError(
            f"{source}: the target {target!r} holds "
            + (f"one class only, {found.pop()!r}" if found else "no value")
            + " in these windows; a classification needs two"
        )
    if class_kind == "integer":
        return tuple(sorted(found, key=float))
    return tuple(sorted(found))


def _windows(parts: Sequence[Part], chosen: Selection) -> Iterator[Window]:
    """Yield the non-empty typed batches inside a selection."""
    start = 0
    for part in parts:
        uri, rows = part_file(part).uri, 0
        for first, table in raw_tables(part, chosen.schema, span=chosen.span):
            if chosen.ends_before(start + first):
                return
            rows = first + table.num_rows
            number = pa.array(np.arange(start + first, start + rows, dtype=np.int64))
            window = to_window(
                table,
                chosen.schema,
                uri=uri,
                first_row=first,
                order=number if chosen.schema.time is None else None,
            )
            window = chosen.kept(window, first=start + first)
            if len(window):
                yield window
        start += rows


def _joined(windows: list[Window]) -> Window:
    table = pa.concat_tables([window.table for window in windows])
    return Window(windows[0].schema, table.unify_dictionaries().combine_chunks())


def _late_rows(order: npt.NDArray[np.int64]) -> int:
    """Return how many rows lie behind a newer one.

    >>> _late_rows(np.array([1, 3, 2, 3, 1]))
    2
    """
    return int(np.count_nonzero(order < np.maximum.accumulate(order)))


def _absolute(chosen: Selection, order: npt.NDArray[np.int64]) -> Bounds:
    """Return bounds without open ends that hold exactly these rows."""
    bounds = chosen.bounds
    if chosen.chosen is not None:
        start = bounds.start or 0
        return Bounds("rows", start, start + len(order))
    start = int(order[0]) if bounds.start is None else bounds.start
    end = int(order[-1]) + 1
    if bounds.end is not None and bounds.unit == "time":
        end = bounds.end
    return Bounds(bounds.unit, start, end)


def _ignored(parts: Sequence[Part], schema: FeatureSchema) -> tuple[str, ...]:
    found = {name for part in parts for name in column_names(part)}
    return tuple(sorted(found - set(needed_columns(schema, column_names(parts[0])))))
