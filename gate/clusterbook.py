"""What does the gate know of a cluster: its requests, its runs, and what they prove of the past?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gate.cluster import Cluster
from gate.resource import PACKAGE_LIST, name_of, parse_package_list, status_of, to_record
from modelwarrant.records import Blob, Outcome, PromotionRequest
from modelwarrant.registry import Pin, Signer
from modelwarrant.registry.state import Landed
from modelwarrant.storage import ObjectStore

__all__ = ["ClusterBook", "ClusterHome"]

_LONGEST_REASON = 2000


@dataclass
class ClusterHome:
    """The gate's key, and the anchors that the requests' statuses hold.

    They lie in another system than the ledger, under other credentials: a store that was set back
    or replaced is noticed even by a gate that has just started. See ``gate.opening.Home``.
    """

    key: Signer
    store_uri: str
    _pins: dict[str, Pin] = field(default_factory=dict)

    def signer(self) -> Signer:
        """Return the key that signs entries."""
        return self.key

    def pin(self, store_uri: str, model: str) -> Pin | None:
        """Return the newest that any request proves of a ledger."""
        return self._pins.get(model) if store_uri == self.store_uri else None

    def remember(self, pin: Pin) -> None:
        """Remember a ledger until this process ends; the status of its request outlives it."""
        known = self._pins.get(pin.model)
        if known is None or pin.anchor_seq > known.anchor_seq:
            self._pins[pin.model] = pin

    def learn(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Take in what the statuses say; the first entry that was ever written down stands."""
        for resource in resources:
            status, model = resource.get("status", {}), resource["spec"]["model"]
            genesis = status.get("genesis")
            if genesis is None:
                continue
            ledger = status.get("ledger", {"seq": 1, "hash": genesis})
            known = self._pins.get(model)
            self.remember(
                Pin(
                    store=self.store_uri,
                    model=model,
                    genesis=genesis if known is None else known.genesis,
                    anchor_seq=ledger["seq"],
                    anchor_digest=ledger["hash"],
                )
            )


@dataclass
class ClusterBook:
    """The promotion requests of a namespace; see ``gate.book.RequestBook``."""

    cluster: Cluster
    store: ObjectStore
    now: datetime
    _seen: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def get(self, name: str) -> PromotionRequest:
        """Return a request, its package's list of files checked by digest."""
        return self.read(self.cluster.request(name_of(name)))

    def read(self, resource: Mapping[str, Any]) -> PromotionRequest:
        """Return the record of a resource.

        Raises:
            RequestError: its package's list is gone or was changed.
        """
        candidate = resource["spec"].get("candidate")
        files: tuple[Blob, ...] = ()
        if candidate is not None:
            key = f"{candidate['package']}{PACKAGE_LIST}"
            files = parse_package_list(
                self.store.get(key), digest=candidate["package_digest"], name=key
            )
        return self._record(resource, files)

    def read_without_files(self, resource: Mapping[str, Any]) -> PromotionRequest:
        """Return the record of a resource whose package cannot be read, to end it."""
        return self._record(resource, ())

    def _record(self, resource: Mapping[str, Any], files: tuple[Blob, ...]) -> PromotionRequest:
        record = to_record(resource, files=files, now=self.now)
        self._seen[record.id] = resource
        return record

    def cancellation(self, request: PromotionRequest) -> str | None:
        """Return why it was given up: withdrawn, or its run was ended."""
        if request.withdrawn:
            return f"withdrawn by {request.requester}"
        run = self._seen[request.id]["spec"].get("run", {})
        name = run.get("workflow")
        if name is None:
            return None
        workflow = self.cluster.workflow(name)
        if workflow is None:
            return f"its run {run['name']} (workflow {name}) was deleted"
        if _was_ended(workflow):
            return f"its run {run['name']} (workflow {name}) was ended before an answer came"
        return None

    def settle(
        self,
        request: PromotionRequest,
        outcome: Outcome,
        *,
        reason: str,
        version: int | None = None,
        landed: Landed | None = None,
    ) -> PromotionRequest:
        """Write the ending into the request's status; the gate is its only writer."""
        status = status_of(outcome, reason=reason[:_LONGEST_REASON], version=version, landed=landed)
        resource = self.cluster.patch_status(name_of(request.id), status)
        self._seen[request.id] = resource
        return to_record(resource, files=request.files, now=self.now)


def _was_ended(workflow: Mapping[str, Any]) -> bool:
    """Whether somebody terminated a workflow, or it ended by itself."""
    spec, phase = workflow.get("spec", {}), workflow.get("status", {}).get("phase")
    is_terminated = "shutdown" in spec or spec.get("activeDeadlineSeconds") == 0
    return is_terminated or phase in ("Failed", "Error", "Succeeded")
