"""How does a run on a cluster ask for its candidate, or to act, and wait without a pod?

The order is what makes it safe. The package is handed in first; then the run suspends its own
workflow; then it completes the request. A gate that is quick finds the workflow suspended already,
and a run that dies in between is resumed by the gate after five minutes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gate.cluster import Cluster
from gate.packages import LIFETIME, Package, hand_in
from gate.resource import (
    PACKAGE_LIST,
    announcement,
    candidate_spec,
    is_waiting,
    name_for_run,
    operation_request,
    package_list,
    to_record,
)
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import (
    IllegalOperationError,
    PermanentError,
    RequestError,
    UnknownModelError,
    WaitingError,
)
from modelwarrant.records import MonitoringAction, PromotionRequest
from modelwarrant.registry.entries import utc_text
from modelwarrant.storage import ObjectStore

__all__ = ["ask_gate", "ask_to_act", "outcome_of", "waiting_run"]

_RETRY_AFTER_S = 10.0
_LONGEST_REASON = 2000


def ask_gate(
    cluster: Cluster,
    store: ObjectStore,
    *,
    files: Mapping[str, bytes],
    run: str,
    uid: str,
    workflow: str,
    now: datetime,
) -> PromotionRequest:
    """Hand a package in, suspend the run's workflow and complete its request.

    A person announced the run with a request in their name; a run that nobody announced asks in the
    name of its own service account, which takes two approvals. Safe to repeat.

    Args:
        cluster: as the pipelines' service account.
        store: takes the package below ``in/``.
        files: bundle, evidence and policy.
        run: its id.
        uid: KFP's id of the run.
        workflow: the run's own; empty suspends nothing.
        now: when.

    Raises:
        RequestError: the package is incomplete, or the request was completed by another candidate,
            or has ended.
    """
    package = Package(files)
    package.demand_whole()
    model = package.documents.manifest.model
    place = f"in/{model}/{run}/"
    listed = package_list(hand_in(store, place, files))
    hand_in(store, place, {PACKAGE_LIST: listed})
    spec = candidate_spec(
        package.decision,
        package=place,
        package_digest=digest_bytes(listed),
        run=run,
        uid=uid,
        workflow=workflow,
    )
    name = name_for_run(run)
    if workflow:
        cluster.suspend(workflow, request=name, since=utc_text(now))
    try:
        resource = _complete(cluster, name, model, run, spec, now)
    except PermanentError:
        if workflow:
            cluster.resume(workflow)
        raise
    return to_record(resource, now=now)


def ask_to_act(
    cluster: Cluster, action: MonitoringAction, *, name: str, now: datetime
) -> dict[str, Any]:
    """Ask the gate to record a monitor's action, whose evidence was handed in; safe to repeat.

    Args:
        cluster: as the pipelines' service account.
        action: what to record.
        name: of the request; the evidence lies below ``in/<model>/<name>/``.
        now: when.

    Raises:
        RequestError: the API server refuses it.
    """
    body = operation_request(
        name=name,
        operation="act",
        model=action.model,
        requester=cluster.user(),
        namespace=cluster.namespace,
        target=action.digest,
        reason=action.reason[:_LONGEST_REASON],
        expires=now + LIFETIME,
        action=action.action,
    )
    try:
        return cluster.create_request(body)
    except IllegalOperationError:  # an earlier try of this pass got as far as this
        return cluster.request(name)


def waiting_run(cluster: Cluster, model: str) -> str | None:
    """Return the name of a promotion of a model that has no outcome yet; None where none waits."""
    for resource in cluster.requests()[0]:
        spec = resource["spec"]
        if (spec["operation"], spec["model"]) == ("promote", model) and is_waiting(resource):
            return f"request {resource['metadata']['name']}"
    return None


def _complete(
    cluster: Cluster, name: str, model: str, run: str, spec: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    try:
        resource = cluster.request(name)
    except UnknownModelError:
        body = announcement(
            run=run,
            model=model,
            requester=cluster.user(),
            namespace=cluster.namespace,
            expires=now + LIFETIME,
        )
        body["spec"] |= spec
        return cluster.create_request(body)
    if resource["spec"].get("candidate") == spec["candidate"]:
        return resource  # an earlier try of this stage got as far as this
    if not is_waiting(resource):
        raise RequestError(
            f"request {name} has ended as {resource['status']['outcome']}: "
            f"{resource['status'].get('reason')}"
        )
    if "candidate" in resource["spec"]:
        raise RequestError(f"request {name} was completed by another candidate; start a new run")
    resource["spec"] |= spec
    return cluster.replace_request(resource)


def outcome_of(cluster: Cluster, name: str, *, workflow: str, now: datetime) -> str:
    """Return how a request ended, where the run did what it should.

    Args:
        cluster: as the pipelines' service account.
        name: of the request.
        workflow: suspended again where there is no outcome; empty suspends nothing.
        now: when.

    Raises:
        RequestError: a person rejected it, or it expired, was superseded or given up: the run shall
            be red, with that reason.
        WaitingError: it has no outcome yet.
    """
    resource = cluster.request(name)
    if is_waiting(resource) and workflow:
        cluster.suspend(workflow, request=name, since=utc_text(now))
        resource = cluster.request(name)  # an outcome that came before the run was suspended
        if not is_waiting(resource):
            cluster.resume(workflow)
    if is_waiting(resource):
        raise WaitingError(f"request {name} waits for a decision", retry_after_s=_RETRY_AFTER_S)
    status = resource["status"]
    outcome = str(status["outcome"])
    is_by_rule = status.get("verdict") in ("HOLD", "REJECT")
    if outcome in ("promoted", "applied") or (outcome in ("held", "rejected") and is_by_rule):
        return outcome
    raise RequestError(f"request {name}: {outcome}: {status.get('reason', 'no reason was given')}")
