"""What waits for an answer, who answered, and how did it end?

On a laptop a request is what the custom resource is on a cluster, kept in the store. Its parts are
written once each and never changed: what was asked (``requests/<id>.json``), one answer a person,
the withdrawal, the outcome. So two answers at the same moment cannot overwrite each other, and a
crash leaves nothing half changed. Each part carries its own digest.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal, TypeVar

from modelwarrant.canonical import canonical_json, digest_json, parse_json
from modelwarrant.errors import (
    OutcomeUnknownError,
    RecordError,
    RequestError,
    TamperedError,
    UnknownModelError,
)
from modelwarrant.records import Approval, Outcome, PromotionRequest
from modelwarrant.records.base import Record
from modelwarrant.registry.approvals import ratification_statement, statement
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.names import person_of, same_person
from modelwarrant.registry.payloads import Mode
from modelwarrant.registry.state import Landed
from modelwarrant.storage import ObjectStore

__all__ = ["create", "decide", "find_waiting", "get", "list_requests", "settle", "withdraw"]

LONGEST_REASON = 2000
"""Characters; reasons go into the ledger."""

LONGEST_NAME = 120

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters and marks of direction, as the cluster's schema refuses them."""

ID_LENGTH = 16
"""Hex digits of a request's id."""

_FOLDER = "requests/"


class _Answer(Record):
    schema_version: Literal[1] = 1
    request: str
    approval: Approval


class _Withdrawal(Record):
    schema_version: Literal[1] = 1
    request: str
    reason: str
    time: str


class _Ending(Record):
    schema_version: Literal[1] = 1
    request: str
    outcome: Outcome
    reason: str
    version: int | None
    ledger_seq: int | None
    ledger_digest: str | None


_Part = TypeVar("_Part", bound=Record)


def create(store: ObjectStore, request: PromotionRequest) -> PromotionRequest:
    """Write a new request; where one of this id is there already, that one is returned."""
    _write(store, key_of(request.id), request)
    return get(store, request.id)


def list_requests(
    store: ObjectStore, *, model: str | None = None, waiting_only: bool = False
) -> tuple[PromotionRequest, ...]:
    """Return requests, the oldest first.

    Args:
        store: where they lie.
        model: of this model only.
        waiting_only: those without an outcome only.
    """
    found = [_assemble(store, id) for id in _ids(store, "")]
    kept = [
        request
        for request in found
        if model in (None, request.model) and not (waiting_only and request.outcome)
    ]
    return tuple(sorted(kept, key=lambda request: (request.created, request.id)))


def find_waiting(
    store: ObjectStore, *, operation: str, model: str, target: str, requester: str
) -> PromotionRequest | None:
    """Return the waiting request that asks for the same, if there is one."""
    for request in list_requests(store, model=model, waiting_only=True):
        if (request.operation, request.target, request.requester) == (operation, target, requester):
            return request
    return None


def get(store: ObjectStore, name: str) -> PromotionRequest:
    """Return a request with its answers and outcome.

    Args:
        store: where it lies.
        name: its id, or a beginning that no other request has.

    Raises:
        UnknownModelError: no such request.
        RequestError: several begin like this.
    """
    found = list(_ids(store, name)) if name and name.isalnum() else []
    if name in found:
        found = [name]
    if not found:
        raise UnknownModelError(f"there is no request {name!r}; see warrant requests --all")
    if len(found) > 1:
        raise RequestError(f"{name!r} is the beginning of {len(found)} requests: {found[:5]}")
    return _assemble(store, found[0])


def decide(
    store: ObjectStore,
    name: str,
    *,
    verdict: Literal["Approved", "Rejected"],
    approver: str,
    reason: str,
    candidate_digest: str | None,
    evidence_digest: str | None,
    mode: Mode,
    now: datetime,
    self_approve: bool = False,
    sign: Callable[[bytes], str] | None = None,
    demand: Callable[[Approval], None] = lambda approval: None,
) -> PromotionRequest:
    """Record one person's answer; it is never changed afterwards.

    Args:
        store: where the request lies.
        name: id or unique beginning.
        verdict: the answer.
        approver: who answers.
        reason: why; mandatory.
        candidate_digest: of the candidate that the person looked at.
        evidence_digest: of the evidence that the person looked at.
        mode: of the ledger; a laptop's alone allows ``self_approve``.
        now: when.
        self_approve: the requester approves, and says so.
        sign: signs the canonical statement, for example with ``registry.ssh.sign``.
        demand: refuses an answer, for example one that the wrong key signed.

    Raises:
        RequestError: late, doubled, for another candidate or other evidence, without a reason, or
            by the requester.
    """
    request = get(store, name)
    _demand_open(request, now)
    if request.operation != "promote":
        raise RequestError(f"request {request.id} is a {request.operation} and asks nobody")
    seen, asked = (candidate_digest, evidence_digest), _digests(request)
    if seen != asked or candidate_digest is None or evidence_digest is None:
        raise RequestError(
            f"request {request.id} is about candidate {asked[0]} and evidence {asked[1]}; "
            f"the answer is about {seen[0]} and {seen[1]}"
        )
    is_self = same_person(approver, request.requester)
    if is_self and verdict == "Approved":
        _demand_self_approval(request, mode, self_approve)
    approval = Approval(
        verdict=verdict,
        approver=checked_text(approver, "the approver's name", LONGEST_NAME),
        candidate_digest=candidate_digest,
        evidence_digest=evidence_digest,
        reason=checked_text(reason, "a reason", LONGEST_REASON),
        time=utc_text(now),
        self_approved=is_self and verdict == "Approved",
    )
    if sign is not None:
        signature = sign(signed_statement(request, approval))
        approval = approval.model_copy(update={"signature": signature})
    demand(approval)
    written = _write(
        store, _answer_key(request.id, approver), _Answer(request=request.id, approval=approval)
    )
    if not written:
        raise RequestError(f"{approver} has answered request {request.id} already")
    return get(store, request.id)


def signed_statement(request: PromotionRequest, approval: Approval) -> bytes:
    """Return the bytes that an answer is signed over."""
    if request.operation == "ratify":
        return ratification_statement(
            request=request.id,
            model=request.model,
            kind="policy",
            digest=approval.candidate_digest,
            author=request.requester,
            reason=request.reason or "",
            verdict=approval.verdict,
            approver=approval.approver,
            answer=approval.reason,
            answered=approval.time,
        )
    return statement(
        request=request.id,
        model=request.model,
        candidate_digest=approval.candidate_digest,
        baseline_digest=request.baseline_digest,
        evidence_digest=approval.evidence_digest,
        policy_digest=request.policy_digest,
        verdict=approval.verdict,
        approver=approval.approver,
        reason=approval.reason,
        time=approval.time,
    )


def withdraw(
    store: ObjectStore, name: str, *, requester: str, reason: str, now: datetime
) -> PromotionRequest:
    """Take a request back; the gate then ends it as cancelled.

    Raises:
        RequestError: it ended already, is being applied, or somebody else asked for it.
    """
    request = get(store, name)
    _demand_open(request, now)
    if request.operation != "promote":
        raise RequestError(
            f"request {request.id} is a {request.operation} that is being applied; "
            "run the same command again to finish it"
        )
    if not same_person(requester, request.requester):
        raise RequestError(
            f"request {request.id} is {request.requester}'s; {requester} may reject it instead"
        )
    reason = checked_text(reason, "a reason", LONGEST_REASON)
    withdrawal = _Withdrawal(request=request.id, reason=reason, time=utc_text(now))
    _write(store, f"{_FOLDER}{request.id}/withdrawn.json", withdrawal)
    return get(store, request.id)


def settle(
    store: ObjectStore,
    request: PromotionRequest,
    outcome: Outcome,
    *,
    reason: str,
    version: int | None = None,
    landed: Landed | None = None,
) -> PromotionRequest:
    """Write how a request ended; the first outcome stands."""
    ending = _Ending(
        request=request.id,
        outcome=outcome,
        reason=reason,
        version=version,
        ledger_seq=None if landed is None else landed.seq,
        ledger_digest=None if landed is None else landed.digest,
    )
    _write(store, _ending_key(request.id), ending)
    return get(store, request.id)


def withdrawal_reason(store: ObjectStore, request: PromotionRequest) -> str:
    """Return why a withdrawn request was withdrawn."""
    withdrawal = _read(store, f"{_FOLDER}{request.id}/withdrawn.json", _Withdrawal)
    return "" if withdrawal is None else withdrawal.reason


def _assemble(store: ObjectStore, id: str) -> PromotionRequest:
    base = _read(store, key_of(id), PromotionRequest)
    if base is None:
        raise UnknownModelError(f"there is no request {id!r}")
    if base.id != id:
        raise TamperedError(f"{key_of(id)} holds request {base.id}")
    answers = [
        _read(store, key, _Answer)
        for key in store.list(f"{_FOLDER}{id}/")
        if key.startswith(f"{_FOLDER}{id}/answer-")
    ]
    approvals = [answer.approval for answer in answers if answer is not None]
    update: dict[str, object] = {
        "approvals": tuple(sorted(approvals, key=lambda each: (each.time, each.approver))),
        "withdrawn": _read(store, f"{_FOLDER}{id}/withdrawn.json", _Withdrawal) is not None,
    }
    ending = _read(store, _ending_key(id), _Ending)
    if ending is not None:
        update |= {
            "outcome": ending.outcome,
            "outcome_reason": ending.reason,
            "version": ending.version,
            "ledger_seq": ending.ledger_seq,
            "ledger_digest": ending.ledger_digest,
        }
    return base.model_copy(update=update)


def _ids(store: ObjectStore, beginning: str) -> Iterator[str]:
    for key in store.list(f"{_FOLDER}{beginning}"):
        name = key.removeprefix(_FOLDER)
        if "/" not in name and name.endswith(".json"):
            yield name.removesuffix(".json")


def _demand_open(request: PromotionRequest, now: datetime) -> None:
    if request.outcome is not None:
        raise RequestError(f"request {request.id} ended as {request.outcome} already")
    if request.withdrawn:
        raise RequestError(f"request {request.id} was withdrawn")
    if utc_text(now) >= request.expires:
        raise RequestError(f"request {request.id} expired at {request.expires}; run again")


def _demand_self_approval(request: PromotionRequest, mode: Mode, self_approve: bool) -> None:
    if mode != "laptop":
        raise RequestError(
            f"{request.requester} asked for request {request.id}: somebody else must approve it"
        )
    if not self_approve:
        raise RequestError(
            f"{request.requester} asked for request {request.id}: somebody else approves it, "
            "or --self-approve, recorded as such"
        )


def _digests(request: PromotionRequest) -> tuple[str | None, str | None]:
    return request.candidate_digest, request.evidence_digest


def checked_text(value: str, what: str, longest: int) -> str:
    """Return a person's text without surrounding space.

    Raises:
        RequestError: it is empty or too long, or holds what a terminal would obey.
    """
    text = value.strip()
    if not text:
        raise RequestError(f"{what} is needed")
    if _CONTROL.search(text):
        raise RequestError(f"{what} is plain text: take the control characters out")
    if len(text) > longest:
        raise RequestError(f"{what} has {len(text)} characters, at most {longest} are kept")
    return text


def key_of(id: str) -> str:
    """Return where a request lies."""
    return f"{_FOLDER}{id}.json"


def _ending_key(id: str) -> str:
    return f"{_FOLDER}{id}/outcome.json"


def _answer_key(id: str, approver: str) -> str:
    """One key a person, whatever characters the name has."""
    person = hashlib.sha256(person_of(approver).encode()).hexdigest()[:32]
    return f"{_FOLDER}{id}/answer-{person}.json"


def _write(store: ObjectStore, key: str, record: Record) -> bool:
    """Create a part, sealed by its digest; return whether it was not there before."""
    document = record.model_dump(mode="json")
    sealed = canonical_json({"digest": digest_json(document), "document": document})
    try:
        return store.create(key, sealed)
    except OutcomeUnknownError:
        if store.get(key) == sealed:
            return True
        raise


def _read(store: ObjectStore, key: str, kind: type[_Part]) -> _Part | None:
    data = store.get(key)
    if data is None:
        return None
    try:
        value = parse_json(data, name=key)
        is_whole = (
            isinstance(value, dict)
            and value.keys() == {"digest", "document"}
            and value["digest"] == digest_json(value["document"])
            and canonical_json(value) == data
        )
        record = kind.from_json(value["document"], name=key) if is_whole else None
    except RecordError as error:
        raise TamperedError(f"{key} was altered: {error}") from error
    if record is None:
        raise TamperedError(f"{key} was altered: its digest is not that of its document")
    return record
