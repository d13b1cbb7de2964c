"""How large is the area under the ROC curve, and how sure is a difference of two of them?"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["AucDifference", "delong", "roc_auc", "roc_auc_variance"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AucDifference:
    """DeLong's comparison of two scores on the same rows: ``first`` against ``second``."""

    first: float
    second: float
    deviation: float
    """Standard error of the difference; rows are taken as independent."""

    @property
    def difference(self) -> float:
        """First area minus second area."""
        return self.first - self.second

    @property
    def z(self) -> float | None:
        """Difference in standard errors; None where the standard error is 0."""
        return self.difference / self.deviation if self.deviation > 0 else None

    @property
    def p_value(self) -> float | None:
        """Two-sided p-value of H0 'the areas are equal'; None where the standard error is 0."""
        return None if self.z is None else 2 * NormalDist().cdf(-abs(self.z))


def roc_auc(positive: npt.NDArray[np.bool_], score: Floats) -> float | None:
    """Return the area under the ROC curve; ties count one half. None with one class only.

    >>> roc_auc(np.array([False, True, True]), np.array([0.2, 0.2, 0.9]))
    0.75
    """
    n_positive = int(np.count_nonzero(positive))
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    ranks = float(_midranks(score)[positive].sum())
    return (ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)


def roc_auc_variance(positive: npt.NDArray[np.bool_], score: Floats) -> float | None:
    """Return DeLong's variance of one area; None with fewer than two rows of a class.

    >>> observed = np.array([True, True, False, False])
    >>> roc_auc_variance(observed, np.array([3.0, 1.0, 2.0, 0.0]))
    0.125
    """
    n_positive = int(np.count_nonzero(positive))
    n_negative = len(positive) - n_positive
    if min(n_positive, n_negative) < 2:
        return None
    of_positive, of_negative = _components(positive, score)
    variances = (np.var(of_positive, ddof=1) / n_positive, np.var(of_negative, ddof=1) / n_negative)
    return float(sum(variances))


def delong(positive: npt.NDArray[np.bool_], first: Floats, second: Floats) -> AucDifference | None:
    """Compare two scores of the same rows by ROC AUC.

    H0: the areas are equal. Floor: two rows of each class, else None. Reference: DeLong, DeLong
    and Clarke-Pearson (1988), computed by midranks as in Sun and Xu (2014).

    >>> i = np.arange(200)
    >>> noise = (104729 * i % 1000 / 1000, 1299709 * i % 1000 / 1000)
    >>> y = 7919 * i % 10 < 3
    >>> found = delong(y, noise[0] + 0.35 * y, noise[1] + 0.25 * y)
    >>> round(found.first, 6), round(found.second, 6), round(found.deviation, 7)
    (0.761071, 0.696071, 0.0540416)
    """
    n_positive = int(np.count_nonzero(positive))
    n_negative = len(positive) - n_positive
    if n_positive < 2 or n_negative < 2:
        return None
    components = [_components(positive, score) for score in (first, second)]
    areas = [float(of_positive.mean()) for of_positive, _ in components]
    deviations = [
        float(np.var(components[0][side] - components[1][side], ddof=1)) for side in (0, 1)
    ]
    variance = deviations[0] / n_positive + deviations[1] / n_negative
    return AucDifference(areas[0], areas[1], float(np.sqrt(variance)))


def _components(positive: npt.NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Return DeLong's structural components: of the positive rows, and of the negative rows."""
    over_all = _midranks(score)
    n_positive = int(np.count_nonzero(positive))
    n_negative = len(positive) - n_positive
    of_positive = (over_all[positive] - _midranks(score[positive])) / n_negative
    of_negative = 1 - (over_all[~positive] - _midranks(score[~positive])) / n_positive
    return of_positive, of_negative


def _midranks(values: Floats) -> Floats:
    """Return ranks from 1, tied values sharing their mean rank."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[codes], dtype=np.float64)
