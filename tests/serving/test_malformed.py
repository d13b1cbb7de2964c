"""Thousands of damaged requests: refused or read as a careful reader reads them, never a fault."""

import asyncio
import json
import random
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serving.app import create_app
from serving.rows import shown_name
from serving.settings import Settings
from tests.serving.broken import SECRET, bodies
from tests.serving.place import Place
from tests.serving.tiny import ROW, air_time_model

ALLOWED = {200, 400, 413, 415, 422}
REQUESTS = 10_000
JSON = {"Content-Type": "application/json"}
_PIECES = (
    b"",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"1e999",
    b"-",
    b"NaN",
    b"\xff",
    b"\x00",
    b"9119119",
    b'"9119119"',
    b'"distance":9119119,',
)


def _tensors() -> bytes:
    kinds = {"distance": "FP64", "wind": "FP64", "carrier": "BYTES", "month": "BYTES"}
    kinds |= {"night": "BOOL", "departure": "BYTES"}
    values = {**ROW, "month": "2"}
    inputs = [
        {"name": name, "shape": [1], "datatype": kinds[name], "data": [value]}
        for name, value in values.items()
    ]
    return json.dumps({"inputs": inputs}).encode()


def _binary() -> tuple[bytes, int]:
    request = json.loads(_tensors())
    first = request["inputs"][0]
    del first["data"]
    first["parameters"] = {"binary_data_size": 8}
    head = json.dumps(request).encode()
    return head + struct.pack("<d", 500.0), len(head)


def damaged(count: int) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Yield so many requests, the same ones each time: path, body and headers."""
    rng = random.Random(5)  # noqa: S311 - no secret
    binary, length = _binary()
    octets = {"Content-Type": "application/octet-stream"}
    forms = [
        ("/predict", json.dumps(ROW).encode(), JSON),
        ("/predict", json.dumps({"rows": [ROW, ROW]}).encode(), JSON),
        ("/v2/models/flights/infer", _tensors(), JSON),
        ("/v2/models/flights/infer", binary, octets | {"Inference-Header-Content-Length": length}),
    ]
    for number in range(count):
        path, body, headers = forms[number % len(forms)]
        for _ in range(rng.randint(1, 3)):
            start = rng.randrange(len(body) + 1)
            end = min(len(body), start + rng.choice((0, 1, 1, 2, 5, 50)))
            body = body[:start] + rng.choice(_PIECES) + body[end:]
        if rng.random() < 0.1:
            body = body[: rng.randrange(len(body) + 1)]
        if rng.random() < 0.05:
            headers = {"Content-Type": rng.choice(("text/xml", "", "application/json; x=\x7f"))}
        if rng.random() < 0.05:
            headers = headers | {"Inference-Header-Content-Length": rng.randrange(2000)}
        yield path, body, {name: str(value) for name, value in headers.items()}


def _plainly(body: bytes) -> float | None:
    """Return the distance of a body of ``/predict`` that Python's own reader takes for a row."""
    names: list[str] = []

    def noted(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names.extend(name for name, _ in pairs)
        return dict(pairs)

    row = json.loads(body.decode(), object_pairs_hook=noted)
    return float(row["distance"]) if sorted(names) == sorted(ROW) else None


def _without_names(text: str, body: bytes) -> str:
    """Return an answer without the names that the client chose: those may be shown, values not."""
    named = re.findall(rb'(?="([^"]*)"\s*:)', body)
    named += re.findall(rb'"name"\s*:\s*"([^"]*)"', body)
    for name in (one.decode("utf-8", "replace") for one in named):
        if SECRET in name:
            text = text.replace(shown_name(name), "")
    return text


async def _ask(place: Place, count: int) -> dict[int, int]:
    follower = place.follower()
    follower.look()
    app = create_app(follower, Settings(model="flights", max_body_bytes=100_000))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    seen: dict[int, int] = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        for path, body, headers in damaged(count):
            answer = await http.post(path, content=body, headers=headers)
            seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
            assert answer.status_code in ALLOWED, (path, body, answer.text)
            assert SECRET not in _without_names(answer.text, body), (path, body)
            said = answer.json()
            if answer.status_code == 200 and "prediction" in said:
                distance = _plainly(body)
                assert distance is not None, body
                assert distance / 8 == said["prediction"], body
        for body in bodies():
            for path in ("/predict", "/v2/models/flights/infer"):
                answer = await http.post(
                    path, content=body, headers={"Content-Type": "application/json"}
                )
                assert answer.status_code in ALLOWED, (path, body)
                assert SECRET not in answer.text, (path, body)
    return seen


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store whose model answers distance / 8."""
    place = Place(tmp_path / "store")
    place.promote(air_time_model())
    return place


def test_damaged_requests_are_refused_or_read_right(place: Place) -> None:
    """Hundreds of them, and every body of the corpus on both paths."""
    seen = asyncio.run(_ask(place, 800))

    assert {200, 400, 415, 422} <= set(seen)


@pytest.mark.slow
def test_ten_thousand_damaged_requests_are_refused_or_read_right(place: Place) -> None:
    """No 5xx, no wrong prediction, no value echoed."""
    seen = asyncio.run(_ask(place, REQUESTS))

    assert REQUESTS == sum(seen.values())
