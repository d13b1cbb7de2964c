"""What would a rule have decided on a stream, window by window, and what would that have cost?

The real lifecycle runs in process over windows that come one after another; each decision is scored
on the window that nobody had seen. Pure: streams come in, scores go out.
"""

from modelwarrant.backtest.course import Course
from modelwarrant.backtest.grid import (
    QUICK,
    RECIPE,
    TABLES,
    Setting,
    Stream,
    Table,
    course_of,
    declared_streams,
    drawn,
    quick_streams,
    score,
)
from modelwarrant.backtest.laps import Lap, cut_into_laps
from modelwarrant.backtest.rules import RULES, rule_of
from modelwarrant.backtest.scoring import run_backtest
from modelwarrant.backtest.shelf import Shelf
from modelwarrant.backtest.summary import scores_table, summarise

__all__ = [
    "QUICK",
    "RECIPE",
    "RULES",
    "TABLES",
    "Course",
    "Lap",
    "Setting",
    "Shelf",
    "Stream",
    "Table",
    "course_of",
    "cut_into_laps",
    "declared_streams",
    "drawn",
    "quick_streams",
    "rule_of",
    "run_backtest",
    "score",
    "scores_table",
    "summarise",
]
