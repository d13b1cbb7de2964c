"""Is what guards the requests still in force?

The gate trusts who approved because the API server let nobody else write it. So it compares the
admission policy and its binding with those it was shipped with, and tries a forbidden write on the
canary: the refusal must come from the policy (one by RBAC would prove nothing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from gate.cluster import POLICY_NAME, Cluster
from modelwarrant.errors import PolicyError, RequestError, UnknownModelError

__all__ = ["CANARY", "Guard", "shipped_admission"]

CANARY: Final = "canary"

_DEFAULTS: Final[Mapping[str, Any]] = {
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "scope": "*",
}
"""What the API server fills in; anything else that is not shipped is a change."""

_FIRST: Final = {"seq": 0, "hash": f"sha256:{0:064x}"}
_FORBIDDEN: Final = {"ledger": {"seq": 1, "hash": f"sha256:{1:064x}"}}


def shipped_admission(path: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the specs of the policy and of the binding that this gate came with.

    Args:
        path: ``manifests/base/gate-api/policy.yaml``.

    Raises:
        PolicyError: the file cannot be read or holds no such two objects.
    """
    try:
        documents = [each for each in yaml.safe_load_all(path.read_text()) if each]
        specs = {each["kind"]: each["spec"] for each in documents}
        return (
            specs["ValidatingAdmissionPolicy"],
            specs["ValidatingAdmissionPolicyBinding"],
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise PolicyError(f"{path}: not the shipped admission policy: {error!r}") from error


@dataclass(frozen=True)
class Guard:
    """Compares what is in force with what was shipped."""

    cluster: Cluster
    policy: Mapping[str, Any]
    binding: Mapping[str, Any]

    def fault(self) -> str | None:
        """Return what is not as it must be, None where all is.

        Raises:
            TemporaryError: the API server does not answer.
        """
        for what, shipped, found in (
            ("policy", self.policy, self.cluster.admission_policy()),
            ("policy's binding", self.binding, self.cluster.admission_binding()),
        ):
            if found is None:
                return f"the admission {what} {POLICY_NAME} is gone"
            if _plain(found["spec"]) != _plain(shipped):
                return f"the admission {what} {POLICY_NAME} is not the one this gate came with"
        return self._canary_fault()

    def _canary_fault(self) -> str | None:
        try:
            canary = self.cluster.request(CANARY)
            if "ledger" not in canary.get("status", {}):
                self.cluster.patch_status(CANARY, {"ledger": _FIRST})
            self.cluster.patch_status(CANARY, _FORBIDDEN, dry_run=True)
        except UnknownModelError:
            return f"the request {CANARY!r}, on which a forbidden write is tried, is gone"
        except RequestError as error:
            if f"'{POLICY_NAME}'" in str(error):
                return None
            return f"a forbidden write on {CANARY!r} was refused, but not by the policy: {error}"
        return f"a forbidden write on {CANARY!r} was let through"


def _plain(value: Any) -> Any:
    """Return a spec without what the API server filled in, and without what is empty."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = {key: _plain(item) for key, item in value.items()}
    return {
        key: item
        for key, item in kept.items()
        if item not in (None, [], {}) and not (key in _DEFAULTS and _DEFAULTS[key] == item)
    }
