"""Do the labels that came in say that production decayed, or that a promotion did harm?

Both are e-processes: they may be looked at as often as one likes. The first begins anew every 500
labels, since one that only ever adds up would need years to unlearn a good season; the beginnings
share one budget of false alarms, half of it for the first five. Half of each is staked on the
growth that a monitor is there to find, the other half on growths of every size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.evaluation.blocks import Blocks
from modelwarrant.evaluation.champion import allowed_mean, loss_e_value, observations
from modelwarrant.records import LossTest, MonitoringThresholds

__all__ = ["Bets", "degradation", "harm", "labels_to_settle", "restarted_e_value"]

Floats = npt.NDArray[np.float64]

BEGIN_EVERY = 500
"""Labels after which another e-process begins."""

POWER = 0.8
"""Probability with which enough labels show a growth by the declared effect."""

BETS = np.geomspace(0.02, 0.9, 8)
"""Shares of the largest legal bet, for growths of every size."""

_FOCUS = 0.5
"""Part of the mixture on the bet that is best for a growth by the declared effect: it costs a
factor of 2, where eight equal bets cost up to 8."""

_GRID = np.geomspace(0.005, 0.95, 96)
"""Among these the best bet is sought."""

_HALF_SPENT = 5
"""Beginnings that share half of the budget, 2,500 labels; the k-th has ``_share(k)``."""

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
    bets = _bets(_grown(reference, bound, thresholds.effect), allowed)
    e_value = restarted_e_value(scaled, blocks, null_mean=allowed, bets=bets)
    mean = float(scaled.mean())
    return LossTest(
        level=_level(e_value, warn=thresholds.warn, reached=thresholds.degraded),
        e_value=e_value,
        n_labels=len(current),
        mean=mean,
        allowed=allowed,
        reason=f"mean loss {mean:.4g} of its range over {len(current):,} labels{_newest(scaled)}, "
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


def _newest(scaled: Floats) -> str:
    """Say what the newest labels lost, where older ones hide it in the mean."""
    newest = scaled[-BEGIN_EVERY:]
    if len(newest) == len(scaled):
        return ""
    return f" ({newest.mean():.4g} over the newest {len(newest)})"


@dataclass(frozen=True)
class Bets:
    """A mixture of constant bets; none depends on the losses that they are made on."""

    sizes: Floats
    """(k,) float64 in (0, 1), shares of the largest legal bet."""
    weights: Floats
    """(k,) float64, 1 in sum."""


EVERY_SIZE = Bets(BETS, np.full(len(BETS), 1 / len(BETS)))


def restarted_e_value(
    losses: Floats, blocks: Blocks, *, null_mean: float, bets: Bets = EVERY_SIZE
) -> float:
    """Return the value of an e-process that begins anew after every 500 losses.

    The k-th beginning has the weight 5 / ((k + 4) (k + 5)); those still to come count with 1, so
    the whole begins at 1 and is an e-process itself. Each joins neighbours that move together among
    its own losses alone: a jump in the middle would look like dependence. Only the newest 40
    beginnings are followed; an older one counts with 0. Capped at 1e300.

    Args:
        losses: (n,) float64 in [0, 1], oldest first, n >= 1, each with a mean of at most
            ``null_mean`` given its past.
        blocks: the rows' blocks.
        null_mean: in (0, 1).
        bets: chosen before the losses were seen.

    >>> healthy, rows = np.zeros(5000), np.arange(5500)
    >>> losses, blocks = np.append(healthy, rows[:500] % 2), Blocks(rows, "rows")
    >>> bool(restarted_e_value(losses, blocks, null_mean=0.3) > 1e6)
    True
    >>> round(restarted_e_value(healthy, blocks.take(rows < 5000), null_mean=0.3), 4)
    0.3333
    """
    starts = range(0, len(losses), BEGIN_EVERY)
    total = _HALF_SPENT / (len(starts) + _HALF_SPENT)
    for place, start in enumerate(starts, 1):
        if place + _FOLLOWED <= len(starts):
            continue
        since = np.arange(len(losses)) >= start
        observed = observations(losses[start:], blocks.take(since))
        e_value = loss_e_value(observed, null_mean=null_mean, bets=bets.sizes, weights=bets.weights)
        total += e_value * _share(place)
    return min(total, _LARGEST)


def _share(place: int) -> float:
    """Return the weight of the k-th beginning, k >= 1; all of them together have 1."""
    return _HALF_SPENT / ((place + _HALF_SPENT - 1.0) * (place + _HALF_SPENT))


def labels_to_settle(
    reference: Floats | None,
    reference_blocks: Blocks | None,
    *,
    bound: float | None,
    n_older: int,
    thresholds: MonitoringThresholds,
) -> int | None:
    """Return how many labels show a growth by ``effect`` with probability .8; None if undefined.

    By the normal approximation to the log of the bet on that growth, in the first e-process that
    begins with labels of the current window.

    Args:
        reference: losses on rows that production was not trained on.
        reference_blocks: their blocks.
        bound: where losses are clipped, > 0.
        n_older: labels of rows before the current window, >= 0: each 500 of them have spent a share
            of the budget.
        thresholds: of the monitor.

    >>> rows = np.arange(3000)
    >>> labels_to_settle(
    ...     (rows % 5 == 0).astype(float),
    ...     Blocks(rows, "rows"),
    ...     bound=1.0,
    ...     n_older=0,
    ...     thresholds=MonitoringThresholds(),
    ... )
    1118
    """
    allowed, _ = allowed_mean(reference, reference_blocks, bound=bound)
    if allowed is None or not bound:
        return None
    grown = _grown(reference, bound, thresholds.effect)
    best = None if grown is None else _best_bet(grown, allowed)
    if grown is None or best is None:
        return None
    gain, variance = grown.moments(lambda x: np.log1p(best / allowed * (x - allowed)))
    half = NormalDist().inv_cdf(POWER) * float(np.sqrt(variance))

    place = 1 - (-n_older // BEGIN_EVERY)
    needed = float(np.log(thresholds.degraded / (_FOCUS * _share(place))))
    root = (half + float(np.sqrt(half**2 + 4 * gain * needed))) / (2 * gain)
    return int(np.ceil(root**2))


@dataclass(frozen=True)
class _Grown:
    """The reference's losses, of which so many were replaced by 1 that their mean has grown."""

    kept: Floats
    """(n,) float64 in [0, 1]."""
    replaced: float
    """Share, in (0, 1)."""

    def moments(self, function: Callable[[Floats], Floats]) -> tuple[float, float]:
        """Return mean and variance of a function of the losses."""
        kept, largest = function(self.kept), float(function(np.ones(1))[0])
        first = (1 - self.replaced) * float(kept.mean()) + self.replaced * largest
        second = (1 - self.replaced) * float(np.square(kept).mean()) + self.replaced * largest**2
        return first, second - first**2


def _grown(reference: Floats | None, bound: float, effect: float) -> _Grown | None:
    """Return losses that have grown by the effect; None where they cannot."""
    if reference is None:
        return None
    scaled = np.minimum(reference, bound) / bound
    replaced = effect / (1 - float(scaled.mean())) if float(scaled.mean()) < 1 else 1.0
    return None if replaced >= 1 else _Grown(scaled, replaced)


def _best_bet(grown: _Grown, allowed: float) -> float | None:
    """Return the bet under which wealth grows fastest (Kelly 1956), as a share of the largest.

    None where the growth is within what is allowed anyhow.
    """
    gains = [
        grown.moments(lambda x, size=float(bet) / allowed: np.log1p(size * (x - allowed)))[0]  # type: ignore[misc]
        for bet in _GRID
    ]
    place = int(np.argmax(gains))
    return float(_GRID[place]) if gains[place] > 0 else None


def _bets(grown: _Grown | None, allowed: float) -> Bets:
    """Return bets on growths of every size, and as much again on the declared one."""
    best = None if grown is None else _best_bet(grown, allowed)
    if best is None:
        return EVERY_SIZE
    weights = np.append(EVERY_SIZE.weights * (1 - _FOCUS), _FOCUS)
    return Bets(np.append(BETS, best), weights)


def _level(e_value: float, *, warn: float, reached: float) -> Literal["ok", "warn", "reached"]:
    if e_value >= reached:
        return "reached"
    return "warn" if e_value >= warn else "ok"
