"""What will a regression lose, going by where it was wrong before (DLE)?

A second model learns the loss of each row from its features and the answer; the mean of what it
says of a window estimates the window's loss. It needs noise that depends on what it can see: where
every row is as hard as any other, it repeats the reference's mean.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from modelwarrant.estimation.binning import cuts, falling_codes

__all__ = ["LossModel", "fit_losses"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LossModel:
    """A fitted model of the loss of a row."""

    model: HistGradientBoostingRegressor
    ends: tuple[Floats | None, ...]
    """Of each column's bins; None for a category's codes."""

    def expected(self, values: Floats) -> Floats:
        """Return each row's expected loss, (n,) float64 >= 0."""
        with threadpool_limits(limits=1):
            told = self.model.predict(_coded(values, self.ends))
        return np.asarray(np.maximum(told, 0.0), dtype=np.float64)


def fit_losses(
    values: Floats, losses: Floats, *, is_category: tuple[bool, ...] | None = None
) -> LossModel:
    """Learn the loss of a row; in one thread, so that the number of cores changes nothing.

    100 trees of at most 31 leaves with at least 20 rows, shrunk by .1: LightGBM's defaults, which
    NannyML 0.13.1 uses. Categories are split as scikit-learn does.

    Args:
        values: (n, d) float64, the answers of the model among the columns; NaN is missing.
        losses: (n,) float64 >= 0, of rows that the judged model was not trained on.
        is_category: which columns hold codes from 0; None for none.
    """
    kinds = is_category or (False,) * values.shape[1]
    ends = tuple(None if kind else cuts(values[:, place]) for place, kind in enumerate(kinds))
    model = HistGradientBoostingRegressor(
        max_iter=100,
        learning_rate=0.1,
        max_leaf_nodes=31,
        min_samples_leaf=20,
        early_stopping=False,
        categorical_features=np.array(kinds) if any(kinds) else None,
        random_state=0,
    )
    with threadpool_limits(limits=1):
        # LightGBM keeps its target in single precision, and near ties the last digits decide.
        learnt = losses.astype(np.float32).astype(np.float64)
        return LossModel(model.fit(_coded(values, ends), learnt), ends)


def _coded(values: Floats, ends: tuple[Floats | None, ...]) -> Floats:
    columns = (
        values[:, place] if bins is None else falling_codes(values[:, place], bins)
        for place, bins in enumerate(ends)
    )
    return np.column_stack(list(columns))
