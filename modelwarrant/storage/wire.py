"""Was this HTTP request sent, and was its answer whole?

A ledger's writer must know three things apart: nothing was sent, an answer came, or neither is
known. General HTTP clients blur them with retries and silent reconnects. They also cost more: a
small GET takes 450 us of CPU through minio-py, 230 through here, and 16 writers each read every
entry.
"""

import select
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

__all__ = ["Answer", "NotSentError", "UnansweredError", "Wire"]

_PART, _LARGE = 1 << 16, 1 << 20
"""Bytes to receive at a time: of an answer's head, and of a large body."""

_LONGEST_HEAD = 1 << 18
_IDLE_KEPT = 32


class NotSentError(Exception):
    """No connection: nothing of the request left this machine."""


class UnansweredError(Exception):
    """The request left, or some of it; no whole answer came back."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Wire:
    """Connections to one server. Any number of threads may send.

    Args:
        host: host name, or host and port.
        is_secure: whether to use TLS, with this machine's authorities.
        connect_timeout_s: for making a connection.
        read_timeout_s: for each wait for the next bytes.
    """

    def __init__(
        self, host: str, *, is_secure: bool, connect_timeout_s: float, read_timeout_s: float
    ) -> None:
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name or not port.isdecimal():
            name, port = host, "443" if is_secure else "80"
        self._host, self._name, self._port = host, name.strip("[]"), int(port)
        self._context = ssl.create_default_context() if is_secure else None
        self._connect_timeout_s, self._read_timeout_s = connect_timeout_s, read_timeout_s
        self._idle: deque[_Connection] = deque(maxlen=_IDLE_KEPT)

    def send(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send one request, once, and return its answer.

        Args:
            method: ``GET`` or ``PUT``.
            target: path and query, quoted.
            headers: further headers; ``Host`` and ``Content-Length`` are set here.
            body: what to send.

        Raises:
            NotSentError: nothing was sent.
            UnansweredError: whether the server carried it out is not known.
        """
        connection = self._connection()
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}"]
        if method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        head = "\r\n".join([*lines, "\r\n"]).encode("ascii")
        try:
            answer, may_stay = connection.exchange(head, body)
        except (OSError, ValueError) as error:
            connection.close()
            raise UnansweredError(f"{type(error).__name__}: {error}") from error
        # After a refusal some servers hang up without saying so (MinIO after 3 to 6 % of its 412):
        # the next request on that connection would be one whose fate is unknown.
        if may_stay and answer.status < 300:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _connection(self) -> "_Connection":
        while self._idle:
            with suppress(IndexError):  # another thread took the last one
                kept = self._idle.pop()
                if kept.is_quiet():
                    return kept
                kept.close()
        address, plain = (self._name, self._port), None
        try:
            plain = socket.create_connection(address, timeout=self._connect_timeout_s)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                plain = self._context.wrap_socket(plain, server_hostname=self._name)
            plain.settimeout(self._read_timeout_s)
        except OSError as error:
            if plain is not None:
                plain.close()
            raise NotSentError(f"{self._host}: {error}") from error
        return _Connection(plain)


class _Connection:
    """One connection; between two exchanges nothing may come from the server."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self._ahead = b""
        """Received, and not yet taken."""

    def is_quiet(self) -> bool:
        """Return whether the server has neither hung up nor said anything unasked."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not self._ahead and not poll.poll(0)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()

    def exchange(self, head: bytes, body: bytes) -> tuple[Answer, bool]:
        """Send a request and read its answer; also whether the connection may be used again.

        Raises:
            OSError: the connection broke or timed out.
            ValueError: what came back is no whole HTTP answer.
        """
        if len(body) < _PART:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)
        status = 100
        while 100 <= status < 200:
            first, *lines = self._until(b"\r\n\r\n").split(b"\r\n")
            is_new, status = _status(first)
            headers = dict(map(_header, lines))
        length = headers.get("content-length")
        if status in (204, 304):
            data = b""
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            data = self._chunks()
        elif length is not None:
            data = self._exactly(_whole(length))
        else:
            data, is_new = self._rest(), False
        says_close = headers.get("connection", "").lower() == "close"
        return Answer(status, headers, data), is_new and not says_close

    def _more(self) -> bytes:
        return self._socket.recv(_PART)

    def _until(self, end: bytes) -> bytes:
        """Take what comes before an end mark, and the mark."""
        while (place := self._ahead.find(end)) < 0:
            more = self._more()
            if not more:
                raise ValueError("the answer ended early" if self._ahead else "no answer came")
            self._ahead += more
            if len(self._ahead) > _LONGEST_HEAD and end not in self._ahead:
                raise ValueError("the head of the answer has no end")
        taken, self._ahead = self._ahead[:place], self._ahead[place + len(end) :]
        return taken

    def _exactly(self, size: int) -> bytes:
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(taken) == size:
            return taken
        parts, missing = [taken], size - len(taken)
        while missing:
            more = self._socket.recv(min(missing, _LARGE))
            if not more:
                raise ValueError(f"the answer ended {missing} bytes before its {size} were there")
            parts.append(more)
            missing -= len(more)
        return b"".join(parts)

    def _chunks(self) -> bytes:
        parts = []
        while size := _whole(self._until(b"\r\n").partition(b";")[0].decode("latin-1"), 16):
            parts.append(self._exactly(size))
            self._until(b"\r\n")
        while self._until(b"\r\n"):
            pass  # trailers
        return b"".join(parts)

    def _rest(self) -> bytes:
        parts = [self._ahead]
        while more := self._more():
            parts.append(more)
        self._ahead = b""
        return b"".join(parts)


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon:
        raise ValueError(f"{line[:80]!r} is no header")
    return name.lower(), value.strip()


def _status(line: bytes) -> tuple[bool, int]:
    """Whether the server speaks HTTP/1.1, which keeps connections, and its status."""
    version, _, rest = line.partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/1.") or not status.isdigit():
        raise ValueError(f"{line[:80]!r} is no HTTP answer")
    return version == b"HTTP/1.1", int(status)


def _whole(text: str, base: int = 10) -> int:
    digits = text.strip()
    if not digits.isalnum():
        raise ValueError(f"{text[:80]!r} is no length")
    return int(digits, base)
