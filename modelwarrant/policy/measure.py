"""Which levels does the evidence reach under a policy's thresholds, and which numbers say so?"""

from collections.abc import Mapping
from dataclasses import dataclass

from modelwarrant.policy.evidence import Documents, evidence_problems, short
from modelwarrant.policy.spending import labels_for_gain, labels_required
from modelwarrant.policy.table import Policy, Thresholds
from modelwarrant.policy.wording import describe
from modelwarrant.records import (
    Comparison,
    DriftReport,
    EvaluationReport,
    FeatureDrift,
    JointDrift,
    ModelManifest,
    PredictionDrift,
)
from modelwarrant.windows import parse_bounds

__all__ = ["ENGINE_VERSION", "Measured", "measure"]

ENGINE_VERSION = "2"
"""Version of the decision engine: raised with any change that could alter a recorded decision."""

_DRIFT_LEVELS = ("none", "notice", "drift")


@dataclass(frozen=True)
class Measured:
    """Levels of the evidence, and facts about them in words for the reason and for what is next."""

    levels: Mapping[str, str]
    facts: Mapping[str, str]
    n_labels: int
    n_required: int | None


def measure(documents: Documents, policy: Policy, *, engine_version: str) -> Measured:
    """Turn documents into levels and the sentences that explain them.

    Args:
        documents: what a decision rests on.
        policy: thresholds, and the digest that must be ratified.
        engine_version: the engine that decides; must be the ratified one.
    """
    thresholds, evaluation = policy.thresholds, documents.evaluation
    history = documents.history
    identical = _identical(documents)
    has_production = history.production_digest is not None
    current = _against(evaluation.current, thresholds)
    required = labels_required(
        evaluation.current,
        thresholds,
        alpha=evaluation.alpha,
        is_settled=current != "unclear",
    )
    evidence, problems = evidence_problems(documents, policy)
    unratified = _unratified(documents, policy, engine_version)
    blocked = _blocked(documents.drift)
    shortage = _shortage(documents, thresholds, required)
    floor = evaluation.floor or evaluation.current
    levels = {
        "production": "some" if has_production else "none",
        "floor": "met" if floor.gain.lower is not None and floor.gain.lower > 0 else "not met",
        "identical": "yes" if identical else "no",
        "evidence": evidence,
        "policy": "not ratified" if unratified else "ratified",
        "gates": "blocked" if blocked else "ok",
        "power": "short" if shortage else "enough",
        "current": current,
        "reference": _against(evaluation.reference, thresholds),
        "slices": _worst(evaluation),
        "calibration": evaluation.calibration.level,
        "overdue": "yes" if history.overdue else "no",
        "drift": _drift_level(documents.drift),
        "trained_on": "current" if _trained_on_current(documents.manifest) else "stale",
        "champion": evaluation.champion.level if has_production else "unknown",
        "anchor": _anchor(evaluation.anchor, thresholds),
    }
    facts = describe(documents, policy, levels)
    findings = {
        "identical": identical,
        "policy": unratified,
        "gates": blocked,
        "power": shortage,
        "evidence": f"{evidence}: {'; '.join(problems)}" if problems else None,
    }
    facts.update({name: text for name, text in findings.items() if text is not None})
    return Measured(levels, facts, evaluation.current.n_rows, required)


def _identical(documents: Documents) -> str | None:
    production = documents.history.production_digest
    candidate = documents.manifest.model_digest
    evaluation = documents.evaluation
    if production is not None and candidate == production:
        return f"the candidate's digest {short(candidate)} is production's"
    if evaluation.production_digest is not None and (
        evaluation.candidate_digest == evaluation.production_digest
    ):
        return f"the candidate {short(candidate)} was compared with itself"
    if evaluation.identical_answers:
        rows = evaluation.current.n_rows
        return f"candidate and production answer alike on all {rows:,} final rows"
    return None


def _unratified(documents: Documents, policy: Policy, engine_version: str) -> str | None:
    history = documents.history
    if history.policy_digest != policy.digest:
        return (
            f"this policy is {short(policy.digest)}, "
            f"the ratified one is {short(history.policy_digest)}"
        )
    if history.engine_version != engine_version:
        return (
            f"this is decision engine {engine_version}, policy {short(policy.digest)} was ratified "
            f"with engine {history.engine_version}"
        )
    return None


def _blocked(drift: DriftReport | None) -> str | None:
    if drift is None:
        return None
    found = [gate for gate in drift.gates if gate.level == "block"]
    if not found and drift.level == "blocked":
        return "the drift report is blocked"
    said = [f"{g.column or 'the window'}: {g.detail}" for g in found]
    return "; ".join(said) or None


def _shortage(documents: Documents, thresholds: Thresholds, required: int | None) -> str | None:
    """Say why power is short, or return None."""
    current = documents.evaluation.current
    reasons = []
    if required is not None and current.n_rows < required:
        missing = required - current.n_rows
        said = f"{missing:,} more labels are needed: {current.n_rows:,} of {required:,}"
        reasons.append(said + _purpose(documents.evaluation, thresholds, required))
    if current.gain.lower is None or current.gain.upper is None:
        reasons.append(f"no bounds on the current window: {current.reason or 'no reason given'}")
    elif required is None:
        reasons.append(
            f"{current.baseline}'s loss is {current.baseline_loss:.4g}: no number of labels "
            "shows a gain on it"
        )
    drift, production = documents.drift, documents.history.production_digest
    if production is not None and drift is not None and drift.level == "unknown":
        reasons.append(f"drift is unknown: {_unknown(drift)}")
    return "; ".join(reasons) or None


def _purpose(evaluation: EvaluationReport, thresholds: Thresholds, required: int) -> str:
    """Say which gain so many labels would show, and how many would show the one that was seen."""
    current = evaluation.current
    if required <= thresholds.min_labels:
        return ""
    said = f" to show a gain of {thresholds.min_gain:.2%} of the loss"
    gain = current.gain.estimate
    seen = labels_for_gain(current, thresholds, gain=gain, alpha=evaluation.alpha)
    if seen is None or seen >= required:
        return said
    enough, share = max(seen, thresholds.min_labels), gain / current.baseline_loss
    return f"{said}, {enough:,} would do if the true gain were the {share:.2%} seen"


def _parts(drift: DriftReport) -> list[FeatureDrift | JointDrift | PredictionDrift]:
    predictions = [] if drift.predictions is None else [drift.predictions]
    return [*drift.features, drift.joint, *predictions]


def _unknown(drift: DriftReport) -> str:
    reasons = dict.fromkeys(p.reason for p in _parts(drift) if p.level == "unknown" and p.reason)
    rows = f"{drift.n_reference:,} reference and {drift.n_current:,} current rows"
    return next(iter(reasons), rows)


def _against(comparison: Comparison | None, thresholds: Thresholds) -> str:
    if comparison is None:
        return "unclear"
    lower, upper = comparison.gain.lower, comparison.gain.upper
    if lower is None or upper is None:
        return "unclear"
    if lower > thresholds.margin * comparison.baseline_loss:
        return "better"
    if upper < 0:
        return "worse"
    if lower > -thresholds.margin_ni * comparison.baseline_loss:
        return "not worse"
    return "unclear"


def _anchor(comparison: Comparison | None, thresholds: Thresholds) -> str:
    if comparison is None:
        return "ok"
    lower = comparison.gain.lower
    allowed = -thresholds.margin_total * comparison.baseline_loss
    return "ok" if lower is not None and lower >= allowed else "crept"


def _worst(evaluation: EvaluationReport) -> str:
    levels = {each.level for each in evaluation.slices}
    return next((level for level in ("harmed", "unclear") if level in levels), "ok")


def _drift_level(drift: DriftReport | None) -> str:
    """Return the severity beside the gates; unknown drift is a shortage, told by ``power``."""
    if drift is None:
        return "none"
    if drift.level in _DRIFT_LEVELS:
        return drift.level
    known = [_DRIFT_LEVELS.index(p.level) for p in _parts(drift) if p.level in _DRIFT_LEVELS]
    return _DRIFT_LEVELS[max(known, default=0)]


def _trained_on_current(manifest: ModelManifest) -> bool:
    """Return whether the training rows include those of the current window."""
    if manifest.train != "own":
        return True
    own, current = manifest.own, manifest.current
    if own is None:
        return False
    if own.window_digest == current.window_digest:
        return True
    ours, theirs = parse_bounds(own.bounds), parse_bounds(current.bounds)
    if own.source != current.source or ours.unit != theirs.unit or current.final_first is None:
        return False
    starts = ours.start is None or (theirs.start is not None and ours.start <= theirs.start)
    return starts and (ours.end is None or ours.end >= current.final_first)
