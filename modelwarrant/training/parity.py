"""Does the ONNX model answer as the fitted estimator does, on rows where the two could part?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.bundle import Scorer
from modelwarrant.errors import ParityError
from modelwarrant.records import ParityReport
from modelwarrant.training.examples import Examples
from modelwarrant.training.fitted import Fitted
from modelwarrant.windows import Feature

__all__ = ["check_parity", "compared_step", "hard_rows"]

Floats = npt.NDArray[np.float64]

_TOLERANCE = {"double": 1e-9, "float32": 1e-5}
_MOST_ROWS = 20_000
"""Rows of the training splits that are compared, evenly spaced; a forest answers 8,000 a second."""
_MOST_PROBES = 16_384
"""Rows at thresholds that are compared, evenly spaced: all of 100 boosted trees of 31 leaves."""
_BASES = 16
"""Training rows that hard rows are made of."""
_FAR = (2.0**24 + 1.0, -(2.0**24) - 1.0, 1e12, -1e12)
"""Whole numbers that float32 cannot hold."""
_SHOWN = 5
_TINY = float(np.finfo(np.float64).tiny)
"""Spread of a constant target: then only the prediction's own size counts."""


@dataclass(frozen=True)
class _Names:
    """How compared rows are called."""

    n_seen: int
    step: int
    hard: Floats
    changed: npt.NDArray[np.int64]
    features: tuple[Feature, ...]

    def of(self, row: int) -> str:
        if row < self.n_seen:
            return f"training row {row * self.step}"
        place = row - self.n_seen
        position = self.changed[place]
        value = self.hard[place, position]
        return f"hard row {place}: {self.features[position].name!r} = {value:.17g}"


def compared_step(n_rows: int) -> int:
    """Return which training rows parity compares: the first, and each so many rows on."""
    return max(1, -(-n_rows // _MOST_ROWS))


def check_parity(fitted: Fitted, examples: Examples) -> tuple[ParityReport, Floats]:
    """Compare both answers on training rows and on hard rows.

    Differences are absolute for probabilities. For a regression they are relative to the larger of
    the prediction and the targets' standard deviation: so the same model in other units of the
    target gets the same verdict, and a prediction near zero, the sum of terms as large as the
    spread, is not held to more digits than float64 has. A label that differs where the estimator's
    two best scores are within the tolerance is a tie.

    Returns:
        The report, and the estimator's answers on the training rows that were compared.

    Raises:
        ParityError: the answers differ, or the estimator has none; names the rows.
    """
    step = compared_step(len(examples.rows))
    seen = examples.rows[::step]
    hard, changed = hard_rows(fitted, examples)
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
    expected, found = _answers(fitted, rows), scorer.scores(rows)
    tolerance = _TOLERANCE[fitted.path]
    with np.errstate(invalid="ignore"):  # an infinity beside another answer is NaN: refused below
        differences = np.where(found == expected, 0.0, np.abs(found - expected))
    if examples.schema.task == "regression":
        spread = max(float(examples.targets.std()), _TINY)
        with np.errstate(invalid="ignore"):
            differences = differences / np.maximum(spread, np.abs(expected))
        differs = np.zeros(len(rows), dtype=np.bool_)
        ties = differs
    else:
        differs = expected.argmax(axis=1) != found.argmax(axis=1)
        best = np.sort(expected, axis=1)[:, -2:]
        ties = differs & (best[:, 1] - best[:, 0] <= tolerance)
    worst = differences.max(axis=1)
    wrong = ~(worst <= tolerance) | (differs & ~ties)
    if wrong.any():
        names = _Names(len(seen), step, hard, changed, examples.schema.features)
        raise ParityError(_message(wrong, worst, names, tolerance))
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


def _answers(fitted: Fitted, rows: Floats) -> Floats:
    try:
        with np.errstate(over="ignore"):  # a log link far outside the data: the answer is infinite
            return fitted.answer(rows)
    except ValueError as error:
        first = str(error).strip().partition("\n")[0]
        raise ParityError(f"the fitted estimator itself cannot answer: {first}") from error


def _message(wrong: npt.NDArray[np.bool_], worst: Floats, names: "_Names", tolerance: float) -> str:
    rows = np.flatnonzero(wrong).tolist()
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    made_up = rows[0] >= names.n_seen and names.features[names.changed[rows[0] - names.n_seen]]
    hint = (
        "; where no such value can come, declare the column's range"
        if made_up and made_up.kind == "number"
        else ""
    )
    return (
        f"the ONNX model answers differently from the fitted estimator on {len(rows)} of "
        f"{len(wrong)} rows ({', '.join(map(names.of, rows[:_SHOWN]))}{more}); largest difference "
        f"{np.nanmax(worst, initial=0.0):.3g}, allowed {tolerance:g}. The model is refused{hint}"
    )


def hard_rows(fitted: Fitted, examples: Examples) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return rows made to be difficult; the feature changed last names each.

    Rows that stand at a tree's thresholds and beside them (see ``probes``), at most 16,384; and
    training rows with one feature changed to a whole number beyond 2**24, to an unseen and to each
    known level, to missing, to the ends of the declared range. Never a value that the schema
    forbids, or that the estimator does not answer for.

    Returns:
        (n, d) encoded rows, and (n,) the position of the feature that was changed.
    """
    bases = examples.rows[:: max(1, len(examples.rows) // _BASES)][:_BASES]
    made, changed = [examples.rows[:0]], [np.zeros(0, dtype=np.int64)]
    for position, feature in enumerate(examples.schema.features):
        values = _hard_values(feature)
        values = values[~(np.abs(values) > fitted.largest)]
        rows = bases[np.arange(len(values)) % len(bases)].copy()
        rows[:, position] = values
        made.append(rows)
        changed.append(np.full(len(values), position))
    if fitted.probes is not None:
        rows, positions = fitted.probes
        kept = np.flatnonzero(_allowed(rows, examples.schema.features, fitted.largest))
        kept = kept[:: max(1, -(-len(kept) // _MOST_PROBES))]
        made.append(rows[kept])
        changed.append(positions[kept])
    return np.concatenate(made), np.concatenate(changed)


def _allowed(rows: Floats, features: tuple[Feature, ...], largest: float) -> npt.NDArray[np.bool_]:
    """Return which rows keep the schema and are answered for."""
    low, high = np.array([_ends(feature) for feature in features]).T
    may_miss = np.array([feature.missing for feature in features])
    beyond = (rows < low) | (rows > high) | (np.abs(rows) > largest) | np.isinf(rows)
    broken: npt.NDArray[np.bool_] = (beyond | (np.isnan(rows) & ~may_miss)).any(axis=1)
    return ~broken


def _ends(feature: Feature) -> tuple[float, float]:
    low, high = feature.range or (None, None)
    return (-np.inf if low is None else low), (np.inf if high is None else high)


def _hard_values(feature: Feature) -> Floats:
    missing = [float("nan")] if feature.missing else []
    if feature.kind == "category":
        return np.array([*missing, -1.0, *range(len(feature.categories or ()))])
    if feature.kind == "boolean":
        return np.array([*missing, 0.0, 1.0])
    low, high = _ends(feature)
    ends = [end for end in (low, high) if np.isfinite(end)]
    return np.array([*missing, *(value for value in (*_FAR, 0.0) if low <= value <= high), *ends])
