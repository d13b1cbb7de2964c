"""Where did a window come from, and did it keep its contract?"""

from typing import Literal

from modelwarrant.records.base import Part, Record

__all__ = ["ColumnFinding", "SourceFile", "ValidationReport", "WindowRef"]


class SourceFile(Part):
    """One file or object that a window was read from."""

    uri: str
    digest: str
    """Digest of the bytes as they lay there."""


class WindowRef(Record):
    """Names one window so that it can be read again and recognised."""

    schema_version: Literal[1] = 1
    source: str
    """As in the project file: path, glob, s3://, https:// or sklearn://."""
    bounds: str
    """Absolute half-open bounds, ``A..B`` or ``a:b``."""
    rows: int
    window_digest: str
    """Digest of the logical columns; see ``windows.window_digest``."""
    schema_digest: str
    files: tuple[SourceFile, ...] = ()
    final: float
    """Share of the newest labelled rows that only evaluation reads, in (0, 1)."""
    train_digest: str | None = None
    """Digest of the training split, once the window was split."""
    final_digest: str | None = None
    first: int | None = None
    """Order value of the oldest row: microseconds since 1970 UTC, or a row number."""
    final_first: int | None = None
    """Order value of the oldest row of the final split."""
    last: int | None = None
    """Order value of the newest row."""
    out_of_order: int = 0
    """Rows that came earlier in time than a row before them; they were sorted."""
    ignored_columns: tuple[str, ...] = ()
    """Columns of the source that the schema does not name, sorted."""


class ColumnFinding(Part):
    """Something about a column that a person should know."""

    column: str | None
    """None where the whole window is meant."""
    finding: Literal[
        "missing_target",
        "duplicate_rows",
        "out_of_order",
        "constant",
        "ignored_column",
        "unseen_levels",
    ]
    rows: int
    detail: str


class ValidationReport(Record):
    """A window that kept its contract, and what is worth knowing about it."""

    schema_version: Literal[1] = 1
    window_digest: str
    rows: int
    labelled_rows: int
    findings: tuple[ColumnFinding, ...] = ()
