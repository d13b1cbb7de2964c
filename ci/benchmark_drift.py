"""How much do profiles and per-feature drift cost, against one read of the same columns?

Run it with ``python ci/benchmark_drift.py``; it prints a table and fails where the figure of
docs/limits.md is missed. Two windows of 1,000,000 rows x 20 columns: 10 normal floats, 10
categories of 20 levels. The read is the least that any profile must do: minimum, maximum and sum of
each number, a count of each category's codes, over both windows. Categories stand encoded in a
window; with text columns the read counts the texts, and the figure includes encoding them.
"""

import argparse
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelwarrant.drift.joint import joint_drift
from modelwarrant.drift.pair import pair_windows
from modelwarrant.drift.report import compare, feature_drift
from modelwarrant.profiles import profile_window
from modelwarrant.windows import Window, canonical_order, count_duplicates, window_digest

MAX_TIMES_READ = 5.0
MAX_MEGABYTES = 50.0
_LEVELS = 20
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Line:
    """One measured step: best CPU seconds of several runs and peak memory above its start."""

    step: str
    seconds: float
    megabytes: float


def table(rows: int, columns: int, *, seed: int, shift: float) -> pa.Table:
    """Return a window of numbers and encoded categories."""
    random = np.random.default_rng(seed)
    levels = pa.array([f"level {index:02d}" for index in range(_LEVELS)])
    data: dict[str, pa.Array] = {}
    for index in range(columns // 2):
        data[f"number_{index}"] = pa.array(random.normal(shift, 1.0, rows))
        codes = random.integers(0, _LEVELS, rows, dtype=np.int32)
        data[f"category_{index}"] = pa.DictionaryArray.from_arrays(pa.array(codes), levels)
    return pa.table(data)


def decoded(encoded: pa.Table) -> pa.Table:
    """Return the same with categories as text."""
    columns = [
        pc.cast(column, pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in encoded.columns
    ]
    return pa.table(columns, names=encoded.column_names)


def read(windows: Sequence[pa.Table]) -> None:
    """Read every column once: the floor."""
    for column in (column for window in windows for column in window.columns):
        for chunk in column.chunks:
            if pa.types.is_dictionary(column.type):
                np.bincount(chunk.indices.to_numpy(), minlength=len(chunk.dictionary))
            elif pa.types.is_string(column.type):
                pc.value_counts(chunk)
            else:
                values = chunk.to_numpy()
                values.min(), values.max(), values.sum()


def measured(step: str, call: Callable[[], object], *, repeats: int) -> Line:
    """Run a step several times; keep the best CPU time and the peak memory."""
    call()  # the first run pays for imports and page faults of the allocator
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return Line(step, min(seconds), _peak_megabytes(call))


def _peak_megabytes(call: Callable[[], object]) -> float:
    """Sample the resident size during one more run: above where it stood before."""
    done, sizes = threading.Event(), [_resident_kb()]

    def sample() -> None:
        while not done.wait(0.0005):
            sizes.append(_resident_kb())

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        call()
    finally:
        done.set()
        sampler.join()
    return (max(sizes) - sizes[0]) / 1024


def _resident_kb() -> float:
    """Return the resident size; not a number where the system does not say (macOS)."""
    if not _STATM.exists():
        return math.nan
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def lines(rows: int, columns: int, *, repeats: int) -> list[Line]:
    """Measure every step on two windows; the first is the floor, the second the figure."""
    tables = (
        table(rows, columns, seed=1, shift=0.0),
        table(rows, columns, seed=2, shift=0.1),
    )
    pair = pair_windows(*tables, None)
    windows = pair.reference, pair.current
    orders = canonical_order(windows[0]), canonical_order(windows[1])

    def profiles() -> None:
        edges = profile_window(windows[0]).edges
        profile_window(windows[1], edges=edges)

    steps: list[tuple[str, Callable[[], object]]] = [
        ("read of both windows", lambda: read(tables)),
        ("profiles, D1, D2 and gates", lambda: feature_drift(pair)),
        ("profiles alone", profiles),
        ("D3", lambda: joint_drift(*windows, pair.features, orders=orders, alpha=0.01)),
        ("canonical orders", lambda: [canonical_order(window) for window in windows]),
        ("duplicates", lambda: _duplicates(windows, orders)),
        ("digests", lambda: _digests(windows, orders)),
        ("compare: all of it", lambda: compare(*windows)),
    ]
    found = [measured(name, call, repeats=repeats) for name, call in steps]
    texts = decoded(tables[0]), decoded(tables[1])
    found.append(measured("text: read", lambda: read(texts), repeats=repeats))
    found.append(
        measured(
            "text: encode, then profiles, D1, D2 and gates",
            lambda: feature_drift(pair_windows(*texts, None)),
            repeats=repeats,
        )
    )
    return found


def _duplicates(windows: tuple[Window, Window], orders: tuple[np.ndarray, np.ndarray]) -> None:
    for window, order in zip(windows, orders, strict=True):
        count_duplicates(window, order=order)


def _digests(windows: tuple[Window, Window], orders: tuple[np.ndarray, np.ndarray]) -> None:
    for window, order in zip(windows, orders, strict=True):
        window_digest(window, order=order)


def main(argv: list[str] | None = None) -> int:
    """Print the table; return 1 where the figure is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args(argv)
    found = lines(asked.rows, asked.columns, repeats=asked.repeats)
    print(f"{asked.rows:,} rows x {asked.columns} columns, two windows; best of {asked.repeats}")
    print(f"{'step':<46} {'CPU s':>7} {'x read':>7} {'MB above':>9}")
    for line in found:
        floor = found[-2] if line.step.startswith("text") else found[0]
        times = line.seconds / floor.seconds
        print(f"{line.step:<46} {line.seconds:7.3f} {times:7.1f} {line.megabytes:9.1f}")
    figure = found[1]
    is_slow = figure.seconds > MAX_TIMES_READ * found[0].seconds
    is_met = not (is_slow or figure.megabytes > MAX_MEGABYTES)
    print(
        f"figure (at most {MAX_TIMES_READ:g} reads, {MAX_MEGABYTES:g} MB): "
        f"{'met' if is_met else 'missed'}"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
