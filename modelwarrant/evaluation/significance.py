"""How surprising are these wins and losses, and how many surprises does a family of tests allow?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import bdtr, betaln, chdtrc

__all__ = ["McNemar", "holm", "mcnemar", "sign_e_value"]


_LARGEST_LOG_E = 300 * math.log(10)


@dataclass(frozen=True)
class McNemar:
    """Two-sided p-values of H0 'both models err equally often', rows independent."""

    wins: int
    """Rows that only the candidate answers rightly."""
    losses: int
    """Rows that only the baseline answers rightly."""
    exact: float
    """Never above its level; conservative with few discordant rows."""
    mid_p: float
    """Closer to its level on average (Fagerland, Lydersen and Laake 2013)."""

    @property
    def chi2(self) -> float:
        """McNemar's statistic without a correction; 0 without a discordant row."""
        return self._chi2(0.0)

    @property
    def chi2_corrected(self) -> float:
        """The same with Edwards' continuity correction."""
        return self._chi2(1.0)

    @property
    def chi2_p_value(self) -> float:
        """Asymptotic p-value of ``chi2``; errs above its level with few discordant rows."""
        return float(chdtrc(1, self.chi2))

    @property
    def chi2_corrected_p_value(self) -> float:
        """Asymptotic p-value of ``chi2_corrected``."""
        return float(chdtrc(1, self.chi2_corrected))

    def _chi2(self, correction: float) -> float:
        total = self.wins + self.losses
        return max(0.0, abs(self.wins - self.losses) - correction) ** 2 / total if total else 0.0


def sign_e_value(wins: int, losses: int) -> float:
    """Return the e-value against H0 'wins and losses are equally likely', in [0, inf).

    The likelihood ratio of a uniform mixture over all chances of a win; it may be looked at after
    any row. 1 is no evidence; capped at 1e300.

    >>> round(sign_e_value(42, 25), 6)
    1.296808
    """
    log_e = float(betaln(wins + 1, losses + 1)) + (wins + losses) * math.log(2)
    return math.exp(min(log_e, _LARGEST_LOG_E))


def mcnemar(wins: int, losses: int) -> McNemar:
    """Compare two classifiers by their discordant rows.

    Undefined case: without a discordant row both p-values are 1. Reference: McNemar (1947),
    exact binomial form.

    >>> found = mcnemar(42, 25)
    >>> round(found.exact, 6), round(found.mid_p, 6)
    (0.0498, 0.03846)
    """
    total, fewer = wins + losses, min(wins, losses)
    if total == 0:
        return McNemar(wins, losses, 1.0, 1.0)
    tail = float(bdtr(fewer, total, 0.5))
    point = tail - (float(bdtr(fewer - 1, total, 0.5)) if fewer else 0.0)
    exact = min(1.0, 2 * tail)
    mid_p = 1.0 if wins == losses else min(1.0, 2 * tail - point)
    return McNemar(wins, losses, exact, mid_p)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's adjusted p-values, in the order given.

    Rejecting where an adjusted value is at most alpha keeps the familywise error at alpha under
    any dependence. Reference: Holm (1979).

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)
