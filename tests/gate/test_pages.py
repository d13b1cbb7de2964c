"""What the cluster's gate tells Prometheus."""

from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.testclient import TestClient

from gate.controller import Health
from gate.pages import create_pages_app
from gate.review import Evidence
from modelwarrant.errors import UnknownModelError
from modelwarrant.records import PromotionRequest


class EmptyShelf:
    """A cluster without a request."""

    def requests(self) -> tuple[PromotionRequest, ...]:
        """Return none."""
        return ()

    def request(self, name: str) -> PromotionRequest:
        """Know none."""
        raise UnknownModelError(f"there is no request {name}")

    def evidence(self, request: PromotionRequest) -> Evidence | None:
        """Have none."""
        return None


def scrape(app: FastAPI) -> str:
    """Return what Prometheus reads."""
    return TestClient(app).get("/metrics").text


def test_metrics_say_what_each_monitor_did_last() -> None:
    """One line a model, with the action and when it was recorded."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    health = Health(acted={"flights": ("rollback", at)}, outcomes={"applied": 2})
    text = scrape(create_pages_app(EmptyShelf(), health))

    acted = 'modelwarrant_gate_monitor_acted_timestamp_seconds{action="rollback",model="flights"}'
    [line] = [line for line in text.splitlines() if line.startswith(acted)]
    assert at.timestamp() == float(line.split()[-1])
    assert 'modelwarrant_gate_requests_ended_total{outcome="applied"} 2.0' in text


def test_a_gate_that_found_its_guard_broken_says_so() -> None:
    """Nothing is promoted then."""
    text = scrape(create_pages_app(EmptyShelf(), Health(fault="the policy was edited")))

    assert "modelwarrant_gate_admission_in_force 0.0" in text
