"""A changed byte anywhere in the store is found and named: in entry, artifact, request, package."""

import shutil
from pathlib import Path

import pytest

from gate.checking import check_everything
from modelwarrant.canonical import canonical_json, digest_json, parse_json
from modelwarrant.errors import TamperedError
from tests.gate.desk import MODEL, NOW, Desk
from tests.policy.conftest import Case


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store and keys of a desk that has seen every kind of object; tests get copies."""
    desk = Desk(tmp_path_factory.mktemp("made"))
    desk.promoted("one")
    desk.promoted("two")
    desk.process(desk.submit("three", case=Case(n_rows=10)))
    desk.reject(desk.process(desk.submit("four", case=Case(gain=0.2, anchor_gain=-0.2))))
    waiting = desk.process(desk.submit("five", case=Case(gain=0.2, anchor_gain=-0.2)))
    desk.gate.withdraw(waiting.id, requester="ada", reason="mistake", now=NOW)
    desk.submit("six")
    desk.gate.rollback(MODEL, to=3, reason="complaints", actor="ada", now=NOW)
    desk.ledger.write_snapshot()
    return desk.root


@pytest.fixture
def full(made: Path, tmp_path: Path) -> Desk:
    """A store with every kind of object in it."""
    return Desk(shutil.copytree(made, tmp_path / "full"))


def files_of(desk: Desk) -> list[Path]:
    """Every file of the store."""
    root = desk.root / "store"
    return sorted(path for path in root.rglob("*") if path.is_file())


def missed(desk: Desk, *, step: int) -> list[str]:
    """The files in which some flipped byte was not found, or not named."""
    found, root, ledger = [], desk.root / "store", desk.ledger
    for path in files_of(desk):
        key, data = path.relative_to(root).as_posix(), path.read_bytes()
        for place in range(0, len(data), step):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            try:
                check_everything(ledger)
                found.append(f"{key}, byte {place}")
            except TamperedError as error:
                if key not in str(error) and path.parent.name not in str(error):
                    found.append(f"{key}, byte {place}: {error}")
        path.write_bytes(data)
    return found


def test_an_untouched_store_is_right(full: Desk) -> None:
    """Everything is counted, and nothing is found."""
    checked = check_everything(full.ledger, anchors=[full.ledger.anchor()])

    assert checked.ledger.seq == full.state.seq
    assert checked.requests == 7
    assert checked.files == 6 * 10
    assert checked.ledger.snapshots == 1


def test_a_flipped_byte_in_any_file_is_found_and_named(full: Desk) -> None:
    """A sample of the bytes of every file in the store."""
    assert missed(full, step=1009) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_flipped_byte_in_any_file_is_found_more_often(full: Desk) -> None:
    """A denser sample of the same."""
    assert missed(full, step=101) == []


@pytest.mark.parametrize("name", ["run", "requester", "candidate_digest", "baseline_digest"])
def test_a_request_that_was_rewritten_is_found(full: Desk, name: str) -> None:
    """With a right digest of its own, it is still not what the ledger recorded."""
    [request] = [r for r in full.gate_requests() if r.outcome_reason == "by rule 'better'"]
    key = f"requests/{request.id}.json"
    sealed = parse_json(full.store.get(key) or b"", name=key)
    sealed["document"][name] = "sha256:" + "0" * 64
    sealed["digest"] = digest_json(sealed["document"])
    full.store.put(key, canonical_json(sealed))

    with pytest.raises(TamperedError, match=f"{key} was altered: {name} is sha256:0000"):
        check_everything(full.ledger)


def test_an_outcome_of_another_entry_is_found(full: Desk) -> None:
    """A request cannot claim an entry that says something else."""
    [request] = [r for r in full.gate_requests() if r.outcome_reason == "by rule 'better'"]
    key = f"requests/{request.id}/outcome.json"
    sealed = parse_json(full.store.get(key) or b"", name=key)
    sealed["document"]["ledger_seq"] -= 1
    sealed["digest"] = digest_json(sealed["document"])
    full.store.put(key, canonical_json(sealed))

    with pytest.raises(TamperedError, match="its outcome is not of m/"):
        check_everything(full.ledger)


def test_a_package_that_was_tidied_away_is_no_fault(full: Desk) -> None:
    """What the ledger copied outlives what was handed in."""
    for key in list(full.store.list(f"in/{MODEL}/run-one/")):
        full.store.delete(key)

    assert check_everything(full.ledger).files == 5 * 10
