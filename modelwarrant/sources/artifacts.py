"""How do windows and splits travel between stages?

As Parquet files that carry their schema and say what they are: a file saved as a final split is
refused by every other loader, so no stage can train on rows that are meant to judge.
"""

import errno
import os
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from modelwarrant.canonical import Json, canonical_json, parse_json
from modelwarrant.errors import RecordError, SourceError, StoreError, StoreUnavailableError
from modelwarrant.windows import ORDER, FeatureSchema, FinalSplit, TrainingSplit, Window

__all__ = [
    "load_final",
    "load_row_group",
    "load_training",
    "load_window",
    "row_groups",
    "save_final",
    "save_training",
    "save_window",
]

_KEY: Final = b"modelwarrant"
_VERSION: Final = 1
_ROW_GROUP: Final = 131_072
"""Rows of a row group: about 20 MB at 20 columns of numbers."""
_MEANING: Final = {
    "window": "a window",
    "training": "a training split",
    "final": "a final split, which only evaluation may read",
}


def save_window(path: Path, window: Window) -> None:
    """Write a window; the same window gives the same bytes on one version of pyarrow."""
    _save(path, window, "window")


def save_training(path: Path, split: TrainingSplit) -> None:
    """Write a training split."""
    _save(path, split.window, "training")


def save_final(path: Path, split: FinalSplit) -> None:
    """Write a final split."""
    _save(path, split.window, "final")


def load_window(path: Path) -> Window:
    """Read a window.

    Raises:
        SourceError: the file is absent or damaged.
        RecordError: it is a split, or nothing that modelwarrant wrote.
    """
    return _load(path, "window")


def row_groups(path: Path) -> tuple[int, ...]:
    """Return the rows of each row group of a window; errors as ``load_window``."""
    with _opened(path) as file:
        _schema(path, file.schema_arrow.metadata or {}, "window")
        groups = file.metadata
        return tuple(groups.row_group(index).num_rows for index in range(groups.num_row_groups))


def load_row_group(path: Path, group: int) -> Window:
    """Read one row group of a window, and no other; errors as ``load_window``.

    Raises:
        RecordError: the window has no such group.
    """
    with _opened(path) as file:
        schema = _schema(path, file.schema_arrow.metadata or {}, "window")
        if not 0 <= group < file.metadata.num_row_groups:
            raise RecordError(
                f"{path}: has {file.metadata.num_row_groups} row groups, none with number {group}"
            )
        try:
            table = file.read_row_group(group, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"{path}: damaged: {error}") from error
    return Window(schema, table.replace_schema_metadata(None))


def load_training(path: Path) -> TrainingSplit:
    """Read a training split; errors as ``load_window``."""
    return TrainingSplit(_load(path, "training"))


def load_final(path: Path) -> FinalSplit:
    """Read a final split; errors as ``load_window``."""
    return FinalSplit(_load(path, "final"))


def _save(path: Path, window: Window, kind: str) -> None:
    """Write to a temporary name, flush, rename: a reader sees all or nothing."""
    head: Json = {
        "version": _VERSION,
        "kind": kind,
        "schema": window.schema.model_dump(mode="json"),
    }
    table = window.table.unify_dictionaries().combine_chunks()
    table = table.replace_schema_metadata({_KEY: canonical_json(head)})
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            pq.write_table(table, file, row_group_size=_ROW_GROUP, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        text = f"{path}: cannot be written: {error.strerror or error}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreUnavailableError(f"{text}; make room and run again") from error
        raise StoreError(text) from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: damaged, or not a Parquet file: {error}") from error


def _load(path: Path, kind: str) -> Window:
    try:
        table = pq.read_table(path, use_threads=False)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: damaged, or not a Parquet file: {error}") from error
    schema = _schema(path, table.schema.metadata or {}, kind)
    allowed = {*schema.names, schema.target, ORDER}
    if not {*schema.names, ORDER} <= set(table.column_names) <= allowed:
        raise RecordError(f"{path}: its columns are not those of the schema it carries")
    return Window(schema, table.replace_schema_metadata(None))


def _schema(path: Path, metadata: dict[bytes, bytes], kind: str) -> FeatureSchema:
    """Return the schema a file carries, if the file is of that kind."""
    if _KEY not in metadata:
        raise RecordError(f"{path}: not written by modelwarrant; a window is read from a source")
    head = parse_json(metadata[_KEY], name=str(path))
    if not isinstance(head, dict) or head.get("version") != _VERSION:
        raise RecordError(f"{path}: a window of an unknown version; write it again")
    if head.get("kind") != kind:
        raise RecordError(
            f"{path}: holds {_MEANING.get(str(head.get('kind')), 'something else')}, "
            f"not {_MEANING[kind]}"
        )
    try:
        return FeatureSchema.model_validate(head.get("schema"))
    except ValidationError as error:
        raise RecordError(f"{path}: carries a broken schema: {error}") from error
