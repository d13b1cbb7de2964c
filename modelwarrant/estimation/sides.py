"""What does an estimate start from: labelled rows that production did not learn from, and new ones?

Rows are put in one order first, oldest first and in canonical order within an instant, so that the
order of rows in a file changes no digit.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.joint import DensityRatio, density_ratio
from modelwarrant.evaluation.blocks import Blocks, block_rows_or_runs, chronological
from modelwarrant.evaluation.bounds import mean_bounds
from modelwarrant.evaluation.losses import Truth, aligned, loss_bound, row_losses, truth_of
from modelwarrant.windows import Predictions, Window, canonical_order, window_digest

__all__ = ["Answered", "Sides", "line_up", "mean_deviation"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answered:
    """Rows with what production answers."""

    window: Window
    predictions: Predictions


@dataclass(frozen=True)
class Sides:
    """The reference's final split and the current window, each oldest row first."""

    metric: str
    reference: Window
    current: Window
    reference_digest: str
    current_digest: str
    reference_answers: Floats
    current_answers: Floats
    predictions: tuple[Predictions, Predictions]
    truth: Truth
    """Of the reference."""
    losses: Floats
    """Production's on the reference, clipped."""
    bound: float
    """Where losses are clipped; 0 where production lost nothing."""
    blocks: tuple[Blocks, Blocks]
    ratio: DensityRatio | None
    places: npt.NDArray[np.int64]
    """Of the ordered current rows in the window that was given."""

    @cached_property
    def dependence(self) -> float:
        """Variance of the mean loss over that of independent rows, at least 1."""
        spread = float(np.var(self.losses))
        if not spread:
            return 1.0
        found = mean_deviation(self.losses, self.blocks[0])
        return max(1.0, found**2 * len(self.losses) / spread)


def line_up(reference: Answered, current: Answered, *, metric: str) -> Sides:
    """Order both sides, compute losses, weigh the reference by the density ratio.

    Args:
        reference: labelled rows that production was not trained on, at least one.
        current: rows to be judged, at least one.
        metric: one of ``evaluation.DECISION_METRICS``.

    Raises:
        DataError: answers that do not fit the rows.
        TargetError: a target that cannot be used.
    """
    canonical = [canonical_order(side.window) for side in (reference, current)]
    orders = [
        chronological(side.window, order)
        for side, order in zip((reference, current), canonical, strict=True)
    ]
    windows = [
        side.window.take(order) for side, order in zip((reference, current), orders, strict=True)
    ]
    predictions = reference.predictions.take(orders[0]), current.predictions.take(orders[1])
    classes = reference.predictions.classes
    truth = truth_of(windows[0], classes=classes, name="reference")
    rows = len(windows[1])
    unknown = Truth(truth.task, np.zeros(rows, dtype=np.int64), np.zeros(rows), truth.classes)
    answers = (
        aligned(predictions[0], truth, model="production", window="reference"),
        aligned(predictions[1], unknown, model="production", window="current"),
    )
    losses = row_losses(answers[0], truth, metric=metric)
    bound = loss_bound([losses], metric=metric, n_classes=max(len(truth.classes), 2))
    return Sides(
        metric=metric,
        reference=windows[0],
        current=windows[1],
        reference_digest=window_digest(reference.window, order=canonical[0]),
        current_digest=window_digest(current.window, order=canonical[1]),
        reference_answers=answers[0],
        current_answers=answers[1],
        predictions=predictions,
        truth=truth,
        losses=np.minimum(losses, bound),
        bound=bound,
        blocks=(block_rows_or_runs(windows[0]), block_rows_or_runs(windows[1])),
        ratio=density_ratio(
            windows[0],
            windows[1],
            windows[0].schema.features,
            orders=(canonical_order(windows[0]), canonical_order(windows[1])),
        ),
        places=orders[1],
    )


def mean_deviation(values: Floats, blocks: Blocks) -> float:
    """Return the standard error of a mean, dependence of neighbours included.

    Args:
        values: (n,) float64, oldest row first.
        blocks: their blocks.
    """
    found = mean_bounds(values, blocks, alpha=0.05).deviation
    return float(np.std(values)) / len(values) ** 0.5 if found is None else found
