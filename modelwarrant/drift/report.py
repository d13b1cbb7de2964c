"""What changed between two windows, and how bad is it?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.calibration import Floors, calibrated_floors, reference_pairs
from modelwarrant.drift.dependence import Neighbours
from modelwarrant.drift.features import (
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
    overlap_gate,
    quiet_gates,
    row_gates,
)
from modelwarrant.drift.joint import joint_drift
from modelwarrant.drift.labelled import Labelled, labelled_drift
from modelwarrant.drift.pair import Pair, absent_features, pair_windows
from modelwarrant.drift.predictions import prediction_drift
from modelwarrant.drift.scale import scale_gate
from modelwarrant.drift.seasons import Findings, History, Previous, Season, in_season, previous_of
from modelwarrant.drift.shifts import drifted_weight, named_shifts
from modelwarrant.drift.undefined import explained, explained_gates
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
    span_of,
    window_digest,
)

__all__ = ["compare", "compare_profiles", "feature_drift", "measured_features"]

_ALPHA = 0.01
"""One report in a hundred may call a feature drifted whose PSI is at the floor exactly."""

_Order = npt.NDArray[np.int64]


def compare(
    reference: Any,
    current: Any,
    schema: FeatureSchema | None = None,
    *,
    alpha: float = _ALPHA,
    scores: tuple[Predictions, Predictions] | None = None,
    reference_labels_for_scores: npt.NDArray[np.int64] | None = None,
    labelled: tuple[Labelled, Labelled] | None = None,
    slices: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    time: str | None = None,
    season: timedelta | None = None,
    history: History | None = None,
    production_digest: str | None = None,
) -> DriftReport:
    """Compare two windows of data.

    The level is the worst finding: ``blocked`` where a gate blocks, else ``drift`` where a feature,
    the joint detector or the predictions say so, else ``notice`` where one of them or a gate's
    warning does. Without a finding it is ``none`` if at least one feature was tested (D1's 500 rows
    in both windows), else ``unknown``: a short window is never 'no drift'. A feature that is
    ``unknown`` beside tested ones hides nothing and decides nothing. Instants are not judged, since
    they advance from window to window by nature; gates still watch them. What labels say stands in
    ``labelled`` and in ``shifts``, and the level does not rest on it.

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
        labelled: labelled rows of both windows that production was not trained on, with its answers
            on them; for the shifts that only labels show.
        slices: features in whose slices the labelled loss is looked at; none takes the ten that
            weigh most.
        weights: importance of features for the production model, in [0, 1].
        time: the column along which rows are ordered, where no schema is given: neighbours in time
            then count as dependent. Row order is never taken for time.
        season: the period after which the data repeats itself; both windows must have a time.
        history: rows of the past, where the last window of the same season is looked for; None
            looks in the reference.
        production_digest: the production model's digest, for the record.

    Raises:
        SchemaMismatchError: nothing can be compared; the message names the columns.
        DataError: the scores do not fit each other or the labels, or a season without a time.
    """
    _check_alpha(alpha)
    pair = pair_windows(reference, current, schema, time=time)
    orders = canonical_order(pair.reference), canonical_order(pair.current)
    pairs = reference_pairs(_past(pair.reference, history), pair.current, season)
    terms = _Terms(alpha, dict(weights or {}), scores, reference_labels_for_scores, pairs)
    found = _found(pair, orders, terms)
    found.gates.extend(
        duplicate_gate(count_duplicates(pair.current, order=orders[1]), max(len(pair.current), 1))
    )
    digests = tuple(
        window_digest(window, order=order)
        for window, order in zip((pair.reference, pair.current), orders, strict=True)
    )
    sizes = len(pair.reference), len(pair.current)
    found.gates.extend(
        overlap_gate(_shared(pair), sizes, is_same=digests[0] == digests[1] and all(sizes))
    )
    told = None
    if season is not None:
        seasons = Season(season, history or History(pair.reference))
        previous = previous_of(seasons, pair.reference, pair.current)

        def again(previous: Previous) -> Findings:
            return _against(previous, pair, orders[1], terms)

        found, told = in_season(found, previous, again, season=seasons, digest=window_digest)
    features = _in_schema_order(pair, _with_gates(found.features, found.gates))
    said = None
    if labelled is not None:
        said = labelled_drift(*labelled, alpha=alpha, slices=slices, weights=terms.weights)
    report = DriftReport(
        n_reference=sizes[0],
        n_current=sizes[1],
        level=_level(features, found.gates, found.joint, found.predictions),
        features=features,
        joint=found.joint,
        gates=_in_order(found.gates + quiet_gates(found.gates, len(pair.features))),
        predictions=found.predictions,
        labelled=said,
        shifts=named_shifts(features, found.gates, found.joint, found.predictions, said),
        drifted_weight=drifted_weight(features),
        season=told,
        calibrated_pairs=len(pairs),
        alpha=alpha,
        reference_digest=digests[0],
        current_digest=digests[1],
        production_digest=production_digest,
        schema_digest=pair.schema.digest,
    )
    return explained(report)


def _shared(pair: Pair) -> int:
    """Return the current rows within the reference's time; 0 where one window follows the other."""
    windows = pair.reference, pair.current
    if any(window.schema.time is None or not len(window) for window in windows):
        return 0
    first, last = span_of(pair.reference)
    start, end = span_of(pair.current)
    if start >= last or first >= end:
        return 0
    return int(np.count_nonzero((pair.current.order >= first) & (pair.current.order <= last)))


@dataclass(frozen=True)
class _Terms:
    """What every comparison of one report is made with."""

    alpha: float
    weights: dict[str, float]
    scores: tuple[Predictions, Predictions] | None
    labels: npt.NDArray[np.int64] | None
    pairs: list[tuple[Window, Window]]


def _found(pair: Pair, orders: tuple[_Order, _Order], terms: _Terms) -> Findings:
    """Run gates, D1 to D3, P1 and P2."""
    alpha = terms.alpha
    floors = calibrated_floors(
        terms.pairs, pair.features, lambda *windows: _drift_of(*windows, alpha=alpha)
    )
    measured, gates = measured_features(pair, alpha=alpha, floors=floors)
    features = judged(measured, alpha=alpha, weights=terms.weights)
    joint = joint_drift(pair.reference, pair.current, pair.features, orders=orders, alpha=alpha)
    predictions = None
    if terms.scores is not None:
        predictions = prediction_drift(
            *terms.scores,
            alpha=alpha,
            positive=pair.schema.positive,
            reference_labels=terms.labels,
            is_joint_quiet=joint.level == "none",
        )
    return Findings(features, gates, joint, predictions)


def _past(reference: Window, history: History | None) -> Window:
    """Return the rows that floors are calibrated on: none is newer than the reference's.

    The history's where it holds more of them, for it may hold the reference.
    """
    if history is None or not len(reference):
        return reference
    earlier = history.window.take(history.window.order <= span_of(reference)[1])
    return earlier if len(earlier) > len(reference) else reference


def _against(previous: Previous, pair: Pair, current_order: _Order, terms: _Terms) -> Findings:
    """Compare the current window with the previous one of the same season."""
    window = pair.reference if previous.window is None else previous.window
    scores = None
    if terms.scores is not None and previous.answers is not None:
        scores = previous.answers, terms.scores[1]
    orders = canonical_order(window), current_order
    again = replace(terms, scores=scores, labels=None)
    return _found(replace(pair, reference=window), orders, again)


def feature_drift(
    pair: Pair, *, alpha: float = _ALPHA, weights: Mapping[str, float] | None = None
) -> tuple[tuple[FeatureDrift, ...], list[Gate]]:
    """Measure each feature (D1, D2) and run each column's gates, one column in memory at a time.

    Returns:
        The features in the schema's order, and what the gates found.
    """
    measured, gates = measured_features(pair, alpha=alpha)
    features = judged(measured, alpha=alpha, weights=dict(weights or {}))
    return _in_schema_order(pair, _with_gates(features, gates)), gates


def measured_features(
    pair: Pair, *, alpha: float = _ALPHA, floors: Floors | None = None
) -> tuple[list[Measured], list[Gate]]:
    """Measure each feature, before any is judged, and run each column's gates."""
    floors = floors or Floors({}, 0)
    gates = [*pair.findings, *row_gates(len(pair.reference), len(pair.current))]
    measured = []
    neighbours = Neighbours.of(pair.reference, pair.current)
    for feature in pair.features:
        one, found = _measured(pair, feature, alpha, floors.of(feature.name), neighbours)
        measured.append(one)
        gates += found
    return measured, gates


def _in_schema_order(pair: Pair, features: Iterable[FeatureDrift]) -> tuple[FeatureDrift, ...]:
    """Return the features, and an entry for each that cannot be compared."""
    absent = absent_features(pair)
    by_name = {feature.name: feature for feature in (*features, *absent)}
    return tuple(by_name[name] for name in pair.schema.names)


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
    return tuple(_with_gates(compared, gates)), explained_gates(_in_order(gates))


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it must lie between 0 and 1")


def _measured(
    pair: Pair, feature: Feature, alpha: float, floor: float, neighbours: Neighbours
) -> tuple[Measured, list[Gate]]:
    name, count, effects = feature.name, len(pair.features), neighbours.effects(feature)

    def runs() -> tuple[float, float] | None:
        return neighbours.runs(feature)

    def travel(has_zeros: bool) -> tuple[float, float] | None:
        return neighbours.travel(feature, has_zeros=has_zeros)

    if feature.kind in ("category", "boolean"):
        before, after = (_categories(window, name) for window in (pair.reference, pair.current))
        return (
            category_drift(name, feature.kind, before, after, floor=floor, effects=effects),
            category_gates(name, before, after, n_features=count, runs=runs),
        )
    first, second = (
        sorted_numbers(window.numbers(name)) for window in (pair.reference, pair.current)
    )
    gates = number_gates(name, first, second, n_features=count, runs=runs)
    if feature.kind == "time":
        return time_drift(name, first, second), gates
    edges = number_edges(first.values)
    return (
        number_drift(name, first, second, edges=edges, alpha=alpha, floor=floor, effects=effects),
        gates + scale_gate(name, first, second, runs=runs, travel=travel),
    )


def _drift_of(reference: Window, current: Window, feature: Feature, *, alpha: float) -> Measured:
    """Measure one feature in two windows, without gates."""
    name = feature.name
    if feature.kind in ("category", "boolean"):
        return category_drift(
            name, feature.kind, *(_categories(window, name) for window in (reference, current))
        )
    first, second = (sorted_numbers(window.numbers(name)) for window in (reference, current))
    if feature.kind == "time":
        return time_drift(name, first, second)
    return number_drift(name, first, second, edges=number_edges(first.values), alpha=alpha)


def _categories(window: Window, name: str) -> CategoryProfile:
    counts, missing = window.level_counts(name)
    return category_profile(counts, missing=missing)


def _with_gates(features: Iterable[FeatureDrift], gates: Iterable[Gate]) -> list[FeatureDrift]:
    """Say of each feature what gates found of its column; where one blocks, the feature is blocked.

    Its numbers then describe a fault, not a drift.
    """
    found: dict[str, list[Gate]] = {}
    for gate in gates:
        if gate.column is not None and gate.level != "ok":
            found.setdefault(gate.column, []).append(gate)
    return [_with(feature, found.get(feature.name, [])) for feature in features]


def _with(feature: FeatureDrift, gates: list[Gate]) -> FeatureDrift:
    blocking = [gate for gate in gates if gate.level == "block"]
    if blocking:
        reason = f"{blocking[0].gate}: {blocking[0].detail}"
        return feature.model_copy(update={"level": "blocked", "reason": reason})
    if not gates:
        return feature
    details = [f"{gate.gate}: {gate.detail}" for gate in gates]
    reason = "; ".join(part for part in (feature.reason, *details) if part)
    return feature.model_copy(update={"reason": reason})


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
