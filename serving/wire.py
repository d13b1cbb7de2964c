"""What may a client do to a connection before its request has a head?

uvicorn waits without end for a request line that never comes, and keeps headers of any size. Here a
head has a time and a size, and bytes that are no HTTP get the same form of answer as other faults.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.answers import render

__all__ = ["Connection"]

_HEAD_S: Final = 10.0
"""Seconds within which a head must be there, from the connection or from its first byte."""

_HEAD_BYTES: Final = 64 * 2**10
"""Largest head; every common proxy allows less."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, bounded while the head of a request comes in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(_HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read bytes; a head that is not whole yet is counted and timed."""
        super().data_received(data)
        if not self._is_in_head:
            if self._head_timer is not None:
                self._stop_waiting()
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large", "the request's head is too large")
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self.transport.close)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._is_in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no HTTP."""
        self._is_in_head = False
        self._refuse(b"400 Bad Request", "not a valid HTTP/1.1 request")

    def _refuse(self, status: bytes, error: str) -> None:
        body = render({"error": error})
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nconnection: close\r\n" % status
        self.transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body))
        self.transport.close()

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
