"""A cluster with the gate's interface, people with roles, and copies that lack one rule each."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from uuid import uuid4

import pytest

from tests.cluster.admission.api import POLICY, Api, Caller, Json, eventually
from tests.cluster.admission.caller_cases import POLICY_CASES
from tests.cluster.admission.manifests import (
    GATE_API,
    GROUP,
    policy_objects,
    policy_rules,
    role_rules,
    schema,
    schema_rules,
)
from tests.cluster.admission.requests import CARL, NINA, ROLES, Requests

RBAC_API = "/apis/rbac.authorization.k8s.io/v1"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="session")
def api() -> Api:
    """The cluster, with the gate's interface installed as it is shipped."""
    api = Api.connect()
    kubectl = shutil.which("kubectl", path=f"{os.environ['PATH']}:/var/lib/testbed/bin")
    assert kubectl is not None, "kubectl is not on PATH"
    for command in (
        ["apply", "-k", str(GATE_API)],
        ["wait", "--for=condition=Established", f"crd/promotionrequests.{GROUP}", "--timeout=30s"],
    ):
        done = subprocess.run([kubectl, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return api


@pytest.fixture(scope="session")
def namespace(api: Api) -> Iterator[str]:
    """A namespace of our own, where the people of these tests have the shipped roles."""
    name = f"admission-{uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", [{"metadata": {"name": name}}])
    path = f"{RBAC_API}/namespaces/{name}"
    roles = {**{role: role_rules(role) for role in ROLES}, **_EXTRA_RULES}
    for role, rules in roles.items():
        people = ROLES.get(role) or _EXTRA_PEOPLE[role]
        api.create(f"{path}/roles", [{"metadata": {"name": role}, "rules": _widen(rules, name)}])
        api.create(f"{path}/rolebindings", [binding(role, people)])
    yield name
    # The administrator may purge what was decided; without that, the namespace could not go.
    api.call("DELETE", f"/apis/{GROUP}/v1/namespaces/{name}/promotionrequests").demand()
    api.call("DELETE", f"/api/v1/namespaces/{name}").demand()


@pytest.fixture(scope="session")
def shipped(api: Api, namespace: str) -> Requests:
    """Requests of the shipped kind, under the shipped rules."""
    requests = Requests(api, GROUP, namespace)
    _await_rules(requests, "requester")
    return requests


@pytest.fixture(scope="session")
def schemas(api: Api, namespace: str) -> Iterator[list[Requests]]:
    """Copies of the kind, each without one rule of the schema, and outside the policy."""
    group = f"{namespace}.schema.example"
    copies = [
        Requests(api, group, namespace, plural, plural.capitalize(), is_ruled=False)
        for plural in (f"without{index:02}s" for index in range(len(schema_rules())))
    ]
    try:
        api.create(
            CRDS,
            (
                schema(group=group, plural=copy.plural, without=index)
                for index, copy in enumerate(copies)
            ),
        )
        for copy in copies:
            _await_kind(copy)
        yield copies
    finally:
        for copy in copies:
            api.call("DELETE", f"{CRDS}/{copy.plural}.{group}")


@pytest.fixture(scope="session")
def policies(api: Api, namespace: str) -> Iterator[dict[str, Requests]]:
    """Requests of a copy of the kind; those of each label lie under a policy without one rule."""
    group = _scratch_group(namespace)
    copies = {
        rule: Requests(api, group, namespace, labels={"without": rule}) for rule in policy_rules()
    }
    try:
        api.create(CRDS, [schema(group=group, plural="promotionrequests")])
        for rule, copy in copies.items():
            policy, binding = policy_objects(
                group=group, name=_name(rule, group), without=rule, labels=copy.labels
            )
            api.create(POLICIES, [policy])
            api.create(BINDINGS, [binding])
        for rule, copy in copies.items():
            _await_kind(copy)
            _await_rules(copy, "may-ask" if rule == "requester" else "requester")
        yield copies
    finally:
        for rule in copies:
            api.call("DELETE", f"{BINDINGS}/{_name(rule, group)}")
            api.call("DELETE", f"{POLICIES}/{_name(rule, group)}")
        api.call("DELETE", f"{CRDS}/promotionrequests.{group}")


def binding(role: str, people: Iterable[Caller], *, name: str = "", kind: str = "Role") -> Json:
    """Return the binding of a role to people."""
    subjects = [
        {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": who.name}
        for who in people
    ]
    role_ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
    return {"metadata": {"name": name or role}, "roleRef": role_ref, "subjects": subjects}


_EXTRA_PEOPLE = {"cleaner": (CARL,), "narrow": (NINA,)}
_EXTRA_RULES: dict[str, list[Json]] = {
    "cleaner": [
        {
            "apiGroups": [GROUP],
            "resources": ["promotionrequests"],
            "verbs": ["get", "list", "delete", "deletecollection"],
        }
    ],
    "narrow": [
        {"apiGroups": [GROUP], "resources": ["promotionrequests"], "verbs": ["get", "update"]},
        {
            "apiGroups": [GROUP],
            "resources": ["models"],
            "resourceNames": ["other"],
            "verbs": ["approve"],
        },
    ],
}


def _scratch_group(namespace: str) -> str:
    return f"{namespace}.policy.example"


def _name(rule: str, group: str) -> str:
    return f"promotionrequests.{rule}.{group}"


def _widen(rules: list[Json], namespace: str) -> list[Json]:
    """Let a role hold for the copy of the kind as well."""
    return [
        {**rule, "apiGroups": [*rule["apiGroups"], _scratch_group(namespace)]}
        if GROUP in rule["apiGroups"]
        else rule
        for rule in rules
    ]


def _await_kind(requests: Requests) -> None:
    def is_served() -> bool:
        return requests.api.call("GET", requests.path).code == 200

    eventually(is_served, f"{requests.plural}.{requests.group} is not served")


def _await_rules(requests: Requests, rule: str) -> None:
    """Wait until roles and policy hold, seen by a denial by one of the policy's rules."""
    case = next(case for case in POLICY_CASES if case.says.startswith(f"{rule}: "))

    def is_denied() -> bool:
        return requests.attempt(case).layer == POLICY

    eventually(is_denied, f"the policy for {requests.group} {requests.labels} is not in force")
