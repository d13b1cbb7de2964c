"""Did this person's SSH key sign this statement?

``ssh-keygen -Y`` does the work: it knows agents, hardware keys and allowed-signers files, and no
library does it better. Nothing is ever run through a shell.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from modelwarrant.errors import RegistryError

__all__ = ["NAMESPACE", "is_available", "is_signed", "sign"]

NAMESPACE = "modelwarrant"
"""A signature made for another program does not count here."""

TIME_LIMIT_S = 60.0
"""Signing may ask for a passphrase or the touch of a key."""


def is_available() -> bool:
    """Return whether ssh-keygen is installed."""
    return shutil.which("ssh-keygen") is not None


def sign(statement: bytes, *, key: Path) -> str:
    """Sign a statement.

    Args:
        statement: the exact bytes.
        key: a private key, or the public half of one that the agent holds.

    Returns:
        The armored signature.

    Raises:
        RegistryError: ssh-keygen is missing, or refuses the key.
    """
    done = _run(["-Y", "sign", "-n", NAMESPACE, "-f", str(key)], statement)
    if done.returncode != 0:
        raise RegistryError(f"{key} did not sign: {_said(done)}")
    return done.stdout.decode()


def is_signed(
    statement: bytes, signature: str, *, signer: str, allowed_signers: bytes, at: datetime
) -> bool:
    """Return whether one of the signer's allowed keys signed the statement.

    Args:
        statement: the exact bytes.
        signature: armored.
        signer: the principal, as the allowed-signers file names it.
        allowed_signers: that file's bytes.
        at: keys count that were valid then (``valid-after``, ``valid-before``).

    Raises:
        RegistryError: ssh-keygen is missing.
    """
    moment = at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")
    with tempfile.TemporaryDirectory(prefix="modelwarrant-") as folder:
        signature_file, allowed_file = Path(folder, "signature"), Path(folder, "allowed")
        signature_file.write_text(signature)
        allowed_file.write_bytes(allowed_signers)
        arguments = ["-Y", "verify", "-n", NAMESPACE, "-I", signer, "-f", str(allowed_file)]
        arguments += ["-s", str(signature_file), "-O", f"verify-time={moment}"]
        return _run(arguments, statement).returncode == 0


def _run(arguments: Sequence[str], statement: bytes) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise RegistryError("ssh-keygen is not installed; SSH signatures need OpenSSH 8.9 or newer")
    try:
        return subprocess.run(  # noqa: S603 - arguments as a list, the program found by name
            [program, *arguments],
            input=statement,
            env={**os.environ, "TZ": "UTC"},  # else a list's times depend on the machine
            capture_output=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RegistryError(f"ssh-keygen did not answer within {TIME_LIMIT_S:.0f} s") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return " ".join(done.stderr.decode(errors="replace").split()) or f"exit {done.returncode}"
