"""Does the rendered production overlay pass checkov, but for what we accept with a reason?

checkov runs in an environment of its own (``uv tool run``), at the version pinned here. What it
finds is held against ``manifests/checkov.yaml``: a finding that is not there fails, and so does an
exception that no longer finds anything.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ci.cluster_deploy import MANIFESTS
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError, WarrantError
from modelwarrant.stage.exits import exit_code

__all__ = ["CHECKOV", "Finding", "accepted", "judge", "main"]

CHECKOV = "checkov@3.3.30"
UV = MANIFESTS.parent / ".tools" / "uv" / "bin" / "uv"

Finding = tuple[str, str]
"""A check's id and the object: ``("CKV_K8S_38", "Deployment.modelwarrant-system.gate")``."""


def accepted(text: str) -> set[Finding]:
    """Return the findings that a file of exceptions accepts.

    Raises:
        PermanentError: an exception has no check, no object or no reason.
    """
    found = set()
    for number, one in enumerate((yaml.safe_load(text) or {}).get("exceptions") or [], start=1):
        lacking = [key for key in ("check", "resources", "reason") if not one.get(key)]
        if lacking:
            raise PermanentError(f"exception {number} of checkov.yaml has no {', '.join(lacking)}")
        found |= {(one["check"], resource) for resource in one["resources"]}
    return found


def judge(found: Iterable[Finding], exceptions: Iterable[Finding]) -> list[str]:
    """Return a sentence for each finding without an exception, and each the other way round."""
    found, exceptions = set(found), set(exceptions)
    return [
        *(f"{check} fails for {name}" for check, name in sorted(found - exceptions)),
        *(
            f"{check} no longer fails for {name}: remove its exception"
            for check, name in sorted(exceptions - found)
        ),
    ]


def _findings(rendered: str) -> tuple[set[Finding], int]:
    """What checkov finds in the manifests, and how many checks passed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rendered.yaml"
        file.write_text(rendered)
        options = ("--framework", "kubernetes", "--output", "json", "--skip-download")
        done = subprocess.run(
            [UV, "tool", "run", "--quiet", CHECKOV, "--file", file, *options],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
        failed = report["results"]["failed_checks"]
        passed = int(report["summary"]["passed"])
    except (ValueError, LookupError, TypeError) as error:
        raise PermanentError(
            f"{CHECKOV} gave no report: {done.stderr.strip()[-1000:] or done.stdout[-1000:]}"
        ) from error
    return {(one["check_id"], one["resource"]) for one in failed}, passed


def main() -> int:
    """Scan, print what is wrong, and return the exit code."""
    try:
        rendered = Kubectl().run("kustomize", str(MANIFESTS / "overlays" / "production"))
        exceptions = accepted((MANIFESTS / "checkov.yaml").read_text())
        found, passed = _findings(rendered)
    except WarrantError as error:
        print(f"scan: {error}", file=sys.stderr)
        return exit_code(error)
    wrong = judge(found, exceptions)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{passed} checks passed, {len(found)} failed, {len(found & exceptions)} accepted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
