"""Which rows does a file, an object or an address hold, and what might they mean?

The I/O room of data: windows from CSV, Parquet, globs of them, ``s3://``, ``http(s)://`` and
``sklearn://``; windows as artifacts between stages; and the guesses of ``warrant init``.
"""

from modelwarrant.sources.artifacts import (
    load_final,
    load_row_group,
    load_training,
    load_window,
    row_groups,
    save_final,
    save_training,
    save_window,
)
from modelwarrant.sources.inference import Inferred, LeftOut, infer
from modelwarrant.sources.reading import (
    batches,
    find_classes,
    read_ref,
    read_table,
    read_window,
    source_digest,
    verify_ref,
)
from modelwarrant.sources.settings import S3Settings, SourceSettings, read_source_settings

__all__ = [
    "Inferred",
    "LeftOut",
    "S3Settings",
    "SourceSettings",
    "batches",
    "find_classes",
    "infer",
    "load_final",
    "load_row_group",
    "load_training",
    "load_window",
    "read_ref",
    "read_source_settings",
    "read_table",
    "read_window",
    "row_groups",
    "save_final",
    "save_training",
    "save_window",
    "source_digest",
    "verify_ref",
]
