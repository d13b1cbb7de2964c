"""Secrets are made once, and hold what their readers expect."""

import base64
import json

import pytest

from ci.cluster_secrets import GATE_KEY, STORE_USERS, SecretSpec, ensure, ensure_all, read
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError
from modelwarrant.registry import Signer

pytestmark = pytest.mark.cluster


def test_a_secret_is_made_once(kubectl: Kubectl, strange_namespace: str) -> None:
    """The second deployment keeps the first one's password."""
    spec = SecretSpec(strange_namespace, "once", frozenset({"password"}))

    assert ensure(kubectl, spec, {"password": "first"})
    assert not ensure(kubectl, spec, {"password": "second"})
    assert {"password": "first"} == read(kubectl, spec)


def test_an_incomplete_secret_is_named_and_kept(kubectl: Kubectl, strange_namespace: str) -> None:
    """A Secret that somebody made without a key is his to complete."""
    place = ("-n", strange_namespace, "--from-literal=user=root")
    kubectl.run("create", "secret", "generic", "half", *place)
    spec = SecretSpec(strange_namespace, "half", frozenset({"user", "password"}))

    with pytest.raises(PermanentError, match=f"Secret {strange_namespace}/half .* lacks password"):
        ensure(kubectl, spec, {"user": "x", "password": "y"})
    assert {"user": "root"} == read(kubectl, spec)


def test_a_deployed_cluster_lacks_none(kubectl: Kubectl) -> None:
    """Another deployment makes no new secret."""
    assert [] == ensure_all(kubectl)


def test_the_gates_key_signs(kubectl: Kubectl) -> None:
    """The key in the cluster is one that the ledger takes."""
    pem = read(kubectl, GATE_KEY)["signing-key"]

    assert Signer.from_pem(pem.encode(), name="gate-key").sign(b"entry")


def test_no_zone_holds_the_credentials_of_another(kubectl: Kubectl) -> None:
    """A pod of one namespace can read its own zone's store user at most."""
    held: dict[str, set[str]] = {}
    for user in STORE_USERS:
        listed = json.loads(kubectl.run("get", "secrets", "-n", user.namespace, "-o", "json"))
        held[user.namespace] = {
            base64.b64decode(item["data"]["AWS_ACCESS_KEY_ID"]).decode()
            for item in listed["items"]
            if "AWS_ACCESS_KEY_ID" in (item.get("data") or {})
        }

    assert {"pipelines", "kfp"} == held["kubeflow"]
    assert {"gate"} == held["modelwarrant-system"]
    assert {"serving"} == held["modelwarrant-serving"]
