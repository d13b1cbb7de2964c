"""Under which conditions does an estimate without labels mean anything?

Each condition is stated with its numbers, whether it holds or not; one that does not voids the
estimate.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.features import MIN_ROWS
from modelwarrant.estimation.methods import RowLosses
from modelwarrant.estimation.sides import Sides, mean_deviation
from modelwarrant.estimation.weighting import effective_share
from modelwarrant.evaluation.champion import ALLOWANCE
from modelwarrant.records import DriftReport, EstimateCheck

__all__ = [
    "ERRORS",
    "calibration_check",
    "effective_sample_check",
    "gates_check",
    "joint_check",
    "rows_check",
    "voided",
    "width_check",
]

ERRORS = 3.0
"""Standard errors to each side of an estimate, as in NannyML."""

LEAST_EFFECTIVE_SHARE = 0.1
"""Below it a tenth of the reference speaks for all of it."""


def rows_check(n_reference: int, n_current: int) -> EstimateCheck:
    """Return whether there are 500 rows on both sides."""
    return EstimateCheck(
        name="rows",
        holds=min(n_reference, n_current) >= MIN_ROWS,
        detail=f"{n_reference:,} labelled rows of the reference and {n_current:,} of the window, "
        f"{MIN_ROWS} of each are needed",
    )


def gates_check(drift: DriftReport) -> EstimateCheck:
    """Return whether the data are what they were: no gate warns or blocks."""
    found = [gate for gate in drift.gates if gate.level in ("warn", "block")]
    named = "; ".join(f"{gate.gate} {gate.column or 'rows'}: {gate.detail}" for gate in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return EstimateCheck(
        name="gates", holds=not found, detail=f"{named}{more}" if found else "no gate warns"
    )


def joint_check(drift: DriftReport) -> EstimateCheck:
    """Return whether the windows overlap: D3 is known and at most .65."""
    joint = drift.joint
    holds = joint.level in ("none", "notice")
    if joint.auc is None or joint.auc_lower is None:
        return EstimateCheck(name="joint", holds=False, detail=joint.reason or "D3 is unknown")
    words = "tells the windows apart too well" if not holds else "is at most .65"
    detail = f"AUC of D3 {joint.auc:.3f}, lower bound {joint.auc_lower:.3f}: {words}"
    return EstimateCheck(name="joint", holds=holds, detail=detail)


def effective_sample_check(sides: Sides) -> EstimateCheck:
    """Return whether enough of the reference looks like the window."""
    if sides.ratio is None:
        detail = "no density ratio: too few rows, or no feature varies"
        return EstimateCheck(name="effective_sample", holds=False, detail=detail)
    share = effective_share(sides.ratio.weights)
    return EstimateCheck(
        name="effective_sample",
        holds=share >= LEAST_EFFECTIVE_SHARE,
        detail=f"the weighted reference is worth {share:.0%} of its rows, "
        f"{LEAST_EFFECTIVE_SHARE:.0%} are needed",
    )


def calibration_check(
    sides: Sides, method: Callable[[npt.NDArray[np.int64]], RowLosses]
) -> EstimateCheck:
    """Return whether each half of the reference foretells the other one's loss.

    It fails where the gap, less three standard errors, is more than 2 % of the loss's range.

    Args:
        sides: both sides.
        method: returns expected losses, fitted on these rows of the reference.
    """
    rows = np.arange(len(sides.losses))
    halves = np.array_split(rows, 2)
    errors = []
    for half in halves:  # each by itself: a jump between them would look like dependence
        mask = np.isin(rows, half)
        errors.append(mean_deviation(sides.losses[mask], sides.blocks[0].take(mask)))
    error = float(np.sqrt(np.square(errors).sum()))
    gaps = []
    for known, hidden in (halves, halves[::-1]):
        told = method(known).reference[hidden].mean()
        gaps.append(float(told - sides.losses[hidden].mean()) / sides.bound)
    worst = max(gaps, key=abs)
    allowed = ALLOWANCE + ERRORS * error / sides.bound
    return EstimateCheck(
        name="calibration",
        holds=abs(worst) <= allowed,
        detail=f"one half of the reference foretells the other's loss to {worst:+.3f} of its "
        f"range, {allowed:.3f} is allowed",
    )


def width_check(lower: float, upper: float, *, effect: float) -> EstimateCheck:
    """Return whether a change of the loss is known well enough to say anything.

    Args:
        lower: bound of the change, as a share of the loss's range.
        upper: the other one.
        effect: growth that matters.
    """
    return EstimateCheck(
        name="width",
        holds=lower > 0 or upper <= effect,
        detail=f"the loss changed by {lower:+.3f} to {upper:+.3f} of its range; a growth by "
        f"{effect:g} must be seen or ruled out",
    )


def voided(checks: Sequence[EstimateCheck]) -> str | None:
    """Return why an estimate means nothing; None where every condition holds."""
    return "; ".join(each.detail for each in checks if not each.holds) or None
