"""What will a classifier lose, going by what it says of itself (CBPE)?

With calibrated probabilities p(class), a row's expected loss is the sum of p times the loss that
the answer has where that class is the true one; its mean over a window estimates the window's loss.
It holds while the probabilities mean what they meant: under covariate shift within the region that
was seen, and never under concept shift.
"""

import numpy as np
import numpy.typing as npt

from modelwarrant.evaluation.losses import Truth, row_losses

__all__ = ["class_losses", "expected", "expected_auc"]

Floats = npt.NDArray[np.float64]


def class_losses(answers: Floats, *, metric: str) -> Floats:
    """Return what each answer loses for each class that may be true, (n, n_classes), not clipped.

    Args:
        answers: (n, n_classes) float64 probabilities, as the model gave them.
        metric: one of ``evaluation.DECISION_METRICS`` for classification.

    >>> class_losses(np.array([[0.8, 0.2]]), metric="error_rate").tolist()
    [[0.0, 1.0]]
    """
    rows, classes = answers.shape
    names = tuple(map(str, range(classes)))
    truths = (
        Truth("classification", np.full(rows, code, dtype=np.int64), np.zeros(0), names)
        for code in range(classes)
    )
    return np.column_stack([row_losses(answers, truth, metric=metric) for truth in truths])


def expected(losses: Floats, probabilities: Floats) -> Floats:
    """Return each row's expected loss, (n,) float64.

    Args:
        losses: (n, n_classes), as ``class_losses`` returns them.
        probabilities: (n, n_classes), calibrated.
    """
    return np.asarray((losses * probabilities).sum(axis=1))


def expected_auc(probabilities: Floats, answers: Floats) -> float | None:
    """Return the expected area under the ROC curve; of more than two classes, the mean over them.

    Each row counts as positive with its probability and as negative with the rest; ties count one
    half. None where nothing can be positive, or nothing negative.

    Args:
        probabilities: (n, n_classes), calibrated: what is true.
        answers: (n, n_classes), as the model gave them: the order of the rows.

    >>> answers = np.array([[0.9, 0.1], [0.4, 0.6]])
    >>> round(expected_auc(answers, answers), 4)
    0.7747
    """
    columns = (1,) if answers.shape[1] == 2 else range(answers.shape[1])
    areas = [_area(probabilities[:, k], answers[:, k]) for k in columns]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None


def _area(positive: Floats, scores: Floats) -> float | None:
    _, codes = np.unique(scores, return_inverse=True)
    of_positive = np.bincount(codes, weights=positive)
    of_negative = np.bincount(codes, weights=1 - positive)
    below = np.cumsum(of_negative) - of_negative
    pairs = float(of_positive.sum() * of_negative.sum())
    return float((of_positive * (below + of_negative / 2)).sum()) / pairs if pairs > 0 else None
