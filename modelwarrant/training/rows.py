"""Which rows of a run's windows are fitted?

The one place that answers it: the training stage and ``warrant reproduce`` must choose alike.
"""

from collections.abc import Sequence

from modelwarrant.errors import WindowError
from modelwarrant.records import WindowRef
from modelwarrant.windows import SplitSpan, TrainingSplit, training_rows

__all__ = ["fitted_rows"]


def fitted_rows(
    splits: Sequence[TrainingSplit], *, current: WindowRef, reference: WindowRef
) -> list[TrainingSplit]:
    """Return the splits without rows that would leak; see ``windows.training_rows``.

    Two sources without a time column have no common order, so nothing can be compared and the
    splits are taken whole.

    Args:
        splits: oldest window first.
        current: the current window, split.
        reference: the reference window, split.

    Raises:
        WindowError: the windows overlap in a way that no row is left, or were never split.
    """
    is_timed = splits[-1].window.schema.time is not None
    if not is_timed and current.source != reference.source:
        return list(splits)
    return training_rows(splits, current=_span(current), reference=_span(reference))


def _span(ref: WindowRef) -> SplitSpan:
    if ref.first is None or ref.final_first is None or ref.last is None:
        raise WindowError(f"window {ref.bounds} of {ref.source} was never split")
    return SplitSpan(ref.first, ref.final_first, ref.last)
