"""A laptop's gate over a folder, and packages whose evidence belongs to its ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gate import requests
from gate.gate import Gate
from gate.opening import ensure_ledger
from gate.packages import submit
from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.policy import default_policy
from modelwarrant.records import PromotionRequest
from modelwarrant.registry import LaptopHome, Ledger, State, history_record
from modelwarrant.storage import DirectoryStore, ObjectStore
from tests.policy.conftest import Case

MODEL = "flights"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCHEMA = canonical_json({"features": ["distance"]})
PAGE = b"<!doctype html><title>run</title>"


@dataclass
class Desk:
    """One store, one laptop."""

    root: Path
    store: ObjectStore = field(init=False)
    home: LaptopHome = field(init=False)

    def __post_init__(self) -> None:
        self.store = DirectoryStore(self.root / "store")
        self.home = LaptopHome(self.root / "home")
        self.open()

    @property
    def gate(self) -> Gate:
        """The gate as a new process has it."""
        return Gate(self.store, self.home)

    @property
    def ledger(self) -> Ledger:
        """The ledger as a new process opens it."""
        return self.gate.ledger(MODEL)

    @property
    def state(self) -> State:
        """The ledger's fold."""
        return self.ledger.state()

    def open(self, *, now: datetime = NOW) -> None:
        """Open the ledger as a run does."""
        ensure_ledger(
            self.store, MODEL, home=self.home, policy=default_policy(), actor="ada", now=now
        )

    def package(self, candidate: str, *, run: str, case: Case | None = None) -> dict[str, bytes]:
        """Return the files that a run hands in; see ``make_package``."""
        return make_package(self.state, candidate, run=run, case=case)

    def submit(
        self,
        candidate: str = "one",
        *,
        run: str | None = None,
        requester: str = "ada",
        case: Case | None = None,
        now: datetime = NOW,
        files: Mapping[str, bytes] | None = None,
    ) -> PromotionRequest:
        """Hand in a candidate and ask for its promotion."""
        run = run or f"run-{candidate}"
        handed = files or self.package(candidate, run=run, case=case)
        return submit(self.store, self.state, run=run, requester=requester, files=handed, now=now)

    def process(self, request: PromotionRequest, *, now: datetime = NOW) -> PromotionRequest:
        """Let the gate act."""
        return self.gate.process(request.id, now=now)

    def approve(
        self, request: PromotionRequest, approver: str = "bob", **changes: Any
    ) -> PromotionRequest:
        """Let somebody approve, through the gate."""
        return self.answer(request, "Approved", approver, **changes)

    def reject(self, request: PromotionRequest, approver: str = "bob") -> PromotionRequest:
        """Let somebody reject, through the gate."""
        return self.answer(request, "Rejected", approver)

    def answer(
        self, request: PromotionRequest, verdict: Any, approver: str, **changes: Any
    ) -> PromotionRequest:
        """Let somebody answer, through the gate."""
        known: dict[str, Any] = {
            "approver": approver,
            "reason": "looked at the page",
            "candidate_digest": request.candidate_digest,
            "evidence_digest": request.evidence_digest,
            "now": NOW + timedelta(hours=1),
        }
        return self.gate.answer(request.id, verdict, **{**known, **changes})

    def promoted(self, candidate: str = "one", **changes: Any) -> PromotionRequest:
        """Bring a candidate into production, with an approval where it is asked for."""
        request = self.process(self.submit(candidate, **changes))
        return request if request.outcome else self.approve(request)

    def gate_requests(self) -> tuple[PromotionRequest, ...]:
        """All requests."""
        return requests.list_requests(self.store)

    def waiting(self) -> tuple[PromotionRequest, ...]:
        """The requests without an outcome."""
        return requests.list_requests(self.store, waiting_only=True)


def make_package(
    state: State, candidate: str, *, run: str, case: Case | None = None
) -> dict[str, bytes]:
    """Return a bundle with evidence that is true of this ledger.

    Args:
        state: the ledger's fold: production, anchor, looks and policy are taken from it.
        candidate: its name makes its bytes.
        run: id of the run.
        case: evidence; without one the candidate is better in every respect.
    """
    onnx = f"model {candidate}".encode()
    history = history_record(state, state.model)
    planted = (case or Case(gain=0.2)).but(
        first=state.production is None,
        manifest={
            "model": state.model,
            "run": run,
            "model_digest": digest_bytes(onnx),
            "feature_schema_digest": digest_bytes(SCHEMA),
        },
        history=dict(history),
    )
    documents = planted.documents
    files = {
        "model.onnx": onnx,
        "schema.json": SCHEMA,
        "manifest.json": documents.manifest.to_bytes(),
        "evaluation_report.json": documents.evaluation.to_bytes(),
        "validation_report.json": documents.validation.to_bytes(),
        "history.json": documents.history.to_bytes(),
        "decision.json": planted.decide().to_bytes(),
        "policy.json": planted.policy.to_bytes(),
        "report.html": PAGE,
    }
    if documents.drift is not None:
        files["drift_report.json"] = documents.drift.to_bytes()
    return files
