"""How does a person at this terminal see and answer requests?"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from gate import requests
from gate.gate import Gate
from gate.packages import Package, kept_package
from gate.review import Evidence, evidence_of, shadow_of
from modelwarrant.cli.knowledge import Place
from modelwarrant.cli.options import note, out
from modelwarrant.records import Decision, PromotionRequest
from modelwarrant.registry import ssh
from modelwarrant.reports import run_page

__all__ = [
    "LaptopDesk",
    "ask_person",
    "decide_request",
    "describe_request",
    "list_requests",
    "pass_gate",
    "request_package",
    "withdraw_request",
]

Verdict = Literal["Approved", "Rejected"]
_WITHDRAWN = "withdrawn by who asked"


def gate_of(place: Place) -> Gate:
    """Return the gate of a laptop: it holds this person's key."""
    return Gate(place.store, place.home)


def pass_gate(place: Place, request: str) -> PromotionRequest:
    """Let the gate bring a request as far as it can go."""
    return gate_of(place).process(request, now=place.now)


def list_requests(place: Place, *, everything: bool) -> tuple[PromotionRequest, ...]:
    """Return the requests that wait, or all of them; those that expired end here."""
    found = requests.list_requests(place.store, waiting_only=not everything)
    ended = [r if r.outcome is not None else pass_gate(place, r.id) for r in found]
    return tuple(r for r in ended if everything or r.outcome is None)


def request_package(place: Place, request: PromotionRequest) -> Package | None:
    """Return candidate and evidence of a request, hashed; None where it has none."""
    return kept_package(place.store, place.state(request.model), request)


def describe_request(
    place: Place, name: str
) -> tuple[PromotionRequest, Evidence | None, Path | None]:
    """Return a request, what its verdict rests on, and a page of it as it is now."""
    request = requests.get(place.store, name)
    package = request_package(place, request)
    if package is None:
        return request, None, None
    evidence = evidence_of(package, shadow=shadow_of(place.store, request))
    page = place.work / request.model / "requests" / f"{request.id}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(
        run_page(**vars(evidence), request=request, approvals=request.approvals), encoding="utf-8"
    )
    return request, evidence, page


def decide_request(
    place: Place,
    name: str,
    *,
    verdict: str,
    reason: str,
    self_approve: bool,
    key: Path | None = None,
) -> PromotionRequest:
    """Answer as this person, about exactly the candidate and evidence that the request names."""
    request = requests.get(place.store, name)
    answer: Verdict = "Approved" if verdict == "Approved" else "Rejected"
    return gate_of(place).answer(
        request.id,
        answer,
        approver=place.settings.actor,
        reason=reason,
        candidate_digest=request.candidate_digest,
        evidence_digest=request.evidence_digest,
        now=place.now,
        self_approve=self_approve,
        sign=None if key is None else partial(ssh.sign, key=key),
    )


def withdraw_request(place: Place, name: str) -> PromotionRequest:
    """Take a request of this person's back."""
    return gate_of(place).withdraw(
        name, requester=place.settings.actor, reason=_WITHDRAWN, now=place.now
    )


def ask_person(place: Place, request: PromotionRequest, decision: Decision) -> PromotionRequest:
    """Ask the person at the terminal at once; no answer leaves the request waiting."""
    console = out()
    console.print(f"\n{decision.verdict}: {decision.reason}", markup=False)
    console.print("Approve your own request now? It is recorded as self-approved.")
    console.print("A reason approves, 'reject: reason' rejects, Enter leaves it waiting: ", end="")
    sys.stdout.flush()
    answer = sys.stdin.readline().strip()
    if not answer:
        note(f"request {request.id} waits")
        return request
    rejects = answer.startswith("reject:")
    return decide_request(
        place,
        request.id,
        verdict="Rejected" if rejects else "Approved",
        reason=answer.removeprefix("reject:").strip(),
        self_approve=not rejects,
    )


@dataclass(frozen=True)
class LaptopDesk:
    """The gate as the person who started ``warrant review`` uses it; see ``gate.review.Desk``."""

    place: Place

    @property
    def person(self) -> str:
        """As whom this desk answers."""
        return self.place.settings.actor

    def requests(self) -> Sequence[PromotionRequest]:
        """Return all requests, those that wait first."""
        found = list_requests(self.place, everything=True)
        return sorted(found, key=lambda request: request.outcome is not None)

    def request(self, request_id: str) -> PromotionRequest:
        """Return one request."""
        return requests.get(self.place.store, request_id)

    def evidence(self, request: PromotionRequest) -> Evidence | None:
        """Return what the request's verdict rests on."""
        package = request_package(self.place, request)
        if package is None:
            return None
        return evidence_of(package, shadow=shadow_of(self.place.store, request))

    def allows_self_approval(self, model: str) -> bool:
        """Return whether the model's ledger lets a requester approve."""
        return self.place.state(model).mode == "laptop"

    def answer(
        self,
        request_id: str,
        answer: Literal["approve", "reject", "withdraw"],
        *,
        reason: str,
        candidate_digest: str | None,
        evidence_digest: str | None,
        self_approve: bool,
    ) -> PromotionRequest:
        """Answer a request, and let the gate act on it."""
        gate = gate_of(self.place)
        if answer == "withdraw":
            return gate.withdraw(
                request_id, requester=self.person, reason=reason, now=self.place.now
            )
        verdict: Verdict = "Approved" if answer == "approve" else "Rejected"
        return gate.answer(
            request_id,
            verdict,
            approver=self.person,
            reason=reason,
            candidate_digest=candidate_digest,
            evidence_digest=evidence_digest,
            now=self.place.now,
            self_approve=self_approve,
        )
