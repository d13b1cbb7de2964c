"""How does ``warrant backtest`` go through a history? In a pool of processes, results by digest."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from threadpoolctl import threadpool_limits

from modelwarrant.backtest.course import Course
from modelwarrant.backtest.history import HISTORY_RULES, history_report, walk
from modelwarrant.backtest.laps import Lap
from modelwarrant.backtest.plan import Terms, plan_windows
from modelwarrant.backtest.rules import rule_of
from modelwarrant.backtest.shelf import Shelf, code_digest
from modelwarrant.canonical import Json
from modelwarrant.cli.children import begin
from modelwarrant.cli.knowledge import Place, open_place
from modelwarrant.cli.running import own_code, schema_of, sound_policy
from modelwarrant.cli.workplace import hold_lock
from modelwarrant.errors import ProjectError
from modelwarrant.policy import Policy
from modelwarrant.project import Project, load, parse_period, period_text
from modelwarrant.records import HistoryReport, HistoryWalk
from modelwarrant.reports import history_page
from modelwarrant.sources import read_window
from modelwarrant.windows import Bounds, Window

__all__ = ["run_history"]

_US = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Work:
    """What a child needs to know."""

    course: Course
    rules: Policy
    project: Project


def run_history(
    path: Path,
    *,
    window: str | None,
    label_delay: str | None,
    rules: Sequence[str],
    workers: int | None,
    store: str | None,
    output: Path | None,
    show: Callable[[str], None],
) -> tuple[HistoryReport, Path]:
    """Replay a project's history and write its page.

    Args:
        path: the project file.
        window: length of a window as a person writes it; None takes the default.
        label_delay: how long a label takes; None takes the project's.
        rules: more rules to compare with.
        workers: processes; None takes one a core.
        store: another store than the environment's.
        output: where the page is written, too.
        show: told a line a step, on stderr.

    Returns:
        The report, and where its page lies.

    Raises:
        WarrantError: a broken project, too short a history, no labels, no such rule.
    """
    project = load(path)
    policy = sound_policy(project)
    chosen = tuple(dict.fromkeys((*HISTORY_RULES, *rules)))
    for name in chosen:
        rule_of(name, policy)
    place = open_place(store)
    folder = place.work / project.model / "backtest"
    with hold_lock(folder, what=f"backtest of {project.model!r}"):
        stream = _read(place, project, show)
        terms, delay = _terms(project, label_delay)
        course_of = partial(_course, project, stream, Shelf(folder, salt=_salt(project)))
        plan = plan_windows(
            stream,
            terms,
            length=None if window is None else _length(window, project, "--window"),
            rules=policy,
            course_of=course_of,
        )
        for remark in plan.remarks:
            show(f"note: {remark}")
        course = course_of(plan.laps)
        work = _Work(course, policy, project)
        walks = list(_walked(work, chosen, workers=workers, show=show))
    report = history_report(
        course,
        plan,
        walks,
        model=project.model,
        rules=policy,
        prices=project.costs,
        season=None if terms.season is None else period_text(terms.season),
        delay=delay,
    )
    page = folder / "report.html"
    drawn = history_page(report)
    for target in (page, output):
        if target is not None:
            target.write_text(drawn, encoding="utf-8")
    return report, output or page


def _read(place: Place, project: Project, show: Callable[[str], None]) -> Window:
    """Read the whole history."""
    whole = replace(project.windows, reference=Bounds("rows"), current=Bounds("rows"))
    schema = schema_of(place, replace(project, windows=whole))
    if isinstance(project.windows.train, Bounds):
        show(
            f"note: the project trains on a window of its own ({project.windows.train}), which "
            "stands still; here models learn from each window and the one before"
        )
    stream, ref = read_window(
        project.source, schema, None, base=project.base, final=project.windows.final
    )
    show(f"{project.model}: {ref.rows:,} rows of {project.source}, {ref.bounds}")
    return stream


def _terms(project: Project, label_delay: str | None) -> tuple[Terms, str | None]:
    """Return what the cutting needs, and the delay in words."""
    season = project.windows.season if project.time is not None else None
    text = label_delay
    if text is None and project.label_delay is not None and project.time is not None:
        text = period_text(project.label_delay)
    delay = 0 if text is None else _length(text, project, "--label-delay")
    return Terms(project.windows.final, season, delay, project.source), text


def _length(text: str, project: Project, option: str) -> int:
    """Read a length along the history: microseconds where there is a time column, else rows."""
    if project.time is None:
        if text.strip().isdecimal() and int(text) > 0:
            return int(text)
        raise ProjectError(
            f"{option} {text!r}: the project names no time column, so windows count rows; write a "
            "number of rows such as 2000, or add 'time: COLUMN'"
        )
    try:
        return int(parse_period(text) / _US)
    except ValueError as error:
        raise ProjectError(f"{option} {text!r}: {error}") from error


def _course(project: Project, stream: Window, shelf: Shelf, laps: tuple[Lap, ...]) -> Course:
    train: Literal["current", "both"] = "current" if project.windows.train == "current" else "both"
    has_season = project.time is not None and project.windows.season is not None
    return Course(
        laps,
        project.recipe,
        project.metric,
        train=train,
        slices=project.slices,
        season=project.windows.season if has_season else None,
        history=stream if has_season else None,
        shelf=shelf,
    )


def _salt(project: Project) -> str:
    return code_digest() + own_code(project)


def _key(work: _Work, rule: str) -> str:
    course = work.course
    made_from: list[Json] = [
        rule,
        work.rules.digest,
        course.recipe.model_dump(mode="json"),
        course.metric,
        course.train,
        list(course.slices),
        None if course.season is None else course.season.total_seconds(),
        work.project.costs.model_dump(mode="json"),
        [[lap.ref.digest, len(lap.whole)] for lap in course.laps],
    ]
    shelf = course.shelf
    return "" if shelf is None else shelf.key("walk", *made_from)


def _walked(
    work: _Work, rules: Sequence[str], *, workers: int | None, show: Callable[[str], None]
) -> Iterator[HistoryWalk]:
    """Yield every rule's walk in the rules' order; what lies on the shelf is not run again."""
    shelf = work.course.shelf
    known: dict[str, HistoryWalk] = {}
    for rule in rules:
        kept = None if shelf is None else shelf.get(_key(work, rule))
        if kept is not None:
            known[rule] = HistoryWalk.from_bytes(kept, name=rule)
    missing = [rule for rule in rules if rule not in known]
    if known:
        show(f"{len(known)} of {len(rules)} rules kept from before")
    if missing:
        for rule, found in _pooled(work, missing, workers=workers, show=show):
            known[rule] = found
            if shelf is not None:
                shelf.put(_key(work, rule), found.to_bytes())
    yield from (known[rule] for rule in rules)


def _pooled(
    work: _Work, rules: Sequence[str], *, workers: int | None, show: Callable[[str], None]
) -> Iterator[tuple[str, HistoryWalk]]:
    """Fit every window's model, then walk; both spread over processes."""
    laps = range(len(work.course.laps))
    processes = min(workers or os.cpu_count() or 1, max(len(laps), len(rules)))
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(work,),
    )
    steps, began = len(laps) + len(rules), time.monotonic()
    try:
        fits = {pool.submit(_fit, lap): lap for lap in laps}
        for done, job in enumerate(as_completed(fits), start=1):
            bounds = work.course.laps[fits[job]].ref.bounds
            made = "model" if job.result() else "no model can be made"
            show(f"[{done}/{steps}] {made} of {bounds}")
        walks = {pool.submit(_walk, rule): rule for rule in rules}
        for done, walked in enumerate(as_completed(walks), start=len(laps) + 1):
            rule = walks[walked]
            show(f"[{done}/{steps}] {rule}, {time.monotonic() - began:.0f} s")
            yield rule, walked.result()
    finally:
        pool.shutdown(cancel_futures=True)


_WORK: list[_Work] = []
"""Of this process, once it has begun."""


def _begin(work: _Work) -> None:
    """Take the work over."""
    begin()
    _WORK[:] = [work]


def _fit(lap: int) -> bool:
    with threadpool_limits(limits=1):
        return _WORK[0].course.candidate(lap) is not None


def _walk(rule: str) -> HistoryWalk:
    work = _WORK[0]
    with threadpool_limits(limits=1):
        return walk(
            work.course, rule, work.rules, prices=work.project.costs, name=work.project.model
        )
