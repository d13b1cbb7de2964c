"""Which path leads where, for the requests that must be fast?

One ASGI callable with a small table: predictions, inference and health are answered here, without a
framework. Everything else falls through to the pages of ``serving.app``. A prediction whose body is
there, small and quick needs no task and no event: a connection asks for a ``plan`` of what answers
it, which holds for every request with the same head.
"""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

import modelwarrant
from modelwarrant.errors import WarrantError
from serving.ending import Ending
from serving.follower import Follower
from serving.intake import Head, Worker, read_body
from serving.metrics import Metrics
from serving.replies import Refusal, Reply, failure, json_reply
from serving.service import Job, PredictionService, check_version
from serving.settings import Settings

__all__ = ["Front", "Plan", "pages_of"]

_MODELS: Final = "/v2/models/"

_JOB: Final = "warrant.job"
"""Where a scope keeps what a plan read of a request that then needs the worker thread."""
_REQUEST_ID: Final = "warrant.request_id"
"""Where a scope keeps the id that failures of the request repeat."""

Answer = Callable[[Scope, Receive], Awaitable[Reply]]
Read = Callable[[bytes, MutableMapping[str, Any]], Job]
"""Reads a body; notes the request's id in a scope."""
Reader = Callable[[Scope, Head], Read]
"""Returns what reads the bodies behind a head."""


class Front:
    """The ASGI application of the service.

    Args:
        service: answers bodies.
        follower: says what is served.
        behind: the application for all other paths.
        pages: paths of ``behind`` that metrics name; all others are counted as ``other``.
        log: for faults of ours.
    """

    def __init__(
        self,
        service: PredictionService,
        follower: Follower,
        settings: Settings,
        *,
        metrics: Metrics,
        ending: Ending,
        behind: ASGIApp,
        pages: frozenset[str],
        log: logging.Logger,
    ) -> None:
        self._service = service
        self._follower = follower
        self._settings = settings
        self._metrics = metrics
        self._ending = ending
        self._behind = behind
        self._pages = pages
        self._log = log
        self._worker = Worker(settings.max_waiting, timeout_s=settings.answer_timeout_s)
        self._model = f"{_MODELS}{settings.model}"
        self._table: dict[str, tuple[str, str, Answer]] = {
            "/predict": ("/predict", "POST", self._predict),
            f"{self._model}/infer": ("/v2/infer", "POST", self._infer),
            "/livez": ("/livez", "GET", self._live),
            "/readyz": ("/readyz", "GET", self._ready),
            "/v2": ("/v2", "GET", self._server),
            "/v2/health/live": ("/v2/health", "GET", self._live),
            "/v2/health/ready": ("/v2/health", "GET", self._ready),
            self._model: ("/v2/model", "GET", self._metadata),
            f"{self._model}/ready": ("/v2/model", "GET", self._model_ready),
        }
        self._readers: dict[str, tuple[str, Reader]] = {
            "/predict": ("/predict", self._fields),
            f"{self._model}/infer": ("/v2/infer", self._tensors),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        started = time.perf_counter()
        path = scope["path"]
        found = self._table.get(path) or self._versioned(path)
        if found is None:
            await self._pass_on(scope, receive, send, started)
            return
        name, method, answer = found
        try:
            if method and scope["method"] != method:
                _check_method(scope["method"], method)
            reply = await answer(scope, receive)
        except Exception as error:  # noqa: BLE001 - the edge: every failure becomes an answer
            reply = self._failure(path, scope, error)
        headers = self._headers(reply)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
        self._metrics.request_ended(name, reply.status, seconds=time.perf_counter() - started)

    def plan(self, scope: Scope) -> "Plan | None":
        """Return what answers such requests without waiting; None where ASGI must answer them."""
        found = self._readers.get(scope["path"])
        if found is None or scope["method"] != "POST":
            return None
        name, reader = found
        try:
            head = Head(scope["headers"])
            read = reader(scope, head)
            head.check(self._settings)
        except (Refusal, WarrantError):
            return None  # refused by its head, which is rare
        return Plan(self, name, scope["path"], read)

    @property
    def is_closing(self) -> bool:
        """Whether every answer is the last of its connection."""
        return self._ending.is_closing

    def answer_at_once(
        self, plan: "Plan", body: bytes, left: MutableMapping[str, Any]
    ) -> Reply | None:
        """Answer a request as ``Plan.answer`` says."""
        started = time.perf_counter()
        if len(body) > self._settings.inline_body_bytes:
            return None
        try:
            job = plan.read(body, left)
            if job.seconds > self._settings.inline_s:
                left[_JOB] = job
                return None
            reply = self._service.finish(job)
        except Exception as error:  # noqa: BLE001 - the edge: every failure becomes an answer
            reply = self._failure(plan.path, left, error)
        self._metrics.request_ended(plan.name, reply.status, seconds=time.perf_counter() - started)
        return reply

    def _headers(self, reply: Reply) -> list[tuple[bytes, bytes]]:
        headers = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
        if self._ending.is_closing:
            headers.append((b"connection", b"close"))
        return headers

    def _failure(self, path: str, noted: MutableMapping[str, Any], error: Exception) -> Reply:
        return failure(
            error,
            log=self._log,
            path=path,
            request_id=noted.get(_REQUEST_ID),
            data_status=400 if path.startswith("/v2") else 422,
        )

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, started: float) -> None:
        """Let the pages answer; count it, and close the connection where the process ends."""
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._ending.is_closing:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        try:
            await self._behind(scope, receive, watched)
        finally:
            name = scope["path"] if scope["path"] in self._pages else "other"
            self._metrics.request_ended(name, status, seconds=time.perf_counter() - started)

    def _versioned(self, path: str) -> tuple[str, str, Answer] | None:
        """Return the entry of a path with a version, or of a model that is not served here."""
        if not path.startswith(_MODELS):
            return None
        parts = path.removeprefix(_MODELS).split("/")
        if parts[0] != self._settings.model:
            return "/v2/unknown", "", self._unknown_model
        if len(parts) not in (3, 4) or parts[1] != "versions" or parts[2] == "":
            return None
        ends: dict[str, tuple[str, str, Answer]] = {
            "infer": ("/v2/infer", "POST", self._infer),
            "ready": ("/v2/model", "GET", self._model_ready),
            "": ("/v2/model", "GET", self._metadata),
        }
        return ends.get(parts[3] if len(parts) == 4 else "")

    def _version_in(self, scope: Scope) -> str | None:
        path: str = scope["path"]
        if len(path) <= len(self._model) or not path.startswith(f"{self._model}/versions/"):
            return None
        return path.removeprefix(f"{self._model}/versions/").split("/")[0]

    def _fields(self, scope: Scope, head: Head) -> Read:
        given = head.request_ids
        ids, read_fields = self._service.request_ids, self._service.read_fields
        ids.of(given)  # refuses what is none

        def read(body: bytes, noted: MutableMapping[str, Any]) -> Job:
            request_id = noted.get(_REQUEST_ID)
            if request_id is None:
                request_id = noted[_REQUEST_ID] = ids.of(given)
            return read_fields(body, request_id)

        return read

    def _named_fields(self, scope: Scope, head: Head) -> Read:
        """Give the request its id before its body is there: a failure to send one repeats it."""
        scope[_REQUEST_ID] = self._service.request_ids.of(head.request_ids)
        return self._fields(scope, head)

    def _tensors(self, scope: Scope, head: Head) -> Read:
        head.allows_binary = head.json_bytes is not None
        version = self._version_in(scope)
        json_bytes, given = head.json_bytes, head.request_ids
        read_tensors = self._service.read_tensors
        return lambda body, noted: read_tensors(body, json_bytes, given, version)

    async def _predict(self, scope: Scope, receive: Receive) -> Reply:
        """Answer rows of named fields."""
        return await self._answered(scope, receive, self._named_fields)

    async def _infer(self, scope: Scope, receive: Receive) -> Reply:
        """Answer tensors of the Open Inference Protocol."""
        return await self._answered(scope, receive, self._tensors)

    async def _answered(self, scope: Scope, receive: Receive, reader: Reader) -> Reply:
        """Read the body and answer it, on the event loop where that is quick."""
        with self._worker.admission() as admission:
            job: Job | None = scope.get(_JOB)
            if job is None:
                head = Head(scope["headers"])
                read = reader(scope, head)
                self._service.served()
                head.check(self._settings)
                body = await read_body(receive, self._settings, admission)
                if admission.is_taken:
                    return await self._worker.run(lambda: self._service.finish(read(body, scope)))
                job = read(body, scope)
                if job.seconds <= self._settings.inline_s:
                    return self._service.finish(job)
            whole = job
            admission.take(is_small=True)
            return await self._worker.run(lambda: self._service.finish(whole))

    async def _live(self, scope: Scope, receive: Receive) -> Reply:
        """Say that the process answers."""
        return json_reply({"live": True})

    async def _ready(self, scope: Scope, receive: Receive) -> Reply:
        """Say whether a model is loaded; a fault of the store is named, but changes no status."""
        served, status = self._follower.served, self._follower.status()
        is_ready = served is not None and not self._ending.is_draining
        document = {
            "ready": is_ready,
            "model": self._settings.model,
            "version": None if served is None else served.version,
            "store": status.fault or "ok",
            "ledger_seq": status.seq,
            "model_stale_seconds": status.stale_s,
            "stopping": self._ending.is_draining,
        }
        return json_reply(document, 200 if is_ready else 503)

    async def _server(self, scope: Scope, receive: Receive) -> Reply:
        """Say what this server is."""
        return json_reply(
            {
                "name": "modelwarrant",
                "version": modelwarrant.__version__,
                "extensions": ["binary_tensor_data"],
            }
        )

    async def _metadata(self, scope: Scope, receive: Receive) -> Reply:
        """Describe the model that is served."""
        served = self._service.served()
        check_version(served, self._version_in(scope))
        return json_reply(served.inference.metadata())

    async def _model_ready(self, scope: Scope, receive: Receive) -> Reply:
        """Say whether the model, or this version of it, is served."""
        served = self._service.served()
        check_version(served, self._version_in(scope))
        is_ready = not self._ending.is_draining
        document = {"name": served.model, "ready": is_ready}
        return json_reply(document, 200 if is_ready else 503)

    async def _unknown_model(self, scope: Scope, receive: Receive) -> Reply:
        """Refuse a model that this process does not serve."""
        raise Refusal(404, f"no such model here; {self._settings.model!r} is served")


class Plan:
    """Answers the bodies behind one head: of the head, nothing is looked at again.

    Args:
        front: whose requests they are.
        name: of the path in the metrics.
        path: in a log of faults.
        read: reads a body.
    """

    __slots__ = ("front", "name", "path", "read")

    def __init__(self, front: Front, name: str, path: str, read: Read) -> None:
        self.front = front
        self.name = name
        self.path = path
        self.read = read

    def answer(self, body: bytes, left: MutableMapping[str, Any]) -> Reply | None:
        """Answer a whole request without waiting for anything.

        Args:
            body: all of it.
            left: for what was found out already; is to be added to the scope for ASGI.

        Returns:
            The answer without its Content-Length; None where the request must be answered as ASGI
            says, because it is large.
        """
        return self.front.answer_at_once(self, body, left)


def _check_method(given: str, method: str) -> None:
    """Refuse a method, but HEAD where GET is answered: the connection leaves its body out."""
    if (given, method) != ("HEAD", "GET"):
        allowed = "GET, HEAD" if method == "GET" else method
        raise Refusal(405, f"use {method}", ((b"allow", allowed.encode()),))


def pages_of(app: Any) -> frozenset[str]:
    """Return the fixed paths of an application's routes."""
    return frozenset(route.path for route in app.routes if "{" not in route.path)
