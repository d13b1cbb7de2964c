"""What does a person, or another program, type?

``warrant COMMAND``: answers on stdout, all else on stderr, exit codes of docs/interface.md.
Commands import what they need inside their bodies, so that ``warrant --help`` stays quick; this is
the one room where that is the rule.
"""

from modelwarrant.cli.app import app, main

__all__ = ["app", "main"]
