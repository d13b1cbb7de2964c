"""How does a stage read its inputs, write its outputs and end?

A stage is called as KFP calls a container component: ``--executor-input JSON`` names input
parameters and artifacts and where each output belongs. Outputs are written beside their place and
renamed when the stage has succeeded: a stage that dies leaves no half artifact.
"""

import argparse
import contextlib
import json
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelwarrant.errors import RecordError, WarrantError
from modelwarrant.records import Record
from modelwarrant.stage.exits import exit_code
from modelwarrant.stage.settings import Settings, read_settings

__all__ = ["JsonLines", "Task", "run_stage"]

_LAST_WORDS = Path("/dev/termination-log")
"""What a container writes here is shown as the reason of its failure: by kubectl, Argo and KFP."""
_LONGEST_LAST_WORDS = 1000

_MOUNTS = {"minio://": "/minio/", "s3://": "/s3/", "gs://": "/gcs/"}
"""Where KFP's launcher puts the artifacts of a remote store."""


@dataclass
class Task:
    """One execution of a stage: its inputs by name, and where its outputs go."""

    stage: str
    now: datetime
    settings: Settings
    log: logging.Logger
    _parameters: Mapping[str, Any]
    _inputs: Mapping[str, Sequence[Mapping[str, Any]]]
    _outputs: Mapping[str, Mapping[str, Any]]
    _parameter_files: Mapping[str, str]
    _executor_output: Path | None
    _written: dict[str, Path] = field(default_factory=dict)
    _values: dict[str, Any] = field(default_factory=dict)
    _metadata: dict[str, dict[str, Any]] = field(default_factory=dict)

    def parameter(self, name: str) -> Any:
        """Return an input parameter; a whole number is an int, however it travelled.

        Raises:
            RecordError: the executor input does not hold it.
        """
        if name not in self._parameters:
            raise RecordError(f"stage {self.stage}: the executor input has no parameter {name!r}")
        return _whole(self._parameters[name])

    def path(self, name: str) -> Path:
        """Return where an input artifact lies.

        Raises:
            RecordError: the executor input does not hold it.
        """
        found = self.paths(name)
        if not found:
            raise RecordError(f"stage {self.stage}: the executor input has no artifact {name!r}")
        return found[0]

    def paths(self, name: str) -> tuple[Path, ...]:
        """Return where the artifacts of a list lie, in the order of the tasks they came from.

        Raises:
            RecordError: the executor input does not hold the list.
        """
        if name not in self._inputs:
            raise RecordError(f"stage {self.stage}: the executor input has no artifact {name!r}")
        return tuple(local_path(given["uri"]) for given in self._inputs[name])

    def output(self, name: str) -> Path:
        """Return the temporary path to write an output artifact to, its folder made."""
        if name not in self._outputs:
            raise RecordError(f"stage {self.stage}: the executor input has no output {name!r}")
        if name not in self._written:
            final = local_path(self._outputs[name]["uri"])
            final.parent.mkdir(parents=True, exist_ok=True)
            self._written[name] = final.with_name(f".{final.name}.{os.getpid()}")
        return self._written[name]

    def write(self, name: str, document: Record | str) -> None:
        """Write a record or a page as an output artifact."""
        data = document.to_bytes() if isinstance(document, Record) else document.encode()
        self.output(name).write_bytes(data)

    def set(self, name: str, value: Any) -> None:
        """Set an output parameter."""
        if name not in self._parameter_files:
            raise RecordError(f"stage {self.stage}: the executor input has no output {name!r}")
        self._values[name] = value

    def annotate(self, name: str, **metadata: Any) -> None:
        """Add metadata to an output artifact; KFP shows those of metrics as a table."""
        self._metadata.setdefault(name, {}).update(metadata)

    def commit(self) -> None:
        """Put every output in its place, the executor output last."""
        for name, temporary in self._written.items():
            final = local_path(self._outputs[name]["uri"])
            _sync(temporary)
            if final.is_dir() and not final.is_symlink():
                shutil.rmtree(final)
            temporary.replace(final)
        for name, value in self._values.items():
            file = Path(self._parameter_files[name])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(value if isinstance(value, str) else json.dumps(value))
        if self._executor_output is not None:
            self._executor_output.parent.mkdir(parents=True, exist_ok=True)
            self._executor_output.write_text(json.dumps(self._executor_document()))

    def discard(self) -> None:
        """Remove what was written so far."""
        for temporary in self._written.values():
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink(missing_ok=True)

    def _executor_document(self) -> dict[str, Any]:
        artifacts = {
            name: {
                "artifacts": [
                    {
                        **given,
                        "metadata": {**given.get("metadata", {}), **self._metadata.get(name, {})},
                    }
                ]
            }
            for name, given in self._outputs.items()
        }
        return {"parameterValues": self._values, "artifacts": artifacts}


def local_path(uri: str) -> Path:
    """Return where KFP's launcher, or the laptop runner, puts an artifact of this URI.

    >>> str(local_path("minio://mlpipeline/v2/window")), str(local_path("/tmp/window"))
    ('/minio/mlpipeline/v2/window', '/tmp/window')
    """
    for scheme, mount in _MOUNTS.items():
        if uri.startswith(scheme):
            return Path(mount + uri.removeprefix(scheme))
    return Path(uri.removeprefix("file://"))


def stage_parser(stage: str) -> argparse.ArgumentParser:
    """Return the parser that every stage's arguments must parse under."""
    parser = argparse.ArgumentParser(prog=f"components.{stage}.run", allow_abbrev=False)
    parser.add_argument("--executor-input", required=True, help="KFP's executor input, JSON")
    return parser


def run_stage(stage: str, body: Callable[[Task], None], argv: Sequence[str] | None = None) -> int:
    """Run one stage and return its exit code.

    Args:
        stage: the folder's name.
        body: reads from and writes to the task.
        argv: default ``sys.argv[1:]``.

    Returns:
        0 done, 2 the user must change something, 75 try again later, 70 a fault of ours.
    """
    arguments = stage_parser(stage).parse_args(argv)
    log = _logger(stage)
    task = None
    try:
        task = _task(stage, arguments.executor_input, log)
        body(task)
        task.commit()
    except WarrantError as error:
        log.error("stage_failed", extra={"fields": {"error": str(error), "kind": _kind(error)}})
        return _end(task, error)
    except OSError as error:
        log.error("stage_failed", extra={"fields": {"error": str(error), "kind": _kind(error)}})
        return _end(task, error)
    except Exception as error:  # noqa: BLE001 - the edge of the process: logged whole, exit 70
        fields = {"error": str(error), "kind": _kind(error), "trace": traceback.format_exc()}
        log.error("stage_broke", extra={"fields": fields})
        return _end(task, error)
    log.info("stage_done")
    return 0


def _end(task: Task | None, error: Exception) -> int:
    if task is not None:
        task.discard()
    _leave_last_words(str(error))
    return exit_code(error)


def _leave_last_words(message: str, *, path: Path = _LAST_WORDS) -> None:
    """Tell Kubernetes why this container failed; the file is there in a pod only."""
    with contextlib.suppress(OSError):
        if path.is_file():
            path.write_text(message[:_LONGEST_LAST_WORDS], encoding="utf-8")


def _kind(error: Exception) -> str:
    return type(error).__name__


def _task(stage: str, executor_input: str, log: logging.Logger) -> Task:
    try:
        document = json.loads(executor_input)
        inputs, outputs = document.get("inputs", {}), document.get("outputs", {})
        settings = read_settings()
        return Task(
            stage=stage,
            now=settings.now,
            settings=settings,
            log=log,
            _parameters=inputs.get("parameterValues", {}),
            _inputs={k: v["artifacts"] for k, v in inputs.get("artifacts", {}).items()},
            _outputs={k: v["artifacts"][0] for k, v in outputs.get("artifacts", {}).items()},
            _parameter_files={k: v["outputFile"] for k, v in outputs.get("parameters", {}).items()},
            _executor_output=Path(outputs["outputFile"]) if "outputFile" in outputs else None,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise RecordError(f"stage {stage}: the executor input cannot be read: {error!r}") from error


def _whole(value: Any) -> Any:
    """Give whole numbers back as int: on KFP every number of a struct travels as a double."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value


def _sync(path: Path) -> None:
    """Flush a file, or every file of a folder, to the disk."""
    for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "stage": record.name.removeprefix("modelwarrant.stage."),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, default=str)


def _logger(stage: str) -> logging.Logger:
    log = logging.getLogger(f"modelwarrant.stage.{stage}")
    log.setLevel(logging.INFO)
    log.propagate = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    log.handlers = [handler]
    return log
