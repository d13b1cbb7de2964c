"""How does a demonstration type commands, and show what it types?"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from modelwarrant.cli.options import out
from modelwarrant.errors import WarrantError

__all__ = ["Typist", "say"]


def say(heading: str) -> None:
    """Print a heading of the story."""
    out().print(f"\n{heading}", style="bold cyan", markup=False)


@dataclass(frozen=True)
class Typist:
    """Somebody who works in one folder, whose store and key are in it, too."""

    folder: Path
    actor: str = "demo"
    at: datetime | None = None
    """The time that is played; None: the present."""
    is_quiet: bool = False
    """Print nothing."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The commands' environment; nothing of the user's own store is touched."""
        played = {} if self.at is None else {"WARRANT_NOW": self.at.isoformat()}
        return {
            **os.environ,
            "WARRANT_STORE": str((self.folder / ".warrant").resolve()),
            "WARRANT_HOME": str((self.folder / ".key").resolve()),
            "WARRANT_ACTOR": self.actor,
            **played,
        }

    def type(self, *words: str, allowed: tuple[int, ...] = (0,)) -> int:
        """Show a command, run it, and return its exit code.

        Raises:
            WarrantError: it ended with another code than those allowed.
        """
        self.show(*words)
        result = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "modelwarrant", *words],
            cwd=self.folder,
            env=self.environment,
            check=False,
            stdout=subprocess.DEVNULL if self.is_quiet else None,
        )
        self._demand(words, result.returncode, allowed)
        return result.returncode

    def ask(self, *words: str, allowed: tuple[int, ...] = (0,)) -> Any:
        """Run a command and return the JSON document that it answers with.

        Raises:
            WarrantError: it ended with another code than those allowed.
        """
        result = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "modelwarrant", *words, "--json"],
            cwd=self.folder,
            env=self.environment,
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._demand(words, result.returncode, allowed)
        return json.loads(result.stdout)

    def show(self, *words: str) -> None:
        """Print a command as it is typed."""
        if not self.is_quiet:
            who = "" if self.actor == Typist.actor else f"   (as {self.actor})"
            out().print(f"$ warrant {shlex.join(words)}{who}", style="dim", markup=False)
            sys.stdout.flush()

    def tell(self, line: str) -> None:
        """Print what came of it."""
        if not self.is_quiet:
            out().print(f"  {line}", markup=False)

    def _demand(self, words: tuple[str, ...], code: int, allowed: tuple[int, ...]) -> None:
        if code not in allowed:
            raise WarrantError(f"the demo stopped: `warrant {words[0]}` ended with {code}")
