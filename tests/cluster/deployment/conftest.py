"""The cluster that ``make deploy OVERLAY=testbed`` brought everything to."""

import os
import shutil
import uuid
from collections.abc import Iterator

import pytest

from ci.kubectl import Kubectl

TESTBED = "/var/lib/testbed"
ZONES = ("kubeflow", "modelwarrant-system", "modelwarrant-serving", "modelwarrant-store")


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """An admin's kubectl on the test cluster; without one, these tests fail."""
    program = shutil.which("kubectl", path=f"{os.environ['PATH']}:{TESTBED}/bin")
    assert program is not None, "no kubectl on the PATH: start the test cluster (testbed up)"
    config = os.environ.get("KUBECONFIG") or f"{TESTBED}/admin.kubeconfig"
    environment = {
        **os.environ,
        "KUBECONFIG": config,
        "PATH": f"{os.environ['PATH']}:{TESTBED}/bin",
    }
    kubectl = Kubectl(program=program, environment=environment)
    kubectl.run("version", "--request-timeout=5s")
    absent = [zone for zone in ZONES if kubectl.get("namespace", None, zone) is None]
    assert not absent, f"no namespace {', '.join(absent)}: make deploy OVERLAY=testbed"
    return kubectl


@pytest.fixture(scope="module")
def strange_namespace(kubectl: Kubectl) -> Iterator[str]:
    """A namespace of somebody else."""
    name = f"stranger-{uuid.uuid4().hex[:8]}"
    kubectl.run("create", "namespace", name)
    yield name
    kubectl.run("delete", "namespace", name, "--wait=false")
