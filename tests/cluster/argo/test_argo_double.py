"""The double that stands for KFP where there is only Argo: real pods, awkward texts."""

import json
import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from kubernetes import client, config

from pipelines.plan import PipelineInput, Plan, PlannedTask, TaskOutput
from tests.e2e import argo

pytestmark = pytest.mark.cluster

IMAGE = "python:3.11-slim-bookworm"
AWKWARD = 'a "quoted" \\ {{workflow.name}} {{=1+1}} {"policy": {"a": {}}}\nline two: é'
ECHO = """
import json, pathlib, sys
given = json.loads(sys.argv[2])
for name, output in given["outputs"]["artifacts"].items():
    path = pathlib.Path(output["artifacts"][0]["uri"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(given["inputs"]["parameterValues"]["text"])
read = {n: pathlib.Path(a["artifacts"][0]["uri"]).read_text()
        for n, a in given["inputs"]["artifacts"].items()}
path = pathlib.Path(given["outputs"]["parameters"]["said"]["outputFile"])
path.parent.mkdir(parents=True, exist_ok=True)
values = given["inputs"]["parameterValues"]
said = json.dumps({**values, **read}) if read else values["text"].replace(2 * chr(123), "<<")
path.write_text(said)
"""


def _task(name: str, **changed: Any) -> PlannedTask:
    fields: dict[str, Any] = {
        "name": name,
        "module": name,
        "arguments": ("--executor-input", "{{$}}"),
        "parameters": {},
        "artifacts": {},
        "output_artifacts": {},
        "output_parameters": ("said",),
        "after": frozenset(),
        "is_cached": False,
        "image": IMAGE,
        "command": ("python", "-c", ECHO),
        "retry_policy": None,
    }
    return PlannedTask(**{**fields, **changed})


PLAN = Plan(
    "echo",
    (
        _task(
            "speak",
            parameters={"text": PipelineInput("text")},
            output_artifacts={"rows": "system.Dataset"},
        ),
        _task(
            "repeat",
            parameters={
                "heard": TaskOutput("speak", "said"),
                "table": {"a": [1, {"b": "{{x}}"}]},
                "workflow": "{{$.pipeline_job_resource_name}}",
                "uid": "{{$.pipeline_job_uuid}}",
            },
            artifacts={"rows": TaskOutput("speak", "rows")},
            after=frozenset({"speak"}),
            retry_policy={
                "maxRetryCount": 2,
                "backoffDuration": "1s",
                "backoffFactor": 1.0,
                "backoffMaxDuration": "3600s",
            },
        ),
    ),
    frozenset({"text"}),
    {},
)


@pytest.fixture(scope="module")
def api() -> client.CustomObjectsApi:
    """The cluster of KUBECONFIG; without one these tests fail."""
    config.load_kube_config(os.environ.get("KUBECONFIG", "/var/lib/testbed/admin.kubeconfig"))
    return client.CustomObjectsApi()


@pytest.fixture(scope="module")
def ended(api: client.CustomObjectsApi) -> Iterator[argo.Json]:
    """A run of two stages that ended."""
    name = f"echo-{uuid4().hex[:8]}"
    argo.submit(argo.workflow_of(PLAN, {"text": AWKWARD}, name=name), api)
    yield argo.wait_until(name, argo.has_ended, api, timeout_s=120)
    argo.delete(name, api)


def test_texts_reach_the_stages_as_they_are(ended: argo.Json) -> None:
    """Quotes, braces and lines of a parameter survive Argo, from a person and from a stage."""
    assert "Succeeded" == ended["status"]["phase"], argo.messages(ended)
    said = json.loads(argo.outputs(ended)["repeat"]["said"])

    assert AWKWARD == said["rows"]
    assert AWKWARD.replace("{{", "<<") == said["heard"]
    assert {"a": [1, {"b": "{{x}}"}]} == said["table"]


def test_placeholders_reach_the_stages(ended: argo.Json) -> None:
    """A stage knows the Workflow that it runs in, by name and by uid."""
    said = json.loads(argo.outputs(ended)["repeat"]["said"])

    assert ended["metadata"]["name"] == said["workflow"]
    assert ended["metadata"]["uid"] == said["uid"]
