"""How surprising are these wins and losses, and how many surprises does a family of tests allow?"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import bdtr

__all__ = ["McNemar", "holm", "mcnemar"]


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
