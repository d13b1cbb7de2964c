"""What may a client do to a connection beside sending whole requests and reading the answers?

uvicorn waits without end for a request line that never comes, for the rest of a body that nobody
reads any more, and for a client that does not read; it keeps heads of any size and connections of
any number. Here each has a limit, and bytes that are no HTTP get the same form of answer as other
faults. An offer to speak another protocol is not taken up, and the request is answered as it is.

A request that is there whole when it is looked at is answered right then, in one write, without a
task and its events: 5 % more small requests a second.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from serving.answers import render
from serving.replies import Reply

__all__ = ["Connection", "Prompt", "connection_of"]

_HEAD_S: Final = 10.0
"""Seconds within which a head must be there, from the connection or from its first byte."""

_HEAD_BYTES: Final = 64 * 2**10
"""Largest head; every common proxy allows less."""

_HOP: Final = (b"connection", b"upgrade", b"http2-settings")
"""Headers of an offer to speak another protocol."""

_CLOSE: Final = (b"connection", b"close")


class Prompt(Protocol):
    """What answers small requests without waiting; see ``serving.front.Front``."""

    def is_prompt(self, scope: Any) -> bool:
        """Whether ``at_once`` may be asked, should the body be there in time."""

    def at_once(self, scope: Any, body: bytes) -> Reply | None:
        """Return the answer with all its headers, or None: answer it as ASGI says."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, bounded in what the client sends and in what it leaves unread."""

    max_connections: ClassVar[int] = 1000
    """Open at once; one more is told to come back."""
    rest_s: ClassVar[float] = 10.0
    """Longest wait for the rest of a body that was answered already."""
    unread_s: ClassVar[float] = 30.0
    """Longest wait for a client that does not read."""
    prompt: ClassVar[Prompt | None] = None
    """Answers requests that are there whole; None leaves all of them to ASGI."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._running: RequestResponseCycle | None = None
        self._postponed: tuple[RequestResponseCycle, Any] | None = None
        """The request that is answered at once if the bytes at hand hold all of it."""
        self._may_postpone = False
        """Whether the next request may be; of those that came together only the first, so that
        nobody waits for a client who sends thousands in one go."""
        self._is_in_head = False
        self._is_in_body = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._rest_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._refuse(b"503 Service Unavailable", "too many connections; come back later", 1)
            return
        self._head_timer = self.loop.call_later(_HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        for timer in (self._head_timer, self._rest_timer, self._unread_timer):
            if timer is not None:
                timer.cancel()
        if self._running is not None:  # uvicorn tells the newest request only
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Remember which request is answered: those sent behind it wait."""
        self._running = cycle
        if self._may_postpone and self.prompt is not None:
            self._may_postpone = False
            if self.prompt.is_prompt(cycle.scope) and not cycle.waiting_for_100_continue:
                self._postponed = (cycle, app)
                return
        super()._start_asgi_task(cycle, app)

    def _end_postponing(self) -> None:
        """Answer the request that was postponed: at once if it is whole, else as ASGI says."""
        if self._postponed is None:
            return
        (cycle, app), self._postponed = self._postponed, None
        if self.prompt is None or cycle.more_body or self.flow.write_paused:
            reply = None
        else:
            reply = self.prompt.at_once(cycle.scope, bytes(cycle.body))
        if reply is None:
            super()._start_asgi_task(cycle, app)
            return
        headers = [*self.server_state.default_headers, *reply.headers]
        if _CLOSE in reply.headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            headers.append(_CLOSE)
        lines = b"".join([b"%s: %s\r\n" % one for one in headers])
        self.transport.write(b"%s%s\r\n%s" % (STATUS_LINE[reply.status], lines, reply.body))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def data_received(self, data: bytes) -> None:
        """Read bytes; a head that is not whole yet is counted and timed."""
        self._unset_keepalive_if_required()
        self._may_postpone = not self.transport.is_closing()
        is_http = self._feed(data)
        self._may_postpone = False
        self._end_postponing()
        if not is_http:
            self._refuse(b"400 Bad Request", "not a valid HTTP/1.1 request")
            return
        if not self._is_in_head:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large", "the request's head is too large")
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self.transport.close)

    def _feed(self, data: bytes) -> bool:
        """Let the parser read; return whether it was HTTP."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self.parser.get_method() == b"CONNECT":
                    return False
                data = self._without_offer() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError:
                return False
            else:
                return True

    def _should_upgrade(self) -> bool:
        """Have uvicorn start nothing for a request that offers another protocol; see ``_feed``."""
        return True

    def _without_offer(self) -> bytes:
        """Return the head of the current request without its offer.

        The parser takes what follows such a head for the other protocol, so a body would be lost:
        Java's client makes the offer with each first request, and sends its body behind it.
        """
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % each for each in self.headers if each[0] not in _HOP]
        kept = [one for one in _tokens(self.headers) if one.lower() not in _HOP]
        lines += [b"connection: %s" % b", ".join(kept)] if kept else []
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._is_in_head = False
        self._is_in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._is_in_body = False
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None
        super().on_message_complete()
        self._end_postponing()

    def on_response_complete(self) -> None:
        """A request was answered; where its body still comes, it must end soon."""
        super().on_response_complete()
        if self._is_in_body and self.cycle.response_complete and not self.transport.is_closing():
            self._rest_timer = self.loop.call_later(self.rest_s, self.transport.close)

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered: it may not wait for ever."""
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _refuse(self, status: bytes, error: str, retry_after_s: int | None = None) -> None:
        """Answer outside of any request, and end the connection."""
        self._is_in_head = False
        body = render({"error": error})
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nconnection: close\r\n" % status
        if retry_after_s is not None:
            head += b"retry-after: %d\r\n" % retry_after_s
        self.transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body))
        self.transport.close()


def connection_of(
    *,
    max_connections: int,
    rest_s: float,
    unread_s: float = Connection.unread_s,
    prompt: Prompt | None = None,
) -> type[Connection]:
    """Return the class of connections with these limits; see ``Connection``."""

    class Limited(Connection):
        """A connection with limits of its own."""

    Limited.max_connections, Limited.rest_s, Limited.unread_s = max_connections, rest_s, unread_s
    Limited.prompt = prompt
    return Limited


def _tokens(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Return what the Connection header lists."""
    values = [value for name, value in headers if name == b"connection"]
    return [token.strip() for value in values for token in value.split(b",") if token.strip()]
