"""How is an answer put into words for a terminal?"""

from collections.abc import Iterable
from typing import Any

from modelwarrant.cli.options import out, table
from modelwarrant.records import Decision, DriftReport, FeatureDrift, ShadowReport

__all__ = ["number", "print_decision", "print_drift", "shadow_words", "share"]

_QUIET_SHOWN = 10
"""Features without a finding that a terminal shows; all are in the page and in the JSON."""


def number(value: float | None) -> str | None:
    """Return four significant digits, or None."""
    return None if value is None else f"{value:.4g}"


def share(value: float | None) -> str | None:
    """Return a percentage, or None."""
    return None if value is None else f"{value:.1%}"


def shadow_words(shadow: ShadowReport) -> str:
    """Return how a candidate answered beside production, in one line."""
    return (
        f"in shadow of version {shadow.production}: {shadow.rows:,} of the same rows, "
        f"{share(shadow.agreement)} answered alike, mean difference "
        f"{number(shadow.mean_difference)}, {shadow.microseconds:.0f} us a row"
    )


def print_drift(report: DriftReport) -> None:
    """Print level, gates that fired, features from loud to quiet, and joint drift."""
    console = out()
    console.print(
        f"drift: {report.level}   ({report.n_reference:,} reference rows, "
        f"{report.n_current:,} current rows)",
        style="bold",
    )
    for gate in report.gates:
        if gate.level != "ok":
            where = f" {gate.column}" if gate.column else ""
            console.print(f"  {gate.gate} {gate.level}{where}: {gate.detail}", markup=False)
    table(
        ("feature", "level", "PSI", "p", "KS", "W1", "JS", "missing"),
        _feature_rows(report),
    )
    for feature in _ranked(report):
        if feature.reason and feature.level != "none":
            console.print(f"  {feature.name}: {feature.reason}", markup=False)
    joint = report.joint
    told = f"AUC {joint.auc:.3f}" if joint.auc is not None else joint.reason
    console.print(f"joint (domain classifier): {joint.level}, {told}", markup=False)
    if report.predictions is not None:
        moved = report.predictions
        console.print(
            f"predictions: {moved.level}, PSI {number(moved.psi) or moved.reason}", markup=False
        )
    if report.season is not None:
        season = report.season
        console.print(f"season {season.period}: {season.verdict}, {season.reason}", markup=False)
    for shift in report.shifts:
        console.print(
            f"{shift.kind} ({shift.level}, {', '.join(shift.detectors)}): {shift.support}",
            markup=False,
        )


def _ranked(report: DriftReport) -> list[FeatureDrift]:
    """Return the features from loud to quiet."""
    order = {"blocked": 0, "drift": 1, "unknown": 2, "notice": 3, "none": 4}
    return sorted(report.features, key=lambda f: (order[f.level], -(f.weight or 0), -(f.psi or 0)))


def _feature_rows(report: DriftReport) -> Iterable[tuple[Any, ...]]:
    ranked = _ranked(report)
    loud = [feature for feature in ranked if feature.level != "none"]
    shown = loud + ranked[len(loud) : len(loud) + _QUIET_SHOWN]
    for feature in shown:
        yield (
            feature.name,
            feature.level,
            number(feature.psi),
            number(feature.psi_p_value),
            number(feature.ks),
            number(feature.wasserstein),
            number(feature.jensen_shannon),
            share(feature.missing_current),
        )
    if len(ranked) > len(shown):
        yield (f"and {len(ranked) - len(shown)} quiet features", *[""] * 7)


_STYLES = {
    "PROMOTE": "bold green",
    "NEEDS_APPROVAL": "bold yellow",
    "HOLD": "bold",
    "REJECT": "bold red",
}


def print_decision(decision: Decision) -> None:
    """Print verdict, rule, reason and what would change it."""
    console = out()
    console.print(decision.verdict, style=_STYLES[decision.verdict])
    console.print(f"  rule: {decision.rule}", markup=False)
    console.print(f"  because: {decision.reason}", markup=False)
    if decision.would_change:
        console.print("  what would change it:")
    for change in decision.would_change:
        console.print(
            f"    {change.level} from {change.now} to {change.then} -> {change.verdict}: "
            f"{change.detail}",
            markup=False,
        )
