"""P3: does a regression in production miss by more, or to one side, since its reference?"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.features import MIN_ROWS
from modelwarrant.drift.groups import MIN_GROUPS, mean_of, two_sided_p_value
from modelwarrant.drift.statistics import distances, holm
from modelwarrant.profiles import ordered_quantiles
from modelwarrant.records import DriftLevel, ResidualDecile, ResidualDrift

__all__ = ["Residuals", "residual_drift"]

_BIAS = 0.1
_RATIO = 1.25
"""And .8 below: the reciprocal."""

_MIN_DECILE = 30
"""Rows of either window below which a decile is described and not tested."""

_DECILES = np.arange(1, 10) / 10

Floats = npt.NDArray[np.float64]


class Residuals:
    """One window's residuals, observed minus predicted.

    Args:
        observed: (n,) float64, finite.
        predicted: (n,) float64, finite.
        groups: (n,) int64; see ``groups``.
    """

    def __init__(self, observed: Floats, predicted: Floats, groups: npt.NDArray[np.int64]) -> None:
        self.values = observed - predicted
        self.predicted = predicted
        self.groups = groups

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)


def residual_drift(reference: Residuals, current: Residuals, *, alpha: float) -> ResidualDrift:
    """Compare the residuals of two windows of unseen rows.

    ``drift``: the mean moved by more than .1 standard deviations of the reference, or the variance
    left [.8, 1.25], each shown at alpha (Holm over the two). ``notice``: the same of the mean
    within a decile of the predictions (Holm over the deciles). The test of the variance compares
    squared deviations, so that it needs no normal law. Floor: 500 rows of either window.

    Args:
        reference: of rows that production was not trained on.
        current: of the current window.
        alpha: level, in (0, 1).
    """
    spread, spread_now = float(reference.values.std()), float(current.values.std())
    known = {
        "n_reference": len(reference),
        "n_current": len(current),
        "mean_reference": float(reference.values.mean()),
        "mean_current": float(current.values.mean()),
        "deviation_reference": spread,
        "deviation_current": spread_now,
        "bias_threshold": _BIAS,
        "variance_threshold": _RATIO,
    }
    if min(len(reference), len(current)) < MIN_ROWS:
        rows = min(len(reference), len(current))
        reason = f"{rows} labelled rows in the smaller window, {MIN_ROWS} are needed"
        return ResidualDrift(level="unknown", reason=reason, **known)
    if not spread > 0:
        reason = "the reference's residuals do not vary, so their bias has no unit"
        return ResidualDrift(level="unknown", reason=reason, **known)
    bias = (known["mean_current"] - known["mean_reference"]) / spread
    ratio = (spread_now / spread) ** 2
    p_values = _mean_p(reference, current), _variance_p(reference, current)
    deciles = _deciles(reference, current, spread)
    known_p = [p for p in p_values if p is not None]
    bias_p, ratio_p = holm(known_p) if len(known_p) == len(p_values) else (None, None)
    verdict: tuple[DriftLevel, str | None] = "unknown", f"fewer than {MIN_GROUPS} groups of rows"
    if bias_p is not None and ratio_p is not None:
        verdict = _level(bias, bias_p, ratio, ratio_p, deciles, alpha)
    return ResidualDrift(
        level=verdict[0],
        bias=bias,
        bias_p_value=bias_p,
        variance_ratio=ratio,
        variance_p_value=ratio_p,
        wasserstein=distances(np.sort(reference.values), np.sort(current.values))[1],
        deciles=deciles,
        reason=verdict[1],
        **known,
    )


def _mean_p(reference: Residuals, current: Residuals) -> float | None:
    parts = [mean_of(each.values, each.groups) for each in (reference, current)]
    return two_sided_p_value(*parts)


def _variance_p(reference: Residuals, current: Residuals) -> float | None:
    """Return the p-value of H0 'the variances are equal' (means of squared deviations)."""
    parts = [
        mean_of(np.square(each.values - each.values.mean()), each.groups)
        for each in (reference, current)
    ]
    return two_sided_p_value(*parts)


def _deciles(reference: Residuals, current: Residuals, spread: float) -> tuple[ResidualDecile, ...]:
    edges = np.unique(ordered_quantiles(np.sort(reference.predicted), _DECILES))
    places = [np.searchsorted(edges, each.predicted) for each in (reference, current)]
    found: list[ResidualDecile] = []
    for code, (lower, upper) in enumerate(pairwise([None, *edges.tolist(), None])):
        parts = [
            (each.values[place == code], each.groups[place == code])
            for each, place in zip((reference, current), places, strict=True)
        ]
        sizes = [len(values) for values, _ in parts]
        if not all(sizes):
            continue
        means = [mean_of(values, groups) for values, groups in parts]
        is_tested = min(sizes) >= _MIN_DECILE
        found.append(
            ResidualDecile(
                lower=lower,
                upper=upper,
                n_reference=sizes[0],
                n_current=sizes[1],
                bias=(means[1].value - means[0].value) / spread,
                p_value_adjusted=two_sided_p_value(*means) if is_tested else None,
            )
        )
    adjusted = iter(holm([d.p_value_adjusted for d in found if d.p_value_adjusted is not None]))
    return tuple(
        decile
        if decile.p_value_adjusted is None
        else decile.model_copy(update={"p_value_adjusted": next(adjusted)})
        for decile in found
    )


def _level(
    bias: float,
    bias_p: float,
    ratio: float,
    ratio_p: float,
    deciles: tuple[ResidualDecile, ...],
    alpha: float,
) -> tuple[DriftLevel, str | None]:
    reasons = []
    if abs(bias) > _BIAS and bias_p < alpha:
        reasons.append(
            f"the mean residual moved by {bias:+.2f} standard deviations (p {bias_p:.2g})"
        )
    if not 1 / _RATIO <= ratio <= _RATIO and ratio_p < alpha:
        reasons.append(f"the residuals' variance is {ratio:.2f} times as large (p {ratio_p:.2g})")
    if reasons:
        return "drift", "; ".join(reasons)
    moved = [
        decile
        for decile in deciles
        if decile.p_value_adjusted is not None
        and decile.p_value_adjusted < alpha
        and abs(decile.bias) > _BIAS
    ]
    if not moved:
        return "none", None
    worst = max(moved, key=lambda decile: abs(decile.bias))
    low, high = ("open" if edge is None else f"{edge:.4g}" for edge in (worst.lower, worst.upper))
    return "notice", (
        f"where production predicts {low} to {high}, the mean residual moved by {worst.bias:+.2f} "
        f"standard deviations (adjusted p {worst.p_value_adjusted:.2g})"
    )
