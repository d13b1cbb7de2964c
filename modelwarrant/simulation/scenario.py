"""Which shift does a stream have: its kind, its size, where it begins, and how it comes?

A scenario is one line of text, ``BASE/KIND/SHAPE/SIZE``, so that a pipeline, a table and a person
name it alike. Where the shift is in force is a number a row, from 0 (the old regime) to 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import DataError

__all__ = [
    "KINDS",
    "SHAPES",
    "TABLE",
    "Kind",
    "Scenario",
    "Shape",
    "change_points",
    "intensity",
    "parse_scenario",
]

Floats = npt.NDArray[np.float64]

Kind = Literal[
    "none",
    "covariate",
    "covariate_joint",
    "prior",
    "concept",
    "concept_subgroup",
    "harmless",
    "label_noise",
    "missing",
    "missing_mar",
    "missing_mnar",
    "unit",
    "stuck",
    "swapped",
    "new_level",
]
"""What changes; see ``KINDS``."""

Shape = Literal["abrupt", "gradual", "incremental", "recurring", "passing"]
"""How it comes; see ``SHAPES``."""

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "none": "nothing changes",
        "covariate": "the leading numbers move by SIZE standard deviations; P(y | x) stays",
        "covariate_joint": "the two leading numbers get the correlation SIZE; marginals stay",
        "prior": "the log odds of the classes move by 2 SIZE (a regression's target is tilted by "
        "SIZE of its standard deviations); P(x | y) stays",
        "concept": "P(y | x) moves everywhere, by SIZE of the way to another rule",
        "concept_subgroup": "P(y | x) moves in one subgroup, by SIZE of the way to another rule",
        "harmless": "a number that the target does not depend on moves by SIZE deviations",
        "label_noise": "labels flip with probability 0.4 SIZE; a number's noise grows by 2 SIZE",
        "missing": "the leading number is missing in 0.6 SIZE of the rows, at random",
        "missing_mar": "the leading number is missing in 0.6 SIZE of the rows in which the second "
        "is high",
        "missing_mnar": "the leading number is missing in 0.6 SIZE of the rows in which it is high",
        "unit": "the leading number is multiplied by 100 to the power of SIZE",
        "stuck": "the leading number repeats one value in 2 SIZE of the rows",
        "swapped": "the two leading numbers change places in 2 SIZE of the rows",
        "new_level": "a category takes a level never seen before in 0.3 SIZE of the rows",
    }
)
"""What each kind does to the stream, and what SIZE, in (0, 2], means for it."""

SHAPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "abrupt": "from the onset on",
        "gradual": "from the onset on rows of both regimes are mixed, over WIDTH of the stream",
        "incremental": "from the onset on the rule itself moves, over WIDTH of the stream",
        "recurring": "from the onset on it comes and goes, each time for WIDTH of the stream",
        "passing": "from the onset on it is in force for WIDTH of the stream, then it is over",
    }
)

TABLE: Final = "table"
"""The base of a scenario that is put into rows of one's own."""

_LARGEST: Final = 2.0
_STEEP: Final = 8.0
"""A gradual shift's sigmoid runs from 1.8 % to 98.2 % over its width."""
_DEFAULTS: Final = ("abrupt", "1")
_FORM: Final = "write BASE/KIND, BASE/KIND/SHAPE or BASE/KIND/SHAPE/SIZE, as in loans/concept"


@dataclass(frozen=True)
class Scenario:
    """One shift of one stream.

    Raises:
        DataError: a size, onset or width outside its range.
    """

    base: str
    """Name of a simulated stream, or ``table``."""
    kind: Kind
    shape: Shape = "abrupt"
    size: float = 1.0
    """In (0, 2]; what it means is said by ``KINDS``. 0 for the kind ``none``."""
    onset: float = 0.5
    """Share of the stream before the shift, in (0, 1)."""
    width: float = 0.25
    """Share of the stream over which it comes, or for which it stays each time; in (0, 1)."""

    def __post_init__(self) -> None:
        if self.kind == "none":
            object.__setattr__(self, "size", 0.0)
        elif not 0 < self.size <= _LARGEST:
            raise DataError(f"scenario {self.text}: the size must lie above 0, up to {_LARGEST:g}")
        if not 0 < self.onset < 1 or not 0 < self.width < 1:
            raise DataError(f"scenario {self.text}: onset and width must lie between 0 and 1")

    @property
    def text(self) -> str:
        """The form that ``parse_scenario`` reads."""
        return f"{self.base}/{self.kind}/{self.shape}/{self.size:g}"


def parse_scenario(text: str, *, onset: float = 0.5, width: float = 0.25) -> Scenario:
    """Read the text form.

    Args:
        text: ``BASE/KIND``, and perhaps ``/SHAPE`` and ``/SIZE``.
        onset: see ``Scenario``.
        width: see ``Scenario``.

    >>> parse_scenario("loans/concept/gradual/0.5").text, parse_scenario("sea/none").size
    ('loans/concept/gradual/0.5', 0.0)

    Raises:
        DataError: not of that form, or an unknown kind, shape or size.
    """
    parts = str(text).strip().split("/")
    if not 2 <= len(parts) <= 4 or not all(parts):
        raise DataError(f"scenario {text!r} cannot be read: {_FORM}")
    base, kind, shape, size = (*parts, *_DEFAULTS[len(parts) - 2 :])
    _one_of(kind, get_args(Kind), "kind", text)
    _one_of(shape, get_args(Shape), "shape", text)
    try:
        number = float(size)
    except ValueError as error:
        raise DataError(f"scenario {text!r}: the size {size!r} is not a number") from error
    if not math.isfinite(number):
        raise DataError(f"scenario {text!r}: the size {size!r} is not finite")
    return Scenario(base, kind, shape, number, onset, width)  # type: ignore[arg-type]  # checked above


def _one_of(word: str, known: tuple[str, ...], what: str, text: str) -> None:
    if word in known:
        return
    near = get_close_matches(word, known, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise DataError(
        f"scenario {text!r}: there is no {what} {word!r}{hint}; take one of {', '.join(known)}"
    )


def intensity(scenario: Scenario, rows: int, rng: np.random.Generator) -> Floats:
    """Return how far the shift is in force in each row, (rows,) float64 in [0, 1].

    Every shape but ``incremental`` gives 0 or 1: a row is of one regime or of the other.

    >>> some = parse_scenario("sea/concept/recurring", onset=0.5, width=0.25)
    >>> intensity(some, 8, np.random.default_rng(0)).astype(int).tolist()
    [0, 0, 0, 0, 1, 1, 0, 0]
    """
    if scenario.kind == "none":
        return np.zeros(rows)
    since = np.arange(rows) / rows - scenario.onset
    begun = since >= 0
    if scenario.shape == "abrupt":
        return begun.astype(np.float64)
    if scenario.shape == "passing":
        return np.asarray(begun & (since < scenario.width), dtype=np.float64)
    if scenario.shape == "recurring":
        is_on = np.floor(since / scenario.width) % 2 == 0
        return np.asarray(begun & is_on, dtype=np.float64)
    if scenario.shape == "incremental":
        return np.asarray(np.clip(since / scenario.width, 0.0, 1.0))
    share = 1.0 / (1.0 + np.exp(-_STEEP * (since / scenario.width - 0.5)))
    return (begun & (rng.random(rows) < share)).astype(np.float64)


def change_points(scenario: Scenario, rows: int) -> tuple[int, ...]:
    """Return the rows at which something begins or ends: (), (onset,), or each switch.

    >>> change_points(parse_scenario("sea/concept/recurring"), 8)
    (4, 6)
    >>> change_points(parse_scenario("sea/concept/gradual"), 8)
    (4, 6)
    """
    if scenario.kind == "none":
        return ()
    onset = math.ceil(scenario.onset * rows)
    if scenario.shape == "abrupt":
        return (onset,)
    if scenario.shape == "recurring":
        steps = range(math.ceil((1 - scenario.onset) / scenario.width))
        found = [math.ceil((scenario.onset + step * scenario.width) * rows) for step in steps]
        return tuple(row for row in found if row < rows)
    return onset, min(math.ceil((scenario.onset + scenario.width) * rows), rows)
