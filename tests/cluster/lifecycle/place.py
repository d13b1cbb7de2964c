"""A deployed cluster, people with certificates, and runs of the compiled pipeline on Argo."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import urllib3
from kubernetes import client, config
from minio import Minio

from ci.cluster_user import add_user
from ci.kubectl import Kubectl
from gate.cluster import Cluster
from gate.clusterdesk import ClusterDesk
from modelwarrant import policy
from modelwarrant.cli.running import compiled_lifecycle, lifecycle_parameters, with_windows
from modelwarrant.project import load
from pipelines.plan import read_plan
from tests.e2e import argo
from tests.e2e.conftest import PROJECT, demand

ADMIN = os.environ.get("KUBECONFIG", "/var/lib/testbed/admin.kubeconfig")
KUBECTL = Kubectl(
    environment={
        **os.environ,
        "KUBECONFIG": ADMIN,
        "PATH": f"{os.environ['PATH']}:/var/lib/testbed/bin",
    }
)
GATE = "modelwarrant-system"
SERVING = "modelwarrant-serving"
ROLES = {
    "ada": ("promotion-requester",),
    "bob": ("promotion-approver",),
    "olga": ("promotion-requester", "promotion-operator"),
}
CHANGE = 152 * 24
"""Row of the first of June."""
ROW = {"temperature": 15.0, "load": 62.0, "place": "north"}


@dataclass
class Place:
    """One model's life on the cluster."""

    folder: Path
    model: str = field(default_factory=lambda: f"demand-{uuid4().hex[:6]}")
    people: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.api = client.CustomObjectsApi(config.new_client_from_config(ADMIN))
        self.cluster = Cluster(config.new_client_from_config(ADMIN), GATE)
        self._bring_data()
        for name in ROLES:
            self._admit(name)

    def _bring_data(self) -> None:
        """Put the rows where the stages can read them, and a project file that says so."""
        secret = KUBECTL.get("secret", "modelwarrant-store", "minio-root")
        assert secret is not None
        keys = {k: base64.b64decode(v).decode() for k, v in secret["data"].items()}
        frame = demand()
        frame.loc[CHANGE:, "temperature"] += 6  # the days got warmer when the rule turned around
        data = frame.to_csv(index=False).encode()
        name = f"in/e2e/{self.model}/demand.csv"
        with KUBECTL.forward("modelwarrant-store", "service/minio", 9000) as port:
            store = Minio(f"127.0.0.1:{port}", keys["user"], keys["password"], secure=False)
            store.put_object("modelwarrant", name, io.BytesIO(data), len(data))
        text = PROJECT.replace("model: demand", f"model: {self.model}")
        text = text.replace("source: demand.csv", f"source: s3://modelwarrant/{name}")
        (self.folder / "warrant.yaml").write_text(text)

    def _admit(self, name: str) -> None:
        """Give a person a certificate of the cluster's, and a part."""
        person = f"{name}-{self.model}"
        self.people[name] = self.folder / f"{name}.kubeconfig"
        add_user(KUBECTL, person, self.people[name])
        for role in ROLES[name]:
            KUBECTL.run(
                *("create", "rolebinding", f"{person}-{role}", "-n", GATE),
                *(f"--clusterrole={role}", f"--user={person}"),
            )

    def desk(self, name: str) -> ClusterDesk:
        """Return the gate as a person uses it from Python."""
        api = config.new_client_from_config(str(self.people[name]))
        return ClusterDesk(Cluster(api, GATE), self._no_store)

    def _no_store(self) -> Any:
        raise AssertionError("answering needs no store")

    def warrant(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``warrant`` as a person."""
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.people[name]),
            "WARRANT_GATE": GATE,
            "NO_COLOR": "1",
        }
        return subprocess.run(
            [sys.executable, "-m", "modelwarrant", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def run(self, current: str | None = None) -> tuple[str, str]:
        """Start a run that ada announced; return its request and its workflow."""
        desk = self.desk("ada")
        run = f"{datetime.now(UTC):%Y%m%dt%H%M%S}-{uuid4().hex[:6]}"
        request = desk.announce(run, self.model, patience=timedelta(seconds=30))
        project = with_windows(load(self.folder / "warrant.yaml"), current=current, reference=None)
        parameters = lifecycle_parameters(
            project,
            policy.default_policy(),
            contract=project.schema(),
            store="s3://modelwarrant",
            run=run,
            requester=desk.person,
        )
        workflow = argo.workflow_of(
            read_plan(compiled_lifecycle()), {**parameters, "gate": GATE}, name=f"e2e-{run}"
        )
        return request, argo.submit(workflow, self.api)

    def until_waiting(self, request: str, workflow: str) -> dict[str, Any]:
        """Wait until the run waits for people, without a pod; return the request's status."""
        argo.wait_until(
            workflow,
            lambda found: argo.is_suspended(found) or argo.has_ended(found),
            self.api,
            timeout_s=300,
        )
        state = argo.read(workflow, self.api)
        assert argo.is_suspended(state), argo.messages(state)
        found = self.until(request, lambda status: "verdict" in status)
        assert not self.live_pods(workflow)
        return found

    def live_pods(self, workflow: str) -> list[str]:
        """Return the pods of a run that have not ended."""
        listed = KUBECTL.run(
            *("get", "pods", "-n", "kubeflow", "-o", "json"),
            *("-l", f"workflows.argoproj.io/workflow={workflow}"),
        )
        return [
            pod["metadata"]["name"]
            for pod in json.loads(listed)["items"]
            if pod["status"]["phase"] in ("Pending", "Running")
        ]

    def status(self, request: str) -> dict[str, Any]:
        """Return a request's status."""
        found: dict[str, Any] = self.cluster.request(request).get("status", {})
        return found

    def until(self, request: str, is_reached: Any, *, timeout_s: float = 30) -> dict[str, Any]:
        """Wait for a request's status."""
        ends = time.monotonic() + timeout_s
        while not is_reached(found := self.status(request)):
            assert time.monotonic() < ends, found
            time.sleep(0.3)
        return found

    def until_ended(self, workflow: str) -> argo.Json:
        """Wait for the end of a run."""
        return argo.wait_until(workflow, argo.has_ended, self.api, timeout_s=120)

    @contextmanager
    def replicas(self) -> Iterator[list[str]]:
        """Yield the address of each pod that serves, for the block."""
        listed = KUBECTL.run(
            *("get", "pods", "-n", SERVING, "-l", "app.kubernetes.io/name=serving", "-o", "json")
        )
        pods = [
            pod["metadata"]["name"]
            for pod in json.loads(listed)["items"]
            if "deletionTimestamp" not in pod["metadata"]
        ]
        with ExitStack() as stack:
            ports = [stack.enter_context(KUBECTL.forward(SERVING, f"pod/{p}", 8080)) for p in pods]
            yield [f"http://127.0.0.1:{port}" for port in ports]


def ask(address: str) -> dict[str, Any]:
    """Ask one replica for a prediction."""
    answer = urllib3.request("POST", f"{address}/predict", json=ROW, retries=False, timeout=10)
    assert 200 == answer.status, answer.data
    found: dict[str, Any] = answer.json()
    return found


@dataclass
class Load:
    """Requests that are sent to every replica without a pause."""

    addresses: list[str]
    failures: list[str] = field(default_factory=list)
    seen: dict[tuple[str, int], float] = field(default_factory=dict)
    """When each replica first answered with each version, in seconds of the monotonic clock."""
    mixed: set[tuple[int, str, str]] = field(default_factory=set)
    answers: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._send, args=(a,)) for a in self.addresses]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, address: str) -> None:
        while not self._stop.wait(0.005):
            try:
                found = ask(address)
            except (AssertionError, OSError, ValueError, urllib3.exceptions.HTTPError) as error:
                self.failures.append(f"{address}: {error!r}")
                continue
            self.answers += 1
            self.seen.setdefault((address, found["version"]), time.monotonic())
            self.mixed.add((found["version"], found["model_digest"], found["decision_id"]))

    def until_version(self, version: int, *, timeout_s: float) -> float:
        """Wait until every replica has answered with a version; return how long that took."""
        started = time.monotonic()
        while not all((address, version) in self.seen for address in self.addresses):
            assert time.monotonic() - started < timeout_s, self.seen
            time.sleep(0.05)
        return time.monotonic() - started

    def forget(self) -> None:
        """Forget which versions were seen."""
        self.seen.clear()
