"""What is a window of data, which columns has it, and which rows may be used for what?

Pure: nothing here reads a file. ``modelwarrant.sources`` makes windows from files and addresses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modelwarrant.windows.predictions import Predictions
from modelwarrant.windows.schema import Feature, FeatureSchema, Kind, Task, label_text

if TYPE_CHECKING:
    from modelwarrant.windows.bounds import Bounds, cut, parse_bounds
    from modelwarrant.windows.order import canonical_order, count_duplicates, window_digest
    from modelwarrant.windows.seasons import is_whole_seasons, like_season, previous_season, span_of
    from modelwarrant.windows.selection import SplitSpan, training_digest, training_rows
    from modelwarrant.windows.slices import MIN_SLICE_ROWS, Member, slice_members
    from modelwarrant.windows.splitting import FinalSplit, TrainingSplit, split
    from modelwarrant.windows.window import ORDER, Window, typed_window

__all__ = [
    "MIN_SLICE_ROWS",
    "ORDER",
    "Bounds",
    "Feature",
    "FeatureSchema",
    "FinalSplit",
    "Kind",
    "Member",
    "Predictions",
    "SplitSpan",
    "Task",
    "TrainingSplit",
    "Window",
    "canonical_order",
    "count_duplicates",
    "cut",
    "is_whole_seasons",
    "label_text",
    "like_season",
    "parse_bounds",
    "previous_season",
    "slice_members",
    "span_of",
    "split",
    "training_digest",
    "training_rows",
    "typed_window",
    "window_digest",
]

_WHERE = {
    name: module
    for module, names in {
        "bounds": ("Bounds", "cut", "parse_bounds"),
        "order": ("canonical_order", "count_duplicates", "window_digest"),
        "seasons": ("is_whole_seasons", "like_season", "previous_season", "span_of"),
        "selection": ("SplitSpan", "training_digest", "training_rows"),
        "slices": ("MIN_SLICE_ROWS", "Member", "slice_members"),
        "splitting": ("FinalSplit", "TrainingSplit", "split"),
        "window": ("ORDER", "Window", "typed_window"),
    }.items()
    for name in names
}
"""Modules that need pyarrow, by what they hold. They are loaded when somebody asks: serving only
reads schemas, and pyarrow would be a third of its memory and a fifth of its start."""


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
