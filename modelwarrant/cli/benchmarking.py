"""How does the benchmark of decisions run on a laptop? In a pool of processes, one stream a job.

What a finished stream gave lies in a folder beside the results, under the digest of all it was made
from, this program's code included: a run that was ended goes on where it was.
"""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

import modelwarrant
from modelwarrant.backtest import (
    QUICK,
    RULES,
    TABLES,
    Setting,
    Shelf,
    Stream,
    declared_streams,
    quick_streams,
    rule_of,
    score,
    scores_table,
    summarise,
)
from modelwarrant.backtest.guarantees import QUICK_SCALE, Scale, guarantees
from modelwarrant.canonical import Json, canonical_json, digest_bytes
from modelwarrant.cli.children import begin
from modelwarrant.cli.ruling import load_policy
from modelwarrant.errors import DataError
from modelwarrant.policy import Policy
from modelwarrant.records import BacktestScore, BacktestSummary
from modelwarrant.records.backtest import Guarantee
from modelwarrant.reports import backtest_page
from modelwarrant.simulation import parse_scenario
from modelwarrant.simulation.bases import base_of
from modelwarrant.sources import infer, read_table
from modelwarrant.windows import Window, typed_window

__all__ = ["Results", "compare_decisions"]

_TELLING = frozenset({"cli", "registry", "reports", "stage", "storage", "telemetry"})
"""Rooms that tell or keep what was found, and change no score."""

_PROMISES_SEED = 20261125
"""Of the checks where the right answer is certain; never changed for a result."""


@dataclass(frozen=True)
class Results:
    """What was measured, and where it lies."""

    summary: BacktestSummary
    files: tuple[Path, ...]


@dataclass(frozen=True)
class _Job:
    """What a child needs to know to run one stream."""

    stream: Stream
    setting: Setting
    rules: tuple[str, ...]
    policy: Policy
    tables: Path | None


def compare_decisions(
    *,
    quick: bool,
    scenarios: Sequence[str],
    rules: Sequence[str],
    seeds: int,
    most: int,
    workers: int | None,
    policy: Path | None,
    tables: Path | None,
    to: Path,
    show: Callable[[str], None],
) -> Results:
    """Run rules over streams in a pool of processes, and write table, summary and page.

    Args:
        quick: the streams for CI instead of the declared fraction.
        scenarios: only these, each with every seed; empty for the declared ones.
        rules: only these; empty for all.
        seeds: how many.
        most: streams at most.
        workers: processes; None takes one a core.
        policy: file of the promotion policy; None takes the shipped one.
        tables: folder of the real tables; None takes simulated streams only.
        to: folder of the results.
        show: told a line a stream.

    Raises:
        DataError: no such scenario, a real table that is not there, or fewer streams than seeds.
        PolicyError: no such rule, or a broken policy.
    """
    rulebook = load_policy(policy)
    chosen = tuple(dict.fromkeys(rules)) or RULES
    for name in chosen:
        rule_of(name, rulebook)
    present = _present(tables)
    streams = _streams(
        quick=quick, scenarios=scenarios, seeds=seeds, most=most, tables=tuple(present)
    )
    setting = QUICK if quick else Setting()
    shelf = Shelf(to / "scores", salt=_code())
    jobs = [_Job(stream, setting, chosen, rulebook, tables) for stream in streams]
    found = [score for scores in _scored(jobs, shelf, workers, show) for score in scores]
    promises = () if scenarios or rules else _promises(rulebook, shelf, quick=quick, show=show)
    return _write(found, chosen, promises, to)


def _present(folder: Path | None) -> Mapping[str, Path]:
    """Return the real tables whose files are in a folder."""
    if folder is None:
        return {}
    files = {name: folder / table.file for name, table in TABLES.items()}
    present = {name: path for name, path in files.items() if path.is_file()}
    if not present:
        raise DataError(
            f"{folder} holds none of {', '.join(path.name for path in files.values())}: name the "
            "folder that does, or leave --tables out for simulated streams alone"
        )
    return present


def _streams(
    *, quick: bool, scenarios: Sequence[str], seeds: int, most: int, tables: Sequence[str]
) -> tuple[Stream, ...]:
    if scenarios:
        texts = dict.fromkeys(parse_scenario(scenario).text for scenario in scenarios)
        streams = tuple(Stream(text, seed) for seed in range(seeds) for text in texts)
        for stream in streams:
            _demand_base(stream, tables)
    elif quick:
        streams = quick_streams()
    else:
        streams = declared_streams(seeds=seeds, most=most, tables=tables)
    if not streams:
        raise DataError(f"{most} streams are fewer than {seeds} seeds: take one a seed at least")
    return streams[:most]


def _demand_base(stream: Stream, tables: Sequence[str]) -> None:
    """Refuse a base that is neither simulated nor a real table that is here."""
    if stream.table is None:
        base_of(stream.scenario.partition("/")[0])
    elif stream.table not in tables:
        raise DataError(
            f"scenario {stream.scenario}: {TABLES[stream.table].file} is needed; name its folder "
            "with --tables"
        )


def _code() -> str:
    """Return the digest of the code that scores a stream: with other code no kept result counts."""
    folder = Path(modelwarrant.__file__).parent
    files = [path for path in folder.rglob("*") if path.suffix in (".py", ".yaml")]
    scoring = sorted(path for path in files if path.relative_to(folder).parts[0] not in _TELLING)
    return digest_bytes(b"".join(path.read_bytes() for path in scoring))


def _scored(
    jobs: Sequence[_Job], shelf: Shelf, workers: int | None, show: Callable[[str], None]
) -> Iterator[tuple[BacktestScore, ...]]:
    """Yield each stream's scores: those that lie on the shelf, then the others as they end."""
    waiting = []
    for job in jobs:
        known = shelf.get(_key(shelf, job))
        if known is None:
            waiting.append(job)
        else:
            yield tuple(BacktestScore.model_validate(each) for each in json.loads(known))
    if len(waiting) < len(jobs):
        show(f"{len(jobs) - len(waiting)} of {len(jobs)} streams lie in {shelf.folder} already")
    began = time.monotonic()
    for done, (job, scores) in enumerate(_pooled(waiting, workers), start=1):
        shelf.put(
            _key(shelf, job), canonical_json([each.model_dump(mode="json") for each in scores])
        )
        left = (time.monotonic() - began) / done * (len(waiting) - done)
        stream = job.stream
        show(
            f"[{done}/{len(waiting)}] {stream.scenario}, seed {stream.seed}; "
            f"{left / 60:.0f} min left"
        )
        yield scores


def _key(shelf: Shelf, job: _Job) -> str:
    setting: dict[str, Json] = {
        **asdict(job.setting),
        "recipe": job.setting.recipe.model_dump(mode="json"),
    }
    stream: list[Json] = [job.stream.scenario, job.stream.seed]
    return shelf.key("scores", stream, setting, list(job.rules), job.policy.digest)


def _pooled(
    jobs: Sequence[_Job], workers: int | None
) -> Iterator[tuple[_Job, tuple[BacktestScore, ...]]]:
    """Run jobs in a pool of processes, and yield each as it ends."""
    if not jobs:
        return
    processes = min(workers or os.cpu_count() or 1, len(jobs))
    pool = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=begin
    )
    try:
        running = {pool.submit(_score, job): job for job in jobs}
        for ended in as_completed(running):
            yield running[ended], ended.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _score(job: _Job) -> tuple[BacktestScore, ...]:
    """Run in a child: processes are the parallelism, threads would only get in their way."""
    name = job.stream.table
    table = None if name is None or job.tables is None else _table(name, job.tables)
    with threadpool_limits(limits=1):
        return score(job.stream, job.setting, job.rules, job.policy, table=table)


@cache
def _table(name: str, folder: Path) -> Window:
    """Read a real table, once a process."""
    wanted = TABLES[name]
    rows = read_table(str(folder / wanted.file), base=Path.cwd())
    rows = rows.drop_columns(list(wanted.left_out))
    return typed_window(rows, infer(rows, target=wanted.target).schema)


def _promises(
    policy: Policy, shelf: Shelf, *, quick: bool, show: Callable[[str], None]
) -> tuple[Guarantee, ...]:
    """Check what the policy promises, or take what lies on the shelf."""
    scale = QUICK_SCALE if quick else Scale()
    key = shelf.key("promises", dict(asdict(scale)), policy.digest)
    known = shelf.get(key)
    if known is not None:
        return tuple(Guarantee.model_validate(each) for each in json.loads(known))
    begin()
    found = []
    with threadpool_limits(limits=1):
        for each in guarantees(policy, scale, seed=_PROMISES_SEED):
            show(f"{each.name}: {each.found} of {each.of}, {each.side} {each.limit:.0%} declared")
            found.append(each)
    shelf.put(key, canonical_json([each.model_dump(mode="json") for each in found]))
    return tuple(found)


def _write(
    scores: Sequence[BacktestScore],
    rules: Sequence[str],
    promises: Sequence[Guarantee],
    to: Path,
) -> Results:
    order = {rule: place for place, rule in enumerate(rules)}
    ordered = sorted(scores, key=lambda each: order[each.rule])
    summary = summarise(ordered, guarantees=promises)
    to.mkdir(parents=True, exist_ok=True)
    files = to / "decisions.parquet", to / "summary.json", to / "index.html"
    pq.write_table(scores_table(ordered), files[0], compression="zstd")
    files[1].write_bytes(summary.to_bytes())
    files[2].write_text(backtest_page(summary), encoding="utf-8")
    return Results(summary, files)
