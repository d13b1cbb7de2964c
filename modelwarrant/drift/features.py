"""D1 and D2: did this feature's distribution change, and by how much?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelwarrant.drift.bins import Bins, category_bins, number_bins
from modelwarrant.drift.statistics import (
    benjamini_hochberg,
    cramers_v,
    distances,
    dkw_lower_bound,
    edge_distances,
    effective_size,
    holm,
    homogeneity,
    jensen_shannon,
    ks_p_value,
    minimum_effect_p_value,
    psi,
    total_variation,
)
from modelwarrant.profiles import (
    CategoryProfile,
    NumberEdges,
    NumberProfile,
    SortedNumbers,
    number_profile,
)
from modelwarrant.records import DriftLevel, FeatureDrift
from modelwarrant.windows import Kind

__all__ = [
    "DRIFT_PSI",
    "EXACT_ROWS",
    "MIN_ROWS",
    "NOTICE_PSI",
    "Effects",
    "Measured",
    "category_drift",
    "judged",
    "number_drift",
    "time_drift",
    "undefined_numbers",
]

DRIFT_PSI = 0.10
"""Effect floor of ``drift``: a mean shift of about a third of a standard deviation."""

NOTICE_PSI = 0.02
"""Effect floor of ``notice``."""

MIN_ROWS = 500
"""Rows either window must have: at 500 the 95 % point of PSI without drift is .068, at 200 .169."""

EXACT_ROWS = 200_000
"""Rows of a window up to which D2 is exact; above, the profile's edges cost a tenth."""

_NORMAL_IQR = 1.349
"""Interquartile range of a normal law in standard deviations."""

Effects = Callable[[Bins], tuple[float, float]]
"""Both windows' design effects over the same bins."""


def _independent(bins: Bins) -> tuple[float, float]:
    """Return that every row counts as one."""
    return 1.0, 1.0


_ORDERED = ("ks", "ks_p_value", "ks_lower", "wasserstein", "wasserstein_scaled")
_LEVELLED = ("chi2", "chi2_p_value", "cramers_v", "total_variation", "unseen_share")
_TESTED = ("psi_p_value_adjusted", "psi_q_value", "notice_p_value_adjusted")
_MEASURED = ("n_effective", "bins", "psi", "psi_p_value", "jensen_shannon")
_INSTANT = "an instant advances by nature and is not judged"


@dataclass(frozen=True)
class Measured:
    """One comparison's numbers before the verdict, which needs all features' p-values."""

    fields: dict[str, Any]
    """Of a ``FeatureDrift``."""
    p_drift: float | None
    p_notice: float | None
    reason: str | None
    floor: float = DRIFT_PSI
    """Effect floor of ``drift`` that ``p_drift`` was computed against."""


def number_drift(
    name: str,
    reference: SortedNumbers | NumberProfile,
    current: SortedNumbers | NumberProfile,
    *,
    edges: NumberEdges,
    alpha: float,
    floor: float = DRIFT_PSI,
    effects: Effects = _independent,
) -> Measured:
    """Measure a number.

    Args:
        name: the feature.
        reference: sorted rows, or a profile where the rows are not at hand.
        current: the same of the current window.
        edges: of the reference.
        alpha: level of the Kolmogorov-Smirnov lower bound, in (0, 1).
        floor: effect floor of ``drift``, at least ``DRIFT_PSI``.
        effects: both windows' design effects over the bins; 1 where rows are independent.
    """
    bins = number_bins(reference, current, edges.decile_array)
    fields, reasons = _base(name, "number", bins, reference, current), []
    if bins.is_comparable:
        extra, reason = _distances(reference, current, edges, alpha)
        fields |= extra
        reasons.append(reason)
    if reference.infinite or current.infinite:
        reasons.append("infinite values are left out")
    return _tested(fields, bins, reasons, floor, effects)


def category_drift(
    name: str,
    kind: Kind,
    reference: CategoryProfile,
    current: CategoryProfile,
    *,
    floor: float = DRIFT_PSI,
    effects: Effects = _independent,
) -> Measured:
    """Measure a category or boolean; ``floor`` and ``effects`` as in ``number_drift``."""
    reasons: list[str | None] = []
    unseen = None
    if reference.hashed or current.hashed:
        reference, current = reference.to_hashed(), current.to_hashed()
        reasons.append("an identifier: levels are compared by buckets, unseen ones not counted")
    elif reference.rows and current.rows:
        known = reference.levels
        unseen = sum(n for level, n in current.counts if level not in known) / current.rows
    bins = category_bins(reference, current)
    if bins.labels and not bins.is_comparable and reference.rows and current.rows:
        reasons.append("no level holds 1 % of the rows and 5 rows of either window")
    fields = _base(name, kind, bins, reference, current) | {"unseen_share": unseen}
    if bins.is_comparable:
        found = homogeneity(bins.reference, bins.current)
        fields |= {
            "chi2": found.chi2,
            "chi2_p_value": found.p_value,
            "cramers_v": cramers_v(found.chi2, reference.rows + current.rows),
            "total_variation": total_variation(bins.reference, bins.current),
        }
    return _tested(fields, bins, reasons, floor, effects)


def time_drift(name: str, reference: SortedNumbers, current: SortedNumbers) -> Measured:
    """Describe an instant, which is not judged: it advances from window to window by nature."""
    bins = Bins(np.array([reference.rows]), np.array([current.rows]))
    undefined = {"psi": None, "jensen_shannon": None, "distribution": None, "bins": None}
    fields = _base(name, "time", bins, reference, current) | undefined
    return Measured(fields, None, None, _INSTANT)


def judged(
    measured: Sequence[Measured], *, alpha: float, weights: dict[str, float]
) -> tuple[FeatureDrift, ...]:
    """Give every feature its level; Holm over the features that have enough rows.

    ``drift``: the adjusted p-value of H0 'PSI <= .10' is below alpha; ``notice``: that of
    H0 'PSI <= .02'; ``unknown``: too few rows, or no PSI.
    """
    tested = [index for index, one in enumerate(measured) if _is_tested(one)]
    p_drift, p_notice = (
        [p or 0.0 for p in (getattr(measured[index], which) for index in tested)]
        for which in ("p_drift", "p_notice")
    )
    drift, false_share, notice = (
        dict(zip(tested, adjusted, strict=True))
        for adjusted in (holm(p_drift), benjamini_hochberg(p_drift), holm(p_notice))
    )
    features = []
    for index, one in enumerate(measured):
        level, reason = _level(one, drift.get(index), notice.get(index), alpha)
        fields = one.fields | {
            "psi_p_value": one.p_drift,
            "psi_p_value_adjusted": drift.get(index),
            "psi_q_value": false_share.get(index),
            "notice_p_value_adjusted": notice.get(index),
            "weight": weights.get(one.fields["name"]),
        }
        features.append(
            FeatureDrift(
                **fields,
                level=level,
                psi_threshold=one.floor,
                notice_threshold=NOTICE_PSI,
                reason="; ".join(part for part in (reason, one.reason) if part) or None,
                undefined=undefined_numbers(fields, one.reason or reason, untested=reason),
            )
        )
    return tuple(features)


def undefined_numbers(
    fields: dict[str, Any], why: str | None, *, untested: str | None = None
) -> dict[str, str]:
    """Say of each number of a feature that is None why.

    Args:
        fields: of a ``FeatureDrift``, its kind among them.
        why: the reason where neither the kind of column nor the number of rows is one.
        untested: why the feature takes no part in the tests, where that is known.
    """
    kind = fields["kind"]
    by_kind: dict[str, str] = {}
    if kind == "number":
        by_kind = dict.fromkeys(_LEVELLED, "a number has no levels")
    elif kind in ("category", "boolean"):
        by_kind = dict.fromkeys(_ORDERED, "levels have no order")
    by_kind["weight"] = "no weight of it for a production model was given"
    names = (*_MEASURED, *_TESTED, *_ORDERED, *_LEVELLED, "weight")
    otherwise = why or "a window holds no value"
    return {
        name: by_kind.get(name) or (untested if name in _TESTED and untested else otherwise)
        for name in names
        if fields.get(name) is None
    }


def _base(
    name: str,
    kind: Kind,
    bins: Bins,
    reference: SortedNumbers | NumberProfile | CategoryProfile,
    current: SortedNumbers | NumberProfile | CategoryProfile,
) -> dict[str, Any]:
    comparable = bins.is_comparable
    return {
        "name": name,
        "kind": kind,
        "n_reference": reference.rows,
        "n_current": current.rows,
        "missing_reference": _missing_share(reference),
        "missing_current": _missing_share(current),
        "n_effective": effective_size(reference.rows, current.rows)
        if reference.rows and current.rows
        else None,
        "bins": len(bins.reference) if comparable else None,
        "psi": psi(bins.reference, bins.current) if comparable else None,
        "jensen_shannon": jensen_shannon(bins.reference, bins.current) if comparable else None,
        "distribution": bins.distribution,
    }


def _missing_share(column: SortedNumbers | NumberProfile | CategoryProfile) -> float:
    infinite = 0 if isinstance(column, CategoryProfile) else column.infinite
    rows = column.rows + column.missing + infinite
    return column.missing / rows if rows else 0.0


def _tested(
    fields: dict[str, Any],
    bins: Bins,
    reasons: list[str | None],
    floor: float,
    effects: Effects,
) -> Measured:
    if fields["psi"] is None:
        for window in ("reference", "current"):
            if not fields[f"n_{window}"]:
                reasons.append(f"the {window} window holds no value")
    n, m = fields["n_reference"], fields["n_current"]
    if fields["psi"] is not None:
        before, after = effects(bins)
        n, m = n / before, m / after
        fields["n_effective"] = effective_size(n, m)
    p_drift, p_notice = (
        None
        if fields["psi"] is None
        else minimum_effect_p_value(
            fields["psi"],
            n=n,
            m=m,
            bins=len(bins.reference),
            floor=least,
        )
        for least in (floor, NOTICE_PSI)
    )
    reason = "; ".join(reason for reason in reasons if reason) or None
    return Measured(fields, p_drift, p_notice, reason, floor)


def _distances(
    reference: SortedNumbers | NumberProfile,
    current: SortedNumbers | NumberProfile,
    edges: NumberEdges,
    alpha: float,
) -> tuple[dict[str, Any], str | None]:
    """Return D2's fields, and why one of them is undefined."""
    if (
        isinstance(reference, SortedNumbers)
        and isinstance(current, SortedNumbers)
        and max(reference.rows, current.rows) <= EXACT_ROWS
    ):
        method = "exact"
        ks, area = distances(reference.values, current.values)
    else:
        method = "edges"
        ks, area = edge_distances(_profile(reference, edges), _profile(current, edges))
    spread = _interquartile(reference, edges) / _NORMAL_IQR
    fields = {
        "method": method,
        "ks": ks,
        "ks_p_value": ks_p_value(ks, n=reference.rows, m=current.rows),
        "ks_lower": dkw_lower_bound(ks, n=reference.rows, m=current.rows, alpha=alpha),
    }
    if not math.isfinite(area):
        return fields, "the values span more than float64 holds, so wasserstein is undefined"
    fields["wasserstein"] = area
    if not (spread > 0 and math.isfinite(area / spread)):
        return fields, "the reference's interquartile range is 0, so nothing scales wasserstein"
    return fields | {"wasserstein_scaled": area / spread}, None


def _profile(numbers: SortedNumbers | NumberProfile, edges: NumberEdges) -> NumberProfile:
    return number_profile(numbers, edges) if isinstance(numbers, SortedNumbers) else numbers


def _interquartile(reference: SortedNumbers | NumberProfile, edges: NumberEdges) -> float:
    """Return the reference's interquartile range: exact from rows, to one bin from a profile."""
    if isinstance(reference, SortedNumbers):
        low, high = reference.quantiles(0.25, 0.75).tolist()
    else:
        ranks = np.array([0.25, 0.75]) * reference.rows
        counts = reference.at_most(edges.fine_array)
        last = len(edges.fine) - 1
        low, high = edges.fine_array[np.minimum(np.searchsorted(counts, ranks), last)].tolist()
    return float(high - low)


def _is_tested(one: Measured) -> bool:
    rows = min(one.fields["n_reference"], one.fields["n_current"])
    return one.p_drift is not None and rows >= MIN_ROWS


def _level(
    one: Measured, p_drift: float | None, p_notice: float | None, alpha: float
) -> tuple[DriftLevel, str | None]:
    rows = min(one.fields["n_reference"], one.fields["n_current"])
    if 0 < rows < MIN_ROWS and one.fields["kind"] != "time":
        return "unknown", f"{rows} rows in the smaller window, {MIN_ROWS} are needed"
    if p_drift is None or p_notice is None:
        return "unknown", None
    size = one.fields["psi"]
    if p_drift < alpha:
        return "drift", f"PSI {size:.3f} is above {one.floor:.2f} (adjusted p {p_drift:.2g})"
    if p_notice < alpha:
        return "notice", f"PSI {size:.3f} is above {NOTICE_PSI:.2f} (adjusted p {p_notice:.2g})"
    return "none", None
