"""Which probability stands behind a model's score?

Isotonic regression of what was observed on the score, class by class, as NannyML 0.13.1 does it:
only where it lowers the calibration error of rows that it was not fitted on, since a model that is
calibrated already is better left alone. With weights (PAPE) it is always fitted.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedShuffleSplit

from modelwarrant.evaluation.auc import roc_auc

__all__ = ["Calibrator", "fit_calibrator", "needs_calibration"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_BINS = 10
_SPLITS = 10
_TEST_SHARE = 0.1
_SEED = 42
"""NannyML's: the same splits, the same decision."""

_SEPARATED = 0.999
"""Above this AUC every score is as good as certain, and there is nothing to calibrate."""


@dataclass(frozen=True)
class Calibrator:
    """Maps scores to probabilities, class by class."""

    knots: tuple[tuple[Floats, Floats] | None, ...]
    """Score and probability at the knots of each class (of the second one alone, where there are
    two); None leaves the score as it is."""

    @property
    def is_fitted(self) -> bool:
        """Whether any class's scores are mapped."""
        return any(each is not None for each in self.knots)

    def probabilities(self, answers: Floats) -> Floats:
        """Return calibrated probabilities that add to 1, (n, n_classes)."""
        if answers.shape[1] == 2:
            positive = _mapped(answers[:, 1], self.knots[0])
            return np.column_stack([1 - positive, positive])
        columns = [_mapped(answers[:, k], knots) for k, knots in enumerate(self.knots)]
        found = np.column_stack(columns)
        sums = found.sum(axis=1, keepdims=True)
        uniform = np.full_like(found, 1 / found.shape[1])
        return np.asarray(np.divide(found, sums, out=uniform, where=sums > 0))


def fit_calibrator(answers: Floats, codes: Codes, *, weights: Floats | None = None) -> Calibrator:
    """Fit the calibration of a model on labelled rows that it was not trained on.

    Args:
        answers: (n, n_classes) float64 probabilities.
        codes: (n,) int64 true classes.
        weights: (n,) float64 >= 0, the density ratio of the rows to be estimated; None for CBPE.
    """
    of_classes = (1,) if answers.shape[1] == 2 else range(answers.shape[1])
    return Calibrator(tuple(_knots(answers[:, k], codes == k, weights=weights) for k in of_classes))


def needs_calibration(observed: npt.NDArray[np.bool_], scores: Floats) -> bool:
    """Return whether isotonic regression lowers the calibration error out of sample.

    Ten stratified splits of one tenth; the error is that of ten equally large bins over all test
    rows. Reference: ``nannyml.calibration.needs_calibration`` (0.13.1).

    Args:
        observed: (n,) whether the class is the true one.
        scores: (n,) float64.
    """
    area = roc_auc(observed, scores)
    if area is None or area > _SEPARATED or min(observed.sum(), (~observed).sum()) < 2:
        return False
    splits = StratifiedShuffleSplit(
        n_splits=_SPLITS, test_size=_TEST_SHARE, random_state=_SEED
    ).split(scores, observed.astype(np.int64))
    truth, before, after = [], [], []
    for train, test in splits:
        knots = _isotonic(scores[train], observed[train], None)
        truth.append(observed[test])
        before.append(scores[test])
        after.append(_mapped(scores[test], knots))
    said = np.concatenate(truth).astype(np.float64)
    errors = [_calibration_error(said, np.concatenate(each)) for each in (before, after)]
    return errors[0] > errors[1]


def _knots(
    scores: Floats, observed: npt.NDArray[np.bool_], *, weights: Floats | None
) -> tuple[Floats, Floats] | None:
    if weights is None and not needs_calibration(observed, scores):
        return None
    return _isotonic(scores, observed, weights)


def _isotonic(
    scores: Floats, observed: npt.NDArray[np.bool_], weights: Floats | None
) -> tuple[Floats, Floats]:
    fitted = IsotonicRegression(out_of_bounds="clip", increasing=True).fit(
        scores, observed.astype(np.float64), sample_weight=weights
    )
    return fitted.X_thresholds_, fitted.y_thresholds_


def _mapped(scores: Floats, knots: tuple[Floats, Floats] | None) -> Floats:
    return scores if knots is None else np.interp(scores, *knots)


def _calibration_error(observed: Floats, scores: Floats) -> float:
    """Return the mean gap of ten bins of equally many rows, weighted by rows."""
    order = np.argsort(scores, kind="stable")
    width = len(order) // (_BINS if len(order) > 2 * _BINS else max(2, len(order) // 2))
    edges = np.arange(0, len(order) + 1, width)[:-1]
    gaps = np.add.reduceat((scores - observed)[order], edges)
    return float(np.abs(gaps).sum()) / len(order)
