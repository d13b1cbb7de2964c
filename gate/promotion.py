"""How far can one promotion go: recorded, waiting, promoted, or ended another way?

Two passes at least: the first records candidate and decision in the ledger, the second acts on what
is recorded. ``step`` does one pass and may be called again after any failure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gate import requests
from gate.book import RequestBook, rejection
from gate.packages import Package, read_package
from modelwarrant.errors import IllegalOperationError, PolicyError, RequestError
from modelwarrant.policy import Policy, load
from modelwarrant.records import BUNDLE_FILES, Approval, Decision, Outcome, PromotionRequest
from modelwarrant.registry import Decided, Ledger, State, is_current, read_blob, write_blobs
from modelwarrant.registry.approvals import answered_at, is_signed_by_allowed
from modelwarrant.registry.entries import utc_text
from modelwarrant.registry.payloads import Abort, ApprovalUse, Decide, Promote, Register
from modelwarrant.registry.rules import approval_uid, approvals_at_least, may_approve
from modelwarrant.registry.state import Landed

__all__ = ["Promotion", "approvals_needed", "is_allowed_signature"]

LONGEST_TEXT = 2000
"""Characters of a reason in an entry; the document it is from has the rest."""

_PROMOTABLE = ("PROMOTE", "NEEDS_APPROVAL")


@dataclass(frozen=True)
class Promotion:
    """One request to promote, at one moment."""

    ledger: Ledger
    book: RequestBook
    request: PromotionRequest
    now: datetime
    is_automatic: bool
    is_barred: bool
    new_attempt: Callable[[], str]

    def step(self) -> PromotionRequest | None:
        """Do one pass.

        Returns:
            The request as it is now, ended or waiting; None asks for another pass.
        """
        state = self.ledger.state()
        seq = state.run_decisions.get(self.request.run)
        if seq is None and self.request.package is None:
            ending = self._given_up() or self._expired()
            return self.request if ending is None else self._settle(*ending)
        if seq is None:
            return self._record(state)
        decided = state.decisions[seq]
        if decided.request != self.request.id:
            return self._settle(
                "superseded",
                f"run {self.request.run} was decided for request {decided.request}; run again",
            )
        for name in ("requester", "candidate_digest", "baseline_digest", "policy_digest"):
            if getattr(self.request, name) != getattr(decided, name):
                return self._settle("held", f"{name} is not the one decided in entry {seq}")
        return self._finish(state, decided)

    def _record(self, state: State) -> PromotionRequest | None:
        """Compute the verdict and write it down, unless the request ended before."""
        ending = self._given_up() or self._expired()
        if ending is not None:
            return self._settle(*ending)
        try:
            package = read_package(self.ledger.store, self.request)
        except RequestError as error:
            return self._settle("held", str(error))
        if not is_current(package.documents.history, state):
            return self._settle(
                "superseded",
                "the ledger has moved since the run looked at it (a decision, a promotion or a "
                "policy): its evidence is stale; run again",
            )
        try:
            decision = package.decide(self._rules(state, package))
        except PolicyError as error:
            return self._settle("held", str(error))
        attempt = self._attempt(state)
        try:
            self._append_decision(package, decision, attempt)
        except IllegalOperationError:
            if self.ledger.state().seq == state.seq:
                raise
        return None

    def _append_decision(self, package: Package, decision: Decision, attempt: str) -> None:
        request, ledger = self.request, self.ledger
        is_promotable = decision.verdict in _PROMOTABLE
        files = {**package.files, "decision.json": decision.to_bytes()}
        if not is_promotable:
            files = {name: data for name, data in files.items() if _is_evidence(name)}
        blobs = write_blobs(ledger.store, ledger.model, attempt, files)
        version = None
        if is_promotable:
            registered = Register(
                run=request.run,
                attempt=attempt,
                digest=decision.candidate_digest,
                blobs=tuple(blob for blob in blobs if blob.name in BUNDLE_FILES),
                schema_digest=package.documents.manifest.feature_schema_digest,
                evidence_digest=decision.evidence_digest,
            )
            version = ledger.append(
                "register",
                registered,
                txn=self._txn("register"),
                actor=request.requester,
                now=self.now,
            ).seq
        decided = Decide(
            run=request.run,
            request=request.id,
            requester=request.requester,
            version=version,
            verdict=decision.verdict,
            rule=decision.rule,
            reason=decision.reason[:LONGEST_TEXT],
            candidate_digest=decision.candidate_digest,
            baseline_digest=decision.baseline_digest,
            decision_digest=decision.digest,
            evidence_digest=decision.evidence_digest,
            policy_digest=decision.policy_digest,
            engine_version=decision.engine_version,
            approvals_required=decision.approvals_required,
            attempt=attempt,
            blobs=tuple(blob for blob in blobs if _is_evidence(blob.name)),
        )
        ledger.append(
            "decide", decided, txn=self._txn("decide"), actor=request.requester, now=self.now
        )

    def _finish(self, state: State, decided: Decided) -> PromotionRequest | None:
        """Act on the recorded decision."""
        landed = state.txns.get(self._txn("promote"))
        if landed is not None:
            return self._promoted(decided, landed)
        recorded = state.txns[self._txn("decide")]
        if decided.verdict not in _PROMOTABLE:
            outcome: Outcome = "held" if decided.verdict == "HOLD" else "rejected"
            return self._settle(outcome, decided.reason, decided, recorded)
        if self._claimed_digest() != decided.decision_digest:
            return self._close(
                decided,
                "held",
                f"the run claims a decision that does not follow from its evidence: the gate "
                f"computed {decided.verdict} by '{decided.rule}'",
            )
        given_up = self._given_up()
        if given_up is not None:
            return self._close(decided, *given_up)
        superseded = self._superseded(state, decided)
        if superseded is not None:
            return self._settle("superseded", superseded, decided, recorded)
        expired = self._expired() or self._closed(state)
        if expired is not None:
            return self._close(decided, *expired)
        approvals = self._valid_approvals(state)
        if self.is_barred or len(approvals) < approvals_needed(
            state, decided, is_automatic=self.is_automatic
        ):
            return self.request
        return self._promote(state, decided, approvals)

    def _promote(
        self, state: State, decided: Decided, approvals: tuple[Approval, ...]
    ) -> PromotionRequest | None:
        assert decided.version is not None  # noqa: S101 - the fold allows no other
        payload = Promote(
            version=decided.version,
            decision=decided.seq,
            attempt=self.request.id,
            approvals=tuple(self._use(decided, approval) for approval in approvals),
        )
        try:
            entry = self.ledger.append(
                "promote",
                payload,
                txn=self._txn("promote"),
                actor=self.request.requester,
                now=self.now,
            )
        except IllegalOperationError:
            if self.ledger.state().seq == state.seq:
                raise
            return None  # closed or superseded meanwhile: the next pass says which
        return self._promoted(decided, Landed(entry.seq, entry.digest))

    def _promoted(self, decided: Decided, landed: Landed) -> PromotionRequest:
        self.ledger.publish_head()
        approvers = self.ledger.state().version(decided.version or 0).approvers
        by = f"approved by {', '.join(approvers)}" if approvers else f"by rule '{decided.rule}'"
        return self._settle("promoted", by, decided, landed)

    def _close(self, decided: Decided, outcome: Outcome, reason: str) -> PromotionRequest | None:
        """Fence the promotion before ending the request otherwise.

        Another process may be promoting right now, or a promotion of ours may still be under way in
        the network: after the fence neither is legal, and where one came first, it stands.
        """
        payload = Abort(attempt=self.request.id, reason=f"{outcome}: {reason}"[:LONGEST_TEXT])
        try:
            entry = self.ledger.append(
                "abort",
                payload,
                txn=f"{self.request.id}/abort",
                actor=self.request.requester,
                now=self.now,
            )
        except IllegalOperationError:
            return None  # it was promoted: the next pass says so
        return self._settle(outcome, reason, decided, Landed(entry.seq, entry.digest))

    def _settle(
        self,
        outcome: Outcome,
        reason: str,
        decided: Decided | None = None,
        landed: Landed | None = None,
    ) -> PromotionRequest:
        return self.book.settle(
            self.request,
            outcome,
            reason=reason,
            version=None if decided is None else decided.version,
            landed=landed,
        )

    def _given_up(self) -> tuple[Outcome, str] | None:
        """Whether a person ended the request: its requester, or one who was asked."""
        cancelled = self.book.cancellation(self.request)
        if cancelled is not None:
            return "cancelled", cancelled
        refused = rejection(self.request)
        return None if refused is None else ("rejected", refused)

    def _expired(self) -> tuple[Outcome, str] | None:
        if utc_text(self.now) < self.request.expires:
            return None
        return "expired", f"nobody decided until {self.request.expires}"

    def _closed(self, state: State) -> tuple[Outcome, str] | None:
        """Whether a pass under a later clock fenced it and died before it could say so."""
        if self.request.id not in state.fenced:
            return None
        return "expired", f"closed in entry {state.fenced[self.request.id]}"

    def _superseded(self, state: State, decided: Decided) -> str | None:
        if state.moved > decided.seq:
            return f"production changed in entry {state.moved}, after this was decided; run again"
        if state.policy is not None and state.policy.seq > decided.seq:
            return f"a policy was ratified in entry {state.policy.seq}, after this was decided"
        return None

    def _valid_approvals(self, state: State) -> tuple[Approval, ...]:
        """The approvals of exactly this candidate and evidence, whose signatures hold."""
        asked = (self.request.candidate_digest, self.request.evidence_digest)
        return tuple(
            approval
            for approval in self.request.approvals
            if approval.verdict == "Approved"
            and may_approve(state, approval.approver, self.request.requester)
            and (approval.candidate_digest, approval.evidence_digest) == asked
            and is_allowed_signature(self.ledger, state, self.request, approval)
        )

    def _use(self, decided: Decided, approval: Approval) -> ApprovalUse:
        return ApprovalUse(
            uid=approval_uid(self.request.id, approval.approver),
            requester=decided.requester,
            approver=approval.approver,
            candidate_digest=approval.candidate_digest,
            baseline_digest=decided.baseline_digest,
            evidence_digest=approval.evidence_digest,
            policy_digest=decided.policy_digest,
            request=self.request.id,
            reason=approval.reason,
            time=approval.time,
            self_approved=approval.self_approved,
            signature=approval.signature,
        )

    def _rules(self, state: State, package: Package) -> Policy:
        """The ratified policy; for the record of an unratified one, which is HOLD, that one."""
        ratified = state.policy
        if ratified is None or ratified.digest != self.request.policy_digest:
            return package.policy
        data = read_blob(self.ledger.store, self.ledger.model, ratified.attempt, ratified.blobs[0])
        return load(data, name="the ratified policy")

    def _attempt(self, state: State) -> str:
        """Where the blobs go: where the registered version's are, else to a new place."""
        number = state.run_versions.get(self.request.run)
        return self.new_attempt() if number is None else state.versions[number].attempt

    def _claimed_digest(self) -> str | None:
        named = {blob.name: blob.digest for blob in self.request.files}
        return named.get("decision.json")

    def _txn(self, step: str) -> str:
        return f"{self.request.run}/{step}"


def approvals_needed(state: State, decided: Decided, *, is_automatic: bool) -> int:
    """Return how many persons must approve a recorded decision before it is promoted.

    None where PROMOTE promotes by itself, nor where nothing can be promoted.

    Args:
        state: the ledger's fold.
        decided: the decision.
        is_automatic: whether PROMOTE needs no human.
    """
    if decided.verdict not in _PROMOTABLE or (decided.verdict == "PROMOTE" and is_automatic):
        return 0
    return approvals_at_least(state, decided)


def is_allowed_signature(
    ledger: Ledger, state: State, request: PromotionRequest, approval: Approval
) -> bool:
    """Return whether an answer's SSH signature holds; one without a signature is asserted.

    Where no list of signers was ratified, a signature cannot be judged and is kept as it is.
    """
    if approval.signature is None or state.signers is None:
        return True
    decided = state.decision_of(request.id)
    return is_signed_by_allowed(
        ledger.store,
        state,
        requests.signed_statement(request, approval),
        approval.signature,
        signer=approval.approver,
        at=answered_at(approval.time, asked=request.created if decided is None else decided.time),
    )


def _is_evidence(name: str) -> bool:
    """Whether a decision keeps a file: all but the model itself, which registering keeps."""
    return name not in ("model.onnx", "schema.json")
