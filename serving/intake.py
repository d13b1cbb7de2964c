"""How does a request's body come in, within its limits?

Type and declared size are checked before anything is read. A large body is read only once there is
a place for it among the large requests, so bodies that wait cannot fill the memory.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from modelwarrant.errors import TemporaryError
from serving.settings import Settings

__all__ = ["Admission", "Worker", "check_declared", "read_body"]


def check_declared(request: Request, settings: Settings) -> None:
    """Refuse by the head of the request alone, before any of the body is read."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send the body with Content-Type: application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(415, "send the body without Content-Encoding")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > settings.max_body_bytes:
        raise _too_large(settings)


async def read_body(request: Request, settings: Settings, admission: "Admission") -> bytes:
    """Read the body, up to its limits in bytes and time; a large one must be admitted first."""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > settings.max_body_bytes:
                    raise _too_large(settings)
                if size > settings.inline_body_bytes:
                    admission.take()
                chunks.append(chunk)
    except TimeoutError as error:
        raise HTTPException(
            408,
            f"the body did not arrive within {settings.body_timeout_s:g} s",
            headers={"Connection": "close"},
        ) from error
    except ClientDisconnect as error:
        raise HTTPException(400, "the client went away") from error
    return b"".join(chunks)


def _too_large(settings: Settings) -> HTTPException:
    return HTTPException(
        413,
        f"the body is larger than {settings.max_body_bytes:,} bytes; send fewer rows at a time",
    )


class Worker:
    """One thread for large requests, with a bounded number of them in the process."""

    def __init__(self, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-requests")
        self.free_places = max_waiting + 1

    def admission(self) -> "Admission":
        """Return what a request takes a place with, should it turn out to be large."""
        return Admission(self)

    async def run(self, work: Callable[[], bytes]) -> bytes:
        """Return what the work returns."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


class Admission:
    """A place among the large requests, given back when the block ends."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.is_taken = False

    def take(self) -> None:
        """Take a place, once.

        Raises:
            TemporaryError: there is none.
        """
        if self.is_taken:
            return
        if self._worker.free_places == 0:
            raise TemporaryError("too many large requests wait; send smaller ones, or later")
        self._worker.free_places -= 1
        self.is_taken = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_taken:
            self._worker.free_places += 1
