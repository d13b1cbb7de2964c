"""What does the cluster's gate show to a browser, a probe and Prometheus?

Read only: the same pages as ``warrant review``, without a form. Whoever wants to decide uses
``warrant approve``, ``warrant review`` or kubectl as themselves; this server has no identity of
theirs and takes nothing but GET.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gate.controller import Health
from gate.review import Evidence, status_of_error
from modelwarrant.errors import WarrantError
from modelwarrant.records import PromotionRequest
from modelwarrant.reports import (
    ReviewForm,
    content_security_policy,
    request_page,
    requests_page,
    run_page,
)

__all__ = ["Shelf", "create_pages_app"]

STALE_S: Final = 60.0
"""A gate whose last pass is older is not alive."""

_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": content_security_policy() + "; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_READER: Final = ReviewForm(home="/", token="", person="", can_answer=False)


class Shelf(Protocol):
    """Where the pages find what they show."""

    def requests(self) -> tuple[PromotionRequest, ...]:
        """Return all requests, those that wait first."""
        ...

    def request(self, name: str) -> PromotionRequest:
        """Return one request.

        Raises:
            UnknownModelError: there is none of that name.
        """
        ...

    def evidence(self, request: PromotionRequest) -> Evidence | None:
        """Return what a request's verdict rests on, None where it has none.

        Raises:
            WarrantError: it cannot be read, or is not what the request names.
        """
        ...


class _Gauges(Collector):
    """What Prometheus reads of a gate."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> list[Metric]:
        """Return the gate's metrics."""
        ended = CounterMetricFamily(
            "modelwarrant_gate_requests_ended",
            "Requests that this process ended, by outcome",
            labels=["outcome"],
        )
        for outcome, count in self._health.outcomes.items():
            ended.add_metric([outcome], count)
        acted = GaugeMetricFamily(
            "modelwarrant_gate_monitor_acted_timestamp_seconds",
            "When this process recorded what the model's monitor did last, by action",
            labels=["model", "action"],
        )
        for model, (action, at) in self._health.acted.items():
            acted.add_metric([model, action], at.timestamp())
        return [
            GaugeMetricFamily(
                "modelwarrant_gate_admission_in_force",
                "1 where the admission policy is in force as shipped, else 0: nothing is promoted",
                value=float(self._health.fault is None),
            ),
            CounterMetricFamily(
                "modelwarrant_gate_passes", "Passes over the requests", value=self._health.passes
            ),
            ended,
            acted,
        ]


def create_pages_app(shelf: Shelf, health: Health) -> FastAPI:
    """Return the application.

    Args:
        shelf: requests and their evidence.
        health: of the controller that runs beside it.
    """
    app = FastAPI(title="modelwarrant gate", docs_url=None, redoc_url=None, openapi_url=None)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(health))

    @app.middleware("http")
    async def protect(request: Request, call_next: Callable[[Request], object]) -> Response:
        """Add the headers to all answers."""
        response: Response = await call_next(request)  # type: ignore[misc]
        response.headers.update(_HEADERS)
        return response

    @app.get("/")
    def listing() -> Response:
        try:
            return HTMLResponse(requests_page(shelf.requests(), form=_READER))
        except WarrantError as error:
            return _failed(error)

    @app.get("/requests/{name}")
    def show(name: str) -> Response:
        try:
            request = shelf.request(name)
        except WarrantError as error:
            return _failed(error)
        try:
            found = shelf.evidence(request)
        except WarrantError as error:
            return HTMLResponse(
                request_page(request, remark=f"The evidence cannot be shown: {error}")
            )
        if found is None:
            return HTMLResponse(request_page(request))
        return HTMLResponse(run_page(**vars(found), request=request, approvals=request.approvals))

    @app.get("/livez")
    def live() -> Response:
        age = time.monotonic() - health.last_pass
        if health.passes and age > STALE_S:
            return PlainTextResponse(f"the last pass was {age:.0f} s ago\n", 503)
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    def ready() -> Response:
        body = {"passes": health.passes, "admission": health.fault or "in force"}
        return JSONResponse(body, 200 if health.passes else 503)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _failed(error: WarrantError) -> Response:
    return PlainTextResponse(f"{error}\n", status_of_error(error))
