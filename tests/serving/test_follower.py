"""A follower serves what the ledger allows, and nothing that it cannot verify."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modelwarrant.errors import StoreUnavailableError
from modelwarrant.records import Evidence
from modelwarrant.registry import Anchor
from modelwarrant.registry.entries import signed_entry
from modelwarrant.registry.keys import Signer
from modelwarrant.registry.layout import log_key
from modelwarrant.registry.payloads import Rollback
from modelwarrant.storage import DirectoryStore
from serving.follower import Follower
from tests.serving.place import NOW, Place
from tests.serving.tiny import ROW, air_time_model, linear_model, regression


class UnreliableStore(DirectoryStore):
    """A folder that can be told not to answer."""

    is_down = False

    def get(self, key: str) -> bytes | None:
        """Return the object, or fail while the store is down."""
        if self.is_down:
            raise StoreUnavailableError("the store did not answer")
        return super().get(key)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def move(self, *, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store whose version in production adds 1."""
    place = Place(tmp_path / "store")
    place.promote(air_time_model(bias=1))
    return place


def bias(follower: Follower) -> float:
    """Return what the served model adds: that tells which one it is."""
    assert follower.served is not None
    rows = follower.served.reader.read({**ROW, "distance": 0}, max_rows=1, problems_shown=1)
    return float(follower.served.scores(rows)[0, 0])


def fault(follower: Follower) -> str:
    """Return what the last look found wrong."""
    found = follower.status().fault
    assert found is not None
    return found


def looked(place: Place, **options: Any) -> Follower:
    """Return a follower that has looked once."""
    follower = place.follower(**options)
    follower.look()
    return follower


def test_production_version_is_served_with_its_decision(place: Place) -> None:
    """What answers names the version, the decision and the entry that put it there."""
    follower = looked(place)

    served = follower.served
    assert served is not None
    assert (
        place.production.number,
        place.production.digest,
        place.decision.decision_digest,
        place.ledger.state().seq,
    ) == (served.version, served.bundle.digest, served.decision_id, served.seq)
    assert 1.0 == bias(follower)
    assert follower.status().fault is None


def test_automatic_promotion_is_served(place: Place) -> None:
    """A verdict PROMOTE needs nobody's approval."""
    place.promote(air_time_model(bias=2), verdict="PROMOTE")

    assert 2.0 == bias(looked(place))


def test_nothing_is_served_before_a_promotion(tmp_path: Path) -> None:
    """A registered version that waits for approval does not answer; nor is that a fault."""
    place = Place(tmp_path / "store")
    place.decide(air_time_model())

    follower = looked(place)

    assert follower.served is None
    assert follower.status().fault is None


def test_store_without_the_model_is_named(tmp_path: Path) -> None:
    """Whoever misspells a model reads where it was looked for."""
    follower = looked(Place(tmp_path / "store", model="flihgts"))

    assert f"{tmp_path / 'store'} has no ledger of 'flihgts'" in fault(follower)


def test_promotion_is_followed(place: Place) -> None:
    """The next look serves the new version."""
    follower = looked(place)
    place.promote(air_time_model(bias=2))

    follower.look()

    assert 2.0 == bias(follower)


def test_recorded_decision_changes_nothing(place: Place) -> None:
    """A HOLD is an entry like any other, and moves no pointer."""
    follower = looked(place)
    before = follower.served
    place.decide(air_time_model(bias=2), verdict="HOLD")

    follower.look()

    assert before is follower.served or before == follower.served
    assert follower.status().fault is None


def test_rollback_needs_nothing_but_its_entry(place: Place) -> None:
    """The version before is still loaded: its files in the store are not read again."""
    follower = looked(place)
    first = place.production.number
    place.promote(air_time_model(bias=2))
    follower.look()
    place.rollback(first)
    place.blob(first).unlink()

    follower.look()

    assert 1.0 == bias(follower)
    assert follower.served is not None
    assert place.ledger.state().seq == follower.served.seq


def test_rollback_is_a_swap_of_what_is_ready(place: Place) -> None:
    """What reads and answers is the same object as before: nothing is prepared again."""
    follower = looked(place)
    first, before = place.production.number, follower.served
    assert before is not None
    place.promote(air_time_model(bias=2))
    follower.look()
    place.rollback(first)

    follower.look()

    after = follower.served
    assert after is not None
    assert place.ledger.state().seq == after.seq > before.seq
    for part in ("bundle", "reader", "quick", "inference", "answers", "identity"):
        assert after.__dict__[part] is before.__dict__[part]


def test_rollback_to_a_version_never_loaded_here_is_followed(place: Place) -> None:
    """A replica that was started later loads it from the store."""
    first = place.production.number
    place.promote(air_time_model(bias=2))
    follower = looked(place)
    place.rollback(first)

    follower.look()

    assert 1.0 == bias(follower)


@pytest.mark.parametrize("name", ["model.onnx", "schema.json", "manifest.json"])
def test_altered_blob_is_refused_and_the_old_model_goes_on(place: Place, name: str) -> None:
    """The fault names the file; once the bytes are right again the version is served."""
    follower = looked(place)
    version = place.promote(air_time_model(bias=2))
    file = place.blob(version, name)
    right = file.read_bytes()
    file.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))

    follower.look()
    assert 1.0 == bias(follower)
    assert name in fault(follower)

    file.write_bytes(right)
    follower.look()
    assert 2.0 == bias(follower)
    assert follower.status().fault is None


def test_missing_blob_is_refused(place: Place) -> None:
    """The fault says what is gone."""
    follower = looked(place)
    place.blob(place.promote(air_time_model(bias=2))).unlink()

    follower.look()

    assert 1.0 == bias(follower)
    assert "model.onnx is gone" in fault(follower)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"verdict": "HOLD"}, "another verdict"),
        ({"candidate_digest": "sha256:" + "0" * 64}, "another candidate_digest"),
        ({"evidence_digest": "sha256:" + "0" * 64}, "another evidence_digest"),
    ],
)
def test_decision_that_says_something_else_is_refused(
    place: Place, changed: dict[str, Any], words: str
) -> None:
    """The document stands behind a version, not only the entry about it."""
    follower = looked(place)
    place.promote(air_time_model(bias=2), decision=changed)

    follower.look()

    assert 1.0 == bias(follower)
    assert words in fault(follower)


def test_bundle_with_another_manifest_than_was_decided_on_is_refused(place: Place) -> None:
    """The decision names the manifest."""
    follower = looked(place)
    other = "sha256:" + "0" * 64
    evidence = Evidence(
        manifest=other, drift=None, evaluation=other, validation=other, history=other
    )
    place.promote(air_time_model(bias=2), decision={"evidence": evidence})

    follower.look()

    assert 1.0 == bias(follower)
    assert "another manifest" in fault(follower)


def test_model_that_cannot_answer_is_refused(place: Place) -> None:
    """A graph that reads other columns than the schema says never begins to serve."""
    follower = looked(place)
    schema = regression()
    narrow = regression(schema.features[:2])
    place.promote((schema, linear_model(narrow, weights={}, bias=[2.0])))

    follower.look()

    assert 1.0 == bias(follower)
    assert "model.onnx" in fault(follower)


def test_well_chained_entry_by_a_stranger_is_refused(place: Place) -> None:
    """Whoever can write the store cannot move production."""
    first = place.production.number
    place.promote(air_time_model(bias=2))
    follower = looked(place)
    state = place.ledger.state()
    forged = signed_entry(
        Rollback(to=first, reason="mine", actor="eve"),
        model="flights",
        seq=state.seq + 1,
        prev=state.head,
        txn="eve",
        actor="eve",
        now=NOW,
        signer=Signer.generate(),
    )
    place.store.create(log_key("flights", forged.seq), forged.to_bytes())

    follower.look()

    assert 2.0 == bias(follower)
    assert "not signed by a key in force" in fault(follower)


def test_ledger_with_another_first_entry_than_pinned_is_refused(place: Place) -> None:
    """A whole ledger made anew by whoever writes the store serves nothing."""
    assert 1.0 == bias(looked(place, genesis=place.genesis))

    follower = looked(place, genesis="sha256:" + "0" * 64)

    assert follower.served is None
    assert "not the first entry" in fault(follower)


def test_ledger_without_a_remembered_entry_is_refused(place: Place) -> None:
    """An anchor kept elsewhere tells a ledger that was cut off."""
    state = place.ledger.state()
    anchor = Anchor(model="flights", seq=state.seq, digest=state.head)
    assert 1.0 == bias(looked(place, anchor=anchor))
    (place.root / log_key("flights", state.seq)).unlink()

    follower = looked(place, anchor=anchor)

    assert follower.served is None
    assert "an older ledger is not followed" in fault(follower)


def test_tombstoned_version_stops_even_if_its_successor_cannot_be_loaded(place: Place) -> None:
    """A person ruled it out; answering with it would be worse than not answering."""
    follower = looked(place)
    first = place.production.number
    second = place.promote(air_time_model(bias=2))
    place.blob(second).unlink()
    follower.look()
    assert 1.0 == bias(follower)
    place.tombstone(first)

    follower.look()

    assert follower.served is None


def test_tombstone_is_remembered_over_a_restart_without_the_store(
    place: Place, tmp_path: Path
) -> None:
    """What a person ruled out is not served from the cache either."""
    cache = tmp_path / "cache"
    follower = looked(place, cache=cache)
    first = place.production.number
    place.blob(place.promote(air_time_model(bias=2))).unlink()
    place.tombstone(first)
    follower.look()
    shutil.rmtree(place.root)

    assert looked(place, cache=cache).served is None


def test_restart_with_an_altered_version_serves_the_one_before(
    place: Place, tmp_path: Path
) -> None:
    """The last verified model answers, and says since when it is not the one in production."""
    clock = Clock()
    looked(place, cache=tmp_path / "cache", now=clock)
    place.blob(place.promote(air_time_model(bias=2))).write_bytes(b"altered")
    clock.move(seconds=60)

    follower = looked(place, cache=tmp_path / "cache", now=clock)

    assert 1.0 == bias(follower)
    assert 60.0 == follower.status().stale_s
    assert "model.onnx was altered" in fault(follower)


def test_look_that_hangs_is_a_fault(place: Place) -> None:
    """A store that neither answers nor fails must not read as followed."""
    clock = Clock()
    follower = looked(place, now=clock)
    clock.move(seconds=31)

    assert "last read 31 s ago" in fault(follower)
    assert 31.0 == follower.status().stale_s


def test_store_outage_changes_nothing_but_the_age(tmp_path: Path) -> None:
    """The model goes on answering; its age grows until the ledger is followed again."""
    place, clock = Place(tmp_path / "store"), Clock()
    place.promote(air_time_model(bias=1))
    store = UnreliableStore(place.root)
    follower = looked(place, store=store, now=clock)
    store.is_down = True
    clock.move(seconds=90)

    follower.look()
    status = follower.status()
    assert ("the store did not answer", 1, 90.0) == (status.fault, status.faults, status.stale_s)
    assert 1.0 == bias(follower)

    store.is_down = False
    place.promote(air_time_model(bias=2))
    follower.look()
    assert (None, 0.0) == (follower.status().fault, follower.status().stale_s)
    assert 2.0 == bias(follower)


def test_store_that_vanishes_is_noticed(place: Place) -> None:
    """An empty folder looks like 'nothing new'; the last entry is asked for again."""
    follower = looked(place)
    shutil.rmtree(place.root)

    follower.look()

    assert 1.0 == bias(follower)
    assert "is gone or was altered" in fault(follower)


def test_restart_without_the_store_serves_the_last_verified_model(tmp_path: Path) -> None:
    """It says how old it is, and follows the store when it is there again."""
    place, clock = Place(tmp_path / "store"), Clock()
    place.promote(air_time_model(bias=1))
    looked(place, cache=tmp_path / "cache", genesis=place.genesis, now=clock)
    store = UnreliableStore(place.root)
    store.is_down = True
    clock.move(seconds=600)

    follower = looked(
        place, store=store, cache=tmp_path / "cache", genesis=place.genesis, now=clock
    )
    assert 1.0 == bias(follower)
    assert 600.0 == follower.status().stale_s

    store.is_down = False
    place.promote(air_time_model(bias=2))
    follower.look()
    assert 2.0 == bias(follower)
    assert 0.0 == follower.status().stale_s


def test_older_ledger_is_not_followed_after_a_restart(place: Place, tmp_path: Path) -> None:
    """A store that was set back would serve what was replaced; the cache remembers."""
    first = log_key("flights", place.ledger.state().seq)
    place.promote(air_time_model(bias=2))
    looked(place, cache=tmp_path / "cache")
    for seq in range(int(first[-17:-5]) + 1, place.ledger.state().seq + 1):
        (place.root / log_key("flights", seq)).unlink()

    follower = looked(place, cache=tmp_path / "cache")

    assert 2.0 == bias(follower)
    assert "an older ledger is not followed" in fault(follower)


def test_ledger_made_anew_is_not_followed_after_a_restart(place: Place, tmp_path: Path) -> None:
    """Even without a pinned first entry, another history under the same name is refused."""
    looked(place, cache=tmp_path / "cache")
    shutil.rmtree(place.root)
    other = Place(place.root)
    other.promote(air_time_model(bias=7))
    other.promote(air_time_model(bias=8))

    follower = looked(other, cache=tmp_path / "cache")

    assert 1.0 == bias(follower)
    assert "is not the one that was seen before" in fault(follower)


def test_altered_cache_is_refused(place: Place, tmp_path: Path) -> None:
    """What comes from the local disk is verified like what comes from the store."""
    looked(place, cache=tmp_path / "cache")
    for file in (tmp_path / "cache").rglob("*"):
        if "/blob/" in str(file) and file.is_file():
            file.write_bytes(file.read_bytes() + b" ")
    shutil.rmtree(place.root)

    assert looked(place, cache=tmp_path / "cache").served is None


def test_cache_keeps_the_files_of_one_version(place: Place, tmp_path: Path) -> None:
    """A pod's disk does not fill up with former versions."""
    follower = looked(place, cache=tmp_path / "cache")
    place.promote(air_time_model(bias=2))
    follower.look()

    blobs = [file for file in (tmp_path / "cache").rglob("*") if "/blob/" in str(file)]
    assert 4 == sum(file.is_file() for file in blobs)


def test_cache_that_cannot_be_written_stops_nothing(place: Place, tmp_path: Path) -> None:
    """The model is served; only a restart without the store would miss it."""
    blocked = tmp_path / "cache"
    follower = place.follower(cache=blocked)
    shutil.rmtree(blocked, ignore_errors=True)
    blocked.write_text("a file where the folder should be")

    follower.look()

    assert 1.0 == bias(follower)
    assert follower.status().fault is None


def test_follower_looks_again_by_itself(place: Place) -> None:
    """Started once, it follows until it is stopped."""
    follower = place.follower()
    follower.start(poll_s=0.01)
    place.promote(air_time_model(bias=2))
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while follower.served is None or bias(follower) != 2.0:
        assert datetime.now(UTC) < deadline

    follower.stop(timeout_s=5)
    place.promote(air_time_model(bias=3))

    assert 2.0 == bias(follower)
