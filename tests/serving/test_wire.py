"""What comes over the wire before there is a request, and what stays away."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.serving.place import Place
from tests.serving.test_process import PROGRAM
from tests.serving.tiny import ROW, late_model


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where one service listens."""
    folder = tmp_path_factory.mktemp("wire")
    place = Place(folder / "store")
    place.promote(late_model())
    options = json.dumps({"body_timeout_s": 0.3, "log_payload": False})
    arguments = [str(place.root), str(folder / "cache"), options]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = int(process.stdout.readline().rpartition(":")[2])
    deadline = time.monotonic() + 20
    while b" 200 " not in exchange(port, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", until=b"}"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield port
    process.terminate()
    process.communicate()


def exchange(port: int, *pieces: bytes, until: bytes = b"", pause_s: float = 0.0) -> bytes:
    """Send pieces and return what came back, up to a text or the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        found = b""
        while not (until and until in found):
            received = connection.recv(65536)
            if not received:
                break
            found += received
        return found


def head(length: int, path: str = "/predict") -> bytes:
    """Return the head of a POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json"]
    return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


@pytest.mark.parametrize(
    "piece", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"G@T / HTTP/9\r\n\r\n"]
)
def test_bytes_that_are_no_http_are_400_in_the_same_form(port: int, piece: bytes) -> None:
    """With an error in JSON, and the connection ends."""
    answer = exchange(port, piece)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"error":' in answer


def test_head_without_end_is_431(port: int) -> None:
    """Headers cannot fill the memory."""
    pieces = [b"GET / HTTP/1.1\r\n", *([b"X-A: " + b"a" * 10_000 + b"\r\n"] * 7)]

    assert b" 431 " in exchange(port, *pieces, until=b"}", pause_s=0.01)


def test_body_in_pieces_is_answered(port: int) -> None:
    """A client may be slow, within the limit."""
    body = json.dumps(ROW).encode()
    pieces = [head(len(body)), *(body[i : i + 40] for i in range(0, len(body), 40))]

    assert b" 200 OK" in exchange(port, *pieces, until=b'"}', pause_s=0.01)


def test_body_that_stops_is_408_and_the_connection_ends(port: int) -> None:
    """Whether some of it came or nothing."""
    for start in (b"", b'{"distance"'):
        assert b" 408 " in exchange(port, head(100), start)


def test_body_declared_too_large_is_413_before_it_is_sent(port: int) -> None:
    """The answer comes with the head alone."""
    assert b" 413 " in exchange(port, head(10**9), until=b"}")


def test_client_that_goes_away_harms_nobody(port: int) -> None:
    """Half a request, then nothing: the next client is answered."""
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head(100) + b'{"dist')

    body = json.dumps(ROW).encode()
    assert b" 200 OK" in exchange(port, head(len(body)) + body, until=b'"}')


def test_requests_sent_at_once_are_answered_in_order(port: int) -> None:
    """Pipelining, over one connection."""
    body = json.dumps(ROW).encode()
    both = head(len(body)) + body + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = exchange(port, both, until=b'{"live":true}')

    assert answer.index(b'"prediction"') < answer.index(b'"live"')


@pytest.mark.slow
def test_head_that_never_ends_closes_the_connection(port: int) -> None:
    """After ten seconds, whether anything was sent or not; others are answered meanwhile."""
    for start in (b"", b"GET /livez HT"):
        began = time.monotonic()
        assert b"" == exchange(port, start)
        assert 8 < time.monotonic() - began < 15
