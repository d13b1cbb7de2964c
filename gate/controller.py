"""What does the gate of a cluster do, again and again?

One pass reads every request and brings each as far as it can go: begin a ledger, record a verdict,
promote, end, resume the run that waits. Passes are level-triggered: nothing is kept between them
that a restart could lose, and a wake-up that was missed is made up for by the next pass.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gate.cluster import REQUEST_LABEL, SUSPENDED_AT, Cluster
from gate.clusterbook import ClusterBook, ClusterHome
from gate.gate import Gate
from gate.guard import CANARY, Guard
from gate.opening import ensure_ledger
from gate.promotion import approvals_needed
from gate.resource import is_waiting, request_id
from gate.webhook import NOTIFIED, Webhook, event_of, notified_event
from modelwarrant.errors import RequestError, TemporaryError, UnknownModelError, WarrantError
from modelwarrant.policy import default_policy
from modelwarrant.records import Blob, DriftReport, EvaluationReport, PromotionRequest
from modelwarrant.registry import Ledger, Signer, State, read_blob
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.state import Decided
from modelwarrant.storage import ObjectStore

__all__ = ["Controller", "Health"]

ACTOR: Final = "modelwarrant-gate"
"""Who begins ledgers."""

_PASS_EVERY_S: Final = 3
"""Longest wait between passes, in seconds, where no request changes."""
_GUARD_EVERY_S: Final = 60.0
_GUARD_FRESH_S: Final = 2.0
"""A look at the guard that is older is repeated before production moves."""
_LOOK_AGAIN_S: Final = 15.0
"""A request that waits and did not change is looked at again after so many seconds: its run may
have been ended, its time be over, production have moved."""
_SUSPENDED_FOR: Final = timedelta(minutes=5)
"""A run that is suspended longer, and never completed its request, is resumed."""


@dataclass
class Health:
    """What the gate says of itself; read by the pages' thread."""

    passes: int = 0
    last_pass: float = 0.0
    """Seconds of the monotonic clock."""
    fault: str | None = None
    """Why nothing is promoted, None where all is well."""
    outcomes: dict[str, int] = field(default_factory=dict)
    acted: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """By model, what its monitor did last while this process ran, and when that was recorded."""


@dataclass
class Controller:
    """The gate of a cluster."""

    cluster: Cluster
    store: ObjectStore
    key: Signer
    guard: Guard
    webhook: Webhook
    log: logging.Logger
    is_automatic: bool = False
    """Whether PROMOTE promotes without a person."""
    installer: str | None = None
    """Who ratifies the shipped policy for every new model; None: nobody."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    health: Health = field(default_factory=Health)
    _home: ClusterHome = field(init=False)
    _guarded_at: float = -1e9
    _answers: dict[str, int] = field(default_factory=dict)
    """Answers that each request had when the guard was last seen in force."""
    _waiting: dict[str, tuple[object, float]] = field(default_factory=dict)
    """What each waiting request looked like when it was last dealt with, and when that was."""

    def __post_init__(self) -> None:
        self._home = ClusterHome(self.key, self.store.uri)

    def run(self, stop: threading.Event) -> None:
        """Make passes until told to stop; a pass that fails is logged and repeated."""
        while not stop.is_set():
            version = ""
            try:
                version = self.step()
            except WarrantError as error:
                self._say("pass_failed", error=str(error))
            try:
                if version:
                    self.cluster.wait_for_change(version, timeout_s=_PASS_EVERY_S)
            except WarrantError as error:
                self._say("watch_failed", error=str(error))
                version = ""
            if not version:
                stop.wait(_PASS_EVERY_S)

    def step(self) -> str:
        """Make one pass; return the resource version to watch from.

        Raises:
            WarrantError: the requests cannot be read.
        """
        resources, version = self.cluster.requests()
        requests = [each for each in resources if each["metadata"]["name"] != CANARY]
        self._home.learn(requests)
        self._look_at_guard(self._max_age(requests))
        if self.health.fault is None:
            self._answers = {each["metadata"]["uid"]: _answers(each) for each in requests}
        book = ClusterBook(self.cluster, self.store, self.now())
        current = {
            each["metadata"]["name"]: self._advance(book, each)
            for each in sorted(requests, key=lambda each: each["metadata"]["creationTimestamp"])
        }
        self._resume(current)
        self.health.passes += 1
        self.health.last_pass = time.monotonic()
        return version

    def _max_age(self, requests: Iterable[Mapping[str, Any]]) -> float:
        """How old the last look at the guard may be: next to nothing where production may move."""
        may_move = any(
            is_waiting(each) and (each["spec"]["operation"] != "promote" or _answers(each))
            for each in requests
        )
        return _GUARD_FRESH_S if may_move or self.is_automatic else _GUARD_EVERY_S

    def _look_at_guard(self, max_age_s: float) -> None:
        if time.monotonic() - self._guarded_at < max_age_s and self.health.fault is None:
            return
        try:
            fault = self.guard.fault()
        except TemporaryError as error:
            fault = f"the admission policy cannot be looked at: {error}"
        if fault != self.health.fault:
            self._say("guard", fault=fault)
        self.health.fault = fault
        self._guarded_at = time.monotonic()

    def _advance(self, book: ClusterBook, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        """Bring one request as far as it can go; return it as it is then."""
        name = resource["metadata"]["name"]
        try:
            if is_waiting(resource) and not self._is_idle(resource):
                resource = self._decide(book, resource)
            return self._notify(resource)
        except TemporaryError as error:
            self._say("retry", request=name, error=str(error))
        except WarrantError as error:
            self._say("fault", request=name, error=str(error))
        except Exception as error:  # one request must not stop all the others
            self._say("fault", request=name, error=repr(error))
            self.log.exception("fault")
        return resource

    def _is_idle(self, resource: Mapping[str, Any]) -> bool:
        look, at = self._waiting.get(resource["metadata"]["uid"], (None, 0.0))
        return look == self._look(resource) and time.monotonic() - at < _LOOK_AGAIN_S

    def _look(self, resource: Mapping[str, Any]) -> object:
        """What a request's treatment depends on, beside the passing of time."""
        ended = sum(self.health.outcomes.values())
        return resource["metadata"]["resourceVersion"], self.health.fault, ended

    def _decide(self, book: ClusterBook, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        name = resource["metadata"]["name"]
        request_id(resource)
        ledger = self._open(resource)
        gate = Gate(
            self.store,
            self._home,
            is_automatic=self.is_automatic,
            book=book,
            is_barred=self.health.fault is not None,
        )
        try:
            request = book.read(resource)
            if self._was_answered_unguarded(resource):
                why = f"answered while the guard was not in force ({self.health.fault}); run again"
                request = book.settle(request, "held", reason=why)
            else:
                request = gate.process(request.id, now=self.now(), ledger=ledger)
        except RequestError as error:
            request = book.settle(book.read_without_files(resource), "held", reason=str(error))
        self._say_outcome(request)
        resource = self._describe(self.cluster.request(name), request, ledger)
        if request.outcome is None:
            self._waiting[resource["metadata"]["uid"]] = (self._look(resource), time.monotonic())
        return resource

    def _was_answered_unguarded(self, resource: Mapping[str, Any]) -> bool:
        if self.health.fault is None:
            return False
        return _answers(resource) > self._answers.get(resource["metadata"]["uid"], 0)

    def _open(self, resource: Mapping[str, Any]) -> Ledger:
        """Open the model's ledger, begin it where there is none, and write down how it begins."""
        opened = ensure_ledger(
            self.store,
            resource["spec"]["model"],
            home=self._home,
            policy=default_policy(),
            actor=ACTOR,
            now=self.now(),
            mode="cluster",
            approver=self.installer,
        )
        genesis = opened.ledger.state().genesis
        if resource.get("status", {}).get("genesis") is None:
            self.cluster.patch_status(resource["metadata"]["name"], {"genesis": genesis})
        return opened.ledger

    def _describe(
        self,
        resource: Mapping[str, Any],
        request: PromotionRequest,
        ledger: Ledger,
    ) -> Mapping[str, Any]:
        """Write into the status what the gate computed, and what it waits for."""
        state = ledger.state()
        decided = state.decision_of(request.id)
        status: dict[str, Any] = {}
        if decided is not None and "verdict" not in resource["status"]:
            status |= {
                "verdict": decided.verdict,
                "rule": decided.rule[:253],
                "approvals_required": min(10, self._needed(state, decided)),
                **_evidence_words(self.store, ledger.model, decided),
            }
            if decided.version is not None:
                status["version"] = decided.version
        if request.outcome is None:
            waits = self._waits_for(state, request, decided)[:1000]
            if waits != resource["status"].get("waiting_for"):
                status["waiting_for"] = waits
        if not status:
            return resource
        return self.cluster.patch_status(resource["metadata"]["name"], status)

    def _needed(self, state: State, decided: Decided) -> int:
        return approvals_needed(state, decided, is_automatic=self.is_automatic)

    def _waits_for(self, state: State, request: PromotionRequest, decided: Decided | None) -> str:
        if self.health.fault is not None:
            return f"nothing is promoted: {self.health.fault}"
        if request.operation == "ratify":
            return "an approval by somebody other than who asked"
        if decided is None:
            return "the candidate, which the run hands in"
        approved = sum(each.verdict == "Approved" for each in request.approvals)
        return f"{approved} of {self._needed(state, decided)} approvals"

    def _notify(self, resource: Mapping[str, Any]) -> Mapping[str, Any]:
        event = event_of(resource)
        if event is None or notified_event(resource) == event:
            return resource
        message = self.webhook.tell(event, resource)
        others = [
            each for each in resource["status"].get("conditions", ()) if each["type"] != NOTIFIED
        ]
        condition = {
            "type": NOTIFIED,
            "status": "True",
            "reason": event,
            "message": message,
            "lastTransitionTime": utc_text(self.now()),
        }
        return self.cluster.patch_status(
            resource["metadata"]["name"], {"conditions": [*others, condition]}
        )

    def _resume(self, requests: Mapping[str, Mapping[str, Any]]) -> None:
        """Let every run go on that waits for nothing any more."""
        for workflow in self.cluster.workflows():
            if not workflow["spec"].get("suspend"):
                continue
            metadata = workflow["metadata"]
            request = requests.get(metadata["labels"][REQUEST_LABEL])
            if not self._may_go_on(request, metadata.get("annotations", {})):
                continue
            try:
                self.cluster.resume(metadata["name"])
                self._say("resumed", workflow=metadata["name"])
            except UnknownModelError:
                self._say("workflow_gone", workflow=metadata["name"])
            except TemporaryError as error:
                self._say("retry", workflow=metadata["name"], error=str(error))

    def _may_go_on(self, request: Mapping[str, Any] | None, annotations: Mapping[str, str]) -> bool:
        if request is not None and not is_waiting(request):
            return True
        if request is not None and "candidate" in request["spec"]:
            return False
        try:
            since = datetime.fromisoformat(annotations[SUSPENDED_AT])
            return self.now() - since > _SUSPENDED_FOR
        except (KeyError, ValueError, TypeError):
            return True  # it never said since when, so nobody would ever resume it

    def _say_outcome(self, request: PromotionRequest) -> None:
        if request.outcome is None:
            return
        counts = self.health.outcomes
        self.health.outcomes = {**counts, request.outcome: counts.get(request.outcome, 0) + 1}
        if request.operation == "act" and request.action and request.outcome == "applied":
            self.health.acted = {**self.health.acted, request.model: (request.action, self.now())}
        self._say(
            "ended",
            request=request.id,
            model=request.model,
            outcome=request.outcome,
            why=request.outcome_reason,
        )

    def _say(self, event: str, **fields: object) -> None:
        self.log.info(event, extra={"fields": fields})


def _answers(resource: Mapping[str, Any]) -> int:
    return len(resource["spec"].get("decisions", ()))


def _evidence_words(store: ObjectStore, model: str, decided: Decided) -> dict[str, str]:
    """Say drift and gain in a few characters, as ``kubectl get`` shows them."""
    said: dict[str, str] = {}
    blobs: dict[str, Blob] = {blob.name: blob for blob in decided.blobs}
    if "drift_report.json" in blobs:
        data = read_blob(store, model, decided.attempt, blobs["drift_report.json"])
        said["drift"] = DriftReport.from_bytes(data, name="drift_report.json").level
    if "evaluation_report.json" in blobs:
        data = read_blob(store, model, decided.attempt, blobs["evaluation_report.json"])
        report = EvaluationReport.from_bytes(data, name="evaluation_report.json")
        said["delta"] = f"{report.current.gain.estimate:+.4g} {report.metric}"
    return said
