"""Do the labels that came in say that production decayed, or that a promotion did harm?

Both are e-processes: they may be looked at as often as one likes. The first begins anew every 500
labels, since one that only ever adds up would need years to unlearn a good season; the beginnings
share one budget of false alarms, 1 / (k (k + 1)) for the k-th.
"""

from collections.abc import Callable
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.champion import allowed_mean, loss_e_value, observations
from modelwarrant.records import LossTest, MonitoringThresholds

__all__ = ["BEGIN_EVERY", "degradation", "harm", "labels_to_settle", "restarted_e_value"]

Floats = npt.NDArray[np.float64]

BEGIN_EVERY = 500
"""Labels after which another e-process begins."""

POWER = 0.8
"""Probability with which enough labels show a growth by the declared effect."""

BETS = np.geomspace(0.02, 0.9, 8)
"""Shares of the largest legal bet. Small ones, closely spaced: for a growth by .08 of losses that
are 0 or 1 the best one is .07, and each further bet in the mixture costs."""

_LARGEST = 1e300

_FOLLOWED = 40
"""Beginnings whose e-process is followed: 20,000 labels."""


def degradation(
    current: Floats,
    blocks: Blocks,
    reference: Floats | None,
    reference_blocks: Blocks | None,
    *,
    bound: float | None,
    thresholds: MonitoringThresholds,
) -> LossTest:
    """Judge production by its labelled losses since it is in production (E2).

    H0: the mean loss is at most the reference's and the allowance. Floor: 1,500 reference labels.

    Args:
        current: losses, oldest answer first, (n,) float64 >= 0.
        blocks: their blocks.
        reference: losses on rows that production was not trained on; None where there are none.
        reference_blocks: their blocks.
        bound: where losses are clipped, > 0.
        thresholds: of the monitor.
    """
    allowed, reason = allowed_mean(reference, reference_blocks, bound=bound)
    if allowed is None or not bound:
        return LossTest(level="unknown", n_labels=len(current), reason=reason or "no bound")
    if not len(current):
        reason = "no label of this version's answers has arrived"
        return LossTest(level="unknown", allowed=allowed, reason=reason)
    scaled = np.minimum(current, bound) / bound
    e_value = restarted_e_value(scaled, blocks, null_mean=allowed)
    mean = float(scaled.mean())
    return LossTest(
        level=_level(e_value, warn=thresholds.warn, reached=thresholds.degraded),
        e_value=e_value,
        n_labels=len(current),
        mean=mean,
        allowed=allowed,
        reason=f"mean loss {mean:.4g} of its range over {len(current):,} labels, "
        f"{allowed:.4g} allowed, e {e_value:.3g}",
    )


def harm(
    new: Floats,
    old: Floats,
    blocks: Blocks,
    *,
    bound: float,
    thresholds: MonitoringThresholds,
) -> LossTest:
    """Judge a promotion by the losses of both models on the same first labelled rows.

    H0: the new model loses at most as much as the one it replaced, in the mean. Pairing takes out
    what is hard for both, so a few hundred labels suffice.

    Args:
        new: losses of the model in production, oldest answer first, (n,) float64 >= 0.
        old: losses of the model it replaced, on the same rows.
        blocks: the rows' blocks.
        bound: where both are clipped, > 0.
        thresholds: of the monitor.

    >>> rows = np.arange(400)
    >>> test = harm(
    ...     (rows % 4 == 0).astype(float),
    ...     (rows % 8 == 0).astype(float),
    ...     Blocks(rows, "rows"),
    ...     bound=1.0,
    ...     thresholds=MonitoringThresholds(),
    ... )
    >>> test.level, test.mean
    ('reached', 0.125)
    """
    first = slice(0, thresholds.watch_labels)
    more = (np.minimum(new[first], bound) - np.minimum(old[first], bound)) / bound
    if not len(more):
        return LossTest(level="unknown", reason="no label of the new version's answers has arrived")
    observed = observations((more + 1) / 2, blocks.take(np.arange(len(new)) < len(more)))
    e_value = min(loss_e_value(observed, null_mean=0.5, bets=BETS), _LARGEST)
    mean = float(more.mean())
    return LossTest(
        level=_level(e_value, warn=thresholds.warn, reached=thresholds.harm),
        e_value=e_value,
        n_labels=len(more),
        mean=mean,
        allowed=0.0,
        reason=f"the new version loses {mean:+.4g} of the range more than the one before on "
        f"{len(more):,} labelled rows, e {e_value:.3g}",
    )


def restarted_e_value(losses: Floats, blocks: Blocks, *, null_mean: float) -> float:
    """Return the value of an e-process that begins anew after every 500 losses.

    The k-th beginning has the weight 1 / (k (k + 1)); those still to come count with 1, so the
    whole begins at 1 and is an e-process itself. Each joins neighbours that move together among its
    own losses alone: a jump in the middle would look like dependence. Only the newest 40 beginnings
    are followed; an older one counts with 0. Capped at 1e300.

    Args:
        losses: (n,) float64 in [0, 1], oldest first, n >= 1, each with a mean of at most
            ``null_mean`` given its past.
        blocks: the rows' blocks.
        null_mean: in (0, 1).

    >>> healthy, rows = np.zeros(5000), np.arange(5500)
    >>> losses, blocks = np.append(healthy, rows[:500] % 2), Blocks(rows, "rows")
    >>> bool(restarted_e_value(losses, blocks, null_mean=0.3) > 1e6)
    True
    >>> round(restarted_e_value(healthy, blocks.take(rows < 5000), null_mean=0.3), 4)
    0.0909
    """
    starts = range(0, len(losses), BEGIN_EVERY)
    total = 1 / (len(starts) + 1.0)
    for place, start in enumerate(starts, 1):
        if place + _FOLLOWED <= len(starts):
            continue
        since = np.arange(len(losses)) >= start
        observed = observations(losses[start:], blocks.take(since))
        total += loss_e_value(observed, null_mean=null_mean, bets=BETS) / (place * (place + 1.0))
    return min(total, _LARGEST)


def labels_to_settle(
    reference: Floats | None,
    reference_blocks: Blocks | None,
    *,
    bound: float | None,
    begun: int,
    thresholds: MonitoringThresholds,
) -> int | None:
    """Return how many labels show a growth by ``effect`` with probability .8; None if undefined.

    By the normal approximation to the log of the best single bet, on the reference's losses of
    which so many were replaced by the largest one that their mean has grown by the effect.

    Args:
        reference: losses on rows that production was not trained on.
        reference_blocks: their blocks.
        bound: where losses are clipped, > 0.
        begun: e-processes begun so far, >= 0; the next one has a smaller share of the budget.
        thresholds: of the monitor.

    >>> rows = np.arange(3000)
    >>> labels_to_settle(
    ...     (rows % 5 == 0).astype(float),
    ...     Blocks(rows, "rows"),
    ...     bound=1.0,
    ...     begun=0,
    ...     thresholds=MonitoringThresholds(),
    ... )
    1123
    """
    allowed, _ = allowed_mean(reference, reference_blocks, bound=bound)
    if allowed is None or reference is None or not bound:
        return None
    scaled = np.minimum(reference, bound) / bound
    mean = float(scaled.mean())
    replaced = thresholds.effect / (1 - mean)
    if mean + thresholds.effect <= allowed or replaced >= 1:
        return None
    needed = float(np.log(thresholds.degraded) + np.log((begun + 1.0) * (begun + 2.0)))
    needed += float(np.log(len(BETS)))

    def moments(function: Callable[[Floats], Floats]) -> tuple[float, float]:
        kept, largest = function(scaled), float(function(np.ones(1))[0])
        first = (1 - replaced) * float(kept.mean()) + replaced * largest
        second = (1 - replaced) * float(np.square(kept).mean()) + replaced * largest**2
        return first, second - first**2

    least = None
    for bet in BETS:

        def gains(x: Floats, size: float = float(bet) / allowed) -> Floats:
            return np.log1p(size * (x - allowed))

        gain, variance = moments(gains)
        if gain <= 0:
            continue
        half = NormalDist().inv_cdf(POWER) * float(np.sqrt(variance))
        root = (half + float(np.sqrt(half**2 + 4 * gain * needed))) / (2 * gain)
        n = int(np.ceil(root**2))
        least = n if least is None else min(least, n)
    return least


def _level(e_value: float, *, warn: float, reached: float) -> Literal["ok", "warn", "reached"]:
    if e_value >= reached:
        return "reached"
    return "warn" if e_value >= warn else "ok"
