"""Which rows of several windows may train a candidate, so that no final row is ever seen?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelwarrant.canonical import digest_json
from modelwarrant.errors import WindowError
from modelwarrant.windows.order import window_digest
from modelwarrant.windows.splitting import TrainingSplit

__all__ = ["SplitSpan", "training_digest", "training_rows"]


@dataclass(frozen=True)
class SplitSpan:
    """Where a split window lies in its order: oldest row, oldest final row, newest row."""

    first: int
    final_first: int
    last: int


def training_rows(
    splits: Sequence[TrainingSplit], *, current: SplitSpan, reference: SplitSpan
) -> list[TrainingSplit]:
    """Drop rows that would leak, and rows that an earlier split brought.

    Every row that is kept is older than the current final split and outside the reference's.

    Args:
        splits: oldest window first; their order values must be comparable with the spans.
        current: span of the window whose final split judges the candidate.
        reference: span of the window that production was made from.

    Returns:
        The splits that keep at least one row, without the rows an earlier split brought.

    Raises:
        WindowError: the current final split reaches into rows that production was trained on, or no
            training row is left.
    """
    if current.final_first < reference.final_first:
        raise WindowError(
            "the current window's final share reaches into rows that the reference window's model "
            "was trained on; use a current window that ends later than the reference window"
        )
    kept, taken_to = [], np.iinfo(np.int64).min
    for split in splits:
        order = split.window.order
        in_reference_final = (order >= reference.final_first) & (order <= reference.last)
        usable = (order < current.final_first) & ~in_reference_final & (order > taken_to)
        if usable.any():
            kept.append(TrainingSplit(split.window.take(usable)))
            taken_to = max(taken_to, int(order[usable].max()))
    if not kept:
        raise WindowError(
            "no training row is left: every row of the current window lies in the final share of "
            "the reference window; use a longer or later current window"
        )
    return kept


def training_digest(splits: Sequence[TrainingSplit]) -> str:
    """Return the digest of exactly the rows that a candidate was fitted on, split by split."""
    return digest_json([window_digest(split.window) for split in splits])
