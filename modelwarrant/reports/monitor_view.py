"""What did a monitoring pass see, and what did it therefore do, in words and tables?"""

from dataclasses import dataclass

from modelwarrant.records import LossTest, MonitorAct, MonitoringAction
from modelwarrant.reports.estimate_view import EstimateView, estimate_view
from modelwarrant.reports.figures import count, listing, moment, number, percent, sentence
from modelwarrant.reports.parts import Digest, Fact, Mark, Table, level_mark, unknown

__all__ = ["MonitorView", "act_mark", "monitor_view"]

_ACTS: dict[MonitorAct, tuple[str, str]] = {
    "none": ("Nothing to do", "good"),
    "label": ("Label", "notice"),
    "retrain": ("Retrain", "notice"),
    "hold": ("Hold", "bad"),
    "rollback": ("Roll back", "bad"),
}
_TESTS = {"ok": "ok", "warn": "warn", "reached": "degraded", "unknown": "unknown"}


@dataclass(frozen=True)
class MonitorView:
    """What the page lays out."""

    mark: Mark
    headline: str
    facts: tuple[Fact, ...]
    tests: Table
    estimate: EstimateView | None
    """None where the pass made none."""
    log: tuple[Fact, ...]
    labels: tuple[Fact, ...]
    sample: Table
    provenance: tuple[Fact, ...]


def act_mark(act: MonitorAct) -> Mark:
    """Return the mark of an action."""
    return Mark(*_ACTS[act])


def monitor_view(action: MonitoringAction) -> MonitorView:
    """Put an action into words."""
    seen = action.evidence
    situation = seen.situation
    tests = [("production against its reference", seen.degradation)]
    tests += [] if seen.watch is None else [("the new version against the one before", seen.watch)]
    agreement = seen.agreement
    return MonitorView(
        mark=act_mark(action.action),
        headline=sentence(action.reason),
        facts=(
            Fact("Version in production", str(situation.version)),
            Fact("Drift", level_mark(seen.drift), seen.drift_reason),
            Fact("Rule", action.rule),
            Fact("Open run", situation.open_run or "none"),
            Fact("Cooldown", "yes" if situation.cooldown else "no"),
            Fact("Agreement with the version before", percent(agreement))
            if agreement is not None
            else Fact("Watched", "no"),
        ),
        tests=Table(
            ("Loss", "Level", "e", "Mean", "Allowed", "Labels"),
            tuple((name, *_cells(test)) for name, test in tests),
            frozenset({2, 3, 4, 5}),
        ),
        estimate=estimate_view(seen),
        log=_log(action),
        labels=_labels(action),
        sample=Table(
            ("Answers", "Rows", "To label"),
            tuple((part.name, count(part.rows), count(part.asked)) for part in seen.sample),
            frozenset({1, 2}),
        ),
        provenance=(
            Fact("Action", Digest(action.digest)),
            Fact("Model in production", Digest(seen.version_digest)),
            Fact("Version before", Digest(seen.parent_digest)),
            Fact("Drift report", Digest(seen.drift_report_digest)),
            Fact("Current window", Digest(seen.window_digest)),
            Fact("Reference", Digest(seen.reference_digest)),
            Fact("Labels", Digest(seen.labels.state_digest)),
            Fact("Log of predictions", Digest(situation.log_digest)),
        ),
    )


def _cells(test: LossTest) -> tuple[str | Mark, ...]:
    numbers = [
        unknown(None) if value is None else number(value)
        for value in (test.e_value, test.mean, test.allowed)
    ]
    return (level_mark(_TESTS[test.level]), *numbers, count(test.n_labels))


def _log(action: MonitoringAction) -> tuple[Fact, ...]:
    log = action.evidence.log
    found = [
        Fact("Predictions read", count(log.rows), f"in {count(log.files)} files"),
        Fact("Of production", count(log.production)),
        Fact("In the current window", count(log.window)),
    ]
    if log.first is not None and log.last is not None:
        found.append(Fact("Current window", f"{moment(log.first)} to {moment(log.last)}"))
    if log.others:
        found.append(Fact("Of other versions", count(log.others)))
    for version, rows in log.gone.items():
        found.append(Fact(f"Of version {version}, which is gone", count(rows), "not used"))
    if log.repeated:
        found.append(Fact("Answered again under the same id", count(log.repeated), "not used"))
    if log.future:
        found.append(Fact("Dated in the future", count(log.future), "clocks disagree"))
    if log.torn:
        found.append(Fact("Torn files", count(len(log.torn)), listing(log.torn)))
    return tuple(found)


def _labels(action: MonitoringAction) -> tuple[Fact, ...]:
    labels, seen = action.evidence.labels, action.evidence
    needed = "undefined" if seen.n_settle is None else count(seen.n_settle)
    found = [
        Fact("Of production's answers", count(labels.joined)),
        Fact("In the current window", count(seen.n_recent), f"({needed} settle the question)"),
    ]
    for name, value, note in (
        ("Of other versions' answers", labels.of_other_versions, ""),
        ("Of unknown requests", labels.unknown_requests, "not in the log, or not yet"),
        ("Corrected", labels.corrected, "the newest counts"),
        ("In conflict", labels.conflicting, "not used until one is dated"),
        ("Of no class of the model", labels.unreadable, "not used"),
        ("Dated before the answer", labels.early, "clocks disagree"),
        ("Broken parts", len(labels.broken), listing(labels.broken) if labels.broken else ""),
    ):
        if value:
            found.append(Fact(name, count(value), note))
    return tuple(found)
