"""From which code, libraries and machine was something made?"""

import platform
import re
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from modelwarrant import __version__
from modelwarrant.canonical import digest_json

__all__ = ["Provenance", "collect_provenance"]


@dataclass(frozen=True)
class Provenance:
    """What a manifest says of the process that trained a model."""

    code_commit: str | None
    code_dirty: bool | None
    lock_digest: str
    cpu: str
    engine_version: str


def collect_provenance(folder: Path) -> Provenance:
    """Look at the project folder, the installed distributions and the processor.

    Args:
        folder: the project's folder; its git commit is recorded where it is in a work tree.
    """
    commit, dirty = _git_state(folder)
    return Provenance(
        code_commit=commit,
        code_dirty=dirty,
        lock_digest=digest_json(_distributions()),
        cpu=_cpu_family(),
        engine_version=__version__,
    )


def _distributions() -> dict[str, str]:
    """Return name and version of all that is installed, read from the folders' names."""
    found = {}
    for distribution in metadata.distributions():
        path = getattr(distribution, "_path", None)
        match = re.fullmatch(r"(.+)-(.+)\.dist-info", getattr(path, "name", ""))
        if match:
            found[match[1].lower().replace("_", "-")] = match[2]
        else:
            found[distribution.metadata["Name"].lower()] = distribution.version
    return dict(sorted(found.items()))


def _cpu_family() -> str:
    """Return machine and processor family, for example ``x86_64 AuthenticAMD family 25``."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        text = cpuinfo.read_text(errors="replace")
        vendor = re.search(r"^vendor_id\s*: (.+)$", text, re.MULTILINE)
        family = re.search(r"^cpu family\s*: (.+)$", text, re.MULTILINE)
        if vendor and family:
            return f"{platform.machine()} {vendor[1]} family {family[1]}"
    return f"{platform.machine()} {platform.processor() or platform.system()}"


def _git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Return commit and dirty flag of the folder's work tree, or None for both outside git."""
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return None, None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        dirty = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    except (OSError, subprocess.SubprocessError):  # git is absent, refuses, or has no commit
        return None, None
    return commit.strip(), bool(dirty.strip())


def _git(folder: Path, *arguments: str) -> str:
    result = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - git is found on the user's PATH
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return result.stdout
