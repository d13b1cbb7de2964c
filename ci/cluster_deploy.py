"""In which order does an overlay come to a cluster, and what stands in its way?

The request's kind and the namespaces first, then the secrets, then everything, then what needs a
running store or the kind: users and policies, the canary. Each step can be repeated; what fails
names what is missing, and a second ``make deploy`` goes on from there.
"""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ci import cluster_secrets, cluster_store
from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError, TemporaryError

__all__ = ["DEFAULT_MODEL", "MANIFESTS", "deploy", "overlays", "pin", "render", "stuck_pods"]

MANIFESTS = Path(__file__).resolve().parent.parent / "manifests"
DEFAULT_MODEL = "late-arrival"
_KIND = "customresourcedefinition/promotionrequests.modelwarrant.dev"
_FIRST = frozenset({"Namespace", "CustomResourceDefinition", "ConfigMap"})
"""What others need when they come: a container reads its settings once, when it starts."""

_GATE, _SERVING = ("modelwarrant-system", "gate"), ("modelwarrant-serving", "serving")
"""Namespace and name, both of a Deployment and of its settings."""

_LOOKS = 6
"""Looks at a container that cannot start, 5 s apart, before a deployment gives up."""

_FAULTS = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
    }
)


def overlays() -> list[str]:
    """Return the names of the overlays there are."""
    return sorted(path.parent.name for path in MANIFESTS.glob("overlays/*/kustomization.yaml"))


def render(kubectl: Kubectl, folder: Path) -> list[dict[str, Any]]:
    """Return what a kustomization makes, document by document."""
    return list(yaml.safe_load_all(kubectl.run("kustomize", str(folder))))


def deploy(kubectl: Kubectl, overlay: str, *, model: str | None = None) -> Iterator[str]:
    """Bring an overlay to the cluster; yields a sentence after each step.

    Args:
        kubectl: an admin's.
        overlay: a folder of ``manifests/overlays``.
        model: to serve; None keeps what the cluster serves, or takes the demo's.

    Raises:
        PermanentError: something is missing or forbidden; says what to do.
        TemporaryError: the cluster, or something in it, does not come up.
    """
    if overlay not in overlays():
        raise PermanentError(f"no overlay {overlay!r}; there are: {', '.join(overlays())}")
    if kubectl.get("namespace", None, "kubeflow") is None:
        raise PermanentError(
            "the namespace kubeflow is not there: this cluster has no Kubeflow Pipelines, or the "
            "context is another cluster's (kubectl config current-context); "
            "`make cluster-up` installs it on kind and minikube"
        )
    documents = render(kubectl, MANIFESTS / "overlays" / overlay)
    kubectl.apply(_yaml([one for one in documents if one["kind"] in _FIRST]))
    kubectl.run("wait", "--for=condition=Established", _KIND, "--timeout=60s")
    yield "the request's kind, the namespaces and the settings are there"
    made = cluster_secrets.ensure_all(kubectl)
    yield f"made {', '.join(made)}" if made else "every secret was there already"
    running = [of for of in (_SERVING, _GATE) if kubectl.get("deployment", *of)]
    changed = {_SERVING: _name_model(kubectl, model), _GATE: _name_installer(kubectl)}
    installer = _settings(kubectl, _GATE)["WARRANT_INSTALLER"]
    yield f"every new model's ledger begins with the shipped policy, ratified by {installer}"
    kubectl.apply(_yaml(documents))
    for namespace, name in running:
        if changed[namespace, name]:
            kubectl.run("-n", namespace, "rollout", "restart", f"deployment/{name}")
    yield f"applied {len(documents)} objects of overlays/{overlay}"
    _wait(kubectl, "modelwarrant-store", "statefulset/minio")
    cluster_store.prepare(kubectl)
    yield "the store has its buckets, users and policies"
    kubectl.apply(kubectl.run("kustomize", str(MANIFESTS / "base" / "gate-canary")))
    _wait(kubectl, "modelwarrant-system", "deployment/gate")
    yield "the gate is at work"
    _wait_until_none_is_stuck(kubectl, "modelwarrant-serving")
    yield "serving is there; it is ready once its model has a production version"


def pin(kubectl: Kubectl, model: str) -> str:
    """Have serving trust the one ledger that the gate began, and return its genesis digest.

    Raises:
        PermanentError: the gate did not begin a ledger of this model, or two are named.
    """
    listed = kubectl.run("get", "promotionrequests", "-n", "modelwarrant-system", "-o", "json")
    named = {
        item.get("status", {}).get("genesis")
        for item in json.loads(listed)["items"]
        if item["spec"]["model"] == model
    } - {None}
    if not named:
        raise PermanentError(f"the gate has not begun a ledger of {model!r}: ask for a promotion")
    if len(named) > 1:
        raise PermanentError(
            f"requests of {model!r} name {len(named)} first entries, {', '.join(sorted(named))}: "
            "one ledger replaced another; find out why before you pin one by hand"
        )
    genesis = str(named.pop())
    _set(kubectl, _SERVING, {"WARRANT_MODEL": model, "WARRANT_GENESIS": genesis})
    kubectl.run("-n", "modelwarrant-serving", "rollout", "restart", "deployment/serving")
    return genesis


def stuck_pods(kubectl: Kubectl, namespace: str) -> list[str]:
    """Return a line for each container that cannot start, with the reason and the image.

    Pods of a former rollout are left out: they may stay until a pod of the newest one is ready.
    """
    pods = json.loads(kubectl.run("get", "pods", "-n", namespace, "-o", "json"))["items"]
    pods.sort(key=lambda pod: pod["metadata"]["creationTimestamp"])
    lines = []
    for pod in pods:
        if _template(pod) != _template(pods[-1]):
            continue
        for status in pod.get("status", {}).get("containerStatuses", []):
            waiting = status.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in _FAULTS:
                ended = (status.get("lastState", {}).get("terminated") or {}).get("message", "")
                lines.append(
                    f"{namespace}/{pod['metadata']['name']}: {waiting['reason']}, image "
                    f"{status['image']}: {ended or waiting.get('message', 'no message')}"
                )
    return lines


def _template(pod: dict[str, Any]) -> str | None:
    """Which rollout of a Deployment the pod belongs to."""
    label: str | None = pod["metadata"].get("labels", {}).get("pod-template-hash")
    return label


def _wait(kubectl: Kubectl, namespace: str, target: str, timeout_s: float = 180.0) -> None:
    """Wait for a rollout; where it does not come, say which container stands in the way."""
    until = time.monotonic() + timeout_s
    looks_stuck = 0
    while True:
        try:
            kubectl.run("-n", namespace, "rollout", "status", target, "--timeout=5s")
        except PermanentError as error:
            stuck = stuck_pods(kubectl, namespace)
            # Several looks: what waits for a Secret or a store comes up a moment later.
            looks_stuck = looks_stuck + 1 if stuck else 0
            if looks_stuck == _LOOKS or (stuck and time.monotonic() > until):
                raise PermanentError(_stuck_message(stuck)) from error
            if time.monotonic() > until:
                raise TemporaryError(
                    f"{namespace}/{target} is not ready after {timeout_s:g} s; look at: "
                    f"kubectl -n {namespace} describe pods; kubectl -n {namespace} logs {target}"
                ) from error
        else:
            return


def _stuck_message(stuck: list[str]) -> str:
    return (
        "containers cannot start:\n  " + "\n  ".join(stuck) + "\nan image that is missing in the "
        "node is built by `make images` and brought there by `make cluster-load`; why a container "
        "ended, `kubectl logs --previous` says"
    )


def _wait_until_none_is_stuck(kubectl: Kubectl, namespace: str) -> None:
    """Serving is not ready before its first promotion: wait for its containers only to start."""
    for _ in range(_LOOKS):
        stuck = stuck_pods(kubectl, namespace)
        if not stuck:
            return
        time.sleep(5)
    raise PermanentError(_stuck_message(stuck))


def _name_model(kubectl: Kubectl, model: str | None) -> bool:
    """Name the model that is served; another model's ledger has another first entry."""
    served = _settings(kubectl, _SERVING).get("WARRANT_MODEL")
    if served is not None and model in (None, served):
        return False
    _set(kubectl, _SERVING, {"WARRANT_MODEL": model or DEFAULT_MODEL, "WARRANT_GENESIS": None})
    return True


def _name_installer(kubectl: Kubectl) -> bool:
    """Have the gate ratify the shipped policy, for every new model, as who deploys first."""
    settings = _settings(kubectl, _GATE)
    if settings.get("WARRANT_INSTALLER"):
        return False
    review = json.loads(kubectl.run("auth", "whoami", "-o", "json"))
    _set(kubectl, _GATE, {"WARRANT_INSTALLER": review["status"]["userInfo"]["username"]})
    return True


def _settings(kubectl: Kubectl, of: tuple[str, str]) -> dict[str, str]:
    found = kubectl.get("configmap", *of) or {}
    return found.get("data") or {}


def _set(kubectl: Kubectl, of: tuple[str, str], values: Mapping[str, str | None]) -> None:
    """Set keys of a ConfigMap, None to remove; they stay when an overlay is applied again."""
    namespace, name = of
    patch = json.dumps({"data": values})
    kubectl.run("patch", "configmap", name, "-n", namespace, "--type=merge", "-p", patch)


def _yaml(documents: list[dict[str, Any]]) -> str:
    return str(yaml.safe_dump_all(documents, sort_keys=False))
