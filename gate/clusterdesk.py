"""How does a person see and answer a cluster's requests?

Each call is the person's own call to the API server, with the kubeconfig of that person: the server
says who it is, and the admission policy what they may do. Evidence is read from the store.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, Literal

from gate.cluster import Cluster
from gate.clusterbook import ClusterBook
from gate.guard import CANARY
from gate.packages import LIFETIME, kept_package
from gate.requests import LONGEST_REASON, checked_text, signed_statement
from gate.resource import announcement, is_waiting, name_of, operation_request, to_record
from gate.review import Evidence, evidence_of, shadow_of
from modelwarrant.errors import BusyError, RequestError, StoreUnavailableError
from modelwarrant.records import Approval, PromotionRequest
from modelwarrant.registry import Ledger
from modelwarrant.registry.entries import utc_text
from modelwarrant.storage import ObjectStore

__all__ = ["ClusterDesk", "ClusterShelf"]

_TRIES: Final = 5
_POLL_S: Final = 0.3
PATIENCE: Final = timedelta(seconds=20)
"""How long the gate is given to act on what a person just did."""


@dataclass(frozen=True)
class ClusterShelf:
    """Requests and their evidence, to be read."""

    cluster: Cluster
    open_store: Callable[[], ObjectStore]
    """Opens the store where evidence is wanted; answering needs none."""

    def requests(self) -> tuple[PromotionRequest, ...]:
        """Return all requests, those that wait first, then the newest first."""
        resources = self.cluster.requests()[0]
        found = [
            to_record(each, now=datetime.now(UTC))
            for each in resources
            if each["metadata"]["name"] != CANARY
        ]
        newest = sorted(found, key=lambda request: request.created, reverse=True)
        return tuple(sorted(newest, key=lambda request: request.outcome is not None))

    def request(self, name: str) -> PromotionRequest:
        """Return one request, by name or id."""
        return to_record(self.cluster.request(name_of(name)), now=datetime.now(UTC))

    def evidence(self, request: PromotionRequest) -> Evidence | None:
        """Return what a request's verdict rests on, hashed; None where it has none."""
        if request.package is None:
            return None
        resource = self.cluster.request(name_of(request.id))
        genesis = resource.get("status", {}).get("genesis")
        store = self.open_store()
        state = Ledger(store, request.model, pinned_genesis=genesis).state()
        whole = request
        if state.decision_of(request.id) is None:
            whole = ClusterBook(self.cluster, store, datetime.now(UTC)).read(resource)
        package = kept_package(store, state, whole)
        return None if package is None else evidence_of(package, shadow=shadow_of(store, request))


@dataclass(frozen=True)
class ClusterDesk(ClusterShelf):
    """The gate as one person uses it; see ``gate.review.Desk``."""

    @cached_property
    def person(self) -> str:
        """The name that the API server knows this person by."""
        return self.cluster.user()

    def allows_self_approval(self, model: str) -> bool:
        """Return False: on a cluster somebody else approves, whatever the model."""
        return False

    def answer(
        self,
        request_id: str,
        answer: Literal["approve", "reject", "withdraw"],
        *,
        reason: str,
        candidate_digest: str | None,
        evidence_digest: str | None,
        self_approve: bool,
        sign: Callable[[bytes], str] | None = None,
    ) -> PromotionRequest:
        """Answer a request and wait a while for the gate to act.

        Raises:
            RequestError: the API server or the request's state refuses it; the message says why.
            BusyError: others answered at the same moment, several times over.
        """
        if self_approve:
            raise RequestError("self-approval is for a laptop's ledger; somebody else must approve")
        for _ in range(_TRIES):
            resource = self.cluster.request(name_of(request_id))
            if answer == "withdraw":
                resource["spec"]["withdrawn"] = True
            else:
                seen = (candidate_digest, evidence_digest)
                self._add_decision(resource, answer, reason, seen, sign)
            try:
                self.cluster.replace_request(resource)
            except BusyError:
                continue
            return self.wait_for_gate(name_of(request_id))
        raise BusyError(f"request {request_id}: others answer at the same moment; try again")

    def _add_decision(
        self,
        resource: dict[str, Any],
        answer: Literal["approve", "reject"],
        reason: str,
        seen: tuple[str | None, str | None],
        sign: Callable[[bytes], str] | None,
    ) -> None:
        request = to_record(resource, now=datetime.now(UTC))
        if request.outcome is not None:
            raise RequestError(f"request {request.id} ended as {request.outcome} already")
        asked = (request.candidate_digest, request.evidence_digest)
        if request.operation == "ratify":
            asked = seen = (request.target, request.target)
        if asked[0] is None:
            raise RequestError(
                f"request {request.id} has no candidate yet: its run is still under way"
            )
        if seen != asked:
            raise RequestError(
                f"request {request.id} is about candidate {asked[0]} and evidence {asked[1]}; "
                f"the answer is about {seen[0]} and {seen[1]}"
            )
        approval = Approval(
            verdict="Approved" if answer == "approve" else "Rejected",
            approver=self.person,
            candidate_digest=asked[0],
            evidence_digest=asked[1] or "",
            reason=checked_text(reason, "a reason", LONGEST_REASON),
            time=utc_text(datetime.now(UTC)),
        )
        decision = approval.model_dump(
            include={"verdict", "approver", "candidate_digest", "reason", "time"}
        )
        if sign is not None:
            decision["signature"] = sign(signed_statement(request, approval))
        resource["spec"].setdefault("decisions", []).append(decision)

    def announce(self, run: str, model: str, *, patience: timedelta) -> str:
        """Say that a run of this person's is under way; return the request's name.

        Args:
            run: its id, lower-case.
            model: the model's name.
            patience: how long the gate is given to take note.

        Raises:
            RequestError: this person may not ask.
            StoreUnavailableError: no gate took note; the request is withdrawn.
        """
        body = announcement(
            run=run,
            model=model,
            requester=self.person,
            namespace=self.cluster.namespace,
            expires=datetime.now(UTC) + LIFETIME,
        )
        name = body["metadata"]["name"]
        self.cluster.create_request(body)
        try:
            self.wait_for_gate(name, until=_is_noted, patience=patience, demand=True)
        except StoreUnavailableError:
            resource = self.cluster.request(name)
            resource["spec"]["withdrawn"] = True
            self.cluster.replace_request(resource)
            raise
        return str(name)

    def ask(
        self,
        operation: Literal["rollback", "tombstone", "ratify"],
        model: str,
        *,
        target: str,
        reason: str,
        document: str | None = None,
    ) -> PromotionRequest:
        """Ask for what is no promotion, and wait a while for the gate to act.

        Raises:
            RequestError: this person may not ask for it.
        """
        name = f"{operation}-{secrets.token_hex(6)}"
        self.cluster.create_request(
            operation_request(
                name=name,
                operation=operation,
                model=model,
                requester=self.person,
                namespace=self.cluster.namespace,
                target=target,
                reason=checked_text(reason, "a reason", LONGEST_REASON),
                expires=datetime.now(UTC) + LIFETIME,
                document=document,
            )
        )
        return self.wait_for_gate(name)

    def wait_for_gate(
        self,
        name: str,
        *,
        until: Callable[[dict[str, Any]], bool] = lambda resource: not is_waiting(resource),
        patience: timedelta = PATIENCE,
        demand: bool = False,
    ) -> PromotionRequest:
        """Return a request once the gate has acted on it, or as it is when patience ends.

        Args:
            name: of the request.
            until: what the gate is waited for.
            patience: how long.
            demand: whether to raise where the gate did nothing.

        Raises:
            StoreUnavailableError: the gate did nothing, and it was demanded.
        """
        ends = time.monotonic() + patience.total_seconds()
        while True:
            resource = self.cluster.request(name)
            if until(resource) or _waits_for_people(resource):
                break
            if time.monotonic() >= ends:
                if demand:
                    raise StoreUnavailableError(
                        f"request {name}: the gate in {self.cluster.namespace} does not answer; "
                        f"see `kubectl get pods -n {self.cluster.namespace}`"
                    )
                break
            time.sleep(_POLL_S)
        return to_record(resource, now=datetime.now(UTC))


def _is_noted(resource: dict[str, Any]) -> bool:
    """Whether a gate has opened the model's ledger for a request, or ended it."""
    status = resource.get("status", {})
    return "genesis" in status or "outcome" in status


def _waits_for_people(resource: dict[str, Any]) -> bool:
    """Whether further people must answer: nothing to wait for at a terminal."""
    spec, status = resource["spec"], resource.get("status", {})
    verdicts = [decision["verdict"] for decision in spec.get("decisions", ())]
    if spec.get("withdrawn") or "Rejected" in verdicts:
        return False
    if spec["operation"] == "ratify":
        return "waiting_for" in status and not verdicts
    is_asked = spec["operation"] == "promote" and "candidate" in spec
    return is_asked and len(verdicts) < status.get("approvals_required", 1)
