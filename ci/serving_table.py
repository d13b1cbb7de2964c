"""How is the comparison of servers shown to a person?"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_WORDS: Final = {"p99_ms": "p99, ms", "cpu_us": "CPU, us a request", "memory_mb": "memory, MB"}

Value = Callable[[str], float]


def table(document: Mapping[str, Any], models: Sequence[str]) -> str:
    """Return the results of ``ci.benchmark_serving`` as lines of text."""
    results = document["results"]
    loads = [found["load_average"] for found in results.values()]
    lines = [
        "",
        f"{document['machine']}; load average {min(loads):.1f} to {max(loads):.1f}",
        f"{document['seconds_a_load']:g} s a load, 16 connections, one worker each; "
        "* misses its goal",
        "",
    ]
    for size in ("1 row", "100 rows"):
        lines += [_row(f"requests/s, {size}", models)]
        lines += [
            _row(name, [f"{_rate(found, model, size):,.0f}" for model in models])
            for name, found in results.items()
        ]
        lines += [*_ratios(results, models, size, size), ""]
    lines += [*_ratios(results, models, "100 rows, binary", "100 rows"), ""]
    for what, limits in _LIMITS.items():
        lines += [_row(f"{_WORDS[what]}, 1 row", models), *_figures(results, models, what, limits)]
        lines += [""]
    return "\n".join([*lines, *_own(results[OURS], models), ""])


def _figures(
    results: Mapping[str, Any], models: Sequence[str], what: str, limits: Sequence[float]
) -> Iterator[str]:
    for name, found in results.items():
        cells = []
        for model, limit in zip(models, limits, strict=True):
            value = found[model]["1 row"][what]
            missed = "*" if name == OURS and value > limit else ""
            cells.append(f"{value:,.1f}{missed}")
        yield _row(name, cells)


def _ratios(
    results: Mapping[str, Any], models: Sequence[str], size: str, compared: str
) -> Iterator[str]:
    """Yield how many times as many requests a second ours answers, beside its goals."""
    rivals = [name for name in results if name != OURS]
    for label, names in (("MLServer, in process", rivals[:0]), ("best rival", rivals)):
        goals = _GOALS.get((label, size))
        among = [name for name in rivals if name == label] or names
        if goals is None or not among:
            continue
        cells = []
        for model, goal in zip(models, goals, strict=True):
            best = max(_rate(results[name], model, compared) for name in among)
            ratio = _rate(results[OURS], model, size) / best
            cells.append(f"{ratio:.1f}x{'' if ratio >= goal else '*'}")
        yield _row(f"  {size}: times {label}", cells)


def _own(found: Mapping[str, Any], models: Sequence[str]) -> Iterator[str]:
    """Yield what only ours has: other bodies, the shadow, time to ready."""
    yield _row("modelwarrant, requests/s", models)
    for size in found[models[0]]:
        if size != "ready_s":
            yield _row(size, [f"{_rate(found, model, size):,.0f}" for model in models])
    yield _row("seconds to ready", [f"{found[model]['ready_s']:.2f}" for model in models])


def _rate(found: Mapping[str, Any], model: str, size: str) -> float:
    """Return requests a second; not a number where some failed."""
    measured = found[model][size]
    return math.nan if measured["failed"] else float(measured["requests_per_s"])


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:42}" + "".join(f"{cell:>12}" for cell in cells)
