"""What changed between two windows, and how bad is it?"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.features import (
    DRIFT_PSI,
    Measured,
    category_drift,
    judged,
    number_drift,
    time_drift,
)
from modelwarrant.drift.gates import (
    category_gates,
    duplicate_gate,
    number_gates,
    quiet_gates,
    row_gates,
)
from modelwarrant.drift.joint import joint_drift
from modelwarrant.drift.pair import Pair, absent_features, pair_windows
from modelwarrant.drift.predictions import prediction_drift
from modelwarrant.drift.scale import scale_gate
from modelwarrant.profiles import (
    CategoryProfile,
    NumberProfile,
    WindowProfile,
    category_profile,
    number_edges,
    sorted_numbers,
)
from modelwarrant.records import (
    DriftLevel,
    DriftReport,
    FeatureDrift,
    Gate,
    JointDrift,
    PredictionDrift,
)
from modelwarrant.windows import (
    Feature,
    FeatureSchema,
    Predictions,
    Window,
    canonical_order,
    count_duplicates,
    window_digest,
)

__all__ = ["compare", "compare_profiles", "feature_drift"]

_ALPHA = 0.01
"""One report in a hundred may call a feature drifted whose PSI is at the floor exactly."""


def compare(
    reference: Any,
    current: Any,
    schema: FeatureSchema | None = None,
    *,
    alpha: float = _ALPHA,
    scores: tuple[Predictions, Predictions] | None = None,
    reference_labels_for_scores: npt.NDArray[np.int64] | None = None,
    weights: Mapping[str, float] | None = None,
    production_digest: str | None = None,
) -> DriftReport:
    """Compare two windows of data.

    The level is the worst finding: ``blocked`` where a gate blocks, else ``drift`` where a feature,
    the joint detector or the predictions say so, else ``notice`` where one of them or a gate's
    warning does. Without a finding it is ``none`` if at least one feature was tested (D1's 500 rows
    in both windows), else ``unknown``: a short window is never 'no drift'. A feature that is
    ``unknown`` beside tested ones hides nothing and decides nothing. Instants are not judged, since
    they advance from window to window by nature; gates still watch them.

    Row order, category encoding and the number of cores change nothing in the report.

    Args:
        reference: the window that production was made from: a ``Window``, a pandas DataFrame, an
            Arrow table, or another object that hands out an Arrow stream.
        current: the window to judge, likewise.
        schema: which columns are features and what they are. None takes a window's own schema, else
            infers one from the column types; a column in one of them only then blocks (G1).
        alpha: familywise level over the features, and level of each bound, in (0, 1).
        scores: the production model's answers on reference rows that it was not trained on, and on
            the current rows.
        reference_labels_for_scores: (n,) true class codes aligned with ``scores[0]``, -1 unknown.
        weights: importance of features for the production model, in [0, 1].
        production_digest: the production model's digest, for the record.

    Raises:
        SchemaMismatchError: nothing can be compared; the message names the columns.
        DataError: the scores do not fit each other or the labels.
    """
    _check_alpha(alpha)
    pair = pair_windows(reference, current, schema)
    orders = canonical_order(pair.reference), canonical_order(pair.current)
    features, gates = feature_drift(pair, alpha=alpha, weights=weights)
    gates += duplicate_gate(
        count_duplicates(pair.current, order=orders[1]), max(len(pair.current), 1)
    )
    joint = joint_drift(pair.reference, pair.current, pair.features, orders=orders, alpha=alpha)
    predictions = None
    if scores is not None:
        predictions = prediction_drift(
            *scores,
            alpha=alpha,
            positive=pair.schema.positive,
            reference_labels=reference_labels_for_scores,
            is_joint_quiet=joint.level == "none",
        )
    return DriftReport(
        n_reference=len(pair.reference),
        n_current=len(pair.current),
        level=_level(features, gates, joint, predictions),
        features=features,
        joint=joint,
        gates=_in_order(gates + quiet_gates(gates, len(pair.features))),
        predictions=predictions,
        alpha=alpha,
        reference_digest=window_digest(pair.reference, order=orders[0]),
        current_digest=window_digest(pair.current, order=orders[1]),
        production_digest=production_digest,
        schema_digest=pair.schema.digest,
    )


def feature_drift(
    pair: Pair, *, alpha: float = _ALPHA, weights: Mapping[str, float] | None = None
) -> tuple[tuple[FeatureDrift, ...], list[Gate]]:
    """Measure each feature (D1, D2) and run each column's gates, one column in memory at a time.

    Returns:
        The features in the schema's order, and what the gates found.
    """
    gates = [*pair.findings, *row_gates(len(pair.reference), len(pair.current))]
    measured = []
    for feature in pair.features:
        one, found = _measured(pair, feature, alpha)
        measured.append(one)
        gates += found
    compared = judged(measured, alpha=alpha, weights=dict(weights or {}))
    absent = absent_features(pair, psi_threshold=DRIFT_PSI)
    by_name = {feature.name: feature for feature in (*_blocked(compared, gates), *absent)}
    return tuple(by_name[name] for name in pair.schema.names), gates


def compare_profiles(
    reference: WindowProfile,
    current: WindowProfile,
    *,
    alpha: float = _ALPHA,
    weights: Mapping[str, float] | None = None,
) -> tuple[tuple[FeatureDrift, ...], tuple[Gate, ...]]:
    """Compare windows that are larger than memory, from their profiles.

    D1, D2 and the gates G1 (without duplicates), G2 and G4. Unit changes (G3) and joint shifts (D3)
    need rows.

    Args:
        reference: profile of the reference.
        current: profile of the current window along the reference's edges.
        alpha: as in ``compare``.
        weights: as in ``compare``.

    Raises:
        ValueError: the profiles have different columns, kinds or edges.
    """
    _check_alpha(alpha)
    kinds = [{n: type(c) for n, c in p.columns.items()} for p in (reference, current)]
    if kinds[0] != kinds[1] or reference.edges != current.edges:
        raise ValueError("the profiles differ in columns or edges; profile along one set of edges")
    gates, measured = row_gates(reference.rows, current.rows), []
    for name, before in reference.columns.items():
        after = current.columns[name]
        count = len(reference.columns)
        if isinstance(before, NumberProfile) and isinstance(after, NumberProfile):
            measured.append(number_drift(name, before, after, edges=before.edges, alpha=alpha))
            gates += number_gates(name, before, after, n_features=count)
        elif isinstance(before, CategoryProfile) and isinstance(after, CategoryProfile):
            measured.append(category_drift(name, "category", before, after))
            gates += category_gates(name, before, after, n_features=count)
    compared = judged(measured, alpha=alpha, weights=dict(weights or {}))
    return tuple(_blocked(compared, gates)), _in_order(gates)


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")


def _measured(pair: Pair, feature: Feature, alpha: float) -> tuple[Measured, list[Gate]]:
    name, count = feature.name, len(pair.features)
    if feature.kind in ("category", "boolean"):
        before, after = (_categories(window, name) for window in (pair.reference, pair.current))
        return (
            category_drift(name, feature.kind, before, after),
            category_gates(name, before, after, n_features=count),
        )
    first, second = (
        sorted_numbers(window.numbers(name)) for window in (pair.reference, pair.current)
    )
    gates = number_gates(name, first, second, n_features=count)
    if feature.kind == "time":
        return time_drift(name, first, second), gates
    edges = number_edges(first.values)
    return (
        number_drift(name, first, second, edges=edges, alpha=alpha),
        gates + scale_gate(name, first, second),
    )


def _categories(window: Window, name: str) -> CategoryProfile:
    counts, missing = window.level_counts(name)
    return category_profile(counts, missing=missing)


def _blocked(features: Iterable[FeatureDrift], gates: Iterable[Gate]) -> list[FeatureDrift]:
    """Give features that a gate blocks that level; their numbers describe a fault, not a drift."""
    faults = {gate.column: gate for gate in gates if gate.level == "block"}
    return [
        feature.model_copy(
            update={
                "level": "blocked",
                "reason": f"{faults[feature.name].gate}: {faults[feature.name].detail}",
            }
        )
        if feature.name in faults
        else feature
        for feature in features
    ]


def _level(
    features: Iterable[FeatureDrift],
    gates: Iterable[Gate],
    joint: JointDrift,
    predictions: PredictionDrift | None,
) -> DriftLevel:
    gate_levels = {gate.level for gate in gates}
    if "block" in gate_levels:
        return "blocked"
    tested = {feature.level for feature in features}
    found = tested | {joint.level} | ({predictions.level} if predictions else set())
    if "drift" in found:
        return "drift"
    if "notice" in found or "warn" in gate_levels:
        return "notice"
    return "none" if "none" in tested else "unknown"


def _in_order(gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """Sort by gate, the worst first; columns keep the schema's order."""
    severity = ("block", "warn", "notice", "ok")
    return tuple(sorted(gates, key=lambda gate: (gate.gate, severity.index(gate.level))))
