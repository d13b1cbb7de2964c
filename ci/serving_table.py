"""How is the comparison of servers shown to a person?"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

__all__ = ["OURS", "table"]

OURS: Final = "modelwarrant"

_GOALS: Final[Mapping[tuple[str, str], Sequence[float]]] = {
    ("MLServer, in process", "1 row"): (8, 50, 10),
    ("best rival", "1 row"): (5, 10, 8),
    ("best rival", "100 rows"): (3, 6, 2.5),
    ("best rival", "100 rows, binary"): (7, 7, 3.5),
}
"""Times as many requests a second, by whom ours is compared with and by body."""

_LIMITS: Final[Mapping[str, Sequence[float]]] = {
    "p99_ms": (3, 3, 3),
    "cpu_us": (90, 160, 90),
    "memory_mb": (120, 120, 120),
}
_READY_S: Final = 1.0
_SHADOW: Final = 0.10
"""Most that the shadow may take from the requests a second."""

_WORDS: Final = {"p99_ms": "p99, ms", "cpu_us": "CPU, us a request", "memory_mb": "memory, MB"}

Results = Mapping[str, Any]


def table(document: Mapping[str, Any], models: Sequence[str]) -> str:
    """Return the results of ``ci.benchmark_serving`` as lines of text; ``-`` was not measured."""
    results: Results = document["results"]
    loads = [
        found[model]["load_average"]
        for found in results.values()
        for model in models
        if model in found
    ]
    lines = [
        "",
        f"{document['machine']}; load average {min(loads):.1f} to {max(loads):.1f}",
        f"{document['seconds_a_load']:g} s a load, 16 connections, one worker each; "
        "* misses its goal",
        "",
    ]
    for size in ("1 row", "100 rows"):
        lines += [_row(f"requests/s, {size}", models)]
        for name, found in results.items():
            rates = [_figure(found, model, size, "requests_per_s") for model in models]
            lines += [_row(name, [_shown(rate, 0) for rate in rates])]
        lines += [*_ratios(results, models, size, size), ""]
    if OURS in results:
        lines += [*_ratios(results, models, "100 rows, binary", "100 rows"), ""]
    for what, limits in _LIMITS.items():
        lines += [_row(f"{_WORDS[what]}, 1 row", models), *_figures(results, models, what, limits)]
        lines += [""]
    if OURS in results:
        lines += [*_own(results[OURS], models), ""]
    return "\n".join(lines)


def _figures(
    results: Results, models: Sequence[str], what: str, limits: Sequence[float]
) -> Iterator[str]:
    for name, found in results.items():
        cells = []
        for model, limit in zip(models, limits, strict=True):
            value = _figure(found, model, "1 row", what)
            missed = "*" if name == OURS and value > limit else ""
            cells.append(f"{_shown(value, 1)}{missed}")
        yield _row(name, cells)


def _ratios(results: Results, models: Sequence[str], size: str, compared: str) -> Iterator[str]:
    """Yield how many times as many requests a second ours answers, beside its goals."""
    rivals = [name for name in results if name != OURS]
    if OURS not in results:
        return
    for label, names in (("MLServer, in process", rivals[:0]), ("best rival", rivals)):
        goals = _GOALS.get((label, size))
        among = [name for name in rivals if name == label] or names
        if goals is None or not among:
            continue
        cells = []
        for model, goal in zip(models, goals, strict=True):
            rates = [_figure(results[name], model, compared, "requests_per_s") for name in among]
            best = max((rate for rate in rates if not math.isnan(rate)), default=math.nan)
            ratio = _figure(results[OURS], model, size, "requests_per_s") / best
            cells.append(f"{_shown(ratio, 1)}x{'*' if ratio < goal else ''}")
        yield _row(f"  {size}: times {label}", cells)


def _own(found: Mapping[str, Any], models: Sequence[str]) -> Iterator[str]:
    """Yield what only ours has: other bodies, what log and shadow cost, time to ready."""
    yield _row(f"{OURS}, requests/s", models)
    for size in ("1 row", "1 row, /predict", "100 rows", "100 rows, binary"):
        rates = [_figure(found, model, size, "requests_per_s") for model in models]
        yield _row(size, [_shown(rate, 0) for rate in rates])
    shadow = [_cost(found, model, "without shadow", "with shadow") for model in models]
    log = [_cost(found, model, "without shadow and log", "without shadow") for model in models]
    yield _row("the shadow takes", [_share(cost, _SHADOW) for cost in shadow])
    yield _row("the log of predictions takes", [_share(cost, math.inf) for cost in log])
    ready = [found[model]["ready_s"] if model in found else math.nan for model in models]
    marks = ["*" if seconds > _READY_S else "" for seconds in ready]
    cells = [f"{_shown(each, 2)}{mark}" for each, mark in zip(ready, marks, strict=True)]
    yield _row("seconds to ready", cells)


def _cost(found: Mapping[str, Any], model: str, without: str, within: str) -> float:
    """Return the share of requests a second that something takes."""
    costs = found.get(model, {}).get("costs", {})
    if not {without, within} <= costs.keys() or costs[without]["failed"] + costs[within]["failed"]:
        return math.nan
    return 1 - float(costs[within]["requests_per_s"] / costs[without]["requests_per_s"])


def _share(cost: float, limit: float) -> str:
    return "-" if math.isnan(cost) else f"{cost:.1%}{'*' if cost > limit else ''}"


def _figure(found: Mapping[str, Any], model: str, size: str, what: str) -> float:
    """Return one figure; not a number where it was not measured, or where requests failed."""
    measured = found.get(model, {}).get(size)
    return math.nan if measured is None or measured["failed"] else float(measured[what])


def _shown(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:42}" + "".join(f"{cell:>12}" for cell in cells)
