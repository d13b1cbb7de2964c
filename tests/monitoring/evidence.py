"""Evidence of a monitoring pass as it may come, one level changed at a time."""

from typing import Any

from modelwarrant.records import (
    EstimateCheck,
    LabelCounts,
    LogCounts,
    LossTest,
    MonitoringEvidence,
    MonitoringThresholds,
    PerformanceEstimate,
    Situation,
)

DIGEST = "sha256:" + "1" * 64


def loss(level: str = "ok", *, e_value: float | None = 0.2, n_labels: int = 2000) -> LossTest:
    """Return a test of the loss."""
    return LossTest.model_validate(
        {"level": level, "e_value": e_value, "n_labels": n_labels, "reason": f"loss {level}"}
    )


def estimate(level: str) -> PerformanceEstimate:
    """Return an estimate of the window's loss."""
    return PerformanceEstimate.model_validate(
        {
            "level": level,
            "reason": f"estimate {level}",
            "metric": "log_loss",
            "method": "PAPE",
            "n_reference": 2000,
            "n_current": 5000,
            "checks": (EstimateCheck(name="rows", holds=level != "void", detail="rows"),),
            "estimates": (),
            "metrics": (),
            "production_digest": DIGEST,
            "reference_digest": DIGEST,
            "current_digest": DIGEST,
            "drift_report_digest": DIGEST,
        }
    )


def situation(**changes: Any) -> Situation:
    """Return the situation of version 3, which replaced version 1 long ago."""
    fields: dict[str, Any] = {
        "model": "demand",
        "version": 3,
        "moved": 5,
        "parent": None,
        "is_watched": False,
        "cooldown": False,
        "open_run": None,
        "log_digest": DIGEST,
        "labels_digest": DIGEST,
        "thresholds": MonitoringThresholds(),
        "metric": "log_loss",
        "day": "2026-03-01",
        "engine_version": "0",
    }
    return Situation.model_validate(fields | changes)


def evidence(**changes: Any) -> MonitoringEvidence:
    """Return evidence of a quiet pass, changed."""
    about = changes.pop("situation", {})
    fields: dict[str, Any] = {
        "situation": situation(**about),
        "version_digest": DIGEST,
        "parent_digest": None,
        "drift": "none",
        "drift_reason": "the windows are alike",
        "was_drifting": False,
        "was_degraded": False,
        "degradation": loss(),
        "watch": None,
        "agreement": None,
        "n_recent": 100,
        "n_settle": 900,
        "sample": (),
        "sample_digest": None,
        "log": LogCounts(rows=5000, production=5000, window=5000),
        "labels": LabelCounts(joined=2000, state_digest=DIGEST),
        "drift_report_digest": None,
        "window_digest": DIGEST,
        "reference_digest": DIGEST,
    }
    return MonitoringEvidence.model_validate(fields | changes)


def watched(level: str = "reached", **changes: Any) -> MonitoringEvidence:
    """Return evidence of a young version, whose watch says this."""
    about = {"is_watched": True, "parent": 1, **changes.pop("situation", {})}
    return evidence(situation=about, watch=loss(level, e_value=500.0), **changes)
