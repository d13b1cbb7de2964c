"""What a monitor claims, the gate decides again; it acts once, and only where the ledger allows."""

from datetime import timedelta
from pathlib import Path

import pytest

from gate.acting import Recorded, is_watched, record
from gate.webhook import event_of
from modelwarrant.errors import IllegalOperationError, RequestError
from modelwarrant.monitoring import action_of
from modelwarrant.records import MonitoringEvidence, MonitoringThresholds
from modelwarrant.registry.acts import acts
from tests.monitoring.evidence import evidence, loss, watched
from tests.serving.place import NOW, Place
from tests.serving.tiny import late_model


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A ledger in which a second version replaced the first."""
    place = Place(tmp_path)
    place.promote(late_model(late=0.25))
    place.promote(late_model(late=0.5))
    return place


def about(place: Place, found: MonitoringEvidence, **changes: object) -> MonitoringEvidence:
    """Return evidence that is about what is in production now."""
    state = place.ledger.state()
    situation = found.situation.model_copy(
        update={
            "model": place.model,
            "version": state.production,
            "moved": state.moved,
            "parent": place.production.parent if found.situation.is_watched else None,
            **changes,
        }
    )
    return found.model_copy(update={"situation": situation})


def act(
    place: Place,
    found: MonitoringEvidence,
    *,
    id: str = "pass1",
    is_automatic: bool = True,
    days: int = 0,
) -> Recorded:
    """Record what evidence leads to."""
    return record(
        place.ledger,
        {"action.json": action_of(found).to_bytes()},
        id=id,
        requester="monitor",
        is_automatic=is_automatic,
        now=NOW + timedelta(days=days),
    )


def ops(place: Place) -> list[str]:
    """Return the operations that came after the second promotion."""
    names = [entry.op for entry in place.entries]
    return names[len(names) - names[::-1].index("promote") :]


def test_an_action_is_kept_with_its_evidence(place: Place) -> None:
    """The entry names the record's digest and holds its bytes."""
    found = about(place, evidence())
    act(place, found)

    [acted] = acts(place.store, place.ledger.state())
    assert ("none", action_of(found).digest) == (acted.act.action, acted.act.evidence_digest)
    assert ["action.json"] == [blob.name for blob in acted.act.blobs]


def test_the_same_pass_is_recorded_once(place: Place) -> None:
    """However often it is asked for."""
    found = about(place, evidence(degradation=loss("reached")))

    assert act(place, found).landed == act(place, found).landed
    assert ["act"] == ops(place)


def test_harm_puts_the_version_before_back(place: Place) -> None:
    """One act and one rollback, and a second try adds neither."""
    found = about(place, watched())
    first = place.production.parent

    assert first == act(place, found).version
    assert first == act(place, found).version
    assert ["act", "rollback"] == ops(place)
    assert first == place.ledger.state().production


def test_a_pass_that_died_between_act_and_rollback_is_finished(place: Place) -> None:
    """The rollback is made up for, once."""
    found = about(place, watched())
    act(place, found, is_automatic=False)

    act(place, found)

    assert ["act", "rollback"] == ops(place)


def test_without_automatic_acts_a_person_is_told(place: Place) -> None:
    """On a cluster by default: the act is recorded and nothing moves."""
    before = place.ledger.state().production
    done = act(place, about(place, watched()), is_automatic=False)

    assert (None, before) == (done.version, place.ledger.state().production)
    assert f"warrant rollback flights --to {place.production.parent}" in done.note


def test_an_action_that_its_evidence_does_not_bear_out_is_refused(place: Place) -> None:
    """A claimed rollback without harm."""
    forged = action_of(about(place, evidence())).model_copy(update={"action": "rollback"})

    with pytest.raises(RequestError, match="its own evidence leads to none"):
        record(
            place.ledger,
            {"action.json": forged.to_bytes()},
            id="pass1",
            requester="monitor",
            is_automatic=True,
            now=NOW,
        )
    assert [] == ops(place)


def test_evidence_about_a_version_that_is_gone_acts_on_nothing(place: Place) -> None:
    """Production moved while the monitor looked."""
    found = about(place, watched())
    place.rollback(place.production.parent or 0)

    with pytest.raises(IllegalOperationError, match="production moved"):
        act(place, found)
    assert "act" not in ops(place)


def test_a_version_that_came_by_a_rollback_is_not_taken_back(place: Place) -> None:
    """Else two versions could chase each other."""
    first = place.production.parent or 0
    place.rollback(first)

    with pytest.raises(IllegalOperationError, match="not under watch"):
        act(place, about(place, watched(), parent=None))


def test_a_watch_ends_by_time(place: Place) -> None:
    """Labels that come after 90 days take nothing back."""
    found = about(place, watched())

    with pytest.raises(IllegalOperationError, match="not under watch"):
        act(place, found, days=91)


def test_a_first_version_is_not_watched(tmp_path: Path) -> None:
    """There is nothing to go back to."""
    place = Place(tmp_path)
    place.promote(late_model())
    state = place.ledger.state()

    assert not is_watched(place.store, state, MonitoringThresholds(), now=NOW)


def test_retrainings_cannot_come_in_a_storm(place: Place) -> None:
    """Whatever a monitor says about its cooldown, the gate knows the last one."""
    found = about(place, evidence(degradation=loss("reached")))
    act(place, found)

    with pytest.raises(IllegalOperationError, match="younger than 7 days"):
        act(place, found, id="pass2", days=6)
    act(place, found, id="pass3", days=8)
    assert ["act", "act"] == ops(place)


def test_a_file_that_the_action_does_not_name_is_refused(place: Place) -> None:
    """Evidence is by digest."""
    action = action_of(about(place, evidence()))

    with pytest.raises(RequestError, match=r"drift_report.json has digest"):
        record(
            place.ledger,
            {"action.json": action.to_bytes(), "drift_report.json": b"{}"},
            id="pass1",
            requester="monitor",
            is_automatic=True,
            now=NOW,
        )


@pytest.mark.parametrize(
    ("action", "status", "event"),
    [
        ("none", {"outcome": "applied"}, None),
        ("retrain", {"outcome": "applied"}, None),
        ("hold", {"outcome": "applied"}, "blocked"),
        ("rollback", {"outcome": "applied", "version": 3}, "rolled-back"),
        ("rollback", {"outcome": "applied"}, "blocked"),
        ("rollback", {"outcome": "superseded"}, None),
    ],
)
def test_people_are_told_of_what_they_must_know(
    action: str, status: dict[str, object], event: str | None
) -> None:
    """A data fault, a rollback that happened, and one that waits for a person."""
    resource = {"spec": {"operation": "act", "action": action}, "status": status}

    assert event == event_of(resource)
