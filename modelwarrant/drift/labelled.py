"""What do labels say of the production model since its reference?

No unlabelled signal sees that the target depends on the features in another way. Here production's
answers on labelled rows of both windows are compared: its loss, P3, P4, and its loss slice by
slice. All of it is one look; ``monitoring`` holds the test that may be looked at for ever (E2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.drift.features import MIN_ROWS
from modelwarrant.drift.groups import group_codes, growth_p_value, mean_of
from modelwarrant.drift.reliability import Answers, calibration_drift
from modelwarrant.drift.residuals import Residuals, residual_drift
from modelwarrant.drift.statistics import holm, homogeneity, total_variation
from modelwarrant.errors import DataError
from modelwarrant.records import DriftLevel, LabelledDrift, SliceLoss
from modelwarrant.windows import MIN_SLICE_ROWS, Predictions, Window, canonical_order, slice_members

__all__ = ["Labelled", "labelled_drift"]

_ALLOWED = 0.02
"""Growth of the loss that is no degradation, as a share of the loss's range (E2)."""

_CLIP = 0.995
_SMALLEST = float(np.finfo(np.float64).eps)
_LOUDNESS: tuple[DriftLevel, ...] = ("drift", "notice", "none", "unknown")

_MOST_COLUMNS = 10
"""Columns that are cut into slices where nobody declared any: those that weigh most."""

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """Rows with a target that production was not trained on, and its answers on them.

    Rows whose target is missing, not finite or of no class that the model knows are left out.
    """

    window: Window
    predictions: Predictions


@dataclass(frozen=True)
class _Rows:
    """The usable rows of one window."""

    window: Window
    answers: Predictions
    codes: Codes
    """True classes; empty for regression."""
    values: Floats
    """True values; empty for classification."""
    groups: Codes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.window)

    @property
    def losses(self) -> Floats:
        """Log loss, or the squared error, of each row."""
        if self.answers.task == "regression":
            return np.square(self.values - self.answers.values)
        chances = self.answers.values[np.arange(len(self)), self.codes]
        return np.asarray(-np.log(np.clip(chances, _SMALLEST, 1.0)))


def labelled_drift(
    reference: Labelled,
    current: Labelled,
    *,
    alpha: float,
    slices: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
) -> LabelledDrift:
    """Compare production's losses on two windows of labelled rows.

    ``drift``: the loss is shown to have grown by more than 2 % of its range; or P3 or P4 say so; or
    (``notice``) that of a slice, Holm over the slices. Floor: 500 labelled rows of either window,
    50 in a slice.

    Args:
        reference: labelled rows that production was not trained on.
        current: labelled rows of the current window.
        alpha: level of each test, in (0, 1).
        slices: features to look into; none takes the ten that weigh most.
        weights: importance of features, for that.

    Raises:
        DataError: predictions do not fit the rows, or the windows name no target.
    """
    before, after = _usable(reference, "reference"), _usable(current, "current")
    task = before.answers.task
    known = {
        "n_reference": len(before),
        "n_current": len(after),
        "metric": "squared_error" if task == "regression" else "log_loss",
        "loss_threshold": _ALLOWED,
    }
    if min(len(before), len(after)) < MIN_ROWS:
        rows = min(len(before), len(after))
        reason = f"{rows} labelled rows in the smaller window, {MIN_ROWS} are needed"
        return LabelledDrift(level="unknown", reason=reason, **known)
    losses = _scaled(before.losses, after.losses)
    if losses is None:
        reason = "production's loss on the reference is 0, so a growth of it has no unit"
        return LabelledDrift(level="unknown", reason=reason, **known)
    means = [mean_of(part, rows.groups) for part, rows in zip(losses, (before, after), strict=True)]
    p_value = growth_p_value(*means, allowed=_ALLOWED)
    columns = _columns(before.window, slices, weights or {})
    parts = _slices(before, after, losses, columns, alpha=alpha)
    classes = len(before.answers.classes)
    counts = [np.bincount(rows.codes, minlength=classes) for rows in (before, after)]
    residuals = calibration = None
    if task == "regression":
        residuals = residual_drift(_residuals(before), _residuals(after), alpha=alpha)
    else:
        calibration = calibration_drift(_answers(before), _answers(after), alpha=alpha)
    loss: DriftLevel = "unknown"
    if p_value is not None:
        loss = "drift" if p_value < alpha else "none"
    found = [loss, *(part.level for part in (residuals, calibration) if part is not None)]
    found += [part.level for part in parts]
    return LabelledDrift(
        level=next(each for each in _LOUDNESS if each in found),
        loss_level=loss,
        loss_reference=means[0].value,
        loss_current=means[1].value,
        loss_p_value=p_value,
        class_variation=None if task == "regression" else total_variation(*counts),
        class_variation_p_value=None if task == "regression" else homogeneity(*counts).p_value,
        residuals=residuals,
        calibration=calibration,
        slices=parts,
        reason=None if p_value is not None else "too few groups of rows for an error of the loss",
        **known,
    )


def _usable(labelled: Labelled, name: str) -> _Rows:
    window, answers = labelled.window, labelled.predictions
    target = window.schema.target
    if target is None or not window.has_target:
        raise DataError(f"the {name} window has no target; nothing can be said of labels")
    if len(answers) != len(window):
        raise DataError(
            f"{len(answers)} predictions for {len(window)} labelled {name} rows: score them again"
        )
    order = canonical_order(window)  # sums have their last bits from the order of their terms
    window, answers = window.take(order), answers.take(order)
    if answers.task == "regression":
        values, codes = window.numbers(target), np.zeros(0, dtype=np.int64)
        kept = np.isfinite(values)
        values = values[kept]
    else:
        values, codes = np.zeros(0), window.codes(target, answers.classes)
        kept = codes >= 0
        codes = codes[kept]
    if not kept.all():
        window, answers = window.take(kept), answers.take(np.flatnonzero(kept))
    return _Rows(window, answers, codes, values, group_codes(window))


def _scaled(reference: Floats, current: Floats) -> tuple[Floats, Floats] | None:
    """Return losses in [0, 1]: clipped at the reference's 99.5 % quantile, and divided by it."""
    bound = float(np.quantile(reference, _CLIP))
    if not (bound > 0 and np.isfinite(bound)):
        return None
    return np.minimum(reference, bound) / bound, np.minimum(current, bound) / bound


def _residuals(rows: _Rows) -> Residuals:
    return Residuals(rows.values, rows.answers.values, rows.groups)


def _answers(rows: _Rows) -> Answers:
    values = rows.answers.values
    if values.shape[1] == 2:
        named = rows.window.schema.positive
        classes = rows.answers.classes
        positive = classes.index(named) if named in classes else 1
        came = (rows.codes == positive).astype(np.float64)
        return Answers(values[:, positive], came, is_binary=True, groups=rows.groups)
    came = (rows.codes == rows.answers.codes).astype(np.float64)
    return Answers(values.max(axis=1), came, is_binary=False, groups=rows.groups)


def _columns(window: Window, slices: Sequence[str], weights: Mapping[str, float]) -> list[str]:
    if slices:
        return [name for name in slices if name in window.schema.names]
    features = [feature.name for feature in window.schema.features if feature.kind != "time"]
    return sorted(features, key=lambda name: (-weights.get(name, 0.0), name))[:_MOST_COLUMNS]


def _slices(
    before: _Rows,
    after: _Rows,
    losses: tuple[Floats, Floats],
    columns: Sequence[str],
    *,
    alpha: float,
) -> tuple[SliceLoss, ...]:
    """Test the growth of the loss in every slice that both windows hold 50 rows of."""
    found = []
    for column in columns:
        there = {m.value: m.rows for m in slice_members(before.window, before.window, column)}
        for member in slice_members(after.window, before.window, column):
            if member.value not in there:
                continue
            masks = there[member.value], member.rows
            sizes = [int(mask.sum()) for mask in masks]
            if min(sizes) < MIN_SLICE_ROWS:
                continue
            means = [
                mean_of(part[mask], rows.groups[mask])
                for part, mask, rows in zip(losses, masks, (before, after), strict=True)
            ]
            found.append(
                SliceLoss(
                    level="unknown",
                    column=column,
                    value=member.value,
                    n_reference=sizes[0],
                    n_current=sizes[1],
                    loss_reference=means[0].value,
                    loss_current=means[1].value,
                    p_value=growth_p_value(*means, allowed=_ALLOWED),
                )
            )
    adjusted = iter(holm([part.p_value for part in found if part.p_value is not None]))
    judged = []
    for part in found:
        if part.p_value is not None:
            p_value = next(adjusted)
            level = "notice" if p_value < alpha else "none"
            part = part.model_copy(update={"p_value_adjusted": p_value, "level": level})
        judged.append(part)
    return tuple(judged)
