"""Compare the current window with the reference."""

import sys
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from modelwarrant import drift
from modelwarrant.bundle import Bundle, permutation_weights
from modelwarrant.records import WindowRef
from modelwarrant.reports import drift_page
from modelwarrant.sources import load_window
from modelwarrant.stage import Task, run_stage
from modelwarrant.stage.presence import read_bundle_if_any
from modelwarrant.windows import Predictions, Window, like_season, split


def detect(task: Task) -> None:
    """Compare the windows; with a production model also its answers."""
    current, reference = load_window(task.path("current")), load_window(task.path("reference"))
    production = read_bundle_if_any(task.path("production"))
    season = timedelta(seconds=task.parameter("season_s")) or None
    if production is None:
        past = drift.History(load_window(task.path("history"))) if season else None
        report = drift.compare(reference, current, season=season, history=past)
    else:
        ref = WindowRef.from_bytes(task.path("reference_ref").read_bytes(), name="reference_ref")
        unseen = split(reference, final=ref.final)[1].window
        scores = production.predict(unseen), production.predict(current)
        report = drift.compare(
            reference,
            current,
            scores=(scores[0], production.predict(like_season(current, unseen, season))),
            reference_labels_for_scores=_labels(production, unseen),
            labelled=_labelled((unseen, current), scores),
            slices=task.parameter("slices"),
            weights=permutation_weights(production, unseen),
            season=season,
            history=_history(production, load_window(task.path("history"))) if season else None,
            production_digest=production.digest,
        )
    task.write("drift_report", report)
    task.write("page", drift_page(report))
    task.set("level", report.level)


def _history(production: Bundle, history: Window) -> drift.History:
    """Return the rows of the past with production's answers."""
    answers = production.predict(history) if len(history) else None
    return drift.History(history, answers)


def _labels(production: Bundle, unseen: Window) -> npt.NDArray[np.int64] | None:
    """Return the true classes of the unseen rows as the production model counts them."""
    if production.schema.target is None or not production.schema.classes:
        return None
    return unseen.codes(production.schema.target, production.schema.classes)


def _labelled(
    windows: tuple[Window, Window], scores: tuple[Predictions, Predictions]
) -> tuple[drift.Labelled, drift.Labelled] | None:
    """Return both windows with production's answers, where both have a target."""
    if not all(window.has_target for window in windows):
        return None
    first, second = (drift.Labelled(*each) for each in zip(windows, scores, strict=True))
    return first, second


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``modelwarrant.stage.run_stage``."""
    return run_stage("detect_drift", detect, argv)


if __name__ == "__main__":
    sys.exit(main())
