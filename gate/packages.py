"""What does a run hand in, and is it still what was asked about?

A package is the candidate and all evidence, below ``in/<model>/<run>/``. It is hashed when the
request is made, before anybody reviews it, and whatever differs later is refused. Nothing in it is
believed: the gate hashes it again while it copies it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from gate import requests
from modelwarrant.canonical import canonical_json, digest_bytes
from modelwarrant.errors import OutcomeUnknownError, PolicyError, RecordError, RequestError
from modelwarrant.policy import Documents, Policy, decide, load, read_documents
from modelwarrant.policy.evidence import evidence_digest, evidence_record
from modelwarrant.records import BUNDLE_FILES, Blob, Decision, PromotionRequest
from modelwarrant.registry import State, read_blobs
from modelwarrant.registry.entries import utc_text
from modelwarrant.storage import ObjectStore

__all__ = [
    "LIFETIME",
    "POLICY",
    "Package",
    "hand_in",
    "kept_package",
    "read_package",
    "submit",
]

POLICY = ("policy.json", "policy.yaml")
"""One of them: the policy the run decided by."""

LIFETIME = timedelta(days=7)
"""After that the data a decision rests on is a week old; run again."""


@dataclass(frozen=True)
class Package:
    """The files of a run, by name, and the documents in them."""

    files: Mapping[str, bytes]

    @cached_property
    def documents(self) -> Documents:
        """The evidence.

        Raises:
            RequestError: a document is absent or cannot be read.
        """
        try:
            return read_documents(self.files)
        except RecordError as error:
            raise RequestError(str(error)) from error

    @cached_property
    def decision(self) -> Decision:
        """The decision that the run claims.

        Raises:
            RequestError: it is absent or cannot be read.
        """
        try:
            return Decision.from_bytes(self.files.get("decision.json", b""), name="decision.json")
        except RecordError as error:
            raise RequestError(f"the package has no decision: {error}") from error

    @cached_property
    def policy(self) -> Policy:
        """The policy that the run decided by.

        Raises:
            RequestError: it is absent or cannot be read.
        """
        name = next((name for name in POLICY if name in self.files), None)
        if name is None:
            raise RequestError(f"the package has no {' or '.join(POLICY)}")
        try:
            return load(self.files[name], name=name)
        except PolicyError as error:
            raise RequestError(f"the package's policy cannot be read: {error}") from error

    def decide(self, rules: Policy) -> Decision:
        """Compute the decision from the evidence."""
        documents = self.documents
        return decide(
            rules,
            manifest=documents.manifest,
            drift=documents.drift,
            evaluation=documents.evaluation,
            validation=documents.validation,
            history=documents.history,
        )

    def demand_whole(self) -> None:
        """Refuse a package that is incomplete or does not fit together.

        Raises:
            RequestError: names the file.
        """
        for name in BUNDLE_FILES:
            if name not in self.files:
                raise RequestError(f"the package has no {name}")
        documents, decision = self.documents, self.decision
        for name, record in (
            ("manifest.json", documents.manifest),
            ("drift_report.json", documents.drift),
            ("evaluation_report.json", documents.evaluation),
            ("validation_report.json", documents.validation),
            ("history.json", documents.history),
            ("decision.json", decision),
        ):
            if record is not None and record.to_bytes() != self.files[name]:
                raise RequestError(f"{name} is not canonical JSON: its digest is not its file's")
        manifest, model = documents.manifest, documents.manifest.model
        onnx, schema = (digest_bytes(self.files[name]) for name in ("model.onnx", "schema.json"))
        evidence = evidence_digest(evidence_record(documents))
        for what, found, stated in (
            ("model.onnx", onnx, manifest.model_digest),
            ("schema.json", schema, manifest.feature_schema_digest),
            ("the history's model", documents.history.model, model),
            ("the decision's model", decision.model, model),
            ("the decision's candidate", decision.candidate_digest, manifest.model_digest),
            ("the decision's evidence", decision.evidence_digest, evidence),
            ("the decision's policy", decision.policy_digest, self.policy.digest),
        ):
            if found != stated:
                raise RequestError(f"{what} is {found}, the package's other files say {stated}")


def submit(
    store: ObjectStore,
    state: State,
    *,
    run: str,
    requester: str,
    files: Mapping[str, bytes],
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> PromotionRequest:
    """Hand a package in and ask for its promotion.

    The same candidate on the same evidence, with the same in production and the same rule, is the
    same request: running it again finds the one that waits, or how it ended. One that ended
    without an answer (expired, withdrawn, superseded) may be asked again.

    Args:
        store: where it goes.
        state: the ledger's fold.
        run: id of the run, part of a key.
        requester: who asks.
        files: bundle, evidence, ``policy.json`` or ``policy.yaml``, and whatever else a reviewer
            should see.
        now: when.
        lifetime: until it expires.

    Returns:
        The request, new or found.

    Raises:
        RequestError: the package is incomplete or does not fit together.
    """
    requester = requests.checked_text(requester, "a requester", requests.LONGEST_NAME)
    package = Package(files)
    package.demand_whole()
    model, decision = package.documents.manifest.model, package.decision
    if model != state.model:
        raise RequestError(f"the package is of {model}, the ledger of {state.model}")
    id = _waiting_or_free_id(store, package, state)
    if store.get(requests.key_of(id)) is not None:
        return requests.get(store, id)
    place = f"in/{model}/{run}/"
    return requests.create(
        store,
        PromotionRequest(
            id=id,
            operation="promote",
            model=model,
            run=run,
            requester=requester,
            candidate_digest=decision.candidate_digest,
            baseline_digest=decision.baseline_digest,
            evidence_digest=decision.evidence_digest,
            policy_digest=decision.policy_digest,
            package=place,
            files=hand_in(store, place, files),
            verdict=decision.verdict,
            created=utc_text(now),
            expires=utc_text(now + lifetime),
        ),
    )


def read_package(store: ObjectStore, request: PromotionRequest) -> Package:
    """Return the package of a request, every file hashed.

    Raises:
        RequestError: names the file that is gone, was changed, or does not fit.
    """
    files = {}
    for blob in request.files:
        key = f"{request.package}{blob.name}"
        data = store.get(key)
        if data is None:
            raise RequestError(f"{key} is gone since request {request.id} was made")
        found = digest_bytes(data)
        if found != blob.digest:
            raise RequestError(
                f"{key} was changed after request {request.id} was made: "
                f"its digest is {found}, was {blob.digest}"
            )
        files[blob.name] = data
    package = Package(files)
    package.demand_whole()
    decision = package.decision
    asked: str | None
    for what, given, asked in (
        ("model", decision.model, request.model),
        ("candidate", decision.candidate_digest, request.candidate_digest),
        ("baseline", decision.baseline_digest, request.baseline_digest),
        ("evidence", decision.evidence_digest, request.evidence_digest),
        ("policy", decision.policy_digest, request.policy_digest),
    ):
        if given != asked:
            raise RequestError(f"the package's {what} is {given}, the request's is {asked}")
    return package


def kept_package(store: ObjectStore, state: State, request: PromotionRequest) -> Package | None:
    """Return candidate and evidence of a request, hashed; None where it has none.

    The ledger's copy is read once there is one: it outlives what was handed in.

    Args:
        store: where they lie.
        state: fold of the model's ledger.
        request: whose package it is.
    """
    if request.package is None:
        return None
    decided = state.decision_of(request.id)
    if decided is None:
        return read_package(store, request)
    return Package(read_blobs(store, request.model, decided.attempt, decided.blobs))


def hand_in(store: ObjectStore, place: str, files: Mapping[str, bytes]) -> tuple[Blob, ...]:
    """Write a package's files, each once; a retry finds its own.

    Args:
        store: where they go.
        place: prefix, ``in/<model>/<run>/``.
        files: by name.

    Returns:
        What was written, sorted by name.

    Raises:
        RequestError: another file lies there already.
    """
    for name, data in sorted(files.items()):
        _hand_in(store, place + name, data)
    return tuple(
        Blob(name=name, digest=digest_bytes(data), size=len(data))
        for name, data in sorted(files.items())
    )


def _hand_in(store: ObjectStore, key: str, data: bytes) -> None:
    """Write one file once; a retry may find its own."""
    try:
        is_new = store.create(key, data)
    except OutcomeUnknownError:
        if store.get(key) != data:
            raise
        return
    if not is_new and store.get(key) != data:
        raise RequestError(f"{key} holds other bytes of the same run; start a new run")


def _waiting_or_free_id(store: ObjectStore, package: Package, state: State) -> str:
    """The id of this very question; the next one of its line where it expired or was withdrawn."""
    line = 0
    while True:
        id = _request_id(package, state, line)
        if store.get(requests.key_of(id)) is None:
            return id
        if not _may_be_asked_again(requests.get(store, id)):
            return id
        line += 1


def _may_be_asked_again(request: PromotionRequest) -> bool:
    """Whether it ended without an answer: nobody decided, neither a rule nor a person."""
    return request.outcome in ("expired", "cancelled", "superseded") or (
        request.outcome == "held" and request.ledger_seq is None
    )


def _request_id(package: Package, state: State, line: int) -> str:
    """What makes two requests the same.

    Not who asked when. Of the history all but looks and candidates, which the request's own
    decision changes; as far as they matter, they are in the evaluation's alpha.
    """
    decision, history = package.decision, package.documents.history
    question = {
        "model": decision.model,
        "candidate": decision.candidate_digest,
        "baseline": decision.baseline_digest,
        "policy": decision.policy_digest,
        "engine": decision.engine_version,
        "manifest": package.documents.manifest.model_dump(
            mode="json", exclude={"run", "requester"}
        ),
        "drift": decision.evidence.drift,
        "evaluation": decision.evidence.evaluation,
        "validation": decision.evidence.validation,
        "history": history.model_dump(mode="json", exclude={"candidates", "looks"}),
        "moved": state.moved,
        "ratified": None if state.policy is None else state.policy.seq,
        "line": line,
    }
    return hashlib.sha256(canonical_json(question)).hexdigest()[: requests.ID_LENGTH]
