"""Does everything work together on a real cluster?

``make e2e``: brings up the test cluster that lies beside this folder, builds and loads the images,
deploys, and runs every test that needs a cluster. A cluster that was up before stays up. With
``KUBECONFIG`` set it takes that cluster as it is, images and deployment included.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from modelwarrant.errors import PermanentError
from modelwarrant.stage.exits import exit_code

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
TESTBED = ROOT.parent / "shared" / "testbed" / "testbed"
HOME = Path("/var/lib/testbed")
BASE = "python:3.11-slim-bookworm"
KUBECONFIG = HOME / "admin.kubeconfig"


def _call(*command: str | Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise PermanentError(f"{' '.join(map(str, command))} ended with {done.returncode}")


def _is_up(environment: Mapping[str, str]) -> bool:
    command = ["kubectl", "get", "--raw", "/readyz"]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _timed(what: str, step: Callable[[], None]) -> None:
    print(f"--- {what}", flush=True)
    started = time.monotonic()
    step()
    print(f"--- {what}: {time.monotonic() - started:.0f} s", flush=True)


def _on_testbed(tests: list[str]) -> None:
    environment = {
        **os.environ,
        "KUBECONFIG": str(KUBECONFIG),
        "PATH": f"{os.environ['PATH']}:{HOME / 'bin'}",
    }
    was_up = _is_up(environment)

    def call(*command: str | Path) -> None:
        _call(*command, environment=environment)

    def load() -> None:
        call(sys.executable, "-m", "ci.images", "load", "--loader", f"{TESTBED} load-image")
        call(TESTBED, "load-image", BASE)  # what stands for strangers in the tests

    if not was_up:
        _timed("cluster", lambda: call(TESTBED, "up"))
    try:
        _timed("Argo Workflows", lambda: call(TESTBED, "argo"))
        _timed("docker", lambda: call(TESTBED, "docker"))
        _timed("base image", lambda: call(TESTBED, "base-image"))
        _timed("images", lambda: call(sys.executable, "-m", "ci.images", "build"))
        _timed("into the node", load)
        deploy = ("-m", "ci.cluster", "deploy", "--overlay", "testbed")
        _timed("deploy", lambda: call(sys.executable, *deploy))
        _timed("tests", lambda: _test(tests, environment))
    finally:
        if not was_up:
            call(TESTBED, "down")


def _test(tests: list[str], environment: Mapping[str, str]) -> None:
    options = ("-q", "-m", "cluster", "--timeout", "900", "--durations", "8")
    _call(sys.executable, "-m", "pytest", *options, *tests, environment=environment)


def main(tests: list[str]) -> int:
    """Run the tests on the cluster there is; return the exit code."""
    try:
        if os.environ.get("KUBECONFIG"):
            _test(tests, os.environ)
        elif TESTBED.is_file():
            started = time.monotonic()
            _on_testbed(tests)
            print(f"from nothing to the end: {time.monotonic() - started:.0f} s")
        else:
            raise PermanentError(
                f"no cluster: set KUBECONFIG to one where `make images`, `make cluster-load` and "
                f"`make deploy` have been (docs/cluster.md); {TESTBED} is not there either"
            )
    except PermanentError as error:
        print(f"e2e: {error}", file=sys.stderr)
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["tests/cluster"]))
