"""Which rows of a source lie inside a window's bounds, before the rows are read?

Time bounds are tested batch by batch. Bounds that depend on the whole source (``last 30d``, or row
numbers along a time column) first read the time column alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import SourceError, WindowError
from modelwarrant.sources.columnar import Span
from modelwarrant.sources.conversion import to_window
from modelwarrant.sources.parts import Part, part_file, raw_tables
from modelwarrant.windows import Bounds, Feature, FeatureSchema, Window

__all__ = ["Selection", "held_text", "selection"]

_Orders = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Selection:
    """Rows to keep: by order value, or by number in the source."""

    schema: FeatureSchema
    bounds: Bounds
    """Unit ``time`` or ``rows``, never ``last``."""
    chosen: _Mask | None = None
    """Whether the row of that number is kept; None where the order values tell."""

    def kept(self, window: Window, *, first: int) -> Window:
        """Return the rows of a batch that lie inside.

        Args:
            window: consecutive rows of the source.
            first: number of its first row.
        """
        if self.chosen is not None:
            mask = self.chosen[first : first + len(window)]
        else:
            low, high, order = self.bounds.start, self.bounds.end, window.order
            mask = np.ones(len(window), dtype=np.bool_)
            if low is not None:
                mask &= order >= low
            if high is not None:
                mask &= order < high
        return window if mask.all() else window.take(mask)

    def ends_before(self, first: int) -> bool:
        """Return whether no row from that number on can be kept."""
        return (
            self.bounds.unit == "rows"
            and self.chosen is None
            and (self.bounds.end is not None and first >= self.bounds.end)
        )

    @property
    def span(self) -> Span | None:
        """The time column and bounds, for readers that can leave rows out."""
        if self.schema.time is None or self.bounds.unit != "time":
            return None
        return self.schema.time, self.bounds.start, self.bounds.end


def selection(parts: Sequence[Part], schema: FeatureSchema, bounds: Bounds | None) -> Selection:
    """Return which rows to keep.

    Args:
        parts: the source.
        schema: names the time column.
        bounds: None keeps all.

    Raises:
        WindowError: bounds in time, and no time column.
    """
    if bounds is None:
        return Selection(schema, Bounds("rows" if schema.time is None else "time"))
    if schema.time is None:
        if bounds.unit != "rows":
            raise WindowError(
                f"window '{bounds}' is cut along time, but the project names no time column; "
                "add 'time: COLUMN' or cut by rows (a:b)"
            )
        return Selection(schema, bounds)
    if bounds.unit == "time":
        return Selection(schema, bounds)
    orders = _orders(parts, schema.time)
    if bounds.unit == "last":
        end = int(orders.max()) + 1 if len(orders) else 0
        return Selection(schema, Bounds("time", end - (bounds.last_us or 0), end))
    inside = np.argsort(orders, kind="stable")[bounds.start or 0 : bounds.end]
    chosen = np.zeros(len(orders), dtype=np.bool_)
    chosen[inside] = True
    return Selection(schema, bounds, chosen)


def held_text(parts: Sequence[Part], chosen: Selection, source: str) -> str:
    """Return which bounds would hold every row of a source.

    Args:
        parts: the source.
        chosen: the selection that kept no row; its unit is used.
        source: for the message.

    Raises:
        SourceError: it has no row.
    """
    schema = chosen.schema
    if schema.time is None or chosen.chosen is not None:
        rows = sum(table.num_rows for part in parts for _, table in raw_tables(part, schema))
        bounds = Bounds("rows", 0, rows)
    else:
        orders = _orders(parts, schema.time)
        rows = len(orders)
        bounds = (
            Bounds("time", int(orders.min()), int(orders.max()) + 1) if rows else Bounds("time")
        )
    if not rows:
        raise SourceError(f"{source}: has column names and no row")
    return str(bounds)


def _orders(parts: Sequence[Part], time: str) -> _Orders:
    """Return the order value of every row of a source, in its order; reads the time column only."""
    schema = FeatureSchema(features=(Feature(name=time, kind="time"),), time=time)
    found = [np.zeros(0, dtype=np.int64)]
    for part in parts:
        for first, table in raw_tables(part, schema):
            window = to_window(table, schema, uri=part_file(part).uri, first_row=first, order=None)
            found.append(window.order)
    return np.concatenate(found)
