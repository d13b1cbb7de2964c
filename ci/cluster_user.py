"""How does a second human come to a cluster?

By a client certificate that the cluster itself signs (CertificateSigningRequest API), as on kind,
minikube and the test cluster. The key is made here and never leaves this machine. A cluster with an
identity provider needs none of this: there a person is a name, and only the RoleBinding counts.
"""

import base64
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ci.kubectl import Kubectl
from modelwarrant.errors import PermanentError, TemporaryError

__all__ = ["add_user", "default_file", "suggestions"]

VALID_S = 90 * 24 * 3600
"""A certificate cannot be taken back, so it does not live long."""

_SIGNED_WITHIN_S = 30.0
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")


def default_file(name: str) -> Path:
    """Return where a person's kubeconfig is written when nobody says where."""
    return Path.home() / ".kube" / "modelwarrant" / f"{name}.kubeconfig"


def add_user(kubectl: Kubectl, name: str, file: Path) -> None:
    """Have the cluster sign a certificate for this person, and write a kubeconfig with it.

    Args:
        kubectl: an admin's.
        name: as it stands in requests and decisions.
        file: of the kubeconfig; readable by its owner only.

    Raises:
        PermanentError: the name is not usable, the file exists, or the caller may not approve.
        TemporaryError: the cluster signs nothing.
    """
    if not _NAME.fullmatch(name):
        raise PermanentError(
            f"{name!r} is no name for a person here: 1 to 63 of a-z, 0-9, '-' and '.', "
            "with a letter or digit at both ends"
        )
    if file.exists():
        raise PermanentError(f"{file} exists; use it, or remove it for a new certificate")
    cluster = _cluster(kubectl)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    certificate = _signed(kubectl, name, asked.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(file, name, cluster, certificate, base64.b64encode(private).decode())


def suggestions(name: str) -> list[str]:
    """Return the commands that give this person a part to play; an admin runs one or more."""
    roles = ("promotion-requester", "promotion-approver", "promotion-operator")
    parts = [
        f"kubectl -n modelwarrant-system create rolebinding {name}-{role.split('-')[1]} "
        f"--clusterrole={role} --user={name}"
        for role in roles
    ]
    evidence = "kubectl -n modelwarrant-store create rolebinding"
    return [*parts, f"{evidence} {name}-reviewer --role=store-reviewer --user={name}"]


def _cluster(kubectl: Kubectl) -> dict[str, Any]:
    """The cluster of the context in use, with its certificate inside."""
    view = json.loads(kubectl.run("config", "view", "--minify", "--flatten", "-o", "json"))
    clusters = view.get("clusters") or []
    if not clusters:
        raise PermanentError(
            "the kubeconfig names no cluster: set KUBECONFIG, or `kubectl config use-context`"
        )
    return dict(clusters[0]["cluster"])


def _signed(kubectl: Kubectl, name: str, request: bytes) -> str:
    """The certificate, base64 of PEM; the request object is removed again."""
    label = f"modelwarrant-user-{name}-{os.urandom(4).hex()}"
    kubectl.create(
        {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": label},
            "spec": {
                "request": base64.b64encode(request).decode(),
                "signerName": "kubernetes.io/kube-apiserver-client",
                "usages": ["client auth"],
                "expirationSeconds": VALID_S,
            },
        }
    )
    try:
        kubectl.run("certificate", "approve", label)
        until = time.monotonic() + _SIGNED_WITHIN_S
        while time.monotonic() < until:
            found = kubectl.get("certificatesigningrequest", None, label) or {}
            status = found.get("status", {})
            if status.get("certificate"):
                return str(status["certificate"])
            for condition in status.get("conditions", []):
                if condition["type"] in ("Denied", "Failed"):
                    raise PermanentError(
                        f"the cluster does not sign for {name}: {condition.get('message')}"
                    )
            time.sleep(0.3)
        raise TemporaryError(
            f"the cluster signed nothing within {_SIGNED_WITHIN_S:g} s; managed clusters often "
            "sign no client certificates: use their identity provider instead"
        )
    finally:
        kubectl.run("delete", "certificatesigningrequest", label, "--ignore-not-found")


def _write(file: Path, name: str, cluster: dict[str, Any], certificate: str, key: str) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "modelwarrant", "cluster": cluster}],
        "users": [
            {"name": name, "user": {"client-certificate-data": certificate, "client-key-data": key}}
        ],
        "contexts": [{"name": name, "context": {"cluster": "modelwarrant", "user": name}}],
        "current-context": name,
    }
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(content, out, indent=2)
