"""How is a decision's evidence said in words, with its numbers?

Every sentence of a decision is put together here from facts with a name; a policy's templates may
use these names and nothing else. Numbers are written without locale.
"""

import re
from collections.abc import Mapping

from modelwarrant.policy.evidence import Documents, short
from modelwarrant.policy.spending import labels_for_gain
from modelwarrant.policy.table import Policy, Thresholds
from modelwarrant.records import Comparison, DriftReport, EvaluationReport, ModelManifest

__all__ = ["FACTS", "PLACEHOLDER", "bounds_text", "describe", "fill"]

FACTS = frozenset(
    {
        "identical",
        "evidence",
        "policy",
        "gates",
        "power",
        "floor",
        "current",
        "reference",
        "anchor",
        "slices",
        "calibration",
        "harm",
        "reservation",
        "overdue",
        "drift",
        "trained_on",
        "champion",
        "settle",
        "level_current",
        "level_reference",
    }
)
"""Names that a reason template may use."""

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
"""The only thing a template may hold; it is replaced by name, never formatted, so that a policy
cannot reach into objects."""


def fill(template: str, facts: Mapping[str, str]) -> str:
    """Return a template with its placeholders replaced.

    >>> fill("no gain shown: {current}", {"current": "gain 0.1"})
    'no gain shown: gain 0.1'
    """
    return PLACEHOLDER.sub(lambda found: facts[found[1]], template)


def describe(documents: Documents, policy: Policy, levels: Mapping[str, str]) -> dict[str, str]:
    """Return every fact about the evidence, as the levels found it favourable or not.

    Args:
        documents: what a decision rests on.
        policy: whose thresholds count.
        levels: as ``measure`` found them.
    """
    evaluation, overdue = documents.evaluation, documents.history.overdue
    return {
        "identical": "the candidate differs from production",
        "evidence": "fresh",
        "policy": f"policy {short(policy.digest)} is ratified",
        "gates": "no data fault",
        "power": f"{evaluation.current.n_rows:,} labels are enough",
        "floor": bounds_text(evaluation.floor or evaluation.current, evaluation),
        "current": bounds_text(evaluation.current, evaluation),
        "reference": bounds_text(evaluation.reference, evaluation),
        "anchor": bounds_text(evaluation.anchor, evaluation),
        "slices": _slices_text(evaluation, levels["slices"]),
        "calibration": _calibration_text(evaluation),
        "harm": _harm(levels, evaluation),
        "reservation": _reservation(levels, evaluation, overdue),
        "overdue": "; ".join(overdue) or "nothing is overdue",
        "drift": _drift_text(documents.drift),
        "trained_on": _trained_text(documents.manifest),
        "champion": _champion_text(evaluation),
        "settle": _settle(evaluation, policy.thresholds),
        "level_current": levels["current"],
        "level_reference": levels["reference"],
    }


def bounds_text(comparison: Comparison | None, evaluation: EvaluationReport) -> str:
    """Return a gain with its bounds in words."""
    if comparison is None:
        return "not compared"
    gain, loss = comparison.gain, comparison.baseline_loss
    share = f" ({gain.estimate / loss:+.2%})" if loss > 0 else ""
    bounds = (
        f"bounds {gain.lower:.4g} to {gain.upper:.4g}"
        if gain.lower is not None and gain.upper is not None
        else f"no bounds ({comparison.reason or 'no reason given'})"
    )
    return (
        f"gain {gain.estimate:.4g}{share} in {evaluation.metric} against {comparison.baseline} on "
        f"the {comparison.window} window, {bounds} at alpha {gain.alpha:.3g}, "
        f"{comparison.n_rows:,} labels"
    )


def _slices_text(evaluation: EvaluationReport, level: str) -> str:
    found = [each for each in evaluation.slices if each.level == level]
    if level == "ok" or not found:
        return "no slice is harmed"
    said = [f"{s.column} = {s.value} ({s.gain.estimate:.4g}; {s.reason})" for s in found[:3]]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"slices {level}: {', '.join(said)}{more}"


def _calibration_text(evaluation: EvaluationReport) -> str:
    found = evaluation.calibration
    difference = found.difference
    if difference is None:
        return f"calibration {found.level}: {found.reason or 'not compared'}"
    lower = "undefined" if difference.lower is None else f"{difference.lower:.4g}"
    return (
        f"calibration {found.level}: error differs by {difference.estimate:.4g}, "
        f"lower bound {lower}"
    )


def _harm(levels: Mapping[str, str], evaluation: EvaluationReport) -> str:
    said = []
    if levels["current"] == "worse":
        said.append(f"worse than production: {bounds_text(evaluation.current, evaluation)}")
    if levels["slices"] == "harmed":
        said.append(_slices_text(evaluation, "harmed"))
    if levels["calibration"] == "harmed":
        said.append(_calibration_text(evaluation))
    return "; ".join(said) or "no harm"


def _reservation(
    levels: Mapping[str, str], evaluation: EvaluationReport, overdue: tuple[str, ...]
) -> str:
    said = []
    if levels["slices"] == "unclear":
        said.append(_slices_text(evaluation, "unclear"))
    if overdue:
        said.append(f"overdue: {'; '.join(overdue)}")
    return "; ".join(said) or "no reservation"


def _drift_text(drift: DriftReport | None) -> str:
    if drift is None:
        return "no drift report"
    named = [feature.name for feature in drift.features if feature.level == "drift"]
    if drift.joint.level == "drift":
        named.append("the features together")
    if drift.predictions is not None and drift.predictions.level == "drift":
        named.append("production's predictions")
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    return f"drift in {', '.join(named[:5])}{more}" if named else f"drift level {drift.level}"


def _trained_text(manifest: ModelManifest) -> str:
    if manifest.train != "own":
        return f"trained on the current window {manifest.current.bounds}"
    own = "an unnamed window" if manifest.own is None else manifest.own.bounds
    return f"trained on {own}, the current window is {manifest.current.bounds}"


def _champion_text(evaluation: EvaluationReport) -> str:
    found = evaluation.champion
    said = "" if found.e_value is None else f", e-value {found.e_value:.4g}"
    return f"production {found.level}{said}" + (f" ({found.reason})" if found.reason else "")


def _settle(evaluation: EvaluationReport, thresholds: Thresholds) -> str:
    current = evaluation.current
    labels = labels_for_gain(
        current, thresholds, gain=current.gain.estimate, alpha=evaluation.alpha
    )
    if labels is not None and labels > current.n_rows:
        return f"if the true gain is the one seen, {labels:,} labels would settle it"
    return "more labels like these would not show a gain"
