"""What a ledger tells of a model's life."""

from datetime import timedelta

import pytest

from gate import life as living
from gate.life import life_of, read_entries
from modelwarrant.monitoring import action_of
from modelwarrant.reports import Life
from tests.monitoring.evidence import evidence
from tests.registry.world import MODEL, NOW, MemoryStore, Scribe


@pytest.fixture
def scribe() -> Scribe:
    """A laptop's ledger with a policy in force."""
    scribe = Scribe(MemoryStore())
    scribe.begin()
    return scribe


def told(scribe: Scribe, **more: object) -> Life:
    """Return the life that the ledger tells."""
    entries = read_entries(scribe.ledger.entries())
    return life_of(scribe.store, MODEL, entries, mode="laptop", pages={}, **more)  # type: ignore[arg-type]


def test_a_version_reigns_until_the_next_one(scribe: Scribe) -> None:
    """First by approval, then by the policy alone, then the first again."""
    first = scribe.promote("run-1", "bob")
    second = scribe.promote("run-2")
    scribe.rollback(first)
    reigns = told(scribe).reigns

    assert [first, second, first] == [each.version for each in reigns]
    assert ["approved by bob", "promoted by the policy alone", "by a rollback"] == [
        each.how for each in reigns
    ]
    assert [False, False, True] == [each.until is None for each in reigns]


def test_who_did_it_tells_where_it_stands(scribe: Scribe) -> None:
    """A person's rollback and approval are among the people, a promotion is production's."""
    first = scribe.promote("run-1", "bob")
    scribe.promote("run-2")
    scribe.rollback(first)
    lanes = {event.title: event.lane for event in told(scribe).events}

    assert "person" == lanes[f"Back to version {first}"]
    assert "production" == lanes[f"Version {first} to production"]
    assert "person" == lanes["Approved by bob, a second person (asserted, not proven)"]


def test_an_action_that_is_not_recorded_yet_is_the_last_event(scribe: Scribe) -> None:
    """So a pass on a cluster shows itself on the page that it draws."""
    scribe.promote("run-1")
    action = action_of(evidence())
    life = told(scribe, also=(action, NOW + timedelta(hours=1)))

    assert action == life.looks[-1].action
    assert life.looks[-1].event == life.events[-1]


def test_of_very_many_passes_the_newest_are_told(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many there were before is counted."""
    monkeypatch.setattr(living, "LONGEST", 3)
    for name in "abcde":
        scribe.act(f"{name}/act")
    life = told(scribe)

    assert (2, 3) == (life.earlier, sum(event.lane == "monitor" for event in life.events))


def test_every_event_has_a_name_of_its_own(scribe: Scribe) -> None:
    """Two approvals of one promotion are two places in the list."""
    scribe.promote("run-1", "bob", "eve")
    names = [event.name for event in told(scribe).events]

    assert len(set(names)) == len(names)
