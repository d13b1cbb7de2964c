"""What does a failure look like to a client, and which status has it?

Every failure is ``{"error": ...}``; no text in it repeats a value that a client sent.
"""

import logging
import traceback
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from modelwarrant.errors import DataError, RecordError, TemporaryError, WarrantError
from serving.answers import render
from serving.rows import RowError

__all__ = ["JSON_HEADERS", "STATUS", "Refusal", "Reply", "failure", "json_reply"]

STATUS: Final[tuple[tuple[type[WarrantError], int], ...]] = (
    (RecordError, 400),
    (DataError, 422),
    (TemporaryError, 503),
    (WarrantError, 500),
)
"""HTTP status of an error of ours; the first row that fits counts."""

_JSON: Final = (b"content-type", b"application/json")

Headers = Sequence[tuple[bytes, bytes]]

JSON_HEADERS: Final[Headers] = (_JSON,)
"""Headers of nearly every answer."""


class Reply(msgspec.Struct, frozen=True):
    """One answer, without its Content-Length."""

    status: int
    body: bytes
    headers: Headers = JSON_HEADERS


class Refusal(Exception):
    """A request is refused by what HTTP itself says of it: method, type, length, time.

    Args:
        status: 4xx.
        message: what to change.
        headers: sent beside the usual ones.
    """

    def __init__(self, status: int, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def json_reply(document: Any, status: int = 200, headers: Headers = ()) -> Reply:
    """Return a document as an answer."""
    return Reply(status, render(document), (_JSON, *headers) if headers else JSON_HEADERS)


def failure(
    error: Exception, *, log: logging.Logger, path: str, request_id: str | None, data_status: int
) -> Reply:
    """Return the answer to a request that failed; a fault of ours is logged, not told.

    Args:
        error: what was raised.
        log: for faults of ours.
        path: the request's, for the log.
        request_id: repeated in the answer; None where there is none.
        data_status: of data that do not fit the model: 422, or 400 where the protocol says so.
    """
    document: dict[str, Any] = {"error": str(error)}
    headers: Headers = ()
    if isinstance(error, Refusal):
        status, headers = error.status, error.headers
    elif isinstance(error, WarrantError):
        status = next(code for kind, code in STATUS if isinstance(error, kind))
    else:
        status = 500
    if status == 422:
        status = data_status
    if isinstance(error, RowError):
        document["problems"] = [vars(one) for one in error.problems]
    if isinstance(error, TemporaryError):
        headers = ((b"retry-after", b"%d" % max(1, round(error.retry_after_s))),)
    if status == 500:
        trace = "".join(traceback.format_exception(error))
        fields = {"path": path, "request_id": request_id, "trace": trace}
        log.error("request_failed", extra={"fields": fields})
        document["error"] = "a fault of the service, not of the request; its log says more"
    if request_id is not None:
        document["request_id"] = request_id
    return json_reply(document, status, headers)
