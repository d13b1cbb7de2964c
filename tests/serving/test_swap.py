"""A swap under load: every request is answered, by one version each."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.app import create_app
from serving.settings import Settings
from tests.serving.place import Place
from tests.serving.tiny import ROW, air_time_model

ROWS = 40


def swap_under_load(root: Path, *, swaps: int, promotions: int) -> None:
    """Promote and roll back while clients ask; check every answer against its own version.

    Args:
        root: the store.
        swaps: rollbacks.
        promotions: further versions, spread among the rollbacks.
    """
    place = Place(root)
    versions = {place.promote(air_time_model(bias=bias)): float(bias) for bias in (1, 2)}
    follower = place.follower()
    follower.look()
    app = create_app(follower, Settings(model="flights", inline_body_bytes=1000))
    done = threading.Event()

    def swap() -> None:
        for number in range(swaps):
            if promotions and number % (swaps // promotions) == 0:
                bias = float(number + 3)
                versions[place.promote(air_time_model(bias=bias))] = bias
            else:
                others = [one for one in list(versions)[-2:] if one != place.production.number]
                place.rollback(others[0])
            follower.look()
            assert follower.served is not None
            assert place.production.number == follower.served.version
        done.set()

    async def ask(http: httpx.AsyncClient, body: Any) -> list[dict[str, Any]]:
        answers = []
        while not done.is_set():
            answer = await http.post("/predict", json=body)
            assert 200 == answer.status_code
            answers.append(answer.json())
            await asyncio.sleep(0.002)  # the swapping thread must get its turn
        return answers

    async def load() -> list[dict[str, Any]]:
        row = {**ROW, "distance": 0}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            swapping = asyncio.get_running_loop().run_in_executor(None, swap)
            swapping.add_done_callback(lambda _: done.set())
            found = await asyncio.gather(ask(http, row), ask(http, {"rows": [row] * ROWS}))
            await swapping
        return [answer for answers in found for answer in answers]

    answers = asyncio.run(load())

    digests = {number: place.ledger.state().version(number).digest for number in versions}
    assert 2 <= len({answer["version"] for answer in answers})
    for answer in answers:
        rows = answer.get("predictions", [answer])
        assert {versions[answer["version"]]} == {row["prediction"] for row in rows}
        assert digests[answer["version"]] == answer["model_digest"]


def test_no_request_fails_and_no_answer_mixes_versions_while_models_are_swapped(
    tmp_path: Path,
) -> None:
    """Promotions and rollbacks while clients ask: each answer is one version's, digest included."""
    swap_under_load(tmp_path / "store", swaps=16, promotions=2)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_thousand_swaps_fail_no_request_and_mix_no_versions(tmp_path: Path) -> None:
    """A thousand in a row, fifty of them promotions of new versions."""
    swap_under_load(tmp_path / "store", swaps=1000, promotions=50)
