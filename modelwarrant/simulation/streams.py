"""What does a simulated stream with a known shift hold, and what is true of it?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from modelwarrant.errors import DataError
from modelwarrant.records.simulation import StreamTruth
from modelwarrant.simulation.bases import SITE_SHARES, SITES, SPARE, Base, base_of
from modelwarrant.simulation.drawn import Drawn, window_of
from modelwarrant.simulation.faults import FAULTS, Leading, with_fault
from modelwarrant.simulation.scenario import KINDS, Scenario, change_points, intensity
from modelwarrant.windows import Window

__all__ = ["simulate", "truth_of_stream"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_SUBGROUP: Final = 1
"""The site in which a concept moves for the kind ``concept_subgroup``: 30 % of the rows."""
_CLOSEST: Final = 0.95
_FLIPPED, _LOUDER = 0.4, 2.0
_LOG_ODDS: Final = 2.0
_FARTHEST: Final = 2.0
"""Standard deviations of the target beyond which it is tilted no further: acceptance stays high."""
_PILOT: Final = 4096
_FEWEST: Final = 100
_RULE_MOVES: Final = frozenset({"concept", "concept_subgroup", "label_noise"})
_BOTH_MOVE: Final = frozenset({"covariate", "covariate_joint"})


@dataclass(frozen=True)
class _World:
    """Rows before they are columns."""

    drivers: Floats
    spare: Floats
    site: Codes
    target: Floats
    """P(yes) drawn to 0 or 1, or a value."""
    noise: Floats


def simulate(scenario: Scenario, *, rows: int, seed: int) -> tuple[Window, StreamTruth]:
    """Draw a stream; the same arguments give the same rows.

    Args:
        scenario: of a simulated base.
        rows: length of the stream, at least 100.
        seed: of every draw.

    >>> from modelwarrant.simulation import parse_scenario
    >>> window, truth = simulate(parse_scenario("sea/concept"), rows=1000, seed=7)
    >>> len(window), truth.change_points, truth.rule_moves
    (1000, (500,), True)

    Raises:
        DataError: no such stream, or too few rows.
    """
    base = base_of(scenario.base)
    if rows < _FEWEST:
        raise DataError(f"a stream of {rows} rows is too short: take at least {_FEWEST}")
    rng = np.random.default_rng(seed)
    strength = scenario.size * intensity(scenario, rows, rng)
    world = (
        _tilted(base, strength, rng)
        if scenario.kind == "prior"
        else _world(base, scenario.kind, strength, rng)
    )
    drawn, touched = _columns(base, world), _touched(base, scenario.kind)
    if scenario.kind in FAULTS:
        leading = Leading(base.numbers[0], base.numbers[1], "site")
        drawn, _, touched = with_fault(drawn, scenario.kind, strength, leading, rng)
    truth = truth_of_stream(
        scenario, drawn, in_force=strength > 0, columns=touched, seed=seed, about=base.about
    )
    return window_of(drawn), truth


def truth_of_stream(
    scenario: Scenario,
    drawn: Drawn,
    *,
    in_force: npt.NDArray[np.bool_],
    columns: tuple[str, ...],
    seed: int,
    about: str,
) -> StreamTruth:
    """Write down what is true of drawn rows."""
    points = change_points(scenario, len(drawn))
    before = np.arange(len(drawn)) < (points[0] if points else len(drawn))
    task = drawn.schema.task or "regression"
    return StreamTruth(
        scenario=scenario.text,
        base=scenario.base,
        kind=scenario.kind,
        shape=scenario.shape,
        size=scenario.size,
        onset=scenario.onset,
        width=scenario.width,
        seed=seed,
        rows=len(drawn),
        task=task,
        target=drawn.schema.target or "",
        change_points=points,
        columns=columns,
        shifted_rows=int(np.count_nonzero(in_force)),
        rule_moves=scenario.kind in _RULE_MOVES,
        is_fault=scenario.kind in FAULTS,
        noise_before=_mean(drawn.noise, before),
        noise_after=_mean(drawn.noise, ~before),
        about=f"{about}; {KINDS[scenario.kind]}",
    )


def _mean(noise: Floats | None, rows: npt.NDArray[np.bool_]) -> float | None:
    return None if noise is None or not rows.any() else float(noise[rows].mean())


def _touched(base: Base, kind: str) -> tuple[str, ...]:
    if kind in _BOTH_MOVE:
        return base.numbers[:2]
    return {"harmless": (SPARE,), "prior": base.numbers}.get(kind, ())


def _world(base: Base, kind: str, strength: Floats, rng: np.random.Generator) -> _World:
    """Draw rows whose shift is of x, of the rule, or of neither."""
    rows = len(strength)
    drivers = rng.standard_normal((rows, base.drivers))
    spare = rng.standard_normal(rows)
    site = rng.choice(len(SITES), rows, p=SITE_SHARES)
    moved = np.zeros(rows)
    if kind == "covariate":
        drivers[:, :2] += strength[:, None]
    elif kind == "covariate_joint":
        rho = np.minimum(strength, _CLOSEST)
        drivers[:, 1] = rho * drivers[:, 0] + np.sqrt(1 - rho**2) * drivers[:, 1]
    elif kind == "harmless":
        spare += strength
    elif kind == "concept":
        moved = strength
    elif kind == "concept_subgroup":
        moved = np.where(site == _SUBGROUP, strength, 0.0)
    loud = strength if kind == "label_noise" else np.zeros(rows)
    target, noise = _answer(base, base.rule(drivers, site, moved), loud, rng)
    return _World(drivers, spare, site, target, noise)


def _answer(
    base: Base, rule: Floats, loud: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the target, and say what the true rule loses on each row in expectation."""
    if base.task == "regression":
        deviation = base.deviation * (1 + _LOUDER * loud)
        return rule + deviation * rng.standard_normal(len(rule)), deviation**2
    chance = rule + np.minimum(_FLIPPED * loud, 0.5) * (1 - 2 * rule)
    return (rng.random(len(rule)) < chance).astype(np.float64), entr(chance) + entr(1 - chance)


def _tilted(base: Base, strength: Floats, rng: np.random.Generator) -> _World:
    """Draw rows whose P(y) moves and whose P(x | y) stays, by accepting some of the old world's."""
    quiet = np.zeros(_PILOT)
    pilot = _world(base, "none", quiet, rng).target
    accept = _acceptance(base, float(pilot.mean()), float(pilot.std()))
    world = _world(base, "none", np.zeros(len(strength)), rng)
    pending = np.flatnonzero(rng.random(len(strength)) >= accept(world.target, strength))
    while len(pending):
        again = _world(base, "none", np.zeros(len(pending)), rng)
        for old, new in zip(vars(world).values(), vars(again).values(), strict=True):
            old[pending] = new
        kept = rng.random(len(pending)) < accept(again.target, strength[pending])
        pending = pending[~kept]
    return world


def _acceptance(base: Base, mean: float, deviation: float) -> Callable[[Floats, Floats], Floats]:
    """Return the probability that a drawn row is kept, at most 1."""
    if base.task == "classification":
        return lambda target, strength: np.exp(-_LOG_ODDS * strength * (1 - target))

    def accept(target: Floats, strength: Floats) -> Floats:
        scaled = np.clip((target - mean) / deviation, -_FARTHEST, _FARTHEST)
        return np.asarray(np.exp(strength * (scaled - _FARTHEST)))

    return accept


def _columns(base: Base, world: _World) -> Drawn:
    observed = base.observed(world.drivers)
    numbers = {name: observed[:, index] for index, name in enumerate(base.numbers)}
    labels = np.array(["no", "yes"], dtype=object)
    is_classes = base.task == "classification"
    return Drawn(
        schema=base.schema,
        numbers={**numbers, SPARE: world.spare},
        levels={"site": np.array(SITES, dtype=object)[world.site]},
        target=labels[world.target.astype(np.int64)] if is_classes else world.target,
        noise=world.noise,
    )
