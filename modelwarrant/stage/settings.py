"""What does the environment say?

The only place that reads environment variables for the command line and the stages.
"""

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from modelwarrant.errors import RequestError

__all__ = ["Settings", "read_settings"]


@dataclass(frozen=True)
class Settings:
    """One process's configuration."""

    store: str = ".warrant"
    """``WARRANT_STORE``: a folder or ``s3://bucket/prefix``; the folder beside the project file."""
    home: Path = Path("~/.config/modelwarrant")
    """``WARRANT_HOME``: keys and remembered genesis digests; outside the store on purpose."""
    actor: str = "unknown"
    """``WARRANT_ACTOR``, else user@host: who asks and approves; asserted, not proven."""
    genesis: str | None = None
    """``WARRANT_GENESIS``: digest of the ledger's first entry, where no laptop remembers it."""
    image_digest: str | None = None
    """``WARRANT_IMAGE_DIGEST``: set in our images, absent on a laptop."""
    gate: str | None = None
    """``WARRANT_GATE``: namespace of a cluster's gate; None: the store holds the requests."""
    at: datetime | None = None
    """``WARRANT_NOW``: the instant that is played, in demonstrations and tests; None: the present.
    """

    @property
    def now(self) -> datetime:
        """The present moment, or the one that is played."""
        return self.at or datetime.now(UTC)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Args:
        environment: default ``os.environ``.

    Raises:
        RequestError: a played time is none, or is to enter a store that is more than a folder.
    """
    env = os.environ if environment is None else environment
    return Settings(
        store=env.get("WARRANT_STORE") or Settings.store,
        home=Path(env.get("WARRANT_HOME") or Settings.home).expanduser(),
        actor=env.get("WARRANT_ACTOR") or _user_at_host(),
        genesis=env.get("WARRANT_GENESIS") or None,
        image_digest=env.get("WARRANT_IMAGE_DIGEST") or None,
        gate=env.get("WARRANT_GATE") or None,
        at=_played(env),
    )


def _played(env: Mapping[str, str]) -> datetime | None:
    """Return the instant that is played, which no ledger that others rely on may hold."""
    text = env.get("WARRANT_NOW")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RequestError(f"WARRANT_NOW {text!r} is not an ISO 8601 time") from error
    if env.get("WARRANT_GATE") or "://" in (env.get("WARRANT_STORE") or ""):
        raise RequestError(
            "WARRANT_NOW plays another time, in a store that is a folder of this machine only; "
            "unset it"
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _user_at_host() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a numeric user without a passwd entry, as in our images
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
