"""What does production lose on the current window, of which no label is known yet (E1)?

Every method that applies is asked, with the conditions under which its answer means something; one
of them makes the level. No label of the current window is looked at, and an estimate can only ask
for some: what moves production, ``monitoring.deciding`` says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import DataError
from modelwarrant.estimation import checking
from modelwarrant.estimation.checking import ERRORS
from modelwarrant.estimation.methods import (
    LEARNT_ROWS,
    RowLosses,
    by_class_shift,
    by_confidence,
    by_density,
    by_regression,
    calibrated,
)
from modelwarrant.estimation.reporting import classification_metrics, regression_metrics
from modelwarrant.estimation.sides import Answered, Sides, line_up, mean_deviation
from modelwarrant.estimation.weighting import effective_share
from modelwarrant.evaluation.champion import ALLOWANCE
from modelwarrant.records import (
    DriftReport,
    EstimateCheck,
    EstimateLevel,
    EstimateMethod,
    LossEstimate,
    MetricEstimate,
    PerformanceEstimate,
)

__all__ = ["Estimated", "estimate_performance"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

EFFECT = 0.08
"""Growth of the loss that matters, as a share of its range: what labels are asked to settle."""


@dataclass(frozen=True)
class Estimated:
    """The record, and what it says of each row of the window."""

    record: PerformanceEstimate
    rows: Floats
    """(n_current,) expected clipped loss, in the window's order; NaN where there is none."""


@dataclass(frozen=True)
class _Told:
    """What the method that makes the level says."""

    method: EstimateMethod
    rows: RowLosses
    baseline: float
    """What it says of the reference, unweighted."""
    metrics: tuple[MetricEstimate, ...]
    refitted: Callable[[Rows], RowLosses]
    """The same, fitted on some rows of the reference."""


def estimate_performance(
    reference: Answered,
    current: Answered,
    drift: DriftReport,
    *,
    metric: str,
    production_digest: str,
    objective: float | None = None,
    effect: float = EFFECT,
) -> Estimated:
    """Estimate the loss of the current window and say whether it may be believed.

    Classification: PAPE makes the level. Beside it stands CBPE as NannyML has it: it leaves scores
    alone that seem calibrated, and errs more than PAPE with and without a shift (docs/limits.md).
    Regression: DLE. Both tasks: the importance-weighted reference; for a shift of the classes BBSE.

    ``below``: the loss has grown against the objective, with three standard errors to spare, and a
    growth by 2 % of its range is not ruled out. ``void``: a condition does not hold, or labels and
    answers do not fit. Else ``ok``.
    The objective is production's own loss on the reference, and the change then a difference of
    two estimates, in which most of the reference's own error cancels.

    Args:
        reference: labelled rows that production was not trained on, and its answers.
        current: rows of the window, and production's answers.
        drift: of the window against the reference.
        metric: one of ``evaluation.DECISION_METRICS``.
        production_digest: of the model that answers.
        objective: loss up to which all is as promised, in the metric's unit; None for the
            reference's.
        effect: growth of the loss that matters, as a share of its range, in (0, 1).
    """
    sizes = len(reference.window), len(current.window)
    checks = [
        checking.rows_check(*sizes),
        checking.gates_check(drift),
        checking.joint_check(drift),
    ]
    about = {
        "metric": metric,
        "n_reference": sizes[0],
        "n_current": sizes[1],
        "objective": objective,
        "objective_source": "reference" if objective is None else "declared",
        "production_digest": production_digest,
        "drift_report_digest": drift.digest,
        "reference_digest": drift.reference_digest,
        "current_digest": drift.current_digest,
    }
    if not checks[0].holds:
        return _nothing(current, about, checks)
    try:
        sides = line_up(reference, current, metric=metric)
    except DataError as unfit:
        checks[0] = EstimateCheck(name="rows", holds=False, detail=str(unfit))
        return _nothing(current, about, checks)
    about["reference_digest"] = sides.reference_digest
    if not sides.bound:
        detail = "production lost nothing on the reference, so a loss has no range"
        checks[0] = EstimateCheck(name="rows", holds=False, detail=detail)
        return _nothing(current, about, checks)
    told = _told(sides)
    checks += [
        checking.effective_sample_check(sides),
        checking.calibration_check(sides, told.refitted),
    ]
    change, error = _change(sides, told, declared=objective)
    low, high = change - ERRORS * error, change + ERRORS * error
    checks.append(checking.width_check(low, high, effect=effect))
    void = checking.voided(checks)
    estimates = tuple(_estimates(sides, told, drift, void))
    level, reason = _level(change, low, high, void)
    about |= {
        "bound": sides.bound,
        "objective": float(sides.losses.mean()) if objective is None else objective,
        "reference_loss": float(sides.losses.mean()),
        "effective_share": None if sides.ratio is None else effective_share(sides.ratio.weights),
        "value": estimates[0].value,
        "lower": estimates[0].lower,
        "upper": estimates[0].upper,
        "change": change,
        "change_lower": low,
        "change_upper": high,
        "allowance": ALLOWANCE,
    }
    record = PerformanceEstimate(
        **about,
        level=level,
        reason=reason,
        method=told.method,
        checks=tuple(checks),
        estimates=estimates,
        metrics=told.metrics,
    )
    by_row = np.empty(sizes[1])
    by_row[sides.places] = told.rows.current
    return Estimated(record, by_row)


def _nothing(
    current: Answered, about: dict[str, object], checks: Sequence[EstimateCheck]
) -> Estimated:
    method: EstimateMethod = "DLE" if current.predictions.task == "regression" else "PAPE"
    reason = checking.voided(checks)
    record = PerformanceEstimate.model_validate(
        {
            **about,
            "level": "void",
            "reason": reason,
            "method": method,
            "checks": tuple(checks),
            "estimates": (LossEstimate(method=method, is_valid=False, reason=reason),),
            "metrics": (),
        }
    )
    return Estimated(record, np.full(len(current.window), np.nan))


def _told(sides: Sides) -> _Told:
    effective = _effective(sides)
    if sides.truth.task == "regression":
        rows = by_regression(sides)
        return _Told(
            "DLE",
            rows,
            float(rows.reference.mean()),
            regression_metrics(sides, n_effective=effective),
            lambda some: by_regression(sides, rows=some),
        )

    def unweighted(some: Rows) -> RowLosses:
        return by_confidence(sides, calibrated(sides, rows=some, weights=np.ones(len(some))))

    every = np.arange(len(sides.losses))
    known = _weighted(sides)
    return _Told(
        "PAPE",
        by_confidence(sides, known),
        float(unweighted(every).reference.mean()),
        classification_metrics(sides, known[1], n_effective=effective),
        unweighted,
    )


def _weighted(sides: Sides) -> tuple[Floats, Floats]:
    """Return probabilities calibrated by the density ratio; by equal weights where there is none.

    Without a ratio the estimate is void anyway.
    """
    ratio = sides.ratio
    if ratio is None:
        return calibrated(sides, weights=np.ones(len(sides.losses)))
    return calibrated(sides, rows=ratio.rows, weights=ratio.weights)


def _effective(sides: Sides) -> float:
    """Return how many unweighted rows the weighted reference is worth, of those fitted on."""
    if sides.ratio is None:
        return float(len(sides.losses))
    is_regression = sides.truth.task == "regression"
    fitted = min(LEARNT_ROWS, len(sides.losses)) if is_regression else len(sides.ratio.rows)
    return effective_share(sides.ratio.weights) * fitted


def _change(sides: Sides, told: _Told, *, declared: float | None) -> tuple[float, float]:
    """Return the change of the loss against the objective and its standard error, as shares.

    Against the reference the part of its error that is common to both cancels: with weights w the
    rest is Var((w - 1) loss) / n = Var(loss) (1 / n_effective - 1 / n). What the rows of either
    side are expected to lose varies besides.
    """
    spread = sides.dependence * float(np.var(sides.losses))
    effective, rows = _effective(sides), len(sides.losses)
    variance = mean_deviation(told.rows.current, sides.blocks[1]) ** 2
    baseline = declared
    if baseline is None:
        baseline = told.baseline
        variance += mean_deviation(told.rows.reference, sides.blocks[0]) ** 2
        variance += spread * max(0.0, 1 / effective - 1 / rows)
    else:
        variance += spread / effective
    change = float(told.rows.current.mean()) - baseline
    return change / sides.bound, float(np.sqrt(variance)) / sides.bound


def _level(change: float, low: float, high: float, void: str | None) -> tuple[EstimateLevel, str]:
    said = (
        f"the loss is estimated to have changed by {change:+.3f} of its range "
        f"({low:+.3f} to {high:+.3f})"
    )
    if void is not None:
        return "void", void
    if low > 0 and high > ALLOWANCE:
        return "below", said
    return "ok", said


def _estimates(
    sides: Sides, told: _Told, drift: DriftReport, void: str | None
) -> Iterator[LossEstimate]:
    """Yield what each method says of the window, first the one that makes the level."""
    spread = sides.dependence * float(np.var(sides.losses))
    own, effective = spread / len(sides.current), _effective(sides)
    error = float(np.sqrt(own + spread / effective))
    yield _stated(sides, told.method, float(told.rows.current.mean()), error, void)
    if told.method == "PAPE":
        plain = by_confidence(sides, calibrated(sides)).current
        yield _stated(sides, "CBPE", float(plain.mean()), error, void)
    mean = by_density(sides)
    if mean is not None:
        error = float(np.sqrt(own + sides.dependence * mean.deviation**2))
        yield _stated(sides, "IW", mean.value, error, void)
    if sides.truth.task == "classification":
        mean, why = by_class_shift(sides, is_joint_quiet=drift.joint.level == "none")
        if mean is None:
            yield LossEstimate(method="BBSE", is_valid=False, reason=why)
        else:
            error = float(np.sqrt(own + sides.dependence * mean.deviation**2))
            yield _stated(sides, "BBSE", mean.value, error, void)


def _stated(
    sides: Sides, method: EstimateMethod, value: float, error: float, void: str | None
) -> LossEstimate:
    return LossEstimate(
        method=method,
        value=value,
        lower=max(0.0, value - ERRORS * error),
        upper=min(sides.bound, value + ERRORS * error),
        standard_error=error,
        is_valid=void is None,
        reason=void,
    )
