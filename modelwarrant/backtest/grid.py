"""Which streams does the benchmark of decisions run over, declared before anybody looks?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from modelwarrant.backtest.course import Course
from modelwarrant.backtest.laps import cut_into_laps
from modelwarrant.backtest.scoring import run_backtest
from modelwarrant.evaluation import DEFAULT_METRIC
from modelwarrant.policy import Policy
from modelwarrant.records import Recipe
from modelwarrant.records.backtest import BacktestScore
from modelwarrant.simulation import BASES, TABLE, inject, parse_scenario, simulate
from modelwarrant.windows import Window

__all__ = [
    "FAULTS",
    "QUICK",
    "RECIPE",
    "SHUFFLED",
    "TABLES",
    "Setting",
    "Stream",
    "Table",
    "course_of",
    "declared_streams",
    "drawn",
    "quick_streams",
    "score",
]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Table:
    """Rows from the real world that shifts are put into."""

    file: str
    target: str
    left_out: tuple[str, ...] = ()
    """Columns that are known only after the target, or that number the rows."""


TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "electricity": Table("electricity_elec2.csv.gz", "class", ("timestamp",)),
        "adult": Table("adult_control.csv.gz", "income"),
        "flights": Table(
            "nycflights_2013_sample.csv.gz",
            "delayed15",
            (
                *("timestamp", "year", "dep_time", "dep_delay", "arr_time", "arr_delay"),
                *("tailnum", "air_time", "dep_type", "avg_speed"),
            ),
        ),
        "bike": Table(
            "bike_sharing_hour.csv.gz",
            "cnt",
            ("instant", "timestamp", "dteday", "casual", "registered"),
        ),
        "beijing": Table("beijing_pm25.csv.gz", "pm25", ("timestamp", "No")),
    }
)
"""Real tables that are used where their files are given. What scikit-learn ships is not among them:
its largest table (digits, 1,797 rows) makes no window of 2,000."""

FAULTS: Final = ("unit", "stuck", "missing")
"""Kinds that a data owner would mend."""
SHUFFLED: Final = "shuffled"
"""A control: no shift, and labels dealt out anew, so that nothing can be learned."""
_KINDS: Final = (
    "none",
    "covariate",
    "prior",
    "concept",
    "concept_subgroup",
    "harmless",
    *FAULTS,
    SHUFFLED,
)
_SHAPES: Final = ("abrupt", "gradual", "recurring")
_FAULT_SHAPES: Final = ("abrupt", "passing")
"""For ever, and mended after two and a half windows."""
SIZES: Final = (0.125, 0.25, 0.5, 1.0, 2.0)
_CHOOSING: Final = ("covariate", "prior")
_LARGEST_CHOICE: Final = 0.5
"""A regime that is chosen from a table's rows uses rows up: of a larger one too few are left."""
_QUICK: Final = (
    *("loans/none", "loans/covariate", "sea/prior/gradual", "sea/concept", "loans/unit/passing"),
    *("sine/concept_subgroup", "sine/harmless", "friedman/none", "friedman/covariate/gradual"),
    *("friedman/stuck", "rents/concept/recurring", "rents/unit/passing", "rents/harmless"),
    *("circuit/concept/gradual", "circuit/prior", "circuit/missing", "loans/shuffled/abrupt/0"),
)
_DRAW: Final = 20261125
"""Seed of the declared fraction; never changed for a result."""

RECIPE: Final = Recipe(model="hist_gradient_boosting", parameters={"max_iter": 40})
"""The models of the benchmark: small enough that a stream takes seconds."""


@dataclass(frozen=True)
class Stream:
    """One stream of the benchmark."""

    scenario: str
    """``BASE/KIND/SHAPE/SIZE``; the base is a simulated one or one of ``TABLES``."""
    seed: int

    @property
    def table(self) -> str | None:
        """Name of the real table that the shift is put into; None for a simulated stream."""
        base = self.scenario.partition("/")[0]
        return base if base in TABLES else None


@dataclass(frozen=True)
class Setting:
    """How every stream is cut and every model made."""

    rows: int = 20_000
    """At most: a table can have fewer."""
    windows: int = 10
    """At most; each has the same number of rows, a shorter stream has fewer windows."""
    final: float = 0.3
    """600 rows judge each decision: above the policy's 500."""
    onset: float = 0.45
    """In the middle of a window: no window knows when the world changes."""
    width: float = 0.25
    """Share of the stream over which a shift comes, or for which it stays: 2.5 windows."""
    recipe: Recipe = RECIPE


def declared_streams(*, seeds: int, most: int, tables: Sequence[str] = ()) -> tuple[Stream, ...]:
    """Return the declared fraction of bases x kinds x shapes x sizes x seeds.

    Each seed takes the same number of streams, drawn without looking. Kinds take turns, and within
    a kind bases, and pairs of shape and size: over all seeds each comes about equally often. What
    was drawn before counts once. More streams begin with the same ones: a longer run goes on where
    a shorter one ended.

    Args:
        seeds: at least 1.
        most: streams at most, at least one a seed.
        tables: names of the real tables whose rows are there, of ``TABLES``.

    >>> streams = declared_streams(seeds=20, most=600)
    >>> len(streams), streams == declared_streams(seeds=20, most=600)
    (586, True)
    """
    rng = np.random.default_rng(_DRAW)
    kinds = _turns(_KINDS, rng)
    bases = {kind: _turns((*BASES, *tables), rng) for kind in _KINDS}
    shifts = {
        kind: _turns(
            [(s, z) for s in (_FAULT_SHAPES if kind in FAULTS else _SHAPES) for z in SIZES], rng
        )
        for kind in _KINDS
    }
    found = []
    for seed in [*range(seeds)] * (most // seeds):
        kind = next(kinds)
        base, (shape, size) = next(bases[kind]), next(shifts[kind])
        if base in TABLES and kind in _CHOOSING:
            size = min(size, _LARGEST_CHOICE)
        if kind == SHUFFLED:
            found.append(Stream(f"{base}/{kind}/{shape}/0", seed))
        else:
            found.append(Stream(parse_scenario(f"{base}/{kind}/{shape}/{size}").text, seed))
    return tuple(dict.fromkeys(found))


def _turns(items: Sequence[Item], rng: np.random.Generator) -> Iterator[Item]:
    """Yield items for ever, each once before any comes again, in an order drawn anew each time."""
    while True:
        for index in rng.permutation(len(items)):
            yield items[index]


def quick_streams() -> tuple[Stream, ...]:
    """Return a stream for all that a change of code should not break: two minutes."""
    return tuple(
        Stream(text if SHUFFLED in text else parse_scenario(text).text, 1) for text in _QUICK
    )


QUICK: Final = Setting(rows=14_000, windows=7)
"""Five decisions a stream; the same windows."""


def course_of(window: Window, setting: Setting, *, source: str) -> Course:
    """Return a stream's course, its decisions about the default metric of its task."""
    windows = min(setting.windows, len(window) * setting.windows // setting.rows)
    laps = cut_into_laps(window, windows=windows, final=setting.final, source=source)
    metric = DEFAULT_METRIC[window.schema.task or "regression"]
    return Course(laps, setting.recipe, metric)


def drawn(stream: Stream, setting: Setting, table: Window | None = None) -> Window:
    """Draw a stream's rows.

    Args:
        stream: what to draw.
        setting: length, onset and widths.
        table: rows of the stream's real table; None for a simulated stream.

    Raises:
        DataError: no such scenario, or rows that are missing or too few.
    """
    base, kind, *rest = stream.scenario.split("/")
    shift = "none" if kind == SHUFFLED else "/".join([kind, *rest])
    scenario = parse_scenario(
        f"{base if table is None else TABLE}/{shift}", onset=setting.onset, width=setting.width
    )
    if table is None:
        window = simulate(scenario, rows=setting.rows, seed=stream.seed)[0]
    else:
        window = inject(table, scenario, seed=stream.seed, rows=setting.rows)[0]
    return _shuffled(window, stream.seed) if kind == SHUFFLED else window


def _shuffled(window: Window, seed: int) -> Window:
    """Return the rows with each other's labels."""
    name = window.schema.target or ""
    place = window.table.column_names.index(name)
    order = np.random.default_rng(seed).permutation(len(window))
    labels = window.table.column(name).take(pa.array(order))
    return Window(window.schema, window.table.set_column(place, name, labels))


def score(
    stream: Stream,
    setting: Setting,
    rules: Sequence[str],
    policy: Policy,
    *,
    table: Window | None = None,
) -> tuple[BacktestScore, ...]:
    """Draw a stream and run every rule over it.

    Args:
        stream: what to draw.
        setting: how it is cut.
        rules: names, of ``RULES``.
        policy: the promotion policy behind ``policy-*``.
        table: rows of the stream's real table; None for a simulated stream.

    Raises:
        DataError: no such scenario.
        PolicyError: no such rule.
    """
    course = course_of(drawn(stream, setting, table), setting, source=stream.scenario)
    is_shifted = stream.scenario.split("/")[1] not in ("none", SHUFFLED)
    shifted = int(setting.onset * len(course.laps)) if is_shifted else None
    return tuple(
        run_backtest(
            course,
            rule,
            policy,
            scenario=stream.scenario,
            seed=stream.seed,
            shifted=shifted,
        )
        for rule in rules
    )
