"""How far could a figure over streams lie from what other streams would have shown?

Bootstrap over streams: each is drawn whole, with all that was counted in it. The draws are the same
for every figure, so a difference of two rules is paired.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from modelwarrant.records import Interval

__all__ = ["Resampled", "over_streams"]

Floats = npt.NDArray[np.float64]

_DRAWS: Final = 2000
_ALPHA: Final = 0.025


@dataclass(frozen=True)
class Resampled:
    """Draws of streams: how often each stands in each draw, (draws, streams) float64."""

    times: Floats

    def ratio(self, values: Floats, weights: Floats) -> Interval:
        """Return sum of values over sum of weights, both (streams,) float64."""
        total = self.times @ weights
        kept = total > 0
        drawn = (self.times[kept] @ values) / total[kept]
        return self._interval(float(values.sum() / weights.sum()), drawn)

    def difference(self, values: Floats, others: Floats, weights: Floats) -> Interval:
        """Return the difference of two ratios over the same streams and weights."""
        return self.ratio(values - others, weights)

    def _interval(self, estimate: float, drawn: Floats) -> Interval:
        low, high = np.quantile(drawn, [_ALPHA, 1 - _ALPHA])
        return Interval(
            estimate=estimate,
            lower=float(low),
            upper=float(high),
            alpha=_ALPHA,
            method=f"bootstrap over streams, {_DRAWS:,} draws",
        )


@lru_cache(maxsize=64)
def over_streams(streams: int, *, seed: int) -> Resampled:
    """Return the draws of that many streams.

    Args:
        streams: at least one.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(streams, np.full(streams, 1 / streams), size=_DRAWS)
    return Resampled(drawn.astype(np.float64))
