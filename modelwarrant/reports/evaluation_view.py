"""What does a page say of an evaluation report, and in which order?"""

import dataclasses

from markupsafe import Markup

from modelwarrant.records import (
    Calibration,
    Comparison,
    EvaluationReport,
    Interval,
    MetricValue,
    SliceComparison,
)
from modelwarrant.reports.figures import (
    count,
    decimals_for,
    declared,
    interval,
    number,
    p_value,
    percent,
    plural,
    shorten,
    signed,
)
from modelwarrant.reports.parts import Cell, Fact, Mark, Table, level_mark, unknown
from modelwarrant.reports.plots import (
    Scale,
    forest_axis,
    forest_scale,
    forest_strip,
    reliability_plot,
    residual_plot,
)

__all__ = ["EvaluationView", "Forest", "ForestRow", "evaluation_view", "gain_phrase", "metric_name"]

MOST_SLICES = 12
"""Slices that stand open; harmed and unclear ones come first."""

LONGEST_NAME = 80

BASELINES = {
    "production": "production",
    "anchor": "the last human-approved model",
    "trivial": "the trivial predictor",
}

METRICS = {"roc_auc": "ROC AUC", "r2": "R²"}
"""Metrics whose name is not its identifier with spaces."""


@dataclasses.dataclass(frozen=True)
class ForestRow:
    """One interval of a forest plot."""

    label: str
    mark: Mark | None
    about: str
    strip: Markup
    estimate: str
    bounds: str
    reason: str | None


@dataclasses.dataclass(frozen=True)
class Forest:
    """Intervals over one axis."""

    rows: tuple[ForestRow, ...]
    more: tuple[ForestRow, ...]
    axis: Markup


@dataclasses.dataclass(frozen=True)
class EvaluationView:
    """The evaluation part of a page."""

    metric: str
    comparison: Forest
    method: str
    remarks: tuple[str, ...]
    slices: Forest | None
    slice_summary: str
    calibration_mark: Mark
    calibration_facts: tuple[Fact, ...]
    calibration_plot: Markup | None
    calibration_title: str
    has_two_curves: bool
    baseline: str
    champion_mark: Mark
    champion: str
    """Empty where nothing is in production."""
    metrics: tuple[tuple[str, Table], ...]


def metric_name(metric: str) -> str:
    """Return a metric's name in words.

    >>> metric_name("log_loss"), metric_name("r2")
    ('log loss', 'R²')
    """
    return METRICS.get(metric, shorten(metric.replace("_", " "), LONGEST_NAME))


def gain_phrase(comparison: Comparison) -> str:
    """Return a gain as a share of the baseline's loss, empty where that says nothing."""
    if comparison.baseline_loss <= 0:
        return ""
    share = comparison.gain.estimate / comparison.baseline_loss
    return f"{percent(abs(share))} {'less' if share >= 0 else 'more'} loss"


def evaluation_view(evaluation: EvaluationReport) -> EvaluationView:
    """Sort an evaluation's findings by what a reader needs first."""
    baseline = evaluation.current.baseline
    return EvaluationView(
        metric=metric_name(evaluation.metric),
        comparison=_comparisons(evaluation),
        method=_method(evaluation),
        remarks=_remarks(evaluation),
        slices=_slices(evaluation),
        slice_summary=_slice_summary(evaluation),
        calibration_mark=level_mark(evaluation.calibration.level),
        calibration_facts=_calibration(evaluation),
        calibration_plot=_calibration_plot(evaluation),
        calibration_title="Calibration" if _classifies(evaluation) else "Residuals",
        has_two_curves=bool(evaluation.calibration.baseline_bins),
        baseline=BASELINES[baseline],
        champion_mark=level_mark(evaluation.champion.level),
        champion=_champion(evaluation),
        metrics=_metrics(evaluation.metrics, BASELINES[baseline]),
    )


def _classifies(evaluation: EvaluationReport) -> bool:
    return evaluation.task == "classification"


def _comparisons(evaluation: EvaluationReport) -> Forest:
    """Draw what the verdict rests on: both windows, and the last human-approved model."""
    found = [
        each
        for each in (evaluation.current, evaluation.reference, evaluation.anchor)
        if each is not None
    ]
    marks = (-evaluation.margin_non_inferiority,) if evaluation.production_digest else ()
    scale = forest_scale([each.gain for each in found], marks=marks)
    rows = tuple(_compared(each, scale, marks) for each in found)
    axis = forest_axis(scale, left="candidate worse", right="candidate better")
    return Forest(rows, (), axis)


def _compared(each: Comparison, scale: Scale, marks: tuple[float, ...]) -> ForestRow:
    """Return one window's row."""
    estimate, bounds, title = _spoken(each.gain)
    rows = plural(each.n_rows, "row")
    blocks = f" in {plural(each.n_blocks, 'block')}" if each.n_blocks != each.n_rows else ""
    losses = (
        f"loss {number(each.baseline_loss, digits=4)} → {number(each.candidate_loss, digits=4)}"
    )
    label = f"{each.window.capitalize()} window, against {BASELINES[each.baseline]}"
    phrase = gain_phrase(each)
    return ForestRow(
        label=label,
        mark=None,
        about=" · ".join(filter(None, (f"{rows}{blocks}", losses, phrase))),
        strip=forest_strip(each.gain, scale, marks=marks, title=f"{label}: {title}"),
        estimate=estimate,
        bounds=bounds,
        reason=each.reason,
    )


def _spoken(gain: Interval) -> tuple[str, str, str]:
    """Return an interval's estimate, its bounds, and both in words."""
    estimate, lower, upper = interval(gain.estimate, gain.lower, gain.upper)
    if gain.lower is None and gain.upper is None:
        return estimate, "bounds not known", f"gain {estimate}, bounds not known"
    return estimate, f"[{lower}, {upper}]", f"gain {estimate}, from {lower} to {upper}"


def _method(evaluation: EvaluationReport) -> str:
    """Say how the bounds were made, what they promise, and what the dashed line is."""
    methods = [
        each.gain.method
        for each in (evaluation.current, evaluation.reference, evaluation.anchor)
        if each is not None
    ]
    said = "; ".join(dict.fromkeys(methods))
    text = (
        f"Gain is the baseline's {metric_name(evaluation.metric)} minus the candidate's, on the "
        f"same rows. Bounds are one-sided, each at {percent(evaluation.alpha)} ({said})."
    )
    if evaluation.production_digest:
        margin = declared(-evaluation.margin_non_inferiority)
        text += f" The dashed line is the margin of “not worse”, {margin}."
    if evaluation.loss_bound is not None:
        text += f" A row's loss counts {declared(evaluation.loss_bound)} at most."
    return text


def _remarks(evaluation: EvaluationReport) -> tuple[str, ...]:
    """Return what a reader must know beside the intervals."""
    found = []
    if evaluation.reference is None:
        found.append("The reference window was not compared: no final split of it is at hand.")
    if evaluation.identical_answers:
        found.append("Candidate and production answer alike on every row of the current window.")
    floor = evaluation.floor
    if floor is not None and evaluation.current.baseline != "trivial":
        estimate, bounds, _ = _spoken(floor.gain)
        found.append(f"Against the trivial predictor the candidate gains {estimate} {bounds}.")
    p = evaluation.current.mcnemar_p_value
    if p is not None:
        rows = evaluation.current.discordant
        counts = (
            ""
            if rows is None
            else f", {count(rows.candidate_only)} rows that only the candidate answers rightly, "
            f"{count(rows.baseline_only)} that only the baseline does, e = {number(rows.e_value)}"
        )
        found.append(
            f"McNemar's test on the current window: {p_value(p)} (mid-p, two-sided){counts}."
        )
    return tuple(found)


_SLICE_ORDER = {"harmed": 0, "unclear": 1, "ok": 2}


def _slices(evaluation: EvaluationReport) -> Forest | None:
    """Draw the gain in every slice, harmed ones first."""
    if not evaluation.slices:
        return None
    margin = evaluation.margin_slices
    marks = (-(evaluation.margin_non_inferiority if margin is None else margin),)
    ordered = sorted(evaluation.slices, key=lambda s: _SLICE_ORDER[s.level])
    scale = forest_scale([each.gain for each in ordered], marks=marks)
    rows = tuple(_sliced(each, scale, marks) for each in ordered)
    axis = forest_axis(scale, left="candidate worse", right="candidate better")
    return Forest(rows[:MOST_SLICES], rows[MOST_SLICES:], axis)


def _sliced(each: SliceComparison, scale: Scale, marks: tuple[float, ...]) -> ForestRow:
    """Return one slice's row."""
    estimate, bounds, title = _spoken(each.gain)
    is_bound = each.value.startswith(("<", ">"))
    value = each.value.replace("<=", "≤", 1) if is_bound else f"= {each.value}"
    label = f"{shorten(each.column, LONGEST_NAME)} {shorten(value, LONGEST_NAME)}"
    harm = each.p_harm_adjusted
    tested = "" if harm is None else f"harm {p_value(harm)} after Holm"
    return ForestRow(
        label=label,
        mark=level_mark(each.level),
        about=" · ".join(filter(None, (plural(each.n_rows, "row"), tested))),
        strip=forest_strip(each.gain, scale, marks=marks, title=f"{label}: {title}"),
        estimate=estimate,
        bounds=bounds,
        reason=each.reason,
    )


def _slice_summary(evaluation: EvaluationReport) -> str:
    """Count the slices by level."""
    if not evaluation.slices:
        return "The project declares no slices, so none was compared."
    levels = [each.level for each in evaluation.slices]
    said = [f"{levels.count(level)} {level}" for level in _SLICE_ORDER if level in levels]
    margin = evaluation.margin_slices
    used = evaluation.margin_non_inferiority if margin is None else margin
    return (
        f"{plural(len(levels), 'slice')} of the current window: {', '.join(said)}. "
        f"The dashed line is the harm that must be ruled out, {declared(-used)}."
    )


def _calibration(evaluation: EvaluationReport) -> tuple[Fact, ...]:
    """Return the calibration errors, or biases, of both models."""
    part: Calibration = evaluation.calibration
    kind = "expected calibration error" if _classifies(evaluation) else "residual bias"

    def size(value: float | None, otherwise: str) -> str:
        return otherwise if value is None else number(value)

    baseline = BASELINES[evaluation.current.baseline]
    unit = "" if _classifies(evaluation) else f"standard deviations of {baseline}'s residuals"
    facts = [Fact(f"{kind}, candidate", size(part.candidate_error, unknown(part.reason)), unit)]
    if evaluation.production_digest is not None:
        facts.append(Fact(f"{kind}, production", size(part.baseline_error, unknown(part.reason))))
    if part.difference is not None:
        estimate, lower, upper = interval(
            part.difference.estimate, part.difference.lower, part.difference.upper
        )
        facts.append(
            Fact(
                "candidate minus production", f"{estimate} [{lower}, {upper}]", "below 0 is better"
            )
        )
    if part.reason and part.candidate_error is not None:
        facts.append(Fact("remark", part.reason))
    return tuple(facts)


def _calibration_plot(evaluation: EvaluationReport) -> Markup | None:
    """Return the reliability or the residual plot, where there are bins."""
    part = evaluation.calibration
    if not part.candidate_bins:
        return None
    draw = reliability_plot if _classifies(evaluation) else residual_plot
    return draw(part.candidate_bins, part.baseline_bins)


def _champion(evaluation: EvaluationReport) -> str:
    """Say whether production's own loss has degraded since its reference."""
    state = evaluation.champion
    if evaluation.production_digest is None:
        return ""
    if state.e_value is None:
        return f"whether production's labelled loss has degraded is {unknown(state.reason)}."
    remark = f" {state.reason}" if state.reason else ""
    return (
        f"evidence of a degraded loss e = {number(state.e_value)}, where 1 is none, from "
        f"{plural(state.n_current, 'label')} after {count(state.n_reference)} of the reference."
        f"{remark}"
    )


def _metrics(values: tuple[MetricValue, ...], baseline: str) -> tuple[tuple[str, Table], ...]:
    """Return one table a window of the metrics that are for reading only."""
    tables = []
    for window in ("current", "reference"):
        rows = tuple(_metric(each) for each in values if each.window == window)
        if rows:
            headers = ("Metric", baseline.capitalize(), "Candidate", "Difference")
            tables.append(
                (f"{window.capitalize()} window", Table(headers, rows, frozenset({1, 2, 3})))
            )
    return tuple(tables)


def _metric(each: MetricValue) -> tuple[Cell, ...]:
    """Return one metric's row."""
    name = f"{metric_name(each.name)} {'↑' if each.higher_is_better else '↓'}"
    before = "not known" if each.baseline is None else number(each.baseline, digits=4)
    after = "not known" if each.candidate is None else number(each.candidate, digits=4)
    difference = "—"
    if each.baseline is not None and each.candidate is not None:
        places = decimals_for(max(abs(each.candidate), abs(each.baseline)), digits=4)
        difference = signed(each.candidate - each.baseline, decimals=places)
    if each.gain is not None:
        difference = " ".join(_spoken(each.gain)[:2])
    return name, before, after, difference
