"""Which action follows from a monitor's evidence, and by which row?

The first matching row wins. Order: a data fault, harm of a promotion, decay, the estimate, drift.
A retraining and a rollback rest on labels alone; drift, and an estimate made without labels, ask
for labels: for all that settle the question, or, where the estimate may be believed and sees no
harm, for a small share of the window. Nothing that is unknown, blocked or missing changes what is
in production.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from modelwarrant.records import (
    EstimateLevel,
    MonitorAct,
    MonitoringAction,
    MonitoringEvidence,
)

__all__ = [
    "RULES",
    "action_of",
    "is_consistent",
    "is_degraded",
    "is_drifting",
    "labels_wanted",
]


@dataclass(frozen=True)
class _Rule:
    name: str
    act: MonitorAct
    holds: Callable[[MonitoringEvidence], bool]
    says: Callable[[MonitoringEvidence], str]
    wants: Callable[[MonitoringEvidence], int] = lambda evidence: 0
    """Rows of the window to label."""


def action_of(evidence: MonitoringEvidence) -> MonitoringAction:
    """Return what to do: a pure function, which the gate calls again."""
    rule = _rule_of(evidence)
    return MonitoringAction(
        model=evidence.situation.model,
        action=rule.act,
        rule=rule.name,
        reason=rule.says(evidence),
        evidence=evidence,
    )


def labels_wanted(evidence: MonitoringEvidence) -> int:
    """Return how many more rows of the window are to be labelled."""
    return _rule_of(evidence).wants(evidence)


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


def _rule_of(evidence: MonitoringEvidence) -> _Rule:
    return next(rule for rule in RULES if rule.holds(evidence))


def _estimate(evidence: MonitoringEvidence) -> EstimateLevel:
    return "void" if evidence.estimate is None else evidence.estimate.level


def _estimated(evidence: MonitoringEvidence) -> str:
    """Say what the estimate is worth; nothing where a pass made none."""
    found = evidence.estimate
    if found is None:
        return ""
    if found.level == "void":
        return f"; no estimate without labels: {found.reason}"
    return f"; {found.reason}"


def _missing(evidence: MonitoringEvidence) -> int:
    return evidence.n_missing or 0


def _missing_raised(evidence: MonitoringEvidence) -> int:
    """Return the labels that are missing of the share to be labelled while the inputs drift."""
    share = math.ceil(evidence.situation.thresholds.raised_rate * evidence.log.window)
    wanted = share if evidence.n_settle is None else min(share, evidence.n_settle)
    return max(0, wanted - evidence.n_recent)


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
    return f"{what}; labelled loss: {evidence.degradation.reason}{_estimated(evidence)}"


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
        "estimate-below",
        "label",
        lambda e: _estimate(e) == "below" and _lacks_labels(e),
        lambda e: f"without labels{_estimated(e)[1:]}; {_settle(e)}",
        _missing,
    ),
    _Rule(
        "drift-unsettled",
        "label",
        lambda e: is_drifting(e) and _estimate(e) == "void" and _lacks_labels(e),
        lambda e: f"drift in {e.drift_reason}{_estimated(e)}; {_settle(e)}",
        _missing,
    ),
    _Rule(
        "loss-suspicious",
        "label",
        lambda e: e.degradation.level == "warn" and _lacks_labels(e),
        lambda e: f"{e.degradation.reason}; {_settle(e)}",
        _missing,
    ),
    _Rule(
        "estimate-unsettleable",
        "none",
        lambda e: _estimate(e) == "below" and e.n_settle is None,
        lambda e: (
            f"without labels{_estimated(e)[1:]}; no number of labels can settle it: "
            f"{e.degradation.reason}"
        ),
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
        "drift-watched",
        "label",
        lambda e: is_drifting(e) and _estimate(e) == "ok" and _missing_raised(e) > 0,
        lambda e: (
            f"drift in {e.drift_reason}{_estimated(e)}; {_missing_raised(e):,} labels are wanted "
            f"while it lasts, {e.situation.thresholds.raised_rate:.0%} of the window"
        ),
        _missing_raised,
    ),
    _Rule(
        "estimate-refuted",
        "none",
        lambda e: _estimate(e) == "below",
        lambda e: (
            f"without labels{_estimated(e)[1:]}, and the labels show no harm: "
            f"{e.degradation.reason}"
        ),
    ),
    _Rule(
        "drift-harmless",
        "none",
        is_drifting,
        lambda e: (
            f"drift in {e.drift_reason}{_estimated(e)}, and the labels show no harm: "
            f"{e.degradation.reason}"
        ),
    ),
    _Rule("quiet", "none", lambda e: True, _quiet),
)
"""The monitoring table, in order."""
