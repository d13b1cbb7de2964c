"""What kind of shift do the findings support: of data, features, answers, labels, or the concept?

A kind is named where a detector of it fired, with the numbers that support it. Several kinds may
hold at once; the absence of one is no proof, since each detector has an effect that it needs.
"""

from collections.abc import Iterable, Sequence

from modelwarrant.records import (
    FeatureDrift,
    Gate,
    JointDrift,
    LabelledDrift,
    PredictionDrift,
    Shift,
)

__all__ = ["drifted_weight", "named_shifts"]

_FOUND = ("drift", "notice")
_LOUD = {"blocked": 0, "drift": 1, "notice": 2}
_MOST_NAMED = 5

_CLASS_VARIATION, _CLASS_ALPHA = 0.05, 0.01


def named_shifts(
    features: Sequence[FeatureDrift],
    gates: Iterable[Gate],
    joint: JointDrift,
    predictions: PredictionDrift | None,
    labelled: LabelledDrift | None,
) -> tuple[Shift, ...]:
    """Return the kinds of shift that are supported, the loudest first.

    * data fault: a gate blocks. missingness: G2, or a column that is all missing.
    * covariate: D1 of a feature, or D3 of all together.
    * prediction: P1 or P2 of the production model's answers.
    * prior: the classes' shares moved, seen in labels (total variation of .05 at p < .01), or in
      predicted classes where the joint detector is quiet (BBSE).
    * concept: with labels, the loss grew, or residuals (P3) or probabilities (P4) are off.
    * subpopulation: with labels, the loss grew in some slices of a column and not in all.
    """
    named = list(gates)
    found = [
        *_faults(named),
        *_missingness(named),
        *_covariate(features, joint),
        *_prediction(predictions),
        *_prior(predictions, labelled),
    ]
    if labelled is not None:
        has_cause = any(shift.kind == "covariate" for shift in found)
        found += [*_concept(labelled, has_cause=has_cause), *_subpopulation(labelled)]
    return tuple(sorted(found, key=lambda shift: _LOUD[shift.level]))


def drifted_weight(features: Iterable[FeatureDrift]) -> float | None:
    """Return the share of importance that features with drift or a fault hold, in [0, 1].

    None where no feature has a weight, or all weigh nothing.
    """
    weighed = [
        (f.weight, f.level in ("drift", "blocked")) for f in features if f.weight is not None
    ]
    total = sum(weight for weight, _ in weighed)
    if not total > 0:
        return None
    return sum(weight for weight, is_drifted in weighed if is_drifted) / total


def _faults(gates: Sequence[Gate]) -> list[Shift]:
    fired = [gate for gate in gates if gate.level == "block"]
    if not fired:
        return []
    return [
        Shift(
            kind="data fault",
            level="blocked",
            columns=_columns(gate.column for gate in fired),
            detectors=tuple(sorted({gate.gate for gate in fired})),
            support=_listed(f"{gate.column or 'rows'}: {gate.detail}" for gate in fired),
        )
    ]


def _missingness(gates: Sequence[Gate]) -> list[Shift]:
    fired = [gate for gate in gates if gate.gate == "G2" and gate.level in ("warn", "block")]
    if not fired:
        return []
    return [
        Shift(
            kind="missingness",
            level="blocked" if any(gate.level == "block" for gate in fired) else "notice",
            columns=_columns(gate.column for gate in fired),
            detectors=("G2",),
            support=_listed(f"{gate.column}: {gate.detail}" for gate in fired),
        )
    ]


def _covariate(features: Sequence[FeatureDrift], joint: JointDrift) -> list[Shift]:
    moved = [feature for feature in features if feature.level in _FOUND]
    levels = [feature.level for feature in moved]
    support = [f"{feature.name}: {feature.reason}" for feature in moved]
    if joint.level in _FOUND:
        levels.append(joint.level)
        only = "" if moved else "no feature by itself, all together: "
        support.append(
            f"{only}a classifier tells the windows apart, AUC at least {joint.auc_lower:.3f}"
        )
    if not levels:
        return []
    detectors = (["D1"] if moved else []) + (["D3"] if joint.level in _FOUND else [])
    return [
        Shift(
            kind="covariate",
            level="drift" if "drift" in levels else "notice",
            columns=_columns(feature.name for feature in moved) or joint.features,
            detectors=tuple(detectors),
            support=_listed(support),
        )
    ]


def _prediction(predictions: PredictionDrift | None) -> list[Shift]:
    if predictions is None or predictions.level not in ("drift", "notice"):
        return []
    is_share = (predictions.reason or "").find("predicted classes moved") >= 0
    return [
        Shift(
            kind="prediction",
            level=predictions.level,
            detectors=("P2",) if is_share else ("P1",),
            support=predictions.reason or "",
        )
    ]


def _prior(predictions: PredictionDrift | None, labelled: LabelledDrift | None) -> list[Shift]:
    if labelled is not None and labelled.class_variation is not None:
        if not _is_moved(labelled.class_variation, labelled.class_variation_p_value):
            return []
        support = (
            f"{labelled.class_variation:.1%} of the labels moved between classes "
            f"(p {labelled.class_variation_p_value:.2g})"
        )
        return [Shift(kind="prior", level="notice", detectors=("labels",), support=support)]
    if predictions is None or predictions.label_shift_weights is None:
        return []
    if not _is_moved(predictions.total_variation, predictions.total_variation_p_value):
        return []
    weights = ", ".join(f"{weight:.2f}" for weight in predictions.label_shift_weights)
    support = (
        f"{predictions.total_variation:.1%} of the predicted classes moved and the joint detector "
        f"is quiet: classes came {weights} times as often, if the features of a class stayed (BBSE)"
    )
    return [Shift(kind="prior", level="notice", detectors=("P2",), support=support)]


def _is_moved(variation: float | None, p_value: float | None) -> bool:
    is_large = variation is not None and variation >= _CLASS_VARIATION
    return is_large and p_value is not None and p_value < _CLASS_ALPHA


def _concept(labelled: LabelledDrift, *, has_cause: bool) -> list[Shift]:
    support, detectors = [], []
    if labelled.loss_level == "drift":
        detectors.append("loss")
        support.append(
            f"{labelled.metric} went from {labelled.loss_reference:.3f} to "
            f"{labelled.loss_current:.3f} of its range (p {labelled.loss_p_value:.2g})"
        )
    for name, part in (("P3", labelled.residuals), ("P4", labelled.calibration)):
        if part is not None and part.level == "drift":
            detectors.append(name)
            support.append(part.reason or "")
    if not detectors:
        return []
    support.append(
        "the features drift too, so they may be the cause"
        if has_cause
        else "no drift of the features: no covariate cause"
    )
    return [
        Shift(kind="concept", level="drift", detectors=tuple(detectors), support=_listed(support))
    ]


def _subpopulation(labelled: LabelledDrift) -> list[Shift]:
    worse = []
    for column in dict.fromkeys(part.column for part in labelled.slices):
        parts = [part for part in labelled.slices if part.column == column]
        grown = [part for part in parts if part.level == "notice"]
        if grown and len(grown) < len(parts):
            worse += grown
    if not worse:
        return []
    return [
        Shift(
            kind="subpopulation",
            level="notice",
            columns=_columns(part.column for part in worse),
            detectors=("slices",),
            support=_listed(
                f"{part.column} {part.value}: loss {part.loss_reference:.3f} to "
                f"{part.loss_current:.3f} of its range (adjusted p {part.p_value_adjusted:.2g})"
                for part in sorted(worse, key=lambda part: part.p_value_adjusted or 0.0)
            ),
        )
    ]


def _columns(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _listed(texts: Iterable[str]) -> str:
    every = list(texts)
    more = f"; and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return "; ".join(every[:_MOST_NAMED]) + more
