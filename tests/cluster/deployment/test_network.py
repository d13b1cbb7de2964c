"""Each named caller gets through the NetworkPolicies, and everybody else does not.

The pods here carry the labels of our programs, listen where those listen, and are never ready, so
that no Service sends them anything. They stand in for programs, not for policies: those are the
deployed ones.
"""

import json
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from ci.cluster_deploy import MANIFESTS
from ci.kubectl import Kubectl

pytestmark = pytest.mark.cluster

IMAGE = "python:3.11-slim-bookworm"
CALLER = {"modelwarrant.dev/caller": "true"}
NARROW = {"modelwarrant.dev/stand": "narrow-stage"}
"""Selected by a copy of options/stage-egress, which would bind other people's steps as it is."""

STORE = "minio.modelwarrant-store"
LISTEN = """
import socketserver, threading
for port in (8080, 9090):
    server = socketserver.TCPServer(("", port), socketserver.BaseRequestHandler)
    threading.Thread(target=server.serve_forever).start()
"""
LOOK = """
import json, socket, sys
def reaches(host, port):
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True
print(json.dumps([name for name, host, port in json.loads(sys.argv[1]) if reaches(host, port)]))
"""
ENFORCED_WITHIN_S = 20.0


@dataclass(frozen=True)
class Stand:
    """A pod that stands in for a program of ours, or for a stranger."""

    name: str
    namespace: str
    labels: dict[str, str]
    may: frozenset[str]
    """What it must reach; nothing else."""


def _pod(stand: Stand, prefix: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{prefix}-{stand.name}",
            "namespace": stand.namespace,
            "labels": stand.labels,
        },
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "stand",
                    "image": IMAGE,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python3", "-c", LISTEN],
                    "readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 600},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def _stands(strange: str, friendly: str) -> list[Stand]:
    def named(name: str) -> dict[str, str]:
        return {"app.kubernetes.io/name": name}

    reads = frozenset({"serving", "gate", "elsewhere", "api"})
    return [
        Stand("gate", "modelwarrant-system", named("gate"), frozenset({"store", "api"})),
        Stand("beside-gate", "modelwarrant-system", {}, frozenset()),
        Stand(
            "serving",
            "modelwarrant-serving",
            named("serving"),
            frozenset({"store", "serving"}),
        ),
        Stand("beside-serving", "modelwarrant-serving", {}, frozenset({"serving"})),
        Stand("beside-store", "modelwarrant-store", {}, frozenset()),
        Stand("stage", "kubeflow", {}, frozenset({"store", "api", "elsewhere"})),
        Stand("narrow-stage", "kubeflow", NARROW, frozenset({"store", "api"})),
        Stand("stranger", strange, {}, frozenset({"api", "elsewhere"})),
        Stand("impostor", strange, named("gate"), frozenset({"api", "elsewhere"})),
        Stand("caller", strange, CALLER, reads),
        Stand("friend", friendly, {}, reads),
    ]


@pytest.fixture(scope="module")
def reached(
    kubectl: Kubectl, strange_namespace: str
) -> Iterator[dict[str, tuple[frozenset[str], frozenset[str]]]]:
    """For each pod what it must reach, and what it reached."""
    prefix = f"net-{uuid.uuid4().hex[:6]}"
    friendly = f"friend-{prefix}"
    kubectl.run("create", "namespace", friendly)
    kubectl.run("label", "namespace", friendly, "modelwarrant.dev/caller=true")
    stands = _stands(strange_namespace, friendly)
    option = yaml.safe_load((MANIFESTS / "options/stage-egress/network-policy.yaml").read_text())
    option["metadata"]["name"] = prefix
    option["spec"]["podSelector"] = {"matchLabels": NARROW}
    try:
        kubectl.create(option)
        for stand in stands:
            kubectl.create(_pod(stand, prefix))
        addresses = {stand.name: _address(kubectl, stand, prefix) for stand in stands}
        targets = [
            ("store", STORE, 9000),
            ("serving", addresses["serving"], 8080),
            ("serving-9090", addresses["serving"], 9090),
            ("gate", addresses["gate"], 8080),
            ("gate-9090", addresses["gate"], 9090),
            ("elsewhere", addresses["stranger"], 8080),
            ("api", "kubernetes.default", 443),
        ]
        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(lambda one: _reached(kubectl, one, prefix, targets), stands))
        yield {stand.name: (stand.may, got) for stand, got in zip(stands, seen, strict=True)}
    finally:
        for stand in stands:
            place = ("-n", stand.namespace, "--ignore-not-found", "--wait=false")
            kubectl.run("delete", "pod", f"{prefix}-{stand.name}", *place)
        kubectl.run("delete", "networkpolicy", prefix, "-n", "kubeflow", "--ignore-not-found")
        kubectl.run("delete", "namespace", friendly, "--wait=false")


def _address(kubectl: Kubectl, stand: Stand, prefix: str) -> str:
    """The pod's address, once it runs."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        pod = kubectl.get("pod", stand.namespace, f"{prefix}-{stand.name}") or {}
        states = pod.get("status", {}).get("containerStatuses", [])
        if states and "running" in states[0]["state"]:
            return str(pod["status"]["podIP"])
        time.sleep(0.3)
    pytest.fail(f"{stand.namespace}/{prefix}-{stand.name} does not run; is {IMAGE} in the node?")


def _reached(
    kubectl: Kubectl, stand: Stand, prefix: str, targets: list[tuple[str, str, int]]
) -> frozenset[str]:
    """What the pod reaches; looked at again until it is as expected, or time is over.

    A pod's own address is no target: nothing filters it.
    """
    others = json.dumps([target for target in targets if target[0].split("-")[0] != stand.name])
    command = ("exec", "-n", stand.namespace, f"{prefix}-{stand.name}", "--", "python3", "-c", LOOK)
    until = time.monotonic() + ENFORCED_WITHIN_S
    while True:
        got = frozenset(json.loads(kubectl.run(*command, others)))
        if got == stand.may - {stand.name} or time.monotonic() > until:
            return got
        time.sleep(1)


NAMES = [stand.name for stand in _stands("", "")]


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_reaches_what_it_is_named_for_and_nothing_else(
    reached: dict[str, tuple[frozenset[str], frozenset[str]]], name: str
) -> None:
    """Store, serving, gate and API server are open to their named callers alone."""
    expected, seen = reached[name]

    assert expected - {name} == seen


def test_nobody_reaches_the_store_from_outside(kubectl: Kubectl) -> None:
    """The host counts as outside; an admin comes in by port-forward, with his own rights."""
    pod = kubectl.get("pod", "modelwarrant-store", "minio-0")
    assert pod is not None

    with pytest.raises(OSError):
        socket.create_connection((pod["status"]["podIP"], 9000), timeout=3)
    with kubectl.forward("modelwarrant-store", "service/minio", 9000) as port:
        socket.create_connection(("127.0.0.1", port), timeout=3).close()
