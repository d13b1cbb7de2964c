"""Every request gets an answer or an error that names what to change, and nothing it sent."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.app import create_app
from serving.ending import Ending
from serving.settings import Settings
from tests.serving.broken import SECRET, bodies
from tests.serving.place import Place
from tests.serving.tiny import FEATURES, ROW, air_time_model, late_model, linear_model, regression


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store whose model says late with probability .25."""
    place = Place(tmp_path / "store")
    place.promote(late_model())
    return place


def client(place: Place, **settings: Any) -> httpx.AsyncClient:
    """Return a client of the application, its follower having looked once."""
    follower = place.follower()
    follower.look()
    app = create_app(follower, Settings(model=place.model, **settings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def post(place: Place, body: Any, *, headers: Any = None, **settings: Any) -> httpx.Response:
    """Return the answer to one request; a body that is no text or bytes is sent as JSON."""

    async def send() -> httpx.Response:
        async with client(place, **settings) as http:
            content = body if isinstance(body, bytes | str) else json.dumps(body)
            sent = {"Content-Type": "application/json", **(headers or {})}
            return await http.post("/predict", content=content, headers=sent)

    return asyncio.run(send())


def get(place: Place, path: str, **settings: Any) -> httpx.Response:
    """Return the answer to a GET."""

    async def send() -> httpx.Response:
        async with client(place, **settings) as http:
            return await http.get(path)

    return asyncio.run(send())


def test_one_row_is_answered_with_its_warrant(place: Place) -> None:
    """Prediction, probabilities, and which version by whose decision."""
    answer = post(place, ROW, headers={"X-Request-Id": "order-17"})

    assert 200 == answer.status_code
    assert {
        "prediction": 0,
        "probabilities": {"0": pytest.approx(0.75), "1": pytest.approx(0.25)},
        "model": "flights",
        "version": place.production.number,
        "model_digest": place.production.digest,
        "decision_id": place.decision.decision_digest,
        "request_id": "order-17",
    } == answer.json()


def test_several_rows_are_answered_in_their_order(tmp_path: Path) -> None:
    """One prediction a row."""
    place = Place(tmp_path / "store")
    place.promote(air_time_model(bias=1))

    answer = post(place, {"rows": [ROW, {**ROW, "distance": 800}]})

    assert [{"prediction": 63.5}, {"prediction": 101.0}] == answer.json()["predictions"]


@pytest.mark.parametrize(
    ("classes", "class_kind", "label"),
    [(("0", "1"), "integer", 1), (("false", "true"), "boolean", True), (("0", "1"), "text", "1")],
)
def test_label_has_the_type_it_had_in_the_data(
    tmp_path: Path, classes: tuple[str, ...], class_kind: str, label: Any
) -> None:
    """Whoever labelled with integers or booleans gets them back."""
    place = Place(tmp_path / "store")
    place.promote(late_model(late=0.9, classes=classes, class_kind=class_kind))

    predicted = post(place, ROW).json()["prediction"]

    assert (type(label), label) == (type(predicted), predicted)


def test_request_id_is_made_where_none_is_sent(place: Place) -> None:
    """Two requests get different ids."""
    first, second = (post(place, ROW).json()["request_id"] for _ in range(2))

    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize("request_id", ["", "a b", "é".encode(), "x" * 129, "a/../b"])
def test_request_id_that_no_label_could_name_is_refused(place: Place, request_id: Any) -> None:
    """It would be silently lost in the log."""
    answer = post(place, ROW, headers={"X-Request-Id": request_id})

    assert 400 == answer.status_code


def test_wrong_rows_are_422_naming_row_and_field(place: Place) -> None:
    """The value is not repeated."""
    answer = post(place, {"rows": [ROW, {**ROW, "distance": int(SECRET)}]})

    assert 422 == answer.status_code
    assert [
        {"row": 1, "field": "distance", "problem": "is outside its range [0.0, 5000.0]"}
    ] == answer.json()["problems"]
    assert "row 1, field 'distance'" in answer.json()["error"]
    assert SECRET not in answer.text


def test_values_the_model_cannot_answer_for_are_422(tmp_path: Path) -> None:
    """A number that overflows inside the model is the request's fault, not the service's."""
    schema = regression()
    place = Place(tmp_path / "store")
    place.promote((schema, linear_model(schema, weights={"wind": [1e10]}, bias=[0.0])))

    answer = post(place, {**ROW, "wind": 1e305})

    assert 422 == answer.status_code
    assert "row 0" in answer.json()["error"]


def test_body_above_the_limit_is_413_before_it_is_read(place: Place) -> None:
    """The head of the request is enough."""

    async def send() -> int:
        async def body() -> AsyncIterator[bytes]:
            raise AssertionError("the body was read")
            yield b""

        async with client(place, max_body_bytes=100) as http:
            headers = {"Content-Type": "application/json", "Content-Length": "101"}
            return (await http.post("/predict", content=body(), headers=headers)).status_code

    assert 413 == asyncio.run(send())


def test_body_without_a_length_is_cut_off_at_the_limit(place: Place) -> None:
    """A chunked body is counted while it comes."""

    async def send() -> tuple[int, int]:
        sent = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(1000):
                sent += 1
                yield b" " * 50

        async with client(place, max_body_bytes=100) as http:
            headers = {"Content-Type": "application/json"}
            answer = await http.post("/predict", content=body(), headers=headers)
            return answer.status_code, sent

    assert (413, 3) == asyncio.run(send())


def test_body_that_does_not_come_is_408(place: Place) -> None:
    """A client that trickles holds a connection for so long only."""

    async def send() -> int:
        async def body() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(5)

        async with client(place, body_timeout_s=0.05) as http:
            headers = {"Content-Type": "application/json"}
            return (await http.post("/predict", content=body(), headers=headers)).status_code

    assert 408 == asyncio.run(send())


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_body_that_is_not_declared_as_json_is_415(place: Place, headers: dict[str, str]) -> None:
    """What is not declared is not guessed at."""
    assert 415 == post(place, ROW, headers=headers).status_code


def test_json_may_be_declared_with_its_charset(place: Place) -> None:
    """Parameters of the media type do not matter."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    assert 200 == post(place, ROW, headers=headers).status_code


def test_large_request_is_answered_from_the_worker(place: Place) -> None:
    """Thousands of rows do not hold up the event loop, and are answered alike."""
    answer = post(place, {"rows": [ROW] * 2000})

    assert 2000 == len(answer.json()["predictions"])


def test_too_many_large_requests_are_told_to_come_back(place: Place) -> None:
    """The queue is bounded: 503 with Retry-After, the others are answered."""

    async def send() -> list[httpx.Response]:
        async with client(place, max_waiting=1, inline_body_bytes=0) as http:
            headers = {"Content-Type": "application/json"}
            body = json.dumps({"rows": [ROW] * 500})
            return await asyncio.gather(
                *(http.post("/predict", content=body, headers=headers) for _ in range(6))
            )

    answers = asyncio.run(send())

    statuses = sorted(answer.status_code for answer in answers)
    assert [200, 200, 503, 503, 503, 503] == statuses
    assert all("Retry-After" in answer.headers for answer in answers if answer.is_server_error)


def test_without_a_model_the_service_says_so(tmp_path: Path) -> None:
    """Not ready, but alive; a prediction is 503 with the reason and when to come back."""
    place = Place(tmp_path / "store")

    assert 503 == get(place, "/readyz").status_code
    assert 200 == get(place, "/livez").status_code
    answer = post(place, ROW)
    assert 503 == answer.status_code
    assert "1" == answer.headers["Retry-After"]
    assert "'flights' is not served yet" in answer.json()["error"]


def test_readiness_and_version_name_what_is_served(place: Place) -> None:
    """Both say the version; version also the decision."""
    ready, version = get(place, "/readyz").json(), get(place, "/version").json()

    assert {
        "ready": True,
        "model": "flights",
        "version": place.production.number,
        "store": "ok",
        "ledger_seq": place.ledger.state().seq,
        "model_stale_seconds": 0.0,
        "stopping": False,
    } == ready
    assert place.decision.decision_digest == version["decision_id"]


def test_metrics_count_requests_and_rows(place: Place) -> None:
    """Paths are a fixed set: a scanner cannot fill the memory with labels."""

    async def scrape() -> str:
        async with client(place) as http:
            await http.post("/predict", json={"rows": [ROW, ROW]})
            await http.post("/predict", json={})
            await http.get("/wp-login.php")
            return (await http.get("/metrics")).text

    text = asyncio.run(scrape())

    version = place.production.number
    assert f'warrant_rows_total{{model="flights",version="{version}"}} 2.0' in text
    assert 'warrant_requests_total{path="/predict",status="200"} 1.0' in text
    assert 'warrant_requests_total{path="/predict",status="422"} 1.0' in text
    assert 'warrant_requests_total{path="other",status="404"} 1.0' in text
    assert "wp-login" not in text
    assert "warrant_ready 1.0" in text
    assert "warrant_model_stale_seconds 0.0" in text


def test_openapi_describes_the_rows_of_the_model(place: Place) -> None:
    """The example in it is a request that is answered."""
    document = get(place, "/openapi.json").json()
    row = document["components"]["schemas"]["Row"]
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]

    assert list(ROW) == row["required"]
    assert {"type": "number", "minimum": 0.0, "maximum": 5000.0} == row["properties"]["distance"]
    assert ["string", "integer", "null"] == row["properties"]["month"]["type"]
    assert 200 == post(place, body["example"]).status_code


def test_documents_page_loads_nothing_from_elsewhere(place: Place) -> None:
    """It works behind a firewall, and its policy allows nothing else."""
    page = get(place, "/docs")

    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert all(name in page.text for name in ROW)


def test_documents_page_escapes_what_a_schema_holds(tmp_path: Path) -> None:
    """Names and levels come from data, and data may hold markup."""
    evil = "</script><script>alert(1)</script>\"'&"
    features = [
        feature.model_copy(
            update={"name": f"{feature.name}{evil}"}
            | ({"categories": (evil,)} if feature.kind == "category" else {})
        )
        for feature in FEATURES
    ]
    schema = regression(features).model_copy(update={"target": evil})
    place = Place(tmp_path / "store")
    place.promote((schema, linear_model(schema, weights={}, bias=[0.0])))

    page = get(place, "/docs").text

    assert 1 == page.count("<script>")
    assert "alert(1)</script>" not in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("PUT", "/predict", 405), ("GET", "/nothing", 404)],
)
def test_unknown_paths_and_methods_answer_in_the_same_form(
    place: Place, method: str, path: str, status: int
) -> None:
    """Every failure is ``{"error": ...}``."""

    async def send() -> httpx.Response:
        async with client(place) as http:
            return await http.request(method, path)

    answer = asyncio.run(send())

    assert status == answer.status_code
    assert "error" in answer.json()


def test_no_malformed_body_is_a_fault_of_the_service(place: Place) -> None:
    """Hundreds of broken bodies: 200 where a reader may take it, 400 or 422 else, never a 5xx."""

    async def send() -> list[tuple[bytes, httpx.Response]]:
        async with client(place) as http:
            headers = {"Content-Type": "application/json"}
            return [
                (body, await http.post("/predict", content=body, headers=headers))
                for body in bodies()
            ]

    answers = asyncio.run(send())

    assert 600 < len(answers)
    statuses = {answer.status_code for _, answer in answers}
    assert statuses <= {200, 400, 422}
    for body, answer in answers:
        assert SECRET not in answer.text, body[:200]
        assert len(answer.content) < 5000, body[:200]
        answer.json()


@pytest.mark.parametrize("path", ["/version", "/docs", "/openapi.json", "/metrics", "/readyz"])
def test_every_page_answers_with_a_model(place: Place, path: str) -> None:
    """The state of the service can be read at any time."""
    assert 200 == get(place, path).status_code


def test_draining_service_is_not_ready_but_answers(place: Place) -> None:
    """Load balancers take it out while requests that still come are served."""

    async def send() -> tuple[int, int]:
        follower = place.follower()
        follower.look()
        app = create_app(follower, Settings(model="flights"), ending=Ending(is_draining=True))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            ready = await http.get("/readyz")
            return ready.status_code, (await http.post("/predict", json=ROW)).status_code

    assert (503, 200) == asyncio.run(send())


def test_admin_needs_its_token_and_is_off_without_one(place: Place) -> None:
    """No such path; then 401; then the follower looks at once."""

    async def send(settings: dict[str, Any], headers: dict[str, str]) -> int:
        async with client(place, **settings) as http:
            return (await http.post("/admin/look", headers=headers)).status_code

    given = {"Authorization": "Bearer s3cret"}
    token = {"admin_token": "s3cret"}
    answers = [asyncio.run(send(*one)) for one in (({}, given), (token, {}), (token, given))]

    assert [404, 401, 202] == answers


def test_answer_that_takes_too_long_is_503(place: Place) -> None:
    """The client is told to send fewer rows; the work it asked for is not waited for."""
    answer = post(place, {"rows": [ROW] * 5000}, inline_body_bytes=0, answer_timeout_s=0.0)

    assert 503 == answer.status_code
    assert "send fewer rows" in answer.json()["error"]


def test_costly_rows_are_answered_on_the_worker(place: Place) -> None:
    """However small their body: the event loop answers others meanwhile."""
    answer = post(place, {"rows": [ROW] * 3}, inline_s=0.0)

    assert 3 == len(answer.json()["predictions"])
