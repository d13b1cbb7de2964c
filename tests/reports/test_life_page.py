"""A model's life on one page: one event or hundreds, with and without losses."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from modelwarrant.reports import Life, life_page
from modelwarrant.reports.life_view import Group, life_view
from modelwarrant.reports.timeline import TimeScale
from tests.reports.lives import BEGIN, WEEK, estimate, event, life, look, seen


def test_a_life_of_one_event_has_a_page() -> None:
    """A HOLD before the first model: nothing in production, nobody looked."""
    page = life_page(Life("demand", (event(1, "decision", "Decision by power-short"),), (), ()))

    assert "No version is in production yet. The monitor has not looked yet." in page
    assert "Decision by power-short" in page
    assert "No loss is known" in page


@pytest.mark.parametrize("passes", [1, 200])
def test_every_event_is_drawn_and_leads_to_its_evidence(passes: int) -> None:
    """Each pass has a mark, and a line in the list, that lead to the page of its evidence."""
    page = life_page(life(passes=passes))

    for seq in range(4, 4 + passes):
        assert 2 < page.count(f'href="/x/{seq}.html"')
    assert f"The monitor looked {passes} time" in page


def test_quiet_passes_in_a_row_are_one_line() -> None:
    """Nine times nothing, then a retraining, then twice nothing."""
    items = life_view(life(passes=12)).items

    assert ["none", "none", "retrain"] == [
        "group" if isinstance(each, Group) else each.mark.word for each in items[:3]
    ]
    assert isinstance(items[3], Group)
    assert "9 looks with nothing to do, 2026-02-02 to 2026-03-30" == items[3].title


def test_losses_are_drawn_with_their_intervals() -> None:
    """Realised as a disc, estimated as a square; each says its numbers."""
    page = life_page(life(passes=2))

    assert "realised 0.404 [0.384, 0.424] on 900 labels" in page
    assert "estimated 0.409 [0.399, 0.419] by CBPE, without labels" in page
    assert 2 == len(re.findall("candidate-dot", page.split("</style>")[1]))
    assert 2 == len(re.findall("baseline-dot", page.split("</style>")[1]))


def test_an_estimate_that_is_void_is_not_drawn() -> None:
    """Its reason stands where the number would be."""
    void = look(4, seen(4, estimate=estimate(0.4, "void")))
    page = life_page(Life("demand", (void.event,), (), (void,)))

    assert "baseline-dot" not in page.split("</style>")[1]
    assert "not known" in page
    assert "The estimate is void." in page


def test_without_labels_and_estimates_it_says_that_no_loss_is_known() -> None:
    """Not an empty frame."""
    page = life_page(life(passes=3, has_losses=False))

    assert "No loss is known: no label of the answers has arrived." in page


def test_the_same_life_gives_the_same_bytes() -> None:
    """No clock stands in it: it ends with the last entry."""
    assert life_page(life(passes=5)) == life_page(life(passes=5))


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (timedelta(0), ["07:00", "08:00", "09:00"]),
        (timedelta(minutes=2), ["08:00:00", "08:01:00", "08:02:00"]),
        (3 * WEEK, ["12 Jan", "19 Jan", "26 Jan"]),
        (104 * WEEK, ["Apr 2026", "Oct 2026", "Apr 2027", "Oct 2027"]),
    ],
)
def test_ticks_are_round_and_few(length: timedelta, labels: list[str]) -> None:
    """From seconds to years."""
    scale = TimeScale(BEGIN, BEGIN + length)

    assert labels == [scale.label(tick) for tick in scale.ticks]


def test_a_place_on_the_axis_stays_inside() -> None:
    """Three percent are left at either end, so that a mark is not cut."""
    scale = TimeScale(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))

    assert (3.0, 50.0, 97.0) == tuple(
        scale.at(datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2, 4)
    )
