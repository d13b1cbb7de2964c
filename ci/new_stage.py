"""How does a new stage come into being? ``make stage NAME=score_batch``.

Writes the folder from ``ci/stage_template`` as a stage that works, and locks its dependencies.
Lock, image loop and contract tests find the folder by themselves; only the arrow in the pipeline is
left to draw. A failure on the way leaves the tree as it was.
"""

import builtins
import keyword
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from string import Template
from typing import Final

from modelwarrant.errors import PermanentError

ROOT = Path(__file__).resolve().parent.parent

_SHAPE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST: Final = 50
"""A stage's name becomes a label and an image's name, of which Kubernetes takes 63 characters."""
_OF_THE_SPEC: Final = frozenset({"container", "dsl"})
"""Names that every component.py imports: a function called so would hide them."""


def check_name(name: str, root: Path) -> None:
    """Refuse a name that cannot be a stage's.

    Raises:
        PermanentError: it is empty, misspelt, reserved or taken.
    """
    if not name:
        raise PermanentError("which stage? make stage NAME=score_batch")
    if not _SHAPE.fullmatch(name) or len(name) > _LONGEST:
        raise PermanentError(
            f"{name!r} is no stage's name: a verb and a noun in lower case, joined by underscores, "
            f"at most {_LONGEST} characters, such as score_batch"
        )
    if keyword.iskeyword(name) or hasattr(builtins, name) or name in _OF_THE_SPEC:
        raise PermanentError(
            f"{name!r} is a word of Python or of the specs: take a verb and a noun"
        )
    if (root / "components" / name).exists() or (root / "components" / f"{name}.py").exists():
        raise PermanentError(f"components/{name} exists already: take another name, or edit it")
    package = name.replace("_", "-")
    lock = tomllib.loads((root / "uv.lock").read_text())
    if package in {entry["name"] for entry in lock["package"]}:
        raise PermanentError(
            f"{package!r} is a package that uv.lock names already: take another name"
        )


def write_stage(name: str, root: Path) -> Path:
    """Write the folder of a stage, whole or not at all, and return it."""
    target = root / "components" / name
    temporary = root / "components" / f".{name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    words = {"name": name, "package": name.replace("_", "-")}
    for source in sorted((ROOT / "ci" / "stage_template").glob("*.txt")):
        text = Template(source.read_text()).substitute(words)
        (temporary / source.stem).write_text(text)
    temporary.rename(target)
    return target


def lock(root: Path) -> None:
    """Add the stage to uv.lock.

    Raises:
        PermanentError: uv is not there or cannot lock.
    """
    uv = root / ".tools" / "uv" / "bin" / "uv"
    if not uv.is_file():
        raise PermanentError(f"{uv} is missing: run `make setup`")
    command = [str(uv), "lock", "--quiet", "--python", sys.executable]
    for how in (["--offline"], []):  # what the cache knows is enough for the template
        done = subprocess.run(
            [*command, *how], cwd=root, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
    raise PermanentError(f"uv lock failed, nothing is changed: {done.stderr.strip()}")


def make_stage(name: str, root: Path) -> None:
    """Write and lock a stage; on a failure put the tree back.

    Raises:
        PermanentError: why there is no stage.
    """
    check_name(name, root)
    before = (root / "uv.lock").read_bytes()
    folder = write_stage(name, root)
    try:
        lock(root)
    except BaseException:
        shutil.rmtree(folder)
        (root / "uv.lock").write_bytes(before)
        raise


def main(argv: list[str]) -> int:
    """Make the stage that the only argument names, and say what is next."""
    name = argv[0] if argv else ""
    try:
        make_stage(name, ROOT)
    except PermanentError as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"wrote components/{name}: it counts rows; write what it is for into component.py and "
        "run.py\n"
        "next:\n"
        "  1. draw its arrow in pipelines/lifecycle.py:\n"
        f"       from components.{name}.component import {name}\n"
        f'       {name}(window=now.outputs["validated"])\n'
        "  2. make generated\n"
        f"  3. make images STAGE={name}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
