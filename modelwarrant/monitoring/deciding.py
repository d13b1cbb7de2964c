"""Which action follows from a monitor's evidence, and by which row?

The first matching row wins. Order: a data fault, harm of a promotion, decay, drift.
A retraining and a rollback rest on labels alone; drift without labels asks for labels. Nothing that
is unknown, blocked or missing changes what is in production.
"""

from collections.abc import Callable
from dataclasses import dataclass

from modelwarrant.records import MonitorAct, MonitoringAction, MonitoringEvidence

__all__ = ["RULES", "action_of", "is_consistent", "is_degraded", "is_drifting"]


@dataclass(frozen=True)
class _Rule:
    name: str
    act: MonitorAct
    holds: Callable[[MonitoringEvidence], bool]
    says: Callable[[MonitoringEvidence], str]


def action_of(evidence: MonitoringEvidence) -> MonitoringAction:
    """Return what to do: a pure function, which the gate calls again."""
    rule = next(rule for rule in RULES if rule.holds(evidence))
    return MonitoringAction(
        model=evidence.situation.model,
        action=rule.act,
        rule=rule.name,
        reason=rule.says(evidence),
        evidence=evidence,
    )


def is_consistent(action: MonitoringAction) -> bool:
    """Return whether an action is the one that its own evidence leads to."""
    return action == action_of(action.evidence)


def is_degraded(evidence: MonitoringEvidence) -> bool:
    """Return whether production decayed.

    The upper threshold is crossed, or was in the pass before and the lower one still is.
    """
    level = evidence.degradation.level
    return level == "reached" or (level == "warn" and evidence.was_degraded)


def is_drifting(evidence: MonitoringEvidence) -> bool:
    """Return whether the inputs drift: found, or found before and not yet gone below a notice."""
    return evidence.drift == "drift" or (evidence.drift == "notice" and evidence.was_drifting)


def _lacks_labels(evidence: MonitoringEvidence) -> bool:
    return evidence.n_missing is not None and evidence.n_missing > 0


def _has_few(evidence: MonitoringEvidence) -> bool:
    return evidence.log.window < evidence.situation.thresholds.min_predictions


def _harms(evidence: MonitoringEvidence) -> bool:
    watch = evidence.watch
    return evidence.situation.is_watched and watch is not None and watch.level == "reached"


def _harm(evidence: MonitoringEvidence) -> str:
    watch, situation = evidence.watch, evidence.situation
    said = "" if watch is None else watch.reason
    return f"version {situation.version} does harm, back to version {situation.parent}: {said}"


def _decay(evidence: MonitoringEvidence) -> str:
    cause = f"with drift in {evidence.drift_reason}"
    if evidence.drift in ("none", "notice"):
        cause = "with no drift of the inputs: concept drift, no covariate cause"
    if evidence.drift == "unknown":
        cause = f"whether the inputs drifted is unknown: {evidence.drift_reason}"
    return f"{evidence.degradation.reason}; {cause}"


def _quiet(evidence: MonitoringEvidence) -> str:
    what = "no drift" if evidence.drift == "none" else f"drift {evidence.drift}"
    if evidence.drift == "unknown":
        what = f"drift unknown: {evidence.drift_reason}"
    return f"{what}; labelled loss: {evidence.degradation.reason}"


def _few(evidence: MonitoringEvidence) -> str:
    least = evidence.situation.thresholds.min_predictions
    version = evidence.situation.version
    if not evidence.log.production:
        return f"nobody called version {version}: no prediction of it is in the log"
    return f"{evidence.log.window} predictions of version {version}, {least} make a window"


def _settle(evidence: MonitoringEvidence) -> str:
    return (
        f"{evidence.n_missing:,} more labels of the current window settle whether the loss has "
        f"grown by {evidence.situation.thresholds.effect:g} of its range "
        f"({evidence.n_recent:,} of {evidence.n_settle:,} are here)"
    )


RULES = (
    _Rule(
        "data-fault-and-harm",
        "hold",
        lambda e: e.drift == "blocked" and _harms(e),
        lambda e: (
            f"data fault: {e.drift_reason}; besides, {_harm(e)}. With a fault in the data no "
            "machine moves production: a person may, with warrant rollback"
        ),
    ),
    _Rule(
        "data-fault",
        "hold",
        lambda e: e.drift == "blocked",
        lambda e: f"data fault: {e.drift_reason}; no training and no promotion until it is mended",
    ),
    _Rule("harm", "rollback", _harms, _harm),
    _Rule(
        "degraded-run-open",
        "none",
        lambda e: is_degraded(e) and e.situation.open_run is not None,
        lambda e: f"{_decay(e)}; {e.situation.open_run} is open already",
    ),
    _Rule(
        "degraded-cooldown",
        "none",
        lambda e: is_degraded(e) and e.situation.cooldown,
        lambda e: (
            f"{_decay(e)}; the last retraining is younger than "
            f"{e.situation.thresholds.cooldown_days} days"
        ),
    ),
    _Rule("degraded", "retrain", is_degraded, _decay),
    _Rule("few-predictions", "none", _has_few, _few),
    _Rule(
        "drift-unsettled",
        "label",
        lambda e: is_drifting(e) and _lacks_labels(e),
        lambda e: f"drift in {e.drift_reason}; {_settle(e)}",
    ),
    _Rule(
        "loss-suspicious",
        "label",
        lambda e: e.degradation.level == "warn" and _lacks_labels(e),
        lambda e: f"{e.degradation.reason}; {_settle(e)}",
    ),
    _Rule(
        "drift-unsettleable",
        "none",
        lambda e: is_drifting(e) and e.n_settle is None,
        lambda e: (
            f"drift in {e.drift_reason}; no number of labels can settle whether it does "
            f"harm: {e.degradation.reason}"
        ),
    ),
    _Rule(
        "drift-harmless",
        "none",
        is_drifting,
        lambda e: f"drift in {e.drift_reason}, and the labels show no harm: {e.degradation.reason}",
    ),
    _Rule("quiet", "none", lambda e: True, _quiet),
)
"""The monitoring table, in order."""
