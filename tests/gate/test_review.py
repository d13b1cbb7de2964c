"""The review server shows requests to one person and takes answers from that person only."""

import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.testclient import TestClient

from gate.review import (
    Answer,
    Evidence,
    ReviewSecrets,
    create_review_app,
    serve_review,
)
from modelwarrant.errors import (
    RequestError,
    StoreUnavailableError,
    TamperedError,
    UnknownModelError,
)
from modelwarrant.records import PromotionRequest
from tests.reports import samples

SECRETS = ReviewSecrets(path="the-path", token="the-token")  # noqa: S106 - a test's own
HOME = f"/{SECRETS.path}/"
ORIGIN = "http://127.0.0.1:8123"


class MemoryDesk:
    """A desk over requests in memory; keeps what it was told."""

    person = "ben@example.org"

    def __init__(self, *requests: PromotionRequest) -> None:
        self.known = {request.id: request for request in requests}
        self.answers: list[dict[str, object]] = []
        self.refuses: Exception | None = None
        self.unreadable: Exception | None = None

    def requests(self) -> Sequence[PromotionRequest]:
        """Return all of them."""
        if self.unreadable is not None:
            raise self.unreadable
        return tuple(self.known.values())

    def request(self, request_id: str) -> PromotionRequest:
        """Return one."""
        if request_id not in self.known:
            raise UnknownModelError(f"no request {request_id!r}")
        return self.known[request_id]

    def evidence(self, request: PromotionRequest) -> Evidence | None:
        """Return the sample's documents for a promotion."""
        if self.unreadable is not None:
            raise self.unreadable
        if request.operation != "promote":
            return None
        run = samples.needs_approval()
        return Evidence(
            run.decision, run.drift, run.evaluation, run.manifest, run.validation, run.history
        )

    def allows_self_approval(self, model: str) -> bool:
        """Behave like a laptop's ledger."""
        return True

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
        """Keep the answer, and end the request."""
        if self.refuses is not None:
            raise self.refuses
        asked = self.request(request_id)
        self.answers.append(
            {
                "id": request_id,
                "answer": answer,
                "reason": reason,
                "candidate": candidate_digest,
                "evidence": evidence_digest,
                "self": self_approve,
            }
        )
        ended = asked.model_copy(update={"outcome": "promoted", "version": 9})
        self.known[request_id] = ended
        return ended


class Fields(HTMLParser):
    """Reads a page's form: where it goes and what it carries."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.names: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms and fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        elif tag in ("input", "textarea"):
            self.names.add(given["name"])
            if given.get("type") == "hidden":
                self.hidden[given["name"]] = given["value"]


@pytest.fixture
def waiting() -> PromotionRequest:
    """A request that waits for a person."""
    request = samples.needs_approval().request
    assert request is not None
    return request


@pytest.fixture
def desk(waiting: PromotionRequest) -> MemoryDesk:
    """A desk with one waiting request and one rollback."""
    rollback = waiting.model_copy(
        update={"id": "back-1", "operation": "rollback", "target": "12", "reason": "it fails"}
    )
    return MemoryDesk(waiting, rollback)


@pytest.fixture
def client(desk: MemoryDesk) -> Iterator[TestClient]:
    """A browser on the same machine that knows the secret path."""
    app = create_review_app(desk, port=8123, known=SECRETS)
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as browser:
        yield browser


def fill(client: TestClient, path: str, **changes: str) -> dict[str, str]:
    """Return what a browser would send for the form at a path."""
    form = Fields(client.get(path).text)
    return {**form.hidden, "decision": "approve", "reason": "It is better.", **changes}


def send(client: TestClient, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
    """Post a form as a browser does."""
    return client.post(path, data=fields, headers={"Origin": ORIGIN, **headers})


def test_list_names_every_request_and_links_to_it(
    client: TestClient, waiting: PromotionRequest
) -> None:
    """The first page lists all requests with a link each."""
    page = client.get(HOME)

    assert 200 == page.status_code
    assert f'href="{HOME}requests/{waiting.id}"' in page.text
    assert f'href="{HOME}requests/back-1"' in page.text


def test_request_page_is_the_run_page_with_a_form(
    client: TestClient, waiting: PromotionRequest
) -> None:
    """A request's page shows the evidence and carries the digests that are reviewed."""
    page = client.get(f"{HOME}requests/{waiting.id}").text
    form = Fields(page)

    assert "Candidate against production" in page
    assert "as <bdi>ben@example.org</bdi>" in page
    assert f"{HOME}requests/{waiting.id}" == form.action
    assert {
        "token": SECRETS.token,
        "candidate_digest": waiting.candidate_digest,
        "evidence_digest": waiting.evidence_digest,
    } == form.hidden
    assert "self_approve" not in form.names


def test_a_request_without_evidence_asks_nobody(client: TestClient) -> None:
    """A rollback shows its target and reason, and no form: there is nothing to review."""
    page = client.get(f"{HOME}requests/back-1").text

    assert "Rollback: " in page
    assert "it fails" in page
    assert Fields(page).action is None


@pytest.mark.parametrize("answer", ["approve", "reject", "withdraw"])
def test_an_answer_reaches_the_gate_once_and_is_confirmed(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest, answer: str
) -> None:
    """A form's answer becomes one call, with its reason and the digests the reader saw."""
    path = f"{HOME}requests/{waiting.id}"
    response = send(client, path, fill(client, path, decision=answer, reason="  Because. "))

    assert 303 == response.status_code
    assert [
        {
            "id": waiting.id,
            "answer": answer,
            "reason": "Because.",
            "candidate": waiting.candidate_digest,
            "evidence": waiting.evidence_digest,
            "self": False,
        }
    ] == desk.answers
    after = client.get(response.headers["location"]).text
    assert 'role="status"' in after
    assert "✓</span> promoted" in after
    assert Fields(after).action is None


def test_self_approval_must_be_ticked(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest
) -> None:
    """The requester sees the box, and only the ticked box says self-approve."""
    desk.person = waiting.requester
    path = f"{HOME}requests/{waiting.id}"

    assert "self_approve" in Fields(client.get(path).text).names
    send(client, path, fill(client, path, self_approve="yes"))
    assert desk.answers[0]["self"] is True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": " \n "}, "a reason is mandatory"),
        ({"reason": "x" * 2001}, "2001 characters, 2000 are allowed"),
        ({"decision": "waive"}, "choose an answer"),
        ({"decision": ""}, "choose an answer"),
    ],
)
def test_an_incomplete_answer_is_refused_on_the_page(
    client: TestClient,
    desk: MemoryDesk,
    waiting: PromotionRequest,
    changes: dict[str, str],
    said: str,
) -> None:
    """Without a reason or a choice nothing is recorded, and the page says what is missing."""
    path = f"{HOME}requests/{waiting.id}"
    response = send(client, path, fill(client, path, **changes))

    assert 409 == response.status_code
    assert said in response.text
    assert Fields(response.text).action is not None
    assert [] == desk.answers


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError("the evidence changed <since>"), 409),
        (StoreUnavailableError("the store is full <since>"), 503),
        (TamperedError("log/3.json was altered <since>"), 500),
    ],
)
def test_what_the_gate_refuses_is_said_on_the_page(
    client: TestClient,
    desk: MemoryDesk,
    waiting: PromotionRequest,
    error: Exception,
    status: int,
) -> None:
    """An error of the gate is shown, escaped, with its status."""
    desk.refuses = error
    path = f"{HOME}requests/{waiting.id}"
    response = send(client, path, fill(client, path))

    assert status == response.status_code
    assert str(error).replace("<since>", "&lt;since&gt;") in response.text


def test_evidence_that_cannot_be_read_cannot_be_approved(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest
) -> None:
    """A page without its evidence says why and offers no form."""
    desk.unreadable = TamperedError("decision.json does not have its digest")
    page = client.get(f"{HOME}requests/{waiting.id}").text

    assert "The evidence cannot be shown: decision.json does not have its digest" in page
    assert Fields(page).action is None


@pytest.mark.parametrize(
    ("error", "status"), [(StoreUnavailableError("no store"), 503), (TamperedError("altered"), 500)]
)
def test_a_list_that_cannot_be_read_says_why(
    client: TestClient, desk: MemoryDesk, error: Exception, status: int
) -> None:
    """A store that fails gives a page with the reason, not an empty list."""
    desk.unreadable = error
    response = client.get(HOME)

    assert status == response.status_code
    assert str(error) in response.text
    assert "Nothing was asked yet" not in response.text


def test_an_unknown_request_is_not_found(client: TestClient) -> None:
    """A wrong ID gives the list with a message, also when it is answered."""
    path = f"{HOME}requests/nobody"
    fields = {"token": SECRETS.token, "decision": "reject", "reason": "no"}

    for response in (client.get(path), send(client, path, fields)):
        assert 404 == response.status_code
        assert "no request &#39;nobody&#39;" in response.text


@pytest.mark.parametrize("path", ["/", "/the-pat/", "/the-path2/", "/docs", "/openapi.json", "//"])
def test_without_the_secret_path_nothing_is_shown(client: TestClient, path: str) -> None:
    """Another user of the machine, who does not know the address, sees no page and no token."""
    response = client.get(path)

    assert 403 == response.status_code
    assert "warrant review" in response.text
    assert SECRETS.token not in response.text


@pytest.mark.parametrize("host", ["evil.example:8123", "127.0.0.1", "127.0.0.1:9999", "", "[::1]"])
def test_another_host_name_is_refused(client: TestClient, host: str) -> None:
    """A name that was made to point here, or another port, is not answered."""
    response = client.get(HOME, headers={"Host": host})

    assert 421 == response.status_code
    assert SECRETS.token not in response.text


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1", None]
)
def test_an_answer_from_another_site_is_refused(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest, origin: str | None
) -> None:
    """A form that another site sends, even with the right token, records nothing."""
    path = f"{HOME}requests/{waiting.id}"
    headers = {} if origin is None else {"Origin": origin}
    response = client.post(path, data=fill(client, path), headers=headers)

    assert 403 == response.status_code
    assert [] == desk.answers


def test_localhost_is_this_server_too(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest
) -> None:
    """A browser that was given the name localhost can answer, with the Origin of that name."""
    path = f"{HOME}requests/{waiting.id}"
    response = send(
        client,
        path,
        fill(client, path),
        Host="localhost:8123",
        Origin="http://localhost:8123",
    )

    assert 303 == response.status_code
    assert 1 == len(desk.answers)


@pytest.mark.parametrize("token", ["", "wrong", "the-tokeN", "ünknown"])
def test_a_wrong_token_is_refused(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest, token: str
) -> None:
    """A form without this process's token records nothing."""
    path = f"{HOME}requests/{waiting.id}"
    response = send(client, path, fill(client, path, token=token))

    assert 403 == response.status_code
    assert [] == desk.answers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * 40_000, 413),
        (b"\xff=1", 400),
        (b"no form at all", 400),
        (b"", 403),
        (b"token=the-token&decision=approve&decision=reject&reason=x", 400),
        (urlencode({f"f{i}": "x" for i in range(30)}).encode(), 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest, body: bytes, status: int
) -> None:
    """Too large, not text, doubled or endless fields: refused without asking the gate."""
    response = client.post(
        f"{HOME}requests/{waiting.id}",
        content=body,
        headers={"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"},
    )

    assert status == response.status_code
    assert [] == desk.answers


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_a_posted_form_answers(
    client: TestClient, desk: MemoryDesk, waiting: PromotionRequest, method: str
) -> None:
    """No other method records an answer, whatever its query says."""
    query = urlencode({"token": SECRETS.token, "decision": "approve", "reason": "x"})
    client.request(method, f"{HOME}requests/{waiting.id}?{query}", headers={"Origin": ORIGIN})

    assert [] == desk.answers


def test_confirmation_cannot_be_forged_into_text(
    client: TestClient, waiting: PromotionRequest
) -> None:
    """The address of a page can choose among known messages, and cannot write one."""
    page = client.get(f"{HOME}requests/{waiting.id}?done=<b>approved</b>").text

    assert "approved</b>" not in page
    assert 'role="status"' not in page


@pytest.mark.parametrize("path", [HOME, f"{HOME}requests/back-1", "/", f"{HOME}requests/none"])
def test_every_answer_is_hardened(client: TestClient, path: str) -> None:
    """Pages and refusals alike are not cached, not framed, and load nothing."""
    headers = client.get(path).headers

    assert "no-store" == headers["cache-control"]
    assert "DENY" == headers["x-frame-options"]
    assert "nosniff" == headers["x-content-type-options"]
    assert "same-origin" == headers["referrer-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


def test_secrets_are_made_anew_and_not_shown() -> None:
    """Two servers share no secret, and a secret does not print."""
    one, other = ReviewSecrets(), ReviewSecrets()

    assert 4 == len({one.path, one.token, other.path, other.token})
    assert len(one.path) >= 43
    assert one.token not in repr(one)


def test_served_pages_answer_on_the_loopback_address_only(desk: MemoryDesk) -> None:
    """A started server prints an address with its secret and listens on 127.0.0.1."""
    opened: list[str] = []
    threading.Thread(
        target=serve_review, args=(desk,), kwargs={"opened": opened.append}, daemon=True
    ).start()
    deadline = time.monotonic() + 10
    while not opened and time.monotonic() < deadline:
        time.sleep(0.01)

    match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/[\w-]{43}/", opened[0])
    assert match is not None
    with urllib.request.urlopen(opened[0], timeout=10) as response:  # noqa: S310 - our own server
        assert b"Requests" in response.read()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{match[1]}/", timeout=10)


def test_a_taken_port_is_named(desk: MemoryDesk) -> None:
    """A port in use gives one clear error."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(RequestError, match=f"port {port} cannot be used"):
            serve_review(desk, port=port, opened=lambda _: None)
