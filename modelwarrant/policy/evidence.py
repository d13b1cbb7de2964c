"""Do these documents belong together, and do they still describe what is in production?

A decision trusts digests, not file names: every document must be about the candidate, windows,
production, policy and alpha of this very decision. What is absent is ``missing``, what contradicts
the manifest is ``mismatched``, what was true of another production, policy or alpha is ``stale``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from typing import TypeVar

from modelwarrant.canonical import digest_json
from modelwarrant.errors import RecordError
from modelwarrant.policy.spending import alpha_for, look_index
from modelwarrant.policy.table import Policy
from modelwarrant.records import (
    DriftReport,
    EvaluationReport,
    Evidence,
    History,
    ModelManifest,
    Record,
    ValidationReport,
)

__all__ = [
    "Documents",
    "evidence_digest",
    "evidence_problems",
    "evidence_record",
    "read_documents",
    "short",
]

_Document = TypeVar("_Document", bound=Record)


@dataclass(frozen=True)
class Documents:
    """What a decision rests on."""

    manifest: ModelManifest
    drift: DriftReport | None
    """None is possible before the first promotion only; later it is missing evidence."""
    evaluation: EvaluationReport
    validation: ValidationReport
    history: History


def read_documents(files: Mapping[str, bytes]) -> Documents:
    """Read a decision's documents from the files of a package, by their names in it.

    Raises:
        RecordError: a document is absent or cannot be read; only the drift report may be absent.
    """

    def read(kind: type[_Document], name: str) -> _Document:
        if name not in files:
            raise RecordError(f"the package has no {name}")
        return kind.from_bytes(files[name], name=name)

    has_drift = "drift_report.json" in files
    return Documents(
        manifest=read(ModelManifest, "manifest.json"),
        drift=read(DriftReport, "drift_report.json") if has_drift else None,
        evaluation=read(EvaluationReport, "evaluation_report.json"),
        validation=read(ValidationReport, "validation_report.json"),
        history=read(History, "history.json"),
    )


def evidence_record(documents: Documents) -> Evidence:
    """Return the documents' digests."""
    return Evidence(
        manifest=documents.manifest.digest,
        drift=None if documents.drift is None else documents.drift.digest,
        evaluation=documents.evaluation.digest,
        validation=documents.validation.digest,
        history=documents.history.digest,
    )


def evidence_digest(evidence: Evidence) -> str:
    """Return the digest that an approval is bound to."""
    return digest_json(evidence.model_dump(mode="json"))


def evidence_problems(documents: Documents, policy: Policy) -> tuple[str, tuple[str, ...]]:
    """Return the level of the evidence and every problem of that level.

    Args:
        documents: what a decision rests on.
        policy: the policy that decides; the evidence must have been measured under it.
    """
    checks = {"missing": _missing, "mismatched": _mismatched, "stale": _stale}
    for level, check in checks.items():
        if found := tuple(check(documents, policy)):
            return level, found
    return "fresh", ()


def short(digest: str | None) -> str:
    """Return a digest as people compare it: the first 12 hex digits.

    >>> short("sha256:0123456789abcdef0123"), short(None)
    ('0123456789ab', 'none')
    """
    return "none" if digest is None else digest.removeprefix("sha256:")[:12]


def _missing(documents: Documents, policy: Policy) -> Iterator[str]:
    evaluation, history = documents.evaluation, documents.history
    if documents.manifest.current.final_digest is None:
        yield "the manifest names no final split of the current window"
    if history.anchor_digest is not None and evaluation.anchor is None:
        yield "no comparison with the last human-approved model"
    if evaluation.floor is None and evaluation.production_digest is not None:
        yield "no comparison with the trivial predictor"
    if history.production_digest is None:
        return
    if documents.manifest.reference is None:
        yield "the manifest names no reference window"
    if documents.drift is None:
        yield "no drift report"
    elif documents.drift.production_digest is None:
        yield "the drift report does not look at production's predictions"


def _mismatched(documents: Documents, policy: Policy) -> Iterator[str]:
    manifest, drift, evaluation = documents.manifest, documents.drift, documents.evaluation
    reference = manifest.reference
    pairs: list[tuple[str, str | None, str | None]] = [
        ("history's model", documents.history.model, manifest.model),
        ("evaluated candidate", evaluation.candidate_digest, manifest.model_digest),
        (
            "evaluated final split",
            evaluation.current_final_digest,
            manifest.current.final_digest,
        ),
        (
            "validated window",
            documents.validation.window_digest,
            manifest.current.window_digest,
        ),
    ]
    if drift is not None:
        pairs.append(
            ("drift's current window", drift.current_digest, manifest.current.window_digest)
        )
    if drift is not None and reference is not None:
        pairs.append(("drift's reference", drift.reference_digest, reference.window_digest))
    if reference is not None and evaluation.reference_final_digest is not None:
        found, wanted = evaluation.reference_final_digest, reference.final_digest
        pairs.append(("evaluated reference split", found, wanted))
    for what, stated, expected in pairs:
        if stated != expected:
            yield f"{what} is {_name(stated)}, the manifest says {_name(expected)}"
    yield from _inconsistent(evaluation)


def _inconsistent(evaluation: EvaluationReport) -> Iterator[str]:
    """Find comparisons that are not what the report's own head says they are."""
    baseline = "trivial" if evaluation.production_digest is None else "production"
    wanted = (
        ("current", evaluation.current, "current", baseline),
        ("reference", evaluation.reference, "reference", baseline),
        ("anchor", evaluation.anchor, "current", "anchor"),
        ("floor", evaluation.floor, "current", "trivial"),
    )
    for name, comparison, window, against in wanted:
        if comparison is None:
            continue
        if (comparison.window, comparison.baseline) != (window, against):
            yield (
                f"comparison {name!r} is with {comparison.baseline} on the {comparison.window} "
                f"window, expected {against} on the {window} window"
            )
        if comparison.gain.alpha != evaluation.alpha:
            yield f"comparison {name!r} has alpha {comparison.gain.alpha:.4g}, not the report's"
        measured = comparison.baseline_loss - comparison.candidate_loss
        scale = abs(comparison.baseline_loss) + abs(comparison.candidate_loss)
        if not isclose(comparison.gain.estimate, measured, rel_tol=1e-6, abs_tol=1e-9 * scale):
            yield f"comparison {name!r} states a gain that is not the difference of its losses"


def _stale(documents: Documents, policy: Policy) -> Iterator[str]:
    drift, evaluation, history = documents.drift, documents.evaluation, documents.history
    models = [
        ("evaluation", evaluation.production_digest, "production", history.production_digest),
        ("evaluation", evaluation.anchor_digest, "anchor", history.anchor_digest),
    ]
    if drift is not None and history.production_digest is not None:
        models.append(
            ("drift report", drift.production_digest, "production", history.production_digest)
        )
    for document, found, role, wanted in models:
        if found != wanted:
            yield f"the {document}'s {role} is {_name(found)}, now it is {_name(wanted)}"
    if evaluation.policy_digest != policy.digest:
        yield (
            f"measured under policy {_name(evaluation.policy_digest)}, "
            f"the policy is {_name(policy.digest)}"
        )
    candidate, own = documents.manifest.model_digest, documents.manifest.train == "own"
    allowed = alpha_for(policy, history, candidate, own=own)
    if evaluation.alpha > allowed * (1 + 1e-9):
        look = look_index(history, candidate, own=own)
        yield (
            f"bounds at alpha {evaluation.alpha:.4g}, and look number {look} since the last "
            f"promotion may spend {allowed:.4g}"
        )
    yield from _other_margins(evaluation, policy)


def _other_margins(evaluation: EvaluationReport, policy: Policy) -> Iterator[str]:
    loss, thresholds = evaluation.current.baseline_loss, policy.thresholds
    margins = (
        ("non-inferiority", evaluation.margin_non_inferiority, thresholds.margin_ni),
        ("slices", evaluation.margin_slices, thresholds.margin_slices),
    )
    for name, found, share in margins:
        if found is not None and not isclose(found, share * loss, rel_tol=1e-9, abs_tol=1e-12):
            yield f"judged with a {name} margin of {found:.4g}, the policy says {share * loss:.4g}"


def _name(value: str | None) -> str:
    if value is not None and value.startswith("sha256:"):
        return short(value)
    return "none" if value is None else repr(value)
