"""How much does a model lose on each row, and what do its answers score over a window?

A decision rests on a mean of losses a row, because only such a metric can be compared row by row
and its difference bounded. Metrics that are no such mean (ROC AUC, RMSE, R2) are reported beside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import DataError, ProjectError, TargetError
from modelwarrant.evaluation.auc import roc_auc
from modelwarrant.windows import Predictions, Task, Window

__all__ = [
    "DECISION_METRICS",
    "DEFAULT_METRIC",
    "REPORTED_METRICS",
    "Truth",
    "aligned",
    "loss_bound",
    "require_decision_metric",
    "row_losses",
    "scores",
    "truth_of",
]

Floats = npt.NDArray[np.float64]

DECISION_METRICS: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("log_loss", "brier", "error_rate"),
        "regression": ("squared_error", "absolute_error"),
    }
)
"""Metrics a decision may be about: means of losses a row, lower is better."""

DEFAULT_METRIC: Mapping[Task, str] = MappingProxyType(
    {"classification": "log_loss", "regression": "squared_error"}
)
"""The metric of a project file that names none: both are proper for what the models estimate."""

REPORTED_METRICS: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("log_loss", "brier", "error_rate", "roc_auc"),
        "regression": ("rmse", "mae", "r2"),
    }
)
"""What the metrics table shows beside the decision's metric."""

HIGHER_IS_BETTER = frozenset({"roc_auc", "r2"})

BOUND_QUANTILE = 0.995
"""Losses are clipped at this quantile of the reference's losses (design E2)."""

_SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""A probability of exactly 0 costs 36.04 nats, as in scikit-learn, instead of infinity."""

_LARGEST = 1e150
"""Beyond it squares overflow a float64: no target is that large, but a fault may be."""

_SUM_TOLERANCE = 1e-4
"""Probabilities of a float32 model add to 1 within a few units of 1e-7 a class."""


@dataclass(frozen=True)
class Truth:
    """What was observed: class codes (n,) int64 with ``classes``, or values (n,) float64."""

    task: Task
    codes: npt.NDArray[np.int64]
    values: Floats
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes) if self.task == "classification" else len(self.values)


def require_decision_metric(metric: str, *, task: Task) -> None:
    """Refuse a metric that no decision can be about.

    Raises:
        ProjectError: the metric is unknown, of the other task, or no mean of losses a row.
    """
    allowed = DECISION_METRICS[task]
    if metric in allowed:
        return
    reported = {name for names in REPORTED_METRICS.values() for name in names}
    why = (
        "is reported but cannot decide: it is not a mean of losses a row"
        if metric in reported and metric not in {m for ms in DECISION_METRICS.values() for m in ms}
        else f"is no decision metric for {task}"
    )
    raise ProjectError(f"metric {metric!r} {why}; use one of {', '.join(allowed)}")


def truth_of(window: Window, *, classes: Sequence[str] = (), name: str = "window") -> Truth:
    """Return the observed target of a window.

    Args:
        window: rows with a target.
        classes: labels that a model may answer beyond those the schema declares.
        name: which window this is, for error messages.

    Raises:
        TargetError: no target, a missing one, or (regression) one that is not finite.
    """
    schema = window.schema
    if schema.task is None or schema.target is None or not window.has_target:
        raise TargetError(f"the {name} window has no target {schema.target!r}; nothing to evaluate")
    none = np.zeros(0, dtype=np.int64)
    if schema.task == "regression":
        values = window.numbers(schema.target)
        if bad := int(np.count_nonzero(~(np.abs(values) < _LARGEST))):
            raise TargetError(
                f"target {schema.target!r} of the {name} window: {bad} are missing, not finite or "
                f"beyond {_LARGEST:g}"
            )
        return Truth("regression", none, values)
    codes, levels = window.levels(schema.target)
    if missing := int(np.count_nonzero(codes < 0)):
        raise TargetError(f"target {schema.target!r} of the {name} window: {missing} are missing")
    known = tuple(dict.fromkeys((*(schema.classes or levels), *classes)))
    unknown = sorted(set(levels) - set(known))
    if unknown:
        raise TargetError(
            f"target {schema.target!r} of the {name} window holds the label {unknown[0]!r}, "
            f"which is not one of {list(known)}"
        )
    index = np.array([known.index(level) for level in levels], dtype=np.int64)
    return Truth("classification", index[codes], np.zeros(0), known)


def aligned(predictions: Predictions, truth: Truth, *, model: str, window: str) -> Floats:
    """Return a model's answers in the truth's shape: (n, n_classes) or (n,) float64.

    A class that the model does not know has probability 0: it pays the full loss for it.

    Raises:
        DataError: another task, another number of rows, a class that nobody declared, or values
            that are not finite or (probabilities) not in [0, 1] adding to 1.
    """
    who = f"the {model}'s predictions on the {window} window"
    if predictions.task != truth.task:
        raise DataError(f"{who} are for {predictions.task}, the target is for {truth.task}")
    if len(predictions) != len(truth):
        raise DataError(
            f"{who} have {len(predictions)} rows and the final split has {len(truth)}: "
            "score the model again on exactly these rows"
        )
    values = np.asarray(predictions.values, dtype=np.float64)
    usable = (np.abs(values) < _LARGEST).reshape(len(values), -1).all(axis=1)
    if not usable.all():
        row = int(np.flatnonzero(~usable)[0])
        raise DataError(f"{who} are not finite or beyond {_LARGEST:g}, first in row {row}")
    if truth.task == "regression":
        if values.ndim != 1:
            raise DataError(f"{who} have shape {values.shape}, expected one value a row")
        return values
    return _probabilities(values, predictions.classes, truth.classes, who=who)


def _probabilities(
    values: Floats, theirs: tuple[str, ...], ours: tuple[str, ...], *, who: str
) -> Floats:
    if values.ndim != 2 or values.shape[1] != len(theirs):
        raise DataError(f"{who} have shape {values.shape} for {len(theirs)} classes")
    if extra := [label for label in theirs if label not in ours]:
        raise DataError(f"{who} know the class {extra[0]!r}, which is not one of {list(ours)}")
    sums = values.sum(axis=1)
    bad = (np.abs(sums - 1) > _SUM_TOLERANCE) | (values < -_SUM_TOLERANCE).any(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(f"{who} are no probabilities: row {row} adds to {sums[row]:.6g}")
    if theirs == ours:
        return values
    full = np.zeros((len(values), len(ours)))
    full[:, [ours.index(label) for label in theirs]] = values
    return full


def row_losses(answers: Floats, truth: Truth, *, metric: str) -> Floats:
    """Return the loss of each row, (n,) float64, not clipped.

    Args:
        answers: as ``aligned`` returns them.
        truth: what was observed.
        metric: one of ``DECISION_METRICS``.

    Brier is half the squared distance for two classes and the whole for more, as in scikit-learn.

    >>> truth = Truth("classification", np.array([0, 1]), np.zeros(0), ("no", "yes"))
    >>> answers = np.array([[0.8, 0.2], [0.6, 0.4]])
    >>> row_losses(answers, truth, metric="log_loss").round(4).tolist()
    [0.2231, 0.9163]
    >>> row_losses(answers, truth, metric="brier").round(4).tolist()
    [0.04, 0.36]
    >>> row_losses(answers, truth, metric="error_rate").tolist()
    [0.0, 1.0]
    """
    require_decision_metric(metric, task=truth.task)
    if truth.task == "regression":
        errors = np.abs(answers - truth.values)
        return np.asarray(np.square(errors) if metric == "squared_error" else errors)
    rows = np.arange(len(answers))
    if metric == "error_rate":
        return np.asarray(np.argmax(answers, axis=1) != truth.codes, dtype=np.float64)
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(answers[rows, truth.codes], _SMALLEST_PROBABILITY, 1.0)))
    distance = answers.copy()
    distance[rows, truth.codes] -= 1.0
    squared = np.asarray(np.square(distance).sum(axis=1))
    return squared / 2 if answers.shape[1] == 2 else squared


def loss_bound(losses: Sequence[Floats], *, metric: str, n_classes: int) -> float:
    """Return the value at which losses are clipped before they are compared.

    It is the largest of the models' 99.5 % quantiles, so that neither model's tail is cut down to
    the other's, and for log loss at least ln(n_classes), the loss of a uniform guess.

    Args:
        losses: each compared model's losses on the reference, (n,) float64, not empty.
        metric: one of ``DECISION_METRICS``.
        n_classes: number of classes; not used for regression.

    >>> loss_bound([np.array([0.1, 0.2]), np.array([0.1, 3.1])], metric="log_loss", n_classes=2)
    3.085
    """
    bound = max(float(np.quantile(model, BOUND_QUANTILE)) for model in losses)
    return max(bound, float(np.log(n_classes))) if metric == "log_loss" else bound


def scores(answers: Floats, truth: Truth) -> dict[str, float | None]:
    """Return every reported metric of one model on one window; None where undefined.

    ROC AUC of more than two classes is the unweighted mean of one class against the rest; it is
    undefined where a window holds one class only, and R2 where the target is constant.

    >>> truth = Truth("regression", np.zeros(0, int), np.array([1.0, 2.0, 3.0]))
    >>> scores(np.array([1.0, 2.0, 4.0]), truth)["r2"]
    0.5
    """
    if truth.task == "classification":
        losses = {
            name: float(row_losses(answers, truth, metric=name).mean())
            for name in DECISION_METRICS["classification"]
        }
        return {**losses, "roc_auc": _auc(answers, truth)}
    squared = row_losses(answers, truth, metric="squared_error")
    absolute = row_losses(answers, truth, metric="absolute_error")
    spread = float(np.square(truth.values - truth.values.mean()).sum())
    return {
        "squared_error": float(squared.mean()),
        "absolute_error": float(absolute.mean()),
        "rmse": float(np.sqrt(squared.mean())),
        "mae": float(absolute.mean()),
        "r2": 1 - float(squared.sum()) / spread if spread > 0 else None,
    }


def _auc(answers: Floats, truth: Truth) -> float | None:
    if len(truth.classes) == 2:
        return roc_auc(truth.codes == 1, answers[:, 1])
    areas = [roc_auc(truth.codes == code, answers[:, code]) for code in range(len(truth.classes))]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None
