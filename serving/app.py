"""What does the service answer over HTTP?

Routes translate and delegate. Every failure is ``{"error": ...}`` with the status of the one table
below, and no answer repeats a value that a client sent.
"""

import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import modelwarrant
from modelwarrant.errors import DataError, RecordError, TemporaryError, WarrantError
from serving.ending import Ending
from serving.follower import Follower
from serving.intake import Worker, check_declared, read_body
from serving.metrics import Metrics
from serving.openapi import openapi_document
from serving.page import PAGE_HEADERS, docs_page
from serving.payload import Recorder
from serving.rows import RowError
from serving.service import PredictionService, render, request_id_of
from serving.settings import Settings

__all__ = ["STATUS", "create_app"]

STATUS: Final[tuple[tuple[type[WarrantError], int], ...]] = (
    (RecordError, 400),
    (DataError, 422),
    (TemporaryError, 503),
    (WarrantError, 500),
)
"""HTTP status of an error of ours; the first row that fits counts."""

_TITLE = "modelwarrant prediction service"
_PATHS = frozenset(
    {"/predict", "/readyz", "/livez", "/version", "/metrics", "/docs", "/openapi.json", "/"}
)
"""Paths that metrics name; all others are counted as ``other``."""


def create_app(
    follower: Follower,
    settings: Settings,
    *,
    recorder: Recorder | None = None,
    registry: CollectorRegistry | None = None,
    ending: Ending | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    log: logging.Logger | None = None,
) -> FastAPI:
    """Return the application; whoever calls it starts and stops follower and recorder.

    Args:
        follower: says which version is served.
        settings: limits.
        recorder: where answers are logged; None logs none.
        registry: of the metrics; default one of its own.
        ending: whether the process is about to stop; default never.
        now: the clock, timezone-aware UTC.
        log: for faults of ours; default ``modelwarrant.serving``.
    """
    ending = ending or Ending()
    metrics = Metrics(registry or CollectorRegistry(), follower=follower, recorder=recorder)
    service = PredictionService(follower, settings, metrics=metrics, recorder=recorder, now=now)
    app = FastAPI(
        title=_TITLE, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.add_middleware(_Measured, metrics=metrics, ending=ending)
    _add_failures(app, log or logging.getLogger("modelwarrant.serving"))
    _add_predict(app, service, settings)
    _add_state(app, follower, service, settings, ending)
    _add_documents(app, service, metrics, settings)
    return app


def _add_predict(app: FastAPI, service: PredictionService, settings: Settings) -> None:
    worker = Worker(settings.max_waiting)

    @app.post("/predict")
    async def predict(request: Request) -> Response:
        """Answer for one row, or for several."""
        request_id = request_id_of(request.headers.getlist("x-request-id"))
        request.state.request_id = request_id
        service.served()  # a request that cannot be answered is refused before it is read
        check_declared(request, settings)
        with worker.admission() as admission:
            body = await read_body(request, settings, admission)

            def answer() -> bytes:
                return service.answer(body, request_id=request_id)

            return _json(await worker.run(answer) if admission.is_taken else answer())


def _add_state(
    app: FastAPI,
    follower: Follower,
    service: PredictionService,
    settings: Settings,
    ending: Ending,
) -> None:
    @app.get("/livez")
    async def livez() -> Response:
        """Say that the process answers."""
        return _json(render({"live": True}))

    @app.get("/readyz")
    async def readyz() -> Response:
        """Say whether a model is loaded; a fault of the store is named, but changes no status."""
        served, status = follower.served, follower.status()
        is_ready = served is not None and not ending.is_draining
        document = {
            "ready": is_ready,
            "model": settings.model,
            "version": None if served is None else served.version,
            "store": status.fault or "ok",
            "ledger_seq": status.seq,
            "model_stale_seconds": status.stale_s,
            "stopping": ending.is_draining,
        }
        return _json(render(document), status=200 if is_ready else 503)

    @app.get("/version")
    async def version() -> Response:
        """Say what is served, and by whose decision."""
        served = service.served()
        return _json(
            render(
                served.identity
                | {
                    "task": served.schema.task,
                    "ledger_seq": served.seq,
                    "schema_digest": served.schema.digest,
                    "engine_version": modelwarrant.__version__,
                    "model_stale_seconds": follower.status().stale_s,
                }
            )
        )


def _add_documents(
    app: FastAPI, service: PredictionService, metrics: Metrics, settings: Settings
) -> None:
    @app.get("/metrics")
    async def prometheus() -> Response:
        """Return the counters."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/openapi.json")
    async def openapi() -> Response:
        """Describe the model that is served now."""
        return _json(
            render(
                openapi_document(
                    service.served(),
                    title=_TITLE,
                    version=modelwarrant.__version__,
                    max_rows=settings.max_rows,
                )
            )
        )

    @app.get("/docs")
    async def docs() -> Response:
        """Show fields, an example and a form for the model that is served now."""
        return Response(
            docs_page(service.served(), max_rows=settings.max_rows),
            headers=PAGE_HEADERS,
            media_type="text/html",
        )

    @app.get("/")
    async def root() -> Response:
        """Lead a person to the page."""
        return Response(status_code=307, headers={"Location": "docs"})


def _add_failures(app: FastAPI, log: logging.Logger) -> None:
    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, WarrantError)  # noqa: S101 - registered for this type only
        status = next(code for kind, code in STATUS if isinstance(error, kind))
        if status == 500:
            _log_fault(log, request, error)
            return _failure(request, 500, "the model cannot answer; the service's log says why")
        headers = {}
        if isinstance(error, TemporaryError):
            headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
        problems = [vars(one) for one in error.problems] if isinstance(error, RowError) else None
        return _failure(request, status, str(error), problems=problems, headers=headers)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
        return _failure(request, error.status_code, error.detail, headers=error.headers)

    async def unexpected(request: Request, error: Exception) -> Response:
        _log_fault(log, request, error)
        return _failure(request, 500, "a fault of the service; its log says more")

    app.add_exception_handler(WarrantError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def _log_fault(log: logging.Logger, request: Request, error: Exception) -> None:
    trace = "".join(traceback.format_exception(error))
    request_id = getattr(request.state, "request_id", None)
    fields = {"path": request.url.path, "request_id": request_id, "trace": trace}
    log.error("request_failed", extra={"fields": fields})


def _failure(
    request: Request,
    status: int,
    error: str,
    *,
    problems: list[dict[str, Any]] | None = None,
    headers: Any = None,
) -> Response:
    document: dict[str, Any] = {"error": error}
    if problems is not None:
        document["problems"] = problems
    request_id = getattr(request.state, "request_id", None)
    if request_id is not None:
        document["request_id"] = request_id
    return _json(render(document), status=status, headers=headers)


def _json(body: bytes, *, status: int = 200, headers: Any = None) -> Response:
    return Response(body, status_code=status, headers=headers, media_type="application/json")


class _Measured:
    """Counts every request when its answer has ended, by path and status.

    At the end each answer also closes its connection, so that clients who keep theirs open do not
    lose the request they send at that moment.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, ending: Ending) -> None:
        self._app = app
        self._metrics = metrics
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._ending.is_closing:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            path = scope["path"] if scope["path"] in _PATHS else "other"
            self._metrics.request_ended(path, status, seconds=time.perf_counter() - started)
