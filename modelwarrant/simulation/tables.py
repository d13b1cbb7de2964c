"""How does a shift get into rows of one's own, whose true rule nobody knows?

The rows are shuffled first, so that no drift of their own is left; then some of them become the new
regime. Rows are used once each: nothing is repeated, so no detector sees doubles.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import DataError
from modelwarrant.records.simulation import StreamTruth
from modelwarrant.simulation.drawn import Drawn, Texts, window_of
from modelwarrant.simulation.faults import FAULTS, Leading, with_fault
from modelwarrant.simulation.scenario import Scenario, intensity
from modelwarrant.simulation.streams import truth_of_stream
from modelwarrant.windows import Window, label_text

__all__ = ["inject"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_SHRINK: Final = 0.97
"""A tilted regime keeps some of the rows behind the quiet ones; the stream is cut until they do."""
_FARTHEST: Final = 2.0
"""Standard deviations from the mean beyond which a row counts no more: enough rows are kept."""
_FEWEST: Final = 200
_FLIPPED: Final = 0.4
_LOG_ODDS: Final = 2.0


@dataclass(frozen=True)
class _Roles:
    """Which columns a shift takes."""

    numbers: tuple[str, str]
    """The numbers that go with the target most, the strongest first."""
    spare: str
    """The number that goes with the target least."""
    category: str | None


def inject(
    window: Window, scenario: Scenario, *, seed: int, rows: int | None = None
) -> tuple[Window, StreamTruth]:
    """Return a stream of a window's rows with a known shift; the same arguments give the same rows.

    A shift of x or of y (``covariate``, ``prior``) needs rows to choose from, so the stream can be
    shorter than the window. An ``incremental`` shift mixes both regimes, as no rule is known that
    could move.

    Args:
        window: labelled rows with a task and at least two numbers.
        scenario: of the base ``table``.
        seed: of every draw.
        rows: length of the stream at most; None takes every row that can be used.

    Raises:
        DataError: too few rows, no fitting column, or a kind that needs a known rule.
    """
    rng = np.random.default_rng(seed)
    labelled = window.labelled()
    _demand(labelled, scenario)
    most = len(labelled) if rows is None else min(rows, len(labelled))
    if most < _FEWEST:
        raise DataError(f"a stream of {most} rows is too short: take at least {_FEWEST}")
    shuffled = _drawn(labelled.take(rng.permutation(len(labelled))))
    roles = _roles(shuffled)
    if scenario.kind == "new_level" and roles.category is None:
        raise DataError(f"scenario {scenario.text}: the rows have no category to put a level into")
    drawn, in_force = _regimes(shuffled, scenario, roles, rng, rows=most)
    drawn, columns = _shifted(drawn, scenario, in_force, roles, rng)
    truth = truth_of_stream(
        scenario, drawn, in_force=in_force, columns=columns, seed=seed, about="rows of one's own"
    )
    return window_of(drawn), truth


def _demand(window: Window, scenario: Scenario) -> None:
    """Refuse rows that the scenario cannot be put into."""
    if window.schema.task is None or window.schema.target is None:
        raise DataError(f"scenario {scenario.text}: the rows have no target; name it")
    if scenario.kind == "covariate_joint":
        raise DataError(
            f"scenario {scenario.text}: a correlation cannot be put into rows without changing "
            "P(y | x); take a simulated stream"
        )
    numbers = [f.name for f in window.schema.features if f.kind == "number"]
    if len(window) < _FEWEST or len(numbers) < 2:
        raise DataError(
            f"scenario {scenario.text}: {len(window):,} labelled rows with {len(numbers)} numbers; "
            f"at least {_FEWEST} rows and two numbers are needed"
        )


def _drawn(window: Window) -> Drawn:
    """Return the columns without instants: the rows are shuffled, so a time says nothing."""
    schema = window.schema
    features = tuple(
        feature.model_copy(update={"missing": True, "range": None})
        for feature in schema.features
        if feature.kind != "time"
    )
    target = schema.target or ""
    is_classes = schema.task == "classification"
    return Drawn(
        schema=schema.model_copy(update={"features": features, "time": None}),
        numbers={f.name: window.numbers(f.name) for f in features if f.kind == "number"},
        levels={f.name: _texts(window, f.name) for f in features if f.kind != "number"},
        target=_texts(window, target) if is_classes else window.numbers(target),
    )


def _texts(window: Window, name: str) -> Texts:
    """Return a category, boolean or class as (n,) text, None where it is missing."""
    codes, texts = window.levels(name)
    return np.array([*map(label_text, texts), None], dtype=object)[codes]


def _take(drawn: Drawn, rows: Rows) -> Drawn:
    return replace(
        drawn,
        numbers={name: values[rows] for name, values in drawn.numbers.items()},
        levels={name: values[rows] for name, values in drawn.levels.items()},
        target=drawn.target[rows],
    )


def _roles(drawn: Drawn) -> _Roles:
    """Rank the numbers by their rank correlation with the target."""
    truth = _ranks(_target_values(drawn))
    strength = {
        name: abs(float(np.corrcoef(_ranks(values), truth)[0, 1]))
        for name, values in drawn.numbers.items()
        if np.ptp(_ranks(values)) > 0
    }
    if len(strength) < 2:
        raise DataError("the rows have fewer than two numbers that vary: nothing can be shifted")
    ordered = sorted(strength, key=lambda name: (-strength[name], name))
    categories = [f.name for f in drawn.schema.features if f.kind == "category"]
    return _Roles((ordered[0], ordered[1]), ordered[-1], next(iter(categories), None))


def _target_values(drawn: Drawn) -> Floats:
    """Return the target as numbers: values, or 1 for the positive class (else the last)."""
    if drawn.schema.task == "regression":
        return np.asarray(drawn.target, dtype=np.float64)
    positive = drawn.schema.positive or sorted(set(drawn.target.tolist()))[-1]
    return np.asarray(drawn.target == positive, dtype=np.float64)


def _ranks(values: Floats) -> Floats:
    """Return ranks in [0, 1); equal values share one, missing values stand in the middle."""
    known = np.nan_to_num(values, nan=float(np.nanmedian(values)))
    ordered = np.sort(known)
    return np.asarray(np.searchsorted(ordered, known) / len(ordered))


def _scaled(values: Floats) -> Floats:
    """Return values in standard deviations from their mean, no farther than two; missing is 0."""
    spread = float(np.nanstd(values)) or 1.0
    scaled = (values - np.nanmean(values)) / spread
    return np.clip(np.nan_to_num(scaled), -_FARTHEST, _FARTHEST)


def _regimes(
    drawn: Drawn, scenario: Scenario, roles: _Roles, rng: np.random.Generator, *, rows: int
) -> tuple[Drawn, Mask]:
    """Choose which row stands where, and return it with the rows of the new regime."""
    tilt = _tilt(drawn, scenario, roles)
    if tilt is None:
        return _take(drawn, np.arange(rows)), _in_force(scenario, rows, rng)
    accepted = rng.random(len(drawn)) < np.exp(tilt - tilt.max())
    while True:
        in_force = _in_force(scenario, rows, rng)
        quiet = int(np.count_nonzero(~in_force))
        chosen = quiet + np.flatnonzero(accepted[quiet:])
        if len(chosen) >= rows - quiet:
            break
        rows = int(rows * _SHRINK)
        if rows < _FEWEST:
            raise DataError(
                f"scenario {scenario.text}: {len(drawn):,} rows are too few to choose a regime "
                "from; take more rows or a smaller size"
            )
    order = np.empty(rows, dtype=np.int64)
    order[~in_force] = np.arange(quiet)
    order[in_force] = chosen[: rows - quiet]
    return _take(drawn, order), in_force


def _in_force(scenario: Scenario, rows: int, rng: np.random.Generator) -> Mask:
    """Return the rows of the new regime; an incremental shift becomes a mixture."""
    return np.asarray(rng.random(rows) < intensity(scenario, rows, rng))


def _tilt(drawn: Drawn, scenario: Scenario, roles: _Roles) -> Floats | None:
    """Return the log weight of each row in the new regime, or None where rows are not chosen."""
    if scenario.kind == "covariate":
        return scenario.size * _scaled(drawn.numbers[roles.numbers[0]])
    if scenario.kind != "prior":
        return None
    if drawn.schema.task == "classification":
        return _LOG_ODDS * scenario.size * _target_values(drawn)
    return scenario.size * _scaled(_target_values(drawn))


def _shifted(
    drawn: Drawn, scenario: Scenario, in_force: Mask, roles: _Roles, rng: np.random.Generator
) -> tuple[Drawn, tuple[str, ...]]:
    """Change the rows of the new regime where the kind asks for it."""
    kind, strength = scenario.kind, scenario.size * in_force.astype(np.float64)
    if kind in FAULTS:
        leading = Leading(*roles.numbers, roles.category)
        drawn, _, columns = with_fault(drawn, kind, strength, leading, rng)
        return drawn, columns
    if kind == "harmless":
        values = rng.permutation(drawn.numbers[roles.spare])  # now nothing depends on it
        moved = values + strength * float(np.nanstd(values))
        return replace(drawn, numbers={**drawn.numbers, roles.spare: moved}), (roles.spare,)
    if kind in ("concept", "concept_subgroup", "label_noise"):
        return replace(drawn, target=_new_target(drawn, kind, strength, roles, rng)), ()
    if kind == "covariate":
        return drawn, roles.numbers[:1]
    return drawn, tuple(drawn.numbers) if kind == "prior" else ()


def _new_target(
    drawn: Drawn, kind: str, strength: Floats, roles: _Roles, rng: np.random.Generator
) -> Floats | Texts:
    """Return the target under another rule of the leading number, or with more noise."""
    leading = _scaled(drawn.numbers[roles.numbers[0]])
    if kind == "concept_subgroup":
        second = _scaled(drawn.numbers[roles.numbers[1]])
        strength = np.where(second > np.median(second), strength, 0.0)
    if drawn.schema.task == "regression":
        values = np.asarray(drawn.target, dtype=np.float64)
        bend = rng.standard_normal(len(values)) if kind == "label_noise" else leading
        return values + strength * float(values.std()) * bend
    share = (
        np.minimum(_FLIPPED * strength, 1.0)
        if kind == "label_noise"
        else np.where(leading > np.median(leading), np.minimum(strength, 1.0), 0.0)
    )
    labels = sorted(set(drawn.target.tolist()))
    following = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    flips = rng.random(len(drawn)) < share
    changed = [
        following[label] if flip else label
        for label, flip in zip(drawn.target.tolist(), flips.tolist(), strict=True)
    ]
    return np.array(changed, dtype=object)
