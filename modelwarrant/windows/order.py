"""In which order do rows stand when their order must not matter, and what is a window's digest?

Folds, bootstraps and digests use it, so the order of rows in a file changes nothing.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.canonical import canonical_json
from modelwarrant.windows.window import ORDER, Window

__all__ = ["canonical_order", "count_duplicates", "window_digest"]

_MISSING = np.uint64(0x9E3779B97F4A7C15)
"""Stands for a missing number: the bits of a NaN that no reader makes."""


def canonical_order(window: Window) -> npt.NDArray[np.int64]:
    """Return the rows' indices in an order that depends on their values alone.

    Rows are sorted by a 64-bit mix of their values; rows that share the mix by chance are sorted by
    the values themselves, so the result is exact. Equal rows keep no order, being equal.
    """
    return _ordered(_encoded(window))[0]


def count_duplicates(window: Window) -> int:
    """Return how many rows repeat an earlier row in every column, time and target included."""
    columns = _encoded(window)
    order, _ = _ordered(columns)
    return int(np.count_nonzero(_same_as_previous(columns, order)))


def window_digest(window: Window) -> str:
    """Return the digest of the logical columns: schema, then values in canonical row order.

    The same rows give the same digest from CSV or Parquet, in any order of rows and files. Where
    the schema names a time column the time is part of it; row numbers are not.
    """
    columns = _encoded(window)
    order, _ = _ordered(columns)
    digest = hashlib.sha256(b"modelwarrant/window/1\n")
    digest.update(canonical_json(window.schema.model_dump(mode="json")))
    for name, (values, levels) in columns.items():
        digest.update(canonical_json({"column": name, "levels": levels, "rows": len(window)}))
        digest.update(np.ascontiguousarray(values[order]).astype("<u8", copy=False).data)
    return "sha256:" + digest.hexdigest()


def _encoded(window: Window) -> dict[str, tuple[npt.NDArray[np.uint64], tuple[str, ...]]]:
    """Return each logical column as (n,) uint64 codes of its values, with its text levels."""
    columns = {}
    for name in window.table.column_names:
        if name == ORDER:
            continue
        if pa.types.is_string(window.table.schema.field(name).type):
            codes, levels = window.levels(name)
            columns[name] = (codes.astype(np.int64).view(np.uint64), levels)
            continue
        values = window.numbers(name) + 0.0  # -0.0 becomes 0.0
        bits = values.view(np.uint64)
        columns[name] = (np.where(np.isnan(values), _MISSING, bits), ())
    if window.schema.time is not None:
        columns[ORDER] = (window.order.view(np.uint64), ())
    return columns


def _ordered(
    columns: dict[str, tuple[npt.NDArray[np.uint64], tuple[str, ...]]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Return the canonical order and the rows' mixes."""
    arrays = [values for values, _ in columns.values()]
    mixed = np.zeros(len(arrays[0]), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for values in arrays:
            mixed ^= values
            mixed += _MISSING
            mixed ^= mixed >> np.uint64(30)
            mixed *= np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(27)
            mixed *= np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
    order = np.argsort(mixed, kind="stable")
    ties = np.flatnonzero(mixed[order][1:] == mixed[order][:-1])
    if len(ties) and not _same_as_previous(columns, order)[ties].all():
        order = np.lexsort([*reversed(arrays), mixed])
    return order.astype(np.int64), mixed


def _same_as_previous(
    columns: dict[str, tuple[npt.NDArray[np.uint64], tuple[str, ...]]],
    order: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Return for each row but the first of the order whether it equals its predecessor."""
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for values, _ in columns.values():
        same &= values[order][1:] == values[order][:-1]
    return same
