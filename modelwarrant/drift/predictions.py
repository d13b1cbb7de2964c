"""P1 and P2: did the production model's answers change, and can a label shift explain it?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.bins import Bins, number_bins
from modelwarrant.drift.features import DRIFT_PSI, MIN_ROWS, NOTICE_PSI
from modelwarrant.drift.groups import design_effect, stretches_of
from modelwarrant.drift.statistics import (
    effective_size,
    holm,
    homogeneity,
    minimum_effect_p_value,
    psi,
    shares,
    total_variation,
)
from modelwarrant.errors import DataError
from modelwarrant.profiles import number_edges, sorted_numbers
from modelwarrant.records import DriftLevel, PredictionDrift
from modelwarrant.windows import Predictions

__all__ = ["LabelShift", "label_shift", "prediction_drift"]

_MIN_VARIATION = 0.05
_VARIATION_ALPHA = 0.01
_MAX_CONDITION = 100.0
"""Above, an error of 1 % in the confusion matrix may double a weight."""

_Floats = npt.NDArray[np.float64]
_Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelShift:
    """BBSE's weights q(y) / p(y) by class, or why there are none."""

    weights: tuple[float, ...] | None
    condition_number: float | None
    reason: str | None


@dataclass(frozen=True)
class _Score:
    """One score's bins in both windows, with its index and its p-values."""

    bins: Bins
    psi: float
    n_effective: float
    p_drift: float
    p_notice: float


def prediction_drift(
    reference: Predictions,
    current: Predictions,
    *,
    alpha: float,
    positive: str | None = None,
    reference_labels: _Codes | None = None,
    is_joint_quiet: bool,
) -> PredictionDrift:
    """Compare the production model's answers on unseen reference rows and on current rows.

    P1 is D1 on the predicted value, on the positive class's score (binary), or on each class's
    score with Holm over the classes, of which the one that moved most is reported. P2 compares the
    shares of predicted classes: a total variation of .05 or more with p < .01 is a ``notice``; a
    change as large as D1's ``drift`` shows in P1. Below 500 rows a window the level is ``unknown``.
    Where the answers have a time, neighbours in time count as dependent, as in D1.

    Args:
        reference: answers on reference rows that the model was not trained on.
        current: answers on the current window.
        alpha: level of P1, in (0, 1).
        positive: binary classification: the class whose score is compared; default the second.
        reference_labels: (n_reference,) codes of the true classes, -1 unknown; for BBSE.
        is_joint_quiet: whether D3 found nothing: else a label shift is not the only explanation.

    Raises:
        DataError: the two come from different models, a prediction is not finite, or the labels do
            not fit the rows.
    """
    if (reference.task, reference.classes) != (current.task, current.classes):
        raise DataError("the reference's and the current predictions have different classes")
    for window, answers in (("reference", reference), ("current", current)):
        bad = np.argwhere(~np.isfinite(answers.values))
        if len(bad):
            raise DataError(f"the prediction for {window} row {bad[0][0]} is not finite")
    sizes = {"n_reference": len(reference), "n_current": len(current)}
    if not min(sizes.values()):
        return PredictionDrift(level="unknown", **sizes, reason="a window holds no prediction")
    scores = _scores(reference, current, positive)
    worst = max(scores, key=lambda score: score.psi)
    variation = variation_p = None
    if reference.task == "classification":
        counts = [np.bincount(p.codes, minlength=len(p.classes)) for p in (reference, current)]
        effects = [_effect(p, p.codes, len(p.classes)) for p in (reference, current)]
        variation = total_variation(*counts)
        variation_p = homogeneity(counts[0] / effects[0], counts[1] / effects[1]).p_value
    shift = LabelShift(None, None, None)
    if reference_labels is not None and reference.task == "classification":
        shift = label_shift(reference, current, reference_labels, is_joint_quiet=is_joint_quiet)
    level, reason = _level(scores, variation, variation_p, min(sizes.values()), alpha)
    return PredictionDrift(
        level=level,
        psi=worst.psi,
        psi_p_value=min(holm([score.p_drift for score in scores])),
        psi_threshold=DRIFT_PSI,
        n_effective=worst.n_effective,
        total_variation=variation,
        total_variation_p_value=variation_p,
        total_variation_threshold=None if variation is None else _MIN_VARIATION,
        label_shift_weights=shift.weights,
        condition_number=shift.condition_number,
        **sizes,
        reason="; ".join(part for part in (reason, shift.reason) if part) or None,
        distribution=worst.bins.distribution,
    )


def label_shift(
    reference: Predictions, current: Predictions, labels: _Codes, *, is_joint_quiet: bool
) -> LabelShift:
    """Estimate how the classes' shares changed, from predicted classes alone (BBSE).

    With C[i, j] = P(predicted i, true j) on the reference and mu the predicted shares on the
    current window, w solves C w = mu and estimates q(y) / p(y); negative estimates are 0. It holds
    where P(x | y) stayed the same. Undefined where D3 found a shift, where a class has no label,
    and where C's condition number is 100 or more.

    Args:
        reference: answers on reference rows.
        current: answers on the current window.
        labels: (n_reference,) codes into the classes; -1 unknown.
        is_joint_quiet: whether D3 found nothing.

    Raises:
        DataError: the labels do not fit the rows or the classes.
    """
    count = len(reference.classes)
    if len(labels) != len(reference) or (len(labels) and int(labels.max()) >= count):
        raise DataError(
            f"{len(labels)} reference labels up to code {int(labels.max(initial=-1))} do not fit "
            f"{len(reference)} predictions of {count} classes"
        )
    known = labels >= 0
    joint = np.zeros((count, count))
    np.add.at(joint, (reference.codes[known], labels[known]), 1.0)
    if not joint.sum(axis=0).all():
        return LabelShift(None, None, "BBSE: a class has no reference label")
    joint /= joint.sum()
    condition = float(np.linalg.cond(joint))
    if not condition < _MAX_CONDITION:
        finite = condition if np.isfinite(condition) else None
        return LabelShift(None, finite, "BBSE: the model confuses classes too much to solve for")
    if not is_joint_quiet:
        return LabelShift(None, condition, "BBSE: the joint detector is not quiet")
    predicted = shares(np.bincount(current.codes, minlength=count))
    weights = np.maximum(np.linalg.solve(joint, predicted), 0.0)
    return LabelShift(tuple(weights.tolist()), condition, None)


def _scores(reference: Predictions, current: Predictions, positive: str | None) -> list[_Score]:
    answers, classes = (reference, current), reference.classes
    if reference.task == "regression":
        return [_score(answers, None)]
    if len(classes) == 2:
        return [_score(answers, classes.index(positive) if positive in classes else 1)]
    return [_score(answers, column) for column in range(len(classes))]


def _score(answers: tuple[Predictions, Predictions], column: int | None) -> _Score:
    """Compare one class's score, or the predicted value, between both windows."""
    values = [each.values if column is None else each.values[:, column] for each in answers]
    before, after = (sorted_numbers(each) for each in values)
    bins = number_bins(before, after, number_edges(before.values).decile_array)
    count = len(bins.reference)
    n, m = (
        len(each) / _effect(window, np.searchsorted(np.array(bins.edges), each), count)
        for window, each in zip(answers, values, strict=True)
    )
    index = psi(bins.reference, bins.current)
    p_drift, p_notice = (
        minimum_effect_p_value(index, n=n, m=m, bins=count, floor=floor)
        for floor in (DRIFT_PSI, NOTICE_PSI)
    )
    return _Score(bins, index, effective_size(n, m), p_drift, p_notice)


def _effect(answers: Predictions, bins: npt.NDArray[np.integer], count: int) -> float:
    """Return by which factor dependence between neighbours in time shrinks a window."""
    if answers.order is None:
        return 1.0
    return design_effect(bins.astype(np.int64), stretches_of(answers.order), count=count)


def _level(
    scores: list[_Score],
    variation: float | None,
    variation_p: float | None,
    rows: int,
    alpha: float,
) -> tuple[DriftLevel, str | None]:
    if rows < MIN_ROWS:
        return "unknown", f"{rows} predictions in the smaller window, {MIN_ROWS} are needed"
    p_drift = min(holm([score.p_drift for score in scores]))
    if p_drift < alpha:
        return "drift", f"PSI of the score is above {DRIFT_PSI:.2f} (p {p_drift:.2g})"
    p_notice = min(holm([score.p_notice for score in scores]))
    if p_notice < alpha:
        return "notice", f"PSI of the score is above {NOTICE_PSI:.2f} (p {p_notice:.2g})"
    is_moved = variation is not None and variation >= _MIN_VARIATION
    if is_moved and variation_p is not None and variation_p < _VARIATION_ALPHA:
        return "notice", f"{variation:.1%} of the predicted classes moved (p {variation_p:.2g})"
    return "none", None
