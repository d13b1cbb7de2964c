"""How is a stream cut into windows that come one after another?"""

from dataclasses import dataclass

import numpy as np

from modelwarrant.contract import check
from modelwarrant.errors import DataError, WindowError
from modelwarrant.records import ValidationReport, WindowRef
from modelwarrant.windows import (
    FinalSplit,
    TrainingSplit,
    Window,
    split,
    window_digest,
)

__all__ = ["FEWEST_WINDOWS", "Lap", "cut_into_laps"]

FEWEST_WINDOWS = 3
"""One to start from, one to decide on, one that judges the decision."""


@dataclass(frozen=True)
class Lap:
    """One window of the stream, split as the lifecycle splits it."""

    number: int
    window: Window
    ref: WindowRef
    train: TrainingSplit
    final: FinalSplit
    validation: ValidationReport | None
    """None where the window breaks its contract."""


def cut_into_laps(stream: Window, *, windows: int, final: float, source: str) -> tuple[Lap, ...]:
    """Cut a stream into windows with the same number of rows, oldest first.

    Args:
        stream: labelled rows; what is left behind the last whole window is not used.
        windows: at least three.
        final: share of each window that only evaluation reads, in (0, 1).
        source: name of the stream, for the windows' references.

    Raises:
        WindowError: too few windows or rows.
    """
    if windows < FEWEST_WINDOWS:
        raise WindowError(f"{windows} windows decide nothing: take at least {FEWEST_WINDOWS}")
    rows = len(stream) // windows
    if not rows:
        raise WindowError(f"{len(stream)} rows make no {windows} windows")
    return tuple(
        _lap(stream, number, rows, final=final, source=source) for number in range(windows)
    )


def _lap(stream: Window, number: int, rows: int, *, final: float, source: str) -> Lap:
    first = number * rows
    window = stream.take(np.arange(first, first + rows))
    train, last = split(window, final=final)
    ref = WindowRef(
        source=source,
        bounds=f"{first}:{first + rows}",
        rows=len(window),
        window_digest=window_digest(window),
        schema_digest=window.schema.digest,
        final=final,
        train_digest=window_digest(train.window),
        final_digest=window_digest(last.window),
        first=int(window.order.min()),
        final_first=int(last.window.order.min()),
        last=int(window.order.max()),
    )
    try:
        validation = check(window, ref)
    except DataError:
        validation = None
    return Lap(number, window, ref, train, last, validation)
