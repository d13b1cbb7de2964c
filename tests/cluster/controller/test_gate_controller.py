from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.asking import outcome_of
from gate.guard import CANARY
from modelwarrant.errors import (
    IllegalOperationError,
    RequestError,
    StoreUnavailableError,
    WaitingError,
)
from modelwarrant.policy import default_text, load
from tests.cluster.controller.world import GATE, MODEL, RUNNER, World, new_world
from tests.policy.conftest import Case

pytestmark = pytest.mark.cluster


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A namespace with a gate."""
    with new_world(tmp_path) as world:
        yield world


def promoted(world: World, run: str = "r1", candidate: str = "one") -> str:
    """Bring a candidate into production."""
    name = world.announce(run)
    world.ask(run, candidate)
    world.gate.step()
    world.approve(name, "bob")
    assert "promoted" == world.status(name)["outcome"]
    return name


def test_an_announced_run_begins_the_ledger_with_the_shipped_policy(world: World) -> None:
    """The first request of a model begins its ledger, in the installer's name."""
    name = world.announce("r1")
    state = world.state
    assert "cluster" == state.mode
    assert state.policy is not None
    assert ("ines", True, False) == (
        state.policy.approver,
        state.policy.shipped_default,
        state.policy.self_approved,
    )
    assert state.genesis == world.status(name)["genesis"]
    assert "the candidate, which the run hands in" == world.status(name)["waiting_for"]


def test_a_run_waits_suspended_and_goes_on_after_the_approval(world: World) -> None:
    """From announcement to promotion: suspended in between, resumed by the gate."""
    name, workflow = world.announce("r1"), world.workflow()
    world.ask("r1", "one", workflow=workflow)
    assert world.is_suspended(workflow)
    world.gate.step()
    status = world.status(name)
    assert ("NEEDS_APPROVAL", 1, "0 of 1 approvals") == (
        status["verdict"],
        status["approvals_required"],
        status["waiting_for"],
    )
    assert world.is_suspended(workflow)
    world.approve(name, "bob")
    assert not world.is_suspended(workflow)
    status = world.status(name)
    assert "promoted" == status["outcome"]
    assert status["ledger"] == {"seq": world.state.seq, "hash": world.state.head}
    assert status["version"] == world.state.production
    runner = world.as_user(RUNNER)
    assert "promoted" == outcome_of(runner, name, workflow=workflow, now=world.now())


def test_a_rejection_makes_the_run_red_with_its_reason(world: World) -> None:
    """One rejection ends the request; the stage that awaits it fails and says why."""
    name, workflow = world.announce("r1"), world.workflow()
    world.ask("r1", "one", workflow=workflow)
    world.decide(name, "eve", "Rejected", reason="the winter is missing")
    world.gate.step()
    assert "rejected" == world.status(name)["outcome"]
    assert not world.is_suspended(workflow)
    with pytest.raises(RequestError, match="rejected by eve: the winter is missing"):
        outcome_of(world.as_user(RUNNER), name, workflow=workflow, now=world.now())
    assert world.state.production is None


def test_a_hold_is_recorded_and_the_run_is_green(world: World) -> None:
    """A verdict that asks nobody is written down, and the run did what it should."""
    name, workflow = world.announce("r1"), world.workflow()
    world.ask("r1", "one", workflow=workflow, case=Case(gain=0.0))
    world.gate.step()
    status = world.status(name)
    assert status["verdict"] in ("HOLD", "REJECT")
    assert status["outcome"] in ("held", "rejected")
    assert not world.is_suspended(workflow)
    runner = world.as_user(RUNNER)
    assert status["outcome"] == outcome_of(runner, name, workflow=workflow, now=world.now())


def test_a_run_that_nobody_announced_needs_two_people(world: World) -> None:
    """Its service account is the requester, so two approve."""
    promoted(world)
    world.ask("r2", "two", case=Case(gain=0.2))
    world.gate.step()
    assert RUNNER == world.admin.request("run-r2")["spec"]["requester"]
    assert 2 == world.status("run-r2")["approvals_required"]
    world.approve("run-r2", "bob")
    assert "1 of 2 approvals" == world.status("run-r2")["waiting_for"]
    world.approve("run-r2", "eve")
    assert "promoted" == world.status("run-r2")["outcome"]


def test_an_expired_request_ends_without_promotion(world: World) -> None:
    """An approval after the expiry moves nothing."""
    name, workflow = world.announce("r1"), world.workflow()
    world.ask("r1", "one", workflow=workflow)
    world.clock = timedelta(days=800)
    world.approve(name, "bob")
    assert "expired" == world.status(name)["outcome"]
    assert world.state.production is None
    assert not world.is_suspended(workflow)


def test_a_newer_promotion_supersedes_a_waiting_request(world: World) -> None:
    """What was compared with is no longer in production."""
    older = world.announce("r1")
    world.ask("r1", "one")
    world.gate.step()
    promoted(world, "r2", "two")
    world.approve(older, "bob")
    assert "superseded" == world.status(older)["outcome"]


@pytest.mark.parametrize("ending", [{"shutdown": "Terminate"}, {"activeDeadlineSeconds": 0}])
def test_an_ended_run_cancels_its_request(world: World, ending: dict[str, Any]) -> None:
    """A request whose run was terminated, by Argo's way or by KFP's, is given up and let go."""
    name, workflow = world.announce("r1"), world.workflow()
    world.ask("r1", "one", workflow=workflow)
    world.gate.step()
    world.admin.patch_workflow(workflow, {"spec": ending})
    world.controller().step()
    assert "cancelled" == world.status(name)["outcome"]
    assert "ended before an answer came" in world.status(name)["reason"]
    assert not world.is_suspended(workflow)


def test_a_requester_withdraws(world: World) -> None:
    """The requester's own call ends the request as cancelled."""
    name = world.announce("r1")
    world.ask("r1", "one")
    resource = world.admin.request(name)
    resource["spec"]["withdrawn"] = True
    world.as_user("ada").replace_request(resource)
    world.gate.step()
    assert "cancelled" == world.status(name)["outcome"]


def test_a_changed_package_is_held(world: World) -> None:
    """A file that changed after the request was completed is named, and nothing is promoted."""
    name = world.announce("r1")
    world.ask("r1", "one")
    world.store.put(f"in/{MODEL}/r1/model.onnx", b"another model")
    world.gate.step()
    assert "held" == world.status(name)["outcome"]
    assert f"in/{MODEL}/r1/model.onnx was changed" in world.status(name)["reason"]


def test_a_vanished_package_is_held(world: World) -> None:
    """A candidate that is gone is named."""
    name = world.announce("r1")
    world.ask("r1", "one")
    world.store.delete(f"in/{MODEL}/r1/package.json")
    world.gate.step()
    assert f"in/{MODEL}/r1/package.json is gone" in world.status(name)["reason"]


def test_a_forged_verdict_is_held(world: World) -> None:
    """The gate computes the verdict again and refuses a claim that does not follow."""
    promoted(world)
    name = world.announce("r2")
    lies = world.state
    from tests.gate.desk import make_package

    files = make_package(lies, "two", run="r2", case=Case(gain=0.2))
    honest = make_package(lies, "two", run="r2", case=Case(gain=-0.2))
    files["evaluation_report.json"] = honest["evaluation_report.json"]
    with pytest.raises(RequestError, match="the decision's evidence"):
        world.ask_with(files, "r2")
    assert "outcome" not in world.status(name)


def test_a_restarted_gate_goes_on(world: World) -> None:
    """A gate that dies after the approval, and one that starts anew, promote once."""
    name, workflow = world.announce("r1"), world.workflow()
    world.ask("r1", "one", workflow=workflow)
    world.gate.step()
    world.decide(name, "bob", "Approved")
    world.controller().step()
    world.controller().step()
    assert "promoted" == world.status(name)["outcome"]
    assert 1 == len([v for v in world.state.versions.values() if v.promoted is not None])
    assert not world.is_suspended(workflow)


def test_a_store_that_was_set_back_is_noticed_by_a_new_gate(world: World) -> None:
    """The statuses of requests are anchors: a log without its newest entries promotes nothing."""
    promoted(world)
    for seq in (world.state.seq, world.state.seq - 1):
        world.store.delete(f"m/{MODEL}/log/{seq:012}.json")
    for key in list(world.store.list(f"m/{MODEL}/snap/")):
        world.store.delete(key)
    world.gate = world.controller()
    name = world.announce("r2")
    assert "outcome" not in world.status(name)
    assert "genesis" not in world.status(name)


def test_a_run_suspended_too_long_without_a_request_is_resumed(world: World) -> None:
    """A stage that died after it suspended its run does not leave it waiting for ever."""
    workflow = world.workflow()
    world.announce("r1")
    runner = world.as_user(RUNNER)
    runner.suspend(workflow, request="run-r1", since="2026-01-01T00:00:00Z")
    world.gate.step()
    assert not world.is_suspended(workflow)


def test_a_decision_before_the_run_waits_is_no_lost_wake_up(world: World) -> None:
    """A run that suspends itself after the outcome finds it, and goes on."""
    name = promoted(world)
    workflow = world.workflow()
    runner = world.as_user(RUNNER)
    assert "promoted" == outcome_of(runner, name, workflow=workflow, now=world.now())
    runner.suspend(workflow, request=name, since="2026-01-01T00:00:00Z")
    world.gate.step()
    assert not world.is_suspended(workflow)


def test_waiting_for_an_outcome_suspends_again(world: World) -> None:
    """A run that was woken too early suspends itself and is tried again."""
    name, workflow = world.announce("r1"), world.workflow()
    world.ask("r1", "one", workflow=workflow)
    world.admin.resume(workflow)
    with pytest.raises(WaitingError):
        outcome_of(world.as_user(RUNNER), name, workflow=workflow, now=world.now())
    assert world.is_suspended(workflow)


def test_a_person_rolls_back(world: World) -> None:
    """A rollback by somebody with the verb is applied at once; one by another is refused."""
    first = promoted(world)
    promoted(world, "r2", "two")
    version = world.status(first)["version"]
    with pytest.raises(RequestError, match="may-ask"):
        world.desk("ada").ask("rollback", MODEL, target=str(version), reason="worse at night")
    request = world.desk("olga")
    with world.running():
        done = request.ask("rollback", MODEL, target=str(version), reason="worse at night")
    assert "applied" == done.outcome
    assert version == world.state.production


def test_an_impossible_rollback_is_superseded_with_the_reason(world: World) -> None:
    """A version that was never in production is named."""
    promoted(world)
    with world.running():
        done = world.desk("olga").ask("rollback", MODEL, target="99", reason="no")
    assert ("superseded", True) == (done.outcome, "no version 99" in (done.outcome_reason or ""))


def test_a_new_policy_needs_a_second_person(world: World) -> None:
    """A ratification waits for an approval; then decisions under the old one are superseded."""
    promoted(world)
    shipped = default_text()
    policy = load(shipped.replace("name: ", "name: stricter-", 1).encode(), name="policy.yaml")
    text = policy.to_bytes().decode()
    with world.running():
        asked = world.desk("ada").ask(
            "ratify", MODEL, target=policy.digest, reason="stricter", document=text
        )
    assert asked.outcome is None
    with world.running():
        done = world.desk("bob").answer(
            asked.id,
            "approve",
            reason="yes",
            candidate_digest=None,
            evidence_digest=None,
            self_approve=False,
        )
    assert "applied" == done.outcome
    assert world.state.policy is not None
    assert (policy.digest, "ada", "bob") == (
        world.state.policy.digest,
        world.state.policy.author,
        world.state.policy.approver,
    )


def test_without_the_guard_nothing_is_promoted(world: World) -> None:
    """A gate whose policy is not the shipped one says so and promotes nothing."""
    name = world.announce("r1")
    world.ask("r1", "one")
    world.gate.step()
    policy = dict(world.gate.guard.policy)
    policy["validations"] = policy["validations"][:-1]
    world.gate.guard = type(world.gate.guard)(world.gate.cluster, policy, world.gate.guard.binding)
    world.gate._guarded_at = -1e9
    world.approve(name, "bob")
    status = world.status(name)
    assert "held" == status["outcome"]
    assert "answered while the guard was not in force" in status["reason"]
    assert world.state.production is None


def test_without_the_canary_nothing_is_promoted(world: World) -> None:
    """The gate proves the policy on an object; where that is gone, it stops promoting."""
    name = world.announce("r1")
    world.ask("r1", "one")
    world.call(
        "DELETE",
        f"/apis/modelwarrant.dev/v1/namespaces/{world.namespace}/promotionrequests/{CANARY}",
    )
    gate = world.controller()
    gate.step()
    assert "'canary'" in (gate.health.fault or "")
    assert "nothing is promoted" in world.status(name)["waiting_for"]


def test_events_are_told_once(world: World) -> None:
    """Each event reaches the webhook once, also across a restart of the gate."""
    promoted(world)
    world.controller().step()
    assert ["needs-approval", "promoted"] == [event for event, _ in world.told]
    assert "https://gate/requests/run-r1" == world.told[0][1]["page"]


def test_a_webhook_that_is_down_delays_nothing(world: World) -> None:
    """The promotion happens; the event is told later."""
    taken: list[Any] = []

    def refuse(url: str, document: Any) -> int:
        raise OSError("connection refused")

    world.gate.webhook = type(world.gate.webhook)("http://hook", "", refuse)
    promoted(world)
    world.gate.webhook = type(world.gate.webhook)(
        "http://hook", "", lambda url, document: taken.append(document) or 200
    )
    world.gate.step()
    assert ["promoted"] == [each["event"] for each in taken]


def test_somebody_elses_decision_is_refused_by_the_policy(world: World) -> None:
    """The desk shows the API server's own words."""
    name = world.announce("r1")
    request = world.ask("r1", "one")
    for person, message in (("ada", "self-approval"), ("olga", "may-decide")):
        with pytest.raises(RequestError, match=message):
            world.desk(person).answer(
                name,
                "approve",
                reason="mine",
                candidate_digest=request.candidate_digest,
                evidence_digest=request.evidence_digest,
                self_approve=False,
            )


def test_a_desk_shows_requests_with_their_evidence(world: World) -> None:
    """A person reads the list and the evidence of a request, before and after the decision."""
    name = world.announce("r1")
    world.ask("r1", "one")
    desk = world.desk("bob")
    [request] = desk.requests()
    evidence = desk.evidence(desk.request(name))
    assert evidence is not None
    assert request.candidate_digest == evidence.decision.candidate_digest
    world.gate.step()
    after = desk.evidence(desk.request(name))
    assert after is not None
    assert evidence.decision.digest == after.decision.digest


def test_no_gate_is_said(world: World) -> None:
    """An announcement that no gate notes is withdrawn, and the error says where to look."""
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        world.desk("ada").announce("r9", MODEL, patience=timedelta(seconds=0.5))
    assert world.admin.request("run-r9")["spec"]["withdrawn"]


def test_the_same_run_cannot_be_announced_twice(world: World) -> None:
    """A request's name is the run's."""
    world.announce("r1")
    with pytest.raises(IllegalOperationError, match="already exists"):
        world.announce("r1")


def test_the_gates_own_account_decides_nothing(world: World) -> None:
    """Not even the gate can approve."""
    name = world.announce("r1")
    world.ask("r1", "one")
    with pytest.raises(RequestError, match="forbidden"):
        world.decide(name, GATE, "Approved")
