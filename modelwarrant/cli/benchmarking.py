"""How does the benchmark of decisions run on a laptop? In a pool of processes, one stream a job."""

import importlib
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from modelwarrant.backtest import (
    QUICK,
    RULES,
    Setting,
    Stream,
    declared_streams,
    quick_streams,
    rule_of,
    score,
    scores_table,
    summarise,
)
from modelwarrant.cli.ruling import load_policy
from modelwarrant.errors import DataError
from modelwarrant.policy import Policy
from modelwarrant.records import BacktestScore, BacktestSummary
from modelwarrant.reports import backtest_page
from modelwarrant.simulation import parse_scenario
from modelwarrant.simulation.bases import base_of

__all__ = ["Results", "compare_decisions"]


@dataclass(frozen=True)
class Results:
    """What was measured, and where it lies."""

    summary: BacktestSummary
    files: tuple[Path, ...]


def compare_decisions(
    *,
    quick: bool,
    scenarios: Sequence[str],
    rules: Sequence[str],
    seeds: int,
    most: int,
    workers: int | None,
    policy: Path | None,
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
        to: folder of the results.
        show: told a line a stream.

    Raises:
        DataError: no such scenario, or fewer streams than seeds.
        PolicyError: no such rule, or a broken policy.
    """
    rulebook = load_policy(policy)
    chosen = tuple(dict.fromkeys(rules)) or RULES
    for name in chosen:
        rule_of(name, rulebook)
    streams = _streams(quick=quick, scenarios=scenarios, seeds=seeds, most=most)
    setting = QUICK if quick else Setting()
    found = _pooled(streams, setting, chosen, rulebook, workers=workers, show=show)
    return _write(found, chosen, to)


def _streams(*, quick: bool, scenarios: Sequence[str], seeds: int, most: int) -> tuple[Stream, ...]:
    if scenarios:
        texts = dict.fromkeys(parse_scenario(scenario).text for scenario in scenarios)
        for text in texts:
            base_of(text.split("/")[0])
        streams = tuple(Stream(text, seed) for seed in range(seeds) for text in texts)
    elif quick:
        streams = quick_streams()
    else:
        streams = declared_streams(seeds=seeds, most=most)
    if not streams:
        raise DataError(f"{most} streams are fewer than {seeds} seeds: take one a seed at least")
    return streams[:most]


def _pooled(
    streams: Sequence[Stream],
    setting: Setting,
    rules: Sequence[str],
    policy: Policy,
    *,
    workers: int | None,
    show: Callable[[str], None],
) -> list[BacktestScore]:
    processes = min(workers or os.cpu_count() or 1, len(streams))
    pool = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_warm_up
    )
    try:
        jobs = {pool.submit(_score, each, setting, rules, policy): each for each in streams}
        scores: list[BacktestScore] = []
        for done, job in enumerate(as_completed(jobs), start=1):
            scores += job.result()
            stream = jobs[job]
            show(f"[{done}/{len(streams)}] {stream.scenario}, seed {stream.seed}")
    finally:
        pool.shutdown(cancel_futures=True)
    return scores


def _warm_up() -> None:
    """Load what has threads of its own, so that ``_score`` can hold them to one."""
    importlib.import_module("sklearn.ensemble")


def _score(
    stream: Stream, setting: Setting, rules: Sequence[str], policy: Policy
) -> tuple[BacktestScore, ...]:
    """Run in a child: processes are the parallelism, threads would only get in their way."""
    with threadpool_limits(limits=1):
        return score(stream, setting, rules, policy)


def _write(scores: Sequence[BacktestScore], rules: Sequence[str], to: Path) -> Results:
    order = {rule: place for place, rule in enumerate(rules)}
    ordered = sorted(scores, key=lambda each: order[each.rule])
    summary = summarise(ordered)
    to.mkdir(parents=True, exist_ok=True)
    files = to / "decisions.parquet", to / "summary.json", to / "index.html"
    pq.write_table(scores_table(ordered), files[0], compression="zstd")
    files[1].write_bytes(summary.to_bytes())
    files[2].write_text(backtest_page(summary), encoding="utf-8")
    return Results(summary, files)
