"""What a request cannot do to the gate, and what the ledger keeps of who ratified."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from gate.opening import ratify_signers
from modelwarrant.policy import default_text, load
from modelwarrant.registry import Ledger, ssh
from tests.cluster.controller.world import MODEL, World, new_world

pytestmark = pytest.mark.cluster


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A namespace with a gate."""
    with new_world(tmp_path) as world:
        yield world


def test_a_signed_ratification_is_proven(world: World, tmp_path: Path) -> None:
    """Request id, the approver's words and time are in the entry, and the signature holds."""
    world.announce("r1")
    words = ["-q", "-t", "ed25519", "-N", "", "-C", "bob", "-f", str(tmp_path / "bob")]
    subprocess.run(["ssh-keygen", *words], check=True)
    kind, public, _ = (tmp_path / "bob.pub").read_text().split()
    ratify_signers(
        Ledger(world.store, MODEL, world.key),
        f"bob {kind} {public}\n".encode(),
        author="eve",
        approver="ines",
        reason="the team",
        now=datetime.now(UTC),
    )
    policy = load(default_text().replace("name: ", "name: stricter-", 1).encode(), name="policy")
    with world.running():
        asked = world.desk("ada").ask(
            "ratify",
            MODEL,
            target=policy.digest,
            reason="stricter",
            document=policy.to_bytes().decode(),
        )
        done = world.desk("bob").answer(
            asked.id,
            "approve",
            reason="yes",
            candidate_digest=None,
            evidence_digest=None,
            self_approve=False,
            sign=partial(ssh.sign, key=tmp_path / "bob"),
        )
    ledger = Ledger(world.store, MODEL)

    assert "applied" == done.outcome
    assert (asked.id, "stricter", "yes") == tuple(
        ledger.entries()[-1].payload[name] for name in ("request", "reason", "answer")
    )
    assert [("ines", "asserted"), ("bob", "proven")] == [
        (each.approver, each.proof) for each in ledger.verify().ratifications
    ]


def test_a_request_that_cannot_be_read_stops_no_other(world: World) -> None:
    """Its time is none in UTC, which the API server does not mind; the next one is dealt with."""
    body = {
        "apiVersion": "modelwarrant.dev/v1",
        "kind": "PromotionRequest",
        "metadata": {"name": "run-odd"},
        "spec": {
            "operation": "promote",
            "model": MODEL,
            "requester": "ada",
            "run": {"name": "odd"},
            "expires": "9999-12-31T23:59:59-01:00",
        },
    }
    world.as_user("ada").create_request(body)
    name = world.announce("r1")

    assert "genesis" in world.status(name)
    assert "outcome" not in world.status("run-odd")
