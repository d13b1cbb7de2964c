"""How do a model's weeks pass: answered, logged, labelled, watched, retrained?

The time is played, everything else is real. Rows come from ``warrant simulate``'s room, so what is
true of each week is known; the service's own code answers and logs them, people and monitor type
the commands that anybody would type.
"""

import multiprocessing
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from modelwarrant.cli.demo import EXIT_NEEDS_APPROVAL
from modelwarrant.cli.monitoring import EXITS
from modelwarrant.cli.playing import Typist
from modelwarrant.cli.season_service import Batch, answer_batches
from modelwarrant.errors import WarrantError
from modelwarrant.simulation import parse_scenario, simulate
from modelwarrant.windows import ORDER

__all__ = ["AS_LEARNT", "BATCH", "MODEL", "Drawn", "Weeks", "World"]

MODEL: Final = "loan-default"
WEEK: Final = timedelta(days=7)
BEGIN: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
"""Monday morning of the first week."""

BATCH: Final = 250
"""Rows of a request."""

LABELLED: Final = 0.2
"""Share of a week's answers whose outcome somebody looks up."""

_NAMES: Final = {
    "x1": "debt",
    "x2": "instalments",
    "x3": "years_at_job",
    "spare": "call_minutes",
    "site": "branch",
    "y": "defaulted",
}

PROJECT: Final = f"""\
model: {MODEL}
task: classification
source: data/*.parquet
target: defaulted
classes: ["no", "yes"]
positive: "yes"
time: asked
features:
  debt: {{kind: number}}
  instalments: {{kind: number}}
  years_at_job: {{kind: number}}
  call_minutes: {{kind: number}}
  branch: {{kind: category, categories: [north, south, west]}}
windows:
  {{reference: 2025-11-10..2025-12-08, current: 2025-12-08..2026-01-05, final: 0.3, train: current}}
recipe:
  model: hist_gradient_boosting
  seed: 7
  parameters: {{max_iter: 60, min_samples_leaf: 50}}
owner: team-credit
purpose: decides who is called before a loan is granted
monitor_every: 10d
"""


@dataclass(frozen=True)
class World:
    """What is true while it lasts; who works with the model does not know it."""

    scenario: str
    dearer: float = 0.0
    """Added to every instalment."""


AS_LEARNT: Final = World("loans/none")


class Weeks:
    """The weeks, one after the other, and what lies around after each of them."""

    def __init__(self, folder: Path, *, rows: int = 5000, is_quiet: bool = False) -> None:
        """Begin in a folder, which is made anew.

        Args:
            folder: where project, data, store and keys lie.
            rows: predictions a week, in requests of ``BATCH``.
            is_quiet: print nothing.
        """
        if folder.exists():
            shutil.rmtree(folder)
        (folder / "data").mkdir(parents=True)
        (folder / "warrant.yaml").write_text(PROJECT)
        self.typist = Typist(folder, at=BEGIN, is_quiet=is_quiet)
        self._folder = folder
        self._rows = rows
        self._week = 0
        self._seed = 100
        self._kept: dict[str, pa.Table] = {}
        """Each week's rows with their outcomes, by the week's name."""
        self._told: Any = None

    def first_model(self) -> None:
        """Learn from eight weeks before the season."""
        rows = self._draw(AS_LEARNT, BEGIN - 8 * WEEK, weeks=8, rows=12_000)
        self._write("before", rows.table)
        self._decide("run", reason="beats a constant answer by far")

    @contextmanager
    def service(self) -> Iterator[None]:
        """Answer and log in a process of its own, as long as the block lasts."""
        entry = self.typist.ask("history", MODEL)["entries"][0]
        context = multiprocessing.get_context("spawn")
        self._told, other = context.Pipe()
        store = str((self._folder / ".warrant").resolve())
        arguments = (other, store, MODEL, entry["digest"])
        process = context.Process(target=answer_batches, args=arguments, daemon=True)
        process.start()
        other.close()
        try:
            yield
        finally:
            self._told.close()
            process.join(10)

    def live(self, world: World, *, labelled: float = LABELLED) -> None:
        """Let a week pass: rows are asked about, answered and logged; some outcomes are known."""
        begin = BEGIN + self._week * WEEK
        name = f"week-{self._week:02d}"
        drawn = self._draw(world, begin, weeks=1, rows=self._rows)
        self._told.send(list(drawn.batches(name)))
        version = self._told.recv()
        self._kept[name] = drawn.table
        self._week += 1
        self.typist = replace(self.typist, at=begin + WEEK)
        self.typist.tell(f"{begin:%d %b}: {self._rows:,} answers of version {version}")
        if labelled:
            ids = drawn.ids(name)
            chosen = np.random.default_rng(self._seed).random(self._rows) < labelled
            self._label({key: n for n, key in enumerate(ids) if chosen[n]}, drawn.table)

    def monitor(self, *, expect: str) -> Mapping[str, Any]:
        """Make the Monday's pass; it must end as the story says."""
        self._pass_an_hour()
        words = ("monitor", MODEL, "--no-start")
        self.typist.show(*words)
        found: Mapping[str, Any] = self.typist.ask(*words, allowed=tuple(EXITS.values()))
        self.typist.tell(f"{found['action'].upper()}: {found['reason']}")
        if found["action"] != expect:
            raise WarrantError(
                f"the monitor said {found['action']}, the story goes on with {expect}"
            )
        return found

    def label_sample(self, asked: Mapping[str, Any]) -> None:
        """Look up the outcomes of the answers that the monitor asked for."""
        wanted = pyarrow.csv.read_csv(asked["sample"])
        keys = zip(wanted["request_id"].to_pylist(), wanted["row"].to_pylist(), strict=True)
        by_week: dict[str, dict[tuple[str, int], int]] = {}
        for id, row in keys:
            week, _, batch = id.rpartition("-b")
            place = int(batch) * BATCH + row
            by_week.setdefault(week, {})[id, row] = place
        for week, places in sorted(by_week.items()):
            self._label(places, self._kept[week])

    def retrain(self, *, weeks: int, reason: str) -> None:
        """Learn from the newest weeks, whose outcomes are all known now."""
        for number in range(self._week - weeks, self._week):
            name = f"week-{number:02d}"
            self._write(name, self._kept[name])
        first = BEGIN + (self._week - weeks) * WEEK
        window = f"{first:%Y-%m-%dT%H:%M}..{BEGIN + self._week * WEEK:%Y-%m-%dT%H:%M}"
        self._decide("run", "--current", window, reason=reason)

    def _decide(self, *words: str, reason: str) -> None:
        """Run, and let a second person approve."""
        self._pass_an_hour()
        self.typist.show(*words)
        found = self.typist.ask(*words, allowed=(0, EXIT_NEEDS_APPROVAL))
        self.typist.tell(f"{found['verdict']}: {found['reason']}")
        if found["outcome"] is None:
            self._pass_an_hour()
            second = replace(self.typist, actor="second-person")
            second.type("approve", found["request"], "--reason", reason)

    def _pass_an_hour(self) -> None:
        at = self.typist.at or BEGIN
        self.typist = replace(self.typist, at=at + timedelta(hours=1))

    def _label(self, places: Mapping[tuple[str, int], int], table: pa.Table) -> None:
        """Hand in the outcomes of some answers, by the place of each in its week."""
        path = self._folder / "outcomes.csv"
        outcomes = table["defaulted"].take(pa.array(list(places.values()), pa.int64()))
        columns = {
            "request_id": [id for id, _ in places],
            "row": [row for _, row in places],
            "label": outcomes.cast(pa.string()).combine_chunks(),
        }
        pyarrow.csv.write_csv(pa.table(columns), path)
        self._pass_an_hour()
        self.typist.type("labels", "add", path.name, "--key", "request_id")

    def _draw(self, world: World, begin: datetime, *, weeks: int, rows: int) -> "Drawn":
        self._seed += 1
        scenario = parse_scenario(world.scenario, onset=1e-6)
        window, _ = simulate(scenario, rows=rows, seed=self._seed)
        table = window.table.drop_columns([ORDER])
        table = table.rename_columns([_NAMES.get(name, name) for name in table.column_names])
        dearer = pa.array(np.asarray(table["instalments"]) + world.dearer)
        place = table.schema.get_field_index("instalments")
        table = table.set_column(place, "instalments", dearer)
        instants = max(20, rows // (BATCH * weeks))  # of a week
        per = -(-rows // (instants * weeks))
        moments = [begin + (n // per) * (WEEK / instants) for n in range(rows)]
        asked = pa.array(moments, pa.timestamp("us", tz="UTC"))
        return Drawn(table.add_column(0, "asked", asked), moments)

    def _write(self, name: str, table: pa.Table) -> None:
        pq.write_table(table, self._folder / "data" / f"{name}.parquet")


@dataclass(frozen=True)
class Drawn:
    """Rows with their outcomes, oldest first."""

    table: pa.Table
    moments: list[datetime]

    def ids(self, week: str) -> list[tuple[str, int]]:
        """Return request id and row of each."""
        return [(f"{week}-b{n // BATCH:02d}", n % BATCH) for n in range(len(self.table))]

    def batches(self, week: str) -> Iterator[Batch]:
        """Yield the requests that ask about the rows."""
        rows = self.table.drop_columns(["asked", "defaulted"]).to_pylist()
        for begin in range(0, len(rows), BATCH):
            id = f"{week}-b{begin // BATCH:02d}"
            yield Batch(id, self.moments[begin], rows[begin : begin + BATCH])
