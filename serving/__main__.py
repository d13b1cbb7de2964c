"""How does a container start the service?

``python -m serving`` reads its whole configuration from the environment::

    WARRANT_MODEL        name of the model, required
    WARRANT_STORE        folder or s3://bucket/prefix, required
    WARRANT_S3_ENDPOINT  and AWS_*: address of an S3 store, and who reads it
    WARRANT_GENESIS      digest of the ledger's first entry; unset trusts the first one seen
    WARRANT_HOST         address to listen on, default 0.0.0.0
    WARRANT_PORT         port to listen on, default 8080
    WARRANT_CACHE        folder that keeps the last verified version, default /cache
    WARRANT_GRACE_S      seconds it still answers after a SIGTERM, default 0

Whatever is wrong with it is one line and exit 2; a store that does not answer is not wrong.
"""

import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from modelwarrant.errors import PermanentError, WarrantError
from modelwarrant.registry.layout import checked_model
from modelwarrant.stage import exit_code, read_settings
from modelwarrant.stage.stores import open_told_store
from serving.main import serve
from serving.settings import Settings

__all__ = ["Environment", "main"]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the environment says, checked."""

    model: str
    store: str
    genesis: str | None
    host: str
    port: int
    cache: Path
    grace_s: float

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self:
        """Check the variables.

        Raises:
            WarrantError: names the variable and what it must be.
        """
        for name in ("WARRANT_MODEL", "WARRANT_STORE"):
            if not env.get(name):
                raise PermanentError(f"{name} is not set; a container is told what it serves")
        settings = read_settings(env)
        return cls(
            model=checked_model(env["WARRANT_MODEL"]),
            store=settings.store,
            genesis=_digest("WARRANT_GENESIS", settings.genesis),
            host=env.get("WARRANT_HOST") or "0.0.0.0",  # noqa: S104 - a pod's own address
            port=int(_number(env, "WARRANT_PORT", "8080", highest=65535, whole=True)),
            cache=Path(env.get("WARRANT_CACHE") or "/cache"),
            grace_s=_number(env, "WARRANT_GRACE_S", "0", highest=3600),
        )


def _number(
    env: Mapping[str, str], name: str, default: str, *, highest: int, whole: bool = False
) -> float:
    text = env.get(name) or default
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= highest:
        kind = "whole number" if whole else "number"
        raise PermanentError(f"{name} is {text!r}; it must be a {kind} from 0 to {highest}")
    return value


def _digest(name: str, text: str | None) -> str | None:
    if text is not None and not re.fullmatch("sha256:[0-9a-f]{64}", text):
        raise PermanentError(f"{name} is {text!r}; it must be sha256: and 64 hexadecimal digits")
    return text


def main(env: Mapping[str, str]) -> int:
    """Serve until a signal ends the process; return the exit code."""
    try:
        told = Environment.read(env)
        serve(
            open_told_store(told.store),
            Settings(model=told.model, grace_s=told.grace_s),
            host=told.host,
            port=told.port,
            genesis=told.genesis,
            cache=told.cache,
        )
    except WarrantError as error:
        print(f"serving: {error}", file=sys.stderr)  # noqa: T201 - the process's last words
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
