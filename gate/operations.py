"""What does a request that is no promotion write into the ledger?

Rollback, tombstone, ratification, the monitor's action, a fence, an upgrade: one entry each, under
a txn made of the request's id, so that a second pass finds the first one's entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gate.acting import ACTION_FILE, place_of, read_evidence, record
from gate.book import RequestBook, rejection
from gate.opening import SHIPPED_BY, Answered, ratify
from gate.promotion import is_allowed_signature
from modelwarrant.canonical import digest_bytes
from modelwarrant.errors import IllegalOperationError, PolicyError, RecordError, RequestError
from modelwarrant.policy import Policy, default_policy, load
from modelwarrant.records import Approval, Operation, PromotionRequest
from modelwarrant.registry import Ledger
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.payloads import Payload, parse_payload
from modelwarrant.registry.rules import approval_uid, may_approve
from modelwarrant.registry.state import Landed, State

__all__ = ["OPERATIONS", "apply", "payload_of", "policy_of"]

OPERATIONS: Mapping[Operation, Callable[[PromotionRequest], Mapping[str, object]]] = {
    "rollback": lambda request: {
        "to": _number(request),
        "reason": request.reason,
        "actor": request.requester,
    },
    "tombstone": lambda request: {"version": _number(request), "reason": request.reason},
    "act": lambda request: {
        "action": request.action,
        "evidence_digest": request.target,
        "reason": request.reason,
    },
    "abort": lambda request: {"attempt": request.target, "reason": request.reason},
    "upgrade": lambda request: {"to_schema": _number(request)},
}
"""How a request becomes an entry; a ratification, which also keeps a document, is apart."""


@dataclass(frozen=True)
class _Entry:
    landed: Landed
    version: int | None = None
    note: str | None = None
    """Says more than the request's reason."""


def payload_of(request: PromotionRequest) -> Payload:
    """Return the entry's payload that a request asks for.

    Raises:
        RequestError: a field is absent, or is not what the operation needs.
    """
    if request.operation not in OPERATIONS:
        raise RequestError(f"request {request.id}: {request.operation} is not applied here")
    said = OPERATIONS[request.operation](request)
    absent = [name for name, value in said.items() if value is None]
    if absent:
        raise RequestError(
            f"request {request.id}: a request to {request.operation} needs {', '.join(absent)}"
        )
    return parse_payload(request.operation, said, name=f"{request.operation} of {request.target}")


def apply(
    ledger: Ledger,
    book: RequestBook,
    request: PromotionRequest,
    *,
    now: datetime,
    is_automatic: bool = False,
) -> PromotionRequest:
    """Write what is asked for and end the request; one that the log does not allow is superseded.

    A ratification waits until somebody other than its author has approved it, except for the
    shipped policy, whose author is the project. A monitor's rollback is carried out where that
    needs no person, else only recorded.

    Raises:
        RequestError: the request cannot be understood.
    """
    refused = rejection(request)
    if refused is not None:
        return book.settle(request, "rejected", reason=refused)
    cancelled = book.cancellation(request)
    if cancelled is not None:
        return book.settle(request, "cancelled", reason=cancelled)
    try:
        if request.operation == "ratify":
            done = _ratify(ledger, request, now)
            if done is None:
                return request
        elif evidence := _evidence_of(ledger, request):
            done = _act(ledger, request, evidence, is_automatic, now)
        else:
            done = _append(ledger, request, now)
    except IllegalOperationError as error:
        return book.settle(request, "superseded", reason=str(error))
    ledger.publish_head()
    reason = done.note or request.reason or ""
    return book.settle(request, "applied", reason=reason, version=done.version, landed=done.landed)


def policy_of(request: PromotionRequest) -> Policy:
    """Return the policy that a request wants ratified.

    Raises:
        RequestError: it names a digest that is neither its document's nor the shipped policy's, or
            the document cannot be read.
    """
    policy = default_policy()
    if request.document is not None:
        try:
            policy = load(request.document.encode(), name=f"the document of {request.id}")
        except PolicyError as error:
            raise RequestError(str(error)) from error
    if policy.digest != request.target:
        what = "the shipped policy" if request.document is None else "the document"
        raise RequestError(
            f"request {request.id} names policy {request.target}; {what} has {policy.digest}"
        )
    return policy


def _append(ledger: Ledger, request: PromotionRequest, now: datetime) -> _Entry:
    entry = ledger.append(
        request.operation,
        payload_of(request),
        txn=f"{request.id}/{request.operation}",
        actor=request.requester,
        now=now,
    )
    is_of_version = request.operation in ("rollback", "tombstone")
    return _Entry(Landed(entry.seq, entry.digest), _number(request) if is_of_version else None)


def _evidence_of(ledger: Ledger, request: PromotionRequest) -> dict[str, bytes]:
    """Return what a monitor handed in; nothing where a person asks for an act, or it is none."""
    if request.operation != "act":
        return {}
    return read_evidence(ledger.store, place_of(request.model, request.run))


def _act(
    ledger: Ledger,
    request: PromotionRequest,
    evidence: Mapping[str, bytes],
    is_automatic: bool,
    now: datetime,
) -> _Entry:
    """Record a monitor's action; evidence that leads to another one is refused for good.

    Raises:
        IllegalOperationError: the evidence does not bear the action out, or the ledger moved.
    """
    handed_in = digest_bytes(evidence.get(ACTION_FILE, b""))
    if handed_in != request.target:
        raise IllegalOperationError(
            f"request {request.id} is about evidence {request.target}, handed in was {handed_in}"
        )
    try:
        done = record(
            ledger,
            evidence,
            id=request.id,
            requester=request.requester,
            is_automatic=is_automatic,
            now=now,
            claimed=request.action or "",
        )
    except (RecordError, RequestError) as error:
        raise IllegalOperationError(str(error)) from error
    return _Entry(done.landed, done.version, done.note)


def _ratify(ledger: Ledger, request: PromotionRequest, now: datetime) -> _Entry | None:
    """Put a policy in force; None while nobody has approved it."""
    policy, state = policy_of(request), ledger.state()
    is_shipped = policy.digest == default_policy().digest
    approval = _second_person(ledger, state, request)
    if approval is None and not is_shipped:
        return None
    approver = request.requester if approval is None else approval.approver
    used = state.approvals.get(approval_uid(request.id, approver))
    if used is not None:
        return _landed(state, used)
    answered = Answered(request=request.id, answered=utc_text(now))
    if approval is not None:
        answered = Answered(
            request=request.id,
            answered=approval.time,
            answer=approval.reason,
            signature=approval.signature,
        )
    try:
        ratified = ratify(
            ledger,
            policy,
            author=SHIPPED_BY if approval is None else request.requester,
            approver=approver,
            reason=request.reason or "",
            now=now,
            answered=answered,
        )
    except PolicyError as error:
        raise IllegalOperationError(str(error)) from error
    return _landed(ledger.state(), ratified.seq)


def _landed(state: State, seq: int) -> _Entry:
    return _Entry(Landed(seq, state.digest_at(seq) or ""))


def _second_person(ledger: Ledger, state: State, request: PromotionRequest) -> Approval | None:
    """Return the first approval of exactly this document that counts."""
    for approval in request.approvals:
        if (
            approval.verdict == "Approved"
            and approval.candidate_digest == request.target
            and may_approve(state, approval.approver, request.requester)
            and is_allowed_signature(ledger, state, request, approval)
        ):
            return approval
    return None


def _number(request: PromotionRequest) -> int:
    if request.target is None or not request.target.isdecimal():
        raise RequestError(
            f"request {request.id}: a request to {request.operation} names a number as its "
            f"target, not {request.target!r}"
        )
    return int(request.target)
