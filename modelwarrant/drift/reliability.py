"""P4: does a classification in production still mean the probabilities that it says?"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from sklearn.isotonic import IsotonicRegression

from modelwarrant.drift.features import MIN_ROWS
from modelwarrant.drift.groups import MIN_GROUPS, mean_of
from modelwarrant.records import CalibrationDrift, DriftLevel

__all__ = ["Answers", "calibration_drift", "calibration_error", "recalibration", "spiegelhalter"]

_POINTS = 0.02
_BINS = 10
_RESAMPLES = 999
_SEED = 20_130_101
"""Fixed: two runs on the same rows must give the same bounds."""

_ROUNDS = 50
_EDGE = 1e-9
"""Probabilities of exactly 0 or 1 have no odds."""

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """One window's probabilities of an event, and whether it came: all (n,).

    The event is the positive class with two classes, else 'the answered class is right'.
    """

    said: Floats
    came: Floats
    """0 or 1."""
    is_binary: bool
    groups: Codes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.said)

    @property
    def is_right(self) -> Floats:
        """1 where the most probable class is the true one."""
        if not self.is_binary:
            return self.came
        return np.asarray((self.said > 0.5) == (self.came == 1), dtype=np.float64)


def calibration_drift(reference: Answers, current: Answers, *, alpha: float) -> CalibrationDrift:
    """Compare what production says with what came, in two windows of unseen rows.

    ``drift``: the lower bound of the absolute gap between estimated and labelled accuracy, or that
    of the growth of the expected calibration error, is above 2 points; alpha is split over the two.
    Floor: 500 labelled rows of either window.

    Args:
        reference: of rows that production was not trained on; the estimate is calibrated on them.
        current: of the current window.
        alpha: level, in (0, 1).
    """
    sizes = {"n_reference": len(reference), "n_current": len(current)}
    if min(sizes.values()) < MIN_ROWS:
        reason = f"{min(sizes.values())} labelled rows in the smaller window, {MIN_ROWS} are needed"
        return CalibrationDrift(level="unknown", threshold=_POINTS, reason=reason, **sizes)
    z = spiegelhalter(current.said, current.came)
    line = recalibration(current.said, current.came)
    errors = [calibration_error(each.said, each.came) for each in (reference, current)]
    growth = _growth_bounds(reference, current, alpha=alpha / 2)
    estimated, labelled, error = _gap(reference, current)
    gap = estimated - labelled
    half = None if error is None else float(special.ndtri(1 - alpha / 4)) * error
    bounds = (None, None) if half is None else (gap - half, gap + half)
    level, why = _level(growth, gap, bounds)
    return CalibrationDrift(
        level=level,
        spiegelhalter_z=z,
        spiegelhalter_p_value=None if z is None else float(2 * special.ndtr(-abs(z))),
        slope=None if line is None else line[0],
        intercept=None if line is None else line[1],
        ece_reference=errors[0],
        ece_current=errors[1],
        ece_growth_lower=growth[0],
        ece_growth_upper=growth[1],
        accuracy_estimated=estimated,
        accuracy_labelled=labelled,
        gap=gap,
        gap_lower=bounds[0],
        gap_upper=bounds[1],
        threshold=_POINTS,
        reason=why,
        **sizes,
    )


def spiegelhalter(said: Floats, came: Floats) -> float | None:
    """Return Spiegelhalter's z: standard normal where the probabilities are exact.

    The Brier score minus its expectation, over its standard error (Spiegelhalter 1986). None where
    every probability is 0, 1 or 1/2, for then nothing varies.

    >>> round(spiegelhalter(np.array([0.2, 0.7, 0.9]), np.array([0.0, 1.0, 0.0])), 6)
    1.244342
    """
    lean = 1 - 2 * said
    variance = float(np.sum(lean**2 * said * (1 - said)))
    if not variance > 0:
        return None
    return float(np.sum((came - said) * lean)) / math.sqrt(variance)


def recalibration(said: Floats, came: Floats) -> tuple[float, float] | None:
    """Return slope and intercept of the logistic regression of the outcome on the log odds.

    (1, 0) is calibrated (Cox 1958). None where it has no finite solution: one outcome only, one
    probability only, or outcomes that the odds separate.
    """
    odds = special.logit(np.clip(said, _EDGE, 1 - _EDGE))
    if came.min() == came.max() or odds.min() == odds.max():
        return None
    design = np.column_stack([odds, np.ones_like(odds)])
    line = np.zeros(2)
    for _ in range(_ROUNDS):
        fitted = special.expit(design @ line)
        weights = np.maximum(fitted * (1 - fitted), _EDGE)
        information = np.einsum("ni,n,nj->ij", design, weights, design)
        try:
            step = np.linalg.solve(information, np.einsum("ni,n->i", design, came - fitted))
        except np.linalg.LinAlgError:
            return None
        line = line + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-9:
            return float(line[0]), float(line[1])
    return None


def calibration_error(said: Floats, came: Floats) -> float:
    """Return the expected calibration error over ten bins of equal width, in [0, 1].

    >>> calibration_error(np.array([0.25, 0.25, 0.75]), np.array([0.0, 1.0, 1.0]))
    0.25
    """
    gaps = np.bincount(_bins(said), weights=said - came, minlength=_BINS)
    return float(np.abs(gaps).sum()) / len(said)


def _bins(said: Floats) -> Codes:
    return np.clip(said * _BINS, 0, _BINS - 1).astype(np.int64)


def _growth_bounds(
    reference: Answers, current: Answers, *, alpha: float
) -> tuple[float | None, float | None]:
    """Return basic bootstrap bounds of the growth of the error, each at half of alpha.

    Groups are drawn, not rows. Small samples bias the error upwards, and the basic interval takes
    that off twice over where the windows have different sizes; so both errors are resampled.
    """
    if any(len(np.unique(each.groups)) < MIN_GROUPS for each in (reference, current)):
        return None, None
    random = np.random.default_rng(_SEED)
    before, after = (_resampled(each, random) for each in (reference, current))
    estimate = calibration_error(current.said, current.came) - calibration_error(
        reference.said, reference.came
    )
    low, high = np.quantile(after - before, [alpha / 2, 1 - alpha / 2])
    return 2 * estimate - float(high), 2 * estimate - float(low)


def _resampled(answers: Answers, random: np.random.Generator) -> Floats:
    """Return calibration errors of resampled groups, (999,) float64."""
    count = int(answers.groups.max()) + 1
    cells = answers.groups * _BINS + _bins(answers.said)
    gaps = np.bincount(cells, weights=answers.said - answers.came, minlength=count * _BINS)
    sizes = np.bincount(answers.groups, minlength=count).astype(np.float64)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES).astype(np.float64)
    # einsum adds in one thread: a matrix product's last bits would depend on the thread count.
    sums = np.einsum("rg,gb->rb", drawn, gaps.reshape(count, _BINS))
    return np.asarray(np.abs(sums).sum(axis=1) / np.einsum("rg,g->r", drawn, sizes))


def _gap(reference: Answers, current: Answers) -> tuple[float, float, float | None]:
    """Return estimated and labelled accuracy of the current window, and the gap's error.

    The estimate is CBPE's: what the reference says of a probability is taken for true. Its own
    error, from the reference's finite size, is part of the gap's.
    """
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    order = np.lexsort((reference.came, reference.said))  # ties are added in one order
    model.fit(reference.said[order], reference.came[order])
    expected = [_expected(model, each) for each in (reference, current)]
    errors = [
        mean_of(value - each.is_right, each.groups).deviation
        for value, each in zip(expected, (reference, current), strict=True)
    ]
    known = [error for error in errors if error is not None]
    error = math.hypot(*known) if len(known) == 2 else None
    return float(expected[1].mean()), float(current.is_right.mean()), error


def _expected(model: IsotonicRegression, answers: Answers) -> Floats:
    """Return the calibrated probability that each answer is right."""
    chance = np.asarray(model.predict(answers.said), dtype=np.float64)
    return np.where(answers.said > 0.5, chance, 1 - chance) if answers.is_binary else chance


def _level(
    growth: tuple[float | None, float | None],
    gap: float,
    bounds: tuple[float | None, float | None],
) -> tuple[DriftLevel, str | None]:
    low, high = bounds
    if low is None or high is None or growth[0] is None:
        return "unknown", f"fewer than {MIN_GROUPS} groups of rows"
    reasons = []
    if max(low, -high) > _POINTS:
        reasons.append(f"estimated minus labelled accuracy is {gap:+.3f} [{low:+.3f}, {high:+.3f}]")
    if growth[0] > _POINTS:
        reasons.append(f"the calibration error grew by at least {growth[0]:.3f}")
    return ("drift", "; ".join(reasons)) if reasons else ("none", None)
