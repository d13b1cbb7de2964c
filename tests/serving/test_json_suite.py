"""A JSON parser's test corpus, as bodies and in them: never a fault, never a wrong answer."""

import ast
import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.app import create_app
from serving.settings import Settings
from tests.serving.broken import SECRET
from tests.serving.place import Place
from tests.serving.tiny import ROW, air_time_model

CORPUS = Path(__file__).with_name("json_test_suite.tsv")
INFER = "/v2/models/flights/infer"
TYPES = {"distance": "FP64", "wind": "FP64", "carrier": "BYTES", "month": "INT64"}
TYPES |= {"night": "BOOL", "departure": "BYTES"}


def cases() -> list[tuple[str, bytes]]:
    """Return name and bytes of each case."""
    lines = CORPUS.read_text(encoding="ascii").splitlines()
    parts = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(name, int(times) * ast.literal_eval(piece)) for name, times, piece in parts]


def row_with(field: str, raw: bytes) -> bytes:
    """Return a row whose field is this raw text, and that holds a value nobody may see again."""
    row: dict[str, Any] = {**ROW, "carrier": SECRET, field: "@"}
    return json.dumps(row).encode().replace(b'"@"', raw)


def tensors_with(field: str, raw: bytes) -> bytes:
    """Return an inference request whose tensor of that field holds this raw text."""
    values: dict[str, Any] = {**ROW, "carrier": SECRET}
    inputs = [
        {"name": name, "shape": [1], "datatype": kind, "data": [values[name]]}
        for name, kind in TYPES.items()
    ]
    next(one for one in inputs if one["name"] == field)["data"] = "@"
    return json.dumps({"inputs": inputs}).encode().replace(b'"@"', raw)


def bodies(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield path and body of every request that a case makes."""
    yield from (("/predict", content), (INFER, content))
    values = [content]
    if content.startswith(b"[") and content.endswith(b"]"):
        values.append(content[1:-1])
    for raw in values:
        for field in ("distance", "carrier", "departure"):
            yield "/predict", row_with(field, raw)
        whole = row_with("distance", b"500.0")
        yield "/predict", b'{"rows": [%s, %s]}' % (whole, row_with("distance", raw))
    for field in ("distance", "carrier", "night"):
        yield INFER, tensors_with(field, content)


def expected(path: str, body: bytes) -> list[float]:
    """Return what the model answers where Python's own reader takes a body for a request."""
    document = json.loads(body.decode())
    if path == INFER:
        [tensor] = [one for one in document["inputs"] if one["name"] == "distance"]
        return [float(value) / 8 for value in tensor["data"]]
    return [float(row["distance"]) / 8 for row in document.get("rows", [document])]


def said(path: str, answer: Any) -> list[float]:
    """Return the predictions of an answer."""
    if path == INFER:
        found: list[float] = answer["outputs"][0]["data"]
        return found
    return [one["prediction"] for one in answer.get("predictions", [answer])]


def test_corpus_is_whole() -> None:
    """95 cases that must be read, 188 that must not, 35 that may."""
    kinds = [name[:2] for name, _ in cases()]

    assert (95, 188, 35) == tuple(kinds.count(kind) for kind in ("y_", "n_", "i_"))


def test_no_case_is_a_fault_a_wrong_answer_or_comes_back(tmp_path: Path) -> None:
    """What is no JSON is refused wherever it stands; what is answered is answered right."""
    place = Place(tmp_path / "store")
    place.promote(air_time_model())
    follower = place.follower()
    follower.look()
    transport = httpx.ASGITransport(create_app(follower, Settings(model="flights")))

    async def ask() -> dict[int, int]:
        seen: dict[int, int] = {}
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            for name, content in cases():
                for path, body in bodies(content):
                    headers = {"Content-Type": "application/json"}
                    answer = await http.post(path, content=body, headers=headers)
                    where = (name, path, body[:200])
                    seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
                    assert answer.status_code in (200, 400, 422), where
                    assert SECRET not in answer.text, where
                    if answer.status_code == 200:
                        assert not name.startswith("n_"), where
                        assert expected(path, body) == said(path, answer.json()), where
        return seen

    seen = asyncio.run(ask())

    assert 3000 < sum(seen.values())
    assert 20 < seen[200]


@pytest.mark.parametrize("path", ["/predict", INFER])
def test_json_that_is_no_request_is_not_called_broken(tmp_path: Path, path: str) -> None:
    """A person who sent JSON is told what is wrong with the request, not with the JSON."""
    place = Place(tmp_path / "store")
    place.promote(air_time_model())
    follower = place.follower()
    follower.look()
    transport = httpx.ASGITransport(create_app(follower, Settings(model="flights")))

    async def ask() -> list[str]:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            headers = {"Content-Type": "application/json"}
            return [
                (await http.post(path, content=content, headers=headers)).text
                for name, content in cases()
                if name.startswith("y_")
            ]

    assert [] == [text for text in asyncio.run(ask()) if "is not JSON" in text]
