"""What is the evidence of a monitoring pass, all numbers of it?

Pure: windows, answers and reports come in, the record comes out. Whatever cannot be told is
``unknown`` with its reason; a window with too few predictions judges nothing, whatever its gates
say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelwarrant.errors import DataError
from modelwarrant.evaluation.blocks import Blocks, block_rows, block_rows_or_runs, chronological
from modelwarrant.evaluation.bounds import mean_bounds
from modelwarrant.evaluation.losses import aligned, loss_bound, row_losses, truth_of
from modelwarrant.monitoring.deciding import labels_wanted
from modelwarrant.monitoring.losses import degradation, harm, labels_to_settle
from modelwarrant.monitoring.sampling import Asked, sample_rows
from modelwarrant.records import (
    DriftLevel,
    DriftReport,
    LabelCounts,
    LossTest,
    MonitoringEvidence,
    PerformanceEstimate,
    PredictionLog,
    RealisedLoss,
)
from modelwarrant.windows import Predictions, Window, canonical_order

__all__ = ["Answered", "Candidates", "Seen", "assess", "in_time", "sample_text"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answered:
    """Labelled rows, oldest first, with what both models answer."""

    window: Window
    production: Predictions
    parent: Predictions | None
    """Of the version before; None where it is not watched against, or cannot answer."""
    parent_fault: str | None = None
    """Why it cannot."""


@dataclass(frozen=True)
class Candidates:
    """Rows of the current window, any of which may be labelled."""

    keys: Sequence[tuple[str, int]]
    scores: Floats


@dataclass(frozen=True)
class Seen:
    """Everything that a pass collected."""

    log: PredictionLog
    labels: LabelCounts
    drift: DriftReport
    labelled: Answered
    labelled_keys: Sequence[tuple[str, int]]
    reference: Answered
    """The reference's final split: no training has seen it."""
    candidates: Candidates
    version_digest: str
    parent_digest: str | None
    estimate: PerformanceEstimate | None = None
    """Of the loss, without labels; None where none was made."""
    expected: Floats | None = None
    """What it says of each candidate, (n,) float64; NaN where it says nothing."""


@dataclass(frozen=True)
class _Losses:
    production: Floats
    parent: Floats | None
    blocks: Blocks
    fault: str | None


def assess(seen: Seen) -> tuple[MonitoringEvidence, Asked | None]:
    """Return the evidence, and the rows to label where labels are missing."""
    situation = seen.log.situation
    thresholds, metric = situation.thresholds, situation.metric
    before, fault = _reference(seen.reference, metric)
    bound = None
    if before is not None:
        known = [each for each in (before.production, before.parent) if each is not None]
        n_classes = len(seen.reference.production.classes)
        bound = loss_bound(known, metric=metric, n_classes=n_classes) or None
    now = _losses(seen.labelled, metric) if len(seen.labelled.window) else None
    reference = (None, None) if before is None else (before.production, before.blocks)
    empty = Blocks(np.zeros(0, dtype=np.int64), "rows")
    decay = degradation(
        np.zeros(0) if now is None else now.production,
        empty if now is None else now.blocks,
        *reference,
        bound=bound,
        thresholds=thresholds,
    )
    if fault is not None:
        decay = decay.model_copy(update={"reason": fault})
    labelled = frozenset(seen.labelled_keys)
    is_labelled = np.array([key in labelled for key in seen.candidates.keys], dtype=np.bool_)
    n_recent = int(is_labelled.sum())
    n_settle = labels_to_settle(
        *reference,
        bound=bound,
        n_older=max(0, len(seen.labelled.window) - n_recent),
        thresholds=thresholds,
    )
    drift, why = _drift(seen.drift, seen.log.counts.window, thresholds.min_predictions)
    evidence = MonitoringEvidence(
        situation=situation,
        version_digest=seen.version_digest,
        parent_digest=seen.parent_digest,
        drift=drift,
        drift_reason=why,
        was_drifting=seen.log.was_drifting,
        was_degraded=seen.log.was_degraded,
        estimate=seen.estimate,
        realised=_realised(seen, now, bound),
        degradation=decay,
        watch=_watch(seen, now, bound),
        agreement=_agreement(seen.labelled, thresholds.watch_labels),
        n_recent=n_recent,
        n_settle=n_settle,
        sample=(),
        sample_digest=None,
        log=seen.log.counts,
        labels=seen.labels,
        drift_report_digest=seen.drift.digest,
        window_digest=seen.log.window_digest,
        reference_digest=seen.drift.reference_digest,
    )
    asked = _sample(seen.candidates, is_labelled, labels_wanted(evidence))
    if asked is not None:
        evidence = evidence.model_copy(update={"sample": asked.strata})
    return evidence, asked


def in_time(window: Window) -> npt.NDArray[np.int64]:
    """Return the places of a window's rows, oldest first."""
    return chronological(window, canonical_order(window))


def sample_text(candidates: Candidates, asked: Asked) -> str:
    """Return the list of rows to label: names only, no value of a row."""
    lines = ["request_id,row,stratum"]
    for row, name in zip(asked.rows.tolist(), asked.names, strict=True):
        request_id, number = candidates.keys[row]
        quoted = '"' + request_id.replace('"', '""') + '"'
        lines.append(f'{quoted},{number},"{name}"')
    return "\n".join(lines) + "\n"


def _reference(answered: Answered, metric: str) -> tuple[_Losses | None, str | None]:
    if not len(answered.window):
        return None, "the reference window has no labelled row that training has not seen"
    try:
        return _losses(answered, metric), None
    except DataError as error:
        return None, str(error)


def _losses(answered: Answered, metric: str) -> _Losses:
    """Return what each model loses row by row; a fault of the parent's is no fault of the pass."""
    production = answered.production
    truth = truth_of(answered.window, classes=production.classes, name="labelled")
    answers = aligned(production, truth, model="production", window="labelled")
    parent, fault = None, answered.parent_fault
    if answered.parent is not None:
        try:
            theirs = aligned(answered.parent, truth, model="the version before", window="labelled")
            parent = row_losses(theirs, truth, metric=metric)
        except DataError as error:
            fault = str(error)
    blocks = block_rows(answered.window)
    return _Losses(row_losses(answers, truth, metric=metric), parent, blocks, fault)


def _realised(seen: Seen, now: _Losses | None, bound: float | None) -> RealisedLoss | None:
    """Return what labelled rows of the window lost; clipped as the estimate's losses are."""
    estimate = seen.estimate
    at = {key: place for place, key in enumerate(seen.candidates.keys)}
    places = np.array([at.get(key, -1) for key in seen.labelled_keys], dtype=np.int64)
    rows = places >= 0
    limit = bound if estimate is None or estimate.bound is None else estimate.bound
    if now is None or not limit or not rows.any():
        return None
    losses = np.minimum(now.production[rows], limit)
    blocks = block_rows_or_runs(seen.labelled.window.take(rows))
    bounds = mean_bounds(losses, blocks, alpha=0.025)
    told = None if seen.expected is None else float(seen.expected[places[rows]].mean())
    return RealisedLoss(
        value=float(losses.mean()),
        lower=bounds.lower,
        upper=bounds.upper,
        n_labels=len(losses),
        estimated=told if told is not None and np.isfinite(told) else None,
    )


def _watch(seen: Seen, now: _Losses | None, bound: float | None) -> LossTest | None:
    if not seen.log.situation.is_watched:
        return None
    if now is None:
        return LossTest(level="unknown", reason="no label of the new version's answers has arrived")
    if now.parent is None or bound is None:
        why = now.fault or "the reference loss is unknown"
        return LossTest(level="unknown", n_labels=len(now.production), reason=why)
    thresholds = seen.log.situation.thresholds
    return harm(now.production, now.parent, now.blocks, bound=bound, thresholds=thresholds)


def _agreement(answered: Answered, first: int) -> float | None:
    """Share of watched rows whose predicted class is the same; for numbers, equal to 1e-9."""
    if answered.parent is None or not len(answered.window):
        return None
    mine, theirs = answered.production, answered.parent
    if mine.task == "regression":
        same = np.isclose(mine.values, theirs.values, rtol=1e-9, atol=0.0)
    else:
        labels = [np.array(each.classes)[each.codes] for each in (mine, theirs)]
        same = labels[0] == labels[1]
    return float(same[:first].mean())


def _sample(
    candidates: Candidates, is_labelled: npt.NDArray[np.bool_], missing: int
) -> Asked | None:
    open_rows = np.flatnonzero(~is_labelled)
    if not missing or not len(open_rows):
        return None
    keys = [candidates.keys[row] for row in open_rows.tolist()]
    asked = sample_rows(candidates.scores[open_rows], keys, size=missing)
    return Asked(open_rows[asked.rows], asked.names, asked.strata)


def _drift(report: DriftReport, rows: int, least: int) -> tuple[DriftLevel, str]:
    """Return the level that counts, and the columns that make it."""
    if rows < least:
        return "unknown", f"{rows} predictions in the window, {least} are needed"
    if report.level == "blocked":
        faults = [gate for gate in report.gates if gate.level == "block"]
        return "blocked", "; ".join(f"{gate.column or 'rows'}: {gate.detail}" for gate in faults)
    if report.level in ("drift", "notice"):
        names = [each.name for each in report.features if each.level == report.level]
        names += ["the rows as a whole"] if report.joint.level == report.level else []
        score = report.predictions
        names += ["the score"] if score is not None and score.level == report.level else []
        return report.level, ", ".join(names) or "the gates"
    return report.level, report.joint.reason or "the windows are alike"
