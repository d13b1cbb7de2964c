"""A cluster's ratification: asked for by one person, answered by another, recorded as it was."""

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gate import requests
from gate.book import StoreBook
from gate.opening import ensure_ledger, open_ledger, ratify, ratify_signers
from gate.operations import apply
from modelwarrant.cli.app import app
from modelwarrant.errors import RegistryError
from modelwarrant.policy import default_policy, load
from modelwarrant.records import Approval, PromotionRequest
from modelwarrant.registry import LaptopHome, Ledger, ssh
from modelwarrant.registry.entries import utc_text
from modelwarrant.storage import DirectoryStore
from tests.gate.desk import MODEL, NOW

POLICY = load(
    default_policy().to_bytes().replace(b'"min_labels":500', b'"min_labels":900'), name="stricter"
)

ONE, TWO = "a1" * 8, "b2" * 8


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A cluster's ledger, with the shipped policy in force and keys of Bob and Carl allowed."""
    home, store = LaptopHome(tmp_path / "home"), DirectoryStore(tmp_path / "store")
    ensure_ledger(
        store,
        MODEL,
        home=home,
        policy=default_policy(),
        actor="gate",
        now=NOW,
        mode="cluster",
        approver="ines",
    )
    lines = []
    for name, options in (("bob", ""), ("carl", 'valid-before="20260301110000Z" '), ("eve", "")):
        words = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(tmp_path / name)]
        subprocess.run(["ssh-keygen", *words], check=True)
        kind, public, _ = (tmp_path / f"{name}.pub").read_text().split()
        lines += [f"{name} {options}{kind} {public}"] if name != "eve" else []
    opened = open_ledger(store, MODEL, home=home)
    text = "\n".join(lines).encode()
    ratify_signers(opened, text, author="eve", approver="ines", reason="the team", now=NOW)
    return opened


def asked(ledger: Ledger, **changes: Any) -> PromotionRequest:
    """Ada asks for the stricter policy."""
    request = PromotionRequest(
        id=ONE,
        operation="ratify",
        model=MODEL,
        run="stricter",
        requester="ada",
        reason="stricter",
        target=POLICY.digest,
        document=POLICY.to_bytes().decode(),
        created=utc_text(NOW),
        expires=utc_text(NOW + timedelta(days=7)),
    )
    request = request.model_copy(update=changes)
    requests.create(ledger.store, request)
    return request


def approved(
    request: PromotionRequest, approver: str, key: Path | None, *, now: datetime = NOW, **said: Any
) -> PromotionRequest:
    """Somebody approves, with a key where there is one."""
    answer = Approval(
        verdict="Approved",
        approver=approver,
        candidate_digest=request.target or "",
        evidence_digest=request.target or "",
        reason="right",
        time=utc_text(now),
    ).model_copy(update=said)
    if key is not None:
        signed = ssh.sign(requests.signed_statement(request, answer), key=key)
        answer = answer.model_copy(update={"signature": signed})
    return request.model_copy(update={"approvals": (*request.approvals, answer)})


def outcome(ledger: Ledger, request: PromotionRequest) -> str | None:
    """What the gate makes of it."""
    return apply(ledger, StoreBook(ledger.store), request, now=NOW + timedelta(hours=1)).outcome


def ratifiers(ledger: Ledger) -> list[tuple[str, str]]:
    """Who ratified, and how that is proven."""
    return [(each.approver, each.proof) for each in ledger.verify().ratifications]


def test_the_entry_holds_what_the_approver_signed(ledger: Ledger, tmp_path: Path) -> None:
    """Request, both reasons, time and signature: so that anybody can check it later."""
    request = approved(asked(ledger), "bob", tmp_path / "bob")

    assert "applied" == outcome(ledger, request)
    payload = ledger.entries()[-1].payload
    assert (ONE, "stricter", "right") == tuple(
        payload[name] for name in ("request", "reason", "answer")
    )
    assert [("ines", "asserted"), ("bob", "proven")] == ratifiers(ledger)


def test_without_a_key_a_ratification_is_asserted(ledger: Ledger) -> None:
    """The API server names the person; the ledger says that there is no signature."""
    assert "applied" == outcome(ledger, approved(asked(ledger), "bob", None))
    assert ("bob", "asserted") == ratifiers(ledger)[-1]


def test_an_answer_with_a_wrong_signature_does_not_count(ledger: Ledger, tmp_path: Path) -> None:
    """The request waits for one that holds: a stranger's key, another's words, another program."""
    request = asked(ledger)
    for wrong in (
        approved(request, "bob", tmp_path / "eve"),
        approved(request, "eve", tmp_path / "eve"),
        approved(asked(ledger, id=TWO), "bob", tmp_path / "bob"),
    ):
        forged = request.model_copy(update={"approvals": wrong.approvals})
        assert outcome(ledger, forged) is None

    both = approved(approved(request, "bob", tmp_path / "eve"), "bob", tmp_path / "bob")
    assert "applied" == outcome(ledger, both)


def test_a_clock_set_back_does_not_revive_a_key(ledger: Ledger, tmp_path: Path) -> None:
    """Carl's key expired an hour before anybody asked; an answer is not older than its question."""
    before = NOW - timedelta(hours=2)

    assert outcome(ledger, approved(asked(ledger), "carl", tmp_path / "carl", now=before)) is None


@pytest.mark.parametrize("approver", ["ada", "ADA", "\u0430da", "a\u200bda", "system:node:n"])
def test_who_asked_and_machines_do_not_answer(ledger: Ledger, approver: str) -> None:
    """Under whatever spelling: the request waits for somebody else."""
    assert outcome(ledger, approved(asked(ledger), approver, None)) is None


def test_an_applied_request_is_not_applied_again(ledger: Ledger) -> None:
    """A pass that died after its entry says so later, and brings no older policy back."""
    request = approved(asked(ledger), "bob", None)
    outcome(ledger, request)
    first = ledger.state().seq
    ratify(ledger, default_policy(), author="eve", approver="ines", reason="back", now=NOW)
    done = apply(ledger, StoreBook(ledger.store), request, now=NOW)

    assert ("applied", first) == (done.outcome, done.ledger_seq)
    assert first + 1 == ledger.state().seq


def test_a_list_of_signers_is_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster's ledger has none; the command says why and writes to no other store instead."""
    monkeypatch.setenv("WARRANT_GATE", "modelwarrant-system")
    monkeypatch.setenv("WARRANT_HOME", str(tmp_path / "home"))
    listed = tmp_path / "allowed_signers"
    listed.write_text("bob ssh-ed25519 AAAA\n")
    store = tmp_path / "store"
    command = ["policy", "signers", "flights", str(listed), "--reason", "r", "--store", str(store)]
    with pytest.raises(RegistryError, match="cannot be ratified through the gate in modelwarrant-"):
        CliRunner().invoke(app, command, catch_exceptions=False)

    assert not store.exists()
