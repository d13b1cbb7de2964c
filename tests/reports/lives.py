"""Lives of a model, from a single event to hundreds."""

from datetime import UTC, datetime, timedelta

from modelwarrant.monitoring import action_of
from modelwarrant.records import (
    EstimateLevel,
    LogCounts,
    MonitoringEvidence,
    PerformanceEstimate,
    RealisedLoss,
)
from modelwarrant.reports import Event, Life, Look, Reign
from modelwarrant.reports.life_view import Lane
from modelwarrant.reports.parts import Mark
from tests.monitoring.evidence import DIGEST, evidence, loss

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
WEEK = timedelta(days=7)


def event(seq: int, lane: Lane, title: str, *, detail: str = "as the rules say") -> Event:
    """Return an event, a week after the one before."""
    mark = Mark("promoted", "good")
    page = f"/x/{seq}.html"
    return Event(seq, BEGIN + seq * WEEK, lane, mark, title, detail, DIGEST, page)


def estimate(value: float, level: EstimateLevel = "ok") -> PerformanceEstimate:
    """Return an estimate of the loss, 0.02 wide."""
    return PerformanceEstimate(
        level=level,
        reason=f"the estimate is {level}",
        metric="log_loss",
        method="CBPE",
        value=value,
        lower=value - 0.01,
        upper=value + 0.01,
        objective=0.45,
        n_reference=2000,
        n_current=5000,
        checks=(),
        estimates=(),
        metrics=(),
        production_digest=DIGEST,
        reference_digest=DIGEST,
        current_digest=DIGEST,
        drift_report_digest=DIGEST,
    )


def seen(place: int, *, has_losses: bool = True, **changes: object) -> MonitoringEvidence:
    """Return the evidence of the pass of a week."""
    begin = BEGIN + place * WEEK
    log = LogCounts(
        rows=5000,
        production=5000,
        window=5000,
        first=(begin - WEEK).isoformat(),
        last=begin.isoformat(),
    )
    losses: dict[str, object] = {}
    if has_losses:
        value = 0.4 + 0.001 * place
        realised = RealisedLoss(value=value, lower=value - 0.02, upper=value + 0.02, n_labels=900)
        losses = {"estimate": estimate(value + 0.005), "realised": realised}
    return evidence(**{"log": log, **losses, **changes})


def look(seq: int, of: MonitoringEvidence) -> Look:
    """Return a pass, as the ledger has it."""
    action = action_of(of)
    mark = Mark(action.action, "good" if action.action == "none" else "bad")
    time = BEGIN + seq * WEEK
    page = f"/x/{seq}.html"
    quiet = action.action == "none"
    return Look(
        Event(seq, time, "monitor", mark, "a pass", action.reason, DIGEST, page, quiet), action
    )


def life(*, passes: int, has_losses: bool = True, text: str = "better") -> Life:
    """Return a first model, so many passes, a retraining among them where there are ten."""
    first = event(1, "decision", "Decision by first-model", detail=text)
    approved = event(2, "person", f"Approved by {text}")
    promoted = event(3, "production", "Version 1 to production", detail=text)
    looks = []
    for place in range(passes):
        degraded = {"degradation": loss("reached")} if place % 10 == 9 else {}
        looks.append(look(4 + place, seen(4 + place, has_losses=has_losses, **degraded)))
    reigns = (Reign(1, promoted.time, None, f"approved by {text}", promoted),)
    events = (first, approved, promoted, *(each.event for each in looks))
    return Life(text, events, reigns, tuple(looks))
