"""What did serving answer, and what was learnt about it later?

Reads the log of predictions and keeps labels, both in the store, and brings them together. What
follows from them, ``monitoring`` says.
"""

from modelwarrant.telemetry.joining import Joined, join
from modelwarrant.telemetry.log import (
    Collected,
    LogReader,
    collect,
    keys_digest,
    log_keys,
    window_of,
)
from modelwarrant.telemetry.statements import (
    Added,
    Labels,
    add_statements,
    fold_statements,
    label_keys,
    read_statements,
    statements_of,
)

__all__ = [
    "Added",
    "Collected",
    "Joined",
    "Labels",
    "LogReader",
    "add_statements",
    "collect",
    "fold_statements",
    "join",
    "keys_digest",
    "label_keys",
    "log_keys",
    "read_statements",
    "statements_of",
    "window_of",
]
