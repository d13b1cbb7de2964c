"""The monitor becomes one recurring run of Kubeflow Pipelines' API, with what its stages need."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from modelwarrant.cli.scheduling import Schedule, schedule_monitor
from modelwarrant.cli.submitting import Target
from modelwarrant.errors import ProjectError, RequestError
from tests.e2e.conftest import PROJECT

PREFIX = "/apis/v2beta1/"


@dataclass
class Pipelines:
    """The recurring runs of a Pipelines API that keeps them in memory."""

    host: str = ""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Return what the API would say."""
        what = path.removeprefix(PREFIX).partition("?")[0]
        if what == "healthz":
            return {"multi_user": False}
        if what.startswith("experiments"):
            one = {"experiment_id": "e1", "display_name": "modelwarrant"}
            return {"experiments": [one]} if method == "GET" else one
        if method == "POST":
            made = {**body, "recurring_run_id": f"r{len(self.runs) + 1}"}
            self.runs[made["recurring_run_id"]] = made
            return made
        if method == "DELETE":
            del self.runs[what.rpartition("/")[2]]
            return {}
        return {"recurringRuns": list(self.runs.values())}


@contextmanager
def serving(api: Pipelines) -> Iterator[Pipelines]:
    """Serve it on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            data = json.dumps(api.answer(self.command, self.path, body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = handle_one

        def log_message(self, *words: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.host = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on a machine that knows a gate."""
    monkeypatch.setenv("WARRANT_GATE", "modelwarrant-system")
    path = tmp_path / "warrant.yaml"
    path.write_text(PROJECT)
    return path


def schedule(project: Path, host: str, *, source: str | None = "s3://data/demand.csv") -> Schedule:
    """Schedule an hourly pass."""
    return schedule_monitor(
        project,
        Target(host, "kubeflow", "modelwarrant", "registry/{stage}:v1", "s3://modelwarrant"),
        every=timedelta(hours=1),
        source=source,
        show=lambda line: None,
    )


def test_a_model_has_one_recurring_run(project: Path) -> None:
    """Scheduling again replaces it; one pass at a time, none caught up."""
    with serving(Pipelines()) as api:
        first = schedule(project, api.host)
        second = schedule(project, api.host)

    [run] = api.runs.values()
    assert ((), (first.id,)) == (first.replaced, second.replaced)
    assert (second.id, "monitor demand") == (run["recurring_run_id"], run["display_name"])
    assert ("3600", "1", True) == (
        str(run["trigger"]["periodic_schedule"]["interval_second"]),
        str(run["max_concurrency"]),
        run["no_catchup"],
    )


def test_the_run_carries_the_pipeline_and_the_project(project: Path) -> None:
    """Images of the cluster, the gate, the contract and the store."""
    with serving(Pipelines()) as api:
        schedule(project, api.host)

    [run] = api.runs.values()
    given = run["runtime_config"]["parameters"]
    spec = run["pipeline_spec"]
    executors = spec.get("pipeline_spec", spec)["deploymentSpec"]["executors"]
    assert "registry/decide-action:v1" in {
        each["container"]["image"] for each in executors.values()
    }
    assert ("demand", "modelwarrant-system", "s3://modelwarrant", "log_loss") == (
        given["model"],
        given["gate"],
        given["store"],
        given["metric"],
    )
    assert ["temperature", "load", "place"] == [
        feature["name"] for feature in given["contract"]["features"]
    ]


def test_a_file_of_this_machine_is_no_source_there(project: Path) -> None:
    """The stages could not read it."""
    with pytest.raises(ProjectError, match="cannot read it"):
        schedule(project, "http://127.0.0.1:1", source=None)


def test_without_a_gate_nothing_is_scheduled(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who would record what the monitor does?"""
    monkeypatch.delenv("WARRANT_GATE")

    with pytest.raises(RequestError, match="WARRANT_GATE"):
        schedule(project, "http://127.0.0.1:1")
