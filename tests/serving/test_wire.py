"""What comes over the wire before there is a request, and what stays away."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.serving.place import Place
from tests.serving.test_process import PROGRAM
from tests.serving.tiny import ROW, late_model

CONNECTIONS = 60


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the service says."""
    return tmp_path_factory.mktemp("log") / "log.jsonl"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, log: Path) -> Iterator[int]:
    """Where one service listens."""
    folder = tmp_path_factory.mktemp("wire")
    place = Place(folder / "store")
    place.promote(late_model())
    limits = {"body_timeout_s": 0.3, "answer_timeout_s": 1.0, "max_connections": CONNECTIONS}
    options = json.dumps({**limits, "log_payload": False})
    arguments = [str(place.root), str(folder / "cache"), options]
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
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


def head(length: int | None, *more: str, path: str = "/predict") -> bytes:
    """Return the head of a POST, without a length where its body is chunked."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *more]
    lines += [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([*lines, "", ""]).encode()


def chunks(*pieces: bytes) -> bytes:
    """Return a body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


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


BODY = json.dumps(ROW).encode()
UPGRADE = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"]


def test_offer_of_another_protocol_is_not_taken_up(port: int) -> None:
    """Java's client offers HTTP/2 with each first request, and its body stands behind the offer."""
    request = head(len(BODY), *UPGRADE) + BODY

    answer = exchange(port, request * 2 + head(len(BODY), "Connection: close") + BODY)

    assert 3 == answer.count(b" 200 OK")
    assert 3 == answer.count(b'"prediction"')


def test_offer_may_come_in_pieces_and_with_other_words_beside_it(port: int) -> None:
    """What else the Connection header says still counts: the connection ends."""
    request = head(None, "Connection: close, upgrade", *UPGRADE[1:], "Transfer-Encoding: chunked")
    request += chunks(BODY[:7], BODY[7:])
    pieces = [request[i : i + 30] for i in range(0, len(request), 30)]

    assert b" 200 OK" in exchange(port, *pieces, pause_s=0.002)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
        (b"GET /livez HTTP/1.1\r\nA : b\r\n\r\n", b"400"),
        (b"GET /livez HTTP/1.1\r\nA: b\r\n c\r\n\r\n", b"400"),
        (head(5, "Content-Length: 6") + BODY, b"400"),
        (head(5, "Transfer-Encoding: chunked") + chunks(BODY), b"400"),
        (head(-1) + BODY, b"400"),
        (head(10**30) + BODY, b"400"),
        (head(None, "Transfer-Encoding: chunked") + b"zz\r\n" + BODY, b"400"),
        (head(None, "Transfer-Encoding: gzip, chunked") + chunks(BODY), b"415"),
        (head(len(BODY), "Content-Encoding: gzip") + BODY, b"415"),
        (head(len(BODY), "X-Request-Id: a", "X-Request-Id: b") + BODY, b"400"),
        (b"GET /v2/models/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"GET /v2/models/flights/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"POST /v2/models/%2e%2e/infer HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"GET /%00%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"OPTIONS /predict HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"TRACE /predict HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (head(None, "Transfer-Encoding: chunked") + chunks(BODY[:9], BODY[9:]), b"200"),
        (head(len(BODY), path="/predict?x=%ff#y") + BODY, b"200"),
    ],
)
def test_odd_requests_have_one_answer_in_json(port: int, request_: bytes, status: bytes) -> None:
    """Two lengths, compression, other protocols, paths that climb: none is guessed at."""
    answer = exchange(port, request_, until=b"}")

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"passwd" not in answer
    json.loads(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v2", "/docs", "/metrics", "/version"])
def test_head_is_answered_like_get_without_a_body(port: int, path: str) -> None:
    """Load balancers ask so."""
    ask = f" {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()

    got, headed = exchange(port, b"GET" + ask), exchange(port, b"HEAD" + ask)

    assert headed.startswith(b"HTTP/1.1 200")
    assert headed.endswith(b"\r\n\r\n")
    assert headed.count(b"\r\n") == got.partition(b"\r\n\r\n")[0].count(b"\r\n") + 2


def test_client_that_asks_first_is_told_before_it_sends(port: int) -> None:
    """``Expect: 100-continue``: go on for a body that may come, 413 for one that may not."""
    asks = head(len(BODY), "Expect: 100-continue")
    assert b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK" in exchange(
        port, asks, BODY, until=b'"}', pause_s=0.05
    )

    refused = exchange(port, head(10**9, "Expect: 100-continue"), until=b"}")
    assert refused.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("path", ["/nothing", "/livez", "/v2/models/other/infer"])
def test_body_that_nobody_reads_may_not_come_for_ever(port: int, path: str) -> None:
    """The answer is there at once; the connection ends soon after, however the rest trickles."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head(10**6, path=path))
        assert b"HTTP/1.1 40" in connection.recv(65536)
        with pytest.raises(OSError):  # closed by the other side
            while time.monotonic() - began < 10:
                connection.sendall(b" ")
                time.sleep(0.02)

    assert time.monotonic() - began < 5


def test_client_that_does_not_read_is_cut_off(port: int, log: Path) -> None:
    """Answers that wait for it hold memory; others are answered meanwhile."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n" * 1500)
        assert b" 200 OK" in exchange(port, head(len(BODY)) + BODY, until=b'"}')
        time.sleep(3)
        received = 0
        with suppress(ConnectionResetError):
            while data := connection.recv(2**20):
                received += len(data)

    assert received < 1500 * 8000
    assert "request_failed" not in log.read_text()


def test_more_connections_than_allowed_are_told_to_come_back(port: int) -> None:
    """Files and memory of the process are bounded; who gives a place back makes room."""
    with ExitStack() as held:
        for _ in range(CONNECTIONS):
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        refused = exchange(port)
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"\r\nretry-after: 1\r\n" in refused
    time.sleep(0.1)

    assert b" 200 OK" in exchange(port, head(len(BODY)) + BODY, until=b'"}')


@pytest.mark.slow
def test_head_that_never_ends_closes_the_connection(port: int) -> None:
    """After ten seconds, whether anything was sent or not; others are answered meanwhile."""
    for start in (b"", b"GET /livez HT"):
        began = time.monotonic()
        assert b"" == exchange(port, start)
        assert 8 < time.monotonic() - began < 15
