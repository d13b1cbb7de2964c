"""What the cluster's programs say when something is missing."""

import stat
from pathlib import Path

import pytest

from ci import cluster
from ci.cluster_deploy import deploy, overlays
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError, TemporaryError


def _program(folder: Path, name: str, script: str) -> None:
    """Put an executable on a PATH of our own."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("tool", ["kind", "minikube"])
def test_up_names_every_missing_tool(tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All that has to be installed is said at once."""
    assert 2 == cluster.main(["up", "--cluster", tool])
    assert f"needs {tool}, docker, kubectl, which is not installed" in capsys.readouterr().err


def test_up_takes_the_tool_that_is_installed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without CLUSTER, minikube is chosen where kind is not there."""
    _program(path, "minikube", "exit 0")

    assert 2 == cluster.main(["up"])
    assert "a cluster on minikube needs docker, kubectl" in capsys.readouterr().err


def test_up_refuses_an_unknown_tool(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt CLUSTER names those there are."""
    assert 2 == cluster.main(["up", "--cluster", "k3d"])
    assert "CLUSTER=k3d is none of kind, minikube" in capsys.readouterr().err


@pytest.mark.usefixtures("path")
def test_a_missing_kubectl_is_named() -> None:
    """The first call says how to get it."""
    with pytest.raises(PermanentError, match="kubectl is not installed"):
        Kubectl().run("version")


@pytest.mark.parametrize(
    ("said", "error", "advice"),
    [
        ("The connection to the server localhost:8080 was refused", TemporaryError, "is it up"),
        ("dial tcp 10.0.0.1:6443: connection refused", TemporaryError, "right context"),
        ('User "eve" cannot create: forbidden', PermanentError, "ask an admin"),
        ('error: context "prod" does not exist', PermanentError, "prod"),
    ],
)
def test_a_refusal_says_what_to_do(
    path: Path, said: str, error: type[Exception], advice: str
) -> None:
    """The message holds the words of kubectl, and what they mean here."""
    _program(path, "kubectl", f"echo '{said}' >&2; exit 1")

    with pytest.raises(error, match=advice):
        Kubectl().run("get", "pods")


def test_an_unknown_overlay_names_those_there_are() -> None:
    """A misspelt OVERLAY is refused before anything is asked of a cluster."""
    assert {"kind", "minikube", "production", "testbed"} == set(overlays())
    with pytest.raises(PermanentError, match="no overlay 'prod'; there are: kind, "):
        list(deploy(Kubectl(), "prod"))


def test_a_cluster_without_pipelines_is_told_apart(path: Path) -> None:
    """A wrong context is found before the first write."""
    _program(path, "kubectl", "exit 0")

    with pytest.raises(PermanentError, match="no Kubeflow Pipelines, or the context"):
        list(deploy(Kubectl(), "testbed"))


def test_a_cluster_that_exists_is_recognised_by_its_whole_name(path: Path) -> None:
    """Another cluster whose name begins like ours is not ours."""
    _program(path, "kind", "echo modelwarrant-of-ada")
    _program(path, "minikube", 'echo \'{"invalid": [], "valid": [{"Name": "modelwarrant"}]}\'')

    assert not cluster.places()["kind"].is_up()
    assert cluster.places()["minikube"].is_up()


def test_images_are_discovered() -> None:
    """One image a stage, serving and the gate: nobody keeps a list."""
    stages = list((Path(cluster.__file__).parents[1] / "components").glob("*/component.py"))

    assert len(stages) + 2 == len(cluster.images())
    assert {"modelwarrant/detect-drift:dev", "modelwarrant/gate:dev"} <= set(cluster.images())
