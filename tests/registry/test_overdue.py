"""Silence is evidence: what is overdue, and how long nobody looked."""

from datetime import date, timedelta

import pytest

from modelwarrant.registry.overdue import Duties, duties_of, unwatched
from tests.registry.world import NOW, Scribe, action

DAY = timedelta(days=1)


def looked(scribe: Scribe, after: timedelta) -> None:
    """Record a pass of the monitor."""
    scribe.append(action("none"), f"pass-{after.days}/act", now=NOW + after)


def duties(scribe: Scribe, after: timedelta, review_by: date | None = None) -> Duties:
    """Return what is due after so long, where the monitor must look every week."""
    return duties_of(
        scribe.store,
        scribe.ledger.state(),
        review_by=review_by,
        monitor_every=7 * DAY,
        now=NOW + after,
    )


def test_nothing_is_due_before_something_is_in_production(scribe: Scribe) -> None:
    """A model that answers nobody needs no monitor."""
    found = duties(scribe, 100 * DAY)

    assert (None, None, ()) == (found.monitored, found.monitoring_due, found.overdue)


def test_a_promotion_begins_the_period(scribe: Scribe) -> None:
    """Due a week after production moved, overdue a moment later."""
    scribe.promote("run-1")

    assert () == duties(scribe, 7 * DAY).overdue
    assert ("monitoring was due by 2026-03-08 12:00",) == duties(
        scribe, 7 * DAY + timedelta(seconds=1)
    ).overdue


def test_a_pass_begins_the_period_again(scribe: Scribe) -> None:
    """Due a week after the last pass, whenever the promotion was."""
    scribe.promote("run-1")
    looked(scribe, 5 * DAY)

    assert () == duties(scribe, 12 * DAY).overdue
    assert NOW + 12 * DAY == duties(scribe, 12 * DAY).monitoring_due


def test_a_passed_review_is_named(scribe: Scribe) -> None:
    """The day itself is still in time."""
    scribe.promote("run-1")
    by = NOW.date()

    assert () == duties(scribe, timedelta(0), by).overdue
    assert ("the review was due by 2026-03-01",) == duties(scribe, DAY, by).overdue


@pytest.mark.parametrize(
    ("passes", "now", "gaps"),
    [
        ([], 7, []),
        ([], 9, [(0, 9)]),
        ([6, 12], 18, []),
        ([6, 20], 21, [(6, 20)]),
        ([10, 12], 30, [(0, 10), (12, 30)]),
    ],
)
def test_a_gap_stays_visible_after_it_ended(
    scribe: Scribe, passes: list[int], now: int, gaps: list[tuple[int, int]]
) -> None:
    """Days without a pass that were more than seven, from the promotion on."""
    scribe.promote("run-1")
    for day in passes:
        looked(scribe, day * DAY)
    found = unwatched(scribe.ledger.entries(), monitor_every=7 * DAY, now=NOW + now * DAY)

    assert gaps == [((since - NOW).days, (until - NOW).days) for since, until in found]
