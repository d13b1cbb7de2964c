"""How does a compiled pipeline run on a cluster that has Argo but no Kubeflow Pipelines?

A small double of what KFP's compiler, driver and launcher do between them: each task of the plan
becomes one pod of an Argo Workflow, with the image, command and arguments that the IR states, and
the executor input that the launcher would hand over. Artifacts lie on a volume that all pods share,
so nothing is uploaded between them.
"""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client

from pipelines.plan import PipelineInput, Plan, PlannedTask, TaskOutput

Json = dict[str, Any]

NAMESPACE = "kubeflow"
STORE = "warrant-store"
"""Name of the ConfigMap and of the Secret that tell where the store is."""

_API = {
    "group": "argoproj.io",
    "version": "v1alpha1",
    "namespace": NAMESPACE,
    "plural": "workflows",
}
_PLACEHOLDERS = {
    "{{$.pipeline_job_resource_name}}": "{{workflow.name}}",
    "{{$.pipeline_job_uuid}}": "{{workflow.uid}}",
}
_POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "fsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "e2e-work"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "standard",
        "resources": {"requests": {"storage": "5Gi"}},
    },
}
"""One for all runs, a folder each: volumes of the test cluster are few and serve once."""


def workflow_of(plan: Plan, parameters: Mapping[str, Any], *, name: str) -> Json:
    """Return the Argo Workflow of a pipeline.

    Args:
        plan: the compiled pipeline.
        parameters: the pipeline's parameters; the rest takes its defaults.
        name: the Workflow's name.
    """
    bound = plan.bind(parameters)
    spec: Json = {
        "entrypoint": "graph",
        "serviceAccountName": "pipeline-runner",
        "securityContext": _POD_SECURITY,
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "work", "persistentVolumeClaim": {"claimName": "e2e-work"}},
        ],
        "templates": [
            {"name": "graph", "dag": {"tasks": [_dag_task(task) for task in plan.tasks]}},
            *(_template(task, bound, f"/work/{name}") for task in plan.tasks),
        ],
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }


def _dag_task(task: PlannedTask) -> Json:
    values = [
        {"name": name, "value": f"{{{{tasks.{given.task}.outputs.parameters.{given.output}}}}}"}
        for name, given in task.parameters.items()
        if isinstance(given, TaskOutput)
    ]
    return {
        "name": task.name,
        "template": task.name,
        "dependencies": sorted(task.after),
        "arguments": {"parameters": values},
    }


def _template(task: PlannedTask, bound: Mapping[str, Any], root: str) -> Json:
    given = executor_input(task, bound, root)
    template: Json = {
        "name": task.name,
        "inputs": {
            "parameters": [
                {"name": name}
                for name, value in task.parameters.items()
                if isinstance(value, TaskOutput)
            ]
        },
        "outputs": {
            "parameters": [
                {"name": name, "valueFrom": {"path": f"{root}/{task.name}/parameters/{name}"}}
                for name in task.output_parameters
            ]
        },
        "container": {
            "image": task.image,
            "imagePullPolicy": "IfNotPresent",
            "command": list(task.command),
            "args": [argument.replace("{{$}}", given) for argument in task.arguments],
            "envFrom": [
                {"configMapRef": {"name": STORE, "optional": True}},
                {"secretRef": {"name": STORE, "optional": True}},
            ],
            "volumeMounts": [
                {"name": "work", "mountPath": "/work"},
                {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
            ],
            "securityContext": _CONTAINER_SECURITY,
            "resources": {
                "requests": {"cpu": "50m", "memory": "128Mi"},
                "limits": {"memory": "2Gi"},
            },
        },
    }
    if task.retry_policy is not None:
        template["retryStrategy"] = _retry(task.retry_policy)
    return template


def _retry(policy: Mapping[str, Any]) -> Json:
    """Return what KFP's compiler makes of a retry policy."""
    return {
        "limit": str(policy["maxRetryCount"]),
        "backoff": {
            "duration": policy["backoffDuration"],
            "factor": str(int(policy["backoffFactor"])),
            "maxDuration": policy["backoffMaxDuration"],
        },
    }


def executor_input(task: PlannedTask, bound: Mapping[str, Any], root: str) -> str:
    """Return the executor input, JSON, in which Argo still fills what other tasks give.

    Argo pastes ``{{...}}`` as raw text and ``{{=...}}`` as an expression's value, both escaped for
    the outer JSON only. What another task gave is therefore quoted by an expression, and two braces
    in a person's text are told apart by a JSON escape. An output parameter that holds two braces
    would be taken for a tag on its way; no stage's does.
    """
    folder = f"{root}/{task.name}"
    holes: dict[str, str] = {}
    values: Json = {}
    for name, given in task.parameters.items():
        if isinstance(given, PipelineInput):
            values[name] = bound[given.name]
        elif isinstance(given, TaskOutput) or str(given) in _PLACEHOLDERS:
            values[name] = f"\0{name}"
            holes[json.dumps(values[name])] = (
                f"{{{{=toJson(inputs.parameters['{name}'])}}}}"
                if isinstance(given, TaskOutput)
                else f'"{_PLACEHOLDERS[given]}"'
            )
        else:
            values[name] = given
    document = {
        "inputs": {
            "parameterValues": values,
            "artifacts": {
                name: {"artifacts": [_artifact(name, f"{root}/{given.task}", given.output)]}
                for name, given in task.artifacts.items()
            },
        },
        "outputs": {
            "parameters": {
                name: {"outputFile": f"{folder}/parameters/{name}"}
                for name in task.output_parameters
            },
            "artifacts": {
                name: {
                    "artifacts": [
                        _artifact(name, folder, name) | {"type": {"schemaTitle": title}},
                    ]
                }
                for name, title in task.output_artifacts.items()
            },
            "outputFile": f"{folder}/executor_output.json",
        },
    }
    text = json.dumps(document).replace("{{", "{\\u007b")
    for mark, hole in holes.items():
        text = text.replace(mark, hole)
    return text


def _artifact(name: str, folder: str, file: str) -> Json:
    return {"name": name, "uri": f"{folder}/{file}", "metadata": {}}


def submit(workflow: Json, api: client.CustomObjectsApi) -> str:
    """Create the Workflow, and the volume of all runs where it is absent; return its name."""
    with contextlib.suppress(client.ApiException):  # it is there already
        core = client.CoreV1Api(api.api_client)
        core.create_namespaced_persistent_volume_claim(NAMESPACE, _CLAIM)
    return str(api.create_namespaced_custom_object(**_API, body=workflow)["metadata"]["name"])


def read(name: str, api: client.CustomObjectsApi) -> Json:
    """Return the Workflow as it is now."""
    found: Json = api.get_namespaced_custom_object(**_API, name=name)
    return found


def delete(name: str, api: client.CustomObjectsApi) -> None:
    """Remove the Workflow and, with it, its pods."""
    api.delete_namespaced_custom_object(**_API, name=name)


def wait_until(
    name: str,
    is_reached: Callable[[Json], bool],
    api: client.CustomObjectsApi,
    *,
    timeout_s: float = 300,
) -> Json:
    """Return the Workflow once it is as wanted.

    Raises:
        TimeoutError: it is not within the time; the message holds what its nodes say.
    """
    ends = time.monotonic() + timeout_s
    while not is_reached(found := read(name, api)):
        if time.monotonic() > ends:
            raise TimeoutError(f"workflow {name} after {timeout_s} s: {messages(found)}")
        time.sleep(0.5)
    return found


def has_ended(workflow: Json) -> bool:
    """Return whether the Workflow has a phase that it keeps."""
    return workflow.get("status", {}).get("phase") in ("Succeeded", "Failed", "Error")


def is_suspended(workflow: Json) -> bool:
    """Return whether the Workflow waits for somebody, with nothing of it alive."""
    nodes = workflow.get("status", {}).get("nodes", {}).values()
    alive = [n for n in nodes if n["type"] == "Pod" and n.get("phase") in ("Pending", "Running")]
    return bool(workflow["spec"].get("suspend")) and not alive


def outputs(workflow: Json) -> dict[str, dict[str, str]]:
    """Return the output parameters of every finished task, by the task's name."""
    return {
        node["displayName"]: {
            given["name"]: given.get("value", "")
            for given in node.get("outputs", {}).get("parameters", ())
        }
        for node in workflow.get("status", {}).get("nodes", {}).values()
        if node.get("phase") == "Succeeded"
    }


def messages(workflow: Json) -> dict[str, str]:
    """Return phase and message of every node that did not succeed."""
    return {
        node["displayName"]: f"{node.get('phase')}: {node.get('message', '')}"
        for node in workflow.get("status", {}).get("nodes", {}).values()
        if node.get("phase") != "Succeeded"
    }
