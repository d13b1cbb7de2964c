"""How is a stream with a known shift written, with its truth beside it?"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from modelwarrant.errors import DataError
from modelwarrant.records import StreamTruth
from modelwarrant.simulation import TABLE, inject, parse_scenario, simulate
from modelwarrant.sources import infer, read_table
from modelwarrant.windows import ORDER, Window, typed_window

__all__ = ["Written", "write_simulated", "write_stream"]


@dataclass(frozen=True)
class Written:
    """A stream that was written."""

    truth: StreamTruth
    truth_path: Path


def write_simulated(
    scenario: str, to: Path, *, rows: int, seed: int, onset: float, width: float
) -> Written:
    """Draw a simulated stream and write it.

    Raises:
        DataError: no such scenario, or a file that is neither CSV nor Parquet.
    """
    _demand_format(to)
    wanted = parse_scenario(scenario, onset=onset, width=width)
    if wanted.base == TABLE:
        raise DataError(f"scenario {scenario}: name the rows with --into DATA --target COLUMN")
    return _written(*simulate(wanted, rows=rows, seed=seed), to)


def write_stream(
    scenario: str, to: Path, *, source: str, target: str, seed: int, onset: float, width: float
) -> Written:
    """Put a shift into the rows of a source and write them; columns are typed as for ``init``.

    Raises:
        DataError: no such scenario or source, or rows that cannot take the shift.
    """
    _demand_format(to)
    wanted = parse_scenario(scenario, onset=onset, width=width)
    if wanted.base != TABLE:
        raise DataError(f"scenario {scenario}: with --into the base is {TABLE!r}")
    table = read_table(source, base=Path.cwd())
    schema = infer(table, target=target).schema
    return _written(*inject(typed_window(table, schema), wanted, seed=seed), to)


def _demand_format(to: Path) -> None:
    if to.suffix not in _WRITERS:
        raise DataError(f"{to}: name a file that ends in {' or '.join(_WRITERS)}")


def _written(window: Window, truth: StreamTruth, to: Path) -> Written:
    """Write both files, the truth first: a stream never lies there without it."""
    table = window.table.drop_columns([ORDER])
    truth_path = to.with_suffix(".truth.json")
    _replace(truth_path, lambda path: path.write_bytes(truth.to_bytes()))
    _replace(to, lambda path: _WRITERS[to.suffix](table, path))
    return Written(truth, truth_path)


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write to a temporary name and rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_csv(table: pa.Table, path: Path) -> None:
    """Write text; Arrow's writer knows no dictionaries."""
    plain = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    pyarrow.csv.write_csv(pa.table(plain, names=table.column_names), path)


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, compression="zstd")


_WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
}
