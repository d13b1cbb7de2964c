"""Is what changed more than the season?

The training window alone cannot say: in winter every feature differs from a summer's. So a second
reference is asked, the last window of the history at the same place of the season. Drift is lasting
where both differ from now; where only the training window does, it is the season.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from modelwarrant.drift.features import MIN_ROWS
from modelwarrant.errors import DataError
from modelwarrant.records import (
    DriftLevel,
    FeatureDrift,
    Gate,
    JointDrift,
    PredictionDrift,
    SeasonReport,
)
from modelwarrant.windows import Predictions, Window, is_whole_seasons, previous_season, span_of

__all__ = ["Findings", "History", "Previous", "Season", "in_season", "standing"]

_COVERED = 0.9
"""Share of the current window's span that the previous one must cover."""

_COMPARED = ("G1", "G2", "G3", "G4")
_RELEASE, _OF = 2, 3


@dataclass(frozen=True)
class History:
    """Rows of the past in which the previous window of the same season is looked for.

    ``answers`` are production's on these rows; None where they are not known.
    """

    window: Window
    answers: Predictions | None = None


@dataclass(frozen=True)
class Season:
    """The period after which the data repeats itself, and the rows of the past."""

    period: timedelta
    history: History


@dataclass(frozen=True)
class Previous:
    """The last window of the same season, or why there is none."""

    window: Window | None
    answers: Predictions | None
    is_whole: bool
    reason: str


@dataclass(frozen=True)
class Findings:
    """What was found of two windows, before the report's level."""

    features: tuple[FeatureDrift, ...]
    gates: list[Gate]
    joint: JointDrift
    predictions: PredictionDrift | None

    @property
    def is_drift(self) -> bool:
        """Whether a feature, the joint detector or the predictions drift."""
        levels = [feature.level for feature in self.features] + [self.joint.level]
        return "drift" in levels or (
            self.predictions is not None and self.predictions.level == "drift"
        )

    @property
    def is_faulty(self) -> bool:
        """Whether a gate warns or blocks."""
        return any(gate.level in ("warn", "block") for gate in self.gates)


def previous_of(season: Season, reference: Window, current: Window) -> Previous:
    """Look for the previous window of the same season.

    Raises:
        DataError: the windows have no time.
    """
    if reference.schema.time is None or current.schema.time is None:
        raise DataError("a season needs a time column; name it, or declare no season")
    if not (len(reference) and len(current)):
        return Previous(None, None, False, "a window is empty")
    spans = span_of(reference), span_of(current)
    if all(is_whole_seasons(*span, season.period) for span in spans):
        return Previous(None, None, True, "both windows are whole seasons long")
    bounds = previous_season(*spans[1], season.period)
    rows = season.history.window.order
    kept = np.flatnonzero((rows >= (bounds.start or 0)) & (rows < (bounds.end or 0)))
    if len(kept) < MIN_ROWS:
        found = f"the history holds {len(kept)} rows of {bounds}, {MIN_ROWS} are needed"
        return Previous(None, None, False, found)
    window = season.history.window.take(kept)
    first, last = span_of(window)
    if last - first < _COVERED * (spans[1][1] - spans[1][0]):
        return Previous(None, None, False, f"the history holds only a part of {bounds}")
    answers = season.history.answers
    return Previous(window, None if answers is None else answers.take(kept), False, str(bounds))


def in_season(
    found: Findings,
    previous: Previous,
    compare: Callable[[Previous], Findings],
    *,
    season: Season,
    digest: Callable[[Window], str],
) -> tuple[Findings, SeasonReport]:
    """Take back what the season explains.

    What was ``drift`` becomes a ``notice`` unless the previous window of the same season differs
    too, or both windows are whole seasons long. The same holds for gates that compare two windows;
    a fault of the current window alone (infinite values, no rows) stays.

    Args:
        found: against the training window.
        previous: of the same season.
        compare: compares the current window with it; called only where that can change anything.
        season: as declared.
        digest: of a window.
    """
    report = SeasonReport(
        period=_text(season.period),
        verdict="no drift",
        is_whole=previous.is_whole,
        n_rows=None if previous.window is None else len(previous.window),
        digest=None if previous.window is None else digest(previous.window),
        reason=previous.reason,
    )
    if not (found.is_drift or found.is_faulty):
        return found, report
    if previous.is_whole:
        return found, _verdict(report, found, found)
    before = None if previous.window is None else compare(previous)
    kept = Findings(
        _features(found.features, None if before is None else before.features),
        _gates(found.gates, None if before is None else before.gates),
        _joint(found.joint, None if before is None else before.joint),
        _predictions(found.predictions, None if before is None else before.predictions),
    )
    seasonal = tuple(
        was.name
        for was, now in zip(found.features, kept.features, strict=True)
        if was.level == "drift" != now.level
    )
    return kept, _verdict(report.model_copy(update={"seasonal": seasonal}), found, kept)


def standing(levels: Sequence[DriftLevel]) -> bool:
    """Return whether drift stands after these windows, oldest first.

    One window with drift calls it, and two quiet ones of the last three since then take it back, so
    that one quiet window does not. A window that is unknown or blocked says neither.

    >>> standing(["none", "drift", "none"]), standing(["drift", "none", "none"])
    (True, False)
    """
    stands, recent = False, list[DriftLevel]()
    for level in levels:
        if level == "drift" and not stands:
            stands, recent = True, []
        recent = [*recent[-(_OF - 1) :], level]
        if sum(each in ("none", "notice") for each in recent) >= _RELEASE:
            stands = False
    return stands


def _verdict(report: SeasonReport, found: Findings, kept: Findings) -> SeasonReport:
    if not found.is_drift:
        return report
    if kept.is_drift:
        return report.model_copy(update={"verdict": "lasting"})
    is_known = report.is_whole or report.n_rows is not None
    return report.model_copy(update={"verdict": "seasonal" if is_known else "unknown"})


def _said(has_previous: bool) -> str:
    if has_previous:
        return "the same season before was alike, so this is the season"
    return "the season may explain it: no earlier window of the same season is known"


def _features(
    features: tuple[FeatureDrift, ...], before: tuple[FeatureDrift, ...] | None
) -> tuple[FeatureDrift, ...]:
    levels = {} if before is None else {feature.name: feature.level for feature in before}
    kept = []
    for feature in features:
        if feature.level == "drift" and levels.get(feature.name) not in ("drift", "blocked"):
            reason = f"{feature.reason}; {_said(before is not None)}"
            feature = feature.model_copy(update={"level": "notice", "reason": reason})
        kept.append(feature)
    return tuple(kept)


def _gates(gates: list[Gate], before: list[Gate] | None) -> list[Gate]:
    """Keep faults that show against the same season too; those of one window alone always stay."""
    if before is None:
        return gates
    again = {(gate.gate, gate.column) for gate in before if gate.level in ("warn", "block")}
    kept = []
    for gate in gates:
        is_compared = gate.column is not None and gate.gate in _COMPARED
        if (
            is_compared
            and gate.level in ("warn", "block")
            and (gate.gate, gate.column) not in again
        ):
            detail = f"{gate.detail}; {_said(True)}"
            gate = gate.model_copy(update={"level": "notice", "detail": detail})
        kept.append(gate)
    return kept


def _joint(joint: JointDrift, before: JointDrift | None) -> JointDrift:
    if joint.level != "drift" or (before is not None and before.level == "drift"):
        return joint
    reason = "; ".join(filter(None, (joint.reason, _said(before is not None))))
    return joint.model_copy(update={"level": "notice", "reason": reason})


def _predictions(
    found: PredictionDrift | None, before: PredictionDrift | None
) -> PredictionDrift | None:
    if found is None or found.level != "drift" or (before is not None and before.level == "drift"):
        return found
    reason = f"{found.reason}; {_said(before is not None)}"
    return found.model_copy(update={"level": "notice", "reason": reason})


def _text(period: timedelta) -> str:
    seconds = int(period.total_seconds())
    return f"{seconds // 86_400}d" if seconds % 86_400 == 0 else f"{seconds}s"
