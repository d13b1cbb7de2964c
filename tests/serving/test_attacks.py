"""What must never be served is not, over the wire: its reason stands in the log and on /readyz."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ci.served_world import Service
from tests.serving.bombs import memory_bomb, with_external_data
from tests.serving.place import Place
from tests.serving.tiny import ROW, air_time_model, regression


def swapped_bytes(place: Place) -> None:
    """A model whose bytes were changed behind its digest."""
    file = place.blob(place.promote(air_time_model(bias=2)))
    file.write_bytes(file.read_bytes()[::-1])


def unapproved(place: Place) -> None:
    """A version in production whose decision document says HOLD."""
    place.promote(air_time_model(bias=2), decision={"verdict": "HOLD"})


def older_head(place: Place) -> None:
    """A ledger that was cut off behind the entry that is served."""
    newest = max((place.root / "m" / place.model / "log").glob("*.json"))
    newest.unlink()


def external_data(place: Place) -> None:
    """A model whose weights lie in another file of the machine."""
    weights = place.root.parent / "weights.bin"
    weights.write_bytes(b"\0" * 48)
    place.promote((regression(), with_external_data(str(weights))))


def allocation_bomb(place: Place) -> None:
    """A model that asks for a terabyte."""
    place.promote((regression(), memory_bomb()))


ATTACKS = [
    (swapped_bytes, "model.onnx"),
    (unapproved, "another verdict"),
    (older_head, "is gone or was altered"),
    (external_data, "model.onnx"),
    (allocation_bomb, "more memory than the limit"),
]


@pytest.mark.parametrize(("attack", "reason"), ATTACKS)
def test_attack_is_never_served(
    attack: Callable[[Place], None], reason: str, tmp_path: Path
) -> None:
    """The old model keeps answering, the service stays ready, and both say why."""
    place = Place(tmp_path / "store")
    first = place.promote(air_time_model(bias=1))
    service = Service(place, tmp_path / "cache", poll_s=0.05)
    asyncio.run(service.start())
    try:
        attack(place)
        ready: dict[str, Any] = {}
        deadline = time.monotonic() + 30
        with httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as http:
            while reason not in ready.get("store", "") and time.monotonic() < deadline:
                ready = http.get("/readyz").json()
                answer = http.post("/predict", json=ROW).json()
                assert (63.5, first) == (answer["prediction"], answer["version"])
        assert reason in ready["store"]
        assert ready["ready"]
        assert reason in service.said()
    finally:
        asyncio.run(service.end())
