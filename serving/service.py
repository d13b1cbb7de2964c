"""How does the body of one request become an answer?

Read, score, record, write, all with the one version that is served when the body is there: nothing
here knows HTTP beyond the bytes of an answer.
"""

import itertools
import re
import secrets
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from modelwarrant.errors import RecordError, TemporaryError
from serving.follower import Follower
from serving.metrics import Metrics
from serving.payload import Recorder
from serving.replies import Refusal, Reply
from serving.rows import Rows
from serving.served import Served
from serving.settings import Settings
from serving.shadow import Shadow

__all__ = ["Job", "PredictionService", "RequestIds", "check_version"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


Scores = npt.NDArray[np.float64]
"""(n, k) float64. Named once: the annotation of an inner function is evaluated at each request."""


class Job(msgspec.Struct, frozen=True):
    """One request that was read, with what will answer it."""

    served: Served
    rows: Rows
    request_id: str
    write: Callable[[Scores], Reply]

    @property
    def seconds(self) -> float:
        """Time that the model will take, about."""
        return len(self.rows) * self.served.row_seconds


class PredictionService:
    """Answers requests with what the follower serves.

    Args:
        recorder: None where predictions are not logged.
        shadow: None where no other version is compared.
        now_ns: nanoseconds since 1970, UTC.
    """

    def __init__(
        self,
        follower: Follower,
        settings: Settings,
        *,
        metrics: Metrics,
        recorder: Recorder | None,
        shadow: Shadow | None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._follower = follower
        self._settings = settings
        self._metrics = metrics
        self._recorder = recorder
        self._shadow = shadow
        self._now_ns = now_ns
        self.request_ids = RequestIds()

    def served(self) -> Served:
        """Return the version that answers now.

        Raises:
            TemporaryError: none is loaded; says why.
        """
        served = self._follower.served
        if served is None:
            fault = self._follower.status().fault or "no version is in production"
            raise TemporaryError(
                f"model {self._settings.model!r} is not served yet: {fault}",
                retry_after_s=self._settings.poll_s,
            )
        return served

    def read_fields(self, body: bytes, request_id: str) -> Job:
        """Read a body of ``/predict``.

        Raises:
            TemporaryError: no version is loaded any more.
            RecordError: the body is not JSON.
            RowError: it is, but not rows that this model answers for.
        """
        served = self.served()
        rows = served.read(
            body, max_rows=self._settings.max_rows, problems_shown=self._settings.problems_shown
        )

        def write(scores: Scores) -> Reply:
            body = served.answers.body(scores, is_batch=rows.is_batch, request_id=request_id)
            return Reply(200, body)

        return Job(served, rows, request_id, write)

    def read_tensors(
        self, body: bytes, json_bytes: int | None, given_ids: Sequence[bytes], version: str | None
    ) -> Job:
        """Read a request of the Open Inference Protocol.

        Args:
            body: JSON, and binary tensors behind it.
            json_bytes: as ``Inference.read`` takes it.
            given_ids: every value of the header X-Request-Id.
            version: the one in the path, which must be served; None takes any.

        Raises:
            TemporaryError: no version is loaded any more.
            Refusal: the version is not the one in production.
            RecordError: it is no such request.
            ContractError: a value breaks the schema.
        """
        served = self.served()
        check_version(served, version)
        asked = served.inference.read(body, json_bytes=json_bytes, max_rows=self._settings.max_rows)
        own = () if asked.request_id is None else (asked.request_id.encode("utf-8", "replace"),)
        request_id = self.request_ids.of(own or given_ids)

        def write(scores: Scores) -> Reply:
            body, length = served.inference.answer(asked, scores, request_id=request_id)
            if length is None:
                return Reply(200, body)
            return Reply(200, body, binary_headers(length))

        return Job(served, asked.rows, request_id, write)

    def finish(self, job: Job) -> Reply:
        """Let the model answer, and record what it said.

        Raises:
            ContractError: the model has no finite answer for a row.
        """
        served = job.served
        scores = served.scores(job.rows)
        reply = job.write(scores)
        self._metrics.rows_answered(served, len(job.rows))
        if self._recorder is not None:
            self._recorder.record(served, job.request_id, self._now_ns(), job.rows, scores)
        if self._shadow is not None:
            self._shadow.offer(served, job.rows, scores)
        return reply


class RequestIds:
    """Names requests: the client's own id, or one that no other request has.

    An id is a random number of this process and a count; asking the kernel for a random number
    each time costs 1 us and more.
    """

    def __init__(self) -> None:
        self._boot = secrets.token_hex(8)
        self._count = itertools.count()

    def of(self, given: Sequence[bytes]) -> str:
        """Return the client's request id, or a new one where it gave none.

        Args:
            given: every value of the header.

        Raises:
            RecordError: the id cannot be written into a log, or there are two.
        """
        if not given:
            return f"{self._boot}{next(self._count):016x}"
        text = given[0].decode("latin-1")
        if len(given) > 1 or not _REQUEST_ID.fullmatch(text):
            raise RecordError(
                "a request's id must be one text of 1 to 128 letters, digits and '._:-'; "
                "leave it out and one is made"
            )
        return text


def check_version(served: Served, version: str | None) -> None:
    """Refuse a version in a path that is not the one in production."""
    if version is not None and version != str(served.version):
        raise Refusal(404, f"that version is not served; version {served.version} is")


def binary_headers(json_bytes: int) -> Sequence[tuple[bytes, bytes]]:
    """Return the headers of an answer whose tensors stand behind its JSON."""
    return (
        (b"content-type", b"application/octet-stream"),
        (b"inference-header-content-length", b"%d" % json_bytes),
    )
