"""Was a request's head read before, byte for byte?

A client sends the same head again and again. What uvicorn and httptools make of it takes as long as
a small model's answer, so it is kept: the same bytes at the same place of a connection mean the
same. Anything else about a head is left to the parser.
"""

from collections.abc import MutableMapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from serving.replies import JSON_HEADERS, Reply

__all__ = ["AnswerHeads", "Known", "KnownHeads", "Plan"]

_END: Final = b"\r\n\r\n"
_LONGEST: Final = 2048
"""Bytes of a head that is kept; clients' own have 100 to 1,000."""
_MOST: Final = 512
"""Heads kept, at most a megabyte: a client has one a length of its bodies."""
_JSON_LINE: Final = b"content-type: application/json\r\n"


class Plan(Protocol):
    """What answers the bodies behind one head; see ``serving.front``."""

    def answer(self, body: bytes, left: MutableMapping[str, Any]) -> Reply | None:
        """Return the answer, without its Content-Length, or None: answer it as ASGI says.

        Args:
            body: all of it.
            left: for what was found out already; is to be added to ASGI's scope.
        """


class Known(NamedTuple):
    """What was made of a head."""

    plan: Plan
    length: int
    """Bytes of the body behind it."""


class KnownHeads:
    """Heads of whole requests that keep their connection open, by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def find(self, data: bytes) -> tuple[Plan, bytes] | None:
        """Return what answers a request, and its body, if data are one request with a known head.

        Args:
            data: what a connection received where a request may begin.
        """
        end = data.find(_END, 0, _LONGEST)
        known = self._known.get(data[:end]) if end > 0 else None
        if known is None or len(data) != end + len(_END) + known.length:
            return None
        return known.plan, data[end + len(_END) :]

    def learn(self, data: bytes, length: int, plan: Plan) -> None:
        """Keep the head of one request, if data are nothing but it and a body as it stands.

        Args:
            data: what the parser read from the start of the request to its end.
            length: of the body it found in them; one in chunks is shorter than its bytes.
            plan: what answered it, with the connection left open.
        """
        end = data.find(_END, 0, _LONGEST)
        if end <= 0 or len(data) != end + len(_END) + length:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[data[:end]] = Known(plan, length)


class AnswerHeads:
    """Writes the heads of answers; what all of them share is written once a second, as its date."""

    def __init__(self) -> None:
        self._common: Sequence[tuple[bytes, bytes]] | None = None
        self._lines = b""

    def of(self, reply: Reply, common: Sequence[tuple[bytes, bytes]], *, is_last: bool) -> bytes:
        """Return an answer's head.

        Args:
            reply: the answer.
            common: headers of every answer; another object whenever they change.
            is_last: whether the connection ends with it.
        """
        if common is not self._common:
            self._common, self._lines = common, _lines(common)
        own = _JSON_LINE if reply.headers is JSON_HEADERS else _lines(reply.headers)
        return b"%s%s%scontent-length: %d\r\n%s\r\n" % (
            STATUS_LINE[reply.status],
            self._lines,
            own,
            len(reply.body),
            b"connection: close\r\n" if is_last else b"",
        )


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%s: %s\r\n" % one for one in headers])
