"""Which other metrics of the window follow from what a method says, and how sure are they?"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from modelwarrant.estimation.checking import ERRORS
from modelwarrant.estimation.confidence import class_losses, expected, expected_auc
from modelwarrant.estimation.methods import by_regression
from modelwarrant.estimation.sides import Sides
from modelwarrant.evaluation.auc import roc_auc_variance
from modelwarrant.evaluation.losses import DECISION_METRICS, row_losses
from modelwarrant.records import MetricEstimate

__all__ = ["classification_metrics", "regression_metrics"]

Floats = npt.NDArray[np.float64]


def classification_metrics(
    sides: Sides, probabilities: Floats, *, n_effective: float
) -> tuple[MetricEstimate, ...]:
    """Return error rate, accuracy, log loss, Brier score and ROC AUC of the window, not clipped.

    Args:
        sides: of a classification.
        probabilities: calibrated, of the current rows.
        n_effective: effective rows of the reference.
    """
    answers, found = sides.current_answers, []
    for metric in DECISION_METRICS["classification"]:
        value = float(expected(class_losses(answers, metric=metric), probabilities).mean())
        losses = row_losses(sides.reference_answers, sides.truth, metric=metric)
        error = _error(sides, float(np.var(losses)), n_effective)
        highest = 1.0 if metric == "error_rate" else np.inf
        found.append(_stated(metric, value, error, highest=highest))
        if metric == "error_rate":
            found.append(_stated("accuracy", 1 - value, error, highest=1.0))
    area = expected_auc(probabilities, answers)
    variances = [each for each in _auc_variances(sides) if each is not None]
    if area is not None and variances:
        spread = float(np.mean(np.sqrt(variances))) ** 2 * len(sides.losses)
        found.append(_stated("roc_auc", area, _error(sides, spread, n_effective), highest=1.0))
    return tuple(found)


def regression_metrics(sides: Sides, *, n_effective: float) -> tuple[MetricEstimate, ...]:
    """Return absolute and squared error of the window by direct loss estimation, not clipped.

    Args:
        sides: of a regression.
        n_effective: effective rows of the reference.
    """
    found = []
    for metric in DECISION_METRICS["regression"]:
        losses = row_losses(sides.reference_answers, sides.truth, metric=metric)
        value = float(by_regression(sides, losses=losses).current.mean())
        error = _error(sides, float(np.var(losses)), n_effective)
        found.append(_stated(metric, value, error, highest=np.inf))
    return tuple(found)


def _auc_variances(sides: Sides) -> Iterator[float | None]:
    """Yield DeLong's variance of each class's area on the reference."""
    answers = sides.reference_answers
    for code in (1,) if answers.shape[1] == 2 else range(answers.shape[1]):
        yield roc_auc_variance(sides.truth.codes == code, answers[:, code])


def _error(sides: Sides, variance: float, n_effective: float) -> float:
    """Return the standard error of a metric of the window, whose rows vary like this."""
    shares = 1 / len(sides.current) + 1 / n_effective
    return float(np.sqrt(sides.dependence * variance * shares))


def _stated(name: str, value: float, error: float, *, highest: float) -> MetricEstimate:
    return MetricEstimate(
        name=name,
        value=value,
        lower=max(0.0, value - ERRORS * error),
        upper=min(highest, value + ERRORS * error),
    )
