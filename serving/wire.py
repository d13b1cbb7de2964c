"""What may a client do to a connection beside sending whole requests and reading the answers?

uvicorn waits without end for a request line that never comes, for the rest of a body that nobody
reads any more, and for a client that does not read; it keeps heads of any size and connections of
any number. Here each has a limit, and bytes that are no HTTP get the same form of answer as other
faults. An offer to speak another protocol is not taken up, and the request is answered as it is.

A request that is there whole when it is looked at is answered right then, in one write, without a
task and its events. If its head was read before, byte for byte, the parser is not asked again.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from serving.answers import render
from serving.heads import AnswerHeads, KnownHeads, Plan
from serving.replies import Reply

__all__ = ["Connection", "Prompt", "connection_of"]

_HEAD_S: Final = 10.0
"""Seconds within which a head must be there, from the connection or from its first byte."""

_HEAD_BYTES: Final = 64 * 2**10
"""Largest head; every common proxy allows less."""

_HOP: Final = (b"connection", b"upgrade", b"http2-settings")
"""Headers of an offer to speak another protocol."""


class Prompt(Protocol):
    """What answers small requests without waiting; see ``serving.front.Front``."""

    @property
    def is_closing(self) -> bool:
        """Whether every answer is the last of its connection."""

    def plan(self, scope: Any) -> Plan | None:
        """Return what answers such requests at once; None leaves them to ASGI."""


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
    heads: ClassVar[KnownHeads] = KnownHeads()
    answer_heads: ClassVar[AnswerHeads] = AnswerHeads()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._running: RequestResponseCycle | None = None
        self._postponed: tuple[RequestResponseCycle, Any, Plan] | None = None
        """The request that is answered at once if the bytes at hand hold all of it."""
        self._plan: Plan | None = None
        """What answered the request that ended last, if it did at once."""
        self._left: dict[str, Any] | None = None
        """What a plan that does not answer at once found out about the request at hand."""
        self._answered_at = 0.0
        """When a request with a known head was answered last, in the loop's time."""
        self._ends_with_refusal = False
        """Whether what comes behind the requests at hand is no HTTP."""
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
            if self._left is not None:
                cycle.scope.update(self._left)  # type: ignore[typeddict-item]  # our own names
            elif not cycle.waiting_for_100_continue:
                plan = self.prompt.plan(cycle.scope)
                if plan is not None:
                    self._postponed = (cycle, app, plan)
                    return
        super()._start_asgi_task(cycle, app)

    def _end_postponing(self) -> Plan | None:
        """Answer the request that was postponed: at once if it is whole, else as ASGI says.

        Returns:
            What answered it at once, if the connection stays open.
        """
        if self._postponed is None:
            return None
        (cycle, app, plan), self._postponed = self._postponed, None
        if cycle.more_body or self.flow.write_paused:
            reply = None
        else:
            reply = plan.answer(bytes(cycle.body), cycle.scope)  # type: ignore[arg-type]  # a dict
        if reply is None:
            super()._start_asgi_task(cycle, app)
            return None
        cycle.response_started = cycle.response_complete = True
        cycle.keep_alive = self._write(reply, is_last=not cycle.keep_alive)
        self.on_response_complete()
        return plan if cycle.keep_alive else None

    def _write(self, reply: Reply, *, is_last: bool) -> bool:
        """Send an answer; return whether the connection stays open."""
        is_last = is_last or (self.prompt is not None and self.prompt.is_closing)
        common = self.server_state.default_headers
        head = self.answer_heads.of(reply, common, is_last=is_last)
        self.transport.write(head + reply.body)
        if is_last:
            self.transport.close()
        return not is_last

    def _answer_known(self, data: bytes) -> bool:
        """Answer a request with a known head; return whether the bytes were one.

        The parser is between two requests then, and stays there.
        """
        cycle = self.cycle
        if self._is_in_head or self._is_in_body or self.flow.write_paused:
            return False
        if not (cycle is None or cycle.response_complete) or self.transport.is_closing():
            return False
        found = self.heads.find(data)
        if found is None:
            return False
        left: dict[str, Any] = {}
        reply = found[0].answer(found[1], left)
        if reply is None:
            self._left = left
            return False
        self.server_state.total_requests += 1
        if not self._write(reply, is_last=False):
            return True
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait_for_next(self.timeout_keep_alive)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        return True

    def _wait_for_next(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that is idle; one timer serves many requests with known heads."""
        rest_s = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if rest_s > 0:
            self._wait_for_next(rest_s)
        else:
            super().timeout_keep_alive_handler()

    def data_received(self, data: bytes) -> None:
        """Read bytes; a head that is not whole yet is counted and timed."""
        if self._ends_with_refusal or self._answer_known(data):
            return
        self._unset_keepalive_if_required()
        begins_here = not (self._is_in_head or self._is_in_body)
        self._may_postpone = not self.transport.is_closing()
        is_http = self._feed(data)
        self._may_postpone = False
        self._left = None
        plan = self._end_postponing() or self._plan
        self._plan = None
        if not is_http:
            self._end_http()
            return
        if not self._is_in_head:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
            if plan is not None and begins_here and not self._is_in_body:
                self.heads.learn(data, len(self.cycle.body), plan)
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large", "the request's head is too large")
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self.transport.close)

    def _end_http(self) -> None:
        """Refuse bytes that are no HTTP, after the answers to the whole requests before them."""
        broken = self.cycle if self._is_in_body else None
        if self.pipeline and self.pipeline[0][0] is broken:  # the newest stands first
            self.pipeline.popleft()
        self._ends_with_refusal = True
        running = self._running
        if running is None or running.response_complete or running is broken:
            self._refuse_bytes()

    def _refuse_bytes(self) -> None:
        if not self.transport.is_closing():
            self._refuse(b"400 Bad Request", "not a valid HTTP/1.1 request")

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
        self._plan = self._end_postponing()

    def on_response_complete(self) -> None:
        """A request was answered; where its body still comes, it must end soon."""
        super().on_response_complete()
        if self._ends_with_refusal:
            if self._running is not None and self._running.response_complete:
                self._refuse_bytes()
            return
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
    Limited.heads, Limited.answer_heads = KnownHeads(), AnswerHeads()
    return Limited


def _tokens(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Return what the Connection header lists."""
    values = [value for name, value in headers if name == b"connection"]
    return [token.strip() for value in values for token in value.split(b",") if token.strip()]
