"""What is a window of data, which columns has it, and which rows may be used for what?

Pure: nothing here reads a file. ``modelwarrant.sources`` makes windows from files and addresses.
"""

from modelwarrant.windows.bounds import Bounds, cut, parse_bounds
from modelwarrant.windows.order import canonical_order, count_duplicates, window_digest
from modelwarrant.windows.predictions import Predictions
from modelwarrant.windows.schema import Feature, FeatureSchema, Kind, Task, label_text
from modelwarrant.windows.selection import SplitSpan, training_digest, training_rows
from modelwarrant.windows.split import FinalSplit, TrainingSplit, split
from modelwarrant.windows.window import ORDER, Window, typed_window

__all__ = [
    "ORDER",
    "Bounds",
    "Feature",
    "FeatureSchema",
    "FinalSplit",
    "Kind",
    "Predictions",
    "SplitSpan",
    "Task",
    "TrainingSplit",
    "Window",
    "canonical_order",
    "count_duplicates",
    "cut",
    "label_text",
    "parse_bounds",
    "split",
    "training_digest",
    "training_rows",
    "typed_window",
    "window_digest",
]
