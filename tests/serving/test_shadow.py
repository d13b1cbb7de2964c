"""Another version is compared with the one in production, and costs it nothing but leftovers."""

import asyncio
import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelwarrant.storage import DirectoryStore
from modelwarrant.telemetry.shadow import read_shadow
from serving.app import create_app
from serving.follower import Follower
from serving.settings import Settings
from serving.shadow import Shadow, recode
from serving.shadow_log import ShadowLog
from tests.serving.place import Place
from tests.serving.tiny import (
    FEATURES,
    ROW,
    air_time_model,
    late_model,
    linear_model,
    regression,
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store whose version in production answers distance / 8."""
    place = Place(tmp_path / "store")
    place.promote(air_time_model())
    return place


def offer(follower: Follower, shadow: Shadow, *rows: dict[str, Any]) -> None:
    """Answer rows and offer them to the shadow."""
    served = follower.served
    assert served is not None
    read = served.reader.read({"rows": list(rows)}, max_rows=5000, problems_shown=1)
    shadow.offer(served, read, served.scores(read))


def test_candidate_that_waits_for_a_person_is_compared(place: Place) -> None:
    """Agreement, difference and time are known before anybody approves."""
    candidate, _ = place.decide(air_time_model(bias=2))
    shadow = Shadow()
    follower = place.follower(shadow=shadow)
    follower.look()
    offer(follower, shadow, ROW, {**ROW, "distance": 0})

    shadow.score_some()

    assert shadow.state is not None
    role, other, comparison = shadow.state
    assert ("candidate", candidate) == (role, other.version)
    said = comparison.document()
    assert (2, 2, 2.0, 2.0) == (
        said["rows"],
        said["disagreements"],
        said["mean_difference"],
        said["largest_difference"],
    )
    assert ([31.25], [33.25]) == (
        said["mean_scores_in_production"],
        said["mean_scores_of_the_other"],
    )


def test_labels_are_compared_by_class(tmp_path: Path) -> None:
    """Two probabilities may differ while the label is the same."""
    place = Place(tmp_path / "store")
    place.promote(late_model(late=0.25))
    place.decide(late_model(late=0.375))
    shadow = Shadow()
    follower = place.follower(shadow=shadow)
    follower.look()
    offer(follower, shadow, ROW)

    shadow.score_some()

    assert shadow.state is not None
    assert 0 == shadow.state[2].disagreements
    assert pytest.approx(0.125) == shadow.state[2].difference


def test_version_before_is_compared_for_a_while_after_a_promotion(place: Place) -> None:
    """The watch window: then a candidate may have its turn again."""
    first = place.production.number
    clock = [datetime(2026, 3, 2, tzinfo=UTC)]
    shadow = Shadow()
    follower = place.follower(shadow=shadow, now=lambda: clock[0])
    follower.look()
    place.promote(air_time_model(bias=1))
    follower.look()
    watched = shadow.state

    clock[0] += timedelta(hours=2)
    follower.look()

    assert watched is not None
    assert ("previous", first) == (watched[0], watched[1].version)
    assert shadow.state is None


@pytest.mark.parametrize("verdict", ["PROMOTE", "HOLD", "REJECT"])
def test_only_what_waits_for_a_person_is_a_candidate(place: Place, verdict: str) -> None:
    """What was refused is not loaded."""
    place.decide(air_time_model(bias=2), verdict=verdict)
    shadow = Shadow()

    place.follower(shadow=shadow).look()

    assert shadow.state is None


def test_rows_beyond_the_bound_are_dropped_and_counted(place: Place) -> None:
    """What is not scored in time is lost to the shadow only."""
    place.decide(air_time_model(bias=2))
    shadow = Shadow()
    follower = place.follower(shadow=shadow)
    follower.look()

    for _ in range(3):
        offer(follower, shadow, *[ROW] * 500)

    assert shadow.state is not None
    assert 500 == shadow.state[2].dropped


def test_candidate_with_other_columns_is_not_compared(place: Place) -> None:
    """Its rows cannot be made from those that were asked."""
    schema = regression(FEATURES[:3])
    place.decide((schema, linear_model(schema, weights={}, bias=[0.0])))
    shadow = Shadow()

    place.follower(shadow=shadow).look()

    assert shadow.state is None


def test_candidate_with_other_levels_reads_its_own_codes(place: Place) -> None:
    """Codes are positions in a version's own list; a level that only the candidate knows counts."""
    features = [
        feature.model_copy(update={"categories": ("ZZ", "UA")})
        if feature.name == "carrier"
        else feature
        for feature in FEATURES
    ]
    schema = regression(features)
    place.decide((schema, linear_model(schema, weights={}, bias=[0.0])))
    shadow = Shadow()
    follower = place.follower(shadow=shadow)
    follower.look()
    served = follower.served
    assert served is not None
    assert shadow.state is not None
    levels = ["AA", "UA", "ÉG", "ZZ", "YY"]
    rows = [{**ROW, "carrier": level} for level in levels]
    read = served.reader.read({"rows": rows}, max_rows=5, problems_shown=1)

    recoded = recode(read, served, shadow.state[1])

    assert [0.0, 1.0, 2.0, -1.0, -1.0] == read.values[:, 2].tolist()
    assert [-1.0, 1.0, -1.0, 0.0, -1.0] == recoded[:, 2].tolist()


def test_broken_candidate_changes_nothing_for_production(place: Place) -> None:
    """It is not compared, and the reason is logged once a ledger entry."""
    version, _ = place.decide(air_time_model(bias=2))
    place.blob(version).write_bytes(b"other bytes")
    shadow = Shadow()
    follower = place.follower(shadow=shadow)

    follower.look()

    assert shadow.state is None
    assert follower.status().fault is None


def test_comparison_is_told_over_http_and_to_prometheus(place: Place) -> None:
    """Role, version and what the answers add up to."""
    version, _ = place.decide(air_time_model(bias=2))
    shadow = Shadow()
    follower = place.follower(shadow=shadow)
    follower.look()
    app = create_app(follower, Settings(model="flights"), shadow=shadow)

    async def send() -> tuple[Any, str]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            await http.post("/predict", json=ROW)
            shadow.score_some()
            told = (await http.get("/shadow")).json()
            return told, (await http.get("/metrics")).text

    told, metrics = asyncio.run(send())

    assert ("candidate", version, 1) == (told["role"], told["version"], told["rows"])
    assert f'warrant_shadow_rows_total{{role="candidate",version="{version}"}} 1.0' in metrics


def pod(place: Place, name: str) -> tuple[Follower, Shadow]:
    """Return a service's follower and shadow, which keeps what it compared."""
    log = logging.getLogger("test")
    shadow = Shadow(ShadowLog(place.store, prefix=name, log=log))
    follower = place.follower(shadow=shadow)
    follower.look()
    return follower, shadow


def test_what_all_services_compared_is_told_to_whoever_decides(place: Place) -> None:
    """Two pods write one object each, however often; the reports add up."""
    candidate, _ = place.decide(air_time_model(bias=2))
    for name in ("pod-a", "pod-b"):
        follower, shadow = pod(place, name)
        for _ in range(2):
            offer(follower, shadow, ROW, {**ROW, "distance": 0})
            shadow.score_some()
            shadow.tell()
    digest = place.ledger.state().version(candidate).digest
    found = read_shadow(place.store, "flights", digest, beside=place.production.digest)

    assert found is not None
    assert (candidate, "candidate", 8, 8) == (
        found.version,
        found.role,
        found.rows,
        found.disagreements,
    )
    assert (0.0, 2.0, 2.0) == (found.agreement, found.mean_difference, found.largest)
    assert 2 == len(list(place.store.list("shadow/")))


def test_reports_beside_another_version_are_left_alone(place: Place) -> None:
    """What was compared with a version that is no longer in production says nothing of this one."""
    candidate, _ = place.decide(air_time_model(bias=2))
    follower, shadow = pod(place, "pod-a")
    offer(follower, shadow, ROW)
    shadow.score_some()
    shadow.tell()
    digest = place.ledger.state().version(candidate).digest

    assert read_shadow(place.store, "flights", digest, beside="sha256:" + "0" * 64) is None


def test_a_torn_report_counts_for_nothing(place: Place) -> None:
    """A file that is no report is left out, and the others count."""
    candidate, _ = place.decide(air_time_model(bias=2))
    follower, shadow = pod(place, "pod-a")
    offer(follower, shadow, ROW)
    shadow.score_some()
    shadow.tell()
    digest = place.ledger.state().version(candidate).digest
    [key] = place.store.list("shadow/")
    place.store.put(key.replace("pod-a", "pod-b"), b"{")
    found = read_shadow(place.store, "flights", digest, beside=place.production.digest)

    assert found is not None
    assert 1 == found.rows


def test_what_was_compared_is_kept_when_the_pair_changes(place: Place) -> None:
    """The candidate is promoted: its last rows are written once the next look has come."""
    candidate, decided = place.decide(air_time_model(bias=2))
    follower, shadow = pod(place, "pod-a")
    before = place.production.digest
    offer(follower, shadow, ROW)
    shadow.score_some()
    place.promote_decided(candidate, decided)
    follower.look()
    shadow.tell()
    found = read_shadow(place.store, "flights", place.production.digest, beside=before)

    assert found is not None
    assert 1 == found.rows


def test_a_store_that_is_gone_is_not_made_anew(place: Place) -> None:
    """A folder that somebody took away stays away."""
    place.decide(air_time_model(bias=2))
    follower, shadow = pod(place, "pod-a")
    offer(follower, shadow, ROW)
    shadow.score_some()
    assert isinstance(place.store, DirectoryStore)
    shutil.rmtree(place.root)
    shadow.tell()

    assert not place.root.exists()
