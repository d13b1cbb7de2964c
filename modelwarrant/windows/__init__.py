"""What is a window of data, which columns has it, and which rows may be used for what?

Pure: nothing here reads a file. ``modelwarrant.sources`` makes windows from files and addresses.
"""

from modelwarrant.windows.bounds import Bounds, cut, parse_bounds
from modelwarrant.windows.order import canonical_order, count_duplicates, window_digest
from modelwarrant.windows.predictions import Predictions
from modelwarrant.windows.schema import Feature, FeatureSchema, Kind, Task, label_text
from modelwarrant.windows.seasons import is_whole_seasons, previous_season, span_of
from modelwarrant.windows.selection import SplitSpan, training_digest, training_rows
from modelwarrant.windows.slices import MIN_SLICE_ROWS, Member, slice_members
from modelwarrant.windows.split import FinalSplit, TrainingSplit, split
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
