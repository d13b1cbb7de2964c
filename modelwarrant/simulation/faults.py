"""What does a fault of the data do to rows that were right?

Faults touch columns that are already drawn and never the target, so they are the same for a
simulated stream and for rows of one's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from modelwarrant.simulation.bases import NEW_LEVEL
from modelwarrant.simulation.drawn import Drawn

__all__ = ["FAULTS", "Leading", "with_fault"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_UNIT_BASE = 100.0
_MISSING_SHARE, _STUCK_SHARE, _LEVEL_SHARE = 0.6, 2.0, 0.3


@dataclass(frozen=True)
class Leading:
    """The columns that a fault takes."""

    first: str
    second: str
    category: str | None
    """None where the rows have none."""


def with_fault(
    drawn: Drawn, kind: str, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    """Return the rows with the fault, which rows it touched, and which columns.

    Args:
        drawn: the rows as they should be.
        kind: one of ``FAULTS``.
        strength: (n,) float64, size times how far the fault is in force.
        leading: the columns to take.
        rng: draws which rows.
    """
    return FAULTS[kind](drawn, strength, leading, rng)


def _some(share: Floats, rng: np.random.Generator) -> Mask:
    return np.asarray(rng.random(len(share)) < share)


def _set_number(drawn: Drawn, name: str, values: Floats) -> Drawn:
    return replace(drawn, numbers={**drawn.numbers, name: values})


def _high(values: Floats) -> Mask:
    return np.asarray(values > np.nanmedian(values))


def _dropped(drawn: Drawn, name: str, touched: Mask) -> tuple[Drawn, Mask, tuple[str, ...]]:
    values = np.where(touched, np.nan, drawn.numbers[name])
    return _set_number(drawn, name, values), touched, (name,)


def _missing(
    drawn: Drawn, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    return _dropped(drawn, leading.first, _some(_MISSING_SHARE * strength, rng))


def _missing_mar(
    drawn: Drawn, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    beside = drawn.numbers[leading.second]
    return _dropped(drawn, leading.first, _some(_MISSING_SHARE * strength, rng) & _high(beside))


def _missing_mnar(
    drawn: Drawn, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    own = drawn.numbers[leading.first]
    return _dropped(drawn, leading.first, _some(_MISSING_SHARE * strength, rng) & _high(own))


def _unit(
    drawn: Drawn, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    values = drawn.numbers[leading.first] * _UNIT_BASE**strength
    return _set_number(drawn, leading.first, values), strength > 0, (leading.first,)


def _stuck(
    drawn: Drawn, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    values = drawn.numbers[leading.first]
    touched = _some(_STUCK_SHARE * strength, rng)
    first = int(np.argmax(touched)) if touched.any() else 0
    stuck = np.where(touched, values[max(first - 1, 0)], values)
    return _set_number(drawn, leading.first, stuck), touched, (leading.first,)


def _swapped(
    drawn: Drawn, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    second = leading.second
    touched = _some(_STUCK_SHARE * strength, rng)
    one, two = drawn.numbers[leading.first], drawn.numbers[second]
    changed = {leading.first: np.where(touched, two, one), second: np.where(touched, one, two)}
    return replace(drawn, numbers={**drawn.numbers, **changed}), touched, (leading.first, second)


def _new_level(
    drawn: Drawn, strength: Floats, leading: Leading, rng: np.random.Generator
) -> tuple[Drawn, Mask, tuple[str, ...]]:
    name = leading.category or ""
    touched = _some(_LEVEL_SHARE * strength, rng)
    levels = drawn.levels[name].copy()
    levels[touched] = NEW_LEVEL
    return replace(drawn, levels={**drawn.levels, name: levels}), touched, (name,)


_Fault = Callable[
    [Drawn, Floats, Leading, np.random.Generator], tuple[Drawn, Mask, tuple[str, ...]]
]

FAULTS: dict[str, _Fault] = {
    "missing": _missing,
    "missing_mar": _missing_mar,
    "missing_mnar": _missing_mnar,
    "unit": _unit,
    "stuck": _stuck,
    "swapped": _swapped,
    "new_level": _new_level,
}
"""The kinds of scenario that are faults of the data."""
