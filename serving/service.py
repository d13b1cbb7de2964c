"""How does the body of one request become an answer?

Parse, check, predict, record, render, all with the one version that is served when the body is
there: nothing here knows HTTP.
"""

import json
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from modelwarrant.errors import RecordError, TemporaryError
from serving.follower import Follower
from serving.metrics import Metrics
from serving.payload import Recorded, Recorder
from serving.rows import parse_body
from serving.served import Served
from serving.settings import Settings

__all__ = ["PredictionService", "render", "request_id_of"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


class PredictionService:
    """Answers requests with what the follower serves.

    Args:
        recorder: None where predictions are not logged.
        now: the clock, timezone-aware UTC.
    """

    def __init__(
        self,
        follower: Follower,
        settings: Settings,
        *,
        metrics: Metrics,
        recorder: Recorder | None,
        now: Callable[[], datetime],
    ) -> None:
        self._follower = follower
        self._settings = settings
        self._metrics = metrics
        self._recorder = recorder
        self._now = now

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

    def answer(self, body: bytes, *, request_id: str) -> bytes:
        """Return the JSON answer to a body.

        Raises:
            TemporaryError: no version is loaded any more.
            RecordError: the body is not JSON.
            ContractError: it is, but not rows that this model answers for.
        """
        served = self.served()
        rows = served.reader.read(
            parse_body(body),
            max_rows=self._settings.max_rows,
            problems_shown=self._settings.problems_shown,
        )
        predictions = served.predict(rows)
        answers = served.answers(predictions)
        self._metrics.rows_answered(served.model, served.version, len(rows))
        if self._recorder is not None:
            self._recorder.record(Recorded(served, request_id, self._now(), rows, predictions))
        shown = {"predictions": answers} if rows.is_batch else answers[0]
        return render(shown | served.identity | {"request_id": request_id})


def request_id_of(given: list[str]) -> str:
    """Return the client's request id, or a new one where it gave none.

    Args:
        given: every value of the header.

    Raises:
        RecordError: the id cannot be written into a log, or there are two.
    """
    if not given:
        return secrets.token_hex(16)
    if len(given) > 1 or not _REQUEST_ID.fullmatch(given[0]):
        raise RecordError(
            "X-Request-Id must be one text of 1 to 128 letters, digits and '._:-'; "
            "leave it out and one is made"
        )
    return given[0]


def render(document: Any) -> bytes:
    """Return a document as compact JSON in ASCII."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii")
