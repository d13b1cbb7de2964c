"""Which simulated streams are there, and what is the true rule of each?

Rows come from independent standard normal drivers, so that a shift of one standard deviation is
one. Every stream has the same layout: numbers ``x1 .. xd`` that the target depends on, a number
``spare`` on which nothing depends, and a category ``site``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from modelwarrant.errors import DataError
from modelwarrant.windows import Feature, FeatureSchema, Task

__all__ = ["BASES", "NEW_LEVEL", "SITES", "SPARE", "Base", "base_of"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

SPARE: Final = "spare"
SITES: Final = ("north", "south", "west")
NEW_LEVEL: Final = "outpost"
SITE_SHARES: Final = (0.5, 0.3, 0.2)

Rule = Callable[[Floats, Codes, Floats], Floats]
"""Drivers (n, d), site codes (n,) and how far the concept moved (n,) in [0, 2], to P(y = yes) or
to the mean of y."""


@dataclass(frozen=True)
class Base:
    """A stream with a known rule."""

    name: str
    task: Task
    drivers: int
    observed: Callable[[Floats], Floats]
    """Drivers to the numbers that stand in the columns, column by column."""
    rule: Rule
    deviation: float = 0.0
    """Of the noise of a regression."""
    about: str = ""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the numbers that the target depends on, the leading ones first."""
        return tuple(f"x{index + 1}" for index in range(self.drivers))

    @property
    def schema(self) -> FeatureSchema:
        """The declared columns; missing values are allowed, so that faults reach the detectors."""
        names = (*self.numbers, SPARE)
        is_classes = self.task == "classification"
        return FeatureSchema(
            features=(
                *(Feature(name=name, kind="number", missing=True) for name in names),
                Feature(name="site", kind="category", categories=SITES, missing=True),
            ),
            task=self.task,
            target="y",
            classes=("no", "yes") if is_classes else None,
            positive="yes" if is_classes else None,
        )


def _as_they_are(drivers: Floats) -> Floats:
    return drivers


def _loans(drivers: Floats, site: Codes, moved: Floats) -> Floats:
    """Return P(default): a logistic rule whose two weights turn, by a right angle at 1."""
    angle = moved * np.pi / 2
    first = 1.4 * np.cos(angle) * drivers[:, 0] + 1.4 * np.sin(angle) * drivers[:, 1]
    effect = np.array([0.0, 0.5, -0.5])[site]
    return np.asarray(expit(first - 0.5 * drivers[:, 2] + effect - 0.4))


def _sea(drivers: Floats, site: Codes, moved: Floats) -> Floats:
    """Return P(yes) of SEA (Street and Kim 2001): x1 + x2 below a threshold that moves 8 to 12."""
    total = 10 * (ndtr(drivers[:, 0]) + ndtr(drivers[:, 1]))
    return np.asarray(0.05 + 0.9 * expit(3 * (8 + 4 * moved - total)))


def _friedman(drivers: Floats, site: Codes, moved: Floats) -> Floats:
    """Return Friedman's first function (1991), whose last two slopes change places."""
    x = ndtr(drivers)
    curved = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
    return np.asarray(
        curved + (10 - 10 * moved) * x[:, 3] + (5 + 5 * moved) * x[:, 4] - 6 * moved * x[:, 0]
    )


def _sine(drivers: Floats, site: Codes, moved: Floats) -> Floats:
    """Return P(yes) of SINE1 (Gama et al. 2004): above or below a sine, whose phase moves by pi."""
    x = ndtr(drivers)
    curve = 0.5 + 0.4 * np.sin(2 * np.pi * x[:, 0] + np.pi * moved)
    return np.asarray(0.05 + 0.9 * expit(12 * (curve - x[:, 1])))


def _circuit(drivers: Floats, site: Codes, moved: Floats) -> Floats:
    """Return Friedman's second function (1991), an impedance, whose inductance loses its weight.

    Resistance 0 to 100, frequency 20 to 280, inductance 0 to 1, capacity 1 to 11.
    """
    x = ndtr(drivers)
    omega = 2 * np.pi * (20 + 260 * x[:, 1])
    inductive = omega * x[:, 2] * (1 - 0.4 * moved)
    return np.asarray(np.hypot(100 * x[:, 0], inductive - 1 / (omega * (1 + 10 * x[:, 3]))))


def _rents(drivers: Floats, site: Codes, moved: Floats) -> Floats:
    """Return a linear rent with an effect of the site, whose leading slope turns round."""
    effect = np.array([0.0, 4.0, -4.0])[site]
    slope = 8 - 8 * moved
    return np.asarray(50 + slope * drivers[:, 0] - 5 * drivers[:, 1] + effect + 3 * moved)


BASES: Final[Mapping[str, Base]] = MappingProxyType(
    {
        base.name: base
        for base in (
            Base("loans", "classification", 3, _as_they_are, _loans, about="a logistic rule"),
            Base(
                "sea",
                "classification",
                3,
                lambda drivers: 10 * ndtr(drivers),
                _sea,
                about="SEA: two of three uniform numbers against a threshold, 5 % noise",
            ),
            Base(
                "sine",
                "classification",
                2,
                ndtr,
                _sine,
                about="SINE1: two uniform numbers, below a sine or above it, 5 % noise",
            ),
            Base(
                "friedman",
                "regression",
                5,
                ndtr,
                _friedman,
                deviation=1.0,
                about="Friedman's first function of five uniform numbers",
            ),
            Base("rents", "regression", 2, _as_they_are, _rents, deviation=4.0, about="linear"),
            Base(
                "circuit",
                "regression",
                4,
                ndtr,
                _circuit,
                deviation=100.0,
                about="Friedman's second function, an impedance of four uniform numbers",
            ),
        )
    }
)


def base_of(name: str) -> Base:
    """Return the stream of that name.

    Raises:
        DataError: there is none.
    """
    if name not in BASES:
        raise DataError(f"there is no stream {name!r}; take one of {', '.join(BASES)}")
    return BASES[name]
