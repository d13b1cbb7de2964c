"""A real store with a real ledger: versions registered, decided, promoted and rolled back."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelwarrant.canonical import digest_bytes
from modelwarrant.records import Decision, Evidence, LedgerEntry
from modelwarrant.registry import Anchor, Decided, Ledger, Version
from modelwarrant.registry.blobs import write_blobs
from modelwarrant.registry.keys import Signer
from modelwarrant.registry.layout import blob_key
from modelwarrant.registry.payloads import (
    ApprovalUse,
    Decide,
    Genesis,
    Payload,
    Promote,
    Ratify,
    Register,
    Rollback,
    Tombstone,
    operation_of,
)
from modelwarrant.storage import DirectoryStore, ObjectStore
from modelwarrant.windows import FeatureSchema
from serving.follower import Follower
from serving.main import make_follower
from serving.shadow import Shadow
from serving.trial import Trial
from tests.serving.tiny import bundle_files

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = b"rules"


def digest(text: str) -> str:
    """Return the digest of a document that only its name stands for."""
    return digest_bytes(text.encode())


class Place:
    """A laptop's store of one model.

    Args:
        root: the store's folder.
    """

    def __init__(self, root: Path, *, model: str = "flights") -> None:
        self.root = root
        self.model = model
        self.store = DirectoryStore(root)
        self._signer = Signer.generate()
        self.ledger = Ledger(self.store, model, self._signer)
        self._runs = 0

    def promote(
        self,
        made: tuple[FeatureSchema, bytes],
        *,
        verdict: str = "NEEDS_APPROVAL",
        files: dict[str, bytes] | None = None,
        decision: dict[str, Any] | None = None,
    ) -> int:
        """Register, decide and promote a model; return its version.

        Args:
            made: schema and ONNX bytes.
            verdict: of the decision; an approval is given where it asks for one.
            files: replaces files of the bundle.
            decision: replaces fields of the decision document, but not of the entry about it.
        """
        version, decided = self.decide(made, verdict=verdict, files=files, decision=decision)
        self.promote_decided(version, decided)
        return version

    def promote_decided(self, version: int, decided: Decided) -> None:
        """Promote what was decided on, with an approval where the verdict asks for one."""
        uses = (self._approval(decided),) if decided.verdict == "NEEDS_APPROVAL" else ()
        self._append(
            Promote(version=version, decision=decided.seq, attempt=decided.request, approvals=uses),
            f"{decided.run}/promote",
        )

    def decide(
        self,
        made: tuple[FeatureSchema, bytes],
        *,
        verdict: str = "NEEDS_APPROVAL",
        files: dict[str, bytes] | None = None,
        decision: dict[str, Any] | None = None,
    ) -> tuple[int, Decided]:
        """Register and decide on a model; return its version and the decision."""
        self._begin()
        self._runs += 1
        run = f"run-{self._runs}"
        bundle = bundle_files(*made, model=self.model, run=run) | (files or {})
        version = self._register(made[0], bundle, run)
        return version, self._decide(version, bundle, run, verdict, decision or {})

    def rollback(self, version: int) -> None:
        """Put a former version into production again."""
        self._append(
            Rollback(to=version, reason="complaints", actor="ada"),
            f"rollback-{self.ledger.state().seq}",
        )

    def tombstone(self, version: int) -> None:
        """Rule a version out for ever."""
        self._append(Tombstone(version=version, reason="bad data"), f"tombstone-{version}")

    @property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """The whole ledger."""
        return self.ledger.entries()

    @property
    def genesis(self) -> str:
        """Digest of the first entry."""
        genesis = self.ledger.state().genesis
        assert genesis is not None
        return genesis

    @property
    def production(self) -> Version:
        """The version in production."""
        version = self.ledger.state().production_version
        assert version is not None
        return version

    @property
    def decision(self) -> Decided:
        """The decision behind the version in production."""
        assert self.production.decision is not None
        return self.ledger.state().decisions[self.production.decision]

    def blob(self, version: int, name: str = "model.onnx") -> Path:
        """Return where a file of a registered bundle lies."""
        registered = self.ledger.state().version(version)
        [named] = [blob for blob in registered.blobs if blob.name == name]
        return self.root / blob_key(self.model, registered.attempt, named.digest)

    def follower(
        self,
        *,
        store: ObjectStore | None = None,
        cache: Path | None = None,
        genesis: str | None = None,
        anchor: Anchor | None = None,
        trial: Trial | None = None,
        shadow: Shadow | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Follower:
        """Return a follower as ``serve`` makes it, which has no trial unless one is given."""
        return make_follower(
            store or self.store,
            self.model,
            genesis=genesis,
            anchor=anchor,
            cache=cache,
            trial=trial,
            shadow=shadow,
            now=now,
            log=logging.getLogger("tests.serving"),
        )

    def _begin(self) -> None:
        if self.ledger.state().seq:
            return
        self._append(Genesis(mode="laptop", keys=(self._signer.public,)), "genesis")
        blobs = write_blobs(self.store, self.model, "ratify", {"policy.yaml": POLICY})
        self._append(
            Ratify(
                kind="policy",
                digest=digest_bytes(POLICY),
                engine_version="1",
                author="ada",
                approver="ada",
                reason="shipped",
                self_approved=True,
                shipped_default=True,
                attempt="ratify",
                blobs=blobs,
            ),
            "ratify",
        )

    def _register(self, schema: FeatureSchema, bundle: dict[str, bytes], run: str) -> int:
        attempt = f"{run}-register"
        entry = self._append(
            Register(
                run=run,
                attempt=attempt,
                digest=digest_bytes(bundle["model.onnx"]),
                blobs=write_blobs(self.store, self.model, attempt, bundle),
                schema_digest=schema.digest,
                evidence_digest=digest(f"{run} evidence"),
            ),
            f"{run}/register",
        )
        return entry.seq

    def _decide(
        self,
        version: int,
        bundle: dict[str, bytes],
        run: str,
        verdict: Any,
        changes: dict[str, Any],
    ) -> Decided:
        production = self.ledger.state().production_version
        evidence = Evidence(
            manifest=digest_bytes(bundle["manifest.json"]),
            drift=None,
            evaluation=digest(f"{run} evaluation"),
            validation=digest(f"{run} validation"),
            history=digest(f"{run} history"),
        )
        decision = Decision(
            model=self.model,
            verdict=verdict,
            rule="better",
            reason="the candidate is better",
            levels={},
            candidate_digest=digest_bytes(bundle["model.onnx"]),
            baseline_digest=None if production is None else production.digest,
            evidence=evidence,
            evidence_digest=digest(f"{run} evidence"),
            policy_digest=digest_bytes(POLICY),
            engine_version="1",
            n_labels=1000,
            n_required=900,
            approvals_required=1 if verdict == "NEEDS_APPROVAL" else 0,
        )
        document = decision.model_copy(update=changes).to_bytes()
        attempt = f"{run}-decide"
        entry = self._append(
            Decide(
                run=run,
                request=f"request-{run}",
                requester="ada",
                version=version,
                verdict=verdict,
                rule=decision.rule,
                reason=decision.reason,
                candidate_digest=decision.candidate_digest,
                baseline_digest=decision.baseline_digest,
                decision_digest=digest_bytes(document),
                evidence_digest=decision.evidence_digest,
                policy_digest=decision.policy_digest,
                engine_version=decision.engine_version,
                approvals_required=decision.approvals_required,
                attempt=attempt,
                blobs=write_blobs(self.store, self.model, attempt, {"decision.json": document}),
            ),
            f"{run}/decide",
        )
        return self.ledger.state().decisions[entry.seq]

    def _approval(self, decided: Decided) -> ApprovalUse:
        return ApprovalUse(
            uid=f"approval-{decided.seq}",
            requester=decided.requester,
            approver="grace",
            candidate_digest=decided.candidate_digest,
            baseline_digest=decided.baseline_digest,
            evidence_digest=decided.evidence_digest,
            policy_digest=decided.policy_digest,
            request=decided.request,
            reason="reads well",
            time="2026-03-01T12:00:00.000Z",
            self_approved=False,
        )

    def _append(self, payload: Payload, txn: str) -> LedgerEntry:
        return self.ledger.append(operation_of(payload), payload, txn=txn, actor="ada@lab", now=NOW)
