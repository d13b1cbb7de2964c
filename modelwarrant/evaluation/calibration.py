"""Do the predictions mean what they say, and does the candidate mean it less than production?

The calibration error is the mean, weighted by rows, of the absolute gap between what a bin of
predictions says and what was observed there. Classification: ten bins of equal width over the
positive class's probability (binary) or the answered class's (more classes): the expected
calibration error. Regression: deciles of the model's own predictions, in units of the baseline's
residual standard deviation.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.evaluation.blocks import MIN_BLOCKS, Blocks
from modelwarrant.evaluation.losses import Truth
from modelwarrant.records import Calibration, Interval, ReliabilityBin
from modelwarrant.windows import Task

__all__ = ["HARM", "calibration_error", "compare_calibration"]

Floats = npt.NDArray[np.float64]

BINS = 10

HARM = {"classification": 0.02, "regression": 0.1}
"""Harmed above it: 2 points of probability (P4), a tenth of a standard deviation (P3)."""

_RESAMPLES = 1999
"""At the alpha of a first look the bound is the 100th value from the end."""


@dataclass(frozen=True)
class _Binned:
    """One model's predictions in bins: all (n_rows,), bin codes from 0 to 9."""

    bins: npt.NDArray[np.int64]
    said: Floats
    observed: Floats


def calibration_error(answers: Floats, truth: Truth, *, positive: int = 1) -> float:
    """Return the calibration error of one model; in the target's unit for regression.

    >>> truth = Truth("classification", np.array([0, 1, 1]), np.zeros(0), ("no", "yes"))
    >>> round(calibration_error(np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]), truth), 6)
    0.2
    """
    binned = _binned(answers, truth, positive=positive)
    return float(np.abs(_gaps(binned).sum(axis=0)).sum()) / len(truth)


def compare_calibration(
    candidate: Floats,
    baseline: Floats | None,
    truth: Truth,
    blocks: Blocks,
    *,
    positive: int,
    alpha: float,
    rng: np.random.Generator,
) -> Calibration:
    """Compare two models' calibration on the same rows.

    H0 of ``harmed``: the candidate's error exceeds production's by no more than ``HARM``. The
    interval is a basic block bootstrap: errors of small samples are biased upwards, and the basic
    interval takes the bias off. Floor: ten effective blocks, else ``unclear``.

    Args:
        candidate: as ``losses.aligned`` returns them.
        baseline: production's, None without one.
        truth: what was observed.
        blocks: the rows' blocks.
        positive: code of the positive class (binary classification).
        alpha: level of each bound, in (0, 0.5).
        rng: derived from the data's digest, so that the same rows give the same interval.
    """
    ours = _binned(candidate, truth, positive=positive)
    bins = _reliability(ours, truth.task)
    if baseline is None:
        scale = 1.0 if truth.task == "classification" else float(np.std(candidate - truth.values))
        return Calibration(
            level="unclear",
            candidate_error=_error(ours) / scale if scale > 0 else None,
            baseline_error=None,
            difference=None,
            candidate_bins=bins,
            reason="no production model to compare with",
        )
    theirs = _binned(baseline, truth, positive=positive)
    scale = 1.0 if truth.task == "classification" else float(np.std(baseline - truth.values))
    both = {"candidate_bins": bins, "baseline_bins": _reliability(theirs, truth.task)}
    if scale == 0:
        return Calibration(
            level="unclear",
            candidate_error=None,
            baseline_error=None,
            difference=None,
            reason="production's residuals do not vary, so their bias has no unit",
            **both,
        )
    errors = (_error(ours) / scale, _error(theirs) / scale)
    interval = _difference(ours, theirs, blocks, errors, scale=scale, alpha=alpha, rng=rng)
    level, reason = _level(interval, HARM[truth.task])
    return Calibration(
        level=level,
        candidate_error=errors[0],
        baseline_error=errors[1],
        difference=interval,
        reason=reason,
        **both,
    )


def _level(
    interval: Interval, harm: float
) -> tuple[Literal["ok", "harmed", "unclear"], str | None]:
    if interval.lower is None or interval.upper is None:
        return "unclear", f"fewer than {MIN_BLOCKS} independent blocks"
    if interval.lower > harm:
        return "harmed", f"the error grew by more than {harm:g}"
    if interval.upper <= harm:
        return "ok", None
    return "unclear", f"a growth by more than {harm:g} is neither shown nor ruled out"


def _binned(answers: Floats, truth: Truth, *, positive: int) -> _Binned:
    if truth.task == "regression":
        edges = np.unique(np.quantile(answers, np.arange(1, BINS) / BINS))
        bins = np.searchsorted(edges, answers, side="left").astype(np.int64)
        return _Binned(bins, answers, truth.values)
    if answers.shape[1] == 2:
        said, observed = answers[:, positive], truth.codes == positive
    else:
        said, observed = answers.max(axis=1), truth.codes == np.argmax(answers, axis=1)
    bins = np.clip(said * BINS, 0, BINS - 1).astype(np.int64)
    return _Binned(bins, said, observed.astype(np.float64))


def _gaps(binned: _Binned, blocks: Blocks | None = None) -> Floats:
    """Return the sum of said minus observed of each block and bin, (n_blocks, 10)."""
    rows = np.zeros(len(binned.bins), dtype=np.int64) if blocks is None else blocks.codes
    count = 1 if blocks is None else len(blocks.sizes)
    cells = np.bincount(
        rows * BINS + binned.bins, weights=binned.said - binned.observed, minlength=count * BINS
    )
    return np.asarray(cells, dtype=np.float64).reshape(count, BINS)


def _error(binned: _Binned) -> float:
    return float(np.abs(_gaps(binned).sum(axis=0)).sum()) / len(binned.bins)


def _difference(
    ours: _Binned,
    theirs: _Binned,
    blocks: Blocks,
    errors: tuple[float, float],
    *,
    scale: float,
    alpha: float,
    rng: np.random.Generator,
) -> Interval:
    estimate = errors[0] - errors[1]
    count = len(blocks.sizes)
    method = f"basic block bootstrap, {count} {blocks.unit}, {_RESAMPLES} resamples"
    if blocks.effective < MIN_BLOCKS:
        return Interval(estimate=estimate, lower=None, upper=None, alpha=alpha, method=method)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=_RESAMPLES).astype(np.float64)
    # einsum adds in one thread: a matrix product's last bits would depend on the thread count.
    rows = np.einsum("rb,b->r", weights, blocks.sizes)
    resampled = [
        np.abs(np.einsum("rb,bk->rk", weights, _gaps(binned, blocks))).sum(axis=1) / rows / scale
        for binned in (ours, theirs)
    ]
    low, high = np.quantile(resampled[0] - resampled[1], [alpha, 1 - alpha])
    return Interval(
        estimate=estimate,
        lower=2 * estimate - float(high),
        upper=2 * estimate - float(low),
        alpha=alpha,
        method=method,
    )


def _reliability(binned: _Binned, task: Task) -> tuple[ReliabilityBin, ...]:
    found = []
    for code in np.unique(binned.bins):
        rows = binned.bins == code
        said, observed = binned.said[rows], binned.observed[rows]
        spread = float(np.std(said - observed)) if task == "regression" else None
        found.append(
            ReliabilityBin(
                n_rows=int(rows.sum()),
                predicted=float(said.mean()),
                observed=float(observed.mean()),
                deviation=spread,
            )
        )
    return tuple(found)
