"""How is a stream cut into windows that come one after another, and what is known at each end?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from modelwarrant.contract import check
from modelwarrant.errors import DataError, WindowError
from modelwarrant.records import ValidationReport, WindowRef
from modelwarrant.windows import (
    Bounds,
    FinalSplit,
    TrainingSplit,
    Window,
    split,
    window_digest,
)

__all__ = ["FEWEST_WINDOWS", "Lap", "cut_into_laps", "cut_where", "pooled"]

FEWEST_WINDOWS = 3
"""One to start from, one to decide on, one that judges the decision."""


@dataclass(frozen=True)
class Lap:
    """One window of the stream, split as the lifecycle splits it."""

    number: int
    window: Window
    """As it is known when it ends: a label that comes later is missing."""
    ref: WindowRef
    train: TrainingSplit
    final: FinalSplit
    validation: ValidationReport | None
    """None where the window breaks its contract."""
    whole: Window
    """With every label that ever came: what the decision before is judged by."""


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
    places = [number * rows for number in range(windows + 1)]
    return tuple(
        _lap(
            stream.take(np.arange(first, end)),
            Bounds("rows", first, end),
            number=number,
            final=final,
            source=source,
        )
        for number, (first, end) in enumerate(pairwise(places))
    )


def cut_where(
    stream: Window, edges: Sequence[int], *, final: float, source: str, delay: int = 0
) -> tuple[Lap, ...]:
    """Cut a stream at given places of its order.

    Args:
        stream: rows, oldest first.
        edges: places at which a window begins, and the end of the last one: microseconds since
            1970 where the schema names a time column, else row numbers; ascending, at least four.
        final: share of each window's labelled rows that only evaluation reads, in (0, 1).
        source: as in the project file.
        delay: how long a label takes, in the unit of the edges; shorter than each window.

    Raises:
        WindowError: fewer than three windows, or one without rows to train on and judge by.
    """
    if len(edges) <= FEWEST_WINDOWS:
        raise WindowError(
            f"{len(edges) - 1} windows decide nothing: take at least {FEWEST_WINDOWS}"
        )
    unit = "rows" if stream.schema.time is None else "time"
    order, laps = stream.order, []
    for number, (first, end) in enumerate(pairwise(edges)):
        bounds = Bounds(unit, first, end)
        whole = stream.take((order >= first) & (order < end))
        try:
            laps.append(
                _lap(whole, bounds, number=number, final=final, source=source, known=end - delay)
            )
        except WindowError as error:
            late = " whose label has come by its end" if delay else ""
            raise WindowError(
                f"window {bounds} holds {len(whole):,} rows, too few{late}: {error}; "
                "take longer windows with --window"
            ) from error
    return tuple(laps)


def pooled(laps: Sequence[Lap], since: int, until: int) -> Lap:
    """Return everything that a model of window ``since`` has not seen, at the end of ``until``.

    It holds the final split of its own window and all rows of the windows since; all of them judge.
    A model that waits for labels meets them here.

    Args:
        laps: the windows.
        since: number of the window that the model was trained on.
        until: number of a later window, or the same.
    """
    if since == until:
        return laps[since]
    own = laps[since]
    unseen = own.whole.take(own.whole.order >= own.final.window.order.min())
    between = [lap.whole for lap in laps[since + 1 : until]]
    parts = [window.table for window in (unseen, *between, laps[until].window)]
    table = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    window = Window(own.window.schema, table)
    final = FinalSplit(window.labelled())
    start, end = int(window.order.min()), int(laps[until].ref.last or 0) + 1
    unit = "rows" if window.schema.time is None else "time"
    ref = own.ref.model_copy(
        update={
            "bounds": str(Bounds(unit, start, end)),
            "rows": len(window),
            "window_digest": window_digest(window),
            "final_digest": window_digest(final.window),
            "first": start,
            "final_first": start,
            "last": end - 1,
        }
    )
    return Lap(until, window, ref, own.train, final, _checked(window, ref), whole=window)


def _lap(
    whole: Window,
    bounds: Bounds,
    *,
    number: int,
    final: float,
    source: str,
    known: int | None = None,
) -> Lap:
    """Split a window; labels of rows from ``known`` on have not come by its end."""
    if not len(whole):
        raise WindowError("there is no row in it")
    window = whole if known is None else _without_labels(whole, whole.order >= known)
    train, last = split(window, final=final)
    ref = WindowRef(
        source=source,
        bounds=str(bounds),
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
    return Lap(number, window, ref, train, last, _checked(window, ref), whole)


def _checked(window: Window, ref: WindowRef) -> ValidationReport | None:
    try:
        return check(window, ref)
    except DataError:
        return None


def _without_labels(window: Window, rows: npt.NDArray[np.bool_]) -> Window:
    """Return the window with the target of some rows missing."""
    target = window.schema.target
    if target is None or not window.has_target or not rows.any():
        return window
    places = pa.array(np.arange(len(window)), mask=rows)
    column = window.table.column(target).take(places)
    place = window.table.column_names.index(target)
    return Window(window.schema, window.table.set_column(place, target, column))
