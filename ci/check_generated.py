"""Fail where a generated file differs from what its source gives today."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Compile the pipelines again and compare; the committed files are put back."""
    files = sorted((ROOT / "pipelines").glob("*.yaml"))
    before = {path: path.read_bytes() for path in files}
    subprocess.run([sys.executable, str(ROOT / "ci" / "compile_pipelines.py")], check=True)
    after = {path: path.read_bytes() for path in sorted((ROOT / "pipelines").glob("*.yaml"))}
    for path in after.keys() - before.keys():
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    stale = sorted(
        path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )
    if stale:
        print(f"stale: {', '.join(stale)}; run `make generated` and commit", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
