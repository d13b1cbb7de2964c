"""How a laptop's ledger begins, and which rule, signers and keys are in force."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.gate import Gate
from gate.opening import (
    change_keys,
    ensure_ledger,
    open_ledger,
    ratify,
    ratify_signers,
    sign_at_terminal,
)
from modelwarrant.errors import (
    IllegalOperationError,
    PolicyError,
    RecordError,
    RegistryError,
    TamperedError,
)
from modelwarrant.policy import ENGINE_VERSION, default_policy, load
from modelwarrant.registry import LaptopHome, read_blob
from modelwarrant.storage import DirectoryStore
from tests.gate.desk import MODEL, NOW, Desk

OTHER = load(
    default_policy().to_bytes().replace(b'"min_labels":500', b'"min_labels":900'), name="other"
)


def begin(desk: Desk, **changes: Any) -> Any:
    """Open the ledger as a run does."""
    known: dict[str, Any] = {
        "home": desk.home,
        "policy": default_policy(),
        "actor": "ada",
        "now": NOW,
    }
    store = changes.pop("store", desk.store)
    return ensure_ledger(store, MODEL, **{**known, **changes})


def put_in_force(desk: Desk, **changes: Any) -> Any:
    """Ratify the other policy."""
    known: dict[str, Any] = {"author": "eve", "approver": "ada", "reason": "more", "now": NOW}
    return ratify(desk.ledger, OTHER, **{**known, **changes})


def test_the_first_use_ratifies_the_shipped_policy(desk: Desk) -> None:
    """Marked as the default and as self-approved, with its document kept."""
    policy = desk.state.policy

    assert [entry.op for entry in desk.ledger.entries()] == ["genesis", "ratify"]
    assert desk.state.mode == "laptop"
    assert policy is not None
    assert (policy.digest, policy.engine_version) == (default_policy().digest, ENGINE_VERSION)
    assert (policy.shipped_default, policy.self_approved) == (True, True)
    assert (policy.author, policy.approver) == ("modelwarrant", "ada")
    kept = read_blob(desk.store, MODEL, policy.attempt, policy.blobs[0])
    assert kept == default_policy().to_bytes()


def test_the_second_use_changes_nothing(desk: Desk) -> None:
    """The ledger is opened, and says so."""
    seq = desk.state.seq
    opened = begin(desk, now=NOW + timedelta(days=1))

    assert (opened.is_new, opened.replaced_genesis) == (False, None)
    assert seq == opened.ledger.state().seq


def test_another_default_does_not_replace_the_ratified_policy(desk: Desk) -> None:
    """A program that ships a new default asks for a ratification; it takes none."""
    begin(desk, policy=OTHER)

    assert desk.state.policy is not None
    assert desk.state.policy.digest == default_policy().digest


def test_a_store_that_was_removed_is_begun_again_and_told(desk: Desk) -> None:
    """The whole store is gone: a new ledger, and the caller can say what was there."""
    before = desk.state.genesis
    shutil.rmtree(desk.root / "store")
    with pytest.raises(TamperedError, match="the next run begins a new ledger"):
        desk.ledger.state()
    opened = begin(desk, now=NOW + timedelta(days=1))

    assert (opened.is_new, opened.replaced_genesis) == (True, before)
    assert desk.state.genesis != before


def test_a_log_that_was_removed_is_not_begun_again(desk: Desk) -> None:
    """Its blobs are still there: somebody took the log away."""
    shutil.rmtree(desk.root / "store" / "m" / MODEL / "log")

    with pytest.raises(TamperedError, match=r"000000000001\.json is gone.*from a backup"):
        begin(desk)


def test_a_replaced_ledger_is_refused(desk: Desk, tmp_path: Path) -> None:
    """A well-made other ledger at the same place is not the one that is remembered."""
    forger = Desk(tmp_path / "forger")
    shutil.rmtree(desk.root / "store")
    shutil.copytree(forger.root / "store", desk.root / "store")

    with pytest.raises(TamperedError, match="not the first entry of the ledger"):
        begin(desk)


def test_a_log_that_was_cut_off_is_refused(desk: Desk) -> None:
    """Entries that this laptop saw are gone: nothing is read or written any more."""
    desk.promoted("one")
    desk.store.delete(f"m/{MODEL}/log/000000000005.json")

    for call in (lambda: desk.state, lambda: begin(desk)):
        with pytest.raises(TamperedError, match=r"000000000005\.json is gone or changed: it was"):
            call()


def test_another_laptop_reads_and_must_be_let_in(desk: Desk, tmp_path: Path) -> None:
    """Its own key is not in force until somebody adds it; then it signs and remembers."""
    home = LaptopHome(tmp_path / "other")
    other = open_ledger(desk.store, MODEL, home=home)
    assert other.state() == desk.state
    with pytest.raises(IllegalOperationError, match="is not in force in this ledger"):
        ratify(other, OTHER, author="eve", approver="bob", reason="r", now=NOW)
    key = home.signer().public
    change_keys(desk.ledger, add=[key], actor="ada", now=NOW)
    change_keys(desk.ledger, add=[key], actor="ada", now=NOW)
    ratify(other, OTHER, author="eve", approver="bob", reason="r", now=NOW)

    assert [entry.op for entry in desk.ledger.entries()][2:] == ["keys", "ratify"]
    assert desk.ledger.entries()[-1].key == key.id


def test_a_key_is_taken_back(desk: Desk, tmp_path: Path) -> None:
    """A lost laptop signs no more; the last key stays."""
    key = LaptopHome(tmp_path / "lost").signer().public
    change_keys(desk.ledger, add=[key], actor="ada", now=NOW)
    change_keys(desk.ledger, remove=[key.id], actor="ada", now=NOW)

    assert list(desk.state.keys) == [desk.home.signer().public.id]
    with pytest.raises(IllegalOperationError, match="last key"):
        change_keys(desk.ledger, remove=list(desk.state.keys), actor="ada", now=NOW)


def test_keys_inside_the_store_are_refused(tmp_path: Path) -> None:
    """Who can write the store could sign."""
    store = DirectoryStore(tmp_path)
    home = LaptopHome(tmp_path / "home")
    for call in (
        lambda: open_ledger(store, MODEL, home=home),
        lambda: ensure_ledger(store, MODEL, home=home, policy=default_policy(), actor="a", now=NOW),
    ):
        with pytest.raises(RegistryError, match="set WARRANT_HOME to another folder"):
            call()


def test_somebody_else_ratifies_a_policy(desk: Desk) -> None:
    """Author and approver are two persons, both recorded, with the reason."""
    ratified = put_in_force(desk)

    assert (ratified.author, ratified.approver, ratified.reason) == ("eve", "ada", "more")
    assert (ratified.self_approved, ratified.shipped_default) == (False, False)
    assert desk.state.policy == ratified
    assert ratified.digest == OTHER.digest


def test_the_author_ratifies_only_by_saying_so(desk: Desk) -> None:
    """--self-approve, recorded as such."""
    with pytest.raises(IllegalOperationError, match="somebody else must ratify it"):
        put_in_force(desk, author="ada")

    assert put_in_force(desk, author="ada", self_approve=True).self_approved


def test_ratifying_what_is_in_force_changes_nothing(desk: Desk) -> None:
    """Repeating is safe, and says who did it first."""
    first = put_in_force(desk)

    assert first == put_in_force(desk, approver="bob")


def test_a_policy_may_be_ratified_again_later(desk: Desk) -> None:
    """There and back again are three ratifications."""
    put_in_force(desk)
    ratify(desk.ledger, default_policy(), author="eve", approver="ada", reason="back", now=NOW)
    again = put_in_force(desk)

    assert [entry.op for entry in desk.ledger.entries()] == ["genesis"] + ["ratify"] * 4
    assert again.seq == 5


def test_a_policy_that_fails_the_linter_is_not_ratified(desk: Desk) -> None:
    """A table that is not fail-closed never comes into force."""
    careless = load(
        b"rows:\n- {name: always, verdict: PROMOTE, reason: whatever}\n", name="careless"
    )
    with pytest.raises(PolicyError, match="cannot be ratified"):
        ratify(desk.ledger, careless, author="eve", approver="ada", reason="r", now=NOW)

    assert desk.state.policy is not None
    assert desk.state.policy.digest == default_policy().digest


def test_signers_are_ratified_with_their_list(desk: Desk) -> None:
    """The allowed-signers file is kept, and an empty one refused."""
    ratified = ratify_signers(
        desk.ledger,
        b"bob ssh-ed25519 AAAA\n",
        author="eve",
        approver="ada",
        reason="keys of the team",
        now=NOW,
    )

    assert desk.state.signers == ratified
    assert read_blob(desk.store, MODEL, ratified.attempt, ratified.blobs[0]).startswith(b"bob ")
    with pytest.raises(RegistryError, match="list of allowed signers is empty"):
        ratify_signers(desk.ledger, b" \n", author="eve", approver="ada", reason="r", now=NOW)


def test_a_ratification_is_signed_over_what_it_says() -> None:
    """Model, kind, document, author, person, reason and time each change the statement."""
    said: list[bytes] = []

    def sign(statement: bytes) -> str:
        said.append(json.dumps({**json.loads(statement), "request": ""}).encode())
        return "signature"

    base: dict[str, Any] = {"author": "e", "approver": "a", "reason": "r", "now": NOW, "sign": sign}
    for subject, changes in (
        (("m", "policy", "d"), {}),
        (("n", "policy", "d"), {}),
        (("m", "signers", "d"), {}),
        (("m", "policy", "e"), {}),
        *((("m", "policy", "d"), {name: "x"}) for name in ("author", "approver", "reason")),
        (("m", "policy", "d"), {"now": NOW + timedelta(seconds=1)}),
    ):
        answered = sign_at_terminal(*subject, **{**base, **changes})

    assert answered.signature == "signature"
    assert len(said) == len(set(said)) == 8


class CountingStore(DirectoryStore):
    """A folder that notes what is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read: list[str] = []

    def get(self, key: str) -> bytes | None:
        """See ``ObjectStore``."""
        self.read.append(key)
        return super().get(key)


def test_an_opened_ledger_is_not_read_again(desk: Desk) -> None:
    """The gate of a cluster looks at each waiting request every few seconds."""
    request = desk.process(desk.submit("one"))
    store = CountingStore(desk.store.root)  # type: ignore[attr-defined] # a folder
    opened = begin(desk, store=store)
    once = store.read.count(f"m/{MODEL}/log/000000000002.json")
    waiting = Gate(store, desk.home).process(request.id, now=NOW, ledger=opened.ledger)

    assert waiting.outcome is None
    assert [once, once] == [1, store.read.count(f"m/{MODEL}/log/000000000002.json")]


def test_a_ledger_that_was_just_begun_is_pinned(desk: Desk) -> None:
    """What is verified through it must be the ledger that was opened."""
    ledger = begin(desk).ledger

    assert ledger.pinned_genesis == desk.state.genesis
    assert ledger.verify().vouched_seq == 1


def test_a_reason_that_cannot_be_kept_is_named(desk: Desk) -> None:
    """An empty or endless one is refused before anything is written."""
    for reason in ("", "x" * 2001):
        with pytest.raises(RecordError, match=r"the ratification of policy .*reason"):
            put_in_force(desk, reason=reason)
