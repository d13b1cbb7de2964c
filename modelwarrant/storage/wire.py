"""Was this HTTP request sent, and was its answer whole?

A ledger's writer must know three things apart: nothing was sent, an answer came, or neither is
known. General HTTP clients blur them with retries and silent reconnects; the standard library's
connection does neither. This pool keeps such connections, and sends each request once.
"""

import select
import ssl
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection

__all__ = ["Answer", "NotSentError", "UnansweredError", "Wire"]

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
        self._host = host
        self._context = ssl.create_default_context() if is_secure else None
        self._connect_timeout_s, self._read_timeout_s = connect_timeout_s, read_timeout_s
        self._idle: deque[HTTPConnection] = deque(maxlen=_IDLE_KEPT)

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
        try:
            said = {"Host": self._host, **(headers or {})}
            connection.request(method, target, None if method == "GET" else body, said)
            response = connection.getresponse()
            data = response.read()
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            raise UnansweredError(repr(error)) from error
        # After a refused write some servers hang up without saying so (MinIO after 3 to 6 % of its
        # 412): the next request on that connection would be one whose fate is unknown.
        is_fine = response.status < 300 or (method == "GET" and response.status == 404)
        if is_fine and not response.will_close:
            self._idle.append(connection)
        else:
            connection.close()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, data)

    def _connection(self) -> HTTPConnection:
        while self._idle:
            with suppress(IndexError):  # another thread took the last one
                kept = self._idle.pop()
                if _is_quiet(kept):
                    return kept
                kept.close()
        timeout = self._connect_timeout_s
        new = (
            HTTPConnection(self._host, timeout=timeout)
            if self._context is None
            else HTTPSConnection(self._host, timeout=timeout, context=self._context)
        )
        new.auto_open = 0  # a connection that broke is never made again behind our back
        try:
            new.connect()
            new.sock.settimeout(self._read_timeout_s)
        except OSError as error:
            new.close()
            raise NotSentError(f"{self._host}: {error}") from error
        return new


def _is_quiet(connection: HTTPConnection) -> bool:
    """Return whether the server has neither hung up nor said anything unasked."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)
