"""A gate, a run and people at the API server of a real cluster, in a namespace of their own."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from kubernetes import config
from kubernetes.client import ApiClient, Configuration

from gate.asking import ask_gate
from gate.cluster import Cluster
from gate.clusterdesk import ClusterDesk
from gate.controller import Controller
from gate.guard import CANARY, Guard, shipped_admission
from gate.webhook import Webhook
from modelwarrant.records import PromotionRequest
from modelwarrant.registry import Ledger, Signer, State
from modelwarrant.storage import DirectoryStore
from tests.gate.desk import make_package
from tests.policy.conftest import Case

ROOT = Path(__file__).parents[3]
GATE_API = ROOT / "manifests" / "base" / "gate-api"
KUBECONFIG = "/var/lib/testbed/admin.kubeconfig"
MODEL = "flights"
GATE = "system:serviceaccount:modelwarrant-system:gate"
RUNNER = "system:serviceaccount:kubeflow:pipeline-runner"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def api_as(user: str | None = None, groups: tuple[str, ...] = ()) -> ApiClient:
    """Return a client of the cluster; as somebody else where a user is named."""
    os.environ.setdefault("KUBECONFIG", KUBECONFIG)
    settings = Configuration()
    config.load_kube_config(client_configuration=settings)
    api = ApiClient(settings)
    if user is not None:
        api.set_default_header("Impersonate-User", user)
    for group in groups:
        api.set_default_header("Impersonate-Group", group)
    return api


@dataclass
class World:
    """One namespace with a gate's rights, a store in a folder, and workflows that nobody runs."""

    root: Path
    namespace: str = field(default_factory=lambda: f"gate-{uuid4().hex[:8]}")
    told: list[tuple[str, Any]] = field(default_factory=list)
    key: Signer = field(default_factory=Signer.generate)
    clock: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.admin = Cluster(api_as(), self.namespace, pipelines=self.namespace)
        self.store = DirectoryStore(self.root / "store")
        self.gate = self.controller()

    def as_user(self, name: str) -> Cluster:
        """Return the API server as somebody else."""
        return Cluster(api_as(name), self.namespace, pipelines=self.namespace)

    def controller(self, **changes: Any) -> Controller:
        """Return a gate that has just started."""
        cluster = self.as_user(GATE)
        log = logging.getLogger("tests.gate")
        settings: dict[str, Any] = {"installer": "ines", "now": self.now, **changes}
        return Controller(
            cluster,
            self.store,
            self.key,
            Guard(cluster, *shipped_admission(GATE_API / "policy.yaml")),
            Webhook("http://hook", "https://gate", self._take),
            log,
            **settings,
        )

    def now(self) -> datetime:
        """The world's time."""
        return datetime.now(UTC) + self.clock

    def _take(self, url: str, document: Any) -> int:
        self.told.append((document["event"], document))
        return 200

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the gate run beside a person who waits for it."""
        stop = threading.Event()
        thread = threading.Thread(target=self.gate.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)

    def desk(self, person: str) -> ClusterDesk:
        """Return the gate as a person uses it."""
        return ClusterDesk(self.as_user(person), lambda: self.store)

    @property
    def state(self) -> State:
        """The ledger's fold."""
        return Ledger(self.store, MODEL).state()

    def announce(self, run: str, person: str = "ada") -> str:
        """Let a person announce a run, and the gate take note."""
        body = {
            "apiVersion": "modelwarrant.dev/v1",
            "kind": "PromotionRequest",
            "metadata": {"name": f"run-{run}"},
            "spec": {
                "operation": "promote",
                "model": MODEL,
                "requester": person,
                "run": {"name": run},
                "expires": "2027-12-01T00:00:00Z",
            },
        }
        self.as_user(person).create_request(body)
        self.gate.step()
        return f"run-{run}"

    def ask(
        self, run: str, candidate: str, *, workflow: str = "", case: Case | None = None
    ) -> PromotionRequest:
        """Let a run hand its candidate in, as its stage does."""
        files = make_package(self.state, candidate, run=run, case=case)
        return self.ask_with(files, run, workflow=workflow)

    def ask_with(
        self, files: dict[str, bytes], run: str, *, workflow: str = ""
    ) -> PromotionRequest:
        """Let a run hand these files in."""
        return ask_gate(
            self.as_user(RUNNER),
            self.store,
            files=files,
            run=run,
            uid="kfp-1",
            workflow=workflow,
            now=datetime.now(UTC),
        )

    def workflow(self) -> str:
        """Make a workflow that no controller runs; return its name."""
        name = f"run-{uuid4().hex[:6]}"
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": name},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]},
        }
        self.call("POST", f"/apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/workflows", body)
        return name

    def is_suspended(self, workflow: str) -> bool:
        """Return whether a workflow starts no further pod."""
        found = self.admin.workflow(workflow)
        assert found is not None
        return bool(found["spec"].get("suspend"))

    def approve(self, name: str, person: str, **changes: Any) -> None:
        """Let a person approve by the API server alone; the gate looks afterwards."""
        self.decide(name, person, "Approved", **changes)
        self.gate.step()

    def decide(self, name: str, person: str, verdict: str, **changes: Any) -> None:
        """Add a person's decision to a request."""
        cluster = self.as_user(person)
        resource = cluster.request(name)
        decision = {
            "verdict": verdict,
            "approver": person,
            "candidate_digest": resource["spec"]["candidate"]["digest"],
            "reason": "looked at the page",
            **changes,
        }
        resource["spec"].setdefault("decisions", []).append(decision)
        cluster.replace_request(resource)

    def status(self, name: str) -> dict[str, Any]:
        """Return a request's status."""
        found: dict[str, Any] = self.admin.request(name).get("status", {})
        return found

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API server as its administrator."""
        return self.admin._call(method, path, body, about=path)


@contextmanager
def new_world(root: Path) -> Iterator[World]:
    """Yield a world, and remove its namespace afterwards."""
    world = World(root)
    world.call("POST", "/api/v1/namespaces", {"metadata": {"name": world.namespace}})
    _grant(world)
    canary = yaml.safe_load((GATE_API.parent / "gate-canary" / "canary.yaml").read_text())
    canary["metadata"]["namespace"] = world.namespace
    world.admin.create_request(canary)
    assert canary["metadata"]["name"] == CANARY
    try:
        yield world
    finally:
        path = f"/apis/modelwarrant.dev/v1/namespaces/{world.namespace}/promotionrequests"
        world.call("DELETE", path)
        world.call("DELETE", f"/api/v1/namespaces/{world.namespace}")


def _grant(world: World) -> None:
    """Bind what ``rbac.yaml`` binds, in this namespace."""
    shipped = list(yaml.safe_load_all((GATE_API / "rbac.yaml").read_text()))
    roles = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["rules"]
        for each in shipped
        if each["kind"] == "Role"
    }
    for (place, name), who in (
        (("modelwarrant-system", "gate"), GATE),
        (("kubeflow", "modelwarrant-gate"), GATE),
        (("modelwarrant-system", "pipelines"), RUNNER),
    ):
        _bind(world, f"{place}-{name}", roles[place, name], who)
    workflows = [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflows"],
            "verbs": ["get", "list", "watch", "update", "patch"],
        }
    ]
    _bind(world, "runner", workflows, RUNNER)
    people = {"promotion-requester": ("ada", "olga"), "promotion-approver": ("bob", "eve", "ada")}
    people["promotion-operator"] = ("olga",)
    people["promotion-ratifier"] = ("ada", "bob")
    for role, names in people.items():
        for name in names:
            reference = {"kind": "ClusterRole", "name": role}
            _bind_role(world, f"{role}-{name}", reference, name)


def _bind(world: World, name: str, rules: Any, who: str) -> None:
    path = f"{RBAC}/namespaces/{world.namespace}"
    world.call("POST", f"{path}/roles", {"metadata": {"name": name}, "rules": rules})
    _bind_role(world, name, {"kind": "Role", "name": name}, who)


def _bind_role(world: World, name: str, role: dict[str, str], who: str) -> None:
    body = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", **role},
        "subjects": [{"kind": "User", "name": who, "apiGroup": "rbac.authorization.k8s.io"}],
    }
    world.call("POST", f"{RBAC}/namespaces/{world.namespace}/rolebindings", body)
