"""Which tasks does a compiled pipeline have, and what does each read?

Reads the IR that kfp compiled, without kfp. A shape the laptop runner cannot walk is refused by
name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modelwarrant.errors import PermanentError

__all__ = ["PipelineInput", "Plan", "PlannedTask", "TaskOutput", "read_plan"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNWALKABLE = ("iteratorPolicy", "parameterIterator", "artifactIterator", "triggerPolicy")


@dataclass(frozen=True)
class TaskOutput:
    """Names an output of another task."""

    task: str
    output: str


@dataclass(frozen=True)
class PlannedTask:
    """One task of the graph, as the IR states it."""

    name: str
    module: str
    """Entry point, for example ``components.detect_drift.run``."""
    arguments: tuple[str, ...]
    """``{{$}}`` stands for the executor input."""
    parameters: Mapping[str, Any]
    """Constant, ``TaskOutput``, or ``PipelineInput`` by parameter name."""
    artifacts: Mapping[str, TaskOutput]
    output_artifacts: Mapping[str, str]
    """Schema title by name, for example ``system.Dataset``."""
    output_parameters: tuple[str, ...]
    after: frozenset[str]
    is_cached: bool
    image: str
    command: tuple[str, ...]
    retry_policy: Mapping[str, Any] | None
    """``maxRetryCount`` and the back-off, as the IR states them; None where nothing is retried."""


@dataclass(frozen=True)
class PipelineInput:
    """Names a parameter of the whole pipeline."""

    name: str


@dataclass(frozen=True)
class Plan:
    """A pipeline's tasks, and its parameters with their defaults."""

    name: str
    tasks: tuple[PlannedTask, ...]
    required: frozenset[str]
    defaults: Mapping[str, Any]

    def bind(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters, defaults filled in.

        Raises:
            PermanentError: one is missing, or is not a parameter of the pipeline.
        """
        missing = sorted(self.required - set(parameters))
        unknown = sorted(set(parameters) - self.required - set(self.defaults))
        if missing or unknown:
            raise PermanentError(
                f"pipeline {self.name}: missing parameters {missing}, unknown parameters {unknown}"
            )
        return {**self.defaults, **parameters}


def read_plan(path: Path) -> Plan:
    """Read a compiled pipeline.

    Raises:
        PermanentError: the file is no compiled pipeline, or holds a shape the laptop runner cannot
            walk: a condition, a loop, an exit handler, a nested pipeline or an importer.
    """
    with path.open("rb") as file:
        ir = next(iter(yaml.load_all(file, Loader=_LOADER)))
    try:
        name = ir["pipelineInfo"]["name"]
        executors, components = ir["deploymentSpec"]["executors"], ir["components"]
        inputs = ir["root"].get("inputDefinitions", {}).get("parameters", {})
        tasks = tuple(
            _task(key, task, components[task["componentRef"]["name"]], executors)
            for key, task in ir["root"]["dag"]["tasks"].items()
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PermanentError(f"{path}: not a compiled pipeline: {error!r}") from error
    required = frozenset(key for key, spec in inputs.items() if not spec.get("isOptional"))
    defaults = {
        key: spec.get("defaultValue") for key, spec in inputs.items() if key not in required
    }
    return Plan(name, tasks, required, defaults)


def _task(
    key: str, task: Mapping[str, Any], component: Mapping[str, Any], executors: Mapping[str, Any]
) -> PlannedTask:
    shapes = [shape for shape in _UNWALKABLE if shape in task]
    executor = executors.get(component.get("executorLabel", ""), {})
    if shapes or "container" not in executor:
        shape = shapes[0] if shapes else "a nested pipeline or an importer"
        raise PermanentError(f"task {key}: the laptop runner cannot walk {shape}")
    container = executor["container"]
    outputs = component.get("outputDefinitions", {})
    artifacts = {
        name: TaskOutput(
            given["taskOutputArtifact"]["producerTask"],
            given["taskOutputArtifact"]["outputArtifactKey"],
        )
        for name, given in task.get("inputs", {}).get("artifacts", {}).items()
    }
    parameters = {
        name: _parameter(given)
        for name, given in task.get("inputs", {}).get("parameters", {}).items()
    }
    producers = [
        *artifacts.values(),
        *(p for p in parameters.values() if isinstance(p, TaskOutput)),
    ]
    return PlannedTask(
        name=key,
        module=container["command"][-1],
        arguments=tuple(container.get("args", ())),
        parameters=parameters,
        artifacts=artifacts,
        output_artifacts={
            name: spec["artifactType"]["schemaTitle"]
            for name, spec in outputs.get("artifacts", {}).items()
        },
        output_parameters=tuple(outputs.get("parameters", {})),
        after=frozenset(task.get("dependentTasks", ())) | {output.task for output in producers},
        is_cached=bool(task.get("cachingOptions", {}).get("enableCache")),
        image=container.get("image", ""),
        command=tuple(container["command"]),
        retry_policy=task.get("retryPolicy"),
    )


def _parameter(given: Mapping[str, Any]) -> Any:
    if "componentInputParameter" in given:
        return PipelineInput(given["componentInputParameter"])
    if "taskOutputParameter" in given:
        output = given["taskOutputParameter"]
        return TaskOutput(output["producerTask"], output["outputParameterKey"])
    return given["runtimeValue"]["constant"]
