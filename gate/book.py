"""Where are requests kept, seen from the gate?

On a laptop in the store, on a cluster as custom resources of the API server. The state machine of
``gate.gate`` asks no more of either than this.
"""

from dataclasses import dataclass
from typing import Protocol

from gate import requests
from modelwarrant.records import Outcome, PromotionRequest
from modelwarrant.registry.state import Landed
from modelwarrant.storage import ObjectStore

__all__ = ["RequestBook", "StoreBook", "rejection"]


class RequestBook(Protocol):
    """Requests as the gate reads and ends them."""

    def get(self, name: str) -> PromotionRequest:
        """Return a request with its answers and outcome.

        Raises:
            UnknownModelError: there is none of that name.
            RequestError: it names a package that is gone or was changed.
        """
        ...

    def cancellation(self, request: PromotionRequest) -> str | None:
        """Return why a request was given up by who asked for it, None where it was not."""
        ...

    def settle(
        self,
        request: PromotionRequest,
        outcome: Outcome,
        *,
        reason: str,
        version: int | None = None,
        landed: Landed | None = None,
    ) -> PromotionRequest:
        """Write how a request ended; the first outcome stands.

        Args:
            request: which one.
            outcome: how it ended.
            reason: in a sentence.
            version: that was registered, promoted or barred.
            landed: the entry that made it so.
        """
        ...


@dataclass(frozen=True)
class StoreBook:
    """The requests of a laptop's store."""

    store: ObjectStore

    def get(self, name: str) -> PromotionRequest:
        """Return a request; a unique beginning of its id is enough."""
        return requests.get(self.store, name)

    def cancellation(self, request: PromotionRequest) -> str | None:
        """Return the requester's reason to withdraw."""
        if not request.withdrawn:
            return None
        reason = requests.withdrawal_reason(self.store, request)
        return f"withdrawn by {request.requester}: {reason}"

    def settle(
        self,
        request: PromotionRequest,
        outcome: Outcome,
        *,
        reason: str,
        version: int | None = None,
        landed: Landed | None = None,
    ) -> PromotionRequest:
        """Write the ending beside the request."""
        return requests.settle(
            self.store, request, outcome, reason=reason, version=version, landed=landed
        )


def rejection(request: PromotionRequest) -> str | None:
    """Return who rejected a request and why, None where nobody did."""
    for approval in request.approvals:
        if approval.verdict == "Rejected":
            return f"rejected by {approval.approver}: {approval.reason}"
    return None
