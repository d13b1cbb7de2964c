"""What does a page say of production's labelled rows, and of the kinds of shift?"""

import dataclasses

from modelwarrant.records import (
    CalibrationDrift,
    DriftReport,
    LabelledDrift,
    ResidualDrift,
    SeasonReport,
    SliceLoss,
)
from modelwarrant.reports.figures import count, listing, number, p_value, percent, shorten, signed
from modelwarrant.reports.parts import Fact, Mark, Table, level_mark, unknown

__all__ = ["LabelledView", "labelled_view", "season_sentence", "shift_table"]

MOST_SLICES = 12
LONGEST_NAME = 80

SEASONS = {
    "no drift": "Against the training window nothing drifts, so the season explains nothing.",
    "lasting": "What drifts is more than the season.",
    "seasonal": "What differs from the training window is the season.",
    "unknown": "Whether the season explains the difference is not known.",
}


@dataclasses.dataclass(frozen=True)
class LabelledView:
    """What labels say of the production model."""

    mark: Mark
    sentence: str
    facts: tuple[Fact, ...]
    deciles: Table | None
    slices: Table | None


def shift_table(report: DriftReport) -> Table:
    """List the kinds of shift that are supported."""
    rows = tuple(
        (
            shift.kind.capitalize(),
            level_mark(shift.level),
            listing(shift.columns) or "all rows",
            listing(shift.detectors),
            shift.support,
        )
        for shift in report.shifts
    )
    return Table(("Kind", "Level", "Where", "Seen by", "Support"), rows)


def season_sentence(season: SeasonReport | None) -> str:
    """Say what the season explains; empty where none is declared."""
    if season is None:
        return ""
    names = f" It is seen in {listing(season.seasonal)}." if season.seasonal else ""
    second = (
        season.reason
        if season.n_rows is None
        else f"{count(season.n_rows)} rows of the same season before, {season.reason}"
    )
    return f"Season of {season.period}: {SEASONS[season.verdict]}{names} ({second}.)"


def labelled_view(labelled: LabelledDrift | None) -> LabelledView | None:
    """Sort what labels say by what a reader needs first; None without labels."""
    if labelled is None:
        return None
    return LabelledView(
        mark=level_mark(labelled.level),
        sentence=_sentence(labelled),
        facts=(*_residuals(labelled.residuals), *_calibration(labelled.calibration)),
        deciles=_deciles(labelled.residuals),
        slices=_slices(labelled.slices),
    )


def _sentence(labelled: LabelledDrift) -> str:
    rows = f"{count(labelled.n_reference)} labelled rows then, {count(labelled.n_current)} now"
    if labelled.loss_reference is None or labelled.loss_current is None:
        return f"Production's loss is {unknown(labelled.reason)} ({rows})."
    tail = labelled.loss_p_value
    tested = unknown(labelled.reason) if tail is None else p_value(tail)
    metric = labelled.metric.replace("_", " ")
    return (
        f"Production's {metric} went from {number(labelled.loss_reference)} to "
        f"{number(labelled.loss_current)} of its range; that it grew by more than "
        f"{percent(labelled.loss_threshold)} of it: {tested} ({rows})."
    )


def _residuals(part: ResidualDrift | None) -> list[Fact]:
    if part is None:
        return []
    if part.bias is None or part.variance_ratio is None:
        return [Fact("residuals (P3)", unknown(part.reason))]
    tails = [unknown(None) if p is None else p_value(p) for p in _tails(part)]
    facts = [
        Fact("residuals (P3)", level_mark(part.level)),
        Fact("bias", f"{signed(part.bias, decimals=2)} sd", tails[0]),
        Fact("variance, now over then", number(part.variance_ratio, decimals=2), tails[1]),
    ]
    if part.wasserstein is not None:
        facts.append(Fact("Wasserstein", number(part.wasserstein)))
    return facts + ([Fact("remark", part.reason)] if part.reason else [])


def _tails(part: ResidualDrift) -> tuple[float | None, float | None]:
    return part.bias_p_value, part.variance_p_value


def _calibration(part: CalibrationDrift | None) -> list[Fact]:
    if part is None:
        return []
    if part.gap is None or part.ece_reference is None or part.ece_current is None:
        return [Fact("calibration (P4)", unknown(part.reason))]
    error = f"{number(part.ece_reference)} → {number(part.ece_current)}"
    facts = [
        Fact("calibration (P4)", level_mark(part.level)),
        Fact("calibration error", error, _between(part.ece_growth_lower, part.ece_growth_upper)),
        Fact(
            "estimated minus labelled accuracy",
            signed(part.gap, decimals=3),
            _between(part.gap_lower, part.gap_upper),
        ),
    ]
    if part.spiegelhalter_z is not None and part.spiegelhalter_p_value is not None:
        tail = p_value(part.spiegelhalter_p_value)
        facts.append(Fact("Spiegelhalter's z", signed(part.spiegelhalter_z, decimals=2), tail))
    if part.slope is not None and part.intercept is not None:
        line = f"{number(part.slope, decimals=2)} and {signed(part.intercept, decimals=2)}"
        facts.append(Fact("slope and intercept of the odds", line, "calibrated: 1 and 0"))
    return facts + ([Fact("remark", part.reason)] if part.reason else [])


def _between(lower: float | None, upper: float | None) -> str:
    if lower is None or upper is None:
        return "bounds not known"
    return f"[{signed(lower, decimals=3)}, {signed(upper, decimals=3)}]"


def _deciles(part: ResidualDrift | None) -> Table | None:
    if part is None or not part.deciles:
        return None
    rows = tuple(
        (
            f"{_edge(decile.lower)} to {_edge(decile.upper)}",
            f"{count(decile.n_reference)} → {count(decile.n_current)}",
            f"{signed(decile.bias, decimals=2)} sd",
            "not tested" if decile.p_value_adjusted is None else p_value(decile.p_value_adjusted),
        )
        for decile in part.deciles
    )
    return Table(("Predicted", "Rows", "Bias", "After Holm"), rows, frozenset({1, 2, 3}))


def _edge(edge: float | None) -> str:
    return "open" if edge is None else number(edge)


def _slices(parts: tuple[SliceLoss, ...]) -> Table | None:
    if not parts:
        return None
    worst = sorted(parts, key=lambda part: part.loss_reference - part.loss_current)[:MOST_SLICES]
    rows = tuple(
        (
            f"{shorten(part.column, LONGEST_NAME)} {shorten(part.value, LONGEST_NAME)}",
            level_mark(part.level),
            f"{count(part.n_reference)} → {count(part.n_current)}",
            f"{number(part.loss_reference)} → {number(part.loss_current)}",
            "not tested" if part.p_value_adjusted is None else p_value(part.p_value_adjusted),
        )
        for part in worst
    )
    headers = ("Slice", "Level", "Rows", "Loss of its range", "After Holm")
    return Table(headers, rows, frozenset({2, 3, 4}))
