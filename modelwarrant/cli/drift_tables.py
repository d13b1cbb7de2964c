"""How often do the detectors call drift where there is none, and what do they find where there is?

Declared cells of pairs of windows, each drawn from a seed that its place gives, in a pool of
processes. Every share has its exact binomial interval (Clopper and Pearson 1934).
"""

import importlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
import pyarrow as pa
from scipy import special
from threadpoolctl import threadpool_limits

from modelwarrant import drift
from modelwarrant.drift.features import Measured, judged
from modelwarrant.drift.pair import pair_windows
from modelwarrant.drift.report import feature_drift, measured_features
from modelwarrant.sources import read_table

__all__ = ["Alarms", "Found", "exact_interval", "measure_alarms", "measure_power", "pooled"]

Draw = Callable[[np.random.Generator, int, int], pa.Array]
"""Takes a generator, the rows and the column's number among its kind."""

Seen = Literal["columns", "report"]
_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

SIZES: Final = (200, 500, 2000, 10_000, 50_000)
COLUMN_PAIRS: Final = {10: 60, 50: 40, 200: 15}
REPORT_PAIRS: Final = {10: 80, 50: 50, 200: 24}
"""Pairs of each cell by its number of features: declared, so that all fit in half an hour."""

REAL_PAIRS: Final[dict[Seen, int]] = {"columns": 40, "report": 20}

POWER_PAIRS: Final = 200
PROMISED: Final = {"mean by 0.5 sd": 2000}
"""Pairs of the shift of which something is promised: 200 would leave it open by 3 points."""

REAL: Final = ("sklearn://breast_cancer", "sklearn://digits")

_ZIPF = np.arange(1, 1001.0) ** -1.3
_ZIPF /= _ZIPF.sum()
_ALPHA: Final = 0.01

_SEED: Final = 20_261_125
"""Never changed for a result."""


_NAMES: Final = pa.array([f"level {number}" for number in range(1000)])


def _many_levels(random: np.random.Generator, rows: int, number: int) -> pa.Array:
    codes = random.integers(0, 200, rows) if number % 2 else random.choice(1000, rows, p=_ZIPF)
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), _NAMES)


KINDS: Final[dict[str, Draw]] = {
    "normal": lambda random, rows, _: pa.array(random.normal(size=rows)),
    "heavy-tailed": lambda random, rows, _: pa.array(random.standard_cauchy(rows)),
    "tied": lambda random, rows, _: pa.array(random.poisson(4, rows).astype(float)),
    "zero-inflated": lambda random, rows, _: pa.array(
        np.where(random.random(rows) < 0.74, 0.0, random.lognormal(0, 1, rows))
    ),
    "many-level": _many_levels,
}
"""Cauchy; Poisson with mean 4; 74 % zeros; by turns 1,000 levels by Zipf's law and 200 equal."""

MIXED: Final = "all five"

POWER_SIZES: Final = (500, 1000, 2000, 10_000)
_BESIDE: Final = 49

Law = Callable[[np.random.Generator, int], np.ndarray]
"""Float64 for a number, text for a category."""


def _normal(mean: float, deviation: float = 1.0) -> Law:
    return lambda random, rows: random.normal(mean, deviation, rows)


def _count(mean: float) -> Law:
    return lambda random, rows: random.poisson(mean, rows).astype(float)


def _flag(share: float) -> Law:
    return lambda random, rows: (random.random(rows) < share).astype(str)


def _levels(*shares: float) -> Law:
    return lambda random, rows: random.choice(len(shares), rows, p=shares).astype(str)


_EVEN = _levels(0.2, 0.2, 0.2, 0.2, 0.2)

SHIFTS: Final[dict[str, tuple[Law, Law]]] = {
    **{f"mean by {by:g} sd": (_normal(0), _normal(by)) for by in (0.25, 0.35, 0.5, 0.7, 1.0)},
    **{f"sd times {by:g}": (_normal(0), _normal(0, by)) for by in (1.25, 1.5, 2.0)},
    **{f"count, mean 4 to {to:g}": (_count(4), _count(to)) for to in (4.5, 5, 6)},
    **{f"count, mean 0.2 to {to:g}": (_count(0.2), _count(to)) for to in (0.3, 0.5)},
    **{
        f"flag, {was:g} % to {now:g} %": (_flag(was / 100), _flag(now / 100))
        for was, now in ((2, 4), (2, 10), (30, 40), (30, 50))
    },
    "one of 5 levels, 20 % to 30 %": (_EVEN, _levels(0.3, 0.175, 0.175, 0.175, 0.175)),
    "one of 5 levels, 20 % to 40 %": (_EVEN, _levels(0.4, 0.15, 0.15, 0.15, 0.15)),
}
"""Laws of the reference and of the current window."""


@dataclass(frozen=True)
class Alarms:
    """What was called without any drift in one cell, or in several together."""

    kind: str
    features: int
    """0 where several numbers of features stand together."""
    rows: int
    """0 where several sizes stand together."""
    seen: Seen
    """``columns``: features and gates; ``report``: the whole report, classifier included."""
    pairs: int
    drift: int
    blocked: int
    notice: int


@dataclass(frozen=True)
class Found:
    """What was called of a shift that is there, in one feature of fifty."""

    shift: str
    rows: int
    psi: float
    """Mean over the pairs."""
    pairs: int
    drift: int
    notice: int
    """Notice or more; a gate's block counts as neither."""
    blocked: int


@dataclass(frozen=True)
class _Cell:
    """Pairs that one job draws."""

    place: int
    kind: str
    features: int
    rows: int
    seen: Seen
    pairs: int
    source: str | None = None
    """Real rows are drawn from it with replacement."""

    def __str__(self) -> str:
        """Return the cell in words."""
        wide = f"{self.features} features, " if self.features else ""
        return f"{self.kind}, {wide}{self.rows} rows, {self.seen}: {self.pairs} pairs"


@dataclass(frozen=True)
class _Power:
    """Pairs with a shift in one of fifty features."""

    shift: str
    rows: int
    pairs: int

    def __str__(self) -> str:
        """Return the cell in words."""
        return f"{self.shift}, {self.rows} rows: {self.pairs} pairs"


def exact_interval(count: int, pairs: int) -> tuple[float, float]:
    """Return Clopper and Pearson's 95 % interval of a share.

    >>> [round(bound, 4) for bound in exact_interval(0, 368)]
    [0.0, 0.01]
    """
    low = float(special.betaincinv(count, pairs - count + 1, 0.025)) if count else 0.0
    high = float(special.betaincinv(count + 1, pairs - count, 0.975)) if count < pairs else 1.0
    return low, high


def measure_alarms(
    *, share: float, workers: int | None, sources: Sequence[str], show: Callable[[str], None]
) -> tuple[Alarms, ...]:
    """Count levels of pairs without drift.

    Args:
        share: of the declared pairs, in (0, 1]; each cell keeps one at least.
        workers: processes; None takes one a core.
        sources: files of real rows beside those that come with scikit-learn.
        show: told a line a cell.
    """
    cells = [_shortened(cell, share) for cell in _cells(sources)]
    return tuple(_mapped(_alarms, cells, workers=workers, show=show))


def measure_power(
    *, share: float, workers: int | None, show: Callable[[str], None]
) -> tuple[Found, ...]:
    """Count what is found of declared shifts; see ``measure_alarms``."""
    declared = {name: PROMISED.get(name, POWER_PAIRS) for name in SHIFTS}
    cells = [
        _Power(name, rows, max(1, round(pairs * share)))
        for name, pairs in declared.items()
        for rows in POWER_SIZES
    ]
    return tuple(_mapped(_found, cells, workers=workers, show=show))


def pooled(alarms: Sequence[Alarms], *, by: Literal["kind", "features", "rows"]) -> list[Alarms]:
    """Add up cells that share a kind, a number of features or a size, in their order."""
    found: dict[tuple[object, Seen], Alarms] = {}
    for cell in alarms:
        key = getattr(cell, by), cell.seen
        bare = replace(cell, kind="", features=0, rows=0)
        named = replace(bare, **{by: key[0]})
        before = found.get(key)
        found[key] = named if before is None else _added(before, named)
    return list(found.values())


def _added(first: Alarms, second: Alarms) -> Alarms:
    counts = ("pairs", "drift", "blocked", "notice")
    return replace(first, **{n: getattr(first, n) + getattr(second, n) for n in counts})


def _mapped(
    work: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    *,
    workers: int | None,
    show: Callable[[str], None],
) -> Iterator[_Result]:
    processes = min(workers or os.cpu_count() or 1, len(jobs))
    with ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_warm_up
    ) as pool:
        for done, (job, result) in enumerate(zip(jobs, pool.map(work, jobs), strict=True), 1):
            show(f"[{done}/{len(jobs)}] {job}")
            yield result


def _warm_up() -> None:
    """Load what has threads of its own, so that the work can hold them to one."""
    importlib.import_module("sklearn.ensemble")


def _cells(sources: Sequence[str]) -> Iterator[_Cell]:
    kinds = (*KINDS, MIXED)
    named = [(kind, None) for kind in kinds] + [(_name(uri), uri) for uri in (*REAL, *sources)]
    place = 0
    plans: tuple[tuple[Seen, dict[int, int]], ...] = (
        ("columns", COLUMN_PAIRS),
        ("report", REPORT_PAIRS),
    )
    for seen, pairs in plans:
        for kind, source in named:
            for features in pairs:
                if seen == "report" and source is None and kind != MIXED:
                    continue
                if source is not None and features != min(pairs):  # it has as many as it has
                    continue
                for rows in SIZES:
                    wide, count = features, pairs[features]
                    if source is not None:
                        wide, count = 0, REAL_PAIRS[seen]
                    yield _Cell(place, kind, wide, rows, seen, count, source)
                    place += 1


def _name(source: str) -> str:
    return f"rows of {Path(source).name.split('.')[0]}"


def _shortened(cell: _Cell, share: float) -> _Cell:
    return replace(cell, pairs=max(1, round(cell.pairs * share)))


def _alarms(cell: _Cell) -> Alarms:
    """Run in a child."""
    levels: list[str] = []
    features = cell.features
    with threadpool_limits(limits=1):
        for pair in range(cell.pairs):
            random = np.random.default_rng([_SEED, cell.place, pair])
            tables = [_table(random, cell) for _ in range(2)]
            features = features or tables[0].num_columns
            levels.append(_level(tables, cell.seen))
    return Alarms(
        cell.kind,
        features,
        cell.rows,
        cell.seen,
        len(levels),
        *(levels.count(level) for level in ("drift", "blocked", "notice")),
    )


def _level(tables: Sequence[pa.Table], seen: Seen) -> str:
    if seen == "report":
        return drift.compare(*tables).level
    features, gates = feature_drift(pair_windows(tables[0], tables[1], None))
    levels = {feature.level for feature in features}
    if any(gate.level == "block" for gate in gates):
        return "blocked"
    found = ("drift" if "drift" in levels else "", "notice" if "notice" in levels else "")
    return next(filter(None, found), "none")


def _table(random: np.random.Generator, cell: _Cell) -> pa.Table:
    if cell.source is not None:
        real = _real(cell.source)
        return real.take(pa.array(random.integers(0, real.num_rows, cell.rows)))
    names = tuple(KINDS) if cell.kind == MIXED else (cell.kind,)
    columns = {}
    for number in range(cell.features):
        draw = KINDS[names[number % len(names)]]
        columns[f"x{number}"] = draw(random, cell.rows, number // len(names))
    return pa.table(columns)


@cache
def _real(source: str) -> pa.Table:
    return read_table(source, base=Path.cwd())


def _found(cell: _Power) -> Found:
    """Run in a child: the shifted feature is judged beside 49 that did not move."""
    place = list(SHIFTS).index(cell.shift)
    laws = SHIFTS[cell.shift]
    with threadpool_limits(limits=1):
        beside = _beside(cell.rows)
        judgements = [
            _judged(
                laws, np.random.default_rng([_SEED, 1, place, cell.rows, pair]), cell.rows, beside
            )
            for pair in range(cell.pairs)
        ]
    levels = [level for level, _ in judgements]
    return Found(
        cell.shift,
        cell.rows,
        float(np.mean([index for _, index in judgements])),
        len(levels),
        levels.count("drift"),
        sum(level in ("drift", "notice") for level in levels),
        levels.count("blocked"),
    )


@cache
def _beside(rows: int) -> tuple[Measured, ...]:
    """Measure 49 columns of all kinds that did not move; Holm counts them."""
    random = np.random.default_rng([_SEED, 2, rows])
    cell = _Cell(0, MIXED, _BESIDE, rows, "columns", 1)
    pair = pair_windows(_table(random, cell), _table(random, cell), None)
    return tuple(measured_features(pair)[0])


def _judged(
    laws: tuple[Law, Law], random: np.random.Generator, rows: int, beside: tuple[Measured, ...]
) -> tuple[str, float]:
    """Return the shifted feature's level and index."""
    tables = [pa.table({"shifted": law(random, rows)}) for law in laws]
    pair = pair_windows(tables[0], tables[1], None)
    measured, gates = measured_features(pair)
    feature = judged([*measured, *beside], alpha=_ALPHA, weights={})[0]
    is_blocked = any(gate.level == "block" for gate in gates)
    return "blocked" if is_blocked else feature.level, feature.psi or 0.0
