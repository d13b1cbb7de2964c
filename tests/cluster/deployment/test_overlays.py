"""What kustomize renders, the API server takes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ci.cluster_deploy import MANIFESTS, overlays, render
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError

pytestmark = pytest.mark.cluster

COMPONENTS = sorted(path.parent.name for path in MANIFESTS.glob("options/*/kustomization.yaml"))
UNKNOWN_KINDS = {"ServiceMonitor"}
"""Kinds of operators that the test cluster does not have: their fields are not checked here."""


def _accepted(kubectl: Kubectl, documents: list[dict[str, Any]]) -> int:
    """Dry-run every document on the server, which checks fields, values and Pod Security."""
    for document in documents:
        if document["kind"] == "StatefulSet":
            # A claim's size cannot be changed where one runs: the server compares it with none.
            document["metadata"]["name"] += "-dry-run"
    said = kubectl.apply(yaml.safe_dump_all(documents), "--dry-run=server", "--validate=strict")
    return len(said.splitlines())


@pytest.mark.parametrize("overlay", overlays())
def test_every_overlay_is_accepted(kubectl: Kubectl, overlay: str) -> None:
    """No field is unknown, no value is refused, and no pod breaks its namespace's Pod Security."""
    documents = render(kubectl, MANIFESTS / "overlays" / overlay)

    assert len(documents) == _accepted(kubectl, documents)


@pytest.mark.parametrize("option", COMPONENTS)
def test_every_option_is_accepted(kubectl: Kubectl, tmp_path: Path, option: str) -> None:
    """An option renders on top of the base, and adds objects that the server takes."""
    base = render(kubectl, MANIFESTS / "base")
    (tmp_path / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "resources": [_relative(tmp_path, "base")],
                "components": [_relative(tmp_path, f"options/{option}")],
            }
        )
    )
    documents = render(kubectl, tmp_path)
    known = [one for one in documents if one["kind"] not in UNKNOWN_KINDS]

    assert len(documents) > len(base)
    assert len(known) == _accepted(kubectl, known)


def _relative(folder: Path, target: str) -> str:
    """Make a path relative: kustomize takes no absolute paths."""
    return str(Path(*[".."] * (len(folder.resolve().parts) - 1)) / str(MANIFESTS / target)[1:])


@pytest.mark.parametrize("overlay", overlays())
def test_no_secret_is_shipped(kubectl: Kubectl, overlay: str) -> None:
    """Secrets come from ci/cluster_secrets.py, never from the manifests."""
    kinds = {document["kind"] for document in render(kubectl, MANIFESTS / "overlays" / overlay)}

    assert "Secret" not in kinds


@pytest.mark.parametrize("namespace", ["modelwarrant-system", "modelwarrant-serving"])
def test_a_lax_pod_is_refused(kubectl: Kubectl, namespace: str) -> None:
    """Our namespaces enforce restricted Pod Security, so that the checks above mean something."""
    image = "modelwarrant/gate:dev"
    with pytest.raises(PermanentError, match="violates PodSecurity"):
        kubectl.run("run", "lax", "-n", namespace, f"--image={image}", "--dry-run=server")
