"""Why is a number of a report not there?

A null without a reason reads as 'no drift'. Each detector's numbers are walked once, at the end,
and every one that is None gets its reason in ``undefined``; ``features`` does so for its own.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from modelwarrant.records import (
    CalibrationDrift,
    DriftReport,
    Finding,
    Gate,
    LabelledDrift,
    PredictionDrift,
    ResidualDrift,
)

__all__ = ["explained", "explained_gates"]

_NO_NUMBERS = ("reason", "distribution")
_GROUPS = "too few groups of rows for an error"
_NO_CLASSES = "a regression has no classes"

_Part = TypeVar("_Part", bound=Finding)


def explained(report: DriftReport) -> DriftReport:
    """Return the report with a reason beside each part, and each number of a part, that is None."""
    absent = {
        "predictions": "no answers of a production model were given",
        "labelled": "no labelled rows with production's answers on both windows were given",
        "drifted_weight": "no feature has a weight above 0 for a production model",
        "season": "no season is declared",
        "production_digest": "no production model was given",
    }
    parts = {
        "gates": explained_gates(report.gates),
        "joint": _told(report.joint, {}, report.joint.reason),
        "predictions": _predictions(report.predictions),
        "labelled": _labelled(report.labelled),
        "season": None if report.season is None else _told(report.season, {}, report.season.reason),
        "undefined": {name: why for name, why in absent.items() if getattr(report, name) is None},
    }
    return report.model_copy(update=parts)


def explained_gates(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """Return the gates with a reason beside each number that is None."""
    return tuple(
        _told(gate, {}, "the gate looked at all columns and found nothing")
        if gate.level == "ok"
        else _told(
            gate,
            {
                "p_value": "a rule without chance in it, or a reference without a value",
                "n_reference": "the current window alone is looked at",
            },
            "the columns cannot be compared at all",
        )
        for gate in gates
    )


def _predictions(found: PredictionDrift | None) -> PredictionDrift | None:
    if found is None:
        return None
    if found.psi is None:
        return _told(found, {}, found.reason)
    is_regression = found.total_variation is None
    shift = _NO_CLASSES
    if not is_regression:
        shift = next(
            (part for part in (found.reason or "").split("; ") if part.startswith("BBSE")),
            "no labels of the reference's rows were given",
        )
    return _told(
        found, dict.fromkeys(("label_shift_weights", "condition_number"), shift), _NO_CLASSES
    )


def _labelled(found: LabelledDrift | None) -> LabelledDrift | None:
    if found is None:
        return None
    is_regression = found.metric == "squared_error"
    judged = found.loss_reference is not None
    reasons = {"loss_p_value": found.reason or _GROUPS}
    if judged:
        reasons |= dict.fromkeys(("class_variation", "class_variation_p_value"), _NO_CLASSES)
        reasons |= {
            "residuals": "classes have no residuals",
            "calibration": "a regression says no probabilities",
        }
    told = _told(found, reasons, found.reason)
    return told.model_copy(
        update={
            "residuals": _residuals(found.residuals) if is_regression else None,
            "calibration": None if is_regression else _calibration(found.calibration),
            "slices": tuple(_told(part, {}, _GROUPS) for part in found.slices),
        }
    )


def _residuals(found: ResidualDrift | None) -> ResidualDrift | None:
    if found is None:
        return None
    few = "too few rows between these two deciles"
    deciles = tuple(_told(decile, {}, few) for decile in found.deciles)
    return _told(found, {}, found.reason).model_copy(update={"deciles": deciles})


def _calibration(found: CalibrationDrift | None) -> CalibrationDrift | None:
    if found is None:
        return None
    if found.ece_current is None:
        return _told(found, {}, found.reason)
    sure = "every probability is 0, 1 or 1/2, so nothing varies"
    line = "the outcome's regression on the log odds has no finite solution"
    reasons = dict.fromkeys(("spiegelhalter_z", "spiegelhalter_p_value"), sure)
    reasons |= dict.fromkeys(("slope", "intercept"), line)
    return _told(found, reasons, _GROUPS)


def _told(part: _Part, reasons: Mapping[str, str], otherwise: str | None) -> _Part:
    """Return the part with the reason of each number that is None."""
    undefined = {
        name: reasons.get(name) or otherwise or "not computed"
        for name, field in type(part).model_fields.items()
        if field.default is None and name not in _NO_NUMBERS and getattr(part, name) is None
    }
    return part.model_copy(update={"undefined": undefined}) if undefined else part
