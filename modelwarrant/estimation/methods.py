"""What does each method say of each row, and of the window?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.joint import paired_column
from modelwarrant.drift.predictions import label_shift
from modelwarrant.estimation.calibrating import fit_calibrator
from modelwarrant.estimation.confidence import class_losses, expected
from modelwarrant.estimation.direct import fit_losses
from modelwarrant.estimation.sides import Sides
from modelwarrant.estimation.weighting import WeightedMean, weighted_mean

__all__ = [
    "LEARNT_ROWS",
    "RowLosses",
    "by_class_shift",
    "by_confidence",
    "by_density",
    "by_regression",
    "calibrated",
]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

LEARNT_ROWS = 10_000
"""Newest rows that the loss is learnt from: 100 trees on more of them take longer than a pass."""


@dataclass(frozen=True)
class RowLosses:
    """Expected loss of each row of both sides."""

    reference: Floats
    current: Floats


def calibrated(
    sides: Sides, *, rows: Rows | None = None, weights: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return calibrated probabilities of the reference's and of the current rows.

    Args:
        sides: of a classification.
        rows: places in the reference that the calibration is fitted on; None for all.
        weights: the density ratio of those rows (PAPE); None for none (CBPE).
    """
    rows = np.arange(len(sides.losses)) if rows is None else rows
    calibrator = fit_calibrator(
        sides.reference_answers[rows], sides.truth.codes[rows], weights=weights
    )
    return (
        calibrator.probabilities(sides.reference_answers),
        calibrator.probabilities(sides.current_answers),
    )


def by_confidence(sides: Sides, probabilities: tuple[Floats, Floats]) -> RowLosses:
    """Return what the model's calibrated confidence says of each row."""
    answers = (sides.reference_answers, sides.current_answers)
    return RowLosses(
        *(
            expected(np.minimum(class_losses(each, metric=sides.metric), sides.bound), known)
            for each, known in zip(answers, probabilities, strict=True)
        )
    )


def by_regression(
    sides: Sides, *, rows: Rows | None = None, losses: Floats | None = None
) -> RowLosses:
    """Return what a model of the loss says of each row (DLE).

    Args:
        sides: of a regression.
        rows: places in the reference that it is fitted on; None for all; the newest 10,000 count.
        losses: (n_reference,) what is learnt; None for the clipped losses.
    """
    rows = np.arange(len(sides.losses)) if rows is None else rows
    rows = rows[-LEARNT_ROWS:]
    values, is_category = _matrix(sides)
    size = len(sides.losses)
    learnt = sides.losses if losses is None else losses
    model = fit_losses(values[:size][rows], learnt[rows], is_category=is_category)
    told = model.expected(values)
    return RowLosses(told[:size], told[size:])


def by_density(sides: Sides) -> WeightedMean | None:
    """Return the reference's loss weighted by the density ratio (IW); None without one."""
    if sides.ratio is None:
        return None
    return weighted_mean(sides.losses[sides.ratio.rows], sides.ratio.weights)


def by_class_shift(sides: Sides, *, is_joint_quiet: bool) -> tuple[WeightedMean | None, str | None]:
    """Return the reference's loss weighted by the shift of its classes (BBSE), or why not.

    Args:
        sides: of a classification.
        is_joint_quiet: whether D3 found nothing, as BBSE demands.
    """
    reference, current = sides.predictions
    codes = sides.reference.codes(str(sides.reference.schema.target), reference.classes)
    shift = label_shift(reference, current, codes, is_joint_quiet=is_joint_quiet)
    if shift.weights is None:
        return None, shift.reason
    weights = np.array([*shift.weights, 0.0])[codes]
    if not weights.any():
        return None, "BBSE: every labelled row has the weight 0"
    return weighted_mean(sides.losses, weights), None


def _matrix(sides: Sides) -> tuple[Floats, tuple[bool, ...]]:
    """Return features and answers of both sides, but what only advances or is never known."""
    columns, kinds = [], []
    for feature in sides.reference.schema.features:
        if feature.kind != "time":
            column, is_category = paired_column(sides.reference, sides.current, feature)
            if not np.isnan(column[: len(sides.losses)]).all():
                columns.append(column)
                kinds.append(is_category)
    columns.append(np.concatenate([sides.reference_answers, sides.current_answers]))
    return np.column_stack(columns), (*kinds, False)
