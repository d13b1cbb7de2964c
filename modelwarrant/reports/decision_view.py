"""What does a page say of a verdict, and of the people who answer it?"""

import dataclasses
import shlex
from collections.abc import Sequence

from modelwarrant.records import (
    Approval,
    Change,
    Decision,
    DriftReport,
    EvaluationReport,
    History,
    ModelManifest,
    PromotionRequest,
    Record,
    ShadowReport,
    ValidationReport,
)
from modelwarrant.reports.evaluation_view import gain_phrase, metric_name
from modelwarrant.reports.figures import (
    count,
    interval,
    moment,
    number,
    percent,
    plural,
    visible,
)
from modelwarrant.reports.parts import (
    Cell,
    Fact,
    Mark,
    Table,
    level_mark,
    verdict_mark,
)

__all__ = [
    "AnswerView",
    "ApprovalView",
    "answer_view",
    "approval_views",
    "beside_production",
    "changes",
    "findings",
    "headline",
    "key_figures",
    "levels_table",
    "mismatches",
]

HEADLINES = {
    "PROMOTE": "The rules let this candidate into production.",
    "NEEDS_APPROVAL": "The rules leave this candidate to a person.",
    "HOLD": "The evidence is too weak, stale or missing to decide on; production stays as it is.",
    "REJECT": "The evidence speaks against this candidate; production stays as it is.",
}

OUTCOMES = {
    "promoted": ("promoted", "good"),
    "applied": ("applied", "good"),
    "rejected": ("rejected", "bad"),
    "expired": ("expired", "unknown"),
    "superseded": ("superseded", "unknown"),
    "cancelled": ("cancelled", "unknown"),
    "held": ("held", "unknown"),
}

QUESTIONS = {
    "production": "production",
    "floor": "better than a trivial predictor",
    "identical": "same as production",
    "evidence": "evidence",
    "policy": "policy",
    "gates": "data gates",
    "power": "labels",
    "current": "current window",
    "reference": "reference window",
    "slices": "slices",
    "calibration": "calibration",
    "overdue": "anything overdue",
    "drift": "drift",
    "trained_on": "trained on",
    "champion": "production's own loss",
    "anchor": "against the last approved model",
}
"""The levels in words, in the order in which a person asks; others follow under their own name."""

VETO = "An approval can veto, never waive: no approval takes this candidate into production."


def headline(decision: Decision) -> str:
    """Return what the verdict means, in one sentence."""
    return HEADLINES[decision.verdict]


def changes(decision: Decision) -> tuple[tuple[str, Mark, str], ...]:
    """Return what would change the verdict: the change, the verdict then, the detail."""
    return tuple(
        (_change(each), verdict_mark(each.verdict), each.detail) for each in decision.would_change
    )


def _change(change: Change) -> str:
    """Name each level that would have to change, with its value now and then."""
    parts = [text.split(" and ") for text in (change.level, change.now, change.then)]
    if len({len(part) for part in parts}) > 1:
        parts = [[change.level], [change.now], [change.then]]
    return ", and ".join(
        f"{_question(level)}: {now} → {then}" for level, now, then in zip(*parts, strict=True)
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _question(level: str) -> str:
    return QUESTIONS.get(level, _words(level))


def key_figures(
    decision: Decision, drift: DriftReport | None, evaluation: EvaluationReport
) -> tuple[Fact, ...]:
    """Return the three numbers that a decision maker asks for first."""
    gain = evaluation.current.gain
    estimate, lower, upper = interval(gain.estimate, gain.lower, gain.upper)
    size = ", ".join(filter(None, (f"{lower} to {upper}", gain_phrase(evaluation.current))))
    need = decision.n_required
    enough = "" if need is None else f"{count(need)} needed"
    return (
        Fact(f"Gain in {metric_name(evaluation.metric)}, current window", estimate, size),
        Fact("Drift", *_drift_figure(drift)),
        Fact("Labels", count(decision.n_labels), enough),
    )


def _drift_figure(drift: DriftReport | None) -> tuple[Cell, str]:
    """Return the worst level and how many features or gates stand at a bad one."""
    if drift is None:
        return Mark("not measured", "unknown"), ""
    blocked = [gate for gate in drift.gates if gate.level == "block"]
    if blocked:
        return level_mark(drift.level), plural(len(blocked), "blocked gate")
    drifted = sum(feature.level in ("drift", "blocked") for feature in drift.features)
    return level_mark(drift.level), f"{drifted} of {plural(len(drift.features), 'feature')}"


@dataclasses.dataclass(frozen=True)
class ApprovalView:
    """One person's answer."""

    mark: Mark
    approver: str
    proof: str
    is_self: bool
    counts: bool
    """Whether it was given for this candidate and this evidence."""
    reason: str
    time: str


def approval_views(decision: Decision, approvals: Sequence[Approval]) -> tuple[ApprovalView, ...]:
    """Return the answers in the order they were given."""
    return tuple(
        ApprovalView(
            mark=Mark(each.verdict.lower(), "good" if each.verdict == "Approved" else "bad"),
            approver=each.approver,
            proof=each.proof
            if each.signature is None
            else "signed; warrant verify checks the signature",
            is_self=each.self_approved,
            counts=each.candidate_digest == decision.candidate_digest
            and each.evidence_digest == decision.evidence_digest,
            reason=each.reason,
            time=moment(each.time),
        )
        for each in approvals
    )


@dataclasses.dataclass(frozen=True)
class AnswerView:
    """What can be done about a verdict, and what was done."""

    outcome: Mark | None
    outcome_text: str
    text: str
    commands: tuple[tuple[str, str], ...]
    """What each command does, and the command."""
    is_open: bool
    """Whether an answer is still asked for."""


def answer_view(
    decision: Decision,
    request: PromotionRequest | None,
    approvals: Sequence[ApprovalView],
) -> AnswerView:
    """Say who may do what now, with the exact commands."""
    if request is not None and request.outcome is not None:
        word, tone = OUTCOMES[request.outcome]
        return AnswerView(Mark(word, tone), _outcome(request), "", (), is_open=False)
    if request is not None and request.withdrawn:
        gone = "The requester withdrew this request."
        return AnswerView(Mark("withdrawn", "unknown"), gone, "", (), is_open=False)
    if decision.verdict == "PROMOTE":
        text = "Nobody has to answer: the gate promotes it where automatic promotion is on."
        return AnswerView(None, "", text, (), is_open=False)
    if decision.verdict != "NEEDS_APPROVAL":
        return AnswerView(None, "", VETO, (), is_open=False)
    return AnswerView(None, "", _asked(decision, request, approvals), _commands(request), True)


def _outcome(request: PromotionRequest) -> str:
    """Say how a request ended."""
    parts = []
    if request.version is not None:
        parts.append(f"Version {request.version}")
    if request.ledger_seq is not None:
        parts.append(f"ledger entry {request.ledger_seq}")
    if request.outcome_reason:
        parts.append(request.outcome_reason)
    return ", ".join(parts)


def _asked(
    decision: Decision, request: PromotionRequest | None, approvals: Sequence[ApprovalView]
) -> str:
    """Say how many persons must still approve, and who may not."""
    given = sum(each.counts and each.mark.tone == "good" for each in approvals)
    people = plural(decision.approvals_required, "person", "people")
    text = f"{people} must approve; {given} did so far."
    if request is None:
        return text + " The request's ID stands in `warrant requests`."
    return (
        f"{text} {request.requester} asked and may not approve; a laptop allows it and records "
        f"it as self-approved. The request expires {moment(request.expires)}."
    )


def _commands(request: PromotionRequest | None) -> tuple[tuple[str, str], ...]:
    """Return the exact commands that answer."""
    name = "ID" if request is None else shlex.quote(visible(request.id))
    return (
        ("To approve", f'warrant approve {name} --reason "..."'),
        ("To reject", f'warrant reject {name} --reason "..."'),
    )


def levels_table(decision: Decision) -> Table:
    """Return every level the policy table was asked with."""
    order = list(QUESTIONS)
    known = sorted(decision.levels, key=lambda n: (order.index(n) if n in QUESTIONS else 99, n))
    rows = tuple((_question(name), decision.levels[name]) for name in known)
    return Table(("Level", "Value"), rows)


def findings(validation: ValidationReport) -> Table:
    """Return what is worth knowing about the current window's columns."""
    rows = tuple(
        (
            "whole window" if each.column is None else each.column,
            _words(each.finding),
            count(each.rows),
            each.detail,
        )
        for each in validation.findings
    )
    return Table(("Column", "Finding", "Rows", "Detail"), rows, frozenset({2}))


def mismatches(
    decision: Decision,
    drift: DriftReport | None,
    evaluation: EvaluationReport,
    manifest: ModelManifest,
    validation: ValidationReport,
    history: History,
) -> tuple[str, ...]:
    """Return which of the page's documents are not the ones that the decision names.

    A page must not show one run's verdict over another run's plots: each document is hashed here.
    """
    named: tuple[tuple[str, str | None, Record | None], ...] = (
        ("manifest", decision.evidence.manifest, manifest),
        ("drift report", decision.evidence.drift, drift),
        ("evaluation report", decision.evidence.evaluation, evaluation),
        ("validation report", decision.evidence.validation, validation),
        ("history", decision.evidence.history, history),
    )
    wrong = [
        f"The {name} on this page is not the one that the decision rests on."
        for name, digest, record in named
        if digest != (None if record is None else record.digest)
    ]
    if manifest.model_digest != decision.candidate_digest:
        wrong.append("The manifest describes another model than the decision's candidate.")
    return tuple(wrong)


def beside_production(shadow: ShadowReport) -> tuple[Fact, ...]:
    """Return how the candidate answered the rows that production answered."""
    rows = shadow.rows
    facts = [
        Fact("Rows both answered", count(rows), _left_out(shadow)),
        Fact("Answered alike", percent(shadow.agreement)),
        Fact("Mean difference", number(shadow.mean_difference), f"at most {shadow.largest:.4g}"),
        Fact("Time of the candidate", f"{shadow.microseconds:.0f} µs a row"),
    ]
    pairs = zip(shadow.production_scores, shadow.scores, strict=True)
    for place, (before, after) in enumerate(pairs):
        of = "" if len(shadow.scores) == 1 else f", class {place + 1}"
        facts.append(
            Fact(f"Mean answer{of}", number(after / rows), f"{before / rows:.4g} in production")
        )
    return tuple(facts)


def _left_out(shadow: ShadowReport) -> str:
    failed = f", {plural(shadow.failures, 'failure')}" if shadow.failures else ""
    return f"{shadow.dropped:,} not compared for want of time{failed}"
