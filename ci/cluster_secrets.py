"""Which secrets does a deployment need, and how do they come to be?

Each is made once, by this program, and handed to the API server on standard input: none is printed,
written to disk or committed. A Secret that is there already is never changed, so running this again
is safe, and a Secret that an admin made (or a secret operator) is kept.
"""

import base64
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ci.kubectl import Kubectl, label_of
from modelwarrant.errors import PermanentError
from modelwarrant.registry.keys import Signer

__all__ = [
    "GATE_KEY",
    "ROOT",
    "STORE_USERS",
    "SecretSpec",
    "StoreUser",
    "ensure",
    "ensure_all",
    "read",
]

PART_OF = {"app.kubernetes.io/part-of": "modelwarrant"}


@dataclass(frozen=True)
class SecretSpec:
    """A Secret by its place and the keys it must hold."""

    namespace: str
    name: str
    keys: frozenset[str]

    @property
    def label(self) -> str:
        """How messages name it."""
        return label_of("Secret", self.namespace, self.name)


@dataclass(frozen=True)
class StoreUser:
    """A user of the store; its policy is ``manifests/base/minio/policies/<name>.json``."""

    name: str
    namespace: str
    secret: str = "warrant-store"  # noqa: S105 - an object's name

    @property
    def spec(self) -> SecretSpec:
        """The Secret with the user's credentials."""
        return SecretSpec(self.namespace, self.secret, frozenset({ACCESS_KEY, SECRET_KEY}))


ACCESS_KEY = "AWS_ACCESS_KEY_ID"
SECRET_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - an environment variable's name

STORE_USERS = (
    StoreUser("pipelines", "kubeflow"),
    StoreUser("gate", "modelwarrant-system"),
    StoreUser("serving", "modelwarrant-serving"),
    # No stage reads these: Kubeflow Pipelines the first, people the others.
    StoreUser("kfp", "kubeflow", "warrant-artifacts"),
    StoreUser("collector", "modelwarrant-store", "store-user-collector"),
    StoreUser("reviewer", "modelwarrant-store", "store-user-reviewer"),
)
ROOT = SecretSpec("modelwarrant-store", "minio-root", frozenset({"user", "password"}))
GATE_KEY = SecretSpec("modelwarrant-system", "gate-key", frozenset({"signing-key"}))


def ensure(kubectl: Kubectl, spec: SecretSpec, values: dict[str, str]) -> bool:
    """Create the Secret with these values where there is none.

    Args:
        kubectl: how to reach the cluster.
        spec: where, and which keys it must hold.
        values: the value of each key, for a new one.

    Returns:
        Whether it was created.

    Raises:
        PermanentError: one is there and lacks a key.
    """
    found = kubectl.get("secret", spec.namespace, spec.name)
    if found is not None:
        missing = spec.keys - set(found.get("data") or {})
        if missing:
            raise PermanentError(
                f"{spec.label} is there but lacks {', '.join(sorted(missing))}; it is never "
                "overwritten: complete it, or delete it to have a new one made"
            )
        return False
    kubectl.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": spec.name, "namespace": spec.namespace, "labels": PART_OF},
            "type": "Opaque",
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in values.items()},
        }
    )
    return True


def ensure_all(kubectl: Kubectl) -> list[str]:
    """Create every Secret that a deployment needs and that is not there.

    Returns:
        The labels of those created.
    """
    wanted: Iterable[tuple[SecretSpec, dict[str, str]]] = (
        (ROOT, {"user": "root", "password": _password()}),
        (GATE_KEY, {"signing-key": Signer.generate().to_pem().decode()}),
        *((user.spec, {ACCESS_KEY: user.name, SECRET_KEY: _password()}) for user in STORE_USERS),
    )
    return [spec.label for spec, values in wanted if ensure(kubectl, spec, values)]


def read(kubectl: Kubectl, spec: SecretSpec) -> dict[str, str]:
    """Return a Secret's values.

    Raises:
        PermanentError: there is none.
    """
    found: dict[str, Any] | None = kubectl.get("secret", spec.namespace, spec.name)
    if found is None:
        raise PermanentError(f"{spec.label} is not there; `make deploy` makes it")
    return {key: base64.b64decode(text).decode() for key, text in found["data"].items()}


def _password() -> str:
    return secrets.token_urlsafe(30)
