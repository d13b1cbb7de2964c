"""How much error may this look spend, and how many labels does it need?"""

from math import ceil, pi, sqrt
from statistics import NormalDist

from modelwarrant.policy.table import Policy, Thresholds
from modelwarrant.records import Comparison, History

__all__ = ["alpha_for", "labels_for_gain", "labels_required", "look_index"]

_MOST_LABELS = 10**12
"""Beyond it a number of labels is only a way of saying never."""


def look_index(history: History, candidate_digest: str, *, own: bool = False) -> int:
    """Return the place of this look among the looks since the last promotion, from 1.

    A model that was trained on the current window belongs to it: deciding on it again is a re-run
    on the same rows, and keeps its place. One that was trained on a window of its own may come
    again with rows that nobody has looked at, so each time takes a new place.

    Args:
        history: what was decided on since the last promotion.
        candidate_digest: the model.
        own: whether it was trained on a window of its own (``train`` of its manifest).
    """
    if candidate_digest in history.candidates and not own:
        return history.candidates.index(candidate_digest) + 1
    return len(history.candidates) + 1


def alpha_for(
    policy: Policy, history: History, candidate_digest: str, *, own: bool = False
) -> float:
    """Return the level of this candidate's bounds.

    Look k gets alpha * 6 / (pi^2 k^2). These levels add to alpha over any number of candidates and
    of looks at each, so with no gain at all a promotion happens with probability at most alpha
    between two promotions, however many candidates are tried, however often.

    Args:
        policy: whose alpha is spent.
        history: as in ``look_index``.
        candidate_digest: as in ``look_index``.
        own: as in ``look_index``.
    """
    k = look_index(history, candidate_digest, own=own)
    return policy.thresholds.alpha * 6 / (pi**2 * k**2)


def labels_for_gain(
    comparison: Comparison, thresholds: Thresholds, *, gain: float, alpha: float
) -> int | None:
    """Return the labels at which a true gain gives a lower bound above the margin.

    n = ((z(1 - alpha) + z(power)) * deviation / (gain - margin))^2, the deviation holding the
    rows' dependence. None where the gain is not above the margin or the deviation unknown.

    Args:
        comparison: whose deviation and baseline loss are used.
        thresholds: margin and power.
        gain: absolute, in the metric's unit.
        alpha: level of the bound, in (0, 0.5).
    """
    needed = gain - thresholds.margin * comparison.baseline_loss
    if comparison.deviation is None or needed <= 0:
        return None
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha) + normal.inv_cdf(thresholds.power)
    root = min(z * comparison.deviation / needed, sqrt(_MOST_LABELS))
    return ceil(root**2)


def labels_required(
    comparison: Comparison, thresholds: Thresholds, *, alpha: float, is_settled: bool
) -> int | None:
    """Return the labels without which power is short; None where no number is defined.

    A comparison that its bounds already settle (better, not worse, or worse) needs ``min_labels``
    alone, without which the bounds themselves are not to be trusted: they hold at their alpha
    whatever the power was. Power is about what *unclear* may mean: there, labels must suffice to
    see a true gain of ``min_gain`` with probability ``power``.

    For a first model the floor alone: its gain over a trivial predictor is large, and the lower
    bound decides.

    Args:
        comparison: with the baseline's loss and the deviation.
        thresholds: min_labels, min_gain, margin and power.
        alpha: level of the bound, in (0, 0.5).
        is_settled: whether the bounds leave the comparison other than unclear.
    """
    if comparison.baseline == "trivial":
        return thresholds.min_labels
    if comparison.baseline_loss <= 0:
        return None
    if is_settled:
        return thresholds.min_labels
    gain = thresholds.min_gain * comparison.baseline_loss
    labels = labels_for_gain(comparison, thresholds, gain=gain, alpha=alpha)
    return None if labels is None else max(labels, thresholds.min_labels)
