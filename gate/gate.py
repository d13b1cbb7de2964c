"""May this request change what is in production, and does the ledger say so now?

One state machine for laptop and cluster. Every step is recorded under a txn made of the run and the
step, so a crash anywhere and another pass end in the same state. Nothing a run says is believed:
the package is hashed again, and the verdict is computed again with the ratified policy.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gate import requests
from gate.opening import open_ledger, remember
from gate.packages import LIFETIME
from gate.promotion import Promotion, is_allowed_signature
from modelwarrant.canonical import digest_json
from modelwarrant.errors import BusyError, IllegalOperationError, RequestError
from modelwarrant.records import Approval, PromotionRequest
from modelwarrant.registry import LaptopHome, Ledger, State
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.payloads import Payload, parse_payload
from modelwarrant.registry.rules import check
from modelwarrant.registry.state import Landed
from modelwarrant.storage import ObjectStore

__all__ = ["Gate"]

PASSES = 8
"""Recording and acting take two; the others are for a ledger that moves meanwhile."""

_Direct = Literal["rollback", "tombstone"]
"""What a person may ask for on a laptop and nobody has to approve."""


@dataclass(frozen=True)
class Gate:
    """The only writer of promotions."""

    store: ObjectStore
    home: LaptopHome
    """Holds the key that signs entries, and remembers genesis and anchors."""
    is_automatic: bool = True
    """Whether PROMOTE needs no human; off on clusters."""
    new_attempt: Callable[[], str] = lambda: secrets.token_hex(8)

    def ledger(self, model: str) -> Ledger:
        """Return a model's ledger, to be written with this gate's key."""
        return open_ledger(self.store, model, home=self.home)

    def process(self, name: str, *, now: datetime) -> PromotionRequest:
        """Bring a request as far as it can go.

        Args:
            name: id or unique beginning.
            now: decides whether it expired.

        Returns:
            The request, with an outcome unless it waits for approvals.

        Raises:
            TemporaryError: the store failed; another pass goes on where this one stopped.
        """
        request = requests.get(self.store, name)
        ledger = self.ledger(request.model)
        for _ in range(PASSES):
            if request.outcome is not None:
                return request
            if request.operation == "promote":
                done = Promotion(ledger, request, now, self.is_automatic, self.new_attempt).step()
            else:
                done = self._apply(ledger, request, now)
            if done is not None:
                if done.outcome in ("promoted", "applied"):
                    remember(self.home, ledger)
                return done
            request = requests.get(self.store, request.id)
        raise BusyError(f"{request.model}: the ledger moves too fast for request {request.id}")

    def answer(
        self,
        name: str,
        verdict: Literal["Approved", "Rejected"],
        *,
        approver: str,
        reason: str,
        candidate_digest: str | None,
        evidence_digest: str | None,
        now: datetime,
        self_approve: bool = False,
        sign: Callable[[bytes], str] | None = None,
    ) -> PromotionRequest:
        """Record one person's answer and act on it; see ``requests.decide``.

        Raises:
            RequestError: the request cannot be answered that way, or the signature is not by an
                allowed key of this person.
        """
        request = requests.get(self.store, name)
        ledger = self.ledger(request.model)
        state = ledger.state()

        def demand_allowed(approval: Approval) -> None:
            if not is_allowed_signature(ledger, state, request, approval):
                raise RequestError(
                    f"the signature is not by a key that the ratified signers allow {approver}"
                )

        requests.decide(
            self.store,
            request.id,
            verdict=verdict,
            approver=approver,
            reason=reason,
            candidate_digest=candidate_digest,
            evidence_digest=evidence_digest,
            mode=state.mode or "cluster",
            now=now,
            self_approve=self_approve,
            sign=sign,
            demand=demand_allowed,
        )
        return self.process(request.id, now=now)

    def withdraw(
        self, name: str, *, requester: str, reason: str, now: datetime
    ) -> PromotionRequest:
        """Take a request back and end it as cancelled; see ``requests.withdraw``."""
        request = requests.withdraw(self.store, name, requester=requester, reason=reason, now=now)
        return self.process(request.id, now=now)

    def rollback(
        self, model: str, *, to: int, reason: str, actor: str, now: datetime
    ) -> PromotionRequest:
        """Put a former production version back.

        Raises:
            IllegalOperationError: never in production, tombstoned, or in production already.
        """
        return self._ask("rollback", model, target=to, reason=reason, actor=actor, now=now)

    def tombstone(
        self, model: str, *, version: int, reason: str, actor: str, now: datetime
    ) -> PromotionRequest:
        """Bar a version from production for ever.

        Raises:
            IllegalOperationError: it is in production, tombstoned already, or unknown.
        """
        return self._ask("tombstone", model, target=version, reason=reason, actor=actor, now=now)

    def _ask(
        self,
        operation: _Direct,
        model: str,
        *,
        target: int,
        reason: str,
        actor: str,
        now: datetime,
    ) -> PromotionRequest:
        """Make a request that needs no answer and apply it; one left by a crash is finished."""
        actor = requests.checked_text(actor, "an actor", requests.LONGEST_NAME)
        reason = requests.checked_text(reason, "a reason", requests.LONGEST_REASON)
        waiting = requests.find_waiting(
            self.store, operation=operation, model=model, target=str(target), requester=actor
        )
        if waiting is not None:
            return self.process(waiting.id, now=now)
        state = self.ledger(model).state()
        check(state, _payload(operation, target, reason=reason, actor=actor))
        request = PromotionRequest(
            id=_request_id(operation, state, target, actor),
            operation=operation,
            model=model,
            run=f"{operation}-{target}",
            requester=actor,
            reason=reason,
            target=str(target),
            created=utc_text(now),
            expires=utc_text(now + LIFETIME),
        )
        requests.create(self.store, request)
        return self.process(request.id, now=now)

    def _apply(self, ledger: Ledger, request: PromotionRequest, now: datetime) -> PromotionRequest:
        if request.operation not in ("rollback", "tombstone") or request.target is None:
            raise RequestError(f"request {request.id}: {request.operation} is not applied here")
        target, actor = int(request.target), request.requester
        operation: _Direct = "rollback" if request.operation == "rollback" else "tombstone"
        payload = _payload(operation, target, reason=request.reason or "", actor=actor)
        txn = f"{request.id}/{operation}"
        try:
            entry = ledger.append(operation, payload, txn=txn, actor=actor, now=now)
        except IllegalOperationError as error:
            return requests.settle(self.store, request, "superseded", reason=str(error))
        ledger.publish_head()
        return requests.settle(
            self.store,
            request,
            "applied",
            reason=request.reason or "",
            version=target,
            landed=Landed(entry.seq, entry.digest),
        )


def _payload(operation: _Direct, target: int, *, reason: str, actor: str) -> Payload:
    said: dict[str, object] = {"to": target, "reason": reason, "actor": actor}
    if operation == "tombstone":
        said = {"version": target, "reason": reason}
    return parse_payload(operation, said, name=f"{operation} of version {target}")


def _request_id(operation: str, state: State, target: int, actor: str) -> str:
    """The same wish in the same state of the ledger is the same request."""
    question: dict[str, str | int] = {
        "model": state.model,
        "operation": operation,
        "target": target,
        "actor": actor,
        "after": state.seq,
    }
    return digest_json(question).removeprefix("sha256:")[: requests.ID_LENGTH]
