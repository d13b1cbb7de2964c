"""A deployment can be repeated, and says what stands in its way."""

import json
import time

import pytest

from ci.cluster_deploy import deploy, pin, stuck_pods
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError

pytestmark = pytest.mark.cluster

GATE = ("-n", "modelwarrant-system", "-l", "app.kubernetes.io/name=gate")


def _uids(kubectl: Kubectl) -> set[str]:
    """The gate's pods."""
    pods = json.loads(kubectl.run("get", "pods", *GATE, "-o", "json"))["items"]
    return {pod["metadata"]["uid"] for pod in pods}


def test_a_second_deployment_restarts_nothing(kubectl: Kubectl) -> None:
    """What is as the overlay says is left alone, settings that people made included."""
    list(deploy(kubectl, "testbed"))
    before = _uids(kubectl), kubectl.get("configmap", "modelwarrant-serving", "serving")

    said = list(deploy(kubectl, "testbed"))

    assert "every secret was there already" in said
    assert before == (_uids(kubectl), kubectl.get("configmap", "modelwarrant-serving", "serving"))


def test_a_missing_image_is_named(kubectl: Kubectl, strange_namespace: str) -> None:
    """The line names pod, reason and image, which is all that is needed to put it right."""
    image = "modelwarrant/not-built:dev"
    place = ("-n", strange_namespace, "--image-pull-policy=Never")
    kubectl.run("run", "lost", f"--image={image}", *place)
    until = time.monotonic() + 30
    while not (lines := stuck_pods(kubectl, strange_namespace)) and time.monotonic() < until:
        time.sleep(0.5)

    assert 1 == len(lines)
    assert lines[0].startswith(f"{strange_namespace}/lost: ErrImageNeverPull, image {image}: ")


def test_a_ledger_that_nobody_began_is_not_pinned(kubectl: Kubectl) -> None:
    """Serving is not made to trust a digest that the gate never stated."""
    with pytest.raises(PermanentError, match="has not begun a ledger of 'nobodys-model'"):
        pin(kubectl, "nobodys-model")
