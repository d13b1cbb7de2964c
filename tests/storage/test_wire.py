"""One request, one whole answer, or an error that says whether anything was sent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from modelwarrant.storage.wire import Answer, NotSentError, UnansweredError, Wire
from tests.storage.test_s3_store import answering


def wire_to(endpoint: str) -> Wire:
    """A wire of little patience."""
    host = endpoint.removeprefix("http://")
    return Wire(host, is_secure=False, connect_timeout_s=1, read_timeout_s=0.3)


def answer_to(data: bytes) -> Answer:
    """What a client makes of these bytes."""
    with answering(data) as endpoint:
        return wire_to(endpoint).send("GET", "/")


@contextmanager
def counting() -> Iterator[tuple[str, list[int]]]:
    """A server that answers every request of a connection, 412 to PUT; counts connections."""
    connections: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk(connection: socket.socket) -> None:
            with connection:
                while request := connection.recv(1 << 16):
                    status = b"412 No" if request.startswith(b"PUT") else b"200 OK"
                    status = b"404 None" if b"/gone" in request else status
                    connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nhi")

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(1)
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", connections
        listener.shutdown(socket.SHUT_RDWR)


def test_a_connection_is_used_again_but_not_after_a_refusal() -> None:
    """Some servers hang up after a 412 without saying so; a write must not find that out."""
    with counting() as (endpoint, connections):
        wire = wire_to(endpoint)
        for method in ("GET", "GET", "PUT", "GET", "GET"):
            wire.send(method, "/")

    assert 2 == len(connections)


def test_a_connection_is_used_again_after_nothing_was_found() -> None:
    """The end of a log is a 404, and asked for before every write."""
    with counting() as (endpoint, connections):
        wire = wire_to(endpoint)
        for target in ("/gone", "/gone", "/"):
            wire.send("GET", target)

    assert 1 == len(connections)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n",
            b"hi",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n",
            b"hi",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nhi", b"hi"),
        (b"HTTP/1.1 204 None\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
    ],
)
def test_every_way_to_end_a_body_is_read(data: bytes, expected: bytes) -> None:
    """By length, in chunks, by the end of the connection, or none at all."""
    assert expected == answer_to(data).body


def test_names_of_headers_are_lower_case() -> None:
    """Servers spell them as they like."""
    answer = answer_to(b'HTTP/1.1 200 OK\r\nETag: "x"\r\nCONTENT-LENGTH: 0\r\n\r\n')

    assert ('"x"', "0") == (answer.headers["etag"], answer.headers["content-length"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhi",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 60_000,
    ],
)
def test_an_answer_that_is_not_whole_is_none(data: bytes) -> None:
    """Whether the request was carried out is not known then."""
    with pytest.raises(UnansweredError):
        answer_to(data)


def test_silence_is_no_answer() -> None:
    """A server that takes the request and says nothing is given up after the patience."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"127.0.0.1:{listener.getsockname()[1]}"

        with pytest.raises(UnansweredError, match="timed out"):
            wire_to(endpoint).send("GET", "/")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid:80"])
def test_without_a_connection_nothing_was_sent(host: str) -> None:
    """Nobody there, or no such name."""
    with pytest.raises(NotSentError, match=host):
        wire_to(host).send("PUT", "/", body=b"x")


def test_a_server_that_does_not_speak_tls_gets_nothing() -> None:
    """The handshake fails before the request."""
    with answering(b"HTTP/1.1 400 Bad\r\n\r\n") as endpoint:
        host = endpoint.removeprefix("http://")
        wire = Wire(host, is_secure=True, connect_timeout_s=1, read_timeout_s=1)

        with pytest.raises(NotSentError):
            wire.send("PUT", "/", body=b"secret")


def test_large_bodies_go_and_come() -> None:
    """More than one part each way."""
    body = bytes(range(256)) * 2048
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    assert body == answer_to(head + body).body
