"""How does a person review requests in a browser, on the machine they sit at?

A small server on 127.0.0.1: the list of requests, each one's page, and a form that answers it. An
answer given here is the same call as ``warrant approve``, made as the person who started the
server. Who else could give one is kept out like this:

* another user of the machine: every path begins with a secret that only the starter's terminal saw;
* another site in the same browser: the form carries a token, and its ``Origin`` must be ours;
* a name that was made to point here (DNS rebinding): ``Host`` must be the address we listen on;
* a page that changed behind the reader: the form repeats the digests that were read.

Pages need no script, load nothing, and are never cached.
"""

import hmac
import secrets
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Protocol, cast
from urllib.parse import parse_qsl, quote

from gate.packages import Package
from modelwarrant.errors import (
    MissingExtraError,
    RequestError,
    TemporaryError,
    UnknownModelError,
    WarrantError,
)
from modelwarrant.records import (
    Decision,
    DriftReport,
    EvaluationReport,
    History,
    ModelManifest,
    PromotionRequest,
    ShadowReport,
    ValidationReport,
)
from modelwarrant.reports import (
    ReviewForm,
    content_security_policy,
    request_page,
    requests_page,
    run_page,
)
from modelwarrant.storage import ObjectStore
from modelwarrant.telemetry.shadow import read_shadow

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = [
    "Desk",
    "Evidence",
    "ReviewSecrets",
    "create_review_app",
    "evidence_of",
    "serve_review",
    "shadow_of",
    "status_of_error",
]

ADDRESS: Final = "127.0.0.1"
MOST_BYTES: Final = 32_768
"""Of an answer: a reason of 2,000 characters, each written as twelve at most."""

LONGEST_REASON: Final = 2_000

STATUS: Final[tuple[tuple[type[WarrantError], int], ...]] = (
    (UnknownModelError, 404),
    (RequestError, 409),
    (TemporaryError, 503),
    (WarrantError, 500),
)
"""HTTP status of an error of ours; the first row that fits counts."""

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": content_security_policy(forms=True) + "; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With no-referrer a browser would send "Origin: null" with our own form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

DONE: Final[Mapping[str, str]] = {
    "approve": "Your approval is recorded.",
    "reject": "Your rejection is recorded.",
    "withdraw": "The request is withdrawn.",
}

Answer = Literal["approve", "reject", "withdraw"]


@dataclass(frozen=True)
class Evidence:
    """The documents behind a request's verdict."""

    decision: Decision
    drift: DriftReport | None
    evaluation: EvaluationReport
    manifest: ModelManifest
    validation: ValidationReport
    history: History
    shadow: ShadowReport | None = None
    """How the candidate answered beside production since; no part of the verdict."""


def evidence_of(package: Package, *, shadow: ShadowReport | None = None) -> Evidence:
    """Return the documents of a package, with what was seen of its candidate since."""
    return Evidence(decision=package.decision, **vars(package.documents), shadow=shadow)


def shadow_of(store: ObjectStore, request: PromotionRequest) -> ShadowReport | None:
    """Return how a waiting candidate answered beside production; None where nobody compared.

    A store that does not let this person read it leaves a review without it, and stops none.
    """
    if request.candidate_digest is None or request.baseline_digest is None:
        return None
    names = request.model, request.candidate_digest
    try:
        return read_shadow(store, *names, beside=request.baseline_digest)
    except WarrantError:
        return None


class Desk(Protocol):
    """The gate as one person uses it."""

    @property
    def person(self) -> str:
        """As whom this desk answers."""
        ...

    def requests(self) -> Sequence[PromotionRequest]:
        """Return all requests, those that wait first."""
        ...

    def request(self, request_id: str) -> PromotionRequest:
        """Return one request.

        Raises:
            UnknownModelError: there is none of that ID.
        """
        ...

    def evidence(self, request: PromotionRequest) -> Evidence | None:
        """Return what the request's verdict rests on, None where it has no evidence.

        Raises:
            WarrantError: the evidence cannot be read or is not what the request names.
        """
        ...

    def allows_self_approval(self, model: str) -> bool:
        """Return whether the model's ledger lets a requester approve."""
        ...

    def answer(
        self,
        request_id: str,
        answer: Answer,
        *,
        reason: str,
        candidate_digest: str | None,
        evidence_digest: str | None,
        self_approve: bool,
    ) -> PromotionRequest:
        """Answer a request, and let the gate act on it.

        Args:
            request_id: which request.
            answer: what the person chose.
            reason: why.
            candidate_digest: of the candidate the person looked at.
            evidence_digest: of the evidence the person looked at.
            self_approve: whether the requester approves, recorded as such.

        Raises:
            RequestError: the request cannot be answered that way.
        """
        ...


@dataclass(frozen=True)
class ReviewSecrets:
    """What only the person who started the server knows; made anew for each process."""

    path: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """First segment of every path."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """Stands in every form."""


class _RefusedError(Exception):
    """A call that never reaches the gate, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class _Guard:
    """Refuses every call that does not come from a page of this server."""

    known: ReviewSecrets
    port: int

    def check_place(self, path: str, headers: Mapping[str, str]) -> None:
        """Refuse a call under another name, or without the secret path."""
        if headers.get("host") not in (f"{ADDRESS}:{self.port}", f"localhost:{self.port}"):
            raise _RefusedError(421, f"This server answers as {ADDRESS}:{self.port} only.")
        if not hmac.compare_digest(path[1:].partition("/")[0].encode(), self.known.path.encode()):
            raise _RefusedError(403, "Open the address that `warrant review` printed.")

    def check_form(self, headers: Mapping[str, str], fields: Mapping[str, str]) -> None:
        """Refuse a form of another site, or of another run of this server."""
        if headers.get("origin") != f"http://{headers.get('host')}":
            raise _RefusedError(403, "The answer came from another site.")
        if not hmac.compare_digest(fields.get("token", "").encode(), self.known.token.encode()):
            raise _RefusedError(403, "The form is from an earlier start of this server: reload it.")


@dataclass(frozen=True)
class _Pages:
    """Makes the pages of one desk."""

    desk: Desk
    known: ReviewSecrets

    @property
    def home(self) -> str:
        """Path of the list."""
        return f"/{self.known.path}/"

    def path(self, request_id: str) -> str:
        """Return the path of a request's page."""
        return f"{self.home}requests/{quote(request_id, safe='')}"

    def form(self, message: str = "", *, is_error: bool = False) -> ReviewForm:
        """Return what all pages have in common."""
        return ReviewForm(
            home=self.home,
            token=self.known.token,
            person=self.desk.person,
            message=message,
            is_error=is_error,
        )

    def listing(self) -> str:
        """Return the list of requests."""
        return requests_page(self.desk.requests(), form=self.form())

    def failure(self, message: str) -> str:
        """Return what stands in the place of a page that cannot be made."""
        return requests_page(None, form=self.form(message, is_error=True))

    def request(self, request_id: str, message: str = "", *, is_error: bool = False) -> str:
        """Return a request's page with its form.

        A request whose evidence cannot be read has a page that says so, and no form: nobody can
        have reviewed it.
        """
        request = self.desk.request(request_id)
        try:
            found = self.desk.evidence(request)
        except WarrantError as error:
            form = replace(self.form(message, is_error=is_error), can_answer=False)
            return request_page(request, form=form, remark=f"The evidence cannot be shown: {error}")
        form = replace(
            self.form(message, is_error=is_error),
            action=self.path(request_id),
            is_requester=request.requester == self.desk.person,
            is_laptop=self.desk.allows_self_approval(request.model),
        )
        if found is None:
            # Nothing to review: what is no promotion asks nobody.
            return request_page(request, form=replace(form, can_answer=False))
        return run_page(
            found.decision,
            found.drift,
            found.evaluation,
            found.manifest,
            found.validation,
            found.history,
            request,
            form=form,
            shadow=found.shadow,
        )


def _parse(body: bytes) -> dict[str, str]:
    """Return a form's fields, each of which may stand once."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=20,
        )
    except ValueError as error:
        raise _RefusedError(400, "The answer is no form.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _RefusedError(400, "The answer names a field twice.")
    return fields


def status_of_error(error: WarrantError) -> int:
    """Return the HTTP status of an error of ours."""
    return next(status for kind, status in STATUS if isinstance(error, kind))


def _answer(desk: Desk, request_id: str, fields: Mapping[str, str]) -> str:
    """Give a form's answer to the gate; return what it was."""
    answer, reason = fields.get("decision", ""), fields.get("reason", "").strip()
    if answer not in DONE:
        raise RequestError("choose an answer: approve, reject or withdraw")
    if not reason:
        raise RequestError("a reason is mandatory: say in a sentence why")
    if len(reason) > LONGEST_REASON:
        raise RequestError(f"the reason has {len(reason)} characters, {LONGEST_REASON} are allowed")
    desk.answer(
        request_id,
        cast(Answer, answer),
        reason=reason,
        candidate_digest=fields.get("candidate_digest") or None,
        evidence_digest=fields.get("evidence_digest") or None,
        self_approve=fields.get("self_approve") == "yes",
    )
    return answer


def create_review_app(desk: Desk, *, port: int, known: ReviewSecrets | None = None) -> "FastAPI":
    """Return the review application.

    Args:
        desk: the gate, used as one person.
        port: where it is served; calls that name another host or port are refused.
        known: path and token; random by default, which is what a server wants.

    Raises:
        MissingExtraError: FastAPI is not installed.
    """
    try:
        from fastapi import Depends, FastAPI, Request, Response
        from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
    except ImportError as error:
        raise MissingExtraError(
            "the review pages need FastAPI: pip install 'modelwarrant[serving]'"
        ) from error

    secret = known or ReviewSecrets()
    guard, pages = _Guard(secret, port), _Pages(desk, secret)
    one_at_a_time = threading.Lock()
    app = FastAPI(title="modelwarrant review", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def protect(request: Request, call_next: Callable[[Request], Any]) -> Response:
        """Refuse what does not come from a page of ours, and add the headers to all answers."""
        try:
            guard.check_place(request.url.path, request.headers)
            response: Response = await call_next(request)
        except _RefusedError as refused:
            response = PlainTextResponse(f"{refused}\n", refused.status)
        response.headers.update(HEADERS)
        return response

    async def form(request: Request) -> dict[str, str]:
        """Read a small form, and refuse one of another site."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise _RefusedError(413, f"An answer has at most {MOST_BYTES} bytes.")
        fields = _parse(body)
        guard.check_form(request.headers, fields)
        return fields

    def failed(error: WarrantError) -> HTMLResponse:
        return HTMLResponse(pages.failure(str(error)), status_of_error(error))

    @app.get(pages.home)
    def listing() -> Response:
        try:
            return HTMLResponse(pages.listing())
        except WarrantError as error:
            return failed(error)

    @app.get(f"{pages.home}requests/{{request_id}}")
    def show(request_id: str, done: str = "") -> Response:
        try:
            return HTMLResponse(pages.request(request_id, DONE.get(done, "")))
        except WarrantError as error:
            return failed(error)

    @app.post(f"{pages.home}requests/{{request_id}}")
    def decide(request_id: str, fields: Annotated[dict[str, str], Depends(form)]) -> Response:
        with one_at_a_time:
            try:
                done = _answer(desk, request_id, fields)
            except WarrantError as refused:
                try:
                    page = pages.request(request_id, str(refused), is_error=True)
                except WarrantError as error:
                    return failed(error)
                return HTMLResponse(page, status_of_error(refused))
        return RedirectResponse(f"{pages.path(request_id)}?done={done}", 303)

    return app


def serve_review(desk: Desk, *, port: int = 0, opened: Callable[[str], None]) -> None:
    """Serve the review pages on 127.0.0.1 until interrupted.

    Args:
        desk: the gate, used as one person.
        port: 0 takes a free one.
        opened: called with the address once it can be opened; whoever knows it can answer.

    Raises:
        MissingExtraError: FastAPI or uvicorn is not installed.
        RequestError: the port is taken.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError(
            "the review pages need uvicorn: pip install 'modelwarrant[serving]'"
        ) from error
    known = ReviewSecrets()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, port))
        except OSError as error:
            raise RequestError(f"port {port} cannot be used: {error.strerror}") from error
        listener.listen()
        here = listener.getsockname()[1]
        app = create_review_app(desk, port=here, known=known)
        # The path is a secret, so it must not stand in a log.
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        opened(f"http://{ADDRESS}:{here}/{known.path}/")
        server.run(sockets=[listener])
