"""How does a request's body come in, within its limits?

Type and declared size are checked before anything is read. A large body is read only once there is
a place for it among the large requests, so bodies that wait cannot fill the memory.
"""

import asyncio
import types
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self

from starlette.types import Message, Receive

from modelwarrant.errors import RecordError, TemporaryError
from serving.replies import Refusal, Reply
from serving.settings import Settings

__all__ = ["Admission", "Head", "Worker", "read_body"]

_CLOSE: Final = ((b"connection", b"close"),)


class Head:
    """What a request's headers say about its body.

    Args:
        headers: names in lower case, as ASGI gives them.

    Raises:
        RecordError: a header of the binary extension is no length.
    """

    __slots__ = (
        "allows_binary",
        "content_length",
        "content_type",
        "encoding",
        "json_bytes",
        "request_ids",
    )

    def __init__(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.content_type = b"application/json"
        self.content_length = b"0"
        self.encoding = b""
        self.json_bytes: int | None = None
        self.request_ids: tuple[bytes, ...] = ()
        self.allows_binary = False
        """Whether a body of the binary extension is expected here."""
        for name, value in headers:
            if name == b"content-type":
                self.content_type = value
            elif name == b"content-length":
                self.content_length = value
            elif name == b"content-encoding" or (
                name == b"transfer-encoding" and value.lower() != b"chunked"
            ):
                self.encoding = value
            elif name == b"x-request-id":
                self.request_ids = (*self.request_ids, value)
            elif name == b"inference-header-content-length":
                if not value.isdigit() or len(value) > 20 or self.json_bytes is not None:
                    raise RecordError("Inference-Header-Content-Length must be one number of bytes")
                self.json_bytes = int(value)

    def check(self, settings: Settings) -> None:
        """Refuse by the head of the request alone, before any of the body is read."""
        if self.content_type != b"application/json":
            self._check_type()
        if self.encoding and self.encoding.strip().lower() != b"identity":
            raise Refusal(415, "send the body without compression")
        length = self.content_length
        if length.isdigit() and int(length[:20]) > settings.max_body_bytes:
            raise too_large(settings)

    def _check_type(self) -> None:
        kind = self.content_type.partition(b";")[0].strip().lower()
        if kind == b"application/json":
            return
        if self.allows_binary and (kind == b"application/octet-stream" or not kind):
            return  # clients of the binary extension say this, or nothing
        raise Refusal(415, "send the body with Content-Type: application/json")


async def read_body(receive: Receive, settings: Settings, admission: "Admission") -> bytes:
    """Read the body, up to its limits in bytes and time; a large one must be admitted first."""
    # Nearly every body is there with its head: then nothing is waited for, and no clock is needed.
    reading = receive()
    pending, message = _begin(reading)
    if message is not None and "body" in message and not message.get("more_body", False):
        body = bytes(message.get("body", b""))
        _check_size(len(body), settings, admission)
        return body
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return await _read_all(
                message or await _go_on(reading, pending), receive, settings, admission
            )
    except TimeoutError as error:
        raise Refusal(
            408, f"the body did not arrive within {settings.body_timeout_s:g} s", _CLOSE
        ) from error


def _begin(reading: Any) -> tuple[Any, Message | None]:
    """Run a coroutine up to where it waits; return what it waits for, or what it returned."""
    try:
        return reading.send(None), None
    except StopIteration as done:
        return None, done.value


@types.coroutine
def _go_on(reading: Any, pending: Any) -> Generator[Any, Any, Any]:
    """Await the rest of a coroutine that was begun."""
    while True:
        try:
            sent = yield pending
        except BaseException as error:  # noqa: BLE001 - it is the coroutine's, which decides
            step, given = reading.throw, error
        else:
            step, given = reading.send, sent
        try:
            pending = step(given)
        except StopIteration as done:
            return done.value


async def _read_all(
    message: Message, receive: Receive, settings: Settings, admission: "Admission"
) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the client went away")
        chunk = message.get("body", b"")
        size += len(chunk)
        _check_size(size, settings, admission)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()


def _check_size(size: int, settings: Settings, admission: "Admission") -> None:
    if size > settings.max_body_bytes:
        raise too_large(settings)
    if size > settings.inline_body_bytes:
        admission.take()


def too_large(settings: Settings) -> Refusal:
    """Return the refusal of a body above the limit."""
    return Refusal(
        413,
        f"the body is larger than {settings.max_body_bytes:,} bytes; send fewer rows at a time",
    )


_PARTS: Final = 64
"""A small body takes so small a part of a large one's place: 128 KiB of 8 MiB."""


class Worker:
    """One thread for large requests, with a bounded number of them in the process."""

    def __init__(self, max_waiting: int, *, timeout_s: float) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-requests")
        self._timeout_s = timeout_s
        self.free_parts = _PARTS * (max_waiting + 1)

    def admission(self) -> "Admission":
        """Return what a request takes a place with, should it turn out to be large."""
        return Admission(self)

    async def run(self, work: Callable[[], Reply]) -> Reply:
        """Return what the work returns.

        Raises:
            TemporaryError: it did not within the time limit; work that has not begun never does.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError as error:
            raise TemporaryError(
                f"no answer within {self._timeout_s:g} s; send fewer rows, or later"
            ) from error


class Admission:
    """A place among the large requests, given back when the block ends."""

    __slots__ = ("_parts", "_worker")

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._parts = 0

    @property
    def is_taken(self) -> bool:
        """Whether there is a place for this request."""
        return self._parts > 0

    def take(self, *, is_small: bool = False) -> None:
        """Take a place, once; a small one for a body that is small and rows that take long.

        Raises:
            TemporaryError: there is none.
        """
        if self._parts:
            return
        parts = 1 if is_small else _PARTS
        if self._worker.free_parts < parts:
            raise TemporaryError("too many large requests wait; send smaller ones, or later")
        self._worker.free_parts -= parts
        self._parts = parts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.free_parts += self._parts
