"""The service as one process: it starts fast, keeps its imports lean, and stops without loss."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from modelwarrant.errors import PermanentError
from serving.main import serve
from serving.settings import Settings
from tests.serving.place import Place
from tests.serving.tiny import ROW, late_model

PROGRAM = """
import json, sys
from pathlib import Path
from modelwarrant.storage import DirectoryStore
from serving.main import serve
from serving.settings import Settings

store, cache, options = sys.argv[1:]
serve(
    DirectoryStore(Path(store)),
    Settings(model="flights", **json.loads(options)),
    port=0,
    cache=Path(cache),
    announce=lambda address: print(address, flush=True),
)
print(json.dumps(sorted(sys.modules)))
"""

FORBIDDEN = {"sklearn", "pandas", "scipy", "skl2onnx", "onnx", "joblib", "skops", "dill", "kfp"}
"""What the serving image does not hold."""

HEAVY = {"pyarrow", "fastapi", "cloudpickle"}
"""What it holds, or may hold, and no request needs: 50 MB and 0.2 s of a start."""


class Service:
    """One running process."""

    def __init__(self, place: Place, cache: Path, **settings: Any) -> None:
        arguments = [str(place.root), str(cache), json.dumps(settings)]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def wait_until_ready(self) -> float:
        """Return the seconds from start to ready."""
        while time.monotonic() - self.started < 20:
            try:
                if httpx.get(f"{self.address}/readyz").status_code == 200:
                    return time.monotonic() - self.started
            except httpx.TransportError:
                pass
            time.sleep(0.01)
        raise AssertionError("never ready")

    def ended(self) -> tuple[int, list[str]]:
        """Return exit code and the modules that were loaded."""
        out, _ = self.process.communicate(timeout=20)
        return self.process.returncode, json.loads(out) if out else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store with a model in production."""
    place = Place(tmp_path / "store")
    place.promote(late_model())
    return place


@pytest.fixture
def started(place: Place, tmp_path: Path) -> Iterator[list[Service]]:
    """Processes that are ended with the test."""
    services: list[Service] = []
    yield services
    for service in services:
        service.process.kill()
        service.process.communicate()


def start(started: list[Service], place: Place, cache: Path, **settings: Any) -> Service:
    """Start a service and wait until it is ready."""
    service = Service(place, cache, **settings)
    started.append(service)
    service.wait_until_ready()
    return service


def logged_rows(place: Place) -> int:
    """Return the rows in the prediction log."""
    return sum(
        pq.read_table(io.BytesIO(place.store.get(key) or b"")).num_rows
        for key in place.store.list("payload/")
    )


def test_service_answers_logs_and_ends_with_nothing_heavy_loaded(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """After answers and a SIGTERM: exit 0, every row in the log, no training library imported."""
    service = start(started, place, tmp_path / "cache")
    for _ in range(3):
        assert 200 == httpx.post(f"{service.address}/predict", json=ROW).status_code
    assert 200 == httpx.get(f"{service.address}/docs").status_code
    assert 200 == httpx.get(f"{service.address}/metrics").status_code

    service.process.send_signal(signal.SIGTERM)
    code, modules = service.ended()

    assert 0 == code
    assert 3 == logged_rows(place)
    loaded = {name.partition(".")[0] for name in modules}
    assert set() == loaded & (FORBIDDEN | HEAVY)


def test_request_in_flight_is_finished_at_the_end(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """A large request whose body is still coming when the signal arrives is answered."""
    service = start(started, place, tmp_path / "cache")
    body = json.dumps({"rows": [ROW] * 9000}).encode()

    def slowly() -> Iterator[bytes]:
        yield body[:1000]
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        yield body[1000:]

    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{service.address}/predict", content=slowly(), headers=headers, timeout=20)

    assert 9000 == len(answer.json()["predictions"])
    assert 0 == service.ended()[0]
    assert 9000 == logged_rows(place)


def lose_nothing(place: Place, cache: Path, started: list[Service]) -> None:
    """Stop a service under load, and count: clients got every answer, the log holds every row."""
    before = logged_rows(place)
    service = start(started, place, cache)
    answered: list[int] = []

    def ask() -> None:
        with httpx.Client() as http:
            while True:
                try:
                    answer = http.post(f"{service.address}/predict", json=ROW)
                except httpx.ConnectError:
                    return
                answered.append(answer.status_code)

    with ThreadPoolExecutor(4) as clients:
        asking = [clients.submit(ask) for _ in range(4)]
        while len(answered) < 50:
            time.sleep(0.01)
        service.process.send_signal(signal.SIGTERM)
        for one in asking:
            one.result(timeout=20)

    assert 0 == service.ended()[0]
    assert {200} == set(answered)
    assert len(answered) == logged_rows(place) - before


def test_signal_under_load_loses_no_request(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """Clients that keep connections open get every answer, and then a refused connection."""
    lose_nothing(place, tmp_path / "cache", started)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_signals_under_load_lose_no_request(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """Ten times in a row."""
    for _ in range(10):
        lose_nothing(place, tmp_path / "cache", started)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_processes_answer_nothing_wrong(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """SIGKILL under load, ten times: at most the requests in flight fail, the others are right."""
    for _ in range(10):
        service = start(started, place, tmp_path / "cache")
        right: list[bool] = []
        failed: list[str] = []

        def ask(
            address: str = service.address, right: list[bool] = right, failed: list[str] = failed
        ) -> None:
            with httpx.Client() as http:
                while True:
                    try:
                        answer = http.post(f"{address}/predict", json=ROW).json()
                    except httpx.ConnectError:
                        return
                    except httpx.TransportError as error:
                        failed.append(repr(error))
                        return
                    right.append(abs(answer["probabilities"]["1"] - 0.25) < 1e-12)

        with ThreadPoolExecutor(4) as clients:
            asking = [clients.submit(ask) for _ in range(4)]
            while len(right) < 50:
                time.sleep(0.01)
            service.process.kill()
            for one in asking:
                one.result(timeout=20)

        assert all(right)
        assert len(failed) <= 4


def test_draining_service_answers_through_its_grace_period(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """After the signal readiness says 503 at once, and predictions go on until the grace ends."""
    service = start(started, place, tmp_path / "cache", grace_s=0.6)

    service.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    ready = httpx.get(f"{service.address}/readyz").status_code
    predicted = httpx.post(f"{service.address}/predict", json=ROW).status_code

    assert (503, 200) == (ready, predicted)
    assert 0 == service.ended()[0]


def test_log_that_is_switched_off_writes_nothing(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """The store holds the ledger alone."""
    service = start(started, place, tmp_path / "cache", log_payload=False)
    httpx.post(f"{service.address}/predict", json=ROW)

    service.process.send_signal(signal.SIGINT)

    assert 0 == service.ended()[0]
    assert [] == list(place.store.list("payload/"))


def test_service_starts_without_its_store(
    place: Place, tmp_path: Path, started: list[Service]
) -> None:
    """The last verified model answers, and readiness says what is wrong with the store."""
    first = start(started, place, tmp_path / "cache")
    first.process.send_signal(signal.SIGTERM)
    first.ended()
    place.root.rename(tmp_path / "elsewhere")

    service = start(started, place, tmp_path / "cache", log_flush_s=0.1)

    ready = httpx.get(f"{service.address}/readyz").json()
    assert "has no ledger of 'flights'" in ready["store"]
    assert 0 < ready["model_stale_seconds"]
    assert 200 == httpx.post(f"{service.address}/predict", json=ROW).status_code
    time.sleep(0.5)
    assert not place.root.exists()  # nothing is written where a store was


def test_port_in_use_is_named(place: Place, tmp_path: Path, started: list[Service]) -> None:
    """Two services on one port: the second says which, and what to do."""
    service = start(started, place, tmp_path / "cache")
    port = int(service.address.rpartition(":")[2])

    with pytest.raises(PermanentError, match=f"port {port} of 127.0.0.1 cannot be used"):
        serve(place.store, Settings(model="flights"), port=port)
