"""A proxy between client and store that spoils one request in a given way."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

FAULTS = (
    "drop before",
    "drop after",
    "5xx before",
    "5xx after",
    "delay",
    "cut body",
    "wrong length",
    "empty 200",
    "a page",
)
"""``before`` and ``after``: whether the store carried the request out. ``delay``: it does, when the
client has given up. ``a page``: a 200 with HTML, as captive portals answer."""

PATIENCE_S = 0.4
"""Of a client that meets a delay, which is longer."""

DELAY_S = 0.8

_BUSY = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>later</Message></Error>"
_PAGE = b"<html><body>Please log in to use this network.</body></html>"


@dataclass
class FaultProxy:
    """Forwards HTTP requests, one at a time a connection.

    Attributes:
        place: which request meets the fault, counted from 0; None: none.
        count: requests so far.
    """

    target: tuple[str, int]
    place: int | None = None
    fault: str = FAULTS[0]
    count: int = 0

    def arm(self, place: int | None, fault: str = FAULTS[0]) -> None:
        """Count from 0 again, and spoil that request."""
        self.place, self.fault, self.count = place, fault, 0

    @property
    def is_met(self) -> bool:
        """Whether the fault has happened."""
        return self.place is not None and self.count > self.place

    def serve(self, connection: socket.socket) -> None:
        """Answer a connection's requests until it ends or a fault ends it."""
        with connection, suppress(OSError):
            reader = connection.makefile("rb")
            while (line := reader.readline()) != b"":
                headers = []
                while (header := reader.readline()).strip():
                    headers.append(tuple(part.strip() for part in header.decode().split(":", 1)))
                sizes = [value for name, value in headers if name.lower() == "content-length"]
                body = reader.read(int(sizes[0])) if sizes else b""
                method, target, _ = line.decode().split()
                number, self.count = self.count, self.count + 1
                fault = self.fault if number == self.place else ""
                if not self._answer(connection, method, target, headers, body, fault):
                    return

    def _answer(
        self,
        connection: socket.socket,
        method: str,
        target: str,
        headers: list[tuple[str, ...]],
        body: bytes,
        fault: str,
    ) -> bool:
        """Answer one request; False where the connection ends."""
        if fault == "drop before":
            return False
        if fault in ("5xx before", "empty 200", "a page"):
            status, kind, data = {
                "5xx before": ("503 Busy", "application/xml", _BUSY),
                "empty 200": ("200 OK", "text/plain", b""),
                "a page": ("200 OK", "text/html", _PAGE),
            }[fault]
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
            connection.sendall(head.encode() + b"\r\n" + data)
            return True
        if fault == "delay":
            time.sleep(DELAY_S)
        status, found, data = self._forward(method, target, headers, body)
        if fault == "drop after":
            return False
        if fault == "5xx after":
            status, found, data = 500, [], _BUSY
        size = len(data)
        if fault == "wrong length":
            size = size // 2 if size else 10
        if fault == "cut body":
            data, size = data[: size // 2], size or 10
        lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in found)]
        head = "\r\n".join([*lines, f"Content-Length: {size}", "", ""])
        connection.sendall(head.encode() + data)
        return fault == ""

    def _forward(
        self, method: str, target: str, headers: list[tuple[str, ...]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        server = http.client.HTTPConnection(*self.target)
        server.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            server.putheader(name, value)
        server.endheaders(body or None)
        answer = server.getresponse()
        data = answer.read()
        kept = [
            (name, value)
            for name, value in answer.getheaders()
            if name.lower() not in ("content-length", "connection", "transfer-encoding")
        ]
        server.close()
        return answer.status, kept, data


@contextmanager
def fault_proxy(endpoint: str) -> Iterator[tuple[FaultProxy, str]]:
    """Run a proxy before the server at this address; yield it and its own address."""
    host, _, port = endpoint.removeprefix("http://").partition(":")
    proxy = FaultProxy((host, int(port)))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=proxy.serve, args=(connection,), daemon=True).start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        yield proxy, f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join()
