"""What does a page say of a drift report, and in which order?"""

import dataclasses
from collections import Counter

from markupsafe import Markup

from modelwarrant.records import (
    Distribution,
    DriftLevel,
    DriftReport,
    FeatureDrift,
    Gate,
    PredictionDrift,
)
from modelwarrant.reports.figures import (
    count,
    declared,
    distance,
    listing,
    number,
    p_value,
    percent,
    plural,
    shorten,
)
from modelwarrant.reports.labelled_view import (
    LabelledView,
    labelled_view,
    season_sentence,
    shift_table,
)
from modelwarrant.reports.parts import Fact, Mark, Table, level_mark, severity, unknown
from modelwarrant.reports.plots import histogram, share_bars

__all__ = ["DriftView", "FeatureCard", "LevelBars", "drift_view"]

MOST_OPEN = 12
"""Feature cards that stand open; a reader who scrolls past a dozen is looking for one by name."""

MOST_CARDS = 120
"""Feature cards with a plot on one page, which keeps it well under its 2 MB."""

MOST_ROWS = 400
"""Features named on one page; the record names all."""

MOST_LEVELS = 12
"""Levels of a category drawn; the rest is pooled."""

LONGEST_NAME = 80

GATES = {
    "G1": "schema and rows",
    "G2": "missing values",
    "G3": "unit and scale",
    "G4": "unseen categories",
}


@dataclasses.dataclass(frozen=True)
class LevelBars:
    """One level of a category in both windows."""

    label: str
    bars: Markup
    reference: str
    current: str


@dataclasses.dataclass(frozen=True)
class FeatureCard:
    """One feature, or the production model's answers, with its plot and its numbers."""

    name: str
    kind: str
    mark: Mark
    effect: str
    """The number that the level rests on, in words."""
    facts: tuple[Fact, ...]
    reason: str | None
    plot: Markup | None
    levels: tuple[LevelBars, ...]


@dataclasses.dataclass(frozen=True)
class DriftView:
    """The drift part of a page."""

    mark: Mark
    summary: str
    shifts: Table
    season: str
    """Empty where no season is declared."""
    labelled: LabelledView | None
    gates: Table
    quiet_gates: int
    joint_mark: Mark
    joint: str
    joint_facts: tuple[Fact, ...]
    predictions: FeatureCard | None
    open_cards: tuple[FeatureCard, ...]
    more_cards: tuple[FeatureCard, ...]
    """Features of a level worth showing, beyond those that stand open."""
    quiet_cards: tuple[FeatureCard, ...]
    rest: Table
    """Features without a plot of their own."""
    unnamed: int
    """Features that only the record names."""
    floors: str


def drift_view(report: DriftReport) -> DriftView:
    """Sort a report's findings by what a reader needs first."""
    ordered = sorted(report.features, key=lambda f: (*severity(f.level, f.weight, f.psi), f.name))
    loud = [feature for feature in ordered if feature.level != "none"]
    quiet = [feature for feature in ordered if feature.level == "none"]
    drawn_loud, drawn_quiet = loud[:MOST_CARDS], quiet[: max(MOST_CARDS - len(loud), 0)]
    rest = loud[len(drawn_loud) :] + quiet[len(drawn_quiet) :]
    cards = [_card(feature) for feature in drawn_loud]
    found = [gate for gate in report.gates if gate.level != "ok"]
    return DriftView(
        mark=level_mark(report.level),
        summary=_summary(report),
        shifts=shift_table(report),
        season=season_sentence(report.season),
        labelled=labelled_view(report.labelled),
        gates=_gates(found),
        quiet_gates=len(report.gates) - len(found),
        joint_mark=level_mark(report.joint.level),
        joint=_joint(report),
        joint_facts=_joint_facts(report),
        predictions=None if report.predictions is None else _answers(report.predictions),
        open_cards=tuple(cards[:MOST_OPEN]),
        more_cards=tuple(cards[MOST_OPEN:]),
        quiet_cards=tuple(_card(feature) for feature in drawn_quiet),
        rest=_rest(rest[:MOST_ROWS]),
        unnamed=max(len(rest) - MOST_ROWS, 0),
        floors=_floors(report),
    )


def _summary(report: DriftReport) -> str:
    """Say in one sentence how many features are at which level."""
    found = Counter(feature.level for feature in report.features)
    words: dict[DriftLevel, str] = {
        "blocked": "blocked",
        "drift": "drifted",
        "unknown": "not known",
        "notice": "moved a little",
        "none": "quiet",
    }
    parts = [f"{found[level]} {word}" for level, word in words.items() if found[level]]
    return (
        f"{plural(len(report.features), 'feature')}: {', '.join(parts)}. "
        f"{plural(report.n_reference, 'row')} in the reference, {count(report.n_current)} now."
    )


def _floors(report: DriftReport) -> str:
    """State the effect floors and the error rate of the per-feature test."""
    floors = sorted({feature.psi_threshold for feature in report.features})
    said = listing([declared(floor) for floor in floors], longest=3) or "none"
    weighed = any(feature.weight is not None for feature in report.features)
    weight = " Weight is a feature's importance to the production model." if weighed else ""
    if report.drifted_weight is not None:
        held = percent(report.drifted_weight)
        weight += f" Drifted features hold {held} of all importance."
    if report.calibrated_pairs:
        weight += f" Floors are raised by {report.calibrated_pairs} pairs of reference windows."
    return (
        f"A feature drifts where its population stability index (PSI) is shown to exceed {said}; "
        f"false alarms over all features together at most {percent(report.alpha)} (Holm).{weight}"
    )


def _gates(found: list[Gate]) -> Table:
    """List the gates that found something, the worst first."""
    order = {"block": 0, "warn": 1, "notice": 2}
    rows = []
    for gate in sorted(found, key=lambda g: (order[g.level], g.gate, g.column or "")):
        where = "whole window" if gate.column is None else shorten(gate.column, LONGEST_NAME)
        rows.append((where, level_mark(gate.level), f"{gate.gate} {GATES[gate.gate]}", gate.detail))
    return Table(("Column", "Level", "Gate", "Finding"), tuple(rows[:MOST_ROWS]))


def _joint(report: DriftReport) -> str:
    """Say what the domain classifier found."""
    joint = report.joint
    if joint.auc is None:
        return f"Whether a classifier can tell the windows apart is {unknown(joint.reason)}."
    worst = f" It looks first at {listing(joint.features)}." if joint.features else ""
    return (
        "A classifier asked which window a row is from gets an area under the ROC curve of "
        f"{distance(joint.auc)}, where 0.5 is guessing and 1 is certainty.{worst}"
    )


def _joint_facts(report: DriftReport) -> tuple[Fact, ...]:
    """Return the numbers behind the joint level."""
    joint = report.joint
    facts = [Fact("rows used", f"{count(joint.n_reference)} and {count(joint.n_current)}")]
    if joint.auc is not None:
        lower = unknown(joint.reason) if joint.auc_lower is None else distance(joint.auc_lower)
        facts.insert(0, Fact("AUC, lower bound", lower))
        if joint.p_value is not None:
            facts.insert(1, Fact("against 0.5", p_value(joint.p_value)))
        if joint.reason:
            facts.append(Fact("remark", joint.reason))
    return tuple(facts)


def _card(feature: FeatureDrift) -> FeatureCard:
    """Return one feature's card."""
    # A gate's finding is why a feature is blocked, not why its PSI is undefined.
    is_why = feature.psi is None and feature.level != "blocked"
    if feature.psi is None:
        effect = f"PSI {unknown(feature.reason if is_why else None)}"
    else:
        effect = f"PSI {distance(feature.psi)} (drift above {declared(feature.psi_threshold)})"
    facts = []
    if feature.weight is not None:
        facts.append(Fact("weight", number(feature.weight, decimals=2)))
    adjusted = feature.psi_p_value_adjusted
    if adjusted is not None:
        above = f"above {declared(feature.psi_threshold)}"
        facts.append(Fact(above, p_value(adjusted), "after Holm"))
    facts += _distances(feature)
    facts.append(_change("missing", feature.missing_reference, feature.missing_current))
    if feature.unseen_share is not None:
        facts.append(Fact("unseen levels", percent(feature.unseen_share), "of rows"))
    facts.append(Fact("rows", f"{count(feature.n_reference)} → {count(feature.n_current)}"))
    return FeatureCard(
        name=shorten(feature.name, LONGEST_NAME),
        kind=feature.kind,
        mark=level_mark(feature.level),
        effect=effect,
        facts=tuple(facts),
        reason=None if is_why else feature.reason,
        plot=_plot(feature.distribution),
        levels=_levels(feature.distribution),
    )


def _distances(feature: FeatureDrift) -> list[Fact]:
    """Return the distances that are reported beside the test, where they are defined."""
    note = "from the profile's edges" if feature.method == "edges" else ""
    facts = []
    if feature.ks is not None:
        lower = "" if feature.ks_lower is None else f"at least {distance(feature.ks_lower)}"
        facts.append(Fact("KS", distance(feature.ks), ", ".join(filter(None, (lower, note)))))
    if feature.wasserstein is not None:
        scaled = feature.wasserstein_scaled
        wide = "" if scaled is None else f"{number(scaled, digits=2)} robust sd"
        facts.append(Fact("Wasserstein", number(feature.wasserstein), wide))
    if feature.jensen_shannon is not None:
        facts.append(Fact("Jensen-Shannon", distance(feature.jensen_shannon)))
    return facts


def _change(name: str, before: float, after: float) -> Fact:
    """Return a share in both windows."""
    return Fact(
        name, percent(before) if before == after else f"{percent(before)} → {percent(after)}"
    )


def _answers(drift: PredictionDrift) -> FeatureCard:
    """Return the card of the production model's answers."""
    facts = []
    if drift.psi_p_value is not None:
        facts.append(Fact("test", p_value(drift.psi_p_value)))
    if drift.total_variation is not None:
        tail = drift.total_variation_p_value
        note = "" if tail is None else p_value(tail)
        facts.append(Fact("predicted classes moved", percent(drift.total_variation), note))
    if drift.label_shift_weights is not None:
        weights = [number(weight, decimals=2) for weight in drift.label_shift_weights]
        facts.append(Fact("label shift, now over then", listing(weights, longest=8)))
    if drift.condition_number is not None:
        facts.append(Fact("condition number", number(drift.condition_number)))
    facts.append(Fact("rows", f"{count(drift.n_reference)} → {count(drift.n_current)}"))
    return FeatureCard(
        name="predictions",
        kind="what production answers",
        mark=level_mark(drift.level),
        effect=f"PSI {unknown(drift.reason) if drift.psi is None else distance(drift.psi)}",
        facts=tuple(facts),
        reason=None if drift.psi is None else drift.reason,
        plot=_plot(drift.distribution),
        levels=_levels(drift.distribution),
    )


def _plot(distribution: Distribution | None) -> Markup | None:
    """Return the histogram of a number; levels are a table, and one bin holds everything."""
    if distribution is None or distribution.labels or len(distribution.reference) < 2:
        return None
    return histogram(distribution)


def _levels(distribution: Distribution | None) -> tuple[LevelBars, ...]:
    """Return a category's levels in both windows, the ones that moved most if there are many."""
    if distribution is None or len(distribution.labels) < 2:
        return ()
    rows = list(zip(distribution.labels, distribution.reference, distribution.current, strict=True))
    if len(rows) > MOST_LEVELS:
        moved = sorted(
            range(len(rows)), key=lambda i: (-abs(rows[i][2] - rows[i][1]), -rows[i][1], i)
        )
        kept = sorted(moved[: MOST_LEVELS - 1])
        other = [row for index, row in enumerate(rows) if index not in set(kept)]
        pooled = (f"{len(other)} other levels", sum(r[1] for r in other), sum(r[2] for r in other))
        rows = [rows[index] for index in kept] + [pooled]
    top = max(max(before, after) for _, before, after in rows)
    return tuple(
        LevelBars(
            label=shorten(label, LONGEST_NAME),
            bars=share_bars(
                before, after, top, title=f"{percent(before)} then, {percent(after)} now"
            ),
            reference=percent(before),
            current=percent(after),
        )
        for label, before, after in rows
    )


def _rest(features: list[FeatureDrift]) -> Table:
    """List features without their plots."""
    rows = tuple(
        (
            shorten(feature.name, LONGEST_NAME),
            level_mark(feature.level),
            unknown(feature.reason) if feature.psi is None else distance(feature.psi),
            "" if feature.weight is None else number(feature.weight, decimals=2),
        )
        for feature in features
    )
    return Table(("Feature", "Level", "PSI", "Weight"), rows, frozenset({2, 3}))
