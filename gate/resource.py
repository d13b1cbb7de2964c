"""What does a PromotionRequest of the API server say, as a record of ours?

Pure translation, both ways; the field names are those of ``manifests/base/gate-api/crd.yaml``. The
id of a cluster's request is its name and the beginning of its uid: a request that was deleted and
made again under the same name is another one to the ledger.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from modelwarrant.canonical import canonical_json, digest_bytes, parse_json
from modelwarrant.errors import RecordError, RequestError
from modelwarrant.records import Approval, Blob, Decision, PromotionRequest
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.state import Landed

__all__ = [
    "PACKAGE_LIST",
    "announcement",
    "candidate_spec",
    "is_waiting",
    "name_for_run",
    "name_of",
    "operation_request",
    "package_list",
    "parse_package_list",
    "request_id",
    "status_of",
    "to_record",
]

PACKAGE_LIST: Final = "package.json"
"""File beside a package's own ones that lists them; the request names its digest."""

LONGEST_WAIT: Final = timedelta(days=31)
"""A request ends then, whatever it says of itself."""

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,53}[a-z0-9])?")
_UID: Final = 8


def request_id(resource: Mapping[str, Any]) -> str:
    """Return the id by which the ledger knows a request.

    >>> request_id({"metadata": {"name": "run-a1", "uid": "0f3c9d42-77aa"}})
    'run-a1_0f3c9d42'

    Raises:
        RequestError: the name is too long for the ledger, or holds a dot.
    """
    name = resource["metadata"]["name"]
    if not _NAME.fullmatch(name):
        raise RequestError(
            f"request {name}: a request's name has at most 55 characters out of a-z, 0-9 and '-'"
        )
    return f"{name}_{resource['metadata']['uid'][:_UID]}"


def name_of(id: str) -> str:
    """Return a request's name in the cluster, of its id or of the name itself.

    >>> name_of("run-a1_0f3c9d42"), name_of("run-a1")
    ('run-a1', 'run-a1')
    """
    return id.partition("_")[0]


def is_waiting(resource: Mapping[str, Any]) -> bool:
    """Return whether a request has no outcome yet."""
    return "outcome" not in resource.get("status", {})


def to_record(
    resource: Mapping[str, Any], *, files: Sequence[Blob] = (), now: datetime
) -> PromotionRequest:
    """Read a resource.

    Args:
        resource: as the API server returned it.
        files: of its package, as ``parse_package_list`` checked them.
        now: time of a decision that states none.

    Raises:
        RequestError: a time cannot be read, or the name does not fit the ledger.
    """
    spec, status = resource["spec"], resource.get("status", {})
    candidate, run, ledger = (
        spec.get("candidate", {}),
        spec.get("run", {}),
        status.get("ledger", {}),
    )
    created = resource["metadata"]["creationTimestamp"]
    subject = candidate.get("digest") or spec.get("target")
    evidence = candidate.get("evidence_digest") or spec.get("target")
    return PromotionRequest(
        id=request_id(resource),
        operation=spec["operation"],
        model=spec["model"],
        run=run.get("name") or resource["metadata"]["name"],
        requester=spec["requester"],
        reason=spec.get("reason"),
        target=spec.get("target"),
        action=spec.get("action"),
        document=spec.get("document"),
        candidate_digest=candidate.get("digest"),
        baseline_digest=candidate.get("baseline"),
        evidence_digest=candidate.get("evidence_digest"),
        policy_digest=candidate.get("policy_digest"),
        package=candidate.get("package"),
        files=tuple(files),
        verdict=spec.get("verdict"),
        created=_moment(created),
        expires=min(_moment(spec["expires"]), _moment(created, later=LONGEST_WAIT)),
        approvals=tuple(
            _approval(decision, subject, evidence, now) for decision in spec.get("decisions", ())
        ),
        withdrawn=bool(spec.get("withdrawn")),
        outcome=status.get("outcome"),
        outcome_reason=status.get("reason"),
        version=status.get("version"),
        ledger_seq=ledger.get("seq"),
        ledger_digest=ledger.get("hash"),
    )


def _approval(
    decision: Mapping[str, Any], subject: str | None, evidence: str | None, now: datetime
) -> Approval:
    """Read a decision; candidate and evidence are frozen together, so it is about both."""
    is_about_this = decision["candidate_digest"] == subject
    try:
        time = _moment(decision["time"])
    except (KeyError, RequestError):
        time = utc_text(now)
    return Approval(
        verdict=decision["verdict"],
        approver=decision["approver"],
        candidate_digest=decision["candidate_digest"],
        evidence_digest=(evidence or "") if is_about_this else "",
        reason=decision["reason"],
        time=time,
        signature=decision.get("signature"),
        named_by="the API server",
    )


def name_for_run(run: str) -> str:
    """Return the name of a run's request."""
    return f"run-{run}"


def announcement(
    *, run: str, model: str, requester: str, namespace: str, expires: datetime
) -> dict[str, Any]:
    """Return the request that says that this person's run is under way."""
    spec = {
        "operation": "promote",
        "model": model,
        "requester": requester,
        "run": {"name": run},
        "expires": utc_text(expires),
    }
    return _resource(name_for_run(run), namespace, spec)


def operation_request(
    *,
    name: str,
    operation: str,
    model: str,
    requester: str,
    namespace: str,
    target: str,
    reason: str,
    expires: datetime,
    document: str | None = None,
    action: str | None = None,
) -> dict[str, Any]:
    """Return a request for a rollback, a tombstone, a ratification or a monitor's act."""
    spec = {
        "operation": operation,
        "model": model,
        "requester": requester,
        "target": target,
        "reason": reason,
        "expires": utc_text(expires),
    }
    if document is not None:
        spec["document"] = document
    if action is not None:
        spec["action"] = action
    return _resource(name, namespace, spec)


def candidate_spec(
    decision: Decision,
    *,
    package: str,
    package_digest: str,
    run: str,
    uid: str,
    workflow: str,
) -> dict[str, Any]:
    """Return the fields of a spec by which a run hands its candidate in.

    Args:
        decision: as the run claims it.
        package: prefix of the files.
        package_digest: of their list.
        run: its id.
        uid: KFP's id of the run.
        workflow: that the gate resumes; empty where nothing is suspended.
    """
    candidate = {
        "digest": decision.candidate_digest,
        "baseline": decision.baseline_digest,
        "evidence_digest": decision.evidence_digest,
        "policy_digest": decision.policy_digest,
        "package": package,
        "package_digest": package_digest,
    }
    of_run = {"name": run, "uid": uid, "workflow": workflow}
    return {
        "candidate": {name: value for name, value in candidate.items() if value},
        "run": {name: value for name, value in of_run.items() if value},
        "verdict": decision.verdict,
    }


def package_list(files: Sequence[Blob]) -> bytes:
    """Return the list of a package's files, canonical JSON."""
    listed = [blob.model_dump(mode="json") for blob in sorted(files, key=lambda blob: blob.name)]
    return canonical_json({"schema_version": 1, "files": listed})


def parse_package_list(data: bytes | None, *, digest: str, name: str) -> tuple[Blob, ...]:
    """Read the list of a package's files.

    Args:
        data: bytes at the key, None where there are none.
        digest: that the request states.
        name: the key, for the error message.

    Raises:
        RequestError: it is gone, was changed, or is no such list.
    """
    if data is None:
        raise RequestError(f"{name} is gone since the request was completed")
    if digest_bytes(data) != digest:
        raise RequestError(
            f"{name} was changed after the request was completed: its digest is "
            f"{digest_bytes(data)}, was {digest}"
        )
    try:
        document = parse_json(data, name=name)
        return tuple(Blob.model_validate(each) for each in document["files"])
    except (RecordError, KeyError, TypeError, ValueError) as error:
        raise RequestError(f"{name} is no list of a package's files: {error}") from error


def status_of(
    outcome: str, *, reason: str, version: int | None, landed: Landed | None
) -> dict[str, Any]:
    """Return the part of a status that says how a request ended."""
    status: dict[str, Any] = {"outcome": outcome, "reason": reason, "waiting_for": None}
    if version is not None:
        status["version"] = version
    if landed is not None:
        status["ledger"] = {"seq": landed.seq, "hash": landed.digest}
    return status


def _resource(name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "modelwarrant.dev/v1",
        "kind": "PromotionRequest",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/part-of": "modelwarrant"},
        },
        "spec": dict(spec),
    }


def _moment(text: str, *, later: timedelta = timedelta(0)) -> str:
    try:
        return utc_text(datetime.fromisoformat(text) + later)
    except (ValueError, TypeError, OverflowError) as error:  # the year 10000 in another zone
        raise RequestError(f"{text!r} is not an RFC 3339 time") from error
