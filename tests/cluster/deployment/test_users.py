"""A second human comes to the cluster by name, and with no right of his own."""

import json
import socket
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from ci.cluster_user import add_user, suggestions
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def person() -> str:
    """A name that nobody has yet."""
    return f"ada-{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="module")
def as_person(kubectl: Kubectl, person: str, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """A kubectl with the kubeconfig that was made for this person."""
    file = tmp_path_factory.mktemp("user") / "config"
    add_user(kubectl, person, file)
    assert kubectl.environment is not None
    return replace(kubectl, environment={**kubectl.environment, "KUBECONFIG": str(file)})


def test_the_cluster_knows_the_person_by_name(as_person: Kubectl, person: str) -> None:
    """What stands in requests and decisions is the name that was given."""
    who = json.loads(as_person.run("auth", "whoami", "-o", "json"))

    assert person == who["status"]["userInfo"]["username"]
    assert ["system:authenticated"] == who["status"]["userInfo"]["groups"]


def test_a_new_person_may_do_nothing(as_person: Kubectl) -> None:
    """A certificate is a name, not a right; the message says whom to ask."""
    with pytest.raises(PermanentError, match="ask an admin"):
        as_person.run("get", "promotionrequests", "-n", "modelwarrant-system")


def test_the_suggested_commands_give_a_part(
    kubectl: Kubectl, as_person: Kubectl, person: str
) -> None:
    """An admin who runs a suggested line makes an approver."""
    line = next(one for one in suggestions(person) if "promotion-approver" in one)
    kubectl.run(*line.split()[1:])
    try:
        allowed = [_may(as_person, verb) for verb in ("approve", "rollback")]
    finally:
        kubectl.run("delete", "rolebinding", "-n", "modelwarrant-system", f"{person}-approver")

    assert [True, False] == allowed


def test_a_reviewer_reads_the_evidence_and_nothing_more(
    kubectl: Kubectl, as_person: Kubectl, person: str
) -> None:
    """The part of a reviewer opens one Secret of the store's zone, never root's."""
    line = next(one for one in suggestions(person) if "store-reviewer" in one)
    kubectl.run(*line.split()[1:])
    place = ("-n", "modelwarrant-store")
    try:
        seen = as_person.get("secret", "modelwarrant-store", "store-user-reviewer")
        with pytest.raises(PermanentError, match="ask an admin"):
            as_person.get("secret", "modelwarrant-store", "minio-root")
        with as_person.forward("modelwarrant-store", "service/minio", 9000) as port:
            socket.create_connection(("127.0.0.1", port), timeout=3).close()
    finally:
        kubectl.run("delete", "rolebinding", *place, f"{person}-reviewer")

    assert seen is not None


def _may(kubectl: Kubectl, verb: str) -> bool:
    """Ask the API server, as the admission policy does; kubectl auth can-i wants a served kind."""
    attributes = {
        "namespace": "modelwarrant-system",
        "group": "modelwarrant.dev",
        "resource": "models",
        "name": "flights",
        "verb": verb,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = kubectl.run(
        "create", "--validate=false", "-o", "json", "-f", "-", stdin=json.dumps(review)
    )
    return bool(json.loads(answer)["status"]["allowed"])


def test_the_kubeconfig_is_its_owners(kubectl: Kubectl, as_person: Kubectl, person: str) -> None:
    """It is readable by its owner only, never overwritten, and no signing request stays."""
    assert as_person.environment is not None
    file = Path(as_person.environment["KUBECONFIG"])

    assert 0o600 == file.stat().st_mode & 0o777
    with pytest.raises(PermanentError, match="exists"):
        add_user(kubectl, person, file)
    assert person not in kubectl.run("get", "certificatesigningrequests", "-o", "name")


@pytest.mark.parametrize("name", ["", "Ada", "system:admin", "a b", "-a", "a" * 64])
def test_a_name_that_is_none_is_refused(kubectl: Kubectl, tmp_path: Path, name: str) -> None:
    """A system: identity, or a name that cannot stand in an object's name, is made for nobody."""
    with pytest.raises(PermanentError, match="no name for a person"):
        add_user(kubectl, name, tmp_path / "config")
