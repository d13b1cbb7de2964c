"""May the candidate replace production, and would the same evidence say so again?

Pure functions of records: no clock, no randomness, no locale. The same documents and policy give
the same bytes.
"""

from modelwarrant.errors import PolicyError, RecordError
from modelwarrant.policy.changes import nearest_changes
from modelwarrant.policy.evidence import Documents, evidence_digest, evidence_record
from modelwarrant.policy.measure import ENGINE_VERSION, measure
from modelwarrant.policy.table import Policy
from modelwarrant.policy.wording import fill
from modelwarrant.records import (
    Decision,
    DriftReport,
    EvaluationReport,
    History,
    ModelManifest,
    ValidationReport,
)

__all__ = ["decide", "explain", "replay", "what_if"]


def decide(
    policy: Policy,
    *,
    manifest: ModelManifest,
    drift: DriftReport | None,
    evaluation: EvaluationReport,
    validation: ValidationReport,
    history: History,
) -> Decision:
    """Decide on a candidate.

    Evidence that is missing, stale, mismatched or under-powered, and a policy that nobody ratified,
    never give PROMOTE; the documents need not be trusted for that, only their digests.

    Args:
        policy: the table that decides.
        manifest: the candidate's.
        drift: between the reference and the current window; None only before the first promotion.
        evaluation: of the candidate against production on both windows.
        validation: of the current window.
        history: what the ledger says now.

    Raises:
        PolicyError: no row matches, or a row goes further than its evidence may lead.
    """
    documents = Documents(manifest, drift, evaluation, validation, history)
    return _decide(policy, documents, engine_version=ENGINE_VERSION)


def _decide(policy: Policy, documents: Documents, *, engine_version: str) -> Decision:
    measured = measure(documents, policy, engine_version=engine_version)
    row = policy.first_match(measured.levels)
    evidence = evidence_record(documents)
    return Decision(
        model=documents.manifest.model,
        verdict=row.verdict,
        rule=row.name,
        reason=fill(row.reason, measured.facts),
        levels=dict(measured.levels),
        candidate_digest=documents.manifest.model_digest,
        baseline_digest=documents.evaluation.production_digest,
        evidence=evidence,
        evidence_digest=evidence_digest(evidence),
        policy_digest=policy.digest,
        engine_version=engine_version,
        n_labels=measured.n_labels,
        n_required=measured.n_required,
        approvals_required=policy.approvals_required,
        would_change=nearest_changes(documents, policy, measured),
    )


def replay(policy: Policy, decision: Decision, documents: Documents) -> Decision:
    """Decide again from the recorded evidence.

    Returns:
        The decision of this engine. Made by the same engine version it has the same bytes as the
        recorded one; made by another it may differ, and the caller shows both.

    Raises:
        RecordError: a document is not the one the decision names, or the decision was altered:
            this engine made it, and now says something else.
        PolicyError: not the decision's policy.
    """
    if policy.digest != decision.policy_digest:
        raise PolicyError(
            f"the decision was made under policy {decision.policy_digest}, this is {policy.digest}"
        )
    recorded, found = dict(decision.evidence), dict(evidence_record(documents))
    for name, digest in recorded.items():
        if found[name] != digest:
            raise RecordError(
                f"the {name} document has digest {found[name]}, the decision rests on {digest}"
            )
    again = _decide(policy, documents, engine_version=decision.engine_version)
    if decision.engine_version == ENGINE_VERSION and again.to_bytes() != decision.to_bytes():
        old, new = dict(decision), dict(again)
        fields = ", ".join(name for name in old if old[name] != new[name])
        raise RecordError(f"the decision does not follow from its evidence: {fields} was altered")
    return again


def what_if(policy: Policy, documents: Documents) -> Decision:
    """Say what another policy would have decided on the same evidence, as if it were ratified.

    Bounds cannot be measured anew from records: where the policy asks for a smaller alpha or other
    margins than the evidence has, the answer is HOLD for stale evidence, and says so.
    """
    history = documents.history.model_copy(
        update={"policy_digest": policy.digest, "engine_version": ENGINE_VERSION}
    )
    evaluation = documents.evaluation.model_copy(update={"policy_digest": policy.digest})
    supposed = Documents(
        documents.manifest, documents.drift, evaluation, documents.validation, history
    )
    return _decide(policy, supposed, engine_version=ENGINE_VERSION)


def explain(decision: Decision) -> tuple[str, ...]:
    """Return a decision as lines of text: verdict, reason, levels, and what would change it."""
    required = "undefined" if decision.n_required is None else f"{decision.n_required:,}"
    lines = [
        f"{decision.verdict} by row '{decision.rule}'",
        decision.reason,
        f"labels: {decision.n_labels:,}, required: {required}",
        "levels: " + ", ".join(f"{name} {value}" for name, value in decision.levels.items()),
    ]
    if decision.verdict == "NEEDS_APPROVAL":
        lines.append(f"approvals required: {decision.approvals_required}")
    lines += [
        f"{change.verdict} if {change.level} were {change.then} instead of {change.now}: "
        f"{change.detail}"
        for change in decision.would_change
    ]
    lines += [
        f"candidate {decision.candidate_digest}",
        f"production {decision.baseline_digest or 'none'}",
        f"evidence {decision.evidence_digest}",
        f"policy {decision.policy_digest}, engine {decision.engine_version}",
    ]
    return tuple(lines)
