"""How does a process of ours start, report, fail and end?

The frame of every entry point: a stage's arguments in KFP's executor format, atomic outputs, JSON
log lines, and the one table that turns errors into exit codes. Clock, environment and provenance
are read here and passed down.
"""

from modelwarrant.stage.exits import EXIT_OK, EXIT_PERMANENT, EXIT_TEMPORARY, exit_code
from modelwarrant.stage.frame import Task, run_stage
from modelwarrant.stage.provenance import Provenance, collect_provenance
from modelwarrant.stage.settings import Settings, read_settings

__all__ = [
    "EXIT_OK",
    "EXIT_PERMANENT",
    "EXIT_TEMPORARY",
    "Provenance",
    "Settings",
    "Task",
    "collect_provenance",
    "exit_code",
    "read_settings",
    "run_stage",
]
