"""An answer given on a review page is the gate's own, recorded in the ledger."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gate.review import ReviewSecrets, create_review_app
from modelwarrant.cli.deciding import LaptopDesk
from modelwarrant.cli.knowledge import Place
from modelwarrant.records import PromotionRequest
from modelwarrant.stage.settings import Settings
from tests.gate.desk import MODEL, Desk

SECRETS = ReviewSecrets(path="p", token="t")  # noqa: S106 - a test's own
ORIGIN = "http://127.0.0.1:8070"


@pytest.fixture
def laptop(tmp_path: Path) -> Desk:
    """A laptop's store with an empty ledger."""
    return Desk(tmp_path)


@pytest.fixture
def waiting(laptop: Desk) -> PromotionRequest:
    """Ada's first model, which waits for a person."""
    now = datetime.now(UTC)
    return laptop.process(laptop.submit(requester="ada", now=now), now=now)


def browser(laptop: Desk, person: str) -> TestClient:
    """Return the browser of somebody who started ``warrant review`` on that laptop."""
    settings = Settings(actor=person, home=laptop.root / "home")
    place = Place(laptop.store, settings, laptop.home, laptop.root / "work")
    app = create_review_app(LaptopDesk(place), port=8070, known=SECRETS)
    return TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN})


def answer(client: TestClient, request: PromotionRequest, **given: str) -> str:
    """Fill the form of a request's page, send it, and return the page that follows."""
    path = f"/p/requests/{request.id}"
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', client.get(path).text)
    return client.post(path, data={**dict(hidden), "reason": "I looked at it.", **given}).text


def test_an_approval_promotes_and_names_the_reviewer(
    laptop: Desk, waiting: PromotionRequest
) -> None:
    """Another person's approval on the page promotes the candidate in that person's name."""
    page = answer(browser(laptop, "bob"), waiting, decision="approve")

    assert "Your approval is recorded." in page
    promotion = laptop.ledger.entries()[-1]
    assert "promote" == promotion.op
    assert ["bob"] == [each["approver"] for each in promotion.payload["approvals"]]


def test_a_rejection_ends_the_request(laptop: Desk, waiting: PromotionRequest) -> None:
    """A rejection on the page leaves production as it was."""
    answer(browser(laptop, "bob"), waiting, decision="reject")

    assert "rejected" == laptop.process(waiting, now=datetime.now(UTC)).outcome
    assert laptop.state.production is None


def test_the_requester_must_say_that_it_is_a_self_approval(
    laptop: Desk, waiting: PromotionRequest
) -> None:
    """The requester's approval counts with the ticked box only, and the page flags it."""
    client = browser(laptop, "ada")

    assert "somebody else approves it" in answer(client, waiting, decision="approve")
    page = answer(client, waiting, decision="approve", self_approve="yes")
    assert '<strong class="flag">self-approved</strong>' in page
    assert MODEL in page


def test_evidence_that_changed_behind_the_reader_cannot_be_answered(
    laptop: Desk, waiting: PromotionRequest
) -> None:
    """A form that names other evidence than the request's records nothing."""
    page = answer(
        browser(laptop, "bob"), waiting, decision="approve", evidence_digest="sha256:other"
    )

    assert "the answer is about" in page
    assert laptop.state.production is None


def test_altered_evidence_is_not_shown(laptop: Desk, waiting: PromotionRequest) -> None:
    """Where a file of the ledger's evidence was altered, the page says so and offers no form."""
    report = next(blob for blob in waiting.files if blob.name == "evaluation_report.json")
    wanted = report.digest.removeprefix("sha256:")
    key = next(key for key in laptop.store.list(f"m/{MODEL}/blob/") if key.endswith(wanted))
    laptop.store.put(key, b"{}")

    page = browser(laptop, "bob").get(f"/p/requests/{waiting.id}").text
    assert "The evidence cannot be shown" in page
    assert wanted in page
    assert "<form" not in page
