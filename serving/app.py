"""What does the service answer over HTTP?

``create_app`` puts the parts together: ``serving.front`` answers what must be fast, and a Starlette
application behind it has everything else: the pages for people, the OpenAPI document, metrics and,
where a token is set, admin. FastAPI would only route here, for 6 MB and 0.1 s of start: the model's
fields are known when a version is loaded, and no route is typed.
"""

import hmac
import logging
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import modelwarrant
from modelwarrant.errors import WarrantError
from serving.answers import render
from serving.ending import Ending
from serving.follower import Follower
from serving.front import Front, pages_of
from serving.metrics import Metrics
from serving.openapi import openapi_document
from serving.page import PAGE_HEADERS, docs_page
from serving.payload import Recorder
from serving.replies import Reply, failure
from serving.service import PredictionService
from serving.settings import Settings
from serving.shadow import Shadow

__all__ = ["create_app"]

_TITLE = "modelwarrant prediction service"
_READ = ["GET", "HEAD"]


def create_app(
    follower: Follower,
    settings: Settings,
    *,
    recorder: Recorder | None = None,
    shadow: Shadow | None = None,
    registry: CollectorRegistry | None = None,
    ending: Ending | None = None,
    now_ns: Callable[[], int] = time.time_ns,
    log: logging.Logger | None = None,
) -> Front:
    """Return the application; whoever calls it starts and stops follower, recorder and shadow.

    Args:
        follower: says which version is served.
        settings: limits.
        recorder: where answers are logged; None logs none.
        shadow: compares another version; None compares none.
        registry: of the metrics; default one of its own.
        ending: whether the process is about to stop; default never.
        now_ns: nanoseconds since 1970, UTC.
        log: for faults of ours; default ``modelwarrant.serving``.
    """
    log = log or logging.getLogger("modelwarrant.serving")
    metrics = Metrics(
        registry or CollectorRegistry(), follower=follower, recorder=recorder, shadow=shadow
    )
    service = PredictionService(
        follower, settings, metrics=metrics, recorder=recorder, shadow=shadow, now_ns=now_ns
    )
    routes = [
        *_state_routes(follower, service, shadow),
        *_document_routes(service, metrics, settings),
        *([] if settings.admin_token is None else [_admin(follower, settings.admin_token)]),
    ]
    pages = Starlette(routes=routes, exception_handlers=_failures(log))
    pages.router.redirect_slashes = False
    return Front(
        service,
        follower,
        settings,
        metrics=metrics,
        ending=ending or Ending(),
        behind=pages,
        pages=pages_of(pages),
        log=log,
    )


def _state_routes(
    follower: Follower, service: PredictionService, shadow: Shadow | None
) -> list[Route]:
    async def version(request: Request) -> Response:
        """Say what is served, and by whose decision."""
        served = service.served()
        return _json(
            served.identity
            | {
                "task": served.schema.task,
                "ledger_seq": served.seq,
                "schema_digest": served.schema.digest,
                "engine_version": modelwarrant.__version__,
                "model_stale_seconds": follower.status().stale_s,
            }
        )

    async def beside(request: Request) -> Response:
        """Say how the version beside production would have answered."""
        found = None if shadow is None else shadow.state
        if found is None:
            return _json({"role": None})
        role, other, comparison = found
        return _json({"role": role} | other.identity | comparison.document())

    return [Route("/version", version, methods=_READ), Route("/shadow", beside, methods=_READ)]


def _document_routes(
    service: PredictionService, metrics: Metrics, settings: Settings
) -> list[Route]:
    async def prometheus(request: Request) -> Response:
        """Return the counters."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def openapi(request: Request) -> Response:
        """Describe the model that is served now."""
        return _json(
            openapi_document(
                service.served(),
                title=_TITLE,
                version=modelwarrant.__version__,
                max_rows=settings.max_rows,
            )
        )

    async def docs(request: Request) -> Response:
        """Show fields, an example and a form for the model that is served now."""
        return Response(
            docs_page(service.served(), max_rows=settings.max_rows),
            headers=PAGE_HEADERS,
            media_type="text/html",
        )

    async def root(request: Request) -> Response:
        """Lead a person to the page."""
        return Response(status_code=307, headers={"Location": "docs"})

    return [
        Route("/metrics", prometheus, methods=_READ),
        Route("/openapi.json", openapi, methods=_READ),
        Route("/docs", docs, methods=_READ),
        Route("/", root, methods=_READ),
    ]


def _admin(follower: Follower, token: str) -> Route:
    wanted = f"Bearer {token}".encode()

    async def look(request: Request) -> Response:
        """Look at the ledger now instead of at the next turn."""
        given = request.headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, wanted):
            raise HTTPException(
                401, "send Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
            )
        follower.look_now()
        return _json({"looking": True}, status=202)

    return Route("/admin/look", look, methods=["POST"])


def _failures(log: logging.Logger) -> dict[Any, Any]:
    """Return what turns an exception into an answer, by its type."""

    async def ours(request: Request, error: Exception) -> Response:
        reply = failure(error, log=log, path=request.url.path, request_id=None, data_status=422)
        return _response(reply)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
        return _json({"error": error.detail}, status=error.status_code, headers=error.headers)

    return {WarrantError: ours, HTTPException: http, Exception: ours}


def _response(reply: Reply) -> Response:
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, status_code=reply.status, headers=headers)


def _json(document: Any, *, status: int = 200, headers: Any = None) -> Response:
    return Response(
        render(document), status_code=status, headers=headers, media_type="application/json"
    )
