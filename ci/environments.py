"""Where does a foreign tool run? In an environment of its own, made once below a cache folder."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["cache_folder", "made_environment"]

_ROOT = Path(__file__).resolve().parent.parent


def cache_folder(name: str) -> Path:
    """Return where environments of one sort are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return cache / "modelwarrant" / name


def made_environment(
    name: str, requirements: Sequence[str], cache: Path
) -> tuple[Path, dict[str, str]]:
    """Return an environment's interpreter and the versions in it; make it if need be.

    Args:
        name: for people and for its folder.
        requirements: what is installed in it, as pip writes it.
        cache: folder of the environments.

    Raises:
        SystemExit: it cannot be made; says why.
    """
    uv = _uv()
    asked = "\n".join([sys.version, *requirements])
    folder = cache / f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        print(f"making the environment of {name} (once) ...", flush=True)
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        _run([*install, *requirements])
        (folder / "made").touch()
    listed = _run([uv, "pip", "list", "--format", "json", "--python", str(python)])
    return python, {one["name"]: one["version"] for one in json.loads(listed)}


def _uv() -> str:
    ours = _ROOT / ".tools" / "uv" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        raise SystemExit("warrant: foreign tools are installed by uv: run make setup")
    return found


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout
