"""What did every model answer on one final split, and what did it lose there, row by row?

Rows are put in one order first, oldest first and in canonical order within an instant, so that the
order of rows in a file changes no digit of a report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import DataError, WindowError
from modelwarrant.evaluation.blocks import Blocks, block_rows, chronological
from modelwarrant.evaluation.losses import Truth, aligned, row_losses, truth_of
from modelwarrant.windows import FinalSplit, Predictions, Window, canonical_order, window_digest

__all__ = ["Role", "Scored", "ScoredSplit", "score_split"]

Floats = npt.NDArray[np.float64]
Role = Literal["candidate", "production", "anchor", "trivial"]
Name = Literal["current", "reference"]


@dataclass(frozen=True)
class Scored:
    """A model and its answers, computed anew on the rows of each final split, in their order."""

    digest: str
    """Model digest; for the trivial predictor any text of its own."""
    current: Predictions
    reference: Predictions | None = None
    """None where the model was not scored on the reference's final split."""


@dataclass(frozen=True)
class ScoredSplit:
    """One final split, oldest row first, with every model's answers and losses."""

    name: Name
    window: Window
    digest: str
    truth: Truth
    blocks: Blocks
    answers: Mapping[Role, Floats]
    losses: Mapping[Role, Floats]
    """In the decision's metric, not clipped."""


def score_split(
    final: FinalSplit,
    models: Mapping[Role, tuple[str, Predictions]],
    *,
    name: Name,
    metric: str,
    classes: Sequence[str] = (),
) -> ScoredSplit:
    """Line every model's answers up with the observed target.

    Args:
        final: the rows.
        models: digest and predictions of each model scored here.
        name: which window this is.
        metric: one of ``DECISION_METRICS``.
        classes: labels that some model may answer, beyond the schema's.

    Raises:
        WindowError: the split has no row.
        DataError: predictions that do not fit the rows, or one digest with two different answers.
        TargetError: a target that cannot be used.
        ProjectError: no decision metric for the schema's task.
    """
    if not len(final.window):
        raise WindowError(f"the {name} window's final split has no row; nothing to evaluate")
    canonical = canonical_order(final.window)
    order = chronological(final.window, canonical)
    window = final.window.take(order)
    truth = truth_of(window, classes=classes, name=name)
    answers = {
        role: aligned(predictions, truth, model=role, window=name)[order]
        for role, (_, predictions) in models.items()
    }
    _refuse_two_answers({role: digest for role, (digest, _) in models.items()}, answers, name=name)
    return ScoredSplit(
        name=name,
        window=window,
        digest=window_digest(final.window, order=canonical),
        truth=truth,
        blocks=block_rows(window),
        answers=answers,
        losses={role: row_losses(found, truth, metric=metric) for role, found in answers.items()},
    )


def _refuse_two_answers(
    digests: Mapping[Role, str], answers: Mapping[Role, Floats], *, name: str
) -> None:
    first_of: dict[str, Role] = {}
    for role, digest in digests.items():
        other = first_of.setdefault(digest, role)
        if np.array_equal(answers[other], answers[role]):
            continue
        differs = answers[other] != answers[role]
        row = int(np.flatnonzero(differs.reshape(len(differs), -1).any(axis=1))[0])
        raise DataError(
            f"{other} and {role} are the same model ({digest}) but answer differently on the "
            f"{name} window, first in row {row} of its time order: one of them was not scored on "
            "these rows; score both again"
        )
