"""A request whose head was read before is answered as if it had not been."""

import json
import re
import socket
from typing import Any

import pytest

from serving.heads import AnswerHeads, KnownHeads
from serving.replies import Reply
from tests.serving.test_prompt import TENSORS
from tests.serving.test_wire import BODY, exchange, head, log, port  # noqa: F401 - fixtures

HEAD = b"POST /predict HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
PLAN: Any = object()
INFER = "/v2/models/flights/infer"


def test_known_head_gives_its_plan_and_the_body() -> None:
    """Whatever the body is, if it is as long as the head says."""
    heads = KnownHeads()
    heads.learn(HEAD + b"abcd", 4, PLAN)

    assert (PLAN, b"efgh") == heads.find(HEAD + b"efgh")


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"abc",
        HEAD + b"abcde",
        HEAD,
        HEAD[:-4],
        HEAD.replace(b"4", b"5") + b"abcde",
        HEAD.replace(b"/predict", b"/Predict") + b"abcd",
        b"",
    ],
)
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    """Half a request, one and a half, another head."""
    heads = KnownHeads()
    heads.learn(HEAD + b"abcd", 4, PLAN)

    assert heads.find(data) is None


def test_body_in_chunks_is_not_learned() -> None:
    """Its head does not say how long the bytes behind it are."""
    heads, data = KnownHeads(), HEAD + b"4\r\nabcd\r\n0\r\n\r\n"
    heads.learn(data, 4, PLAN)

    assert heads.find(data) is None


def test_heads_do_not_fill_the_memory() -> None:
    """However many different ones come, and however long they are."""
    heads = KnownHeads()
    for number in range(5000):
        heads.learn(b"POST /%d HTTP/1.1\r\n\r\n" % number, 0, PLAN)
    heads.learn(b"POST / HTTP/1.1\r\nA: " + b"a" * 5000 + b"\r\n\r\n", 0, PLAN)

    assert len(heads._known) <= 512


def test_date_of_an_answer_is_the_servers_newest() -> None:
    """What all answers share is written again when it changes."""
    heads = AnswerHeads()

    first = heads.of(Reply(200, b"{}"), [(b"date", b"1")], is_last=False)
    second = heads.of(Reply(200, b"{}"), [(b"date", b"2")], is_last=True)

    rest = b"\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
    assert b"HTTP/1.1 200 OK\r\ndate: 1" + rest + b"\r\n" == first
    assert b"HTTP/1.1 200 OK\r\ndate: 2" + rest + b"connection: close\r\n\r\n" == second


def one_answer(connection: socket.socket) -> bytes:
    """Read one answer with a body."""
    found = b""
    while not (length := re.search(rb"content-length: (\d+)\r\n", found)) or len(
        found.partition(b"\r\n\r\n")[2]
    ) < int(length[1]):
        received = connection.recv(65536)
        assert received, found
        found += received
    return found


def without_marks(answer: bytes) -> bytes:
    """Return an answer without what each has of its own."""
    answer = re.sub(rb"date: [^\r]+", b"date:", answer)
    return re.sub(rb'"(request_)?id":"[0-9a-f]+"', b"", answer)


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("/predict", BODY, b"{" + b" " * (len(BODY) - 2) + b"]"),
        (INFER, TENSORS.encode(), b"[" + b" " * (len(TENSORS) - 2) + b"]"),
    ],
)
def test_again_on_one_connection_is_answered_like_the_first_time(
    port: int,  # noqa: F811 - the fixture
    path: str,
    right: bytes,
    wrong: bytes,
) -> None:
    """Right and wrong bodies behind one head, and one in pieces between them."""
    asks = head(len(right), path=path)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:

        def answer(*pieces: bytes) -> bytes:
            for piece in pieces:
                connection.sendall(piece)
            return without_marks(one_answer(connection))

        first, refused = answer(asks + right), answer(asks + wrong)
        again = [answer(asks + right), answer(asks, right), answer(asks + right)]
        refused_again = answer(asks + wrong)

    assert [first] * 3 == again
    assert refused == refused_again
    assert first != refused


@pytest.mark.slow
def test_connection_that_is_idle_after_known_heads_is_closed(
    port: int,  # noqa: F811 - the fixture
) -> None:
    """Five seconds after the last answer, not after the first; nothing is sent before the end."""
    asks = head(len(BODY)) + BODY
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for _ in range(3):
            connection.sendall(asks)
            one_answer(connection)
        assert b"" == connection.recv(1)


SLOW = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("rubbish", [b"\x00\x01\r\n\r\n", head(3, "Content-Length: 4") + b"abc"])
def test_rubbish_behind_good_requests_loses_none_of_their_answers(
    port: int,  # noqa: F811 - the fixture
    rubbish: bytes,
) -> None:
    """All are answered, in order; then the rubbish is refused, and the connection ends."""
    good = SLOW + head(len(BODY)) + BODY + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = exchange(port, good + rubbish)

    assert [b"200", b"200", b"200", b"400"] == re.findall(rb"HTTP/1.1 (\d+)", answer)
    assert answer.index(b"<html") < answer.index(b'"prediction"') < answer.index(b'"live"')


def test_request_that_breaks_off_in_rubbish_is_refused_behind_good_ones(
    port: int,  # noqa: F811 - the fixture
) -> None:
    """It had a head, and its body is no body in chunks."""
    broken = head(None, "Transfer-Encoding: chunked") + b"zz\r\n"

    answer = exchange(port, SLOW + head(len(BODY)) + BODY + broken + json.dumps({}).encode())

    assert [b"200", b"200", b"400"] == re.findall(rb"HTTP/1.1 (\d+)", answer)
