"""What would a predictor answer that knows nothing but the training target?"""

import numpy as np

from modelwarrant.errors import TargetError
from modelwarrant.evaluation.losses import require_decision_metric, truth_of
from modelwarrant.windows import FinalSplit, Predictions, TrainingSplit

__all__ = ["trivial"]

_PSEUDO_COUNT = 0.5
"""Added to each class (Jeffreys), so that a class absent from training costs no infinite loss."""


def trivial(train: TrainingSplit, final: FinalSplit, metric: str) -> Predictions:
    """Return the best constant answer for a metric, learned from the training rows alone.

    Class shares for classification metrics, the mean for squared error, the median for absolute
    error. A first model must beat it before anybody is asked to approve.

    Args:
        train: labelled rows to learn from.
        final: the rows to answer; only their number is used.
        metric: one of ``DECISION_METRICS``.

    Raises:
        TypeError: not a training and a final split.
        TargetError: the training rows have no usable target.
        ProjectError: no decision metric for the schema's task.
    """
    if not isinstance(train, TrainingSplit) or not isinstance(final, FinalSplit):
        raise TypeError("trivial takes a TrainingSplit to learn from and a FinalSplit to answer")
    truth = truth_of(train.window, name="training")
    require_decision_metric(metric, task=truth.task)
    if not len(truth):
        raise TargetError("the training window is empty: there is no trivial answer")
    if truth.task == "regression":
        average = np.median if metric == "absolute_error" else np.mean
        return Predictions("regression", np.full(len(final.window), float(average(truth.values))))
    counts = np.bincount(truth.codes, minlength=len(truth.classes)) + _PSEUDO_COUNT
    shares = np.tile(counts / counts.sum(), (len(final.window), 1))
    return Predictions("classification", shares, truth.classes)
