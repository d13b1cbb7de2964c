"""What is the window's loss without labels, may it be believed, and what did labels say later?"""

from collections.abc import Iterator
from dataclasses import dataclass

from modelwarrant.records import (
    EstimateLevel,
    Interval,
    MonitoringEvidence,
    PerformanceEstimate,
    RealisedLoss,
)
from modelwarrant.reports.evaluation_view import Forest, ForestRow, metric_name
from modelwarrant.reports.figures import count, interval, number, percent, sentence, signed
from modelwarrant.reports.parts import Fact, Mark, Table, level_mark, unknown
from modelwarrant.reports.plots import forest_axis, forest_scale, forest_strip

__all__ = ["METHODS", "EstimateView", "estimate_mark", "estimate_view"]

METHODS = {
    "PAPE": "calibrated confidence, reference weighted to look like the window",
    "CBPE": "calibrated confidence",
    "DLE": "a model of the loss",
    "IW": "labelled reference, weighted to look like the window",
    "BBSE": "labelled reference, weighted by the shift of the classes",
}

_LEVELS: dict[EstimateLevel, tuple[str, str]] = {
    "ok": ("as promised", "good"),
    "below": ("below the objective", "notice"),
    "void": ("void", "unknown"),
}

_CHECKS = {
    "rows": "Enough rows",
    "gates": "Data as they were",
    "joint": "Windows overlap",
    "effective_sample": "Effective sample",
    "calibration": "Reference foretells itself",
    "width": "Change known well enough",
}


@dataclass(frozen=True)
class EstimateView:
    """The part of a page about the estimate."""

    mark: Mark
    headline: str
    facts: tuple[Fact, ...]
    forest: Forest | None
    """Losses minus the objective: of every method, and realised; None where nothing is known."""
    checks: Table
    metrics: Table


def estimate_mark(level: EstimateLevel) -> Mark:
    """Return the mark of an estimate's level."""
    return Mark(*_LEVELS[level])


def estimate_view(evidence: MonitoringEvidence) -> EstimateView | None:
    """Put an estimate into words and a plot; None where the pass made none."""
    made = evidence.estimate
    if made is None:
        return None
    return EstimateView(
        mark=estimate_mark(made.level),
        headline=sentence(made.reason),
        facts=tuple(_facts(made, evidence.realised)),
        forest=_forest(made, evidence.realised),
        checks=Table(
            ("Condition", "", "Found"),
            tuple(
                (
                    _CHECKS[each.name],
                    level_mark("ok") if each.holds else Mark("fails", "bad"),
                    each.detail,
                )
                for each in made.checks
            ),
        ),
        metrics=Table(
            ("Metric", "Estimate", "From", "To"),
            tuple(
                (metric_name(each.name), *map(number, (each.value, each.lower, each.upper)))
                for each in made.metrics
            ),
            frozenset({1, 2, 3}),
        ),
    )


def _facts(made: PerformanceEstimate, realised: RealisedLoss | None) -> Iterator[Fact]:
    name = metric_name(made.metric)
    if made.value is None:
        yield Fact(f"Estimated {name}", unknown(None), sentence(made.reason))
    else:
        yield Fact(
            f"Estimated {name}", _bounded(made.value, made.lower, made.upper), METHODS[made.method]
        )
    if made.objective is not None:
        is_own = made.objective_source == "reference"
        source = "production's own on the reference" if is_own else "declared"
        yield Fact("Objective", number(made.objective), source)
    if made.change is not None and made.allowance is not None:
        yield Fact(
            "Change, share of the loss's range",
            _bounded(made.change, made.change_lower, made.change_upper, is_signed=True),
            f"{percent(made.allowance)} is no finding",
        )
    if made.effective_share is not None:
        yield Fact("Effective sample of the reference", percent(made.effective_share))
    if realised is None:
        yield Fact(f"Realised {name}", unknown("no label of the window has arrived"))
        return
    yield Fact(
        f"Realised {name}",
        _bounded(realised.value, realised.lower, realised.upper),
        f"{count(realised.n_labels)} labelled rows of the window",
    )
    if realised.estimated is not None:
        yield Fact(
            "Estimated minus realised, same rows",
            signed(realised.estimated - realised.value),
            "below 0: the estimate is too hopeful",
        )


def _forest(made: PerformanceEstimate, realised: RealisedLoss | None) -> Forest | None:
    goal = made.objective
    if goal is None or made.bound is None:
        return None
    drawn: list[tuple[str, str, Interval]] = [
        (each.method, METHODS[each.method], _moved(goal, each.value, each.lower, each.upper))
        for each in made.estimates
        if each.value is not None
    ]
    if realised is not None:
        about = f"{count(realised.n_labels)} labels"
        ends = _moved(goal, realised.value, realised.lower, realised.upper)
        drawn.append(("Realised", about, ends))
    marks = (made.allowance * made.bound,) if made.allowance is not None else ()
    scale = forest_scale([each for _, _, each in drawn], marks=marks)
    rows = []
    for label, about, each in drawn:
        value, lower, upper = interval(each.estimate, each.lower, each.upper)
        is_known = each.lower is not None and each.upper is not None
        rows.append(
            ForestRow(
                label=label,
                mark=None,
                about=about,
                strip=forest_strip(
                    each, scale, marks=marks, title=f"{label}: {value}, from {lower} to {upper}"
                ),
                estimate=value,
                bounds=f"[{lower}, {upper}]" if is_known else "bounds unknown",
                reason=None,
            )
        )
    axis = forest_axis(scale, left="loses less", right="loses more than the objective")
    return Forest(rows=tuple(rows), more=(), axis=axis)


def _moved(goal: float, value: float, lower: float | None, upper: float | None) -> Interval:
    """Return a loss with its bounds, minus the objective."""
    ends = [None if end is None else end - goal for end in (lower, upper)]
    return Interval(estimate=value - goal, lower=ends[0], upper=ends[1], alpha=0.025, method="")


def _bounded(
    value: float, lower: float | None, upper: float | None, *, is_signed: bool = False
) -> str:
    write = signed if is_signed else number
    if lower is None or upper is None:
        return write(value)
    return f"{write(value)} [{write(lower)}, {write(upper)}]"
