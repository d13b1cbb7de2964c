"""With a season declared, drift is lasting only beyond the season."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from modelwarrant import drift
from modelwarrant.drift.calibration import reference_pairs
from modelwarrant.errors import DataError
from modelwarrant.records import DriftReport
from modelwarrant.windows import Feature, FeatureSchema, Predictions, Window, typed_window

DAY = 86_400_000_000
YEAR = timedelta(days=360)
SCHEMA = FeatureSchema(
    features=(Feature(name="x", kind="number"), Feature(name="z", kind="number")), time="at"
)


def stream(
    days: int, *, seed: int = 1, step: float = 0.0, since: int = 0, unit: float = 1.0
) -> Window:
    """Return 24 rows a day: x has a season of 360 days, and a lasting step from a day on."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), 24)
    late = day >= since
    x = 2 * np.sin(2 * np.pi * day / 360) + random.normal(size=len(day)) + step * late
    x = np.where(late, x * unit, x)
    at = np.datetime64("2020-01-01", "us") + (np.arange(len(day)) * 3600).astype("timedelta64[s]")
    return typed_window(pa.table({"x": x, "z": random.normal(size=len(day)), "at": at}), SCHEMA)


def part(window: Window, first: int, last: int) -> Window:
    """Return the rows of some days."""
    return window.take(np.arange(24 * first, 24 * last))


def judged(window: Window, first: int, last: int, **known: object) -> DriftReport:
    """Compare some days with the first 60, with everything before as history."""
    history = drift.History(part(window, 0, first))
    terms = {"season": YEAR, "history": history, **known}
    return drift.compare(part(window, 0, 60), part(window, first, last), **terms)


def test_another_season_is_no_lasting_drift() -> None:
    """Half a year later everything differs from the training window, as it did a year ago."""
    report = judged(stream(600), 540, 600)

    assert ("notice", "seasonal", ("x",)) == (
        report.level,
        report.season.verdict,
        report.season.seasonal,
    )
    assert "this is the season" in report.features[0].reason


def test_without_a_season_the_same_is_drift() -> None:
    """The training window alone cannot know better."""
    window = stream(600)

    assert "drift" == drift.compare(part(window, 0, 60), part(window, 540, 600)).level


def test_a_step_beyond_the_season_is_lasting() -> None:
    """It differs from the training window and from the same days a year ago."""
    report = judged(stream(600, step=3.0, since=500), 540, 600)

    assert ("drift", "lasting") == (report.level, report.season.verdict)
    assert 60 * 24 == report.season.n_rows


def test_a_first_year_says_that_it_cannot_know() -> None:
    """No window of the same season is there: a notice and the reason, neither drift nor 'none'."""
    report = judged(stream(240), 180, 240)

    assert ("notice", "unknown") == (report.level, report.season.verdict)
    assert "the history holds 0 rows" in report.season.reason


def test_whole_seasons_are_compared_as_they_are() -> None:
    """Two years differ by no season; what differs is lasting."""
    same, stepped = stream(720), stream(720, step=2.0, since=360)
    reports = [
        drift.compare(part(each, 0, 360), part(each, 360, 720), season=YEAR)
        for each in (same, stepped)
    ]

    assert ["none", "drift"] == [report.level for report in reports]
    assert ["no drift", "lasting"] == [report.season.verdict for report in reports]
    assert all(report.season.is_whole for report in reports)


def test_a_unit_change_blocks_in_any_season() -> None:
    """The same season before was in the old unit, too."""
    report = judged(stream(600, unit=1000.0, since=540), 540, 600)

    assert "blocked" == report.level


def test_a_seasonal_jump_that_looks_like_a_unit_does_not_block() -> None:
    """A narrow column that summer moves by many of its ranges: seen a year ago, so no fault."""
    window = stream(600)
    day = np.repeat(np.arange(600), 24)
    narrow = np.where(day % 360 >= 180, 100.0, 0.0) + np.random.default_rng(4).normal(size=len(day))
    window = Window(SCHEMA, window.table.set_column(0, "x", [narrow]))

    assert "blocked" == drift.compare(part(window, 0, 60), part(window, 540, 600)).level
    assert ("notice", "seasonal") == (
        judged(window, 540, 600).level,
        judged(window, 540, 600).season.verdict,
    )


def test_predictions_follow_the_season() -> None:
    """P1 is asked of the same season before too, with production's answers on the history."""
    window = stream(600)
    answers = Predictions("regression", window.numbers("x"))
    rows = np.arange(24 * 600)
    report = judged(
        window,
        540,
        600,
        scores=(answers.take(rows[: 24 * 60]), answers.take(rows[24 * 540 :])),
        history=drift.History(part(window, 0, 540), answers.take(rows[: 24 * 540])),
    )

    assert ("notice", "seasonal") == (report.predictions.level, report.season.verdict)


def test_row_order_changes_no_byte_with_a_season() -> None:
    """Stretches, pairs and the previous season are cut by time, not by place."""
    window = stream(600)
    random = np.random.default_rng(2)
    parts = [part(window, *days) for days in ((0, 60), (540, 600), (0, 540))]
    shuffled = [each.take(random.permutation(len(each))) for each in parts]
    reports = [
        drift.compare(a, b, season=YEAR, history=drift.History(c)) for a, b, c in (parts, shuffled)
    ]

    assert reports[0].to_bytes() == reports[1].to_bytes()


def test_a_season_without_a_time_is_refused() -> None:
    """Rows without a time have no season."""
    table = pa.table({"x": np.arange(600.0)})

    with pytest.raises(DataError, match="a season needs a time column"):
        drift.compare(table, table, season=YEAR)


def test_neighbours_in_time_count_as_dependent() -> None:
    """The same rows, dealt over the days, are worth more: n_effective says so."""
    window = stream(120)
    order = np.random.default_rng(3).permutation(len(window))
    x = window.numbers("x")
    mixed = Window(SCHEMA, window.table.set_column(0, "x", [x[order]]))
    slow, fast = (
        drift.compare(part(each, 0, 60), part(each, 60, 120)).features[0].n_effective
        for each in (window, mixed)
    )

    assert 720 == pytest.approx(fast, rel=0.2)
    assert slow < 0.5 * fast


@pytest.mark.parametrize(
    ("days", "rows", "why"),
    [(290, 720, "four pairs"), (400, 480, "too few rows a window")],
    ids=["few", "short"],
)
def test_too_little_of_a_reference_calibrates_nothing(days: int, rows: int, why: str) -> None:
    """Five disjoint pairs are needed, of windows of 500 rows."""
    window = stream(days + 60)
    current = part(window, days, days + 60).take(np.arange(rows))

    assert [] == reference_pairs(part(window, 0, days), current, None), why


def test_calibrated_floors_are_those_of_the_pairs() -> None:
    """Windows of 30 days that swing by one standard deviation from one to the next."""
    random = np.random.default_rng(7)
    month = np.repeat(np.arange(13), 720)
    x = np.where(month % 2 == 0, 0.5, -0.5) + random.normal(size=len(month))
    window = Window(SCHEMA, stream(390).table.set_column(0, "x", [x]))
    report = drift.compare(part(window, 0, 360), part(window, 360, 390))

    assert 6 == report.calibrated_pairs
    assert report.features[0].psi_threshold == pytest.approx(1.0, abs=0.4)
    assert 0.1 == report.features[1].psi_threshold
    assert "drift" != report.features[0].level


@pytest.mark.parametrize(
    ("levels", "stands"),
    [
        ([], False),
        (["none", "notice"], False),
        (["drift"], True),
        (["none", "drift", "none"], True),
        (["drift", "none", "notice"], False),
        (["drift", "none", "drift", "none"], False),
        (["drift", "unknown", "unknown"], True),
        (["drift", "blocked", "none"], True),
        (["drift", "none", "unknown", "none"], False),
    ],
)
def test_two_quiet_windows_of_three_release_a_drift(levels: list[str], stands: bool) -> None:
    """One does not, and unknown windows neither."""
    assert stands == drift.standing(levels)
