"""Does every rule guard every door, and does every right that is given open one?"""

import base64
from collections.abc import Iterator
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cluster.admission.api import ALLOWED, POLICY, RBAC, Answer, Api, Caller, Json, eventually
from tests.cluster.admission.conftest import RBAC_API, binding
from tests.cluster.admission.manifests import Grant, grants, load, role_rules
from tests.cluster.admission.requests import (
    ALICE,
    CARL,
    ERIN,
    PIPELINES,
    STATES,
    Case,
    Requests,
    answer,
    ask_ratification,
    ask_rollback,
    spec,
    status,
)

pytestmark = pytest.mark.cluster

CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
SERVER_SIDE = "apply-patch+yaml"


def _decided(shipped: Requests, by: Caller) -> Json:
    """Return a request as it would be with somebody's decision in it."""
    item = shipped.api.call("GET", shipped.path_in("handed in")).demand()
    answer(by)(item)
    return item


def test_a_merge_patch_passes_the_same_rules(shipped: Requests) -> None:
    """The requester cannot approve by a merge patch either."""
    patch = {"spec": {"decisions": _decided(shipped, ALICE)["spec"]["decisions"]}}
    denied = shipped.api.call("PATCH", shipped.path_in("handed in"), patch, by=ALICE, dryRun="All")
    assert (POLICY, True) == (denied.layer, "self-approval:" in denied.message)


def test_a_json_patch_passes_the_same_rules(shipped: Requests) -> None:
    """The requester cannot approve by a JSON patch either."""
    decisions = _decided(shipped, ALICE)["spec"]["decisions"]
    denied = shipped.api.call(
        "PATCH",
        shipped.path_in("handed in"),
        [{"op": "add", "path": "/spec/decisions", "value": decisions}],
        by=ALICE,
        kind="json-patch+json",
        dryRun="All",
    )
    assert (POLICY, True) == (denied.layer, "self-approval:" in denied.message)


def test_a_server_side_apply_passes_the_same_rules(shipped: Requests) -> None:
    """The requester cannot approve by a server-side apply either."""
    item = _decided(shipped, ALICE)
    del item["metadata"]["managedFields"]
    denied = shipped.api.call(
        "PATCH",
        shipped.path_in("handed in"),
        item,
        by=ALICE,
        kind=SERVER_SIDE,
        dryRun="All",
        fieldManager="kubectl",
        force="true",
    )
    assert (POLICY, True) == (denied.layer, "self-approval:" in denied.message)


def test_an_apply_that_creates_passes_the_rules_of_a_create(shipped: Requests) -> None:
    """Nobody asks in another's name by a server-side apply of a new request."""
    item = shipped.body(ERIN)
    item["metadata"]["name"] = "run-applied"
    denied = shipped.api.call(
        "PATCH",
        f"{shipped.path}/run-applied",
        item,
        kind=SERVER_SIDE,
        dryRun="All",
        fieldManager="kubectl",
    )
    assert (POLICY, True) == (denied.layer, "requester:" in denied.message)


def test_deleting_all_at_once_passes_the_rule_of_each(shipped: Requests) -> None:
    """What is decided is kept where a whole collection is deleted, too."""
    assert shipped.path_in("decided")
    denied = shipped.api.call("DELETE", shipped.path, by=CARL, dryRun="All")
    assert (POLICY, True) == (denied.layer, "kept:" in denied.message)


def test_what_nobody_decided_may_be_deleted(shipped: Requests) -> None:
    """A request that waits for its candidate can go without the verb purge."""
    assert ALLOWED == shipped.attempt(Case("", "", "", CARL, "asked", spec(), "delete")).layer


def test_a_status_in_an_update_of_the_object_is_not_stored(shipped: Requests) -> None:
    """Who may update the object, but not its status, changes nothing by sending one."""
    attempt = Case("", "", "", ALICE, "handed in", status(outcome="promoted"))
    assert "status" not in shipped.attempt(attempt).demand()


def test_a_decision_sent_to_the_status_is_not_stored(shipped: Requests) -> None:
    """Who may write the status, as the gate, makes no decision by sending one there."""
    gate = next(by for by, at, _ in STATES["closed"] if at == "status")
    attempt = Case("", "", "", gate, "handed in", answer(ERIN), "status")
    assert "decisions" not in shipped.attempt(attempt).demand()["spec"]


def test_the_canary_can_be_installed_by_whoever_installs(shipped: Requests) -> None:
    """The shipped canary names nobody as its requester, so its applying works on any cluster."""
    item = load("../gate-canary/canary.yaml")[0]
    item["metadata"]["namespace"] = shipped.namespace
    assert ALLOWED == shipped.api.call("POST", shipped.path, item, dryRun="All").layer


def test_a_pipeline_asks_for_itself(shipped: Requests) -> None:
    """A run that nobody announced asks in its service account's name; a person decides."""
    attempt = Case("", "", "", ERIN, "unannounced", answer(ERIN))
    assert ALLOWED == shipped.attempt(attempt).layer


def test_kubectl_get_shows_what_a_person_looks_for(shipped: Requests) -> None:
    """The columns that are shown without -o wide."""
    shipped.path_in("landed")
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    table = shipped.api.http.get(shipped.path, headers=accept).json()
    shown = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    asked = ["Model", "Operation", "Version", "Verdict", "Drift", "Delta", "Outcome", "Age"]
    assert ["Name", *asked] == shown


def test_two_people_with_certificates_of_their_own(
    api: Api, namespace: str, shipped: Requests
) -> None:
    """Without impersonation: who asked is refused, the other one's decision is kept for good."""
    asker, approver = (Caller(f"{name}-{uuid4().hex[:6]}") for name in ("ann", "ben"))
    path = f"{RBAC_API}/namespaces/{namespace}/rolebindings"
    for role in ("promotion-requester", "promotion-approver"):
        bound = binding(role, [asker, approver], name=f"{role}-{asker.name}", kind="ClusterRole")
        api.create(path, [bound])
    as_asker, as_approver = _log_in(api, asker), _log_in(api, approver)
    eventually(lambda: as_asker.call("GET", shipped.path).code == 200, "roles do not hold")
    name = as_asker.call("POST", shipped.path, shipped.body(asker)).demand()["metadata"]["name"]
    handed = api.call("GET", shipped.path_in("handed in")).demand()["spec"]
    facts = {key: handed[key] for key in ("candidate", "verdict", "run")}
    one = f"{shipped.path}/{name}"
    api.call("PATCH", one, {"spec": facts}, by=PIPELINES).demand()
    own = api.call("GET", one).demand()
    answer(asker)(own)
    assert "self-approval:" in as_asker.call("PUT", one, own).message
    other = api.call("GET", one).demand()
    answer(approver)(other)
    assert [approver.name] == [
        made["approver"]
        for made in as_approver.call("PUT", one, other).demand()["spec"]["decisions"]
    ]


@pytest.fixture(scope="module")
def deprived(api: Api, namespace: str) -> Iterator[dict[Grant, tuple[Caller, Caller]]]:
    """For every verb that a role gives, somebody with the whole role and somebody without it."""
    pairs = {
        grant: (Caller(f"{namespace}-{index}-full"), Caller(f"{namespace}-{index}-less"))
        for index, grant in enumerate(grants())
    }
    asking = f"{RBAC_API}/namespaces/{namespace}/rolebindings"
    try:
        for grant, (full, less) in pairs.items():
            for who, rules in (
                (full, role_rules(grant.role)),
                (less, role_rules(grant.role, without=grant)),
            ):
                api.create(
                    f"{RBAC_API}/clusterroles", [{"metadata": {"name": who.name}, "rules": rules}]
                )
                bound = binding(who.name, [who], kind="ClusterRole")
                if grant.group == "admissionregistration.k8s.io":
                    api.create(f"{RBAC_API}/clusterrolebindings", [bound])
                else:
                    api.create(asking, [bound])
        for operation in ("rollback", "ratify"):
            people = [who for at, pair in pairs.items() if at.verb == operation for who in pair]
            api.create(asking, [binding("promotion-requester", people, name=operation)])
        last, (full, _) = list(pairs.items())[-1]
        eventually(lambda: _reaches(api, namespace, last, full), "roles do not hold")
        yield pairs
    finally:
        for full, less in pairs.values():
            for who in (full, less):
                api.call("DELETE", f"{RBAC_API}/clusterroles/{who.name}")
                api.call("DELETE", f"{RBAC_API}/clusterrolebindings/{who.name}")


@pytest.mark.parametrize("grant", grants(), ids=lambda g: f"{g.role}-{g.verb}-{g.resource}")
def test_each_right_that_a_role_gives_is_needed(
    api: Api,
    shipped: Requests,
    deprived: dict[Grant, tuple[Caller, Caller]],
    grant: Grant,
) -> None:
    """With the whole role the act is possible; with this verb taken away it is denied."""
    full, less = deprived[grant]
    if grant.resource == "models":
        reached = [_custom(shipped, grant, who).layer for who in (full, less)]
        assert [ALLOWED, POLICY] == reached
    else:
        assert _reaches(api, shipped.namespace, grant, full)
        assert not _reaches(api, shipped.namespace, grant, less)


def test_no_role_gives_a_right_that_would_open_another_door() -> None:
    """Nobody gets impersonate, escalate, bind, purge, delete or a wildcard, or writes admission."""
    given = grants()
    assert not {"impersonate", "escalate", "bind", "purge", "delete", "deletecollection", "*"} & {
        grant.verb for grant in given
    }
    assert {"get"} == {
        grant.verb for grant in given if grant.group == "admissionregistration.k8s.io"
    }
    assert {"gate"} == {grant.role for grant in given if grant.resource.endswith("/status")}


def _custom(shipped: Requests, grant: Grant, who: Caller) -> Answer:
    state, change = {
        "approve": ("handed in", answer(who)),
        "rollback": ("", ask_rollback),
        "ratify": ("", ask_ratification),
    }[grant.verb]
    return shipped.attempt(Case("", "", "", who, state, change))


def _reaches(api: Api, namespace: str, grant: Grant, who: Caller) -> bool:
    """Say whether RBAC lets somebody through; what lies behind may still find the body wrong."""
    version = "v1alpha1" if grant.group == "argoproj.io" else "v1"
    is_global = grant.group == "admissionregistration.k8s.io"
    resource, _, part = grant.resource.partition("/")
    path = f"/apis/{grant.group}/{version}"
    path += f"/{resource}" if is_global else f"/namespaces/{namespace}/{resource}"
    if grant.verb not in ("create", "list", "watch"):
        path += f"/{grant.name or 'nothing'}" + (f"/{part}" if part else "")
    method = {"create": "POST", "update": "PUT", "patch": "PATCH"}.get(grant.verb, "GET")
    if grant.verb == "watch":
        return RBAC != api.call("GET", path, by=who, watch="1", timeoutSeconds="1").layer
    if method == "GET":
        return RBAC != api.call("GET", path, by=who).layer
    return RBAC != api.call(method, path, {}, by=who, dryRun="All").layer


def _log_in(api: Api, who: Caller) -> Api:
    """Return the API server as seen by a person with a client certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who.name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    body = {
        "metadata": {"name": who.name},
        "spec": {
            "request": base64.b64encode(csr.public_bytes(serialization.Encoding.PEM)).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
            "expirationSeconds": 600,
        },
    }
    made = api.call("POST", CSRS, body).demand()
    approved = {"type": "Approved", "status": "True", "reason": "Test", "message": "a test's user"}
    made["status"] = {"conditions": [approved]}
    path = f"{CSRS}/{who.name}"
    api.call("PUT", f"{path}/approval", made).demand()

    def certificate() -> str:
        return str(api.call("GET", path).demand().get("status", {}).get("certificate", ""))

    eventually(lambda: certificate() != "", f"the certificate of {who.name} is not signed")
    signed = base64.b64decode(certificate())
    api.call("DELETE", path).demand()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return api.as_person(signed + private)
