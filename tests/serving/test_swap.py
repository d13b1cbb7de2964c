"""A swap under load: every request is answered, by one version each."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx

from serving.app import create_app
from serving.settings import Settings
from tests.serving.place import Place
from tests.serving.tiny import ROW, air_time_model

SWAPS = 12
ROWS = 40


def test_no_request_fails_and_no_answer_mixes_versions_while_models_are_swapped(
    tmp_path: Path,
) -> None:
    """Promotions and rollbacks while clients ask: each answer is one version's, digest included."""
    place = Place(tmp_path / "store")
    versions = {place.promote(air_time_model(bias=bias)): float(bias) for bias in (1, 2)}
    digests = {number: place.ledger.state().version(number).digest for number in versions}
    follower = place.follower()
    follower.look()
    app = create_app(follower, Settings(model="flights", inline_body_bytes=1000))
    done = threading.Event()

    def swap() -> None:
        first, second = versions
        for _ in range(SWAPS // 2):
            for target in (first, second):
                place.rollback(target)
                follower.look()
        done.set()

    async def ask(http: httpx.AsyncClient, body: Any) -> list[dict[str, Any]]:
        answers = []
        while not done.is_set():
            answer = await http.post("/predict", json=body)
            assert 200 == answer.status_code
            answers.append(answer.json())
        return answers

    async def load() -> list[dict[str, Any]]:
        row = {**ROW, "distance": 0}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            swapping = asyncio.get_running_loop().run_in_executor(None, swap)
            found = await asyncio.gather(ask(http, row), ask(http, {"rows": [row] * ROWS}))
            await swapping
        return [answer for answers in found for answer in answers]

    answers = asyncio.run(load())

    assert set(versions) == {answer["version"] for answer in answers}
    for answer in answers:
        rows = answer.get("predictions", [answer])
        assert {versions[answer["version"]]} == {row["prediction"] for row in rows}
        assert digests[answer["version"]] == answer["model_digest"]
