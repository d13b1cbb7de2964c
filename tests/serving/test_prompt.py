"""A request that is there whole is answered in one go, and exactly as one that comes in pieces."""

import asyncio
import json
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from serving.app import create_app
from serving.front import Front
from serving.settings import Settings
from tests.serving.place import Place
from tests.serving.test_wire import BODY, exchange, head, log, port  # noqa: F401 - fixtures
from tests.serving.tiny import late_model

TENSORS = json.dumps({"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}]})


def front(folder: Path, **settings: Any) -> Front:
    """Return the application over a store with one version in production."""
    place = Place(folder)
    place.promote(late_model())
    follower = place.follower()
    follower.look()
    return create_app(follower, Settings(model="flights", **settings))


def scope(path: str = "/predict", method: str = "POST") -> dict[str, Any]:
    """Return what a connection says of a request."""
    headers = [(b"content-type", b"application/json")]
    return {"type": "http", "method": method, "path": path, "headers": headers}


def answered(at: int, *pieces: bytes) -> bytes:
    """Send a request, 0.05 s between its pieces; return its answer without the time in it."""
    found = b""
    with socket.create_connection(("127.0.0.1", at), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.05)
        while not (length := re.search(rb"content-length: (\d+)", found)) or len(
            found.partition(b"\r\n\r\n")[2]
        ) < int(length[1]):
            found += connection.recv(65536)
    return re.sub(rb"date: [^\r]+", b"date:", found)


@pytest.mark.parametrize(
    ("path", "body", "more"),
    [
        ("/predict", BODY, ()),
        ("/predict", BODY, ("Content-Encoding: gzip",)),
        ("/predict", b"{", ()),
        ("/predict", b'{"distance": "far"}', ()),
        ("/v2/models/flights/infer", TENSORS.encode(), ()),
        ("/v2/models/flights/infer", b"[]", ("Inference-Header-Content-Length: x",)),
    ],
)
def test_whole_and_in_pieces_are_answered_alike(
    port: int,  # noqa: F811 - the fixture
    path: str,
    body: bytes,
    more: tuple[str, ...],
) -> None:
    """Status, headers in their order and body are the same bytes, whether right or wrong."""
    asks = head(len(body), "X-Request-Id: a", *more, path=path)

    assert answered(port, asks, body[:1], body[1:]) == answered(port, asks + body)


def test_old_clients_get_an_answer_and_the_end(port: int) -> None:  # noqa: F811 - the fixture
    """HTTP/1.0 keeps no connection open."""
    request = (head(len(BODY)) + BODY).replace(b"HTTP/1.1", b"HTTP/1.0")

    answer = exchange(port, request)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert 1 == answer.count(b"connection: close")


def test_many_requests_sent_at_once_are_all_answered(port: int) -> None:  # noqa: F811
    """The first of them at once, the others in their turn, in order."""
    ids = [f"r{number}" for number in range(50)]
    requests = [head(len(BODY), f"X-Request-Id: {each}") + BODY for each in ids]

    answer = exchange(port, b"".join(requests), until=b'"r49"')

    assert ids == re.findall(r'"request_id":"(r\d+)"', answer.decode())


def test_only_predictions_by_post_are_answered_at_once(tmp_path: Path) -> None:
    """Everything else is left to ASGI."""
    app = front(tmp_path)

    assert app.plan(scope()) is not None
    assert app.plan(scope("/v2/models/flights/infer")) is not None
    assert app.plan(scope(method="GET")) is None
    assert app.plan(scope("/docs")) is None
    assert app.plan(scope("/v2/models/other/infer")) is None


@pytest.mark.parametrize("more", [(b"x-request-id", b" "), (b"content-type", b"text/plain")])
def test_what_is_refused_by_its_head_is_left_to_asgi(
    tmp_path: Path, more: tuple[bytes, bytes]
) -> None:
    """There the client is told why."""
    asked = scope()
    asked["headers"].append(more)

    assert front(tmp_path).plan(asked) is None


def test_large_body_is_left_to_the_worker_thread(tmp_path: Path) -> None:
    """It is not even read on the event loop."""
    plan = front(tmp_path, inline_body_bytes=len(BODY) - 1).plan(scope())

    assert plan is not None
    assert plan.answer(BODY, {}) is None


def test_slow_model_answers_on_the_worker_thread_what_was_read_before(tmp_path: Path) -> None:
    """The body is read once: what the connection holds is not asked for again."""
    app = front(tmp_path, inline_s=0.0)
    asked, sent = scope(), []

    async def receive() -> Any:
        raise AssertionError("the body was read before")

    async def send(message: Any) -> None:
        sent.append(message)

    plan = app.plan(asked)
    assert plan is not None
    assert plan.answer(BODY, asked) is None
    asyncio.run(app(asked, receive, send))

    assert 200 == sent[0]["status"]
    assert "prediction" in json.loads(sent[1]["body"])


def test_every_request_without_an_id_gets_one_of_its_own(tmp_path: Path) -> None:
    """Also where one plan answers many of them."""
    plan = front(tmp_path).plan(scope())
    assert plan is not None

    replies = [plan.answer(BODY, {}) for _ in range(3)]

    assert 3 == len({json.loads(one.body)["request_id"] for one in replies if one is not None})


def test_many_small_requests_to_a_slow_model_wait_for_their_turn(tmp_path: Path) -> None:
    """They hold little memory, so the limit on large bodies does not turn them away."""
    app = front(tmp_path, inline_s=0.0, max_waiting=0)

    async def receive() -> Any:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def ask() -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope(), receive, send)
        return int(sent[0]["status"])

    async def ask_all(count: int) -> list[int]:
        return await asyncio.gather(*(ask() for _ in range(count)))

    assert [200] * 64 == asyncio.run(ask_all(64))
    assert 503 in asyncio.run(ask_all(65))
