"""Was this HTTP request sent, and was its answer whole?

A ledger's writer must know three things apart: nothing was sent, an answer came, or neither is
known. General HTTP clients blur them with retries and silent reconnects. This pool keeps plain
connections, sends each request once, and takes in nothing that RFC 9112 does not call a message.
It is also fast: a writer among sixteen sends twenty requests for each entry of its own, and the
standard library's parser of headers costs more than all the rest of a request.
"""

import re
import select
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["Answer", "NotSentError", "UnansweredError", "Wire"]

_IDLE_KEPT = 32
_PART = 1 << 16
"""Bytes asked for at a time; also the longest head of an answer and the longest line in a body."""

_STATUS = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?", re.ASCII)
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.ASCII)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_BODILESS = frozenset({204, 304})


class NotSentError(Exception):
    """No connection: nothing of the request left this machine."""


class UnansweredError(Exception):
    """The request left, or some of it; no whole answer came back."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of several by one name the values, joined by commas."""
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
        self._host = host
        address = urlsplit(f"//{host}")
        self._address = (address.hostname or "", address.port or (443 if is_secure else 80))
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
            body: what to send; a GET has none.

        Raises:
            NotSentError: nothing was sent.
            UnansweredError: whether the server carried it out is not known.
            ValueError: target or a header holds what may not stand there.
        """
        said = {"Host": self._host, "Accept-Encoding": "identity", **(headers or {})}
        if method != "GET":
            said["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{key}: {said[key]}" for key in said)]
        if any(not line.isprintable() for line in lines) or " " in target:
            raise ValueError(f"not a request: {lines!r}")
        head = "\r\n".join([*lines, "", ""]).encode("ascii")
        connection = self._connection()
        try:
            connection.write(head, body)
            answer = connection.answer()
        except (OSError, ValueError) as error:
            connection.close()
            raise UnansweredError(repr(error)) from error
        # After a refused write some servers hang up without saying so (MinIO after 3 to 6 % of its
        # 412): the next request on that connection would be one whose fate is unknown.
        is_fine = answer.status < 300 or (method == "GET" and answer.status == 404)
        if is_fine and connection.may_stay:
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
        try:
            new = socket.create_connection(self._address, self._connect_timeout_s)
        except (OSError, UnicodeError) as error:
            raise NotSentError(f"{self._host}: {error}") from error
        try:
            new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                new = self._context.wrap_socket(new, server_hostname=self._address[0])
            new.settimeout(self._read_timeout_s)
        except OSError as error:
            new.close()
            raise NotSentError(f"{self._host}: {error}") from error
        return _Connection(new)


class _Connection:
    """One connection, and what has arrived on it and not been read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._arrived = b""
        self.may_stay = True
        """Whether another request may follow on it."""

    def close(self) -> None:
        self._sock.close()

    def is_quiet(self) -> bool:
        """Return whether the server has neither hung up nor said anything unasked."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def write(self, head: bytes, body: bytes) -> None:
        if len(body) > _PART:
            self._sock.sendall(head)
            self._sock.sendall(body)
        else:
            self._sock.sendall(head + body)

    def answer(self) -> Answer:
        """Read one answer.

        Raises:
            OSError: it does not arrive.
            ValueError: it is not whole, or none.
        """
        status, headers = 100, dict[str, str]()
        while 100 <= status < 200:
            status, headers = self._head()
        body = b"" if status in _BODILESS else self._body(headers)
        self.may_stay = self.may_stay and not self._arrived
        return Answer(status, headers, body)

    def _head(self) -> tuple[int, dict[str, str]]:
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = _STATUS.fullmatch(first)
        if status is None:
            raise ValueError(f"{first[:80]!r} is no answer of an HTTP server")
        headers: dict[str, str] = {}
        for line in lines:
            header = _HEADER.fullmatch(line)
            if header is None:
                raise ValueError(f"{line[:80]!r} is no header")
            name, value = header[1].lower(), header[2]
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        kept = "keep-alive" if status[1] == "0" else "close"
        is_said = kept in headers.get("connection", "").lower()
        self.may_stay = is_said == (status[1] == "0")
        return int(status[2]), headers

    def _body(self, headers: Mapping[str, str]) -> bytes:
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise ValueError(f"a body in {coding!r}, of length {length!r}")
            return self._chunks()
        if length is not None:
            if not (length.isascii() and length.isdecimal()):
                raise ValueError(f"a body of length {length!r}")
            return self._exactly(int(length))
        self.may_stay = False
        return self._rest()

    def _chunks(self) -> bytes:
        body = []
        while True:
            size = _SIZE.fullmatch(self._until(b"\r\n"))
            if size is None:
                raise ValueError("a chunk without a size")
            if int(size[1], 16) == 0:
                break
            body.append(self._exactly(int(size[1], 16)))
            if self._exactly(2) != b"\r\n":
                raise ValueError("a chunk of another size than it says")
        while self._until(b"\r\n"):  # trailers
            pass
        return b"".join(body)

    def _until(self, end: bytes) -> bytes:
        """Return what stands before an end, which is taken away too."""
        while (place := self._arrived.find(end)) < 0:
            if len(self._arrived) > _PART:
                raise ValueError("a head that does not end")
            self._arrived += self._more()
        found, self._arrived = self._arrived[:place], self._arrived[place + len(end) :]
        return found

    def _exactly(self, size: int) -> bytes:
        if len(self._arrived) < size:
            parts, missing = [self._arrived], size - len(self._arrived)
            self._arrived = b""
            while missing > 0:
                part = self._sock.recv(min(missing, 1 << 20))
                if not part:
                    raise ValueError(f"{size - missing} bytes read, {missing} more expected")
                parts.append(part)
                missing -= len(part)
            return b"".join(parts)
        found, self._arrived = self._arrived[:size], self._arrived[size:]
        return found

    def _rest(self) -> bytes:
        parts, self._arrived = [self._arrived], b""
        while part := self._sock.recv(_PART):
            parts.append(part)
        return b"".join(parts)

    def _more(self) -> bytes:
        part = self._sock.recv(_PART)
        if not part:
            raise ValueError("the connection ended before the answer did")
        return part
