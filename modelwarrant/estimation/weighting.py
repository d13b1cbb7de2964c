"""What would the labelled reference lose if its rows were drawn as the current window's are?

Importance weighting: the weight of a row is its density ratio, by a classifier that tells the
windows apart (``drift.joint.density_ratio``), or the shift of its class (BBSE). It holds where
P(y | x), for BBSE P(x | y), stayed the same, and where the reference has rows like the current ones
at all: the effective sample says how many.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["WeightedMean", "effective_share", "sampling_error", "weighted_mean"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WeightedMean:
    """A mean of weighted rows, and its standard error; rows are taken as independent."""

    value: float
    deviation: float


def effective_share(weights: Floats) -> float:
    """Return Kish's effective sample (sum w)^2 / sum w^2 over the number of rows, in (0, 1].

    >>> effective_share(np.ones(8)), effective_share(np.array([1.0, 0.0, 0.0, 0.0]))
    (1.0, 0.25)
    """
    return float(weights.sum()) ** 2 / (float(np.square(weights).sum()) * len(weights))


def weighted_mean(losses: Floats, weights: Floats) -> WeightedMean:
    """Return the self-normalised weighted mean; its error by linearisation.

    Args:
        losses: (n,) float64.
        weights: (n,) float64 >= 0, not all 0.
    """
    total = float(weights.sum())
    value = float((weights * losses).sum()) / total
    spread = float(np.square(weights * (losses - value)).sum())
    return WeightedMean(value, spread**0.5 / total)


def sampling_error(losses: Floats, rows: int) -> float:
    """Return the standard error of a mean over so many rows with losses like these.

    Reference: ``nannyml.sampling_error`` (0.13.1): the standard deviation on the reference over
    the root of the number of rows.
    """
    return float(np.std(losses)) / float(np.sqrt(rows))
