"""Which rows may train a model, and which may only judge it?"""

from dataclasses import dataclass

import numpy as np

from modelwarrant.errors import WindowError
from modelwarrant.windows.window import Window

__all__ = ["FinalSplit", "TrainingSplit", "split"]


@dataclass(frozen=True)
class TrainingSplit:
    """The older rows of a window, with a target: the only rows a recipe may see."""

    window: Window


@dataclass(frozen=True)
class FinalSplit:
    """The newest rows of a window, with a target: only evaluation accepts this type."""

    window: Window


def split(window: Window, *, final: float) -> tuple[TrainingSplit, FinalSplit]:
    """Cut a window into its older rows and its newest share.

    Rows without a target are left out of both. Rows that share the order value of the cut all go to
    the final split, so every final row is strictly newer than every training row.

    Args:
        window: rows with a target column.
        final: share of the labelled rows that only evaluation may read, in (0, 1).

    Raises:
        WindowError: one of the two splits would be empty, or the share is not in (0, 1).
    """
    if not 0.0 < final < 1.0:
        raise WindowError(f"the final share is {final:g}; it must lie between 0 and 1")
    if not window.has_target:
        raise WindowError(f"the window has no target column {window.schema.target!r} to split by")
    labelled = ~np.asarray(window.table.column(window.schema.target).is_null())
    order = np.sort(window.order[labelled])
    if not len(order):
        raise WindowError(f"no row of the window has a target {window.schema.target!r}")
    newest = max(1, round(len(order) * final))
    boundary = order[len(order) - newest]
    is_final = window.order >= boundary
    if not (labelled & ~is_final).any():
        raise WindowError(
            f"the newest {final:.0%} of {len(order)} labelled rows leaves none to train on; "
            "use a longer window or a smaller final share"
        )
    return (
        TrainingSplit(window.take(labelled & ~is_final)),
        FinalSplit(window.take(labelled & is_final)),
    )
