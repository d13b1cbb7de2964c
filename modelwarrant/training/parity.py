"""Does the ONNX model answer as the fitted estimator does, on rows where the two could part?"""

import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import Scorer
from modelwarrant.errors import ParityError
from modelwarrant.records import ParityReport
from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import Fitted
from modelwarrant.windows import Feature

__all__ = ["check_parity", "hard_rows"]

Floats = npt.NDArray[np.float64]

_TOLERANCE = {"double": 1e-9, "float32": 1e-5}
_MOST_ROWS = 20_000
"""Rows of the training splits that are compared, evenly spaced; a forest answers 8,000 a second."""
_MOST_THRESHOLDS = 64
"""A feature; each gives three rows."""
_BASES = 16
"""Training rows that hard rows are made of."""
_FAR = (2.0**24 + 1.0, -(2.0**24) - 1.0, 1e12, -1e12)
"""Whole numbers that float32 cannot hold."""
_SHOWN = 5


def check_parity(fitted: Fitted, examples: Examples) -> tuple[ParityReport, Floats]:
    """Compare both answers on training rows and on hard rows.

    Differences are absolute for probabilities, and relative to max(1, |prediction|) for a
    regression. A label that differs where the estimator's two best scores are within the tolerance
    is a tie.

    Returns:
        The report, and the estimator's answers on the training rows that were compared.

    Raises:
        ParityError: the answers differ; names the rows.
    """
    step = max(1, -(-len(examples.rows) // _MOST_ROWS))
    seen = examples.rows[::step]
    hard = hard_rows(fitted, examples)
    rows = np.concatenate([seen, hard])
    n_scores = len(examples.schema.classes or ()) or 1
    if examples.schema.task == "regression":
        n_scores = 1
    scorer = Scorer(
        fitted.onnx,
        n_features=rows.shape[1],
        n_scores=n_scores,
        name="model.onnx",
    )
    expected, found = fitted.answer(rows), scorer.scores(rows)
    tolerance = _TOLERANCE[fitted.path]
    differences = np.abs(found - expected)
    if examples.schema.task == "regression":
        differences = differences / np.maximum(1.0, np.abs(expected))
        differs = np.zeros(len(rows), dtype=np.bool_)
        ties = differs
    else:
        differs = expected.argmax(axis=1) != found.argmax(axis=1)
        best = np.sort(expected, axis=1)[:, -2:]
        ties = differs & (best[:, 1] - best[:, 0] <= tolerance)
    worst = differences.max(axis=1)
    wrong = ~(worst <= tolerance) | (differs & ~ties)
    if wrong.any():
        raise ParityError(_message(wrong, worst, n_seen=len(seen), step=step, tolerance=tolerance))
    report = ParityReport(
        rows=len(seen),
        hard_rows=len(hard),
        label_differences=int((differs & ~ties).sum()),
        ties=int(ties.sum()),
        max_difference=float(worst.max()),
        tolerance=tolerance,
        path=fitted.path,
    )
    return report, expected[: len(seen)]


def _message(
    wrong: npt.NDArray[np.bool_], worst: Floats, *, n_seen: int, step: int, tolerance: float
) -> str:
    rows = np.flatnonzero(wrong)
    names = [
        f"training row {row * step}" if row < n_seen else f"hard row {row - n_seen}"
        for row in rows[:_SHOWN].tolist()
    ]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return (
        f"the ONNX model answers differently from the fitted estimator on {len(rows)} of "
        f"{len(wrong)} rows ({', '.join(names)}{more}); largest difference "
        f"{np.nanmax(worst):.3g}, allowed {tolerance:g}. The model is refused"
    )


def hard_rows(fitted: Fitted, examples: Examples) -> Floats:
    """Return rows made to be difficult: each takes a training row and changes one feature.

    To a threshold and its two neighbours in double, to a whole number beyond 2**24, to an unseen
    and to each known level, to missing, to the ends of the declared range; never to a value that
    the schema forbids.
    """
    bases = examples.rows[:: max(1, len(examples.rows) // _BASES)][:_BASES]
    made = []
    for position, feature in enumerate(examples.schema.features):
        values = _hard_values(feature, fitted.thresholds.get(position, np.zeros(0)))
        if len(values):
            rows = bases[np.arange(len(values)) % len(bases)].copy()
            rows[:, position] = values
            made.append(rows)
    return np.concatenate(made) if made else np.empty((0, examples.rows.shape[1]))


def _hard_values(feature: Feature, thresholds: Floats) -> Floats:
    values: list[float] = [float("nan")] if feature.missing else []
    if feature.kind == "category":
        return np.array([*values, -1.0, *range(len(feature.categories or ()))])
    if feature.kind == "boolean":
        return np.array([*values, 0.0, 1.0])
    finite = thresholds[np.isfinite(thresholds)]
    at = finite[:: max(1, len(finite) // _MOST_THRESHOLDS)]
    low, high = feature.range or (None, None)
    ends = [end for end in (low, high) if end is not None]
    near = np.concatenate([at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf)])
    hard = np.array([*near.tolist(), *_FAR, 0.0, *ends])
    allowed = (hard >= (-np.inf if low is None else low)) & (
        hard <= (np.inf if high is None else high)
    )
    return np.concatenate([np.array(values), hard[allowed]])
