"""The whole lifecycle on a cluster: our images, real suspend and resume, people, replicas."""

import base64
import io
import time

import pytest
from minio import Minio, S3Error

from ci.cluster_deploy import pin
from tests.cluster.lifecycle.place import KUBECTL, SERVING, Load, Place
from tests.e2e import argo

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

LATER = "2024-06-01..2024-09-15"
"""The rule turned around on the first of June."""


def test_from_a_first_model_to_a_rollback(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Asked, waited for without a pod, approved by another, served by all, and taken back."""
    place = Place(tmp_path_factory.mktemp("cluster"))

    first = _first_model(place)
    pin(KUBECTL, place.model)
    KUBECTL.run("rollout", "status", "-n", SERVING, "deployment/serving", "--timeout=120s")
    with place.replicas() as addresses:
        assert 2 == len(addresses)
        with Load(addresses) as load:
            load.until_version(first, timeout_s=30)
            second = _better_model(place, load, first)
            _way_back(place, load, first)
        assert [] == load.failures
        assert {first, second} == {version for version, _, _ in load.mixed}
        assert 2 == len(load.mixed), "an answer mixed two versions"
    _rejection_is_red(place)


def _first_model(place: Place) -> int:
    """A person asks, the run waits, the same person may not approve, another one does."""
    request, workflow = place.run()
    status = place.until_waiting(request, workflow)
    assert ("NEEDS_APPROVAL", "first-model") == (status["verdict"], status["rule"])
    own = place.warrant("ada", "approve", request, "--reason", "mine")
    assert 2 == own.returncode
    assert "self-approval" in own.stderr
    KUBECTL.run("delete", "pod", "-n", "modelwarrant-system", "-l", "app.kubernetes.io/name=gate")
    approved = place.warrant("bob", "approve", request, "--reason", "beats the mean")
    assert 0 == approved.returncode, approved.stderr
    ended = place.until_ended(workflow)
    assert "Succeeded" == ended["status"]["phase"], argo.messages(ended)
    assert "promoted" == argo.outputs(ended)["await-outcome"]["outcome"]
    version: int = place.status(request)["version"]
    return version


def _better_model(place: Place, load: Load, first: int) -> int:
    """A window that drifted: approved, resumed within seconds, served by every replica."""
    request, workflow = place.run(LATER)
    status = place.until_waiting(request, workflow)
    assert "NEEDS_APPROVAL" == status["verdict"]
    assert "drift" == status["drift"]
    approved = place.warrant("bob", "approve", request, "--reason", "the rule turned around")
    assert 0 == approved.returncode, approved.stderr
    started = time.monotonic()
    argo.wait_until(workflow, lambda found: not found["spec"].get("suspend"), place.api)
    assert time.monotonic() - started < 5
    version: int = place.status(request)["version"]
    assert first < version
    load.until_version(version, timeout_s=30)
    assert "Succeeded" == place.until_ended(workflow)["status"]["phase"]
    return version


def _way_back(place: Place, load: Load, first: int) -> None:
    """A rollback by somebody with the right; refused to somebody without."""
    words = ("rollback", place.model, "--to", str(first), "--reason", "worse at night")
    refused = place.warrant("ada", *words)
    assert 2 == refused.returncode
    assert "may-ask" in refused.stderr
    load.forget()
    done = place.warrant("olga", *words)
    assert 0 == done.returncode, done.stderr
    load.until_version(first, timeout_s=30)


def _rejection_is_red(place: Place) -> None:
    """A run whose candidate a person rejects ends red, and the reason is in the workflow."""
    request, workflow = place.run(LATER)
    place.until_waiting(request, workflow)
    rejected = place.warrant("bob", "reject", request, "--reason", "not before the holidays")
    assert 0 == rejected.returncode, rejected.stderr
    ended = place.until_ended(workflow)
    assert "Failed" == ended["status"]["phase"]
    assert "rejected by" in str(argo.messages(ended))
    assert "not before the holidays" in str(argo.messages(ended))


def test_a_stage_may_not_write_the_ledger() -> None:
    """The store refuses the pipelines' own user, whatever a stage tries."""
    secret = KUBECTL.get("secret", "kubeflow", "warrant-store")
    assert secret is not None
    keys = {k: base64.b64decode(v).decode() for k, v in secret["data"].items()}
    with KUBECTL.forward("modelwarrant-store", "service/minio", 9000) as port:
        store = Minio(
            f"127.0.0.1:{port}",
            keys["AWS_ACCESS_KEY_ID"],
            keys["AWS_SECRET_ACCESS_KEY"],
            secure=False,
        )
        with pytest.raises(S3Error, match="AccessDenied"):
            store.put_object("modelwarrant", "m/demand/log/000000000001.json", io.BytesIO(b"{}"), 2)
