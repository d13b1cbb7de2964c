"""A monitor's actions at a real API server: asked for by a stage, decided again by the gate."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gate.acting import ACTION_FILE, place_of
from gate.asking import ask_to_act, waiting_run
from gate.packages import hand_in
from modelwarrant.errors import RequestError
from modelwarrant.monitoring import action_of
from modelwarrant.records import MonitoringAction, MonitoringEvidence
from modelwarrant.registry.acts import acts
from tests.cluster.controller.world import MODEL, RUNNER, World, new_world
from tests.monitoring.evidence import evidence, loss, watched

pytestmark = pytest.mark.cluster


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A namespace with a gate, in whose ledger a second version replaced the first."""
    with new_world(tmp_path) as world:
        for run, candidate in (("r1", "one"), ("r2", "two")):
            name = world.announce(run)
            world.ask(run, candidate)
            world.gate.step()
            world.approve(name, "bob")
            assert "promoted" == world.status(name)["outcome"]
        yield world


def ask(world: World, found: MonitoringEvidence, name: str, **changes: Any) -> dict[str, Any]:
    """Let the monitor's last stage hand evidence in and ask; return the status after a pass."""
    state = world.state
    version = state.production_version
    assert version is not None
    situation = found.situation.model_copy(
        update={
            "model": MODEL,
            "version": version.number,
            "moved": state.moved,
            "parent": version.parent if found.situation.is_watched else None,
        }
    )
    honest = action_of(found.model_copy(update={"situation": situation}))
    action: MonitoringAction = honest.model_copy(update=changes)
    hand_in(world.store, place_of(MODEL, name), {ACTION_FILE: action.to_bytes()})
    ask_to_act(world.as_user(RUNNER), action, name=name, now=datetime.now(UTC))
    ask_to_act(world.as_user(RUNNER), action, name=name, now=datetime.now(UTC))
    world.gate.step()
    return world.status(name)


def test_an_action_becomes_one_entry_with_its_evidence(world: World) -> None:
    """Asked for twice, as a stage that is tried again does."""
    status = ask(world, evidence(degradation=loss("reached")), "act-1")

    [acted] = acts(world.store, world.state)
    assert ("applied", acted.seq) == (status["outcome"], status["ledger"]["seq"])
    assert ("retrain", [ACTION_FILE]) == (acted.act.action, [b.name for b in acted.act.blobs])
    assert "retrain" == world.gate.health.acted[MODEL][0]


def test_a_rollback_waits_for_a_person_by_default(world: World) -> None:
    """The act is recorded and production stays; the status says what to type."""
    before = world.state.production
    status = ask(world, watched(), "act-1")

    assert ("applied", before) == (status["outcome"], world.state.production)
    assert "a person must: warrant rollback flights" in status["reason"]


def test_a_gate_that_may_rolls_back(world: World) -> None:
    """Where automatic promotion is switched on."""
    version = world.state.production_version
    world.gate = world.controller(is_automatic=True)
    status = ask(world, watched(), "act-1")

    assert version is not None
    assert "applied" == status["outcome"]
    assert version.parent == world.state.production


def test_a_forged_action_is_refused(world: World) -> None:
    """Evidence of a quiet pass leads to no rollback, whatever the stage claims."""
    before = world.state.production
    status = ask(world, evidence(), "act-1", action="rollback")

    assert "superseded" == status["outcome"]
    assert "its own evidence leads to none" in status["reason"]
    assert before == world.state.production


def test_a_person_without_the_verb_cannot_ask_for_a_rollback(world: World) -> None:
    """The admission policy denies it."""
    action = action_of(watched(situation={"model": MODEL}))

    with pytest.raises(RequestError, match="may-ask"):
        ask_to_act(world.as_user("ada"), action, name="act-1", now=datetime.now(UTC))


def test_a_waiting_promotion_is_an_open_run(world: World) -> None:
    """So no retraining is asked for beside it."""
    assert waiting_run(world.as_user(RUNNER), MODEL) is None
    world.announce("r3")

    assert "request run-r3" == waiting_run(world.as_user(RUNNER), MODEL)
