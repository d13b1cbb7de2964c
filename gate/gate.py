"""May this request change what is in production, and does the ledger say so now?

One state machine for laptop and cluster. Every step is recorded under a txn made of the run and the
step, so a crash anywhere and another pass end in the same state. Nothing a run says is believed:
the package is hashed again, and the verdict is computed again with the ratified policy.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gate import requests
from gate.acting import Recorded, record
from gate.book import RequestBook, StoreBook
from gate.opening import Home, open_ledger, remember
from gate.operations import apply, payload_of
from gate.packages import LIFETIME
from gate.promotion import Promotion, is_allowed_signature
from modelwarrant.canonical import digest_json
from modelwarrant.errors import BusyError, RequestError
from modelwarrant.records import Approval, PromotionRequest
from modelwarrant.registry import Ledger, State
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.rules import check
from modelwarrant.storage import ObjectStore

__all__ = ["Gate"]

PASSES = 8
"""Recording and acting take two; the others are for a ledger that moves meanwhile."""


@dataclass(frozen=True)
class Gate:
    """The only writer of promotions."""

    store: ObjectStore
    home: Home
    """Holds the key that signs entries, and remembers genesis and anchors."""
    is_automatic: bool = True
    """Whether PROMOTE needs no human; off on clusters."""
    book: RequestBook | None = None
    """Where the requests are; None: in the store, as on a laptop."""
    is_barred: bool = False
    """Nothing moves the production pointer: what guards the requests is not in force."""
    new_attempt: Callable[[], str] = lambda: secrets.token_hex(8)

    def ledger(self, model: str) -> Ledger:
        """Return a model's ledger, to be written with this gate's key."""
        return open_ledger(self.store, model, home=self.home)

    def process(
        self, name: str, *, now: datetime, ledger: Ledger | None = None
    ) -> PromotionRequest:
        """Bring a request as far as it can go.

        Args:
            name: id or unique beginning.
            now: decides whether it expired.
            ledger: of the request's model, where it is open already.

        Returns:
            The request, with an outcome unless it waits for approvals.

        Raises:
            TemporaryError: the store failed; another pass goes on where this one stopped.
        """
        book = self.book or StoreBook(self.store)
        request = book.get(name)
        ledger = ledger or self.ledger(request.model)
        for _ in range(PASSES):
            if request.outcome is not None:
                return request
            done = self._step(ledger, book, request, now)
            if done is not None:
                if done.outcome in ("promoted", "applied"):
                    remember(self.home, ledger)
                return done
            request = book.get(request.id)
        raise BusyError(f"{request.model}: the ledger moves too fast for request {request.id}")

    def _step(
        self, ledger: Ledger, book: RequestBook, request: PromotionRequest, now: datetime
    ) -> PromotionRequest | None:
        if request.operation == "promote":
            return Promotion(
                ledger, book, request, now, self.is_automatic, self.is_barred, self.new_attempt
            ).step()
        if self.is_barred:
            return request
        return apply(ledger, book, request, now=now, is_automatic=self.is_automatic)

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

    def act(
        self, model: str, files: Mapping[str, bytes], *, id: str, actor: str, now: datetime
    ) -> Recorded:
        """Record what a monitor did, and carry it out; see ``acting.record``.

        On a laptop nobody is asked, so there is no request to be kept beside the entry.
        """
        actor = requests.checked_text(actor, "an actor", requests.LONGEST_NAME)
        ledger = self.ledger(model)
        done = record(
            ledger, files, id=id, requester=actor, is_automatic=self.is_automatic, now=now
        )
        ledger.publish_head()
        remember(self.home, ledger)
        return done

    def _ask(
        self,
        operation: Literal["rollback", "tombstone"],
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
        check(state, payload_of(request))
        requests.create(self.store, request)
        return self.process(request.id, now=now)


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
